"""The engine in this process, beside what it does as plain SQL through the same store, or as plain Python."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

from benchmarks import raw
from benchmarks.load import Rate
from benchmarks.world import World
from definitions.expr import Member, RecordOf, Scope, compile_expression
from definitions.expr.types import BOOL, DECIMAL, INT, STRING
from definitions.problems import NOWHERE
from models.query import Filter, Query
from models.records import Records
from models.tx import Tx
from workflows import commands

Job = Callable[[], Awaitable[object]]
CALLERS = 16
READS = 1500
FORM = {"comment": "Bien", "next_call_at": "2030-01-01T10:00"}
QUERY = Query(
    filters=(Filter("country", "any_of", ("FR",)), Filter("recruiting", "any_of", ("contacted",))),
    sort="-created_at",
    columns=("first_name", "last_name", "email", "country", "next_call_at"),
    limit=50,
)
EXPRESSION = 'record.country == "FR" && record.calls > 2 && record.rating * 2.0 > 3.5'
EVALUATIONS = 200_000


async def timed(jobs: Sequence[Job]) -> Rate:
    """Return jobs a second and milliseconds of CPU for each."""
    waiting = iter(jobs)

    async def caller() -> None:
        for job in waiting:
            await job()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Rate(len(jobs) / wall, cpu / len(jobs) * 1000)


async def transitions(world: World, leads: Sequence[str]) -> tuple[Rate, Rate]:
    """Return the engine's rate and the raw one, each over one half of the leads."""
    tenant, actor = world.tenant, world.actor

    def engine(lead: str) -> Job:
        return lambda: commands.move(tenant, actor, "lead", lead, "call", form=FORM, version=1)

    def plain(lead: str) -> Job:
        return lambda: tenant.store.write(lambda tx: raw.move(tx, lead, "Bien", actor.id))

    half = len(leads) // 2
    ours = await timed([engine(lead) for lead in leads[:half]])
    return ours, await timed([plain(lead) for lead in leads[half:]])


async def lists(world: World) -> tuple[Rate, Rate]:
    """Return the rates of a page of 50 out of all, filtered and sorted."""
    tenant, actor = world.tenant, world.actor

    async def engine(tx: Tx) -> object:
        return await _records(world, tx).list("lead", QUERY)

    ours = await timed(list(repeat(lambda: tenant.store.read(engine), READS // 3)))
    return ours, await timed(list(repeat(lambda: tenant.store.read(lambda tx: raw.listing(tx, actor.id)), READS // 3)))


async def gets(world: World) -> tuple[Rate, Rate]:
    """Return the rates of reading one record."""
    tenant, actor, lead = world.tenant, world.actor, world.leads[-1]

    async def engine(tx: Tx) -> object:
        return await _records(world, tx).get("lead", lead)

    ours = await timed(list(repeat(lambda: tenant.store.read(engine), READS)))
    return ours, await timed(list(repeat(lambda: tenant.store.read(lambda tx: raw.one(tx, lead, actor.id)), READS)))


def _records(world: World, tx: Tx) -> Records:
    tenant = world.tenant
    return Records(tenant.published, tx, world.actor, tenant.context(), new_id=tenant.new_id)


def evaluations(world: World) -> tuple[Rate, Rate]:
    """Return the rates of a condition over a record, and of the same condition as a Python function."""
    fields = {"country": Member(STRING), "calls": Member(INT), "rating": Member(DECIMAL)}
    scope = Scope({"record": RecordOf("lead")}, {"lead": fields})
    expression = compile_expression(EXPRESSION, NOWHERE, scope, expect=BOOL)
    context, names = world.tenant.context(), {"record": {"country": "FR", "calls": 3, "rating": Decimal("1.8")}}
    two, limit = Decimal("2.0"), Decimal("3.5")

    def python(names: dict[str, Any]) -> bool:
        record = names["record"]
        return bool(record["country"] == "FR" and record["calls"] > 2 and record["rating"] * two > limit)

    return _evaluated(lambda: expression.evaluate(names, context)), _evaluated(lambda: python(names))


def _evaluated(once: Callable[[], object]) -> Rate:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in repeat(None, EVALUATIONS):
        once()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Rate(EVALUATIONS / wall, cpu / EVALUATIONS * 1000)
