"""Channels of a carrier and the samples of their registers.

A channel table is pinned on chain by its digest; unit, scale and modulus come from
it alone, never from a message. Bytes in, bytes out; nothing is measured here.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from accounting.canonical import canonical_json, parse_canonical_json
from accounting.errors import (
    AccountingError,
    InvalidDocumentError,
    InvalidSampleError,
)
from accounting.quantities import exact, exact_text, parse_unit

FLAG_RESET: Final = 1
"""Bit of `Sample.flags`: the register restarted at zero before this sample."""

FLAG_SWAP: Final = 2
"""Bit of `Sample.flags`: first sample of another meter behind the same carrier."""

FLAG_LATE: Final = 4
"""Bit of `Sample.flags`: sent from the carrier's store, after its time."""

PROVENANCES: Final = ("meter-signed", "carrier-signed", "gateway-signed", "imported")
"""Who vouches for a register value. `imported` values are not attested."""

_FIELDS: Final = {
    "register",
    "quantity",
    "unit",
    "scale",
    "modulus",
    "nameplate_max_per_h",
    "provenance",
    "accuracy_pct",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One register of one carrier in one signed reading."""

    seq: int
    """Sequence number of the reading."""
    ts: int
    """Device time. [unix s]"""
    value: int
    """Cumulative register. [counts]"""
    boot: int = 0
    """Boot counter of the carrier."""
    flags: int = 0
    """Bits `FLAG_RESET`, `FLAG_SWAP`, `FLAG_LATE`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured register of a carrier.

    Raises:
        InvalidDocumentError: A field is out of its range or names an unknown unit.
    """

    register: int
    """Number of the register in the carrier's messages."""
    quantity: str
    """What is measured, e.g. `active energy import`."""
    unit: str
    """Unit of the scaled register."""
    scale: Fraction
    """Worth of one count, CT and PT ratio included. [unit/count]"""
    modulus: int | None
    """The register returns to zero at this count; None: it never does."""
    nameplate_max_per_h: Fraction | None
    """Largest amount the installation can pass in an hour. [unit/h]"""
    provenance: str
    """One of `PROVENANCES`."""
    accuracy_pct: Fraction | None = None
    """Accuracy class of the meter, expanded (k = 2), of the reading. [%]"""

    def __post_init__(self) -> None:
        """Refuse what no register can be."""
        self._check("register", self.register >= 0, "a number from 0")
        self._check("scale", self.scale > 0, "a number above 0")
        counts = self.modulus is None or self.modulus > 1
        self._check("modulus", counts, "None or at least 2")
        self._check("provenance", self.provenance in PROVENANCES, PROVENANCES)
        for name in ("nameplate_max_per_h", "accuracy_pct"):
            bound = getattr(self, name)
            self._check(name, bound is None or bound > 0, "None or a number above 0")
        parse_unit(self.unit)

    def _check(self, name: str, is_good: bool, expected: object) -> None:
        if not is_good:
            raise InvalidDocumentError(
                name,
                where=f"channel {self.register}",
                expected=expected,
                given=repr(getattr(self, name)),
            )

    def check_value(self, sample: Sample) -> None:
        """Refuse a value that this register cannot show.

        Args:
            sample: One sample of this register.

        Raises:
            InvalidSampleError: The value is negative or not below the modulus.
        """
        top = self.modulus
        if sample.value < 0 or (top is not None and sample.value >= top):
            raise InvalidSampleError(
                f"value of sequence {sample.seq}",
                where=f"register {self.register}",
                expected=f"0 to {top - 1 if top else 'any'}",
                given=sample.value,
                advice="check the modulus in the channel table",
            )

    def to_json(self) -> dict[str, Any]:
        """Return the channel as JSON values, numbers as decimal strings."""
        return {
            "register": self.register,
            "quantity": self.quantity,
            "unit": self.unit,
            "scale": exact_text(self.scale),
            "modulus": None if self.modulus is None else str(self.modulus),
            "nameplate_max_per_h": _text(self.nameplate_max_per_h),
            "provenance": self.provenance,
            "accuracy_pct": _text(self.accuracy_pct),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Channel":
        """Read what `to_json` wrote.

        Args:
            data: Decoded JSON object with exactly the fields of a channel.

        Returns:
            The channel.

        Raises:
            InvalidDocumentError: A field is missing, unknown or of a wrong type.
        """
        if not isinstance(data, dict) or set(data) != _FIELDS:
            raise InvalidDocumentError(
                "fields", where="channel", expected=sorted(_FIELDS), given=data
            )
        texts = (data["quantity"], data["unit"], data["provenance"], data["scale"])
        if type(data["register"]) is not int or not all(
            isinstance(text, str) for text in texts
        ):
            raise InvalidDocumentError(
                "types of fields",
                where="channel",
                expected="an integer register and decimal strings",
                given=data,
            )
        try:
            return cls(
                register=data["register"],
                quantity=data["quantity"],
                unit=data["unit"],
                scale=exact(data["scale"]),
                modulus=None if data["modulus"] is None else int(data["modulus"]),
                nameplate_max_per_h=_number(data["nameplate_max_per_h"]),
                provenance=data["provenance"],
                accuracy_pct=_number(data["accuracy_pct"]),
            )
        except (ValueError, TypeError, AccountingError) as exc:
            raise InvalidDocumentError(str(exc), where="channel") from exc


@dataclass(frozen=True, slots=True)
class ChannelTable:
    """All channels of one carrier, by register.

    Raises:
        InvalidDocumentError: A register appears twice or the table is empty.
    """

    identifier: str
    """Identifier of the carrier."""
    channels: tuple[Channel, ...]
    """Channels in rising order of their register."""

    def __post_init__(self) -> None:
        """Keep one order and refuse doubled registers."""
        ordered = tuple(sorted(self.channels, key=lambda channel: channel.register))
        registers = [channel.register for channel in ordered]
        if not registers or len(set(registers)) != len(registers):
            raise InvalidDocumentError(
                "registers",
                where=self.identifier,
                expected="at least one, each once",
                given=registers,
            )
        object.__setattr__(self, "channels", ordered)

    def channel(self, register: int) -> Channel | None:
        """Find the channel of a register, None if the table has none."""
        return next((c for c in self.channels if c.register == register), None)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON whose digest is pinned on chain."""
        channels = [channel.to_json() for channel in self.channels]
        return canonical_json({"identifier": self.identifier, "channels": channels})

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "ChannelTable":
        """Read canonical bytes.

        Args:
            data: What `to_bytes` wrote.

        Returns:
            The table.

        Raises:
            InvalidDocumentError: The bytes are not canonical or not a channel table.
        """
        content = parse_canonical_json(data, "channel table")
        if not isinstance(content, dict) or set(content) != {"identifier", "channels"}:
            raise InvalidDocumentError(
                "fields",
                where="channel table",
                expected=["channels", "identifier"],
                given=type(content).__name__,
            )
        identifier, channels = content["identifier"], content["channels"]
        if not isinstance(identifier, str) or not isinstance(channels, list):
            raise InvalidDocumentError(
                "types", where="channel table", expected="text and list", given=content
            )
        table = cls(identifier, tuple(Channel.from_json(item) for item in channels))
        if table.to_bytes() != data:
            raise InvalidDocumentError(
                "spelling",
                where="channel table",
                expected="channels by register, numbers in their shortest form",
                given=content,
            )
        return table


def _text(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)


def _number(text: str | None) -> Fraction | None:
    return None if text is None else exact(text)
