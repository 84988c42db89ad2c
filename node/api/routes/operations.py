"""Health page, alarms and figures, for operators alone."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from node.api.access import Parts, PartsOf
from node.api.operations_models import AlarmsModel, HealthModel
from node.errors import (
    InvalidAccessError,
    InvalidOperatorError,
    InvalidReferenceError,
    NodeError,
)
from node.operations.catalogue import LANGUAGES, choose_language
from node.operations.desk import OperationsDesk
from node.operations.health import Part, assess, worst
from node.operations.notices import history, raised_alarms
from node.operations.page import CONTENT_POLICY, PageFacts, render_page

router = APIRouter(tags=["operations"])

_PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Accept-Language",
}
_MOST_NOTICES = 500


def _desk(request: Request, parts: PartsOf) -> OperationsDesk:
    desk = parts.operations
    if desk is None:
        raise InvalidReferenceError("This node is not watched; nothing to show here.")
    if desk.access.admits(request):
        return desk
    if desk.access.token:
        raise InvalidOperatorError(
            "This is for the node's operators; show the token of setting "
            "operations.token_file as bearer token or as a browser's password."
        )
    raise InvalidAccessError(
        "This is for the node's operators; ask from its own machine, or name a file "
        "with a token in setting operations.token_file."
    )


Desk = Annotated[OperationsDesk, Depends(_desk)]


@router.get("/health", response_model=HealthModel)
def get_health(
    request: Request,
    parts: PartsOf,
    desk: Desk,
    lang: Annotated[Literal["en", "zh"] | None, Query()] = None,
) -> Any:
    """Show every part with its light: a page for people, JSON for programs."""
    facts = desk.watch.facts()
    found = assess(facts, desk.watch.settings)
    if "text/html" not in request.headers.get("accept", ""):
        content = {
            "light": worst(found),
            "at": facts.at,
            "parts": [_document(one) for one in found],
        }
        return JSONResponse(content, headers={"Cache-Control": "no-store"})
    chain_id = parts.ledger.deployment.chain_id
    shown = PageFacts(facts.at, chain_id, found, _raised(parts))
    language = choose_language(lang, request.headers.get("accept-language"))
    return HTMLResponse(render_page(shown, language), headers=_PAGE_HEADERS)


@router.get("/alarms", response_model=AlarmsModel)
def get_alarms(
    parts: PartsOf,
    _desk: Desk,
    limit: Annotated[int, Query(ge=1, le=_MOST_NOTICES)] = 100,
) -> Any:
    """List raised alarms, and the latest notices of changes."""
    database = parts.database
    return {"raised": raised_alarms(database), "notices": history(database, limit)}


@router.get("/metrics", response_class=Response)
def get_metrics(desk: Desk) -> Response:
    """Give every figure in the text format of Prometheus."""
    text = generate_latest(desk.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _raised(parts: Parts) -> list[dict[str, Any]]:
    try:
        return raised_alarms(parts.database)
    except NodeError:
        return []  # the page shows the database's fault already


def _document(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "subject": part.subject,
        "light": part.light,
        "figures": part.figures,
        "sentence": {one: part.sentence(one) for one in LANGUAGES},
        "advice": {one: part.advice(one) for one in LANGUAGES},
    }
