"""Several hosts in one URL: the first that will do is taken, and one that hangs keeps nobody from others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from caisse.cli import options
from caisse.store import opening
from caisse.store.api import Unavailable
from caisse.store.postgres import connecting, conninfo
from tests.support.postgres import Borrowed, Postgres, free_port
from tests.support.stores import run

READ_WRITE = "?target_session_attrs=read-write"


@pytest.fixture
def silent() -> Iterator[str]:
    """A host that takes connections and never says a word, as a machine that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def several(postgres: Postgres | Borrowed, *before: str) -> str:
    """The URL of a database behind other hosts."""
    url = urlsplit(postgres.url())
    login, _, host = url.netloc.rpartition("@")
    return url._replace(netloc=f"{login}@{','.join([*before, host])}").geturl()


async def answer(url: str) -> int:
    db = await opening.database(url)
    try:
        return int((await db.fetch("select 42"))[0][0])
    finally:
        await db.close()


def test_a_host_that_hangs_or_is_away_is_passed_over(
    postgres: Postgres | Borrowed, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "HOST_SECONDS", 1.0)
    url = several(postgres, silent, f"127.0.0.1:{free_port()}")
    assert run(answer(url + READ_WRITE)) == 42


def test_what_each_host_said_is_told_and_no_password(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "HOST_SECONDS", 0.2)
    away = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable) as caught:
        run(answer(f"postgresql://user:pass-word@{silent},{away}/name"))
    said = str(caught.value)
    assert f"{silent}: no answer" in said
    assert f"{away}: " in said
    assert "pass-word" not in said


@pytest.mark.parametrize(
    ("url", "alone"),
    [
        ("postgresql://a/n", ["postgresql://a/n"]),
        (
            "postgres://u:p@a:1,b/n?sslmode=require",
            ["postgres://u:p@a:1/n?sslmode=require", "postgres://u:p@b/n?sslmode=require"],
        ),
        ("postgresql://[::1]:1,[::2]", ["postgresql://[::1]:1", "postgresql://[::2]"]),
        ("postgresql:///n?host=a,b&user=u", ["postgresql://a/n?user=u", "postgresql://b/n?user=u"]),
        ("postgresql://u@/n?host=a,::1&port=1,2", ["postgresql://u@a:1/n", "postgresql://u@[::1]:2/n"]),
        ("postgresql:///n?host=/run/pg&port=7", ["postgresql://%2Frun%2Fpg:7/n"]),
        ("postgresql:///n", ["postgresql:///n"]),
        ("postgresql://u,v:p@a,b", ["postgresql://u,v:p@a", "postgresql://u,v:p@b"]),
    ],
)
def test_each_host_gets_a_url_of_its_own(url: str, alone: list[str]) -> None:
    assert list(conninfo.parse(url).hosts.values()) == alone


@pytest.mark.parametrize("hosts", ["a:1,b:2", "[::1]:1,b", "a,b,c:3"])
def test_several_hosts_are_accepted_by_commands_and_their_password_is_hidden(hosts: str) -> None:
    url = f"postgresql://user:pass%2Cword@{hosts}/name?target_session_attrs=read-write"
    assert options.DATABASE.convert(url, None, None) == url
    assert options.masked(url) == f"postgresql://user:***@{hosts}/name?target_session_attrs=read-write"
