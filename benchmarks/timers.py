"""Ten thousand timers due in the same second, and what people notice of it: `python -m benchmarks.timers`.

A worker serves as it does in the server; beside it somebody moves and lists records at a steady pace.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, product
from pathlib import Path

from benchmarks import bulk
from benchmarks.figure import Figure
from benchmarks.inside import QUERY
from benchmarks.load import Job
from benchmarks.world import FORM, NAME, OWNERS, PACK, furnish
from models.actor import Actor
from models.clock import SetClock
from models.members import load_actor
from models.records import Records
from models.tenant import Tenant, open_tenant
from models.tx import Tx
from workflows import commands
from workflows.worker import Worker

COUNT, SECONDS, DELAY = 10_000, 10.0, 25.0
PAUSE = 0.02
"""Seconds between two requests."""
DUE = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)
REMINDER = """
automation: remind
label: {fr: Rappeler}
when: {due: {entity: lead, at: next_call_at}}
do: [{task: {title: {fr: Appeler}}}]
"""
HOW = "{count:,} timers of records, each begins a run that gives a task; `Worker.serve` in the process that answers"
WAITS = (
    "p99 of a transition or a list asked for every {pause:.0f} ms, while they are done (before them: {before:.1f} ms)"
)


@dataclass(frozen=True, slots=True)
class _Stage:
    """The network, its clock, and what people ask for without end: moves of records that have no timer, and lists."""

    tenant: Tenant
    clock: SetClock
    asked: Iterator[Job]


async def _prepared(folder: Path, count: int) -> _Stage:
    """Return a network in which so many timers are due at `DUE`."""
    leads = PACK["lead.yaml"].replace("when: {moved: recruiting.call}", "when: {deleted: lead}")
    files = {**PACK, "lead.yaml": leads, "reminder.yaml": REMINDER}
    world = await furnish(folder / f"{NAME}.sqlite", (count + 20) * OWNERS, files=files)
    clock = SetClock(DUE - timedelta(days=1))
    tenant = await open_tenant(world.home, NAME, clock=clock)
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, world.member))
    if actor is None:
        raise LookupError(world.member)
    own = 'SELECT "id" FROM "lead" WHERE "owner" = ? ORDER BY "id"'
    ids = [row[0] for row in await tenant.store.read(lambda tx: tx.rows(own, [world.member]))]
    for begin in range(0, count, 10_000):
        await bulk.job(tenant, actor, ids[begin : min(begin + 10_000, count)], "call")
    return _Stage(tenant, clock, _asked(tenant, actor, ids[count:]))


def _asked(tenant: Tenant, actor: Actor, leads: Sequence[str]) -> Iterator[Job]:
    form = {**FORM, "next_call_at": "2040-01-01T10:00"}

    async def listed(tx: Tx) -> object:
        return await Records(tenant.published, tx, actor, tenant.context(), new_id=tenant.new_id).list("lead", QUERY)

    def moved(lead: str, move: str) -> Job:
        return lambda: commands.move(tenant, actor, "lead", lead, move, form=form)

    for lead, move in cycle(product(leads, ("call", "meet"))):
        yield moved(lead, move)
        yield lambda: tenant.store.read(listed)


async def _waits(stage: _Stage, stop: asyncio.Event) -> list[float]:
    """Move and list in turn until `stop` is set; return how many milliseconds each took."""
    took = []
    while not stop.is_set():
        begun = time.perf_counter()
        await next(stage.asked)()
        took.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(PAUSE)
    return took


async def _left(tenant: Tenant) -> int:
    sql = """SELECT count(*) FROM "_task" WHERE "title" = 'Appeler'"""
    row = await tenant.store.read(lambda tx: tx.row(sql))
    return 0 if row is None else int(row[0])


async def measure(count: int = COUNT) -> list[Figure]:
    """Return the figures: seconds until all are done, and what others wait meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        stage = await _prepared(Path(name), count)
        tenant, stop = stage.tenant, asyncio.Event()
        working = asyncio.create_task(Worker(tenant).serve(stop))
        try:
            await asyncio.sleep(2.0)
            before = await _during(stage, asyncio.sleep(5.0))
            stage.clock.moment = DUE + timedelta(seconds=1)
            begun, cpu = time.perf_counter(), time.process_time()
            tenant.changed.set()
            waits = await _during(stage, _until_done(tenant, count))
            took, spent = time.perf_counter() - begun, time.process_time() - cpu
        finally:
            stop.set()
            await working
            await tenant.close()
    told = WAITS.format(pause=PAUSE * 1000, before=before)
    return [
        Figure(f"{count:,} timers", took, "s", SECONDS, HOW.format(count=count), cpu=spent / count * 1000, most=True),
        Figure("waits beside them", waits, "ms", DELAY, told, most=True),
    ]


async def _until_done(tenant: Tenant, count: int) -> None:
    while await _left(tenant) < count:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.1)


async def _during(stage: _Stage, meanwhile: Awaitable[None]) -> float:
    """Return the 99th percentile of what requests take while something happens."""
    stop = asyncio.Event()
    asking = asyncio.create_task(_waits(stage, stop))
    await meanwhile
    stop.set()
    took = sorted(await asking)
    return took[int(len(took) * 0.99)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timers", description=__doc__)
    parser.add_argument("--timers", type=int, default=COUNT)
    print(*asyncio.run(measure(parser.parse_args().timers)), sep="\n")


if __name__ == "__main__":
    main()
