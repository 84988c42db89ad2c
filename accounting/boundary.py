"""Accounting boundaries: which channels of which carriers count, and as what.

A source names one register of one carrier and its role. A boundary's digest is
pinned on chain; a register counts once. Organisational questions (who owns what) are
not answered here.
"""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final

from accounting.canonical import canonical_json, parse_canonical_json
from accounting.errors import InvalidBoundaryError, InvalidDocumentError

ENERGY_ROLES: Final = ("electricity_in", "electricity_out", "heat_in", "heat_out")
"""Roles of purchased and sold electricity and heat."""

FUEL_ROLE: Final = "fuel:"
"""Prefix of the role of a fuel, followed by the fuel's id in the rule set."""

_FIELDS: Final = {
    "name",
    "account_name",
    "title_zh",
    "title_en",
    "industry",
    "region",
    "sources",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One register that counts in a boundary.

    Raises:
        InvalidBoundaryError: The role does not exist.
    """

    identifier: str
    """Identifier of the carrier."""
    register: int
    """Register of the carrier."""
    role: str
    """One of `ENERGY_ROLES` or `fuel:<fuel id>`."""

    def __post_init__(self) -> None:
        """Refuse a role that does not exist."""
        is_fuel = self.role.startswith(FUEL_ROLE) and self.role != FUEL_ROLE
        if not is_fuel and self.role not in ENERGY_ROLES:
            raise InvalidBoundaryError(
                "role",
                where=self.name,
                expected=f"{', '.join(ENERGY_ROLES)} or fuel:<fuel id>",
                given=repr(self.role),
            )

    @property
    def name(self) -> str:
        """Name of the source in documents, `<identifier>#<register>`."""
        return f"{self.identifier}#{self.register}"

    @property
    def fuel(self) -> str | None:
        """Id of the fuel, None for electricity and heat."""
        is_fuel = self.role.startswith(FUEL_ROLE)
        return self.role.removeprefix(FUEL_ROLE) if is_fuel else None


@dataclass(frozen=True, slots=True)
class Boundary:
    """The sources of one account that a calculation covers.

    Raises:
        InvalidBoundaryError: There is no source, or a register counts twice.
    """

    name: str
    """Name from which the boundary's id on chain is made."""
    account_name: str
    """Name of the account that answers for the boundary."""
    title_zh: str
    title_en: str
    industry: str
    """Industry, for benchmarks and rule sets."""
    region: str
    """Region of the grid factor by its Chinese name, e.g. 浙江, 华东, 全国."""
    sources: tuple[Source, ...]
    """Sources in one order: by carrier, then register."""

    def __post_init__(self) -> None:
        """Keep one order and refuse doubled registers."""
        ordered = sorted(self.sources, key=lambda s: (s.identifier, s.register))
        keys = [(source.identifier, source.register) for source in ordered]
        if not keys or len(set(keys)) != len(keys):
            raise InvalidBoundaryError(
                "sources",
                where=self.name,
                expected="at least one, every register once",
                given=keys,
            )
        object.__setattr__(self, "sources", tuple(ordered))

    def to_bytes(self) -> bytes:
        """Return the canonical JSON of the boundary."""
        return canonical_json(asdict(self))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Boundary":
        """Read canonical bytes.

        Args:
            data: What `to_bytes` wrote.

        Returns:
            The boundary.

        Raises:
            InvalidDocumentError: The bytes are not canonical or not a boundary.
            InvalidBoundaryError: The boundary is not sound.
        """
        content = parse_canonical_json(data, "boundary")
        if not isinstance(content, dict) or set(content) != _FIELDS:
            raise InvalidDocumentError(
                "fields", where="boundary", expected=sorted(_FIELDS), given=content
            )
        texts = [value for key, value in content.items() if key != "sources"]
        if not all(isinstance(text, str) for text in texts) or not isinstance(
            content["sources"], list
        ):
            raise InvalidDocumentError(
                "types", where="boundary", expected="texts and a list", given=content
            )
        sources = tuple(_source(item) for item in content["sources"])
        boundary = cls(**{**content, "sources": sources})
        if boundary.to_bytes() != data:
            raise InvalidDocumentError(
                "order",
                where="boundary",
                expected="sources by carrier, then register",
                given=[source.name for source in sources],
            )
        return boundary


def _source(item: Any) -> Source:
    fields = {"identifier": str, "register": int, "role": str}
    is_good = isinstance(item, dict) and {k: type(v) for k, v in item.items()} == fields
    if not is_good:
        raise InvalidDocumentError(
            "source", where="boundary", expected=sorted(fields), given=item
        )
    return Source(**item)
