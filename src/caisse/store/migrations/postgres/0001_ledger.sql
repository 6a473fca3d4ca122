-- The ledger. Every key begins with the partner, the tenant, so that one partner's rows can live on one node.
-- Text is compared byte by byte (collate "C"): exact, and cheapest to index.

create table partner (
    id          text collate "C" primary key,
    created_at  bigint not null
);

create table token (
    partner     text collate "C" not null references partner (id),
    id          text collate "C" not null,
    hash        bytea not null unique,
    created_at  bigint not null,
    revoked_at  bigint,
    primary key (partner, id)
);

create table connection (
    partner     text collate "C" not null references partner (id),
    id          text collate "C" not null,
    provider    text collate "C" not null,
    key_hash    bytea not null,
    networks    text not null,
    also        text not null,
    profile     text not null,
    created_at  bigint not null,
    revoked_at  bigint,
    primary key (partner, id)
);

-- A key opens one connection; without a key a provider has at most one.
create unique index connection_key on connection (key_hash) where length(key_hash) > 0;
create unique index connection_keyless on connection (provider)
    where length(key_hash) = 0 and revoked_at is null;

create table disabled_game (
    partner     text collate "C" not null references partner (id),
    provider    text collate "C" not null,
    game        text collate "C" not null,
    created_at  bigint not null,
    primary key (partner, provider, game)
);

create table player (
    partner     text collate "C" not null,
    id          text collate "C" not null,
    -- What is personal of a player, and stands nowhere else; both empty once the player is forgotten.
    name        text not null,
    name_key    bytea not null check (length(name_key) in (0, 16)),
    created_at  bigint not null,
    login_at    bigint not null,
    session     text not null,
    frozen      boolean not null,
    seq         bigint not null check (seq > 0),
    head        bytea not null check (length(head) = 32),
    -- Currency code to balance, as a JSON object: one row to write for a decision, whatever it moves. No amount
    -- begins with a minus sign; that each is the journal's, the audit proves.
    balances    text collate "C" not null check (position('"-' in balances) = 0),
    primary key (partner, id)
) with (fillfactor = 70);

-- Finding a session that goes on. Written when a session begins, not with each bet.
create index player_session on player (partner, session) where session <> '';

-- What a batch changes of a player: how such rows arrive. `loaded` is the number that must still stand.
create type player_move as (
    partner     text,
    id          text,
    login_at    bigint,
    session     text,
    frozen      boolean,
    seq         bigint,
    head        bytea,
    balances    text,
    loaded      bigint,
    forgotten   boolean
);

-- For people: one row for each wallet.
create view wallet as
    select player.partner, player.id as player, held.key as currency, held.value::numeric as balance
    from player cross join lateral json_each_text(player.balances::json) as held;

-- The upper bounds are what refuses NaN, which compares as greater than everything.
create table journal (
    partner     text collate "C" not null,
    player      text collate "C" not null,
    seq         bigint not null,
    id          uuid not null,
    part        integer not null,
    kind        text collate "C" not null,
    verdict     text collate "C" not null,
    rule        text collate "C" not null,
    endpoint    text collate "C" not null,
    currency    text collate "C" not null,
    amount      numeric not null check (amount > '-Infinity' and amount < 'Infinity'),
    balance     numeric not null check (balance >= 0 and balance < 'Infinity'),
    asked       numeric not null check (asked >= 0 and asked < 'Infinity'),
    key         text collate "C" not null,
    second_key  text collate "C" not null,
    fingerprint bytea not null check (length(fingerprint) = 16),
    uuid        text collate "C" not null,
    provider    text collate "C" not null,
    reference   text collate "C" not null,
    round       text collate "C" not null,
    game        text collate "C" not null,
    session     text collate "C" not null,
    name        text not null,
    details     text not null,
    at          bigint not null,
    hash        bytea not null check (length(hash) = 32),
    primary key (partner, player, seq)
);

create unique index journal_id on journal (id, part, partner);
-- After the indexes that hold all rows: in a table that a planner believes empty several can find a key, the slow
-- ones by the partner alone, and the newest is taken. The indexes that follow hold some rows only.
create unique index journal_key on journal (partner, key);
create unique index journal_second_key on journal (partner, second_key) where second_key <> '';

-- Finding a provider's request by its uuid; on the transfer door the uuid is the key already.
create index journal_uuid on journal (partner, uuid) where provider <> '';

-- A player's newest transfer, whatever he played since.
create index journal_transfer on journal (partner, player, seq) where kind in ('charge', 'withdraw');

-- Finding what names a round that may not be known: refusals and awards. No bet or result is in it.
create index journal_stray on journal (partner, round)
    where round <> '' and (verdict <> 'ok' or kind in ('bonus', 'jackpot', 'promo'));

-- Finding a session that ended.
create index journal_session on journal (partner, session) where kind = 'session';

-- What the refund of a round reads.
create index journal_round on journal (partner, player, provider, round, seq)
    where kind in ('bet', 'rollback') and verdict = 'ok';

-- For the movements of a day. Rows come nearly in order of time, so a summary of each 32 pages is enough.
create index journal_at on journal using brin (at) with (pages_per_range = 32);

