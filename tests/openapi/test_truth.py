"""Whatever is sent, the answer is one that the document names: status, headers, type, body and order."""

from __future__ import annotations

import json
import socket
import string
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.openapi.test_document import DOC, OPERATIONS, POSTS
from tests.support import served
from tests.support.served import KEY, TOKEN, VALUES, Document, Reply
from tests.support.server import Server

JSON = {"Content-Type": "application/json"}
METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]

# Known to the server after `_furnished`, so that generated calls get past the first guards.
USERS, IDS, ROUNDS, GAMES = ["421", "tester", "nobody"], ["a", "b", "c", "d"], ["r1", "r2"], ["g1", "g2"]
KNOWN: dict[str, list[Any]] = {
    **{"id": USERS, "userId": USERS, "userid": USERS, "currency": ["USD", "usd", "EUR"]},
    **{"reference": IDS, "promoWinReference": IDS, "TransactionId": IDS, "transaction.id": IDS},
    **{"roundId": ROUNDS, "gameId": GAMES, "gameid": GAMES, "sessionId": ["s1", "s2"]},
    **{"providerId": ["luckymonaco", "LuckyMonaco"], "secureLogin": ["demo"], "token": [TOKEN]},
    "amount": ["1.5", 2, 0.25, "0", "99999999999999.999999999999999999"],
}

