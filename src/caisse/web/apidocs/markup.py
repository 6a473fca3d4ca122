"""HTML from parts: text is escaped wherever it comes in, so nothing that is shown can become markup."""

import re
from collections.abc import Iterable
from html import escape


class Html(str):
    """Markup: what must not be escaped any more."""

    __slots__ = ()


def tag(name: str, *inside: str, **attributes: str) -> Html:
    """An element. An attribute's trailing underscore is dropped: `class_`."""
    said = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    return Html(f"<{name}{said}>{join(*inside)}</{name}>")


def join(*parts: str) -> Html:
    """Parts one after another, those that are text escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def paragraphs(text: str) -> Html:
    """Text in which blank lines part paragraphs, `…` is code and **…** is strong."""
    return join(*(tag("p", inline(part)) for part in text.split("\n\n") if part))


def inline(text: str) -> Html:
    """One paragraph's text."""
    found = re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text)
    return join(*(_mark(part) for part in found))


def _mark(part: str) -> str:
    if part.startswith("`") and len(part) > 1:
        return tag("code", part[1:-1])
    if part.startswith("**") and len(part) > 4:
        return tag("strong", part[2:-2])
    return part


def table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]], kind: str = "") -> Html:
    """A table in a box that scrolls sideways where it is too wide."""
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    body = tag("tbody", *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows))
    return tag("div", tag("table", head, body, class_=kind), class_="wide")
