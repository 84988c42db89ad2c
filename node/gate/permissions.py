"""The permissions file: which organisations may validate, deploy, send and read.

    format = "ccl/permissions/v1"
    chain_id = 20260
    version = 2                          # 1, 2, 3, …
    previous = "0x…"                     # SHA-256 of the version before, or zeros
    [[organisations]]
    name = "auditor"                     # as the ledger knows it
    rights = ["validate", "deploy", "send", "read"]
    keys = ["0x…", "0x…"]                # who votes on the next version; may be none
    senders = ["0x…"]                    # transport keys whose transactions pass
    deployers = ["0x…"]                  # transport keys that may create contracts
    validators = ["NodeID-…"]            # its nodes

Rules it keeps: an unknown or ill-typed entry is refused; nobody has a right that the
file does not name; a sender belongs to one organisation. A file is known by the
SHA-256 of its bytes. Whether it is in force is for ``ballots`` to decide.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from node.errors import InvalidConfigError

__all__ = [
    "Organisation",
    "Permissions",
    "parse_permissions",
    "read_organisation",
    "read_organisations",
]

OrganisationRight = Literal["validate", "deploy", "send", "read"]

FORMAT = "ccl/permissions/v1"
LEAST_KEYS = 2
"""Keys of an organisation with a vote: two people sign for it."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_DIGEST = re.compile(r"0x[0-9a-f]{64}")
_TOP = {"format", "chain_id", "version", "previous", "organisations"}
_LISTS = ("rights", "keys", "senders", "deployers", "validators")
_NUMBERS = ("chain_id", "version")
_RIGHTS: tuple[str, ...] = get_args(OrganisationRight)


