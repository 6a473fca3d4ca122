"""Tokens and keys: never shown, kept as hashes only, several at once, soon gone when they are revoked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from caisse.build import REFRESH_SECONDS
from caisse.core.parties import Connection, secret_hash
from caisse.store import directory, opening
from caisse.writer.writer import clock
from tests.support.postgres import Borrowed, Postgres, run
from tests.support.rig import (
    DEFAULT,
    PROVIDER,
    House,
    add_connections,
    add_partner,
    connection,
    new_id,
    prepare,
    secret,
)
from tests.support.server import CAISSE, PLAY, Answer, Call, Game, Partner, Server, environment, until

WITHIN_SECONDS = 5


def dump(db_url: str, pg: Postgres | Borrowed) -> bytes:
    """Every byte of the database: SQLite's files, or all that pg_dump says."""
    if db_url.startswith("sqlite:///"):
        path = Path(db_url.removeprefix("sqlite:///"))
        return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    return run([pg.bin("pg_dump"), "--inserts", db_url], account=None).encode()


def noise(house: House) -> list[Answer]:
    """Requests of every fate, all with a right token or key in them somewhere."""
    partner, game, server = house.partner, house.game(), house.server
    user, reference = house.player(), new_id("b")
    calls = [
        *[partner.charge(user), partner.refund(user, "x"), partner.refund(user, "999.0"), partner.info(user)],
        *[
            partner.call("refund", b"{"),
            partner.call("nothing", b"{}"),
            Call(partner.info(user).path, b" " * 20_000),
        ],
        *[Call(f"/user/info?partner_id=x&token={partner.token}", b"{}"), Call(f"/{partner.token}", b"{}")],
        *[Call(f"/x?partner_id={partner.id}&token={partner.token}&token=%zz", b"{}")],
        *[
            game.bet(user, "1.0", reference, new_id("r")),
            game.refund(user, reference),
            game.call("Bet", b"{"),
        ],
        *[
            Call(f"{game.path}/V4/Nothing", b"{}"),
            Call(f"{game.path}{game.path}/V4/Bet", b"{}"),
            Call(game.path, b"{}"),
        ],
        *[Call(f"{game.path}/V4/Refund", b" " * 20_000), Call(f"{game.path}x/V4/Refund", b"{}")],
        *(game.play(method, user) for method in PLAY),
    ]
    answers = [server.send(call) for call in calls]
    answers += [server.request("GET", call.path) for call in calls]
    answers += [server.request("POST", call.path, call.body, content_type="text/plain") for call in calls]
    answers += [server.request("POST", calls[0].path, b"", x_many="x" * 20_000)]
    answers += [server.request("GET", path) for path in ("/metrics", "/healthz", "/openapi.json", "/docs")]
    return answers


def test_no_secret_is_ever_shown(own_house: House, postgres: Postgres | Borrowed, tmp_path: Path) -> None:
    """Not in the log, an answer, the metrics, the database, nor in what the process list shows."""
    own_house.server.program = CAISSE
    server = own_house.server.start()
    hidden = [own_house.partner.token, own_house.game().path[1:]]
    answers = noise(own_house)
    shown = [text for p in psutil.process_iter(["cmdline"]) for text in p.info["cmdline"] or ()]
    assert server.stop() == 0
    places = {
        "an answer": b"\n".join(repr((answer.raw, answer.headers)).encode() for answer in answers),
        "the log": server.log.encode(),
        "the database": dump(own_house.db, postgres),
        "the process list": "\n".join(shown).encode(),
    }
    assert own_house.partner.id.encode() in places["the database"]
    assert str(server.url).encode() in places["the log"]
    assert len(shown) > 3
    found = [(text[:5], place) for text in hidden for place, all_ in places.items() if text.encode() in all_]
    assert found == []
    assert [name for name in ("token=", "partner_id=", "/V4/") if name in server.log] == []


def cli(db_url: str, *arguments: str, given: str = "", **settings: str) -> tuple[str, Sequence[str]]:
    """Run a command; its output, and how the process list shows it while it waits for input."""
    command = [sys.executable, "-m", "caisse", *arguments, "--db", db_url]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(**settings),
    )
    line = psutil.Process(process.pid).cmdline()
    output = process.communicate(given.encode(), timeout=60)[0].decode()
    assert process.returncode == 0, output
    return output, line


@pytest.mark.parametrize("way", ["input", "environment"])
def test_secrets_can_be_given_unseen(own_house: House, way: str) -> None:
    """By standard input or the environment; only the API URL's path, shown at creation, tells its key."""
    token, key, db = secret("token"), secret("key"), own_house.db
    if way == "input":
        said = [
            cli(db, "partner", "add", "unseen", "--token", "-", given=token + "\n"),
            cli(db, "connection", "add", "unseen", PROVIDER, "--key", "-", given=key + "\n"),
        ]
    else:
        said = [
            cli(db, "partner", "add", "unseen", CAISSE_TOKEN=token),
            cli(db, "connection", "add", "unseen", PROVIDER, CAISSE_KEY=key),
        ]
    assert not [True for _, line in said for text in (token, key) if text in " ".join(line)]
    assert not [True for output, _ in said if token in output or key in output.replace(f"/{key}", "")]
    with own_house.server as server:
        assert server.send(Partner("unseen", token).info("nobody")).code == 4
        assert server.send(Game(f"/{key}").play("Check", "nobody")).code == 100


