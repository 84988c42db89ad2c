"""ReadingAnchor: members, streams, chained batch heads."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.bindings.contract import Contract
from contracts.calls import Function, UnsignedCall
from contracts.solidity import Bytes32, Uint8, Uint32, Uint64, Uint256
from contracts.structs import Attestation, BatchReport, Member, ReadingProof


@dataclass(frozen=True, slots=True)
class Configuration:
    """The oracle's members."""

    version: Uint32
    threshold: Uint8
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """How far a stream has come."""

    head: Bytes32
    """Struct hash of the last report; zeros before the first."""
    seq: Uint64
    """Number of the next batch."""
    last_ts: Uint64
    """Time up to which the stream runs. [unix s]"""
    anchored_at: Uint64
    """Time of the block of the last batch. [unix s]"""


@dataclass(frozen=True, slots=True)
class SignedReport:
    """One member's signature under one report."""

    report: BatchReport
    signature: bytes
    """64 bytes, EIP-2098."""


CONFIGURE = Function("configure", tuple[Member, ...], Uint8)
OPEN_STREAM = Function("openStream", Bytes32, Uint32)
SUBMIT = Function("submit", BatchReport, Attestation)
PROVE_EQUIVOCATION = Function(
    "proveEquivocation", Uint256, BatchReport, bytes, BatchReport, bytes
)
FORCE_INCLUDE = Function("forceInclude", Bytes32, bytes)
SETTLE_INCLUSION = Function("settleInclusion", Bytes32, ReadingProof)
INCLUSION_DUE = Function("inclusionDue", Bytes32, Bytes32, returns=Uint64)
CONFIGURATION = Function("configuration", returns=Configuration)
CONFIG_DIGEST = Function("configDigest", returns=Bytes32)
SUSPENDED_MEMBERS = Function("suspendedMembers", returns=Uint256)
HEAD = Function("head", Bytes32, returns=Head)
FRESH_HEAD = Function("freshHead", Bytes32, Uint32, returns=Head)
MAX_SILENCE_OF = Function("maxSilenceOf", Bytes32, returns=Uint32)
REQUIRE_QUORUM = Function("requireQuorum", Bytes32, Attestation)
VERIFY_READING = Function("verifyReading", bytes, ReadingProof, returns=bool)


class ReadingAnchor(Contract):
    """Batches of readings, each chained to the one before."""

    def configure(self, members: Sequence[Member], threshold: int) -> UnsignedCall:
        """Set the members; governed, for the regulator.

        Args:
            members: At most 32, with different keys.
            threshold: Signatures that a report needs.
        """
        return self._write(CONFIGURE, tuple(members), threshold)

    def open_stream(self, stream_id: bytes, max_silence_s: int) -> UnsignedCall:
        """Open a stream; governed, for the regulator.

        Args:
            stream_id: See ``typed_data.stream_id``.
            max_silence_s: Longest pause between two batches. [s]
        """
        return self._write(OPEN_STREAM, stream_id, max_silence_s)

    def submit(self, report: BatchReport, attestation: Attestation) -> UnsignedCall:
        """Anchor a batch.

        Args:
            report: What the members say.
            attestation: Their signatures.
        """
        return self._write(SUBMIT, report, attestation)

    def prove_equivocation(
        self, index: int, first: SignedReport, second: SignedReport
    ) -> UnsignedCall:
        """Show two reports of one member for one number; it is suspended.

        Args:
            index: The member.
            first: One report.
            second: Another for the same stream and number.
        """
        return self._write(
            PROVE_EQUIVOCATION,
            index,
            first.report,
            first.signature,
            second.report,
            second.signature,
        )

    def force_include(self, stream_id: bytes, message: bytes) -> UnsignedCall:
        """Ask in the open for a reading that the members leave out.

        Args:
            stream_id: Stream that must carry it, 32 bytes.
            message: The whole signed message, at most 4096 bytes.
        """
        return self._write(FORCE_INCLUDE, stream_id, message)

    def settle_inclusion(self, digest: bytes, proof: ReadingProof) -> UnsignedCall:
        """Show the batch that carries a reading that was asked for.

        Args:
            digest: keccak256 of the message, 32 bytes.
            proof: Its place.
        """
        return self._write(SETTLE_INCLUSION, digest, proof)

    def inclusion_due_of(self, stream_id: bytes, digest: bytes) -> int:
        """Read when an awaited reading is overdue, 0 where none is awaited. [unix s].

        Args:
            stream_id: 32 bytes.
            digest: keccak256 of the message, 32 bytes.
        """
        due: int = self._read(INCLUSION_DUE, stream_id, digest)
        return due

    def configuration(self) -> Configuration:
        """Read the current members."""
        configuration: Configuration = self._read(CONFIGURATION)
        return configuration

    def config_digest(self) -> bytes:
        """Read the digest of the current members, 32 bytes."""
        digest: bytes = self._read(CONFIG_DIGEST)
        return digest

    def suspended_members(self) -> int:
        """Read the suspended members; bit i is member i."""
        members: int = self._read(SUSPENDED_MEMBERS)
        return members

    def head(self, stream_id: bytes) -> Head:
        """Read how far a stream has come.

        Args:
            stream_id: 32 bytes.

        Raises:
            AnchorStreamUnknownError: The stream was never opened.
        """
        head: Head = self._read(HEAD, stream_id)
        return head

    def fresh_head(self, stream_id: bytes, max_age_s: int) -> Head:
        """Read how far a stream has come, if it is not silent.

        Args:
            stream_id: 32 bytes.
            max_age_s: Greatest age of the last batch. [s]

        Raises:
            AnchorStaleError: The stream has been silent for longer.
        """
        head: Head = self._read(FRESH_HEAD, stream_id, max_age_s)
        return head

    def max_silence_s_of(self, stream_id: bytes) -> int:
        """Read a stream's longest pause, 0 where it was never opened. [s].

        Args:
            stream_id: 32 bytes.
        """
        silence_s: int = self._read(MAX_SILENCE_OF, stream_id)
        return silence_s

    def require_quorum(self, digest: bytes, attestation: Attestation) -> None:
        """Check the members' signatures under a digest.

        Args:
            digest: 32 bytes.
            attestation: The signatures.

        Raises:
            ContractsError: What is missing, as its own class.
        """
        self.client.call(
            self.address, REQUIRE_QUORUM.encode(digest, attestation), self.block
        )

    def verify_reading(self, message: bytes, proof: ReadingProof) -> bool:
        """Check a signed reading and its place against the chain.

        Args:
            message: The whole signed message.
            proof: Its place.

        Raises:
            ContractsError: What does not hold, as its own class.
        """
        verified: bool = self._read(VERIFY_READING, message, proof)
        return verified
