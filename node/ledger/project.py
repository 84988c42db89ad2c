"""Turn decoded events into rows. Pure: the same events always make the same rows.

Events that are one row of one table are declared in ``one_to_one``; the others have a
function each here. Every event also becomes a row of the feed. Amounts that no column
can hold are refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Table

from contracts import event_types as events
from contracts.enumerations import CarrierStatus, StatementStatus
from node.ledger.feed import feed_row
from node.ledger.one_to_one import (
    ONE_TO_ONE,
    Part,
    Projection,
    Row,
    check_fits,
    one_to_one,
)
from node.store import facts
from node.store.schema import MAX_INT64, table_of

__all__ = ["FEED_ONLY", "Rows", "is_projected", "rows_of"]

Rows = dict[Table, list[Row]]
"""Rows by table, in the order of the chain."""

FEED_ONLY = (
    events.AuthoriserSet,
    events.CashMarketSet,
    events.CodeAdopted,
    events.CodesRetired,
    events.Locked,
    events.MandateExecuted,
    events.MemberSuspended,
    events.QuotaMarketSet,
    events.WorkingDaysSet,
)
"""Events that make no row but that of the feed."""

_NO_CUTOFF = 2**64 - 1
_NOBODY = "0x" + "0" * 40


def rows_of(decoded: Iterable[events.Event]) -> Rows:
    """Project events.

    Args:
        decoded: Events in the order of the chain.

    Returns:
        Their rows, by table.

    Raises:
        ConflictLedgerError: If an amount is too large for its column.
    """
    rows: Rows = defaultdict(list)
    feed = rows[table_of(facts.Event)]
    for event in decoded:
        feed.append(feed_row(event))
        for model, row in _projection(type(event))(event):
            rows[table_of(model)].append(row)
    return rows


def is_projected(event_class: type) -> bool:
    """Say whether an event makes rows beside that of the feed."""
    return event_class in ONE_TO_ONE or event_class in _WITH_FUNCTION


def _projection(event_class: Any) -> Projection:
    return _WITH_FUNCTION.get(event_class) or one_to_one(event_class)


def _stamped(event: events.Event, **columns: Any) -> Row:
    for name in ("tonnes", "delta_tonnes", "fen", "delta_fen"):
        check_fits(event, name, columns.get(name))
    return {
        "block_number": event.block_number,
        "log_index": event.log_index,
        **columns,
    }


def _text(name: bytes) -> str:
    return name.rstrip(b"\0").decode("ascii", "replace")


def _directory(event: events.DirectorySet) -> Iterator[Part]:
    yield (
        facts.DirectoryEntry,
        _stamped(
            event, name=_text(event.name), address=event.where, version=event.version
        ),
    )


def _rule(event: events.RuleSet) -> Iterator[Part]:
    yield (
        facts.Rule,
        _stamped(
            event,
            name=_text(event.name),
            valid_from=min(event.from_, MAX_INT64),
            value=event.value,
            article=event.article,
            article_digest=event.article_digest,
        ),
    )


def _carrier(event: events.CarrierRegistered) -> Iterator[Part]:
    key = {"identifier_hash": event.id_hash}
    yield (
        facts.Carrier,
        _stamped(
            event,
            **key,
            identifier=event.identifier,
            owner=event.owner,
            channel_table=event.channel_table,
        ),
    )
    epoch = {"epoch": 0, "from_seq": 0, "suite": event.suite}
    yield (
        facts.CarrierKey,
        _stamped(event, **key, **epoch, public_key=event.public_key),
    )
    active = {"status": CarrierStatus.ACTIVE, "cutoff_seq": None}
    yield facts.CarrierStatusChange, _stamped(event, **key, **active)


def _carrier_status(event: events.CarrierStatusSet) -> Iterator[Part]:
    cutoff = event.cutoff_seq
    known = None if cutoff == _NO_CUTOFF else min(cutoff, MAX_INT64)
    yield (
        facts.CarrierStatusChange,
        _stamped(
            event,
            identifier_hash=event.id_hash,
            status=event.status,
            cutoff_seq=known,
        ),
    )


def _configuration(event: events.ConfigurationSet) -> Iterator[Part]:
    for part, member in enumerate(event.members):
        yield (
            facts.OracleMember,
            _stamped(
                event,
                part=part,
                version=event.version,
                threshold=event.threshold,
                key=member.key,
                organisation=member.organisation,
                role=member.role,
            ),
        )


def _step(
    status: StatementStatus, actor: str = "", digest: str = "", opinion: str = ""
) -> Projection:
    def project(event: Any) -> Iterator[Part]:
        yield (
            facts.StatementStep,
            _stamped(
                event,
                statement=event.statement,
                status=status,
                actor=getattr(event, actor) if actor else None,
                digest=getattr(event, digest) if digest else None,
                opinion=getattr(event, opinion) if opinion else None,
            ),
        )

    return project


def _quota(
    operation: str, reference: str, account: str = "account", receiver: str = ""
) -> Projection:
    def project(event: Any) -> Iterator[Part]:
        yield (
            facts.QuotaOperation,
            _stamped(
                event,
                operation=operation,
                account=getattr(event, account),
                receiver=getattr(event, receiver) if receiver else None,
                vintage=event.vintage,
                tonnes=event.tonnes,
                reference=getattr(event, reference),
            ),
        )

    return project


def _quota_moved(event: events.TransferSingle) -> Iterator[Part]:
    sides = ((event.from_, -event.value), (event.to, event.value))
    for part, (account, tonnes) in enumerate(sides):
        if account != _NOBODY:
            moved = {"account": account, "vintage": event.id, "delta_tonnes": tonnes}
            yield facts.QuotaMovement, _stamped(event, part=part, **moved)


def _cash(
    event: Any, cause: str, sides: Iterable[tuple[str, int]], reference: bytes | None
) -> Iterator[Part]:
    for part, (account, fen) in enumerate(sides):
        moved = {"account": account, "cause": cause, "delta_fen": fen}
        yield (
            facts.CashMovement,
            _stamped(event, part=part, **moved, reference=reference),
        )


def _cash_credited(event: events.CashCredited) -> Iterator[Part]:
    sides = ((event.account, event.fen),)
    yield from _cash(event, "credit", sides, event.bank_reference)


def _cash_moved(event: events.CashMoved) -> Iterator[Part]:
    sides = ((event.from_, -event.fen), (event.to, event.fen))
    yield from _cash(event, "settlement", sides, None)


def _payout_requested(event: events.PayoutRequested) -> Iterator[Part]:
    yield from _cash(event, "payout", ((event.account, -event.fen),), event.payout)
    request = {"payout": event.payout, "account": event.account, "fen": event.fen}
    yield facts.Payout, _stamped(event, **request, destination=event.destination)


def _paid_out(event: events.CashPaidOut) -> Iterator[Part]:
    paid = {"payout": event.payout, "fen": event.fen}
    yield facts.PaidPayout, _stamped(event, **paid, reference=event.bank_reference)


_WITH_FUNCTION: dict[type, Projection] = {
    events.DirectorySet: _directory,
    events.RuleSet: _rule,
    events.CarrierRegistered: _carrier,
    events.CarrierStatusSet: _carrier_status,
    events.ConfigurationSet: _configuration,
    events.StatementSubmitted: _step(StatementStatus.SUBMITTED, "account"),
    events.StatementVerified: _step(
        StatementStatus.VERIFIED, "verifier", "findings_digest", "opinion"
    ),
    events.StatementConfirmed: _step(StatementStatus.CONFIRMED, "regulator"),
    events.StatementSuperseded: _step(StatementStatus.SUPERSEDED, digest="by"),
    events.QuotaIssued: _quota("issue", "document"),
    events.QuotaAllocated: _quota("allocate", "document", "from_", "to"),
    events.QuotaSurrendered: _quota("surrender", "statement"),
    events.QuotaCancelled: _quota("cancel", "reason"),
    events.TransferSingle: _quota_moved,
    events.CashCredited: _cash_credited,
    events.CashMoved: _cash_moved,
    events.PayoutRequested: _payout_requested,
    events.CashPaidOut: _paid_out,
}
