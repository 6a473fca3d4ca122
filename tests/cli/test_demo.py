"""`caisse demo`: as documented, and gone without a trace but its files."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from caisse.cli.demo import pages as demo_pages
from caisse.cli.demo.play import is_as_documented, parse
from tests.support.running import PROGRAM, SECONDS, caisse, environment


def test_once_plays_everything_as_documented_and_stops(tmp_path: Path) -> None:
    for _ in range(2):  # the second time beside an older demo's files
        said = caisse("demo", "--once", cwd=tmp_path)
        assert (said.code, said.err) == (0, "")
        assert "NOT AS DOCUMENTED" not in said.out
        assert "16 of 16 answers as documented" in said.out
        assert "no findings" in said.out
    assert [p.name for p in tmp_path.iterdir()] == ["var"]
    shown = caisse(
        "player", "show", "demo", "tester", "--db", "sqlite:///var/demo.db", "--json", cwd=tmp_path
    )
    assert shown.json["wallets"] == {"USD": "100.0"}
    bets = caisse("player", "show", "demo", "421", "--db", "sqlite:///var/demo.db", "--json", cwd=tmp_path)
    assert bets.json["wallets"] == {"USD": "100.0"}
    assert caisse("audit", "--db", "sqlite:///var/demo.db", cwd=tmp_path).code == 0


def test_settings_for_a_server_are_not_the_demos(tmp_path: Path) -> None:
    env = {
        "CAISSE_DB": "postgresql://127.0.0.1:1/x",
        "CAISSE_PORT": "1",
        "CAISSE_TOKEN": "x",
        "CAISSE_HOST": "x",
    }
    assert caisse("demo", "--once", "--var", str(tmp_path / "a b"), env=env).code == 0


def demo(var: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, "demo", "--var", var, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def until_it_stays(child: subprocess.Popen[str]) -> str:
    """The link that it prints at the end."""
    assert child.stdout
    for line in child.stdout:
        if link := re.search(r"http://\S+/docs", line):
            return link[0]
    raise AssertionError(child.communicate())


def ends(process: psutil.Process) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_its_server_ends_with_it_however_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    child = demo(tmp_path)
    until_it_stays(child)
    (server,) = psutil.Process(child.pid).children()
    os.kill(child.pid, number)
    out, err = child.communicate(timeout=SECONDS)
    assert child.returncode == (-9 if number is signal.SIGKILL else 0)
    assert ("stopping" in out, err) == (number is not signal.SIGKILL, "")
    assert ends(server)


def test_the_next_steps_it_prints_work(tmp_path: Path) -> None:
    child = demo(tmp_path)
    link = until_it_stays(child)
    try:
        assert child.stdout
        lines = [child.stdout.readline() for _ in range(9)]
        commands = re.split(r"\n\n+", "".join(lines).partition("terminal:")[2].strip())
        assert len(commands) == 3
        path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
        _, url, _, header, _, body = shlex.split(commands[0].replace("\\\n", ""))
        headers = dict([header.split(": ")])
        answer = httpx2.post(url, content=body, headers=headers, trust_env=False).json()
        assert (answer["status"], answer["balance"]) == ("OK", "60.0")
        for command in commands[1:]:
            subprocess.check_output(command, shell=True, text=True, env=environment({"PATH": path}))
        assert link.startswith("http://127.0.0.1:")
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(SECONDS) == 0
        child.communicate()


def test_a_second_demo_in_one_directory_and_a_taken_port_are_told(tmp_path: Path) -> None:
    child = demo(tmp_path)
    until_it_stays(child)
    try:
        second = caisse("demo", "--once", "--var", str(tmp_path))
        assert (second.code, "already served" in second.error) == (3, True)
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        third = caisse("demo", "--once", "--var", str(tmp_path), "--port", port)
    assert (third.code, f"port {port} is taken" in third.error) == (1, True)


@pytest.mark.parametrize(
    ("documented", "given", "right"),
    [
        ('{"a": 1, "b": "2.0"}', '{"a":1,"b":"2.0"}', True),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', False),
        ('{"a": 1}', '{"a":"1"}', False),
        ('{"a": 1.0}', '{"a":1.00}', False),
        ('{"a": 1}', '{"a":1,"b":2}', False),
        ('{"a": [1]}', '{"a":[1]}', True),
        ('{"a": "<id>"}', '{"a":"x"}', True),
        ('{"a": "<id>"}', '{"a":""}', False),
        ('{"a": "<id>"}', '{"a":1}', False),
        ('{"a": "<id>", "b": "<id>"}', '{"a":"x","b":"y"}', False),
        ('{"a": 1}', "no json", False),
        ('{"a": 1}', "[1]", False),
    ],
)
def test_an_answer_is_as_documented_only_to_the_letter(documented: str, given: str, right: bool) -> None:
    assert is_as_documented(parse(documented), parse(given), {}) is right


def test_the_pages_examples_are_played_as_they_stand() -> None:
    success, failed, rollback = demo_pages.PAGES
    assert '"uuid" : "ab64cee3-f73b-4631-9abf-b1a09c1f9c36"' in success.body
    assert '"amount" : "200.0"' in success.body
    assert '"reason" : "Not Enough Balance"' in failed.answer
    assert '"roundid" : "5103188801"' in rollback.body
    assert failed.body != success.body
