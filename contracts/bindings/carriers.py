"""Carriers: keys, channel tables and status of the devices that sign readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.enumerations import NO_CUTOFF, CarrierStatus
from contracts.solidity import Address, Bytes32, Uint8, Uint32, Uint64
from contracts.structs import Registration


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the ledger knows of a carrier."""

    owner: Address
    status: Annotated[CarrierStatus, "uint8"]
    cutoff_seq: Uint64
    """Last sequence number whose readings count."""
    channel_table_hash: Bytes32
    epochs: Uint32


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The key that counts at a sequence number."""

    suite: Uint8
    public_key: bytes


REGISTER = Function("register", tuple[Registration, ...])
ROTATE = Function("rotate", Bytes32, Uint8, bytes, Uint64, bytes, bytes)
ROTATE_BY_AUTHORITY = Function("rotateByAuthority", Bytes32, Uint8, bytes, Uint64)
SET_STATUS = Function("setStatus", Bytes32, Uint8, Uint64)
CARRIER = Function("carrier", Bytes32, returns=Carrier)
KEY_AT = Function("keyAt", Bytes32, Uint64, returns=EpochKey)


class Carriers(Contract):
    """The devices that sign readings; a carrier is known by its identifier's hash."""

    def register(self, registrations: Sequence[Registration]) -> UnsignedCall:
        """Enrol carriers; governed, for the identity platform.

        Args:
            registrations: At most 32.
        """
        return self._write(REGISTER, tuple(registrations))

    def rotate(
        self,
        id_hash: bytes,
        key: EpochKey,
        from_seq: int,
        signature_old: bytes,
        signature_new: bytes,
    ) -> UnsignedCall:
        """Change a carrier's key, signed by the old and the new one.

        Args:
            id_hash: keccak256 of the identifier.
            key: The new key.
            from_seq: First sequence number that it signs.
            signature_old: ES256, r || s, 64 bytes.
            signature_new: ES256, r || s, 64 bytes.
        """
        return self._write(
            ROTATE,
            id_hash,
            key.suite,
            key.public_key,
            from_seq,
            signature_old,
            signature_new,
        )

    def rotate_by_authority(
        self, id_hash: bytes, key: EpochKey, from_seq: int
    ) -> UnsignedCall:
        """Change a carrier's key where the old one is lost; governed.

        Args:
            id_hash: keccak256 of the identifier.
            key: The new key.
            from_seq: First sequence number that it signs.
        """
        return self._write(
            ROTATE_BY_AUTHORITY, id_hash, key.suite, key.public_key, from_seq
        )

    def set_status(
        self, id_hash: bytes, status: CarrierStatus, cutoff_seq: int = NO_CUTOFF
    ) -> UnsignedCall:
        """Suspend, revoke, retire or reactivate a carrier; governed.

        Args:
            id_hash: keccak256 of the identifier.
            status: The new status.
            cutoff_seq: Last sequence number whose readings count.
        """
        return self._write(SET_STATUS, id_hash, status, cutoff_seq)

    def carrier(self, id_hash: bytes) -> Carrier:
        """Read what the ledger knows of a carrier.

        Args:
            id_hash: keccak256 of the identifier.
        """
        found: Carrier = self._read(CARRIER, id_hash)
        return found

    def key_at(self, id_hash: bytes, seq: int) -> EpochKey:
        """Read the key that counts at a sequence number.

        Args:
            id_hash: keccak256 of the identifier.
            seq: Sequence number of a reading.
        """
        key: EpochKey = self._read(KEY_AT, id_hash, seq)
        return key