-- Rounds are the player's own: another player's bets under the same id are another round.
create table round (
    partner     text collate "C" not null,
    player      text collate "C" not null,
    provider    text collate "C" not null,
    id          text collate "C" not null,
    currency    text collate "C" not null,
    game        text collate "C" not null,
    state       text collate "C" not null,
    standing    integer not null check (standing >= 0),
    bets        integer not null check (bets >= standing),
    settled_seq bigint not null,
    opened_seq  bigint not null,
    opened_at   bigint not null,
    opened_id   uuid not null,
    staked      numeric not null check (staked < 'Infinity'),
    won         numeric not null check (won < 'Infinity'),
    jackpot     numeric not null check (jackpot < 'Infinity'),
    jackpot_id  text not null,
    logged      boolean not null,
    logged_staked numeric not null check (logged_staked < 'Infinity'),
    logged_won numeric not null check (logged_won < 'Infinity'),
    logged_jackpot numeric not null check (logged_jackpot < 'Infinity')
) with (fillfactor = 70);

-- How new rows arrive: a type of its own for each table, so that a column added to the table changes no statement.
create type journal_row as (
    partner text, player text, seq bigint, id uuid, part integer, kind text, verdict text, rule text, endpoint text,
    currency text, amount numeric, balance numeric, asked numeric, key text, second_key text, fingerprint bytea,
    uuid text, provider text, reference text, round text, game text, session text, name text, details text,
    at bigint, hash bytea
);
create type player_row as (
    partner text, id text, name text, name_key bytea, created_at bigint, login_at bigint, session text,
    frozen boolean, seq bigint, head bytea, balances text
);
create type round_row as (
    partner text, player text, provider text, id text, currency text, game text, state text, standing integer,
    bets integer, settled_seq bigint, opened_seq bigint, opened_at bigint, opened_id uuid, staked numeric,
    won numeric, jackpot numeric, jackpot_id text, logged boolean, logged_staked numeric, logged_won numeric,
    logged_jackpot numeric
);

-- Finding a round by its id alone, whoever plays it.
create index round_id on round (id, provider, partner);

-- After it, not with the table: of two indexes that look alike while a table is empty, the newer one is taken.
alter table round add primary key (partner, player, provider, id);

-- A journal row is never changed or deleted.
create function caisse_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append only' using errcode = '42501';
end $$;

create trigger journal_append_only before update or delete on journal
    for each row execute function caisse_refuse_change();
create trigger journal_no_truncate before truncate on journal
    for each statement execute function caisse_refuse_change();

-- A batch counts only if every row it meant to touch was touched; else all of it is undone.
create function caisse_expect(touched bigint, wanted bigint) returns boolean language plpgsql as $$
begin
    if touched <> wanted then
        raise exception 'touched % rows, wanted %', touched, wanted using errcode = '40001';
    end if;
    return true;
end $$;

-- Requests that left no journal row: repeats, refusals that claim no key, and what could not be read. Kept to
-- explain, never to decide; written about a second after the answer, equal ones counted together.
create table attempt (
    partner     text collate "C" not null,
    player      text collate "C" not null,
    provider    text collate "C" not null,
    endpoint    text collate "C" not null,
    uuid        text collate "C" not null,
    reference   text collate "C" not null,
    round       text collate "C" not null,
    key         text collate "C" not null,
    verdict     text collate "C" not null,
    rule        text collate "C" not null,
    fault       text collate "C" not null,
    flag        text collate "C" not null,
    replay      boolean not null,
    content     text not null,
    count       bigint not null,
    first_at    bigint not null,
    last_at     bigint not null
);

-- What came beyond a minute's lines: one line for each endpoint and fault, counted up.
create unique index attempt_counted on attempt
    (partner, provider, endpoint, verdict, replay, fault, flag, first_at) where rule = 'R58';
create index attempt_key on attempt (partner, key);
create index attempt_player on attempt (partner, player, last_at);
create index attempt_uuid on attempt (uuid) where uuid <> '';
create index attempt_reference on attempt (reference) where reference <> '';
create index attempt_round on attempt (round) where round <> '';
create index attempt_age on attempt (last_at);

-- The slot log. A row falls due in the transaction that moves its round's money, and waits here for its number.
-- A queue: short, written and emptied all the time, so it is vacuumed by the number of rows alone.
create table round_due (
    partner     text collate "C" not null,
    player      text collate "C" not null,
    seq         bigint not null,
    provider    text collate "C" not null,
    round       text collate "C" not null,
    game        text collate "C" not null,
    currency    text collate "C" not null,
    staked      numeric not null check (staked > '-Infinity' and staked < 'Infinity'),
    won         numeric not null check (won < 'Infinity'),
    jackpot_id  text not null,
    jackpot     numeric not null check (jackpot < 'Infinity'),
    at          bigint not null,
    primary key (partner, player, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The log itself: numbered without gaps in the partner's log and in each player's. Nothing here ever changes.
create table round_log (
    partner     text collate "C" not null,
    number      bigint not null check (number >= 0),
    player      text collate "C" not null,
    player_number bigint not null check (player_number >= 0),
    seq         bigint not null,
    provider    text collate "C" not null,
    round       text collate "C" not null,
    game        text collate "C" not null,
    currency    text collate "C" not null,
    staked      numeric not null,
    won         numeric not null,
    jackpot_id  text not null,
    jackpot     numeric not null,
    at          bigint not null,
    primary key (partner, number),
    unique (partner, player, player_number)
);

-- The number that a partner's next row gets. Numbers are given only under this row's lock.
create table round_log_head (
    partner     text collate "C" not null primary key,
    next        bigint not null check (next >= 0)
) with (fillfactor = 50);
