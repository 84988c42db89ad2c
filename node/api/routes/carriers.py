"""Carriers, and the readings that a member's inbox holds of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from node.api.access import Known, Paging, PartsOf, Transaction
from node.api.evidence_models import (
    CarrierDetailModel,
    CarrierModel,
    IngestModel,
    ReadingPageModel,
    ReadingsQuestion,
)
from node.api.models import PageModel
from node.services import carriers, readings

router = APIRouter(tags=["carriers"])
readings_router = APIRouter(tags=["readings"])

_Identifier = Annotated[str, Query(description="<prefix>/<suffix>")]


@router.get("/carriers", response_model=PageModel[CarrierModel])
def get_carriers(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List the carriers you may see."""
    return carriers.list_carriers(connection, caller.scope, page.cursor, page.limit)


@router.get("/carriers/detail", response_model=CarrierDetailModel)
def get_carrier(connection: Transaction, caller: Known, identifier: _Identifier) -> Any:
    """Describe a carrier with its keys and channels."""
    found = carriers.one_carrier(connection, identifier)
    caller.require_sight_of(found["owner"])
    return found


@readings_router.get("/readings/status", response_model=IngestModel)
def get_ingest(parts: PartsOf) -> Any:
    """Count what the inbox holds."""
    return {"counts": readings.ingest_counts(parts.readings)}


@readings_router.get("/readings", response_model=ReadingPageModel)
def get_readings(
    connection: Transaction,
    parts: PartsOf,
    caller: Known,
    question: Annotated[ReadingsQuestion, Query()],
) -> Any:
    """List a carrier's readings of a period, by time."""
    caller.require_sight_of(carriers.carrier_owner(connection, question.identifier))
    return readings.list_readings(
        parts.readings,
        question.identifier,
        question.from_ts,
        question.to_ts,
        question.limit,
    )
