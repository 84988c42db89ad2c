"""The trust file: what a verifier believes before it opens a package.

    {"form": "ccl/trust/v1", "chain_id": 20260,
     "contracts": {"Carriers": "0x…", "EmissionLedger": "0x…", "ReadingAnchor": "0x…"},
     "configurations": [{"version": 1, "threshold": 3, "digest": "0x…",
       "members": [{"key": "0x…", "organisation": "0x…", "role": "REGULATOR"}, …]}]}

Keys inside a package never authorise themselves: only the members written here count.
The file comes from a source that the verifier chose, for instance the regulator's
publication; its digests are recomputed, so a typing error shows at once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.enumerations import Kind
from contracts.hashing import address_bytes, checksum_address
from contracts.structs import Member
from oracle.errors import InvalidTrustError
from oracle.evidence.evidence import ChainIdentity, configuration_digest
from oracle.member.quorum import Configuration

FORM = "ccl/trust/v1"

_CONTRACTS = {
    "ReadingAnchor": "reading_anchor",
    "EmissionLedger": "emission_ledger",
    "Carriers": "carriers",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Chain, contracts and members that a verifier believes."""

    chain: ChainIdentity
    """Chain and contracts."""
    configurations: Mapping[int, Configuration]
    """Version → member configuration."""


def encode_trust(trust: Trust) -> bytes:
    """Write a trust file.

    Args:
        trust: What the file says.

    Returns:
        JSON for people and `parse_trust`, UTF-8.
    """
    content = {
        "form": FORM,
        "chain_id": trust.chain.chain_id,
        "contracts": {
            name: getattr(trust.chain, field) for name, field in _CONTRACTS.items()
        },
        "configurations": [
            _configuration_json(one, trust.chain)
            for _, one in sorted(trust.configurations.items())
        ],
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def parse_trust(data: bytes) -> Trust:
    """Read a trust file.

    Args:
        data: The whole file.

    Returns:
        What it says.

    Raises:
        InvalidTrustError: The field that is missing, unknown or wrong.
    """
    try:
        content = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise InvalidTrustError(f"The trust file is no JSON: {exc}.") from exc
    _check_fields(content, {"form", "chain_id", "contracts", "configurations"}, "file")
    if content["form"] != FORM:
        raise InvalidTrustError(
            f"The trust file has form {content['form']!r}, expected {FORM!r}."
        )
    chain = _chain(content["chain_id"], content["contracts"])
    entries = content["configurations"]
    if not isinstance(entries, list) or not entries:
        raise InvalidTrustError("The trust file needs at least one configuration.")
    configurations = [_configuration(entry, chain) for entry in entries]
    by_version = {one.version: one for one in configurations}
    if len(by_version) != len(configurations):
        raise InvalidTrustError("The trust file names a configuration version twice.")
    return Trust(chain, by_version)


def _configuration_json(one: Configuration, chain: ChainIdentity) -> dict[str, Any]:
    members = [
        {"key": m.key, "organisation": m.organisation, "role": Kind(m.role).name}
        for m in one.members
    ]
    return {
        "version": one.version,
        "threshold": one.threshold,
        "digest": "0x" + configuration_digest(one, chain).hex(),
        "members": members,
    }


def _chain(chain_id: Any, contracts: Any) -> ChainIdentity:
    _check_fields(contracts, set(_CONTRACTS), "contracts")
    addresses = {
        field: _address(contracts[name], f"contract {name}")
        for name, field in _CONTRACTS.items()
    }
    return ChainIdentity(_number(chain_id, 64, "chain_id"), **addresses)


def _configuration(entry: Any, chain: ChainIdentity) -> Configuration:
    _check_fields(entry, {"version", "threshold", "digest", "members"}, "configuration")
    version = _number(entry["version"], 32, "version of a configuration")
    threshold = _number(entry["threshold"], 8, f"threshold of configuration {version}")
    if not isinstance(entry["members"], list) or not entry["members"]:
        raise InvalidTrustError(f"Configuration {version} names no members.")
    members = tuple(_member(one, version) for one in entry["members"])
    if len({member.key for member in members}) < len(members):
        raise InvalidTrustError(f"Configuration {version} names a member's key twice.")
    configuration = Configuration(version, threshold, members)
    digest = "0x" + configuration_digest(configuration, chain).hex()
    if entry["digest"] != digest:
        raise InvalidTrustError(
            f"Configuration {version} of the trust file: expected digest {digest} for "
            f"its chain, contract and members, given {entry['digest']!r}; ask the "
            "regulator for the published file."
        )
    return configuration


def _member(entry: Any, version: int) -> Member:
    where = f"a member of configuration {version}"
    _check_fields(entry, {"key", "organisation", "role"}, where)
    if not isinstance(entry["role"], str) or entry["role"] not in Kind.__members__:
        raise InvalidTrustError(f"The role of {where} is unknown: {entry['role']!r}.")
    return Member(
        _address(entry["key"], where),
        _address(entry["organisation"], where),
        Kind[entry["role"]],
    )


def _check_fields(value: Any, fields: set[str], where: str) -> None:
    if not isinstance(value, dict) or set(value) != fields:
        given = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise InvalidTrustError(
            f"The trust file's {where}: expected the fields {sorted(fields)}, "
            f"given {given}."
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object whose fields stand once."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"a field comes twice among {sorted(content)}")
    return content


def _number(value: Any, bits: int, where: str) -> int:
    if type(value) is not int or not 0 < value < 1 << bits:
        raise InvalidTrustError(
            f"The trust file's {where}: expected a positive number of {bits} bits, "
            f"given {repr(value)[:40]}."
        )
    return value


def _address(value: Any, where: str) -> str:
    try:
        return checksum_address(address_bytes(value))
    except (ValueError, AttributeError) as exc:
        raise InvalidTrustError(
            f"The trust file's address of {where}: expected 0x and 40 digits, "
            f"given {value!r}."
        ) from exc
