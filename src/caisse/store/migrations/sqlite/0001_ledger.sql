-- The ledger, as on PostgreSQL. STRICT, so that a column holds what it says; amounts are canonical text.

create table partner (
    id          text not null primary key,
    created_at  integer not null
) strict;

create table token (
    partner     text not null references partner (id),
    id          text not null,
    hash        blob not null unique,
    created_at  integer not null,
    revoked_at  integer,
    primary key (partner, id)
) strict;

create table connection (
    partner     text not null references partner (id),
    id          text not null,
    provider    text not null,
    key_hash    blob not null,
    networks    text not null,
    also        text not null,
    profile     text not null,
    created_at  integer not null,
    revoked_at  integer,
    primary key (partner, id)
) strict;

-- A key opens one connection; without a key a provider has at most one.
create unique index connection_key on connection (key_hash) where length(key_hash) > 0;
create unique index connection_keyless on connection (provider)
    where length(key_hash) = 0 and revoked_at is null;

create table disabled_game (
    partner     text not null references partner (id),
    provider    text not null,
    game        text not null,
    created_at  integer not null,
    primary key (partner, provider, game)
) strict;

create table player (
    partner     text not null,
    id          text not null,
    -- What is personal of a player, and stands nowhere else; both empty once the player is forgotten.
    name        text not null,
    name_key    blob not null check (length(name_key) in (0, 16)),
    created_at  integer not null,
    login_at    integer not null,
    session     text not null,
    frozen      integer not null check (frozen in (0, 1)),
    seq         integer not null check (seq > 0),
    head        blob not null check (length(head) = 32),
    balances    text not null check (instr(balances, '"-') = 0),
    primary key (partner, id)
) strict, without rowid;

-- Finding a session that goes on. Written when a session begins, not with each bet.
create index player_session on player (partner, session) where session <> '';

-- For people: one row for each wallet.
create view wallet as
    select player.partner, player.id as player, held.key as currency, held.value as balance
    from player join json_each(player.balances) as held;

create table journal (
    partner     text not null,
    player      text not null,
    seq         integer not null,
    id          text not null,
    part        integer not null,
    kind        text not null,
    verdict     text not null,
    rule        text not null,
    endpoint    text not null,
    currency    text not null,
    amount      text not null check (amount glob '[0-9]*.[0-9]*' or amount glob '-[0-9]*.[0-9]*'),
    balance     text not null check (balance glob '[0-9]*.[0-9]*'),
    asked       text not null check (asked glob '[0-9]*.[0-9]*'),
    key         text not null,
    second_key  text not null,
    fingerprint blob not null check (length(fingerprint) = 16),
    uuid        text not null,
    provider    text not null,
    reference   text not null,
    round       text not null,
    game        text not null,
    session     text not null,
    name        text not null,
    details     text not null,
    at          integer not null,
    hash        blob not null check (length(hash) = 32)
) strict;

create unique index journal_seq on journal (partner, player, seq);
create unique index journal_key on journal (partner, key);
create unique index journal_second_key on journal (partner, second_key) where second_key <> '';
create unique index journal_id on journal (id, part, partner);

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

-- For the movements of a day. Rows come nearly in order of time: the index grows at its end.
create index journal_at on journal (at);

-- Rounds are the player's own: another player's bets under the same id are another round.
create table round (
    partner     text not null,
    player      text not null,
    provider    text not null,
    id          text not null,
    currency    text not null,
    game        text not null,
    state       text not null,
    standing    integer not null check (standing >= 0),
    bets        integer not null check (bets >= standing),
    settled_seq integer not null,
    opened_seq  integer not null,
    opened_at   integer not null,
    opened_id   text not null,
    staked      text not null,
    won         text not null,
    jackpot     text not null,
    jackpot_id  text not null,
    logged      integer not null check (logged in (0, 1)),
    logged_staked text not null,
    logged_won text not null,
    logged_jackpot text not null,
    primary key (partner, player, provider, id)
) strict, without rowid;

-- Finding a round by its id alone, whoever plays it.
create index round_id on round (partner, provider, id);

-- A journal row is never changed or deleted.
create trigger journal_no_update before update on journal
begin
    select raise(abort, 'the journal is append only');
end;
create trigger journal_no_delete before delete on journal
begin
    select raise(abort, 'the journal is append only');
end;

-- Requests that left no journal row: repeats, refusals that claim no key, and what could not be read. Kept to
-- explain, never to decide; written about a second after the answer, equal ones counted together.
create table attempt (
    partner     text not null,
    player      text not null,
    provider    text not null,
    endpoint    text not null,
    uuid        text not null,
    reference   text not null,
    round       text not null,
    key         text not null,
    verdict     text not null,
    rule        text not null,
    fault       text not null,
    flag        text not null,
    replay      integer not null,
    content     text not null,
    count       integer not null,
    first_at    integer not null,
    last_at     integer not null
) strict;

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
create table round_due (
    partner     text not null,
    player      text not null,
    seq         integer not null,
    provider    text not null,
    round       text not null,
    game        text not null,
    currency    text not null,
    staked      text not null,
    won         text not null,
    jackpot_id  text not null,
    jackpot     text not null,
    at          integer not null,
    primary key (partner, player, seq)
) strict, without rowid;

-- The log itself: numbered without gaps in the partner's log and in each player's. Nothing here ever changes.
create table round_log (
    partner     text not null,
    number      integer not null check (number >= 0),
    player      text not null,
    player_number integer not null check (player_number >= 0),
    seq         integer not null,
    provider    text not null,
    round       text not null,
    game        text not null,
    currency    text not null,
    staked      text not null,
    won         text not null,
    jackpot_id  text not null,
    jackpot     text not null,
    at          integer not null,
    primary key (partner, number),
    unique (partner, player, player_number)
) strict, without rowid;

-- The number that a partner's next row gets.
create table round_log_head (
    partner     text not null primary key,
    next        integer not null check (next >= 0)
) strict, without rowid;