@dataclass(frozen=True, slots=True)
class Organisation:
    """One organisation's rights."""

    name: str
    rights: frozenset[str]
    keys: tuple[str, ...]
    """Addresses of those who sign the next version for it, lower case."""
    senders: frozenset[bytes]
    """Transport keys whose transactions pass, 20 bytes each."""
    deployers: frozenset[bytes]
    """Transport keys that may create contracts, 20 bytes each."""
    validators: tuple[str, ...]
    """Ids of its nodes."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """One version of the permissions file."""

    chain_id: int
    version: int
    previous: bytes
    """SHA-256 of the version before, 32 bytes; zeros in the first."""
    digest: bytes
    """SHA-256 of this file, 32 bytes."""
    organisations: tuple[Organisation, ...]

    @property
    def voters(self) -> tuple[Organisation, ...]:
        """Organisations that decide on the next version."""
        return tuple(one for one in self.organisations if one.keys)

    @property
    def quorum(self) -> int:
        """How many of the voters must agree on the next version: ⌊2n/3⌋ + 1."""
        return 2 * len(self.voters) // 3 + 1

    def has_right(self, name: str, right: str) -> bool:
        """Tell whether an organisation has a right; an unlisted one has none.

        Args:
            name: The organisation.
            right: One of validate, deploy, send, read.
        """
        return any(
            one.name == name and right in one.rights for one in self.organisations
        )

    def may_send(self, sender: bytes) -> bool:
        """Tell whether a sender's transactions pass; a deployer's do.

        Args:
            sender: Its address, 20 bytes.
        """
        return self.may_deploy(sender) or any(
            sender in one.senders and "send" in one.rights for one in self.organisations
        )

    def may_deploy(self, sender: bytes) -> bool:
        """Tell whether a sender may create contracts.

        Args:
            sender: Its address, 20 bytes.
        """
        return any(
            sender in one.deployers and "deploy" in one.rights
            for one in self.organisations
        )

    def may_validate(self, node_id: str) -> bool:
        """Tell whether a node may take part in consensus.

        Args:
            node_id: Its id, as the engine writes it.
        """
        return any(
            node_id in one.validators and "validate" in one.rights
            for one in self.organisations
        )


def parse_permissions(data: bytes, name: str) -> Permissions:
    """Read a permissions file.

    Args:
        data: Its bytes, TOML.
        name: How to call it in an error.

    Returns:
        The permissions, not yet known to be in force.

    Raises:
        InvalidConfigError: Names the entry that is wrong.
    """
    content = _toml(data, name)
    _check_top(content, name)
    return Permissions(
        content["chain_id"],
        content["version"],
        bytes.fromhex(content["previous"][2:]),
        hashlib.sha256(data).digest(),
        _organisations(content["organisations"], name),
    )


def read_organisations(data: bytes, name: str) -> tuple[Organisation, ...]:
    """Read the draft of a permissions file: tables [[organisations]] alone.

    Args:
        data: Its bytes, TOML.
        name: How to call it in an error.

    Returns:
        The organisations.

    Raises:
        InvalidConfigError: Names the entry that is wrong.
    """
    content = _toml(data, name)
    tables = content.pop("organisations", None)
    if content or not isinstance(tables, list):
        raise InvalidConfigError(
            f"Draft {name}: expected tables [[organisations]] and nothing else, given "
            f"{', '.join(content) or 'none'}; the program writes the rest."
        )
    return _organisations(tables, name)


def _toml(data: bytes, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except ValueError as exc:
        raise InvalidConfigError(f"Permissions file {name} is no TOML: {exc}.") from exc


def _organisations(tables: Sequence[Any], name: str) -> tuple[Organisation, ...]:
    organisations = tuple(read_organisation(one, name) for one in tables)
    _check_unique(organisations, name)
    return organisations


def _check_top(content: Mapping[str, Any], name: str) -> None:
    if set(content) != _TOP or content["format"] != FORMAT:
        raise InvalidConfigError(
            f"Permissions file {name}: expected format {FORMAT!r} and the entries "
            f"{', '.join(sorted(_TOP))}, given {', '.join(sorted(content)) or 'none'}."
        )
    is_right = (
        all(type(content[key]) is int and content[key] > 0 for key in _NUMBERS)
        and isinstance(content["previous"], str)
        and _DIGEST.fullmatch(content["previous"])
        and isinstance(content["organisations"], list)
    )
    if not is_right:
        raise InvalidConfigError(
            f"Permissions file {name}: expected chain_id and version from 1, previous "
            "as 0x and 64 hexadecimal digits, and tables [[organisations]]."
        )


def read_organisation(entry: Any, name: str) -> Organisation:
    """Read one table of a permissions file.

    Args:
        entry: The table.
        name: How to call the file in an error.

    Returns:
        The organisation.

    Raises:
        InvalidConfigError: Names the entry that is wrong.
    """
    title = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(title, str) or not title or set(entry) - {"name", *_LISTS}:
        raise InvalidConfigError(
            f"Permissions file {name}: an organisation has a name and of "
            f"{', '.join(_LISTS)} what it needs, given {entry!r}."
        )
    lists = {
        key: _texts(entry.get(key, []), f"{name}: {title}: {key}") for key in _LISTS
    }
    if unknown := set(lists["rights"]) - set(_RIGHTS):
        raise InvalidConfigError(
            f"Permissions file {name}: {title}: rights are {', '.join(_RIGHTS)}, given "
            f"{', '.join(sorted(unknown))}."
        )
    keys = tuple(sorted({f"0x{one.hex()}" for one in _addresses(lists, "keys", name)}))
    if len(keys) != len(lists["keys"]) or 0 < len(keys) < LEAST_KEYS:
        raise InvalidConfigError(
            f"Permissions file {name}: {title}: expected no keys or {LEAST_KEYS} and "
            f"more different ones, given {len(keys)}; two people sign for each."
        )
    return Organisation(
        title,
        frozenset(lists["rights"]),
        keys,
        frozenset(_addresses(lists, "senders", name)),
        frozenset(_addresses(lists, "deployers", name)),
        lists["validators"],
    )


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidConfigError(
            f"Permissions file {where}: expected a list of texts, given {value!r}."
        )
    return tuple(value)


def _addresses(
    lists: Mapping[str, tuple[str, ...]], key: str, name: str
) -> tuple[bytes, ...]:
    for one in lists[key]:
        if not _ADDRESS.fullmatch(one):
            raise InvalidConfigError(
                f"Permissions file {name}: {key}: expected addresses, 0x and 40 "
                f"hexadecimal digits, given {one!r}."
            )
    return tuple(bytes.fromhex(one[2:]) for one in lists[key])


def _check_unique(organisations: Sequence[Organisation], name: str) -> None:
    owned: dict[object, str] = {}
    for one in organisations:
        things = {one.name, *one.keys, *one.validators, *one.senders, *one.deployers}
        for thing in things:
            if thing in owned:
                what = f"0x{thing.hex()}" if isinstance(thing, bytes) else thing
                raise InvalidConfigError(
                    f"Permissions file {name}: {what} stands with {owned[thing]} and "
                    f"again with {one.name}; each belongs to one organisation."
                )
            owned[thing] = one.name
