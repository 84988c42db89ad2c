"""Events that become one row of one table, declared column by column.

``column=field`` where the names differ, ``report.field`` for a member of a struct.
Times beyond any date are kept as the greatest one, since anybody may sign such a
number; an amount that no column can hold is refused.
"""

from collections.abc import Callable, Iterable
from functools import cache
from operator import attrgetter
from typing import Any

from contracts import event_types as events
from node.errors import ConflictLedgerError
from node.store import facts
from node.store.schema import MAX_INT64, Base

__all__ = ["ONE_TO_ONE", "Part", "Projection", "Row", "check_fits", "one_to_one"]

Row = dict[str, Any]
"""Column name to value."""
Part = tuple[type[Base], Row]
"""A row and its table."""
Projection = Callable[[Any], Iterable[Part]]
"""Function from an event to its rows."""

ONE_TO_ONE: dict[type, tuple[type[Base], str]] = {
    events.AccountOpened: (facts.Account, "account kind name"),
    events.AccountStatusSet: (facts.AccountStatusChange, "account status reason"),
    events.RepresentativeSet: (facts.RepresentativeChange, "account key rights"),
    events.InstructionAuthorised: (
        facts.AuthorisedInstruction,
        "account nonce digest initiator approver",
    ),
    events.KeyRotated: (
        facts.CarrierKey,
        "identifier_hash=id_hash epoch from_seq suite public_key",
    ),
    events.StreamOpened: (facts.Stream, "stream_id max_silence_s=max_silence"),
    events.BatchAnchored: (
        facts.Batch,
        (
            "stream_id seq head batch_root=report.batch_root "
            "leaf_count=report.leaf_count log_root=report.log_root "
            "first_ts=report.first_ts last_ts=report.last_ts "
            "gaps_digest=report.gaps_digest "
            "rules_version=report.rules_version signers"
        ),
    ),
    events.InclusionForced: (facts.ForcedInclusion, "stream_id digest due"),
    events.InclusionSettled: (facts.SettledInclusion, "stream_id digest seq"),
    events.BoundaryRegistered: (facts.Boundary, "boundary account digest content"),
    events.StatementRecorded: (
        facts.Statement,
        (
            "statement boundary period_start=report.period_start "
            "period_end=report.period_end purpose=report.purpose "
            "stream_id=report.stream_id first_batch=report.first_batch "
            "last_batch=report.last_batch input_root=report.input_root "
            "rule_set_digest=report.rule_set_digest "
            "factor_set_digest=report.factor_set_digest "
            "boundary_digest=report.boundary_digest grams=report.grams "
            "result_digest=report.result_digest supersedes=report.supersedes signers"
        ),
    ),
    events.ValueAddedDeclared: (
        facts.DeclaredValue,
        "boundary account period_start period_end value_added_fen evidence_digest",
    ),
    events.CodeIssued: (
        facts.Certificate,
        (
            "token_id statement account grade=report.grade "
            "level_micro=report.level_micro ratio_micro=report.ratio_micro "
            "benchmark_digest=report.benchmark_digest coverage_bps=report.coverage_bps "
            "attested_bps=report.attested_bps expires=report.expires"
        ),
    ),
    events.CodeRevoked: (facts.CertificateRevocation, "token_id reason"),
    events.BlockTraded: (
        facts.Trade,
        "trade_id seller buyer vintage tonnes price_fen",
    ),
    events.ReferencePriceSet: (facts.ReferencePrice, "vintage price_fen=fen"),
    events.Halted: (facts.Halt, "vintage is_halted=halted"),
}

_DATES = {"period_start", "period_end", "expires", "valid_from", "from_seq", "due"}
"""Columns whose number is kept as the greatest one when no column can hold it."""
_TEXTUAL = {"value_added_fen", "token_id", "value"}
"""Columns that hold a number of any size."""


@cache
def one_to_one(event_class: Any) -> Projection:
    """Compile the projection of an event class; none gives no rows."""
    if event_class not in ONE_TO_ONE:
        return lambda _: ()
    model, mapping = ONE_TO_ONE[event_class]
    pairs = [item.partition("=") for item in mapping.split()]
    names = ("block_number", "log_index", *(column for column, _, _ in pairs))
    sources = (field or column for column, _, field in pairs)
    read = attrgetter("block_number", "log_index", *sources)
    capped = [name for name in names if name in _DATES]
    whole = [name for name in names if name not in _DATES | _TEXTUAL]

    def project(event: Any) -> tuple[Part]:
        row = dict(zip(names, read(event), strict=True))
        for name in capped:
            row[name] = min(row[name], MAX_INT64)
        for name in whole:
            check_fits(event, name, row[name])
        return ((model, row),)

    return project


def check_fits(event: events.Event, name: str, value: Any) -> None:
    """Refuse a number that no column can hold.

    Args:
        event: Where it stands.
        name: The column.
        value: The number; anything else passes.

    Raises:
        ConflictLedgerError: If it is too large.
    """
    if isinstance(value, int) and not -MAX_INT64 <= value <= MAX_INT64:
        raise ConflictLedgerError(
            f"{type(event).__name__} in block {event.block_number} says {name} = "
            f"{value}, more than the index can hold ({MAX_INT64}); ask who signed it."
        )
