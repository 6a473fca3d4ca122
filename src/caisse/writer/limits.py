"""The limits of the writer, each with its unit and reason."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Every limit of the writer, with its unit and reason."""

    queue: int = 10_000
    """Requests that may wait in all: about a second's work, so that waiting stays shorter than patience."""
    batch: int = 1_000
    """Requests decided in one transaction: bounds the time and memory one commit can take."""
    rows: int = 4_000
    """Journal rows that one batch may load of whole rounds (R32): what has no room is the next batch's. One
    round always has: it holds 1,000 bets at most (R40)."""
    patience_seconds: float = 8.0
    """After this a caller is told to send again: the provider itself gives up after 10 seconds."""
    commit_seconds: float = 60.0
    """After this the connection of a hanging commit is dropped: only then can its fate be found out."""
    tries: int = 12
    """Lost races in a row before a batch is halved; all but the first hold their players locked."""
    attempts: int = 50_000
    """Lines of requests without a row of their own that a process holds for writing down, about 1 KB each."""
    record_seconds: float = 1.0
    """How often they are written down: rarely enough to cost nothing, soon enough for who asks."""
    players: int = 50_000
    """Players that a lane remembers: as many as play within some minutes. About 800 bytes each, and 700 for
    each of up to three rounds."""
    entries: int = 20_000
    """Journal rows that a lane remembers, about 1.5 KB each: repeats mostly come within seconds."""
    doubt_seconds: float = 1.0
    """How long nothing is recalled after a lost race: where servers share players, one a second is lost."""
    reconnect_seconds: float = 0.5
    """Pause after the database was lost, so that a dead one is not hammered."""
