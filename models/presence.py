"""Whether other processes on one database live: each holds a lock of its own that nothing but its end lets go of."""

from __future__ import annotations

from dataclasses import dataclass

SIGNS = 0x4D61
"""The first number of the locks that are signs of life; the second is a process's key."""
LIVING = f"""SELECT "objid"::bigint FROM "pg_locks" WHERE "locktype" = 'advisory' AND "objsubid" = 2
AND "classid" = {SIGNS} AND "granted"
AND "database" = (SELECT "oid" FROM "pg_database" WHERE "datname" = current_database())"""  # noqa: S608 - a number of ours
"""What returns the keys of the processes that live."""


@dataclass(frozen=True, slots=True)
class Presence:
    """How other processes see that this one lives: by its `key`; `session` counts how often it had to begin anew."""

    key: int
    session: int


def sign(key: int, pid: int) -> str:
    """Return what holds the lock, where the server that answers is the one that was connected to: no pooler is."""
    return f"SELECT pg_advisory_lock_shared({SIGNS}, {key}) WHERE pg_backend_pid() = {pid}"
