"""What an attacker, a bug or a bad disk may do to the tables; with who must be named, and by which check.

The statements are alike on both engines: a value is a literal in quotes, which PostgreSQL reads as what the
column holds and SQLite as text; numbers and bytes have spellings of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

import msgspec

from caisse.core.book import Book, Player, Round
from caisse.core.entries import NO_HEAD, Decision, Entry, Identity, Kind, sealed
from caisse.core.money import UNIT, show
from caisse.core.requests import fingerprint
from caisse.core.verdicts import Verdict
from caisse.store import columns

Statements = list[str]
NOBODY = "nobody-at-all"


class Corruption(NamedTuple):
    """Something done to the tables."""

    name: str
    by: str
    """The check that must find it, whichever others do too."""
    who: str
    """The player whom a finding must name; empty where it is about all of them."""
    done: Statements
    row: int = 0
    """The row that a finding must name, or the one after it; 0 where it is about none."""

    @property
    def kind(self) -> str:
        """What it is counted as."""
        known = {"forged": "forgery", "perfect": "perfect forgery", "column": "changed column"}
        return known.get(re.split(r"\W", self.name)[0], "corruption")


class Tables(NamedTuple):
    """All there is, as it was before."""

    engine: str
    rows: list[Entry]
    players: dict[str, Player]
    rounds: list[Round]
    attempts: list[tuple[str, str, bool]]
    """Player, key, whether it was a repeat."""

    def of(self, player: str) -> list[Entry]:
        return [row for row in self.rows if row.player == player]

    def literal(self, value: Any) -> str:
        if isinstance(value, bytes):
            return f"'\\x{value.hex()}'" if self.engine == "postgres" else f"x'{value.hex()}'"
        if isinstance(value, bool) and self.engine == "postgres":
            return str(value).lower()
        if isinstance(value, int):
            return str(int(value))
        return "'" + str(value).replace("'", "''") + "'"

    def change(self, table: str, where: str, **values: Any) -> str:
        sets = ", ".join(f"{name} = {self.literal(value)}" for name, value in values.items())
        return f"update {table} set {sets} where {where}"

    def add(self, table: str, names: Sequence[str], values: Sequence[Any]) -> str:
        return f"insert into {table} ({', '.join(names)}) values ({', '.join(map(self.literal, values))})"

    def row(self, row: Entry) -> str:
        """Where it is."""
        return f"player = {self.literal(row.player)} and seq = {row.seq}"


Plan = Callable[[Tables, Random], Iterator[Corruption]]


def corruptions(tables: Tables, chance: Random) -> Iterator[Corruption]:
    """All of them once, each on a victim drawn anew."""
    for plan in (_columns, _rows, _heads, _rounds, _wallets, _doubled, _spellings, _lost, _forged, _perfect):
        yield from plan(tables, chance)


def _other(value: Any) -> Any:
    """A value of its column that it does not have."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value + 1 if isinstance(value, int) else f"{value}x"


