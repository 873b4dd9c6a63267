"""What a request asks of the database, as plain SQL over the network of `world`: the floor under the product.

Written once for both databases, as coroutines over a `Raw`, which `floor` makes of a bare connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from models.postgres_tx import numbered
from models.tenant import uuid7

Row = Sequence[Any]
NAMES = ("id", "first_name", "last_name", "email", "country", "source", "next_call_at")
STATES = {"call": "contacted", "meet": "met"}
PROOF = "0" * 64
"""What stands for the digest of a history row."""
BEFORE, AFTER = '{"recruiting":"new","calls":0}', '{"recruiting":"contacted","calls":1}'


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement as each database has it; `postgres` is the same with numbered places unless it is said."""

    sqlite: str
    postgres: str


class Raw(Protocol):
    """A transaction on a bare connection; `now` is a moment as its driver takes it."""

    now: Any

    async def rows(self, sql: Sql, *values: Any) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...

    async def many(self, sql: Sql, rows: Iterable[Row]) -> None:
        """Run a statement once for each row of values."""
        ...


def statement(text: str, postgres: str | None = None) -> Sql:
    """Return a statement with `?` for each value; `postgres` is how PostgreSQL has it, where that differs."""
    return Sql(text, numbered(text) if postgres is None else postgres)


def insertion(table: str, columns: str) -> Sql:
    """Return what inserts a row; `columns` has spaces between."""
    names = columns.split()
    listed = ", ".join(f'"{name}"' for name in names)
    return statement(f'INSERT INTO "{table}" ({listed}) VALUES ({", ".join("?" * len(names))})')  # noqa: S608 - names of ours


_WHO = statement(
    """SELECT m.* FROM "_token" t JOIN "member" m ON m."id" = t."member" WHERE t."hash" = ? AND m."active" """
)
_ONE = statement("""SELECT * FROM "lead" WHERE "id" = ? AND "owner" = ?""")
_LIST = statement(
    f"""SELECT {", ".join(f'"{name}"' for name in NAMES)} FROM "lead" WHERE "owner" = ? AND "country" = 'FR'
AND "source" = 'fair' ORDER BY "created_at" DESC, "id" DESC LIMIT 51"""  # noqa: S608 - names of ours
)
_UPDATE = statement(
    """UPDATE "lead" SET "recruiting" = ?, "calls" = "calls" + 1, "next_call_at" = ?, "updated_at" = ?,
"last_activity_at" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?"""
)
_MOVED = insertion(
    "_history",
    "id at entity record kind process transition from_state to_state actor actor_kind before after text",
)
_AUDIT = insertion("_audit", "id at kind scope member actor_kind entity record proof")
_WAITING = statement("""SELECT "id" FROM "_run" WHERE "entity" = ? AND "record" = ? AND "state" = 'waiting'""")
_RUN = insertion("_run", "id automation definition key entity record state cause actor cursor names started_at")
_OUTBOX = insertion("_outbox", "id kind payload run_at priority attempts max_attempts state unique_key created_at")
_KNOWN = statement(
    """SELECT "email" FROM "lead" WHERE "owner" = ? AND "email" IN (SELECT value FROM json_each(?))""",
    """SELECT "email" FROM "lead" WHERE "owner" = $1 AND "email" IN (SELECT json_array_elements_text($2::json))""",
)
_LEAD = insertion(
    "lead",
    "id created_at updated_at created_by last_activity_at version owner recruiting first_name last_name email phone "
    "country source calls _fold_first_name _fold_last_name _fold_email",
)
_CREATED = insertion("_history", "id at entity record kind actor actor_kind after")


async def who(raw: Raw, secret: str) -> str:
    """Return the member whose token it is."""
    ((member, *_),) = await raw.rows(_WHO, sha256(secret.encode()).hexdigest())
    return str(member)


async def one(raw: Raw, member: str, record: str) -> Row:
    """Return a lead."""
    (found,) = await raw.rows(_ONE, record, member)
    return found


async def listing(raw: Raw, member: str) -> Sequence[Row]:
    """Return a page of leads, filtered and sorted."""
    return await raw.rows(_LIST, member)


async def move(raw: Raw, member: str, record: str, transition: str, comment: str) -> str:
    """Make the reads and writes of a transition and return its history row."""
    found = await one(raw, member, record)
    now, version = raw.now, found[VERSION]
    await raw.rows(_UPDATE, STATES[transition], now, now, now, record, version)
    history, run = uuid7(), uuid7()
    about = ["moved", "recruiting", transition, "new", STATES[transition], member, "member", BEFORE, AFTER, comment]
    await raw.rows(_MOVED, history, now, "lead", record, *about)
    await raw.rows(_AUDIT, history, now, "moved", "changes", member, "member", "lead", record, PROOF)
    await raw.rows(_WAITING, "lead", record)
    await raw.rows(
        _RUN, run, f"after_{transition}", 1, record, "lead", record, "running", history, member, "{}", "{}", now
    )
    await raw.rows(_OUTBOX, uuid7(), "run", "{}", now, 0, 0, 12, "ready", f"run:{run}:{uuid7()}", now)
    return history


async def create(raw: Raw, member: str, items: Sequence[Mapping[str, str]], emails: str, after: Sequence[str]) -> int:
    """Insert leads with their history, unless one is known; `emails` and the values for history are JSON text."""
    if await raw.rows(_KNOWN, member, emails):
        raise LookupError("a duplicate")
    now = raw.now
    leads, rows = [], []
    for item, kept in zip(items, after, strict=True):
        identifier = uuid7()
        names = (item["first_name"], item["last_name"], item["email"])
        folded = [name.casefold() for name in names]
        leads.append(
            (
                identifier,
                now,
                now,
                member,
                now,
                1,
                member,
                "new",
                *names,
                item["phone"],
                item["country"],
                "fair",
                0,
                *folded,
            )
        )
        rows.append((uuid7(), now, "lead", identifier, "created", member, "member", kept))
    await raw.many(_LEAD, leads)
    await raw.many(_CREATED, rows)
    audited = ("created", "changes", member, "member", "lead")
    await raw.many(_AUDIT, [(row[0], now, *audited, row[3], PROOF) for row in rows])
    return len(leads)


VERSION = 5
"""Where the version stands among the columns of a lead."""
