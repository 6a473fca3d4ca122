"""TLS in the generator, nginx before a server, and what the report says of both."""

from __future__ import annotations

import re
import shutil
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from bench.contenders.caisse import OnPostgres
from bench.contenders.ceiling import Ceiling
from bench.contenders.contender import OverHttp, Task
from bench.contenders.nginx import behind_nginx, certificate, config, missing
from bench.load.client import Order
from bench.load.drive import LoadFailed, generator, own
from bench.load.heads import VARIED
from bench.plan import QUICK
from bench.report import figures
from bench.results import FOLDER, NGINX, NO_PROXY, Run, load
from bench.special import through_nginx
from bench.workloads import Doors, spec
from bench.world import World

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


class Fine(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # head and body in one packet

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b'{"status":"OK"}')

    def log_message(self, *_: object) -> None:
        pass


def test_the_own_generator_speaks_tls_and_trusts_only_the_certificate(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    trusted, stranger = certificate(tmp_path), certificate(other)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, tmp_path / "key.pem")
    asked = spec("spread", Doors("?a=b"), 10, VARIED)
    with ThreadingHTTPServer(("127.0.0.1", 0), Fine) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        order = Order(spec=asked, port=server.server_port, connections=2, seconds=0.3, ca=str(trusted))
        tally = own(order)
        assert (tally.answers > 0, tally.wrong, tally.lost) == (True, 0, 0)
        tally = own(msgspec.structs.replace(order, rate=50.0))
        assert (tally.answers > 0, tally.wrong, tally.lost) == (True, 0, 0)
        with pytest.raises(LoadFailed, match="CERTIFICATE_VERIFY_FAILED"):
            own(msgspec.structs.replace(order, ca=str(stranger)))
        server.shutdown()


def test_nginx_is_set_up_as_operations_advises(tmp_path: Path) -> None:
    advised = re.search(r"```\n(upstream .*?)```", OPERATIONS.read_text(), re.DOTALL)
    assert advised
    lines = [line.strip() for line in advised[1].splitlines()]
    wanted = [line for line in lines if re.match(r"(access_log|proxy_(?!pass|next|connect))", line)]
    assert len(wanted) > 3
    made = config(tmp_path, 8443, 8080)
    assert set(wanted) <= {line.strip() for line in made.splitlines()}
    for line in ("listen 127.0.0.1:8443 ssl;", "server 127.0.0.1:8080;", "proxy_pass http://caisse;"):
        assert line in made
    assert made.count("{") == made.count("}")


def test_requests_go_through_nginx_where_it_is_installed(tmp_path: Path) -> None:
    """With each generator: answers come over TLS and are looked at; nginx's CPU is counted for itself."""
    generators = ["own", "wrk"] if shutil.which("wrk") else ["own"]
    for name in [] if missing() else generators:
        world = World(tmp_path, None, generator(name), 10, 4)
        with (
            Ceiling(world).running() as running,
            behind_nginx(running.server, tmp_path / name) as front,
        ):
            through = OverHttp("ceiling", world, front, running.doors, 4, 10)
            sample = through.measure(Task("spread", 0, 0, 1))
        assert sample.answers > 0
        assert set(sample.cpu) == {"server", "database", "proxy", "generator"}
        assert sample.cpu["proxy"] > 0


def test_the_report_says_that_nginx_was_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = load(FOLDER / "reference.json")
    run.notes = []
    through_nginx(OnPostgres(World(tmp_path, None, generator("own"), 10, 4)), QUICK, run)
    assert run.notes == ["Refunds through nginx with TLS were not measured: nginx was not installed."]


def test_what_a_user_will_see_is_a_table_of_its_own() -> None:
    run = load(FOLDER / "reference.json")
    assert "What a user will see" not in figures(run)
    shown = figures(with_user(run))
    assert "| through nginx with TLS | 500 | 10.0 |" in shown
    assert shown.count(NGINX) == 0  # nor among the journal's lengths


def with_user(run: Run) -> Run:
    sample = run.of("caisse-pg", "spread")[0]
    cpu = {"server": 0.01, "database": 0.02, "generator": 0.03, "proxy": 0.04}
    for workload, answers in ((NO_PROXY, 2_000), (NGINX, 1_000)):
        seen = msgspec.structs.replace(sample, workload=workload, answers=answers, seconds=2.0, cpu=cpu)
        run.samples.append(seen)
    return run
