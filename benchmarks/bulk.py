"""Bulk moves, as a job of the screens does them, beside the same statements in batches: `python -m benchmarks.bulk`."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.database import postgres
from benchmarks.figure import Figure, Spent, spent
from benchmarks.floor import Floor, floor_of
from benchmarks.raw import PROOF, Raw, Row, insertion, statement
from benchmarks.world import FORM, MOVES, NAME, OWNERS, furnish
from models.actor import SYSTEM, Actor
from models.members import load_actor
from models.stores import Home, Schema
from models.tenant import Tenant, open_tenant, uuid7
from workflows import jobs
from workflows.unit import write

TARGET = 10_000
BATCH = 500
HOW = "a job of {count:,} records: rights, guard, form, `set`, record, history, audit, run and outbox row for each"

_READ = statement(
    """SELECT * FROM "lead" WHERE "owner" = ? AND "id" IN (SELECT value FROM json_each(?))""",
    """SELECT * FROM "lead" WHERE "owner" = $1 AND "id" IN (SELECT json_array_elements_text($2::json))""",
)
_UPDATE = statement(
    """UPDATE "lead" SET "recruiting" = ?, "calls" = ?, "next_call_at" = ?, "updated_at" = ?,
"last_activity_at" = ?, "version" = ? WHERE "id" = ? AND "version" = ?"""
)
_HISTORY = insertion(
    "_history", "id at entity record kind process transition from_state to_state actor actor_kind before after text"
)
_AUDIT = insertion("_audit", "id at kind scope member actor_kind entity record proof")
_RUN = insertion("_run", "id automation definition key entity record state cause actor cursor names started_at")
_OUTBOX = insertion("_outbox", "id kind payload run_at priority attempts max_attempts state unique_key created_at")
_ITEM = insertion("_job_item", "id job record outcome")
_DONE = statement("""UPDATE "_job_item" SET "outcome" = 'done', "history" = ? WHERE "id" = ?""")
_VALUES = '{"recruiting":"new","calls":0,"next_call_at":"2030-01-01 09:00:00.000000+00:00"}'


async def raw_batch(raw: Raw, member: str, ids: Sequence[str], move: str) -> None:
    """Write what a batch of moves writes; the values of history are given."""
    now, state = raw.now, "contacted" if move == "call" else "met"
    found: Sequence[Row] = await raw.rows(_READ, member, _listed(ids))
    items = [(uuid7(), "job", each, "waiting") for each in ids]
    await raw.many(_ITEM, items)
    await raw.many(_UPDATE, [(state, 1, now, now, now, row[5] + 1, row[0], row[5]) for row in found])
    told = [(uuid7(), row[0]) for row in found]
    about = ["moved", "recruiting", move, "new", state, member, "member", _VALUES, _VALUES, "Bien"]
    await raw.many(_HISTORY, [(history, now, "lead", lead, *about) for history, lead in told])
    audited = ["moved", "changes", member, "member", "lead"]
    await raw.many(_AUDIT, [(history, now, *audited, lead, PROOF) for history, lead in told])
    runs = [(uuid7(), history, lead) for history, lead in told]
    begun = [
        (run, f"after_{move}", 1, lead, "lead", lead, "running", history, member, "{}", "{}", now)
        for run, history, lead in runs
    ]
    await raw.many(_RUN, begun)
    asked = [(uuid7(), "run", "{}", now, 0, 0, 12, "ready", f"run:{run}:{uuid7()}", now) for run, _, _ in runs]
    await raw.many(_OUTBOX, asked)
    await raw.many(_DONE, [(history, item[0]) for (history, _), item in zip(told, items, strict=True)])


def _listed(ids: Sequence[str]) -> str:
    return "[" + ",".join(f'"{each}"' for each in ids) + "]"


async def job(tenant: Tenant, actor: Actor, ids: Sequence[str], move: str) -> None:
    """Begin a job and do all of it, without what its moves start."""
    asked = {"process": "recruiting", "transition": move, "form": FORM}
    begun = await jobs.begin(tenant, actor, "lead", "move", asked, ids)
    name = begun.id
    while not begun.over:
        await write(tenant, SYSTEM, lambda unit: jobs.go_on(unit, {"job": name}))
        begun = await write(tenant, SYSTEM, lambda unit: jobs.load(unit, name))
    if begun.failed or begun.state != "done":
        raise LookupError(f"{begun.failed} of {begun.total} failed")


async def in_batches(floor: Floor, member: str, ids: Sequence[str], move: str) -> None:
    """Do the same with bare statements."""
    for begin in range(0, len(ids), BATCH):
        part = ids[begin : begin + BATCH]
        await floor.write(lambda tx, part=part: raw_batch(tx, member, part, move))  # type: ignore[misc] # the default binds them


async def measure(home: Home, database: str, count: int, rounds: int = 3) -> list[Figure]:
    """Return the figure of a job of `count` records."""
    world = await furnish(home, count * OWNERS)
    tenant, floor = await open_tenant(home, NAME), floor_of(home)
    ours: list[Spent] = []
    raw: list[Spent] = []
    try:
        actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, world.member))
        if actor is None:
            raise LookupError(world.member)
        own = 'SELECT "id" FROM "lead" WHERE "owner" = ? ORDER BY "id" LIMIT ?'
        ids = [row[0] for row in await tenant.store.read(lambda tx: tx.rows(own, [world.member, count]))]
        for number in range(rounds + 1):
            move = MOVES[number % 2]
            ours.append(await spent(lambda move=move: job(tenant, actor, ids, move)))  # type: ignore[misc] # the default binds it
            raw.append(await spent(lambda move=move: in_batches(floor, world.member, ids, move)))  # type: ignore[misc] # the same
    finally:
        await floor.close()
        await tenant.close()
    mine, bare = _middle(ours[1:]), _middle(raw[1:])
    how = HOW.format(count=len(ids))
    rates = mine.rate(len(ids)), bare.rate(len(ids))
    cpu = mine.each(len(ids)), bare.each(len(ids))
    target = TARGET if database == "SQLite" else None
    return [Figure(f"bulk move, {database}", rates[0], "records/s", target, how, rates[1], *cpu)]


def _middle(found: Sequence[Spent]) -> Spent:
    return Spent(median(each.wall for each in found), median(each.cpu for each in found))


def in_a_folder(count: int) -> list[Figure]:
    """Measure on SQLite, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder) / f"{NAME}.sqlite", "SQLite", count))


def in_a_database(count: int) -> list[Figure]:
    """Measure on a PostgreSQL of its own."""
    with postgres() as server:
        return asyncio.run(measure(Schema(server.url, NAME), "PostgreSQL", count))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    print(*(in_a_database if given.postgres else in_a_folder)(given.records), sep="\n")


if __name__ == "__main__":
    main()