def _columns(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Any single column of a row of the journal."""
    for name in columns.JOURNAL:
        row = chance.choice(t.rows)
        value: Any = _other(getattr(row, name))
        if name in ("amount", "balance", "asked"):
            value = show(getattr(row, name) + UNIT)
        elif name == "id":
            value = row.id[:-1] + ("0" if row.id[-1] != "0" else "1")
        by = "sequence" if name in ("partner", "player", "seq") else "chain"
        yield Corruption(
            f"column {name} of a row", by, row.player, [t.change("journal", t.row(row), **{name: value})]
        )


def _rows(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Rows that go, come, or change places."""
    rows = t.of(chance.choice([p for p in t.players if len(t.of(p)) > 4]))
    who, last, middle = rows[0].player, rows[-1], chance.choice(rows[1:-1])
    for name, row in (("first", rows[0]), ("middle", middle), ("last", last)):
        yield Corruption(f"{name} row deleted", "sequence", who, [f"delete from journal where {t.row(row)}"])
    tail = [f"delete from journal where {t.row(last)}", t.change("player", _is(t, who), seq=last.seq - 1)]
    yield Corruption("last row deleted, the head's number too", "chain", who, tail)
    yield Corruption(
        "two rows swapped",
        "chain",
        who,
        [
            t.change("journal", t.row(middle), seq=-1),
            t.change("journal", t.row(msgspec.structs.replace(middle, seq=middle.seq + 1)), seq=middle.seq),
            t.change("journal", f"player = {t.literal(who)} and seq = -1", seq=middle.seq + 1),
        ],
        middle.seq,
    )
    added = msgspec.structs.replace(middle, seq=last.seq + 1)
    put = t.add("journal", columns.JOURNAL, columns.entry_row(added))
    yield Corruption("a row inserted", "chain", who, [put], added.seq)
    again = t.add("journal", columns.JOURNAL, columns.entry_row(middle))
    yield Corruption("a row twice", "sequence", who, [again], middle.seq)
    yield Corruption(
        "all rows deleted", "sequence", who, [f"delete from journal where player = {t.literal(who)}"]
    )


def _is(t: Tables, who: str) -> str:
    return f"id = {t.literal(who)}"


def _heads(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Any single column of a player, and players that go and come."""
    checks = {"partner": "sequence", "id": "sequence", "seq": "sequence", "head": "chain"}
    for name in columns.STANDING:
        who = chance.choice(list(t.players))
        value = _other(getattr(t.players[who], name))
        done = [t.change("player", _is(t, who), **{name: value})]
        yield Corruption(f"column {name} of a player", checks.get(name, "player"), who, done)
    who = chance.choice(list(t.players))
    yield Corruption("a player deleted", "sequence", who, [f"delete from player where {_is(t, who)}"])
    for name, values in (
        ("emptied", {"name": "", "name_key": b""}),
        ("emptied, its key kept", {"name": ""}),
        ("of another", {"name": "Somebody Else"}),
    ):
        yield Corruption(f"a name {name}", "player", who, [t.change("player", _is(t, who), **values)])
    stranger = msgspec.structs.replace(t.players[who], id=NOBODY)
    put = t.add("player", columns.PLAYER, columns.player_row(stranger))
    yield Corruption("a player without rows", "sequence", NOBODY, [put])


def _rounds(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Any single column of a round, and rounds that go and come."""
    for name in columns.ROUND:
        round_ = chance.choice(t.rounds)
        value: Any = _other(getattr(round_, name))
        if name in columns.TOTALS:
            value = show(getattr(round_, name) + UNIT)
        elif name == "opened_id":
            value = round_.opened_id[:-1] + ("0" if round_.opened_id[-1] != "0" else "1")
        where = f"id = {t.literal(round_.id)} and player = {t.literal(round_.player)}"
        done = [t.change("round", where, **{name: value})]
        by = "slot log" if name.startswith("logged") else "rounds"
        yield Corruption(f"column {name} of a round", by, round_.player, done)
    round_ = chance.choice(t.rounds)
    gone = f"delete from round where id = {t.literal(round_.id)} and player = {t.literal(round_.player)}"
    yield Corruption("a round deleted", "rounds", round_.player, [gone])
    more = msgspec.structs.replace(round_, id="never-played")
    put = t.add("round", columns.ROUND, columns.round_row(more))
    yield Corruption("a round without rows", "rounds", round_.player, [put])


def _wallets(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Balances, and wallets that go, come, or change hands."""
    rich = [p for p in t.players.values() if p.wallets.get("USD", 0) > UNIT]
    giver, taker = chance.sample(rich, 2)
    held, owned = giver.wallets["USD"], taker.wallets["USD"]
    more = _held(t, giver, USD=show(held + 1))
    yield Corruption("an atom more in a wallet", "balances", giver.id, [more])
    yield Corruption("an atom more in the house's sum", "double entry", "", [more])
    moved = [_held(t, giver, USD=show(held - UNIT)), _held(t, taker, USD=show(owned + UNIT))]
    yield Corruption("money moved between two wallets", "balances", giver.id, moved)
    renamed = {"XXX" if code == "USD" else code: show(sum_) for code, sum_ in giver.wallets.items()}
    yield Corruption("a wallet's currency", "balances", giver.id, [_holds(t, giver, renamed)])
    rest = {code: show(sum_) for code, sum_ in giver.wallets.items() if code != "USD"}
    yield Corruption("a wallet deleted", "balances", giver.id, [_holds(t, giver, rest)])
    for balance in ("0.0", "5.0"):
        yield Corruption(f"a wallet of {balance} added", "balances", giver.id, [_held(t, giver, XXX=balance)])


def _held(t: Tables, player: Player, **balances: str) -> str:
    """Some of a player's wallets with other balances."""
    return _holds(t, player, {code: show(held) for code, held in player.wallets.items()} | balances)


def _holds(t: Tables, player: Player, balances: dict[str, str]) -> str:
    return t.change("player", _is(t, player.id), balances=json.dumps(balances))


def _doubled(t: Tables, chance: Random) -> Iterator[Corruption]:
    """What must be there once, under two rows."""
    one, two = chance.sample([r for r in t.rows if not r.part], 2)
    who = min(one.player, two.player)
    yield Corruption("a key twice", "keys", who, [t.change("journal", t.row(two), key=one.key)])
    yield Corruption("an id and part twice", "keys", who, [t.change("journal", t.row(two), id=one.id)])
    named = chance.choice([r for r in t.rows if r.second_key and r.player != one.player])
    who = min(one.player, named.player)
    yield Corruption(
        "a second key twice", "keys", who, [t.change("journal", t.row(one), second_key=named.second_key)]
    )


def _spellings(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Amounts that are no numbers."""
    row, round_ = chance.choice(t.rows), chance.choice(t.rounds)
    texts = ("NaN",) if t.engine == "postgres" else ("1x.0y", "0.", "01.0", "1e3", "NaN", "1.0 ")
    for text in texts:
        name = chance.choice(("amount", "balance", "asked"))
        done = [t.change("journal", t.row(row), **{name: text})]
        yield Corruption(f"{text!r} in a row", "readable", row.player, done, row.seq)
    text = chance.choice(texts)
    where = f"id = {t.literal(round_.id)} and player = {t.literal(round_.player)}"
    yield Corruption("no number in a round", "readable", round_.player, [t.change("round", where, won=text)])
    owner = chance.choice([p for p in t.players.values() if p.wallets])
    code = chance.choice(list(owner.wallets))
    yield Corruption("no number in a wallet", "readable", owner.id, [_held(t, owner, **{code: text})])
    twice = t.change("player", _is(t, owner.id), balances='{"USD":"1.0","USD":"1.0"}')
    yield Corruption("a wallet twice", "readable", owner.id, [twice])
    for shape in ("{", "[]", '[["USD","1.0"]]', '{"USD": "1.0"}', '{"USD":1.0}', '{"USD":null}'):
        broken = t.change("player", _is(t, owner.id), balances=shape)
        yield Corruption(f"wallets as {shape}", "readable", owner.id, [broken])


def _lost(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Repeats of nothing, and of nobody's."""
    player, key, _ = chance.choice([a for a in t.attempts if a[2]])
    where = f"player = {t.literal(player)} and key = {t.literal(key)}"
    yield Corruption("a repeat of no row", "attempts", player, [t.change("attempt", where, key="t:gone")])
    yield Corruption("a repeat of nobody's", "attempts", NOBODY, [t.change("attempt", where, player=NOBODY)])


# Forgeries: rows changed by someone who then seals every later row and makes every head fit, with our code.


def _forgery(t: Tables, rows: Sequence[Entry]) -> Statements:
    """A player's rows in place of his old ones, numbered, added up and sealed anew, with all heads."""
    who, book, head = rows[0].player, Book(), NO_HEAD
    sums: dict[str, int] = {}
    for seq, row in enumerate(rows, 1):
        sums[row.currency] = sums.get(row.currency, 0) + row.amount
        draft = msgspec.structs.replace(row, seq=seq, balance=max(sums[row.currency], 0))
        entry = sealed(head, draft)
        identity = Identity(t.players[who].name, t.players[who].name_key) if seq == 1 else None
        book.take(
            Decision(verdict=entry.verdict, rule=entry.rule, row=entry, rows=(entry,), identity=identity)
        )
        head = entry.hash
    return [*_wiped(t, who), *_told(t, book)]


def _wiped(t: Tables, who: str) -> Statements:
    tables = ("journal", "round")
    return [
        *(f"delete from {table} where player = {t.literal(who)}" for table in tables),
        f"delete from player where {_is(t, who)}",
    ]


def _told(t: Tables, book: Book) -> Iterator[str]:
    for entry in book.appended:
        yield t.add("journal", columns.JOURNAL, columns.entry_row(entry))
    for round_ in book.rounds.values():
        yield t.add("round", columns.ROUND, columns.round_row(round_))
    for player in book.players.values():
        yield t.add("player", columns.PLAYER, columns.player_row(player))


def _edited(t: Tables, victim: Entry, **values: Any) -> Statements:
    new = msgspec.structs.replace(victim, **values)
    return _forgery(t, [new if row is victim else row for row in t.of(victim.player)])


def _forged(t: Tables, chance: Random) -> Iterator[Corruption]:
    """All hashes and heads fit; the words contradict each other."""

    def some(kind: Kind, verdict: Verdict = Verdict.OK) -> Entry:
        return chance.choice([r for r in t.rows if (r.kind, r.verdict, r.part) == (kind, verdict, 0)])

    charge, refused = some(Kind.CHARGE), some(Kind.WITHDRAW, Verdict.INSUFFICIENT)
    more = charge.amount + UNIT
    for name, by, victim, values in (
        ("an amount", "moves", charge, {"amount": more}),
        ("an amount and what was asked", "words", charge, {"amount": more, "asked": more}),
        ("a refusal that pays", "moves", refused, {"amount": UNIT}),
        ("an unknown kind", "moves", some(Kind.SESSION), {"kind": "gift"}),
        ("an unknown verdict", "moves", refused, {"verdict": "perhaps"}),
        ("a refusal that was not so", "verdicts", refused, {"verdict": Verdict.PLAYER_FROZEN, "rule": "R15"}),
        ("a refusal of another kind", "verdicts", refused, {"verdict": Verdict.WALLET_UNKNOWN, "rule": "R8"}),
        ("a rule", "moves", charge, {"rule": "R99"}),
        ("a word that such a row has not", "words", charge, {"round": "r-1"}),
        ("a transaction's id that is none", "words", charge, {"id": NO_ID[t.engine]}),
        ("a second key of no such space", "words", charge, {"second_key": "y:1"}),
        ("a name's hash", "player", t.of(charge.player)[0], {"name": "00" * 16}),
        ("a key", "words", charge, {"key": "t:another", "second_key": ""}),
        ("the id of the row before", "decisions", refused, {"id": t.of(refused.player)[refused.seq - 2].id}),
    ):
        yield Corruption(f"forged: {name}", by, victim.player, _edited(t, victim, **values), victim.seq)
    back = some(Kind.ROLLBACK)
    twice = msgspec.structs.replace(back, id=_new(back.id), key=back.key + "-again")
    rows = [*t.of(back.player), twice]
    yield Corruption(
        "forged: a bet rolled back twice", "rollbacks", back.player, _forgery(t, rows), len(rows)
    )
    end = t.of(charge.player)[-1]
    wrong = msgspec.structs.replace(end, balance=end.balance + 1)
    put = sealed(t.of(end.player)[-2].hash, wrong)
    done = [
        t.change("journal", t.row(end), balance=show(put.balance), hash=put.hash),
        t.change("player", _is(t, end.player), head=put.hash),
    ]
    yield Corruption("forged: a balance in the journal", "balances", end.player, done, end.seq)


NO_ID = {"postgres": "01980000-0000-4000-8000-000000000000", "sqlite": "none"}
"""What the column takes and is no UUIDv7."""


def _new(id_: str) -> str:
    return ("1" if id_[0] != "1" else "2") + id_[1:]


def _perfect(t: Tables, chance: Random) -> Iterator[Corruption]:
    """Everything fits everything: only an anchor knows better."""
    charge = chance.choice([r for r in t.rows if r.kind is Kind.CHARGE and r.verdict is Verdict.OK])
    more = charge.amount + UNIT
    print_ = fingerprint(("charge", charge.player, charge.currency, show(more)))
    paid = _edited(t, charge, amount=more, asked=more, fingerprint=print_)
    who = charge.player
    yield Corruption("perfect: a charge of more", "anchor", who, paid)
    tombstone = chance.choice([r for r in t.rows if r.kind is Kind.TOMBSTONE])
    refused = chance.choice([r for r in t.rows if (r.kind, r.verdict) == (Kind.BET, Verdict.INSUFFICIENT)])
    for name, row, values in (
        ("another endpoint", charge, {"endpoint": "/elsewhere"}),
        ("another TransactionId", charge, {"second_key": "x:another"}),
        ("another id", refused, {"id": _new(refused.id)}),
        ("another request of a bet", refused, {"uuid": "another"}),
        ("another sum asked of a tombstone", tombstone, {"asked": tombstone.asked + 1}),
        ("a game that was off", refused, {"verdict": Verdict.GAME_DISABLED, "rule": "R30"}),
        ("other details", refused, {"details": '{"another":"thing"}'}),
    ):
        yield Corruption(f"perfect: {name}", "anchor", row.player, _edited(t, row, **values))
    left = [row for row in t.of(who) if row.id != t.of(who)[-1].id]
    yield Corruption("perfect: the newest decision cut off", "anchor", who, _forgery(t, left), len(left))
    wiped = [*_wiped(t, who), f"delete from attempt where player = {t.literal(who)}"]
    yield Corruption("perfect: a player wiped out", "anchor", who, wiped)
