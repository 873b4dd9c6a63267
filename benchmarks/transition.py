"""Transitions a second: the engine beside raw SQL that makes the same writes, both durable and grouped alike.

Run as `python -m benchmarks.transition [transitions] [callers]`.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import raw
from benchmarks.world import PACK
from models.actor import SYSTEM, Actor
from models.members import load_actor
from models.record import Record
from models.tenant import Tenant, create_tenant
from workflows import commands


async def prepare(folder: Path, count: int) -> tuple[Tenant, Actor, list[Record]]:
    """Return a network with `count` leads of one distributor."""
    tenant = await create_tenant(folder / "bench.sqlite", "bench", files=PACK)
    person = {
        "first_name": "Lea",
        "last_name": "Roux",
        "email": "lea@exemple.fr",
        "active": True,
        "levels": ["distributor"],
    }
    member = await commands.create(tenant, SYSTEM, "member", person)
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member.id))
    if actor is None:
        raise LookupError("the distributor")
    given = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "phone": "+33639980001"}
    leads = await asyncio.gather(*(commands.create(tenant, actor, "lead", given) for _ in range(count)))
    return tenant, actor, list(leads)


async def timed(jobs: list[Callable[[], Awaitable[object]]], callers: int) -> tuple[float, float]:
    """Return jobs a second and milliseconds of CPU for each, with so many callers at once."""
    waiting = iter(jobs)

    async def caller() -> None:
        for job in waiting:
            await job()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return len(jobs) / wall, cpu / len(jobs) * 1000


def engine_jobs(tenant: Tenant, actor: Actor, leads: list[Record]) -> list[Callable[[], Awaitable[object]]]:
    """Return one transition for each lead."""
    form = {"comment": "Bien", "next_call_at": "2030-01-01T10:00"}

    def job(lead: Record) -> Callable[[], Awaitable[object]]:
        return lambda: commands.move(tenant, actor, "lead", lead.id, "call", form=form, version=lead.version)

    return [job(lead) for lead in leads]


def raw_jobs(tenant: Tenant, actor: Actor, leads: list[Record]) -> list[Callable[[], Awaitable[object]]]:
    """Return the same reads and writes as plain SQL through the same writer: the floor under the engine."""

    def job(lead: Record) -> Callable[[], Awaitable[object]]:
        return lambda: tenant.store.write(lambda tx: raw.move(tx, lead.id, "Bien", actor.id))

    return [job(lead) for lead in leads]


async def main(count: int, callers: int, *, profile: bool) -> None:
    """Measure both on networks of their own and print the figures."""
    figures = {}
    for name, jobs in {"raw": raw_jobs, "engine": engine_jobs}.items():
        with tempfile.TemporaryDirectory() as folder:
            tenant, actor, leads = await prepare(Path(folder), count)
            await timed(jobs(tenant, actor, leads[: count // 5]), callers)
            figures[name] = await timed(jobs(tenant, actor, leads[count // 5 :]), callers)
            if profile and name == "engine":
                _profile(tenant, actor, leads)
            await tenant.close()
        rate, cpu = figures[name]
        print(f"{name:>6}: {rate:8.0f} transitions/s, {cpu:.3f} ms CPU each ({callers} callers)")
    print(f" ratio: {figures['raw'][0] / figures['engine'][0]:.2f}")


def _profile(tenant: Tenant, actor: Actor, leads: list[Record]) -> None:
    """Print where the time of a transition goes, on one thread."""
    from models.sqlite import SqliteTx, drive  # noqa: PLC0415 - for this look inside alone
    from workflows.moves import Request, move  # noqa: PLC0415 - the same
    from workflows.unit import open_unit  # noqa: PLC0415 - the same

    connection = tenant.store._writer  # type: ignore[attr-defined] # noqa: SLF001 - the same
    form = {"comment": "Bien", "next_call_at": "2030-01-01T11:00"}
    profile = cProfile.Profile()
    connection.execute("BEGIN IMMEDIATE")
    profile.enable()
    requests = [(lead.id, name) for lead in leads[: len(leads) // 2] for name in ("back", "call")]
    for record, name in requests:
        request = Request("lead", record, name, form=form if name == "call" else None)
        unit = open_unit(tenant, SqliteTx(connection), actor)
        drive(lambda _, unit=unit, request=request: move(unit, request), unit.tx)  # type: ignore[misc, arg-type] # as above
    profile.disable()
    connection.execute("ROLLBACK")
    pstats.Stats(profile).sort_stats("tottime").print_stats(32)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    size, at_once = (*numbers, *(2000, 32)[len(numbers) :])[:2]
    asyncio.run(main(size, at_once, profile="profile" in sys.argv))
