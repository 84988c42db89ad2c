"""The dry run behind `carbon-oracle check`: what would keep a member from working."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from contracts.bindings.reading_anchor import ReadingAnchor
from contracts.chain import ChainClient
from contracts.errors import ContractsError
from contracts.typed_data import stream_id
from oracle.config import MemberSettings
from oracle.errors import InvalidSettingsError, OracleError
from oracle.member.keys import load_key
from oracle.member.setup import load_deployment
from oracle.member.transport import tls_context

CLOCK_SLACK_S = 60
"""How far the chain's clock may be from this machine's. [s]"""
PEER_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    subject: str
    """What was checked."""
    is_good: bool
    """True if it will work."""
    detail: str
    """What was found; where it is not good, what to do."""


def check_member(settings: MemberSettings) -> list[Finding]:
    """Check everything that a member needs, one finding each.

    Args:
        settings: The member's settings.

    Returns:
        Findings in the order of the checks; those behind a failure may repeat it.
    """
    checks: list[tuple[str, Callable[[MemberSettings], str]]] = [
        ("key", _check_key),
        ("folder", _check_folder),
        ("chain", _check_chain),
        ("stream", _check_stream),
        ("membership", _check_membership),
    ]
    findings = [_try(subject, check, settings) for subject, check in checks]
    try:
        trusted = tls_context(settings.tls)
    except InvalidSettingsError as exc:
        return [*findings, Finding("tls", False, str(exc))]
    return findings + [
        _check_peer(address, url, trusted) for address, url in settings.peers.items()
    ]


def _try(
    subject: str, check: Callable[[MemberSettings], str], settings: MemberSettings
) -> Finding:
    try:
        return Finding(subject, True, check(settings))
    except (OracleError, ContractsError, OSError) as exc:
        return Finding(subject, False, str(exc))


def _check_key(settings: MemberSettings) -> str:
    return load_key(settings.key_file, settings.passphrase_file).address


def _check_folder(settings: MemberSettings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    probe = settings.data_dir / ".write-probe"
    probe.write_bytes(b"")
    probe.unlink()
    return f"{settings.data_dir} can be written"


def _check_chain(settings: MemberSettings) -> str:
    with ChainClient(settings.rpc_url) as client:
        client.require_chain(load_deployment(settings).chain_id)
        block = client.block()
    if block is None:
        raise InvalidSettingsError(f"the chain at {settings.rpc_url} has no block")
    lag = abs(int(time.time()) - block.timestamp)
    note = f"block {block.number}"
    if settings.clock == "wall" and lag > CLOCK_SLACK_S:
        note += f"; its time is {lag} s from this machine's: compare the clocks"
    return note


def _check_stream(settings: MemberSettings) -> str:
    deployment = load_deployment(settings)
    with ChainClient(settings.rpc_url) as client:
        anchor = ReadingAnchor(client, deployment.addresses["ReadingAnchor"])
        silence_s = anchor.max_silence_s_of(stream_id(settings.stream))
    if silence_s == 0:
        message = f"stream {settings.stream} is not open: the regulator opens it"
        raise InvalidSettingsError(message)
    if settings.heartbeat_s > silence_s:
        message = f"heartbeat_s {settings.heartbeat_s} is longer than the stream's "
        raise InvalidSettingsError(f"{message}greatest silence, {silence_s} s")
    return f"{settings.stream}, greatest silence {silence_s} s"


def _check_membership(settings: MemberSettings) -> str:
    key = load_key(settings.key_file, settings.passphrase_file)
    deployment = load_deployment(settings)
    with ChainClient(settings.rpc_url) as client:
        anchor = ReadingAnchor(client, deployment.addresses["ReadingAnchor"])
        configuration = anchor.configuration()
    keys = [member.key for member in configuration.members]
    if key.address not in keys:
        message = f"{key.address} is no member of configuration {configuration.version}"
        raise InvalidSettingsError(message)
    missing = set(keys) - {key.address} - set(settings.peers)
    if missing:
        message = f"[peers] lacks {', '.join(sorted(missing))}"
        raise InvalidSettingsError(message)
    return f"member {keys.index(key.address)} of {len(keys)}"


def _check_peer(address: str, url: str, trusted: ssl.SSLContext) -> Finding:
    subject = f"peer {address}"
    try:
        answer = httpx.get(
            f"{url}/status", timeout=PEER_TIMEOUT_S, trust_env=False, verify=trusted
        )
        found = str(answer.json().get("address"))
    except (httpx.HTTPError, ValueError) as exc:
        detail = f"{url} does not answer ({exc}): start it, or mend its URL"
        return Finding(subject, False, detail)
    is_good = found == address
    return Finding(subject, is_good, url if is_good else f"{url} is {found}")
