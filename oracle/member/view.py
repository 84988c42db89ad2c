"""What the chain says that members need: carriers, members, boundaries, statements.

A fold over the events in chain order, kept in memory and rebuilt at every start. The
registry of carriers is kept for every block in which it changed, so that a report's
reference block finds the one that counts. No input or output.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounting.boundary import Boundary
from accounting.errors import AccountingError
from contracts.enumerations import Opinion, StatementStatus
from contracts.typed_data import StatementReport
from oracle.member.quorum import Configuration
from oracle.reading.registry import CarrierRegistry

CARRIER_EVENTS = frozenset({"CarrierRegistered", "KeyRotated", "CarrierStatusSet"})


@dataclass(frozen=True, slots=True)
class Period:
    """A boundary's period."""

    boundary: bytes
    """32 bytes, boundary id."""
    start: int
    """First second. [unix s]"""
    end: int
    """First second after it. [unix s]"""


@dataclass(slots=True)
class StatementState:
    """A statement on the chain."""

    report: StatementReport
    """What the members attested."""
    status: StatementStatus
    """How far it has come."""
    tx_hash: bytes
    """32 bytes, transaction that recorded it."""
    configuration_version: int
    """Configuration that was current when it was recorded."""


class ChainView:
    """Folded events of one chain.

    Args:
        stream_id: Stream of this member's batches, 32 bytes.
    """

    def __init__(self, stream_id: bytes) -> None:
        self.stream_id = stream_id
        self.configuration = Configuration(0, 0, ())
        self.configuration_digest = bytes(32)
        """Digest of the configuration, 32 bytes, as the contract computes it."""
        self.configurations: dict[int, Configuration] = {}
        """Version → configuration, the old ones too."""
        self.suspended: set[int] = set()
        """Places of members whose signatures no longer count."""
        self.anchored: dict[int, Any] = {}
        """Batch number → `BatchAnchored` event, until the batch is adopted."""
        self.next_seq = 0
        """Number of batches on the chain."""
        self.max_silence_s: int | None = None
        """Longest pause the stream allows, None while it is not open. [s]"""
        self.boundaries: dict[bytes, tuple[Boundary, str]] = {}
        """Boundary id → boundary and owner's account."""
        self.statements: dict[bytes, StatementState] = {}
        """Statement id → statement."""
        self.value_added_fen: dict[Period, int] = {}
        """Period → value added as declared last. [fen]"""
        self.forced: dict[bytes, bytes] = {}
        """Digest → message of readings that were forced and are not settled yet."""
        self.codes: dict[bytes, int] = {}
        """Statement id → token of its live certificate."""
        self._registries = [(-1, CarrierRegistry())]

    def apply_all(self, events: Iterable[Any]) -> None:
        """Take in events in chain order.

        Args:
            events: Event dataclasses of `contracts.events`.
        """
        carriers: dict[int, list[Any]] = {}
        for event in events:
            name = type(event).__name__
            if name in CARRIER_EVENTS:
                carriers.setdefault(event.block_number, []).append(event)
            elif take := getattr(self, f"_on_{name}", None):
                take(event)
        for block_number, changes in carriers.items():
            registry = self._registries[-1][1].apply_all(changes)
            self._registries.append((block_number, registry))

    def registry_at(self, block_number: int) -> CarrierRegistry:
        """Find the carriers as of the end of a block.

        Args:
            block_number: Height of a block that was followed.

        Returns:
            The registry.
        """
        place = bisect_right(self._registries, block_number, key=lambda pair: pair[0])
        return self._registries[place - 1][1]

    @property
    def registry(self) -> CarrierRegistry:
        """The carriers as of the latest block."""
        return self._registries[-1][1]

    def live_statement(self, period: Period, purpose: int) -> bytes | None:
        """Find the statement of a period and purpose that no other supersedes."""
        for statement, state in self.statements.items():
            report = state.report
            found = Period(report.boundary, report.period_start, report.period_end)
            is_live = state.status is not StatementStatus.SUPERSEDED
            if is_live and found == period and report.purpose == purpose:
                return statement
        return None

    # ------------------------------------------------------------ one event each

    def _on_ConfigurationSet(self, event: Any) -> None:  # noqa: N802  event name
        members = tuple(event.members)
        self.configuration = Configuration(event.version, event.threshold, members)
        self.configuration_digest = event.config_digest
        self.configurations[event.version] = self.configuration
        self.suspended = set()

    def _on_MemberSuspended(self, event: Any) -> None:  # noqa: N802  event name
        self.suspended.add(event.index)

    def _on_StreamOpened(self, event: Any) -> None:  # noqa: N802  event name
        if event.stream_id == self.stream_id:
            self.max_silence_s = event.max_silence

    def _on_BatchAnchored(self, event: Any) -> None:  # noqa: N802  event name
        if event.stream_id == self.stream_id:
            self.anchored[event.seq] = event
            self.next_seq = event.seq + 1

    def _on_InclusionForced(self, event: Any) -> None:  # noqa: N802  event name
        if event.stream_id == self.stream_id:
            self.forced[event.digest] = event.message

    def _on_InclusionSettled(self, event: Any) -> None:  # noqa: N802  event name
        if event.stream_id == self.stream_id:
            self.forced.pop(event.digest, None)

    def _on_BoundaryRegistered(self, event: Any) -> None:  # noqa: N802  event name
        try:
            boundary = Boundary.from_bytes(event.content)
        except AccountingError:
            return  # what cannot be read gets no statement; the chain keeps it
        self.boundaries[event.boundary] = (boundary, event.account)

    def _on_StatementRecorded(self, event: Any) -> None:  # noqa: N802  event name
        version = self.configuration.version
        self.statements[event.statement] = StatementState(
            event.report, StatementStatus.RECORDED, event.tx_hash, version
        )

    def _on_StatementSubmitted(self, event: Any) -> None:  # noqa: N802  event name
        self.statements[event.statement].status = StatementStatus.SUBMITTED

    def _on_StatementVerified(self, event: Any) -> None:  # noqa: N802  event name
        if event.opinion != Opinion.ADVERSE:
            self.statements[event.statement].status = StatementStatus.VERIFIED

    def _on_StatementConfirmed(self, event: Any) -> None:  # noqa: N802  event name
        self.statements[event.statement].status = StatementStatus.CONFIRMED

    def _on_StatementSuperseded(self, event: Any) -> None:  # noqa: N802  event name
        self.statements[event.statement].status = StatementStatus.SUPERSEDED

    def _on_ValueAddedDeclared(self, event: Any) -> None:  # noqa: N802  event name
        period = Period(event.boundary, event.period_start, event.period_end)
        self.value_added_fen[period] = event.value_added_fen

    def _on_CodeIssued(self, event: Any) -> None:  # noqa: N802  event name
        self.codes[event.statement] = event.token_id

    def _on_CodeRevoked(self, event: Any) -> None:  # noqa: N802  event name
        live = self.codes.items()
        self.codes = {key: token for key, token in live if token != event.token_id}
