"""Batches, statements, certificates and proof packages."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from node.api.access import (
    Known,
    Paging,
    PartsOf,
    Transaction,
    parse_hash,
)
from node.api.evidence_models import (
    BatchModel,
    CertificateModel,
    DeclaredValueModel,
    StatementDetailModel,
    StatementModel,
)
from node.api.models import PageModel
from node.errors import InvalidReferenceError
from node.services import carriers, statements

batches_router = APIRouter(tags=["batches"])
router = APIRouter(tags=["statements"])
certificates_router = APIRouter(tags=["certificates"])
proofs_router = APIRouter(tags=["proofs"])


@batches_router.get("/batches", response_model=PageModel[BatchModel])
def get_batches(
    connection: Transaction, page: Paging, stream_id: str | None = None
) -> Any:
    """List anchored batches; public, they hold no readings."""
    stream = parse_hash(stream_id, "stream_id") if stream_id else None
    return carriers.list_batches(connection, stream, page.cursor, page.limit)


@batches_router.get("/batches/{stream_id}/{seq}", response_model=BatchModel)
def get_batch(
    connection: Transaction,
    stream_id: str,
    seq: Annotated[int, Path(ge=0, lt=1 << 63)],
) -> Any:
    """Describe one batch; public."""
    return carriers.one_batch(connection, parse_hash(stream_id, "stream_id"), seq)


@router.get("/statements", response_model=PageModel[StatementModel])
def get_statements(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List the statements you may see."""
    return statements.list_statements(connection, caller.scope, page.cursor, page.limit)


@router.get("/statements/{statement}", response_model=StatementDetailModel)
def get_statement(connection: Transaction, caller: Known, statement: str) -> Any:
    """Describe a statement with its steps."""
    found = statements.one_statement(connection, parse_hash(statement, "statement"))
    caller.require_sight_of(found["account"])
    return found


@router.get("/declared-values", response_model=PageModel[DeclaredValueModel])
def get_declared_values(connection: Transaction, caller: Known, page: Paging) -> Any:
    """List declared values added."""
    return statements.declared_values(connection, caller.scope, page.cursor, page.limit)


@certificates_router.get("/certificates", response_model=PageModel[CertificateModel])
def get_certificates(connection: Transaction, page: Paging) -> Any:
    """List certificates; public."""
    return statements.list_certificates(connection, page.cursor, page.limit)


@certificates_router.get("/certificates/{token_id}", response_model=CertificateModel)
def get_certificate(
    connection: Transaction, token_id: Annotated[int, Path(ge=0, lt=1 << 256)]
) -> Any:
    """Describe one certificate; public, for whoever scans a label."""
    return statements.one_certificate(connection, token_id)


@proofs_router.get(
    "/proofs/statements/{statement}",
    response_class=Response,
    responses={200: {"content": {"application/cbor": {}}}},
)
def get_statement_proof(
    connection: Transaction, parts: PartsOf, caller: Known, statement: str
) -> Response:
    """Give the proof package of a statement, to be checked with carbon-verify."""
    which = parse_hash(statement, "statement")
    found = statements.one_statement(connection, which)
    caller.require_sight_of(found["account"])
    if parts.proofs is None:
        raise InvalidReferenceError(
            "This node has no source of proof packages; give the setting proof_folder "
            "or member_config, or ask the node of an oracle member."
        )
    return Response(parts.proofs.package(which), media_type="application/cbor")
