"""A database with partners and connections in it, and the looks into it that a client does not have."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from caisse.core.entries import Decision
from caisse.core.parties import Connection, secret_hash
from caisse.core.policy import DEFAULT_POLICY
from caisse.core.requests import SetFrozen
from caisse.ids import id_source
from caisse.store import audit_feed as auditing
from caisse.store import directory, migrate, opening
from caisse.store.api import Database
from caisse.writer.writer import Writer, clock
from tests.support.server import PATIENCE, Answer, Call, Game, Partner, Server

PROVIDER = "luckymonaco"
DEFAULT = "lucky-monaco-v4"
BY_ROUND = "lucky-monaco-v4-by-round"
OCTOBER, DECEMBER, KYREN = "lucky-monaco-v4-2024-10", "lucky-monaco-v4-2024-12", "kyren-v1"
SHIPPED = (DEFAULT, BY_ROUND, OCTOBER, DECEMBER, KYREN)
ALSO = ("stella", "kyren")
"""What the provider's newer editions call it."""
RIVAL = "rival"
"""Another provider, under the default profile."""
CLOSED_GAME = "g-closed"
SPARE_PARTNERS = 12
TABLES = ("player", "wallet", "journal", "round", "attempt")

CURRENCIES = '[[currency]]\ncode = "JPY"\nmax_decimals = 0\n'

PROFILES = {
    "absorb": 'late_bet = "absorb"',
    "exact": 'refund_amount = "exact"',
    "return": 'settled_bet = "return_stake"',
    "code": "unknown_bet = 17",
    "marked": "retransmission = true",
    "worded": (
        "[codes]\ninsufficient = 50\nbet_settled = 6\n[spellings]\naccount = 'userId'\nstake = 'amount'"
    ),
    "round-absorb": 'refund_by_round = true\nlate_bet = "absorb"',
    "round-return": 'refund_by_round = true\nsettled_bet = "return_stake"',
    "round-code": "refund_by_round = true\nunknown_bet = 17",
}
"""Profiles of an operator: name -> what they change."""

ids = id_source()


class Secrets(NamedTuple):
    """What one partner and its games call with."""

    partner: Partner
    games: dict[str, Game]
    """Profile -> the connection that has it, all of one provider and so on the same bets; and the rival's."""


class House:
    """One database, the servers on it, and everybody who may call them."""

    def __init__(self, db: str, folder: Path, count: int = 1) -> None:
        self.db = db
        self.folder = folder
        self.profiles = write_profiles(folder)
        self.currencies = folder / "currencies.toml"
        self.currencies.write_text(CURRENCIES)
        self.secrets = [_secrets("partner-0", (*SHIPPED, *PROFILES, RIVAL))]
        self.secrets += [_secrets(f"partner-{1 + n}", [DEFAULT]) for n in range(SPARE_PARTNERS)]
        asyncio.run(_furnish(db, self.secrets))
        self.servers = [
            Server(db, folder, CAISSE_PROFILES=str(self.profiles), CAISSE_CURRENCIES=str(self.currencies))
            for _ in range(count)
        ]
        self._spare = iter(self.secrets[1:])

    @property
    def server(self) -> Server:
        return self.servers[0]

    @property
    def partner(self) -> Partner:
        return self.secrets[0].partner

    def game(self, profile: str = DEFAULT) -> Game:
        return self.secrets[0].games[profile]

    def spare(self) -> Secrets:
        """A partner that nobody has used, for ids that must be as on a page; with the default's game."""
        return next(self._spare)

    def send(self, call: Call) -> Answer:
        return self.server.send(call)

    def told(self, call: Call) -> Answer:
        """Send what must succeed."""
        answer = self.send(call)
        assert (answer.status, answer.code) == (200, 0), answer
        return answer

    def player(self, funds: str = "300.0", partner: Partner | None = None, user: str = "") -> str:
        """A new player with that much USD; an empty text: with an empty wallet."""
        partner = partner or self.partner
        user = user or new_id("p")
        self.told(partner.create(user))
        self.told(partner.wallet(user))
        if funds:
            self.told(partner.charge(user, funds))
        return user

    def logged(self, call: Call, rows: int) -> Answer:
        """A page of a slot log, once it has so many rows: they come some time after their money (R57)."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.send(call)
            if len(answer.body.get("logs", ())) >= rows or time.monotonic() > deadline:
                return answer
            time.sleep(0.05)

    def balance(self, user: str, currency: str = "USD", partner: Partner | None = None) -> str:
        answer = self.told((partner or self.partner).balance(user, currency))
        return str(answer.body["balance"])

    def freeze(self, user: str, frozen: bool = True) -> None:
        """What an operator's command does: a decision of its own, beside the server."""
        request = SetFrozen(
            id=ids(),
            partner=self.partner.id,
            user=user,
            uuid="",
            endpoint="test",
            frozen=frozen,
            reason="test",
            by="test",
        )
        asyncio.run(_decide(self.db, request))

    def audit(self) -> None:
        """R52: everything recomputed from the journal, and nothing found."""
        report = asyncio.run(audited(self.db))
        assert report.findings == [], "\n".join(map(str, report.findings[:20]))

    def counts(self) -> dict[str, int]:
        """Rows in each table of the ledger."""
        return asyncio.run(_counts(self.db))


