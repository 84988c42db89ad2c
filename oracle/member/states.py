"""Carrier states and reports as bytes, for the member's database. Pure."""

from dataclasses import astuple, fields
from typing import Any, TypeVar, get_args

import cbor2

from contracts.structs import BatchReport
from contracts.typed_data import CodeReport, StatementReport
from oracle.errors import InvalidProposalError
from oracle.member.wire import read_array
from oracle.reading.profile import Reading
from oracle.reading.state import Around, CarrierState, Gap, Neighbour

Report = TypeVar("Report", BatchReport, StatementReport, CodeReport)


def encode_report(report: BatchReport | StatementReport | CodeReport) -> bytes:
    """Encode a report as the CBOR array of its fields.

    Args:
        report: Report of any kind.

    Returns:
        CBOR bytes.
    """
    values = (getattr(report, field.name) for field in fields(report))
    return cbor2.dumps([int(v) if isinstance(v, int) else v for v in values])


def decode_report(kind: type[Report], data: bytes) -> Report:
    """Decode what `encode_report` encoded.

    Args:
        kind: Class of the report.
        data: CBOR bytes.

    Returns:
        The report.

    Raises:
        InvalidProposalError: The bytes are no such report.
    """
    plain = (get_args(field.type)[0] for field in fields(kind))
    kinds = [int if issubclass(one, int) else bytes for one in plain]
    return kind(*read_array(data, *kinds))


def check_equal(own: Report, given: Report) -> None:
    """Demand equality of two reports in every field.

    Args:
        own: What this member computes.
        given: What was proposed, anchored or recorded.

    Raises:
        InvalidProposalError: Names the first field that differs.
    """
    for field in fields(own):
        mine, other = getattr(own, field.name), getattr(given, field.name)
        if mine != other:
            raise InvalidProposalError(field.name, _shown(mine), _shown(other))


def encode_state(state: CarrierState) -> bytes:
    """Encode a carrier's state without its map of digests, which the rows keep.

    Args:
        state: State after a batch.

    Returns:
        CBOR bytes.
    """
    gaps = [
        [gap.first, gap.last, _row(gap.around.below), _row(gap.around.above)]
        for gap in state.gaps
    ]
    return cbor2.dumps([_row(state.latest), gaps])


def decode_state(data: bytes) -> CarrierState:
    """Decode what `encode_state` encoded.

    Args:
        data: CBOR bytes.

    Returns:
        The state.
    """
    latest, gaps = cbor2.loads(data)
    return CarrierState(
        _neighbour(latest),
        tuple(
            Gap(first, last, Around(_neighbour(below), _neighbour(above)))
            for first, last, below, above in gaps
        ),
    )


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _row(neighbour: Neighbour | None) -> list[Any] | None:
    if neighbour is None:
        return None
    return [*astuple(neighbour.reading), neighbour.link]


def _neighbour(row: list[Any] | None) -> Neighbour | None:
    if row is None:
        return None
    kid, seq, ts, values, prev, step_s, flags, boot, link = row
    pairs = tuple((register, value) for register, value in values)
    return Neighbour(Reading(kid, seq, ts, pairs, prev, step_s, flags, boot), link)
