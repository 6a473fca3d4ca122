"""Secrets are stored as hashes only, and shown once only."""

from __future__ import annotations

from pathlib import Path

from tests.support.running import caisse, ready, sql

TABLES = ("partner", "token", "connection", "migration")


def stored(db: str) -> bytes:
    """Everything that is stored: the files' bytes, or the tables' values."""
    if db.startswith("sqlite"):
        path = Path(db.removeprefix("sqlite:///"))
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
    values = [value for table in TABLES for row in sql(db, f"select * from {table}") for value in row]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


def test_no_secret_is_stored(db_url: str) -> None:
    ready(db_url)
    made = caisse("partner", "add", "acme", "--db", db_url, "--json").json["token"]
    caisse("partner", "token", "add", "acme", "--token", "-", "--db", db_url, stdin="the-given-token-0001\n")
    key = caisse("connection", "add", "acme", "lucky", "--db", db_url, "--json").json["key"]
    caisse("connection", "add", "acme", "lucky", "--db", db_url, env={"CAISSE_KEY": "the-given-key-0001"})
    everything = stored(db_url)
    assert b"acme" in everything
    assert b"lucky" in everything
    for secret in (made, key, "the-given-token-0001", "the-given-key-0001"):
        assert secret.encode() not in everything


def test_the_password_of_a_database_is_in_no_message() -> None:
    for url in (
        "postgresql://me:pass-word@127.0.0.1:1/x",
        "postgresql://me:pass-word@127.0.0.1:port/x",
        "postgresql://me:pass-word/x@127.0.0.1/x",
        "postgresql://me@127.0.0.1:1/x?password=pass-word",
        "mysql://me:pass-word@127.0.0.1/x",
    ):
        for words in (("audit",), ("config", "show"), ("serve", "--port", "0")):
            said = caisse(*words, "--db", url)
            assert "Traceback" not in said.err
            assert "pass-word" not in said.out + said.err


def test_a_password_in_the_list_of_processes_is_warned_of() -> None:
    url = "postgresql://me:pass-word@127.0.0.1:1/x"
    assert "CAISSE_DB instead" in caisse("serve", "--port", "0", "--db", url).err
    for words, env in ((("--db", "postgresql://me@127.0.0.1:1/x"), {}), ((), {"CAISSE_DB": url})):
        assert "CAISSE_DB instead" not in caisse("serve", "--port", "0", *words, env=env).err


def test_config_masks_secrets() -> None:
    env = {"CAISSE_TOKEN": "the-token", "CAISSE_KEY": "the-key", "CAISSE_DB": "postgresql://me:pw@h/x"}
    shown = caisse("config", "show", env=env)
    assert not any(secret in shown.out for secret in ("the-token", "the-key", ":pw@"))
    told = caisse("config", "show", "--json", env=env).json
    assert told["token"] == {"value": "***", "from": "CAISSE_TOKEN"}
    assert told["key"] == {"value": "***", "from": "CAISSE_KEY"}
    assert told["db"] == {"value": "postgresql://me:***@h/x", "from": "CAISSE_DB"}