def test_tokens_keys_and_games_are_followed_by_a_running_server(house: House) -> None:
    """Several tokens work at once; what is revoked soon works no more, what is added soon does (R30).

    Within 5 seconds, by the server's own period; looked at patiently, since the machine may be busy.
    """
    assert REFRESH_SECONDS * 2 < WITHIN_SECONDS
    send, id_, name = house.send, new_id("rotating"), new_id("g")
    old, new = (Partner(id_, secret("token")) for _ in range(2))
    keys = [secret("key") for _ in range(2)]
    made = [connection(id_, key) for key in keys]
    before, after = (Game(f"/{key}") for key in keys)
    asyncio.run(added(house.db, (old, new), made[0]))

    until(lambda: send(new.info("nobody")).status == 200, "the new token is not taken")
    until(lambda: send(before.balance("nobody")).code == 100, "the new key is not taken")
    user, reference = house.player(partner=old), new_id("b")
    assert house.balance(user, partner=new) == "300.0"
    house.told(before.bet(user, "10.0", reference, new_id("r"), gameId=name))

    asyncio.run(changed(house.db, old, made, name))
    until(lambda: send(old.info(user)).status == 401, "the old token still works")
    until(lambda: send(before.balance(user)).code == 4, "the old key still works")
    until(lambda: send(after.balance(user)).code == 0, "the new key is not taken")
    assert send(after.bet(user, "1.0", new_id("b"), new_id("r"), gameId=name)).code == 8
    uuid = "0c0ffee0-0000-4000-8000-00000000abcd"
    assert send(old.info(user, uuid)).raw == send(Partner("stranger", "x").info(user, uuid)).raw
    house.told(after.refund(user, reference, gameId=name))
    assert house.balance(user, partner=new) == "300.0"


async def added(db_url: str, partners: Sequence[Partner], first: Connection) -> None:
    for partner in partners:
        await add_partner(db_url, partner)
    await add_connections(db_url, first)


async def changed(db_url: str, old: Partner, made: Sequence[Connection], game: str) -> None:
    """The old token and the first connection are revoked, another is added, a game disabled."""
    await add_connections(db_url, made[1])
    db = await opening.database(db_url)
    try:
        assert await directory.revoke_token(db, old.id, secret_hash(old.token)[:4].hex(), clock())
        assert await directory.revoke_connection(db, made[0].id, clock())
        assert await directory.set_game(db, old.id, PROVIDER, game, enabled=False, now=clock())
    finally:
        await db.close()


# -- the keyless connection of a trial --

FORWARDED = {
    "X_Forwarded_For": "127.0.0.1",
    "X_Forwarded_Host": "localhost",
    "X_Forwarded_Proto": "https",
    "Forwarded": "for=127.0.0.1",
    "X_Real_IP": "127.0.0.1",
    "Via": "1.1 proxy",
    "X_Forwarded_Port": "443",
    "X_Client_IP": "127.0.0.1",
    "CF_Connecting_IP": "127.0.0.1",
    "Origin": "http://localhost",
    "Sec_Fetch_Site": "same-origin",
    "Host": "evil.example",
}
"""A proxy, a browser, or another name of this machine."""
KEYLESS = Game("")


@pytest.fixture
def keyless_db(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/caisse.db"

    async def furnish() -> None:
        await prepare(url)
        await add_partner(url, Partner("demo", "demo-token"), connection("demo", "", DEFAULT))

    asyncio.run(furnish())
    return url


def test_a_keyless_connection_answers_on_loopback_without_a_proxy(keyless_db: str, tmp_path: Path) -> None:
    call = KEYLESS.play("Check", "nobody")
    with Server(keyless_db, tmp_path) as server:
        assert server.send(call).code == 100
        for name, value in FORWARDED.items():
            answer = server.request("POST", *call, content_type="application/json", **{name: value})
            assert (answer.status, answer.code) == (200, 4), name
        assert server.send(call).code == 100


def test_a_keyless_connection_does_not_answer_where_others_can_reach_it(
    keyless_db: str, tmp_path: Path
) -> None:
    with Server(keyless_db, tmp_path, host="0.0.0.0") as server:
        assert server.send(KEYLESS.play("Check", "nobody")).code == 4
        assert server.send(Partner("demo", "demo-token").info("nobody")).code == 4


def test_metrics_are_not_told_through_a_proxy(house: House) -> None:
    assert house.server.request("GET", "/metrics").status == 200
    for name, value in FORWARDED.items():
        assert house.server.request("GET", "/metrics", **{name: value}).status == 403
