"""The single writer: checks 6 to 10, rows, receipts, one transaction a group.

    outcomes of checks 1–5 ─► by carrier and seq ─► check 6 ─► 7–10 ─► rows
                                                             └► receipts ─► commit

Rules kept: answers are handed out after the commit and never before; a group that
cannot be committed leaves nothing behind, in the database and in memory; within a
request readings are taken in order of carrier and seq, so a shuffled batch looks as
its device meant it. The same bytes get the receipt that was stored for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from accounting.limits import RegisterLimit, register_limits
from oracle.database.address import Address
from oracle.errors import EquivocationError, ReplayedReadingError
from oracle.inbox.receipts import ReceiptBook, ReceiptEntry
from oracle.inbox.results import Result, Status
from oracle.inbox.store import translated, writing
from oracle.inbox.tables import NO_RECEIPT
from oracle.inbox.transaction import DeadLetter, NewReading, StoredMark, Transaction
from oracle.inbox.worker import Authentic, Outcome, Refused
from oracle.reading.checks import (
    CheckRules,
    Domain,
    arrival_facts,
    assess,
    check_sequence,
)
from oracle.reading.facts import Fact, FactKind, encode_facts
from oracle.reading.profile import MAX_MESSAGE_BYTES, Reading
from oracle.reading.registry import CarrierRecord, CarrierRegistry
from oracle.reading.state import Around, Neighbour
from oracle.reading.suites import Signer


@dataclass(slots=True)
class Job:
    """One request: its messages, what the checks said, and the answers."""

    messages: Sequence[bytes]
    """Messages as they came."""
    outcomes: list[Outcome]
    """Outcomes of checks 1 to 5, in order."""
    results: list[Result] = field(default_factory=list)
    """Answers, in order; valid after the commit."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives, and under which rules."""

    signer: Signer
    """Key of the member, for receipts."""
    domain: Domain
    """Chain and contract."""
    rules: CheckRules
    """Limits of checks 8 to 10."""
    clock: Callable[[], int]
    """Time of arrival. [unix s]"""


class Writer:
    """Runs checks 6 to 10 and stores; used by one thread.

    Args:
        engine: Engine of `open_engine`.
        database: Its address, for messages.
        receiver: Who receives, and under which rules.
    """

    def __init__(
        self, engine: sa.Engine, database: Address, receiver: Receiver
    ) -> None:
        self._engine = engine
        self._database = database
        self._receiver = receiver
        self._known: dict[bytes, _Carrier] = {}
        self._registry: CarrierRegistry | None = None

    def write(self, jobs: Sequence[Job], registry: CarrierRegistry) -> None:
        """Store a group of requests in one transaction.

        Args:
            jobs: Requests with their outcomes; their results are filled in.
            registry: Carriers as the chain has them.

        Raises:
            UnavailableInboxError: Nothing of the group was stored.
        """
        if registry is not self._registry:
            self._known.clear()
            self._registry = registry
        try:
            with translated(self._database), writing(self._engine) as connection:
                transaction = Transaction(connection)
                group = _Group(transaction, self._receiver, registry, self._known)
                for job in jobs:
                    group.take(job)
                group.finish()
        except BaseException:
            self._known.clear()  # what is kept of carriers must match the disk
            raise

    def forget(self, identifier_hash: bytes) -> None:
        """Load a carrier anew at its next reading."""
        self._known.pop(identifier_hash, None)


@dataclass(slots=True)
class _Carrier:
    """What the writer keeps of a carrier between groups."""

    row: int
    limits: Mapping[int, RegisterLimit]
    latest: Neighbour | None
    is_quarantined: bool


class _Answer(NamedTuple):
    """A result whose receipt is not signed or loaded yet."""

    status: Status
    receipt_id: int = 0
    check: int = 0
    detail: str = ""


