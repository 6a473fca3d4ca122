"""The OpenAPI 3.1 document of everything that is served, made from the tables that serve it.

Built once, when the server starts; knows no request. What a door says is asked of its manual, so nothing
here repeats a path, a field, a code or a text of any dialect.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from caisse.core.policy import Policy
from caisse.dialects.examples import shown_value
from caisse.dialects.references import EXAMPLES
from caisse.dialects.wire.door import ALLOW, RETRY_AFTER
from caisse.dialects.wire.reference import Body, Manual, Mount, Parameter
from caisse.dialects.wire.table import Endpoint, Field
from caisse.web.apidocs import openapi_pages

Json = dict[str, Any]

SERVER_FOUND: Final[Mapping[int, str]] = {
    400: "not HTTP/1.1 as it should be",
    408: "the request took too long to arrive",
    413: "the body is over 16 KiB",
    417: "an Expect header that is not understood",
    431: "the headers, or the URL, are over 16 KiB, or more than 100 header lines",
    501: "a Transfer-Encoding that is not understood",
    503: "too many connections",
}
"""HTTP status -> what the HTTP server refuses by itself; each door tells it under a status of its own."""

STATUSES: Final[Mapping[int, str]] = {
    200: "A verdict, or a refusal that no retry will change.",
    400: "The body is no JSON object, or has a name twice. No verdict was given, nothing is implied.",
    401: "Unknown partner or wrong token: one and the same answer for both.",
    403: "The caller's address is not allowed.",
    404: "No such path.",
    405: "Another method than POST.",
    408: "The request took too long to arrive.",
    413: "The body is over 16 KiB.",
    415: "The body is not announced as application/json.",
    417: "An Expect header that is not understood.",
    431: "The URL or the headers are over 16 KiB, or more than 100 header lines.",
    501: "A Transfer-Encoding that is not understood.",
    503: "No verdict could be given just now: nothing is implied, send the same request again.",
}

NAMES: Final = (
    "Names match without regard to letter case, each at most once; unknown fields are ignored;"
    " null is as good as absent, and so is empty text in an optional field."
)

ABOUT: Final = """\
Every door of this wallet service: one ledger, several dialects.

Requests are POSTed as one JSON object in UTF-8. **Names are tolerant, values strict**: field names match \
without regard to letter case (`roundid` is `roundId`), two spellings of one field are refused, unknown \
fields and unknown query parameters are ignored; no value is converted from another type.

**Amounts** are JSON text or JSON numbers, written plainly: at most 14 digits before the point and 18 after \
it, no sign, no exponent. They are read from their own characters, never through a float.

**A verdict is HTTP 200**, success or not, and final: the same request gets the same answer for ever. Any \
other status means that no verdict was given and nothing is implied: send the same request again.

Objects are sent with their fields in the order shown here."""


def document(manuals: Sequence[Manual], policies: Iterable[Policy], version: str) -> Json:
    """The document, as it is under these profiles."""
    policies = list(policies)
    schemas: Json = {}
    paths: Json = {}
    for manual in manuals:
        for endpoint in manual.endpoints:
            schemas |= _schemas(manual, endpoint, policies)
        for mount in manual.mounts:
            for endpoint in manual.endpoints:
                for path in (endpoint.path, *endpoint.also):
                    paths[mount.prefix + path] = _path(manual, mount, endpoint, path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "caisse",
            "summary": "A wallet service: every refund exact, final and provable.",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [
            *({"name": manual.title, "description": manual.about} for manual in manuals),
            openapi_pages.TAG,
        ],
        "paths": paths | openapi_pages.paths(),
        "components": {"schemas": schemas, "securitySchemes": _security_schemes(manuals)},
    }


def _security_schemes(manuals: Sequence[Manual]) -> Json:
    about = "The partner's secret, in the URL's query. It reaches no log."
    return {
        manual.id: {"type": "apiKey", "in": "query", "name": manual.secret, "description": about}
        for manual in manuals
        if manual.secret
    }


# -- paths --


def _path(manual: Manual, mount: Mount, endpoint: Endpoint, path: str) -> Json:
    parameters = [_parameter(p) for p in (*mount.parameters, *manual.parameters)]
    name = _name(manual, endpoint)
    operation = {
        "tags": [manual.title],
        "summary": endpoint.summary,
        "description": mount.about,
        "operationId": ".".join(part for part in (name, mount.id, _other(endpoint, path)) if part),
        "parameters": parameters,
        "security": [{manual.id: []}] if manual.secret else [],
        "requestBody": {
            "required": True,
            "description": NAMES,
            "content": _json(_ref(f"{name}.request"), _examples(endpoint, "body")),
        },
        "responses": _responses(manual, mount, endpoint),
    }
    return {"post": {key: value for key, value in operation.items() if value or key == "security"}}


def _parameter(p: Parameter) -> Json:
    return {
        **{"name": p.name, "in": p.place, "required": True, "description": p.about},
        **{"schema": p.schema, "example": p.example},
    }


def _name(manual: Manual, endpoint: Endpoint) -> str:
    """Unique in any letter case: by the last part of its path, or by all where two end alike."""
    last = endpoint.path.rpartition("/")[2]
    alike = [e for e in manual.endpoints if e.path.lower().endswith(f"/{last.lower()}")]
    return f"{manual.id}.{last if endpoint is alike[0] else endpoint.path[1:].replace('/', '.')}"


def _other(endpoint: Endpoint, path: str) -> str:
    """Nothing for an endpoint's own path."""
    return "" if path == endpoint.path else path[1:].replace("/", ".")


