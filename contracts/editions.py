"""Which contract holds a subject now, which held it before, and whether it is ours.

A contract is never changed. A new edition is deployed beside it, and governance points
the directory to it; the old one stays where it is, readable for ever. So an address in
a file is only where a ledger began: ``follow`` leads from there to the present.

What a contract's code must be follows from the compiled artifact and the addresses it
was given, byte for byte, since immutable values are named in the artifact. That says
nothing of its storage: what a constructor left there is proven by the transaction that
created the contract, not here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from contracts.bindings.directory import Directory
from contracts.bindings.rulebook import rule_name
from contracts.chain import ChainClient
from contracts.creation import NOBODY, PREDECESSOR
from contracts.directory import CONTRACTS, Artifact, Deployment, artifact
from contracts.errors import InvalidInputError
from contracts.hashing import address_bytes, keccak256
from contracts.solidity import WORD_BYTES
from contracts.typed_data import DOMAIN_NAME, DOMAIN_VERSION, domain

__all__ = ["InOffice", "expected_code", "follow", "is_as_shipped", "registry"]

_NAMES = {
    "ACCOUNTS": "Accounts",
    "ANCHOR": "ReadingAnchor",
    "CARRIERS": "Carriers",
    "CASH": "Cash",
    "LEDGER": "EmissionLedger",
    "QUOTA": "Quota",
    "RULEBOOK": "Rulebook",
    PREDECESSOR: PREDECESSOR,
}
"""Immutable of a contract → whose address it holds."""


@dataclass(frozen=True, slots=True)
class InOffice:
    """One version of one contract, as the directory has it."""

    name: str
    version: int
    """From 1."""
    address: str
    since_block: int
    code_digest: bytes
    """keccak256 of the code that governance decided on, 32 bytes."""
    is_current: bool


def registry(client: ChainClient, deployment: Deployment) -> tuple[InOffice, ...]:
    """Read every version of every contract.

    Args:
        client: The chain.
        deployment: Where the ledger began.

    Returns:
        By contract in the order of their creation, oldest first.

    Raises:
        ContractsError: The chain does not answer, or the directory lacks a name.
    """
    directory = Directory(client, deployment.addresses["Directory"])
    found = []
    for name in CONTRACTS:
        label = rule_name(name)
        newest = directory.get(label).version
        for version in range(1, newest + 1):
            held = directory.edition(label, version)
            is_current = version == newest
            found.append(
                InOffice(
                    *(name, version, held.where, held.since_block, held.code_digest),
                    is_current,
                )
            )
    return tuple(found)


def follow(client: ChainClient, deployment: Deployment) -> Deployment:
    """Lead a deployment file to the contracts that are in office now.

    Args:
        client: The chain.
        deployment: Where the ledger began.

    Returns:
        The same ledger; ``addresses`` are those in office, ``earlier`` the others.

    Raises:
        ContractsError: The chain does not answer, or the directory lacks a name.
    """
    directory = Directory(client, deployment.addresses["Directory"])
    addresses, earlier = dict(deployment.addresses), {}
    for name in addresses:
        label = rule_name(name)
        newest = directory.get(label)
        addresses[name] = newest.where
        if newest.version > 1:
            earlier[name] = [
                directory.edition(label, version).where
                for version in range(1, newest.version)
            ]
    return replace(deployment, addresses=addresses, earlier=earlier)


def expected_code(
    compiled: Artifact, chain_id: int, address: str, addresses: Mapping[str, str]
) -> bytes:
    """Give the code that a contract must have on the chain.

    Args:
        compiled: The contract.
        chain_id: The chain.
        address: Where it is.
        addresses: Name → address of the contracts it was given, and ``PREDECESSOR``.

    Returns:
        Its code, immutable values filled in.

    Raises:
        InvalidInputError: It has an immutable that this release does not know.
    """
    code = bytearray(compiled.code)
    for name, places in compiled.immutables.items():
        value = _immutable(name, chain_id, address, addresses)
        for place in places:
            code[place : place + WORD_BYTES] = value
    return bytes(code)


def is_as_shipped(held: InOffice, client: ChainClient, deployment: Deployment) -> bool:
    """Tell whether a contract in office is the one that comes with this release.

    Args:
        held: The contract, the current one of its name.
        client: The chain.
        deployment: The ledger, followed to the present.

    Returns:
        Whether both the code on the chain and the digest that governance decided on
        are those of the artifact.
    """
    before = deployment.earlier.get(held.name, [NOBODY])[-1]
    addresses = deployment.addresses | {PREDECESSOR: before}
    compiled, chain_id = artifact(held.name), deployment.chain_id
    wanted = keccak256(expected_code(compiled, chain_id, held.address, addresses))
    return wanted == held.code_digest == keccak256(client.code(held.address))


def _immutable(
    name: str, chain_id: int, address: str, addresses: Mapping[str, str]
) -> bytes:
    if name in _NAMES:
        return address_bytes(addresses[_NAMES[name]]).rjust(WORD_BYTES, b"\x00")
    values = {
        "_cachedThis": address_bytes(address).rjust(WORD_BYTES, b"\x00"),
        "_cachedChainId": chain_id.to_bytes(WORD_BYTES),
        "_cachedDomainSeparator": domain(chain_id, address),
        "_hashedName": keccak256(DOMAIN_NAME.encode("ascii")),
        "_hashedVersion": keccak256(DOMAIN_VERSION.encode("ascii")),
        "_name": _short_string(DOMAIN_NAME),
        "_version": _short_string(DOMAIN_VERSION),
    }
    if name not in values:
        message = (
            f"expected an immutable that this release knows, got {name!r}: upgrade "
            "with the release that brings the contract"
        )
        raise InvalidInputError(message, name=name)
    return values[name]


def _short_string(text: str) -> bytes:
    """Write a text as OpenZeppelin's ``ShortString``: the bytes, then their number."""
    raw = text.encode("ascii")
    return raw.ljust(WORD_BYTES - 1, b"\x00") + bytes([len(raw)])
