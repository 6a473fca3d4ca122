"""`caisse backup`: a copy of an SQLite database, beside a running server."""

import sys
from pathlib import Path

import click

from caisse.cli import options, output
from caisse.cli.failures import Failed, NoDatabase
from caisse.store import opening
from caisse.store.sqlite import backup as copying

POSTGRES = (
    "this copies SQLite files only. PostgreSQL has its own tools: pg_basebackup --wal-method=stream and an"
    " archive of the log, or pg_dump; see the chapter on backups in docs/operations.md"
)


@click.command
@options.database
@options.as_json
@click.argument("target", type=click.Path(path_type=Path))
def backup(url: str, as_json: bool, target: Path) -> None:
    """Copy an SQLite database to the new file TARGET, beside a running server.

    The copy is one state of the database and has everything that was answered before the command began.
    It is synced and checked before it gets its name. It never overwrites a file.
    """
    source = opening.sqlite_path(url)
    if source is None:
        raise click.UsageError(POSTGRES)
    if not source.is_file():
        raise NoDatabase(f"there is no database {source}. Is --db right?")
    size = _copied(source, target)
    copy = f"sqlite:///{target}"
    if as_json:
        output.emit({"db": copy, "bytes": size})
    else:
        output.say(f"{target} is a copy of {size:,} bytes; check it: caisse audit --db {copy}")


def _copied(source: Path, target: Path) -> int:
    try:
        return copying.backup(source, target, _progress if sys.stderr.isatty() else lambda part: None)
    except FileExistsError as error:
        raise Failed(str(error)) from error
    except OSError as error:
        raise Failed(f"cannot write {target}: {error.strerror}; its folder must be there") from error
    except copying.Damaged as error:
        raise Failed(f"{source} is damaged, so there is no copy: {error}") from error


def _progress(part: float) -> None:
    output.redraw(f"{part:.0%}")
    if part == 1:
        output.redraw("")