def _responses(manual: Manual, mount: Mount, endpoint: Endpoint) -> Json:
    name = _name(manual, endpoint)
    either = {"oneOf": [_ref(f"{name}.success"), _ref(f"{name}.refusal")]}
    responses: Json = {
        "200": {"description": STATUSES[200], "content": _json(either, _examples(endpoint, "answer"))}
    }
    for status, bodies in sorted(_failures(manual, mount, endpoint).items()):
        response: Json = {
            "description": STATUSES[status],
            "content": _json(one_of(manual, bodies)),
        }
        if headers := {405: ALLOW, 503: RETRY_AFTER}.get(status):
            response["headers"] = openapi_pages.headers(headers)
        responses[str(status)] = response
    return responses


def _failures(manual: Manual, mount: Mount, endpoint: Endpoint) -> dict[int, list[Body]]:
    """Every answer with another status than 200, whoever gives it."""
    found: dict[int, list[Body]] = {s: [manual.failure(endpoint, s)] for s in manual.statuses}
    for status in SERVER_FOUND:
        told = manual.door.status(status)
        if told != 200:
            found.setdefault(told, []).append(manual.rejected(endpoint, status))
    found[503].append(openapi_pages.rejected(503))  # before any path is known
    if any(parameter.place == "path" for parameter in mount.parameters):
        found[404] = [json.loads(manual.door.reject(404)), openapi_pages.NOT_FOUND]
        found.setdefault(431, []).append(openapi_pages.rejected(431))
    return found


def _examples(endpoint: Endpoint, side: str) -> Json:
    """Named after what they show."""
    return {
        f"{number} {example.title}": {"summary": example.title, "value": shown_value(getattr(example, side))}
        for number, example in enumerate(EXAMPLES, 1)
        if example.path == endpoint.path
    }


def _json(schema: Json, examples: Json | None = None) -> Json:
    return {"application/json": {"schema": schema, **({"examples": examples} if examples else {})}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


# -- schemas --


def _schemas(manual: Manual, endpoint: Endpoint, policies: Sequence[Policy]) -> Json:
    name = _name(manual, endpoint)
    refusals = [*manual.refusals(endpoint, policies), *_rejections(manual, endpoint)]
    return {
        f"{name}.request": _request(endpoint),
        f"{name}.success": _answer(manual, manual.success(endpoint), {}),
        f"{name}.refusal": one_of(manual, refusals),
    }


def _rejections(manual: Manual, endpoint: Endpoint) -> Iterator[Body]:
    """What the HTTP server found, on a door that tells it under HTTP 200."""
    for status in SERVER_FOUND:
        if manual.door.status(status) == 200:
            yield manual.rejected(endpoint, status)


def _request(endpoint: Endpoint) -> Json:
    return {"description": f"{endpoint.summary} {NAMES}", **_object(endpoint.fields)}


def _object(fields: Sequence[Field]) -> Json:
    """Fields whose names have a dot are those of the object before it."""
    groups: dict[str, list[Field]] = {}
    for field in fields:
        name, _, inner = field.name.partition(".")
        groups.setdefault(name, []).append(field._replace(name=inner))
    return {
        "type": "object",
        "properties": {name: _field(inside) for name, inside in groups.items()},
        "required": [name for name, inside in groups.items() if any(f.required for f in inside)],
        "additionalProperties": True,
    }


def _field(inside: list[Field]) -> Json:
    first = inside[0]
    return _object(inside) if first.name else {**first.type.schema, "description": first.about}


def one_of(manual: Manual, bodies: Iterable[Body]) -> Json:
    """A schema that each of these answers fits, and just one way: those that differ in words only are one."""
    kinds: dict[bytes, tuple[Body, list[object]]] = {}
    for body in bodies:
        rest = msgspec.json.encode({**body, manual.reason: None})
        _, words = kinds.setdefault(rest, (body, []))
        if manual.reason in body and body[manual.reason] not in words:
            words.append(body[manual.reason])
    answers = [_answer(manual, body, {manual.reason: words}) for body, words in kinds.values()]
    return answers[0] if len(answers) == 1 else {"oneOf": answers}


def _answer(manual: Manual, body: Body, words: Mapping[str, list[object]]) -> Json:
    """Of exactly these fields."""
    values = {name.removesuffix("?"): words.get(name, value) for name, value in body.items()}
    return {
        "type": "object",
        "properties": {name: _value(value, manual.meanings.get(name)) for name, value in values.items()},
        "required": [name for name in body if not name.endswith("?")],
        "additionalProperties": False,
    }


def _value(value: object, about: str | None) -> object:
    if isinstance(value, Mapping):
        return value
    said = {"enum": value} if isinstance(value, list) else {"const": value}
    return {**said, "description": about} if about else said
