"""Files that may not grow any more: the system's own refusal (EFBIG), in the midst of SQLite's commit."""

from __future__ import annotations

import resource
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from caisse.core.attempts import Attempts
from caisse.store.api import FateUnknown, Ledger
from tests.support.ledger import FUNDING, withdraw
from tests.support.stores import committed, decided, opened, run


@contextmanager
def no_file_grows() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def a_batch(ledger: Ledger) -> Awaitable[None]:
    book, _ = await decided(ledger, [withdraw("1.0")])
    return ledger.commit(book)


async def attempts(ledger: Ledger) -> Awaitable[None]:
    noted = Attempts(room=1)
    request = withdraw("1.0")
    await committed(ledger, [request])
    noted.note(request, (await committed(ledger, [request]))[0], 1)
    return ledger.record(noted.take())


@pytest.mark.parametrize("work", [a_batch, attempts])
def test_a_commit_that_fails_on_sqlite_ends_the_server_whatever_it_was_of(
    work: Callable[[Ledger], Awaitable[Awaitable[None]]], tmp_path: Path
) -> None:
    async def main() -> None:
        async with opened(f"sqlite:///{tmp_path}/caisse.db") as ledger:
            await committed(ledger, FUNDING)
            writing = await work(ledger)
            with no_file_grows(), pytest.raises(FateUnknown) as failed:
                await writing
            assert failed.value.fatal

    run(main())
