"""The API's description as OpenAPI 3.0, and its page without any other server.

The bundled page reads OpenAPI 3.0, the framework writes 3.1: what 3.0 says in other
words is translated. Files of the page come from the installed package.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from swagger_ui_bundle import swagger_ui_path

from node.api.models import ProblemModel

__all__ = ["add_documentation"]

_NULL = {"type": "null"}


def add_documentation(app: FastAPI) -> None:
    """Give an application its description and page.

    Args:
        app: The application, with every route in place.
    """
    described: dict[str, Any] = {}

    def describe() -> dict[str, Any]:
        if not described:
            written = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            problem = ProblemModel.model_json_schema()
            written["components"]["schemas"][ProblemModel.__name__] = problem
            described.update(_as_30(written), openapi="3.0.3")
        return described

    app.openapi = describe  # type: ignore[method-assign]  # the documented way
    app.mount("/docs/static", StaticFiles(directory=swagger_ui_path), "docs-static")
    app.add_api_route("/docs", _page, include_in_schema=False)


def _page() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Park carbon ledger",
        swagger_js_url="/docs/static/swagger-ui-bundle.js",
        swagger_css_url="/docs/static/swagger-ui.css",
        swagger_favicon_url="/docs/static/favicon-32x32.png",
    )


def _as_30(part: Any) -> Any:
    if isinstance(part, list):
        return [_as_30(item) for item in part]
    if not isinstance(part, dict):
        return part
    choices = part.get("anyOf")
    if isinstance(choices, list) and _NULL in choices:
        return _nullable(part, [one for one in choices if one != _NULL])
    return {name: _as_30(value) for name, value in part.items()}


def _nullable(part: dict[str, Any], choices: list[Any]) -> dict[str, Any]:
    rest = {name: value for name, value in part.items() if name != "anyOf"}
    if len(choices) == 1:
        only = _as_30(choices[0])
        inner = {"allOf": [only]} if "$ref" in only else only
    else:
        inner = {"anyOf": _as_30(choices)}
    return {**_as_30(rest), **inner, "nullable": True}
