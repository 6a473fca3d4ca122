"""The page at /docs: the OpenAPI document for people, as one file that needs no script and no other host.

Made once, from the document alone; its styles stand in the page, and the policy that goes with it lets
nothing else in.
"""

import json
import shlex
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib import resources
from typing import Any, Final, NamedTuple

from caisse.dialects.wire.door import Headers
from caisse.web.apidocs.markup import Html, inline, join, paragraphs, table, tag

Json = Mapping[str, Any]


class Operation(NamedTuple):
    """One request that can be made, at every path where it can."""

    addresses: list[tuple[str, str, Json]]
    """(method, path, operation)."""

    @property
    def said(self) -> Json:
        """What is said of it at the first of its paths."""
        return self.addresses[0][2]

    @property
    def anchor(self) -> str:
        name: str = self.said["operationId"]
        return name.removesuffix(".keyed").replace(".", "-")


def docs(document: Json) -> tuple[bytes, Headers]:
    """The whole page, and the headers it is sent with: its own styles may be used, nothing else."""
    style = resources.files("caisse.web").joinpath("static", "docs.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", f"{policy}; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    )
    return f"<!doctype html>\n{_html(document, style)}\n".encode(), headers


def _html(document: Json, style: str) -> Html:
    doors = [(t, list(_operations(document, t["name"]))) for t in document["tags"]]
    info = document["info"]
    head = tag(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        tag("title", f"{info['title']} {info['version']}: API"),
        tag("style", Html(style)),
    )
    body = tag(
        "body",
        tag("a", "To the content", class_="skip", href="#content"),
        _navigation(info, doors),
        tag("main", _introduction(info), *(_door(document, t, found) for t, found in doors), id="content"),
    )
    return tag("html", head, body, lang="en")


def _operations(document: Json, name: str) -> Iterator[Operation]:
    """A tag's operations; those that take and tell the same are one."""
    found: dict[str, Operation] = {}
    for path, item in document["paths"].items():
        for method, said in item.items():
            if name in said["tags"]:
                same = said.get("requestBody", {}).get("content", {}).get("application/json", {})
                key = same.get("schema", {}).get("$ref", path)
                found.setdefault(key, Operation([])).addresses.append((method, path, said))
    yield from found.values()


def _navigation(info: Json, doors: list[tuple[Json, list[Operation]]]) -> Html:
    parts = [
        tag("li", tag("a", door["name"], href=f"#{_slug(door['name'])}"), tag("ul", *map(_entry, found)))
        for door, found in doors
    ]
    name = tag("a", info["title"], class_="name", href="#content")
    return tag(
        "nav", name, tag("span", info["version"], class_="version"), tag("ul", *parts), aria_label="Contents"
    )


def _entry(operation: Operation) -> Html:
    shortest = min((path for _, path, _ in operation.addresses), key=len)
    return tag("li", tag("a", shortest, href=f"#{operation.anchor}"))


def _introduction(info: Json) -> Html:
    document = tag("p", "For machines: ", tag("a", "openapi.json", href="openapi.json"), class_="machines")
    title = tag("h1", info["title"], " ", tag("small", info["summary"]))
    return tag("header", title, paragraphs(info["description"]), document)


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


# -- one door --


def _door(document: Json, door: Json, found: list[Operation]) -> Html:
    return tag(
        "section",
        tag("h2", door["name"]),
        paragraphs(door["description"]),
        *(_article(document, operation) for operation in found),
        *_refused(document, found),
        tag("h3", "HTTP statuses"),
        _statuses(found),
        id=_slug(door["name"]),
    )


def _refused(document: Json, found: list[Operation]) -> list[Html]:
    """The fields of this door's refusals, as far as there are any."""
    fields: dict[str, tuple[str, ...]] = {}
    for operation in found:
        if "requestBody" in operation.said:
            for schema in _answers(document, operation.said)[1]:
                for name, field in schema["properties"].items():
                    always = "" if name in schema["required"] else _need(False, optional=True)
                    fields.setdefault(name, (join(tag("code", name), always), inline(field["description"])))
    shown = table(("Field", "Meaning"), fields.values(), "refusals")
    return [tag("h3", "Fields of a refusal"), shown] if fields else []


def _statuses(found: list[Operation]) -> Html:
    rows: dict[str, tuple[str, str, str]] = {}
    for operation in found:
        for _, _, said in operation.addresses:
            for status, response in said["responses"].items():
                if status != "200":
                    rows.setdefault(status, _status(status, response))
    return table(("Status", "When", "Headers"), [rows[status] for status in sorted(rows)])


def _status(status: str, response: Json) -> tuple[str, str, str]:
    headers = [f"{name}: {h['schema']['const']}" for name, h in response.get("headers", {}).items()]
    return tag("b", status), response["description"], join(*(tag("code", header) for header in headers))


# -- one endpoint --


def _article(document: Json, operation: Operation) -> Html:
    said = operation.said
    parts = [
        tag("h3", tag("a", said["summary"], href=f"#{operation.anchor}")),
        _addresses(document, operation),
    ]
    if "requestBody" in said:
        request = said["requestBody"]["content"]["application/json"]
        success, refusal = _answers(document, said)
        parts += [
            tag("h4", "Request"),
            _fields(_resolved(document, request["schema"]), optional=True),
            tag("h4", "Answer"),
            _fields(success, optional=False),
            _examples(document, operation, request.get("examples", {})),
            tag("h4", "Refusals"),
            _refusals(refusal),
        ]
    return tag("article", *parts, id=operation.anchor)


def _addresses(document: Json, operation: Operation) -> Html:
    lines = [
        tag(
            "li",
            tag("span", method.upper(), class_=f"method {method}"),
            tag("code", path, _query(document, said)),
            tag("span", said.get("description", ""), class_="about"),
        )
        for method, path, said in operation.addresses
    ]
    return tag("ul", *lines, class_="addresses")


def _query(document: Json, said: Json) -> str:
    """The query that proves who calls, as far as there is one."""
    names = [(p["name"], p["example"]) for p in said.get("parameters", ()) if p["in"] == "query"]
    schemes = document["components"]["securitySchemes"]
    names += [(schemes[name]["name"], "<TOKEN>") for needed in said["security"] for name in needed]
    return "?" + "&".join(f"{name}={value}" for name, value in names) if names else ""


def _answers(document: Json, said: Json) -> tuple[Json, list[Json]]:
    """The success answer's schema, and those of all others with HTTP 200."""
    success, refusal = (
        _resolved(document, schema)
        for schema in said["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
    )
    return success, refusal.get("oneOf", [refusal])


def _resolved(document: Json, schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _fields(schema: Json, *, optional: bool) -> Html:
    rows = [
        (join(tag("code", name), _need(needed, optional)), _type(field), inline(field.get("description", "")))
        for name, needed, field in _flat(schema)
    ]
    return table(("Field", "Type", "Meaning"), rows, "fields")


def _flat(schema: Json) -> Iterator[tuple[str, bool, Json]]:
    """(name, whether it is required, schema) of each field, those of inner objects after a dot."""
    for name, field in schema["properties"].items():
        needed = name in schema["required"]
        yield from (
            [(f"{name}.{inner}", needed and must, one) for inner, must, one in _flat(field)]
            if "properties" in field
            else [(name, needed, field)]
        )


def _need(required: bool, optional: bool) -> Html:
    if required:
        return tag("span", "required", class_="need") if optional else Html("")
    return tag("span", "optional", class_="need may")


def _type(schema: Json) -> Html:
    """In words; those that have a name of their own with the pattern that they must match."""
    patterns = [s["pattern"] for s in (schema, *schema.get("oneOf", ())) if "pattern" in s]
    if "title" not in schema or not patterns:
        return tag("span", kind(schema))
    return join(f"{schema['title']}: {kind(schema)}", tag("code", patterns[0], class_="pattern"))


def kind(schema: Json) -> str:
    """A schema's type in words."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if either := schema.get("oneOf") or schema.get("anyOf"):
        return " or ".join(kind(one) for one in either)
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "string" and "maxLength" in schema:
        least, most = schema.get("minLength", 0), schema["maxLength"]
        return f"text, {most} characters" if least == most else f"text, {least} to {most} characters"
    return _TYPES.get(schema.get("type", ""), "any JSON")


_TYPES: Final = {
    **{"string": "text", "number": "number", "integer": "whole number"},
    **{"array": "list", "object": "object"},
}


def _refusals(kinds: list[Json]) -> Html:
    """By their codes, where the door has any."""
    said: dict[str, list[str]] = {}
    for schema in kinds:
        code, words = _code_and_words(schema["properties"])
        said.setdefault(str(code), []).extend(word for word in words if word not in said.get(str(code), ()))
    rows = [
        (tag("code", code), join(*(tag("div", word) for word in _gathered(words))))
        for code, words in sorted(said.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    return table(("Code", "In words"), rows, "refusals")


def _gathered(words: list[str]) -> list[str]:
    """Texts that differ only in what follows their colon, as one."""
    ends: dict[tuple[str, str], list[str]] = {}
    for text in words:
        start, colon, end = text.partition(": ")
        ends.setdefault((start, colon), []).append(end)
    return [f"{start}{colon}{', '.join(found)}" for (start, colon), found in ends.items()]


def _code_and_words(fields: Json) -> tuple[object, list[str]]:
    if "status" in fields and "code" not in fields:
        return "", fields["status"]["enum"]
    code, words = ("code", "reason") if "code" in fields else ("error", "description")
    return fields[code]["const"], fields[words]["enum"]


def _examples(document: Json, operation: Operation, examples: Json) -> Html:
    answers = operation.said["responses"]["200"]["content"]["application/json"].get("examples", {})
    _, path, said = operation.addresses[0]
    url = "https://<API URL>" + path.replace("{key}", "<key>") + _query(document, said)
    shown = [
        tag(
            "figure",
            tag("figcaption", example["summary"]),
            tag("pre", tag("code", _curl(url, example["value"]))),
            tag("pre", tag("code", _pretty(answers[name]["value"])), class_="answer"),
        )
        for name, example in examples.items()
    ]
    return join(tag("h4", "Examples"), *shown) if shown else Html("")


def _curl(url: str, body: object) -> str:
    data = f"-d {shlex.quote(_pretty(body))}".replace("\n", "\n  ")
    return " \\\n  ".join([f"curl {shlex.quote(url)}", "-H 'Content-Type: application/json'", data])


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
