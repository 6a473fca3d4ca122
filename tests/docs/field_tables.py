"""The parts of docs/http-api.md that are made from the dialects' tables: fields, answers, refusals.

`python -m tests.docs.field_tables` writes them anew; a test compares them. They stand between two comments
below the heading of each endpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from caisse.core.policy import DEFAULT_POLICY
from caisse.dialects.kyren_v1.door import KyrenV1
from caisse.dialects.references import EXAMPLES, MANUALS
from caisse.dialects.seamless_v3 import table as seamless_v3_table
from caisse.dialects.seamless_v4.door import SeamlessV4
from caisse.dialects.transfer_v3 import door as transfer_v3
from caisse.dialects.transfer_v4 import table as transfer_v4_table
from caisse.dialects.wire import seamless
from caisse.dialects.wire.reference import Manual
from caisse.dialects.wire.table import Endpoint, Need

API: Final = Path(__file__).parents[2] / "docs" / "http-api.md"
BEGIN: Final = "<!-- made from the tables -->"
END: Final = "<!-- end -->"
NEEDS: Final = {
    Need.REQUIRED: "yes",
    Need.CHECKED: "no",
    Need.STEERS: "no; refused if unreadable",
    Need.RECORDED: "no",
}
DOORS: Final = {"seamless-v4": SeamlessV4(), "kyren-v1": KyrenV1()}


def refusal(manual: Manual, endpoint: Endpoint, verdict: Any) -> str:
    """As the document spells it."""
    if isinstance(endpoint, seamless.Method):
        told = DOORS[manual.id].refusal_of(endpoint, DEFAULT_POLICY, verdict)
        return f"{told.error} `{told.description}`"
    if manual.id == "transfer-v3":
        failure = transfer_v3.FAILURES[verdict]
        return f"{failure.code} `{failure.reason}`"
    if manual.id == "transfer-v4":
        said = transfer_v4_table.REFUSALS[verdict]
        return f"{said.error} `{said.description}`"
    return f"`{seamless_v3_table.WORDS[verdict]}`"


def type_of(schema: Mapping[str, Any]) -> str:
    """In a word or two."""
    if not schema:
        return "anything"
    if schema.get("title") == "id":
        return f"id, at most {schema['oneOf'][0]['maxLength']}"
    if "title" in schema:
        return str(schema["title"])
    if "oneOf" in schema:
        return "whole number or text"
    if schema.get("maxLength"):
        return f"text, at most {schema['maxLength']}"
    return {"string": "text", "array": "array", "object": "object"}.get(schema["type"], str(schema["type"]))


def example(endpoint: Endpoint, name: str, side: str) -> str:
    """A field's value in the first example of the endpoint that has it."""
    for shown in EXAMPLES:
        if shown.path != endpoint.path:
            continue
        value: Any = json.loads(getattr(shown, side), parse_float=lambda text: Number(text))
        for part in name.lower().split("."):
            found = {k.lower(): v for k, v in value.items()} if isinstance(value, dict) else {}
            value = found.get(part)
        if value is not None:
            text = json.dumps(value, default=str)
            return f"`{re.sub(chr(34) + '(<number>.+?)' + chr(34), lambda m: m[1][8:], text)}`"
    return ""


class Number(str):
    """A decimal number with its own characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Number:
        return super().__new__(cls, f"<number>{text}")


def made(manual: Manual, endpoint: Endpoint) -> str:
    """What stands below the heading of an endpoint."""
    return "\n".join([BEGIN, *_lines(manual, endpoint), END])


def _lines(manual: Manual, endpoint: Endpoint) -> Iterator[str]:
    yield endpoint.summary
    if endpoint.also:
        yield f"Also served as {', '.join(f'`{path}`' for path in endpoint.also)}."
    yield ""
    yield "| field | type | required | meaning | example |"
    yield "|---|---|---|---|---|"
    for field in endpoint.fields:
        names = ", ".join(f"`{name}`" for name in (field.name, *field.spellings))
        cells = (names, type_of(field.type.schema), NEEDS[field.need], field.about)
        yield f"| {' | '.join(cells)} | {example(endpoint, field.name, 'body')} |"
    yield ""
    if endpoint.success:
        yield "| answer | type | meaning | example |"
        yield "|---|---|---|---|"
        for shown in endpoint.success:
            said = f"`{shown.name}` | {type_of(shown.schema)} | {shown.about}"
            yield f"| {said} | {example(endpoint, shown.name, 'answer')} |"
        yield ""
    if endpoint.refusals:
        listed = ", ".join(refusal(manual, endpoint, verdict) for verdict in endpoint.refusals)
        yield f"* **Refusals:** {listed}"


def updated(text: str) -> str:
    """The document with all of its made parts made anew."""
    for manual in MANUALS:
        for endpoint in manual.endpoints:
            heading = re.escape(f"### `POST {endpoint.path}`\n")
            part = re.compile(rf"({heading}){BEGIN}\n.*?{END}", re.DOTALL)
            text, found = part.subn(lambda m: m[1] + made(manual, endpoint), text)  # noqa: B023 - used at once
            if not found:
                raise ValueError(f"{endpoint.path} has no place in the document")
    return text


if __name__ == "__main__":
    API.write_text(updated(API.read_text("utf-8")), "utf-8")