class _Group:
    """One transaction's worth of requests."""

    def __init__(
        self,
        transaction: Transaction,
        receiver: Receiver,
        registry: CarrierRegistry,
        known: dict[bytes, _Carrier],
    ) -> None:
        self._transaction = transaction
        self._rules = receiver.rules
        self._records = registry.carriers
        self._known = known
        self._now = receiver.clock()
        first = transaction.next_receipt_id()
        self._book = ReceiptBook(receiver.signer, receiver.domain, self._now, first)
        self._letters: list[DeadLetter] = []
        self._answers: list[tuple[Job, list[_Answer]]] = []

    def take(self, job: Job) -> None:
        """Run the checks for one request."""
        self._book.begin_request()
        answers: list[_Answer] = [_NO_ANSWER] * len(job.messages)
        for place in _in_device_order(job.outcomes):
            raw, outcome = job.messages[place], job.outcomes[place]
            if isinstance(outcome, Refused):
                answers[place] = self._refuse(raw, outcome)
            else:
                answers[place] = self._check_6(raw, outcome)
        self._answers.append((job, answers))

    def finish(self) -> None:
        """Store what was collected and fill in the results."""
        receipts = self._book.sign()
        self._transaction.flush()
        self._transaction.add_receipts(receipts)
        self._transaction.add_dead_letters(self._letters)
        wanted = {one.receipt_id for _, answers in self._answers for one in answers}
        receipts |= self._transaction.receipts(wanted - receipts.keys() - {0})
        receipts[0] = b""
        for job, answers in self._answers:
            job.results = [
                Result(status, receipts[receipt_id], check, detail)
                for status, receipt_id, check, detail in answers
            ]

    def _check_6(self, raw: bytes, outcome: Authentic) -> _Answer:
        """Find out whether the reading is new, and treat it accordingly."""
        carrier = self._carrier(self._records[outcome.identifier_hash])
        new, latest = Neighbour(Reading(*outcome.fields), outcome.link), carrier.latest
        seq = new.reading.seq
        if latest is None or seq > latest.reading.seq:
            carrier.latest = new
            return self._accept(raw, outcome, carrier, (new, Around(latest)))
        entry = ReceiptEntry(new.reading.kid, seq, outcome.digest)
        stored = self._transaction.stored(carrier.row, seq)
        try:
            check_sequence(seq, outcome.digest, stored.digest if stored else None)
        except ReplayedReadingError:
            number = stored.receipt_id if stored else NO_RECEIPT
            if number == NO_RECEIPT:
                number = self._book.add(entry)
                self._transaction.note_receipt(carrier.row, seq, number)
            return _Answer(Status.REPLAYED, number)
        except EquivocationError as exc:
            other = StoredMark(outcome.digest, 0, raw)
            self._convict(carrier, seq, (stored or other, other))
            return _Answer(Status.CONFLICT, 0, 6, str(exc))
        around = self._transaction.around(carrier.row, seq)
        return self._accept(raw, outcome, carrier, (new, around))

    def _accept(
        self,
        raw: bytes,
        outcome: Authentic,
        carrier: _Carrier,
        place: tuple[Neighbour, Around],
    ) -> _Answer:
        """Run checks 7 to 10 and collect row and receipt entry."""
        new, around = place
        reading, now = new.reading, self._now
        facts = assess(new, carrier.limits, around)
        facts += arrival_facts(reading.ts, now, self._rules)
        if carrier.is_quarantined:
            facts += (Fact(6, FactKind.QUARANTINED, 0, 1),)
        entry = ReceiptEntry(reading.kid, reading.seq, outcome.digest)
        receipt_id = self._book.add(entry)
        row = NewReading(
            carrier.row,
            reading.seq,
            raw,
            outcome.digest,
            reading.ts,
            now,
            encode_facts(facts) if facts else None,
            receipt_id,
        )
        self._transaction.add_reading(row)
        return _Answer(Status.ACCEPTED, receipt_id)

    def _convict(
        self, carrier: _Carrier, seq: int, pair: tuple[StoredMark, StoredMark]
    ) -> None:
        """Keep both messages and hold the carrier back."""
        self._transaction.add_equivocation(carrier.row, seq, self._now, pair)
        carrier.is_quarantined = True

    def _refuse(self, raw: bytes, outcome: Refused) -> _Answer:
        kept = raw[:MAX_MESSAGE_BYTES]  # what is longer was never signed by a carrier
        self._letters.append(DeadLetter(self._now, *outcome, kept))
        check, name, expected, given = outcome
        detail = f"check {check} ({name}): expected {expected}, given {given}"
        return _Answer(Status.REFUSED, 0, check, detail)

    def _carrier(self, record: CarrierRecord) -> _Carrier:
        """Return what is kept of a carrier, loading it once."""
        name = record.identifier_hash
        carrier = self._known.get(name)
        if carrier is None:
            row, is_held = self._transaction.carrier(name, record.identifier)
            limits = register_limits(record.channel_table)
            latest = self._transaction.latest(row)
            carrier = self._known[name] = _Carrier(row, limits, latest, is_held)
        return carrier


_NO_ANSWER = _Answer(Status.REFUSED)


def _in_device_order(outcomes: Sequence[Outcome]) -> list[int]:
    """Return places of outcomes by carrier and seq."""
    return sorted(
        range(len(outcomes)), key=lambda place: _device_order(outcomes[place])
    )


def _device_order(outcome: Outcome) -> tuple[bytes, int]:
    if isinstance(outcome, Refused):
        return b"", 0
    return outcome.identifier_hash, outcome.fields[1]