finite = st.floats(allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def valid(schema: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values that fit a schema of the kinds that the document has; mostly known ones where there are."""
    fresh = _valid(schema, name)
    known = KNOWN.get(name)
    return st.one_of(st.sampled_from(known), st.sampled_from(known), fresh) if known else fresh


def _valid(schema: Any, name: str) -> st.SearchStrategy[Any]:
    if "oneOf" in schema:
        return st.one_of([_valid(one, name) for one in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "object":
        return _object(schema, name)
    if schema.get("type") == "string":
        size = (schema.get("minLength", 0), schema.get("maxLength", 600))
        found = st.from_regex(schema.get("pattern", ""), fullmatch="pattern" in schema)
        return found.filter(lambda text: size[0] <= len(text) <= size[1])
    if schema.get("type") == "integer":
        return st.integers(schema["minimum"], schema.get("maximum", 10**20))
    if schema.get("type") == "number":
        return st.integers(1, 10**13) | st.floats(0.01, 10**13)
    return anything


def _object(schema: Any, name: str) -> st.SearchStrategy[Any]:
    fields = {key: valid(s, f"{name}.{key}".lstrip(".")) for key, s in schema["properties"].items()}
    required = {key: fields.pop(key) for key in schema["required"]}
    return st.fixed_dictionaries(required, optional=fields)


@st.composite
def spoilt(draw: st.DrawFn, schema: Any) -> bytes:
    """A body with something wrong, or at least odd, with it."""
    body = draw(valid(schema))
    names = sorted(schema["properties"])
    name = draw(st.sampled_from(names))
    how = draw(st.sampled_from(["drop", "replace", "respell", "twice", "extra", "repeat"]))
    if how == "drop":
        body.pop(name, None)
    elif how == "replace":
        body[name] = draw(anything)
    elif how == "respell" and name in body:
        body[name.swapcase()] = body.pop(name)
    elif how == "twice":
        body[name.swapcase()] = draw(anything)
    elif how == "extra":
        body[draw(st.text(max_size=20))] = draw(anything)
    text = json.dumps(body).encode()
    return text.replace(b"{", b'{"uuid":"x",', 1) if how == "repeat" else text


raw = st.binary(max_size=60) | (anything | st.floats()).map(lambda value: json.dumps(value).encode())
kinds = st.sampled_from(["", "text/plain", "application/json; charset=utf-8", "APPLICATION/JSON", "json"])
queries = st.text(string.printable.replace("#", "").strip() + " ", max_size=30)


@pytest.fixture(scope="module")
def furnished(servers: dict[str, Server]) -> list[Server]:
    """With two players who have money, and bets to refer to. What is drawn is dear, and so sent to both."""
    for server in servers.values():
        for user in ("421", "tester"):
            for verb, more in (("create", {}), ("create_wallet", {}), ("charge", {"amount": "500"})):
                uuid = f"00000000-0000-4000-8000-{abs(hash((user, verb))) % 10**12:012d}"
                body = {"id": user, "name": user, "currency": "USD", "uuid": uuid, **more}
                target = f"/user/{verb}?partner_id=demo&token={TOKEN}"
                served.send(server.url, "POST", target, json.dumps(body).encode(), JSON)
    return list(servers.values())


HAMMER = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize(("path", "said"), POSTS, ids=[path for path, _ in POSTS])
def test_every_answer_to_any_body_is_documented(furnished: list[Server], path: str, said: Any) -> None:
    target = DOC.target(path, said)
    schema = DOC.request_schema(said)

    @HAMMER
    @given(valid(schema).map(lambda body: json.dumps(body).encode()) | spoilt(schema) | raw)
    def hammer(body: bytes) -> None:
        for server in furnished:
            reply = served.send(server.url, "POST", target, body, JSON)
            assert reply.status < 500
            DOC.judge(said, reply)

    hammer()


@pytest.mark.parametrize(("path", "said"), POSTS, ids=[path for path, _ in POSTS])
def test_every_answer_to_a_stranger_is_documented(furnished: list[Server], path: str, said: Any) -> None:
    @settings(HAMMER, max_examples=10)
    @given(valid(DOC.request_schema(said)), st.text(string.ascii_letters + "-_%.~", min_size=1), kinds)
    def hammer(body: Any, secret: str, kind: str) -> None:
        values = {**dict.fromkeys(VALUES, secret.replace("%", "%25")), "key": secret.replace(".", "-")}
        target = DOC.target(path, said, values)
        packed = json.dumps(body).replace(TOKEN, secret).encode()
        headers = {"Content-Type": kind} if kind else {}
        for server in furnished:
            reply = served.send(server.url, "POST", target, packed, headers)
            assert reply.status < 500
            DOC.judge(said, reply)

    hammer()


@pytest.mark.parametrize(("path", "said"), POSTS, ids=[path for path, _ in POSTS])
def test_unknown_query_parameters_are_ignored(furnished: list[Server], path: str, said: Any) -> None:
    target = DOC.target(path, said)
    more = "&" if "?" in target else "?"
    for server in furnished:
        plain = served.send(server.url, "POST", target, b"{}", JSON)
        reply = served.send(server.url, "POST", f"{target}{more}verbose=1&x=%00&y", b"{}", JSON)
        assert (reply.status, reply.body) == (plain.status, plain.body)


@pytest.mark.parametrize("method", METHODS)
def test_every_other_method_is_405_and_says_which_is_not(server: Server, method: str) -> None:
    for path, item in DOC.data["paths"].items():
        if method.lower() not in item:
            said = next(iter(item.values()))
            reply = served.send(server.url, method, DOC.target(path, said))
            assert reply.status == 405
            allowed = {name.strip().lower() for name in reply.headers["allow"].split(",")}
            assert allowed == set(item)
            DOC.judge(said, reply, method)


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/openapi.json", "/docs"])
def test_the_pages_answer_as_documented(server: Server, path: str) -> None:
    for method, said in DOC.data["paths"][path].items():
        reply = served.send(server.url, method.upper(), path)
        assert reply.status == 200
        DOC.judge(said, reply, method)


def test_the_served_document_is_the_one_the_tables_make(document: Document) -> None:
    assert document.data == DOC.data


CHUNKED = "Transfer-Encoding: chunked"
HOSTILE = {
    "no host": "POST {target} HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "both lengths": f"POST {{target}} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n{CHUNKED}\r\n\r\n",
    "a large body": "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\n",
    "an expectation": "POST {target} HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n",
    "a coding": "POST {target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a large header": f"POST {{target}} HTTP/1.1\r\nHost: x\r\nX: {'x' * 16384}\r\n\r\n",
    "many headers": "POST {target} HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 100 + "\r\n",
    "an old version": "POST {target} HTTP/0.9\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("wrong", HOSTILE)
def test_what_the_server_itself_refuses_is_documented(server: Server, wrong: str) -> None:
    for method, path, said in OPERATIONS:
        if method != "head":
            text = HOSTILE[wrong].format(target=DOC.target(path, said)).replace("POST", method.upper(), 1)
            DOC.judge(said, bare(server.url, text.encode()))


def test_a_key_that_is_no_segment_or_far_too_long_is_answered_as_documented(server: Server) -> None:
    for path, said in POSTS:
        if "{key}" in path:
            for key in ("", "a/b", "%2F", "x" * 513, "x" * 17_000):
                target = DOC.target(path, said, {**VALUES, "key": key})
                DOC.judge(said, served.send(server.url, "POST", target, b"{}", JSON))


def bare(url: str, text: bytes) -> Reply:
    """What is answered to these very bytes."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 0), 30) as line:
        line.sendall(text)
        got = b""
        while chunk := line.recv(65536):
            got += chunk
            head, _, body = got.partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length and len(body) >= int(length[0].split(b":")[1]):
                break
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return Reply(int(lines[0].split()[1]), headers, body)


def test_the_judge_refuses_what_is_not_documented() -> None:
    """Each fault planted alone in an answer that passes."""
    said = DOC.data["paths"]["/{key}/V4/Bet"]["post"]
    good = b'{"transactionId":"t","currency":"USD","cash":1.5,"error":0,"description":"Success"}'
    kind = {"content-type": "application/json"}
    DOC.judge(said, Reply(200, kind, good))
    for reply in (
        Reply(500, kind, good),
        Reply(200, {"content-type": "text/html"}, good),
        Reply(200, kind, good.replace(b"1.5", b'"1.5"')),
        Reply(200, kind, good.replace(b'"cash"', b'"Cash"')),
        Reply(
            200, kind, b'{"currency":"USD","transactionId":"t","cash":1.5,"error":0,"description":"Success"}'
        ),
        Reply(200, kind, b'{"error":9,"description":"Success"}'),
        Reply(
            405, kind, b'{"error":100,"description":"Temporarily unavailable, send the same request again"}'
        ),
    ):
        with pytest.raises(AssertionError):
            DOC.judge(said, reply)
    assert KEY in DOC.target("/{key}/V4/Bet", said)
