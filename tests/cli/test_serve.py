"""`caisse serve`: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from caisse.cli.demo.pages import PAGES, SETTING, Step
from tests.support.running import PROGRAM, SECONDS, caisse, environment, ready, send, serving


@contextmanager
def server(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[dict[str, object]]]]:
    """A server and its log up to the line that says it is ready."""
    child = subprocess.Popen(
        [PROGRAM, "serve", *words],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert child.stderr
        lines: list[dict[str, object]] = []
        while not lines or lines[-1]["event"] != "ready":
            lines.append(json.loads(child.stderr.readline()))
        yield child, lines
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_success(tmp_path: Path, number: signal.Signals) -> None:
    with server("--db", f"sqlite:///{tmp_path}/x.db", "--port", "0") as (child, log):
        assert httpx2.get(f"{log[-1]['url']}/healthz", trust_env=False).status_code == 200
        child.send_signal(number)
        assert child.wait(SECONDS) == 0


def test_it_ends_with_its_standard_input_if_told_so(tmp_path: Path) -> None:
    with server("--db", f"sqlite:///{tmp_path}/x.db", "--port", "0", "--until-eof") as (child, _):
        assert child.stdin
        child.stdin.close()
        assert child.wait(SECONDS) == 0
        child.stdin = None


def test_the_log_is_json_lines_with_the_url_and_no_password(db_url: str) -> None:
    ready(db_url)
    with server("--db", db_url, "--port", "0") as (_, log):
        assert str(log[-1]["url"]).startswith("http://127.0.0.1:")
        assert {"event", "level", "logger", "timestamp", "url", "db"} == set(log[-1])


def test_no_token_reaches_the_log(db_url: str, tmp_path: Path) -> None:
    ready(db_url)
    caisse("partner", "add", "demo", "--token", "demo-token", "--db", db_url)
    log = tmp_path / "log"
    with serving(db_url, log) as http:
        send(http, *SETTING[:6], *PAGES[:2])
        http.get("/nowhere?token=demo-token")
        http.post("/user/refund?partner_id=demo&token=demo-token", content=b"no json")
    assert "demo-token" not in log.read_text()
    assert "demo" in caisse("partner", "list", "--db", db_url).out


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = caisse("serve", "--db", f"sqlite:///{tmp_path}/x.db", "--port", port)
    assert (said.code, f"port {port} is taken" in said.error) == (1, True)


def test_an_address_that_is_not_ours_is_wrong_usage(tmp_path: Path) -> None:
    said = caisse("serve", "--db", f"sqlite:///{tmp_path}/x.db", "--host", "192.0.2.1")
    assert (said.code, "--host" in said.error) == (2, True)


def test_one_sqlite_file_has_one_server(tmp_path: Path) -> None:
    db = f"sqlite:///{tmp_path}/x.db"
    with server("--db", db, "--port", "0"):
        said = caisse("serve", "--db", db, "--port", "0")
        assert (said.code, "already served" in said.error) == (3, True)


def test_listening_beyond_this_machine_is_warned_of(tmp_path: Path) -> None:
    with server("--db", f"sqlite:///{tmp_path}/x.db", "--port", "0", "--host", "0.0.0.0") as (child, _):
        assert child.stderr
        assert json.loads(child.stderr.readline())["level"] == "warning"


def answered(http: httpx2.Client, step: Step, path: str, wanted: object) -> bool:
    """Whether a step is answered so within the 5 seconds in which changes must take effect."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if send(http, step._replace(path=path))[0].get("error") == wanted:
            return True
        time.sleep(0.1)
    return False


def test_administration_beside_a_running_server_takes_effect(db_url: str, tmp_path: Path) -> None:
    ready(db_url)
    with serving(db_url, tmp_path / "log") as http:
        caisse("partner", "add", "demo", "--token", "demo-token", "--db", db_url)
        made = caisse("connection", "add", "demo", "luckymonaco", "--db", db_url, "--json").json
        path = f"{made['path']}/V4/Refund"
        # An unknown player: the key was accepted.
        assert answered(http, PAGES[2], path, "100")
        assert caisse("connection", "revoke", made["id"], "--db", db_url).code == 0
        assert answered(http, PAGES[2], path, "4")
