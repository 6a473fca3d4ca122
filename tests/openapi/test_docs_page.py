"""The page at /docs: whole without scripts or other hosts, everything in it, nothing unescaped."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

from caisse.web.apidocs.docs_page import docs
from caisse.web.apidocs.markup import inline, tag
from tests.openapi.test_document import MADE
from tests.support import served
from tests.support.server import Server

PAGE, HEADERS = docs(MADE)
TEXT = PAGE.decode()
VOID = {"meta", "br", "link"}


class Reader(HTMLParser):
    """Every element's name and attributes; AssertionError where they do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


READER = Reader(TEXT)


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    assert {name for name, _ in READER.elements} & {
        "script",
        "img",
        "link",
        "iframe",
        "form",
        "base",
    } == set()
    assert not any(key in ("src", "style") or key.startswith("on") for _, a in READER.elements for key in a)
    links = {a["href"] for name, a in READER.elements if name == "a"}
    assert {link for link in links if not link.startswith("#")} == {"openapi.json"}
    assert "url(" not in TEXT
    assert "@import" not in TEXT


def test_its_policy_lets_its_own_styles_in_and_nothing_else() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", TEXT, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(HEADERS)["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_every_link_leads_to_a_place_on_the_page() -> None:
    ids = [a["id"] for _, a in READER.elements if "id" in a]
    assert len(set(ids)) == len(ids)
    wanted = {a["href"][1:] for name, a in READER.elements if name == "a" and a["href"].startswith("#")}
    assert wanted <= set(ids)


def test_everything_documented_is_on_the_page() -> None:
    for path in MADE["paths"]:
        assert path in READER.text
    for schema in MADE["components"]["schemas"].values():
        for kind in [schema, *schema.get("oneOf", ())]:
            for name, field in kind.get("properties", {}).items():
                assert name in READER.text
                assert field.get("description", "").replace("`", "") in READER.text
                for text in field.get("enum", ()):
                    assert text.rpartition(": ")[2] in READER.text


def test_whatever_is_shown_is_escaped() -> None:
    evil = "<script>\"&'</script>"
    page = docs({**MADE, "info": {**MADE["info"], "title": evil, "summary": evil, "description": evil}})[0]
    assert b"<script>" not in page
    assert tag("a", evil, href=evil) == (
        '<a href="&lt;script&gt;&quot;&amp;&#x27;&lt;/script&gt;">'
        "&lt;script&gt;&quot;&amp;&#x27;&lt;/script&gt;</a>"
    )
    assert inline("**<b>** and `<i>`") == "<strong>&lt;b&gt;</strong> and <code>&lt;i&gt;</code>"


def test_it_is_served(server: Server) -> None:
    reply = served.send(server.url, "GET", "/docs")
    assert (reply.status, reply.body) == (200, PAGE)
    assert {name: reply.headers[name] for name, _ in HEADERS} == dict(HEADERS)
