"""nginx with TLS before a server, as `docs/operations.md` advises; its connections to the server are kept."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.contenders.contender import Server
from bench.world import NotReady, process, until
from tests.support.nginx import configuration, listens
from tests.support.postgres import free_port

PROGRAMS: Final = ("nginx", "openssl")
HTTP: Final = """
    keepalive_requests 1000000000;
    upstream caisse {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        access_log off;
        location / {{
            proxy_pass http://caisse;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_read_timeout 15s;
        }}
    }}
"""
"""A connection is never closed for the number of its requests: nginx would do so after 1,000, and our
own generator takes a closed connection for a fault."""


def missing() -> str:
    """The first program that this needs and this machine has not; empty if it has all."""
    return next((name for name in PROGRAMS if shutil.which(name) is None), "")


def certificate(folder: Path) -> Path:
    """Make a certificate for 127.0.0.1 that signs itself, and its key beside it."""
    made = folder / "certificate.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
        " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(made)]
    done = subprocess.run([*command.split(), *files], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NotReady(f"openssl made no certificate: {done.stderr}")
    return made


def config(folder: Path, port: int, upstream: int) -> str:
    """What nginx reads."""
    http = HTTP.format(folder=folder, port=port, upstream=upstream)
    main = "worker_processes auto;\nworker_rlimit_nofile 16384;"
    return configuration(folder, http, main, "worker_connections 8192;")


@contextmanager
def behind_nginx(server: Server, folder: Path) -> Iterator[Server]:
    """The server as it is reached through nginx."""
    folder.mkdir(exist_ok=True)
    trusted, port, log = certificate(folder), free_port(), folder / "nginx.log"
    (folder / "nginx.conf").write_text(config(folder, port, server.port))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with process(command, log) as child:
        until(lambda: listens(port), child, log)
        yield server._replace(port=port, proxy=child.pid, ca=str(trusted))
