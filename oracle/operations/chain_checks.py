"""Checks of what a node or member shares with others: chain, contracts, members.

They ask and change nothing. What must agree among members is compared with the chain,
not with a majority.
"""

import ssl
import time
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.chain import ChainClient
from contracts.directory import Deployment
from contracts.editions import follow, is_as_shipped, registry
from oracle.errors import InvalidSettingsError
from oracle.operations.findings import Finding, check_clock

__all__ = ["Agreed", "check_chain", "check_contracts", "check_peer"]

PEER_TIMEOUT_S = 3.0
"""How long a peer may take to answer. [s]"""
AHEAD_S = 60
"""How far a busy embedded chain may run ahead: every block is a second later. [s]"""
FAR_AHEAD_S = 300
"""What the contracts allow a batch to be ahead of the chain. [s]"""
OLD_BLOCK_S = 86_400
"""A newest block that is older is worth a look. [s]"""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What every member must have alike."""

    chain_id: int
    configuration_digest: bytes
    """Digest of the members' configuration as the contract has it, 32 bytes."""
    version: str
    """Version of this program."""


def check_chain(client: ChainClient, chain_id: int, *, is_wall: bool) -> Finding:
    """Look whether the right chain answers, and hold its time against the clock.

    Args:
        client: The chain.
        chain_id: The chain that must answer.
        is_wall: Whether its time is that of clocks; a sandbox sets its own.

    Returns:
        The finding.

    Raises:
        ContractsError: It does not answer, or is another chain.
        InvalidSettingsError: It has no block.
    """
    client.require_chain(chain_id)
    block = client.block()
    if block is None:
        raise InvalidSettingsError(f"the chain at {client.url} has no block")
    ahead_s = block.timestamp - time.time()
    words = f"chain {chain_id}, block {block.number}"
    if is_wall and ahead_s > AHEAD_S:
        advice = (
            f"{words} is {ahead_s:.0f} s ahead of this machine's clock: set the clocks "
            "(NTP) here and of whoever makes blocks; readings are refused as too late"
        )
        return Finding("chain", "fail" if ahead_s > FAR_AHEAD_S else "warn", advice)
    if is_wall and -ahead_s > OLD_BLOCK_S:
        advice = (
            f"{words} is {-ahead_s:.0f} s old: does anything happen, do clocks agree?"
        )
        return Finding("chain", "warn", advice)
    return Finding("chain", "ok", words)


def check_contracts(client: ChainClient, deployment: Deployment) -> Finding:
    """Hold the code of the contracts in office against what this release ships.

    Args:
        client: The chain.
        deployment: Where the ledger began.

    Returns:
        The finding.

    Raises:
        ContractsError: The chain does not answer, or the directory lacks a name.
    """
    present = follow(client, deployment)
    current = [one for one in registry(client, deployment) if one.is_current]
    other = [
        f"{one.name} (version {one.version})"
        for one in current
        if not is_as_shipped(one, client, present)
    ]
    if other:
        advice = (
            f"{', '.join(other)} differ from this release: install the release that "
            "belongs to the contracts in office, or ask who changed them"
        )
        return Finding("contracts", "fail", advice)
    return Finding("contracts", "ok", f"{len(current)} in office, all as released")


def check_peer(
    address: str, url: str, trusted: ssl.SSLContext, agreed: Agreed | None
) -> list[Finding]:
    """Ask a member how it is, and compare what must be alike.

    Args:
        address: Address of its key.
        url: Where it answers.
        trusted: Whom to trust for TLS.
        agreed: What must be alike, None where the chain does not tell.

    Returns:
        Findings on the member and on its clock.
    """
    subject = f"peer {address}"
    started = time.time()
    try:
        answer = httpx.get(
            f"{url}/status", timeout=PEER_TIMEOUT_S, trust_env=False, verify=trusted
        )
        told = dict(answer.json())
    except (httpx.HTTPError, ValueError, TypeError) as exc:
        detail = f"{url} does not answer ({exc}): start it, or mend its URL"
        return [Finding(subject, "fail", detail)]
    ended = time.time()
    if told.get("address") != address:
        advice = f"{url} is {told.get('address')}: mend its URL"
        return [Finding(subject, "fail", advice)]
    return [
        _compare(subject, url, told, agreed),
        *_clock(subject, told.get("time"), (started + ended) / 2),
    ]


def _compare(
    subject: str, url: str, told: dict[str, Any], agreed: Agreed | None
) -> Finding:
    if told.get("conflict"):
        return Finding(subject, "fail", f"it stands still: {told['conflict']}")
    if agreed is None:
        return Finding(subject, "ok", url)
    digest = agreed.configuration_digest.hex()
    pairs = (("chain_id", agreed.chain_id), ("configuration_digest", digest))
    for name, wanted in pairs:
        if told.get(name) != wanted:
            advice = (
                f"{name} is {told.get(name)} there, {wanted} on the chain: does it "
                "follow the same chain, and is it up to date?"
            )
            return Finding(subject, "fail", advice)
    if told.get("version") != agreed.version:
        advice = (
            f"version {told.get('version')} there, {agreed.version} here: bring both "
            "to the same release"
        )
        return Finding(subject, "warn", advice)
    return Finding(subject, "ok", f"{url}, version {agreed.version}")


def _clock(subject: str, theirs: object, ours: float) -> list[Finding]:
    if not isinstance(theirs, int | float):
        return []
    return [check_clock(f"clock of {subject}", theirs - ours)]
