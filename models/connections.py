"""SQLite connections: their settings, the functions of the language, and the lock of a file."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import piccolo.engine.sqlite  # noqa: F401 - registers its adapters first, so that ours below replaces its one for times

from definitions.expr import SQLITE_FUNCTIONS
from models.message import say
from models.store import StoreBusyError, StoreError

Use = Literal["write", "read", "piccolo"]
BUSY_MILLISECONDS = 10_000
STATEMENTS = 512
FORMAT = 1
"""What files of this Maille are like; a file with a higher number was written by a newer one."""

SETTINGS: Mapping[Use, tuple[str, ...]] = {
    "write": (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -8000",
        "PRAGMA journal_size_limit = 67108864",
    ),
    "read": ("PRAGMA query_only = ON", "PRAGMA cache_size = -4000", "PRAGMA temp_store = MEMORY"),
    "piccolo": ("PRAGMA query_only = ON",),
}


def stored_datetime(moment: datetime) -> str:
    """Return an aware moment as it is stored: ISO, UTC, always with microseconds, so that text sorts as time does."""
    return _utc_text(moment if moment.tzinfo is UTC else moment.astimezone(UTC))


@lru_cache(maxsize=256)
def _utc_text(moment: datetime) -> str:
    """Return a moment in UTC as text: the rows of a transaction share theirs."""
    return moment.isoformat(" ", "microseconds")


sqlite3.register_adapter(datetime, stored_datetime)


def fold(text: object) -> str | None:
    """Return a text for searching: without accents and case, ligatures and wide letters in their plain form."""
    if text is None:
        return None
    plain = str(text).casefold()
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {**SQLITE_FUNCTIONS, "maille_fold": (1, fold)}
"""The SQL functions of each connection: what expressions need, and folding."""


def connect(path: Path, use: Use) -> sqlite3.Connection:
    """Open a connection; it may go from thread to thread, one at a time. `piccolo` ones convert by declared types.

    A file that is made is its owner's alone, as are those that SQLite keeps beside it.
    """
    mode = "rwc" if use == "write" else "ro"
    if use == "write":
        with suppress(OSError):  # SQLite says it better
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
        detect_types=sqlite3.PARSE_DECLTYPES if use == "piccolo" else 0,
        timeout=BUSY_MILLISECONDS / 1000,
    )
    try:
        for setting in SETTINGS[use]:
            connection.execute(setting)
        for name, (arguments, function) in FUNCTIONS.items():
            connection.create_function(name, arguments, function, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def take(path: Path) -> tuple[FileLock, sqlite3.Connection]:
    """Lock the store at `path` and open it for writing; `StoreError` says why that cannot be."""
    lock = FileLock(path)
    try:
        return lock, _open_for_writing(path)
    except sqlite3.Error as error:
        lock.release()
        raise StoreError(say("{path} cannot be opened: {reason}.", path=path, reason=error)) from error
    except BaseException:
        lock.release()
        raise


def _open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the file unless it is one of a newer Maille, which knows things of it that we would spoil."""
    connection = connect(path, "write")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > FORMAT:
        connection.close()
        raise StoreError(
            say(
                "{path} was written by a newer Maille (format {found}; this one knows {known}).",
                path=path,
                found=found,
                known=FORMAT,
            )
        )
    if found < FORMAT:
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    return connection


class FileLock:
    """One process (one store) a file: an advisory lock on a file beside it that holds the process's number."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the store at `path`; `StoreBusyError` names who has it, `StoreError` what forbids it."""
        lock = path.with_name(f"{path.name}.lock")
        try:
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise StoreError(say("{path} cannot be written: {reason}.", path=lock, reason=error.strerror)) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreBusyError(say("{path} is already open by process {holder}.", path=path, holder=holder)) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode("ascii"), 0)

    def release(self) -> None:
        """Give the lock back; the file stays, so that nobody locks a file that is already gone."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
