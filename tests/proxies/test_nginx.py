"""nginx as `docs/operations.md` shows it, before two servers that end and start again under load."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.distribution import program
from tests.support.nginx import configuration, listens
from tests.support.postgres import Borrowed, Postgres, free_port, wait_for
from tests.support.rig import House
from tests.support.server import Server

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
SHOWN = ("10.0.0.11:8080", "10.0.0.12:8080")
"""The servers of the sample."""
CLIENTS = 8
STARTED = 30


def _sample() -> str:
    found = re.search(r"```\n(upstream .*?)```", OPERATIONS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@contextmanager
def nginx(folder: Path, sample: str) -> Iterator[int]:
    """The sample, without TLS, on a port of its own. Its logs are files in the folder."""
    port = free_port()
    sample = sample.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    sample = sample.replace("/var/log/nginx/caisse.log", f"{folder}/errors")
    (folder / "conf").write_text(configuration(folder, sample, main="worker_processes 2;"))
    with (folder / "stderr").open("wb") as log:
        process = subprocess.Popen(
            [program("nginx"), "-p", folder, "-c", folder / "conf"], stderr=log, stdout=log
        )
    try:
        wait_for(lambda: listens(port), STARTED, (folder / "stderr").read_text)
        yield port
    finally:
        process.terminate()
        process.wait(STARTED)


class Crowd:
    """Clients that take money out, each refund once, until they are stopped."""

    def __init__(self, house: House, user: str, port: int) -> None:
        self.wrong: list[str] = []
        self.taken = 0
        self._house, self._user, self._url = house, user, f"http://127.0.0.1:{port}"
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with httpx2.Client(base_url=self._url, trust_env=False, timeout=60) as http:
            while not self._stop.is_set():
                call = self._house.partner.refund(self._user, "1.0")
                answer = http.post(call.path, content=call.body, headers={"content-type": "application/json"})
                with self._lock:
                    if answer.status_code == 200 and answer.json()["status"] == "OK":
                        self.taken += 1
                    else:
                        self.wrong.append(f"{answer.status_code} {answer.text}")

    def until(self, more: int) -> None:
        """Wait for so many further refunds."""
        wanted = self.taken + more
        wait_for(lambda: self.taken >= wanted or bool(self.wrong), 60, lambda: "no refund is answered")


def test_servers_come_and_go_behind_nginx_and_no_refund_is_lost(
    postgres: Postgres | Borrowed, tmp_path: Path
) -> None:
    house = House(postgres.create_database(), tmp_path)
    ports = [free_port(), free_port()]
    house.servers = [Server(house.db, tmp_path, port=port).start() for port in ports]
    user = house.player("100000.0")
    sample = _sample()
    for port, shown in zip(ports, SHOWN, strict=True):
        assert shown in sample
        sample = sample.replace(shown, f"127.0.0.1:{port}")
    folder = tmp_path / "nginx"
    folder.mkdir()
    try:
        with nginx(folder, sample) as front, Crowd(house, user, front) as crowd:
            for server in house.servers * 2:
                crowd.until(30)
                server.stop()
                crowd.until(30)
                server.start()
            for server in house.servers:
                crowd.until(30)
                server.kill()
                crowd.until(30)
                server.start()
            crowd.until(30)
        assert crowd.wrong == []
        assert house.balance(user) == f"{100_000 - crowd.taken}.0"
        house.audit()
        token = house.partner.token
        assert token in house.partner.refund(user, "1.0").path
        for log in folder.iterdir():
            assert log.is_dir() or token not in log.read_text(errors="replace"), log.name
    finally:
        for server in house.servers:
            server.stop()


@pytest.mark.parametrize(("level", "told"), [("crit", False), ("error", True)])
def test_only_the_level_of_the_sample_keeps_tokens_out_of_the_error_log(
    level: str, told: bool, tmp_path: Path
) -> None:
    """No server runs: nginx answers 502, and at its own level writes down the whole URL."""
    sample = _sample().replace(" crit;", f" {level};")
    for shown in SHOWN:
        sample = sample.replace(shown, f"127.0.0.1:{free_port()}")
    with nginx(tmp_path, sample) as front:
        answer = httpx2.post(f"http://127.0.0.1:{front}/user/refund?token=t-needle", trust_env=False)
        assert answer.status_code == 502
    assert ("t-needle" in (tmp_path / "errors").read_text()) is told