def write_profiles(folder: Path) -> Path:
    profiles = folder / "profiles"
    profiles.mkdir(exist_ok=True)
    for name, text in PROFILES.items():
        (profiles / f"{name}.toml").write_text(f'name = "{name}"\n{text}\n')
    return profiles


def new_id(kind: str) -> str:
    """An id that nobody has used."""
    return f"{kind}-{secrets.token_hex(8)}"


def secret(kind: str) -> str:
    return f"{kind}-{secrets.token_urlsafe(24)}"


def connection(
    partner: str,
    key: str,
    profile: str = DEFAULT,
    networks: Sequence[str] = (),
    provider: str = PROVIDER,
    also: Sequence[str] = (),
) -> Connection:
    """Without a key it is a keyless one."""
    return Connection(
        id=secrets.token_hex(6),
        partner=partner,
        provider=provider,
        key_hash=secret_hash(key) if key else b"",
        networks=tuple(networks),
        also=tuple(also),
        profile=profile,
    )


def _secrets(partner: str, profiles: Sequence[str]) -> Secrets:
    games = {p: Game("/" + secret("key"), RIVAL if p == RIVAL else PROVIDER) for p in profiles}
    return Secrets(Partner(partner, secret("token")), games)


async def prepare(url: str) -> None:
    """Bring a database to this version."""
    db = await opening.database(url)
    try:
        await migrate.migrate(db, url, clock())
    finally:
        await db.close()


async def add_partner(url: str, partner: Partner, *connections: Connection) -> None:
    """A partner, or another token of one, and connections."""
    db = await opening.database(url)
    try:
        await _add(db, partner, connections)
    finally:
        await db.close()


async def add_connections(url: str, *connections: Connection) -> None:
    db = await opening.database(url)
    try:
        await _connect(db, connections)
    finally:
        await db.close()


async def _add(db: Database, partner: Partner, connections: Sequence[Connection]) -> None:
    hash_ = secret_hash(partner.token)
    await directory.add_partner(db, partner.id, clock())
    assert await directory.add_token(db, partner.id, hash_[:4].hex(), hash_, clock())
    await _connect(db, connections)


async def _connect(db: Database, connections: Sequence[Connection]) -> None:
    for made in connections:
        assert await directory.add_connection(db, made, clock())


async def _furnish(url: str, everybody: Sequence[Secrets]) -> None:
    await prepare(url)
    db = await opening.database(url)
    try:
        for partner, games in everybody:
            made = [
                connection(
                    partner.id,
                    game.path[1:],
                    DEFAULT if profile == RIVAL else profile,
                    provider=game.provider,
                    also=() if profile == RIVAL else ALSO,
                )
                for profile, game in games.items()
            ]
            await _add(db, partner, made)
        first = everybody[0].partner.id
        await directory.set_game(db, first, PROVIDER, CLOSED_GAME, enabled=False, now=clock())
    finally:
        await db.close()


async def _decide(url: str, request: SetFrozen) -> None:
    writer = Writer([opening.ledger(url)])
    done: asyncio.Future[Decision | None] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(writer.run())
    assert writer.submit(request, DEFAULT_POLICY, done.set_result)
    decision = await done
    writer.close()
    await running
    assert decision is not None
    assert decision.rows, decision


async def audited(url: str) -> auditing.Report:
    db = await opening.database(url)
    try:
        return await auditing.audit(db)
    finally:
        await db.close()


async def _counts(url: str) -> dict[str, int]:
    db = await opening.database(url)
    try:
        return {table: int((await db.fetch(f"select count(*) from {table}"))[0][0]) for table in TABLES}
    finally:
        await db.close()
