"""The two pages that say what is served: `/openapi.json` for machines, `/docs` for people."""

from collections.abc import Iterable
from importlib.metadata import version

import msgspec

from caisse.core.policy import Policy
from caisse.dialects.references import MANUALS
from caisse.dialects.wire.door import Answer, Headers
from caisse.web.apidocs.docs_page import docs
from caisse.web.apidocs.openapi import document
from caisse.web.app import Page


def documents(policies: Iterable[Policy]) -> dict[str, Page]:
    """Both, under their paths. Made once: they change with the profiles, which are read at start."""
    made = document(MANUALS, policies, version("caisse"))
    page, headers = docs(made)
    return {"/openapi.json": _always(msgspec.json.encode(made)), "/docs": _always(page, headers)}


def _always(body: bytes, headers: Headers = ()) -> Page:
    answer = Answer(200, body, headers)
    return lambda exchange: answer
