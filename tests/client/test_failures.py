"""What is no success: each failure has its type, says where, and holds no secret."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from decimal import Decimal
from typing import Any

import pytest

from caisse_client import (
    AsyncClient,
    Client,
    KyrenV1,
    ProtocolError,
    Refused,
    SeamlessV3,
    SeamlessV4,
    TransferV3,
    TransferV4,
    Unauthorized,
    Unavailable,
    WalletError,
)
from caisse_client.calls import Call, Response
from caisse_client.money import read_amount, text_of
from tests.client.stubborn import stubborn

TOKEN, KEY = "token-that-is-secret", "key-that-is-secret"
D = Decimal
T3, T4, S4, S3, K1 = (
    TransferV3("acme", TOKEN),
    TransferV4("acme", TOKEN),
    SeamlessV4("lm"),
    SeamlessV3(KEY),
    KyrenV1(),
)
UUID = "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"
REFUND3 = T3.refund("ana", "USD", D(1), UUID)
REFUND4 = T4.refund("ana", "USD", D(1), "t1", UUID)
BET4 = S4.bet("ana", "USD", D(1), "b1", "r1", "g1")
BET3 = S3.bet("ana", "USD", D(1), "r1", "g1", uuid="u1")
BETK = K1.bet("ana", "USD", D(1), "b1", "r1", "g1")
OK3 = f'"status":"OK","uuid":"{UUID}","currency":"USD","amount":"1.0"'

CALLS: list[Call[Any]] = [REFUND3, REFUND4, BET4, BET3]
CASES: list[tuple[Call[Any], int, str, type[WalletError]]] = [
    (REFUND3, 200, f'{{"status":"Failed","uuid":"{UUID}","code":3,"reason":"Not Enough Balance"}}', Refused),
    (REFUND3, 401, '{"status":"Failed","uuid":"","code":8,"reason":"Unauthorized"}', Unauthorized),
    (REFUND3, 503, f'{{"status":"Failed","uuid":"{UUID}","code":10,"reason":"Later"}}', Unavailable),
    (REFUND3, 502, "<html>Bad Gateway</html>", Unavailable),
    (REFUND3, 200, "<html>a captive portal</html>", ProtocolError),
    (REFUND3, 200, '{{{},"balance":"1.0"}}'.format(OK3.replace("ab64", "0000")), ProtocolError),
    (REFUND3, 200, f'{{{OK3},"balance":"NaN"}}', ProtocolError),
    (REFUND3, 200, f'{{{OK3},"balance":true}}', ProtocolError),
    (REFUND3, 200, f"{{{OK3}}}", ProtocolError),
    (REFUND3, 404, '{"error":"not found"}', ProtocolError),
    (REFUND4, 200, '{"error":"22","description":"Not enough balance"}', Refused),
    (REFUND4, 200, '{"error":"4","description":"Login"}', Unauthorized),
    (REFUND4, 200, '{"error":"1","description":"Internal"}', Unavailable),
    (REFUND4, 503, '{"error":"1","description":"Internal"}', Unavailable),
    (BET4, 200, '{"error":1,"description":"Insufficient"}', Refused),
    (BET4, 200, '{"error":"120","description":"No"}', Refused),
    (BET4, 200, '{"error":4,"description":"Login"}', Unauthorized),
    (BET4, 200, '{"error":100,"description":"Retry"}', Unavailable),
    (BET4, 200, '{"error":130,"description":"Retry"}', Unavailable),
    (BET4, 500, '{"error":0}', Unavailable),
    (BET4, 200, '{"error":"none"}', ProtocolError),
    (BET4, 200, '{"error":0,"cash":"1e","transactionId":"t"}', ProtocolError),
    (BETK, 200, '{"error":15,"description":"Insufficient"}', Refused),
    (BETK, 200, '{"error":54,"description":"Login"}', Unauthorized),
    (BETK, 200, '{"error":998,"description":"Retry"}', Unavailable),
    (BETK, 200, '{"error":100,"description":"of another edition"}', Refused),
    (BET3, 200, '{"status":"INSUFFICIENT_FUNDS","uuid":"u1"}', Refused),
    (BET3, 401, '{"status":"UNAUTHORIZED","uuid":""}', Unauthorized),
    (BET3, 503, '{"status":"TEMPORARY_ERROR","uuid":"u1"}', Unavailable),
    (BET3, 200, '{"status":"OK","uuid":"u2","balance":"1.0"}', ProtocolError),
]


@pytest.mark.parametrize(("call", "status", "body", "kind"), CASES)
def test_each_answer_that_is_no_success_has_its_type(
    call: Call[Any], status: int, body: str, kind: type[WalletError]
) -> None:
    with pytest.raises(WalletError) as failed:
        call.read(Response(status, body.encode()))
    assert type(failed.value) is kind


def test_amounts_keep_their_characters() -> None:
    exact = "12345678901234.123456789012345678"
    for shown in (exact, f'"{exact}"'):
        answer = f'{{"error":0,"transactionId":7,"currency":"USD","cash":{shown}}}'
        played = BET4.read(Response(200, answer.encode()))
        assert (played.cash, played.transaction) == (D(exact), "7")
    assert (
        b'"amount":12345678901234.5,'
        in S4.bet("a", "USD", D("12345678901234.50"), "b", "r", "g").request.body
    )
    assert b'"amount":"5.0",' in K1.bet("a", "USD", D("5"), "b", "r", "g").request.body
    assert text_of(D("1E+3")) == "1000.0"


@pytest.mark.parametrize("wrong", [1.5, True, "1.0", None])
def test_a_float_is_no_amount(wrong: Any) -> None:
    with pytest.raises(TypeError):
        text_of(wrong)


@pytest.mark.parametrize("wrong", [D("-1"), D("NaN"), D("Infinity")])
def test_an_amount_is_finite_and_not_negative(wrong: Decimal) -> None:
    with pytest.raises(ValueError, match="amount"):
        text_of(wrong)
    with pytest.raises(ValueError, match="amount"):
        read_amount(1.5)


def test_no_answer_is_unavailable_and_holds_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Refused connections, hang-ups, silence; in errors, their causes and all logs of every library."""
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as silent, stubborn((200, b"")) as hangs_up:
        urls = ["http://127.0.0.1:1", f"http://127.0.0.1:{silent.getsockname()[1]}", hangs_up.url]
        for url in urls:
            with Client(f"{url}/{KEY}", timeout=0.2) as client:
                for call in CALLS:
                    with pytest.raises(Unavailable) as failed:
                        client.send(call)
                    said = "".join(traceback.format_exception(failed.value, chain=True))
                    assert failed.value.__context__ is None
                    assert not {s for s in (TOKEN, KEY) if s in said + repr(client) + repr(call)}
    assert not {s for s in (TOKEN, KEY) if s in caplog.text}
    assert "/user/refund" in caplog.text


def test_a_wallet_that_echoes_a_secret_is_quoted_without_it() -> None:
    answer = f'{{"error":4,"description":"bad key {KEY} and {TOKEN}"}}'.encode()
    with stubborn((200, answer)) as server, Client(f"{server.url}/{KEY}") as client:
        with pytest.raises(Unauthorized) as failed:
            client.send(REFUND4)
        assert str(failed.value) == "/refund: bad key *** and ***"
        assert KEY not in repr(failed.value)


def test_the_async_client_fails_in_the_same_types() -> None:
    async def play(url: str) -> None:
        async with AsyncClient(url, timeout=0.2) as client:
            with pytest.raises(Unavailable):
                await client.send(REFUND3)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(play(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    asyncio.run(play("http://127.0.0.1:1"))


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://host", ""])
def test_a_url_must_be_one(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        Client(url)
