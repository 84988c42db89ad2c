"""What a member's server shows to operators: its figures."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from oracle.operations.access import OperatorAccess

__all__ = ["add_metrics"]

_REFUSAL = (
    "figures are for the member's operators: ask from its own machine, or show the "
    "token of setting metrics_token_file as bearer token"
)


def add_metrics(
    app: Starlette, registry: CollectorRegistry, access: OperatorAccess
) -> None:
    """Add ``GET /metrics`` to an application.

    Args:
        app: The application.
        registry: Where the figures are.
        access: Who may see them.
    """

    async def show(request: Request) -> Response:
        if not access.admits(request):
            code = 401 if access.token else 403
            return JSONResponse({"error": _REFUSAL}, code)
        text = await run_in_threadpool(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    app.add_route("/metrics", show)
