"""Partners, tokens, connections and disabled games: who may call. The same SQL on every engine.

Only hashes of secrets come in here; nothing that is written or read could be used to call.
"""

import json
from ipaddress import ip_network
from typing import Final, NamedTuple

from caisse.core.parties import Connection, Parties, Partner
from caisse.store.api import Damaged, Database


async def parties(db: Database) -> Parties:
    """Everybody who may call now."""
    tokens: dict[str, list[bytes]] = {}
    for partner, hash_ in await db.fetch(
        "select partner.id, token.hash from partner left join token"
        " on token.partner = partner.id and token.revoked_at is null order by 1"
    ):
        tokens.setdefault(partner, []).extend([hash_] if hash_ is not None else [])
    disabled: dict[tuple[str, str], set[str]] = {}
    for partner, provider, game in await db.fetch("select partner, provider, game from disabled_game"):
        disabled.setdefault((partner, provider), set()).add(game)
    rows = await db.fetch(
        "select partner, id, provider, key_hash, networks, also, profile from connection"
        " where revoked_at is null order by partner, id"
    )
    connections = tuple(
        Connection(
            id=id_,
            partner=partner,
            provider=provider,
            key_hash=key_hash,
            networks=_networks(id_, networks),
            also=tuple(json.loads(also)),
            profile=profile,
            disabled_games=frozenset(disabled.get((partner, provider), ())),
        )
        for partner, id_, provider, key_hash, networks, also, profile in rows
    )
    return Parties(tuple(Partner(id_, tuple(hashes)) for id_, hashes in tokens.items()), connections)


_ADD_PARTNER: Final = "insert into partner (id, created_at) values ($1, $2) on conflict (id) do nothing"
_ADD_FURTHER: Final = (
    "insert into token (partner, id, hash, created_at) values ($1, $2, $3, $4) on conflict do nothing"
)


def _networks(connection: str, text: str) -> tuple[str, ...]:
    """Damaged unless it is a JSON array of networks: one that is read wrongly would let anybody in."""
    try:
        networks = json.loads(text)
        if not isinstance(networks, list):
            raise ValueError("no list of networks")
        return tuple(str(ip_network(network)) for network in networks)
    except (ValueError, TypeError) as error:
        raise Damaged(f"connection {connection}: {error}") from error


async def add_partner(db: Database, partner: str, now: int) -> bool:
    """A partner that has no token yet. False if there is one of that id already."""
    return bool(await db.execute(_ADD_PARTNER, partner, now))


async def add_partner_with_token(db: Database, partner: str, token: str, hash_: bytes, now: int) -> bool:
    """Both, or, if there is such a partner or token already, neither and False."""
    return await db.execute_all((_ADD_PARTNER, (partner, now)), (_ADD_FURTHER, (partner, token, hash_, now)))


async def has_partner(db: Database, partner: str) -> bool:
    """Whether a partner of that id exists."""
    return bool(await db.fetch("select 1 from partner where id = $1", partner))


async def add_token(db: Database, partner: str, token: str, hash_: bytes, now: int) -> bool:
    """`token` is its public id. False if that very token is in use already."""
    return bool(await db.execute(_ADD_FURTHER, partner, token, hash_, now))


async def revoke_token(db: Database, partner: str, token: str, now: int) -> bool:
    """False if there is no such active token."""
    return bool(
        await db.execute(
            "update token set revoked_at = $1 where partner = $2 and id = $3 and revoked_at is null",
            now,
            partner,
            token,
        )
    )


async def tokens(db: Database, partner: str) -> list[tuple[str, int, int | None]]:
    """(public id, created, revoked) of a partner's tokens, oldest first."""
    rows = await db.fetch(
        "select id, created_at, revoked_at from token where partner = $1 order by created_at, id", partner
    )
    return [tuple(row) for row in rows]


async def partners(db: Database) -> list[tuple[str, int]]:
    """(id, created) of every partner."""
    return [tuple(row) for row in await db.fetch("select id, created_at from partner order by id")]


class Registered(NamedTuple):
    """A connection and its times; revoked ones too."""

    connection: Connection
    created_at: int
    revoked_at: int | None


async def connections(db: Database) -> list[Registered]:
    """Every connection, in order of partner, oldest first."""
    rows = await db.fetch(
        "select partner, id, provider, key_hash, networks, also, profile, created_at, revoked_at"
        " from connection order by partner, created_at, id"
    )
    return [
        Registered(
            Connection(
                id=id_,
                partner=partner,
                provider=provider,
                key_hash=key_hash,
                networks=_networks(id_, networks),
                also=tuple(json.loads(also)),
                profile=profile,
            ),
            *times,
        )
        for partner, id_, provider, key_hash, networks, also, profile, *times in rows
    ]


async def add_connection(db: Database, connection: Connection, now: int) -> bool:
    """False if its id is taken, or if a call could not tell it from another: its key is or was in use, or
    it is a provider's second keyless one. The partner must exist.
    """
    touched = await db.execute(
        "insert into connection (partner, id, provider, key_hash, networks, also, profile, created_at)"
        " select $1, $2, $3, $4, $5, $6, $7, $8"
        " where not exists (select 1 from connection where key_hash = $4"
        " and (length(key_hash) > 0 or (provider = $3 and revoked_at is null))) on conflict do nothing",
        connection.partner,
        connection.id,
        connection.provider,
        connection.key_hash,
        json.dumps(connection.networks),
        json.dumps(connection.also),
        connection.profile,
        now,
    )
    return bool(touched)


async def revoke_connection(db: Database, connection: str, now: int) -> bool:
    """False if there is no such active connection."""
    sql = "update connection set revoked_at = $1 where id = $2 and revoked_at is null"
    return bool(await db.execute(sql, now, connection))


async def disabled_games(db: Database) -> list[tuple[str, str, str, int]]:
    """(partner, provider, game, when) of every disabled game."""
    sql = "select partner, provider, game, created_at from disabled_game order by partner, provider, game"
    return [tuple(row) for row in await db.fetch(sql)]


async def set_game(db: Database, partner: str, provider: str, game: str, *, enabled: bool, now: int) -> bool:
    """Disable or enable one game of a connection; False if nothing changed."""
    if enabled:
        sql = "delete from disabled_game where partner = $1 and provider = $2 and game = $3"
        return bool(await db.execute(sql, partner, provider, game))
    sql = (
        "insert into disabled_game (partner, provider, game, created_at) values ($1, $2, $3, $4)"
        " on conflict do nothing"
    )
    return bool(await db.execute(sql, partner, provider, game, now))
