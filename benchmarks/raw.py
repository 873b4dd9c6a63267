"""What a request asks of the database, as plain SQL: the floor under the product, over the network of `world`."""

from __future__ import annotations

from typing import Any

from models.tenant import uuid7
from models.tx import Tx

NOW = "2030-01-01 09:00:00.000000+00:00"
BEFORE, AFTER = '{"recruiting":"new","calls":0}', '{"recruiting":"contacted","calls":1}'

SESSION = """SELECT s."member", s."csrf", m."active" FROM "_session" s JOIN "member" m ON m."id" = s."member" LIMIT 1"""
ONE = """SELECT * FROM "lead" WHERE "id" = ? AND "owner" = ?"""
LIST = """SELECT "id", "first_name", "last_name", "email", "country", "recruiting", "next_call_at" FROM "lead"
WHERE "owner" = ? AND "country" = 'FR' AND "recruiting" = 'contacted' ORDER BY "created_at" DESC, "id" DESC LIMIT 51"""
UPDATE = """UPDATE "lead" SET "recruiting" = ?, "calls" = "calls" + 1, "next_call_at" = ?, "updated_at" = ?,
"last_activity_at" = ?, "version" = "version" + 1 WHERE "id" = ? AND "version" = ?"""
HISTORY = """INSERT INTO "_history" ("id", "at", "entity", "record", "kind", "process", "transition", "from_state",
"to_state", "actor", "actor_kind", "before", "after", "text") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"""
WAITING = """SELECT "id" FROM "_run" WHERE "entity" = ? AND "record" = ? AND "state" = 'waiting'"""
RUN = """INSERT INTO "_run" ("id", "automation", "definition", "key", "entity", "record", "state", "cause", "actor",
"cursor", "names", "started_at") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"""
OUTBOX = """INSERT INTO "_outbox" ("id", "kind", "payload", "run_at", "priority", "attempts", "max_attempts", "state",
"unique_key", "created_at") VALUES (?,?,?,?,?,?,?,?,?,?)"""


async def who(tx: Tx) -> str:
    """Return the member of the session."""
    found = await tx.row(SESSION)
    if found is None:
        raise LookupError("the session")
    member: str = found[0]
    return member


async def one(tx: Tx, record: str, member: str | None = None) -> tuple[Any, ...]:
    """Return a lead."""
    found = await tx.row(ONE, [record, member or await who(tx)])
    if found is None:
        raise LookupError(record)
    return tuple(found)


async def listing(tx: Tx, member: str | None = None) -> list[tuple[Any, ...]]:
    """Return a page of leads, filtered and sorted."""
    return [tuple(row) for row in await tx.rows(LIST, [member or await who(tx)])]


async def move(tx: Tx, record: str, comment: str, member: str | None = None) -> int:
    """Make the reads and writes of a transition."""
    actor = member or await who(tx)
    await tx.row(ONE, [record, actor])
    await tx.run(UPDATE, ["contacted", NOW, NOW, NOW, record, 1])
    history, run = uuid7(), uuid7()
    about = ["moved", "recruiting", "call", "new", "contacted", actor, "member", BEFORE, AFTER, comment]
    await tx.run(HISTORY, [history, NOW, "lead", record, *about])
    await tx.rows(WAITING, ["lead", record])
    await tx.run(RUN, [run, "later", 1, record, "lead", record, "running", history, actor, "{}", "{}", NOW])
    await tx.run(OUTBOX, [uuid7(), "run", "{}", NOW, 0, 0, 12, "ready", f"run:{run}:{uuid7()}", NOW])
    return 2
