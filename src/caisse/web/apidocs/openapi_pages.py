"""The part of the OpenAPI document that is about no door: the pages, and the server's own refusals."""

from typing import Any, Final, NamedTuple

import msgspec

from caisse.dialects.wire.door import Headers
from caisse.dialects.wire.reference import Body
from caisse.web import app

Json = dict[str, Any]

TAG: Final = {
    "name": "Server",
    "description": "For load balancers, monitoring and readers: by GET or HEAD, no login.",
}

NOT_FOUND: Final[Body] = msgspec.json.decode(app.NOT_FOUND)

_METHODS: Final = ("get", "head")
_JSON: Final = "application/json"
_TEXT: Final[Json] = {"type": "string"}
_HEALTH: Final[Json] = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "draining"]},
        "waiting": {"type": "integer", "minimum": 0, "description": "Requests that wait for a verdict."},
        "database": {"enum": ["ok", "failing"], "description": "Whether a lane's last batch failed there."},
    },
    "required": ["status", "waiting", "database"],
    "additionalProperties": False,
}


class _Page(NamedTuple):
    path: str
    summary: str
    type: str
    schema: Json
    about: str
    refused: tuple[tuple[int, str, Json], ...] = ()


def rejected(status: int) -> Body:
    """What the server says of a failure on a path that is no door's, or before it knows the path."""
    return {"error": f"http status {status}"}


def _said(body: Body) -> Json:
    return {
        "type": "object",
        "properties": {name: {"const": value} for name, value in body.items()},
        "required": list(body),
        "additionalProperties": False,
    }


_LOCAL: Final = {"error": "only programs on this machine get metrics"}

_PAGES: Final = (
    _Page(
        "/healthz",
        "Whether requests are taken.",
        _JSON,
        _HEALTH,
        "Requests are taken.",
        ((503, "The server is stopping, or has too many connections.", {}),),
    ),
    _Page(
        "/metrics",
        "Counters in Prometheus' text format, for this machine only.",
        "text/plain",
        _TEXT,
        "The counters.",
        ((403, "Asked from another machine, or through a proxy.", _said(_LOCAL)),),
    ),
    _Page("/openapi.json", "This document.", _JSON, {"type": "object"}, "An OpenAPI 3.1 document."),
    _Page("/docs", "The same for people, as one page.", "text/html", _TEXT, "The page."),
)

_REFUSED: Final = (
    (400, "Not HTTP/1.1 as it should be."),
    (408, "The request took too long to arrive."),
    (413, "A body over 16 KiB."),
    (417, "An Expect header that is not understood."),
    (431, "A URL or headers over 16 KiB, or more than 100 header lines."),
    (501, "A Transfer-Encoding that is not understood."),
    (503, "Too many connections."),
)


def paths() -> Json:
    """The path items of all pages."""
    return {page.path: {method: _operation(page, method) for method in _METHODS} for page in _PAGES}


def headers(sent: Headers) -> Json:
    """Response headers that always say the same."""
    return {
        name: {"required": True, "description": _ABOUT[name], "schema": {"type": "string", "const": value}}
        for name, value in sent
    }


_ABOUT: Final = {"Allow": "The methods that are taken.", "Retry-After": "Seconds to wait."}


def _operation(page: _Page, method: str) -> Json:
    name = page.path.strip("/").partition(".")[0]
    responses = {"200": _response(page.about, page.schema, page.type)}
    for status, about in _REFUSED:
        responses[str(status)] = _response(about, _said(rejected(status)))
    responses["405"] = _response("Another method.", _said(msgspec.json.decode(app.NOT_ALLOWED)))
    responses["405"]["headers"] = headers((("Allow", "GET, HEAD"),))
    for status, about, schema in page.refused:
        responses[str(status)] = _response(about, schema or _either(page.schema, _said(rejected(status))))
    if method == "head":
        responses = {s: {key: r[key] for key in r if key != "content"} for s, r in responses.items()}
    return {
        "tags": [TAG["name"]],
        "summary": page.summary,
        "operationId": f"server.{name}" if method == "get" else f"server.{name}.head",
        "security": [],
        "responses": dict(sorted(responses.items())),
    }


def _either(*schemas: Json) -> Json:
    return {"oneOf": list(schemas)}


def _response(about: str, schema: Json, kind: str = _JSON) -> Json:
    return {"description": about, "content": {kind: {"schema": schema}}}
