"""The engine in this process, beside what it does as plain SQL over bare connections, or as plain Python."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from typing import Any

from benchmarks import load, raw
from benchmarks.floor import Floor, floor_of
from benchmarks.load import Job, Rate, Watch
from benchmarks.people import BATCH, batches, known_and_kept
from benchmarks.world import FORM, NAME, World
from definitions.expr import Member, RecordOf, Scope, compile_expression
from definitions.expr.types import BOOL, DECIMAL, INT, STRING
from definitions.problems import NOWHERE
from models.actor import Actor
from models.members import load_actor
from models.query import Filter, Query
from models.records import Records
from models.stores import Schema
from models.tenant import Tenant, open_tenant
from models.tx import Tx
from workflows import changes, commands
from workflows.unit import Unit, write

Pair = tuple[Rate, Rate]
QUERY = Query(
    filters=(Filter("country", "any_of", ("FR",)), Filter("source", "any_of", ("fair",))),
    sort="-created_at",
    columns=("first_name", "last_name", "email", "country", "source", "next_call_at"),
    limit=50,
)
EXPRESSION = 'record.country == "FR" && record.calls > 2 && record.rating * 2.0 > 3.5'
EVALUATIONS = 100_000


@dataclass(frozen=True, slots=True)
class Both:
    """The engine and the floor under it, open at once; each is busy while the other rests."""

    world: World
    tenant: Tenant
    actor: Actor
    floor: Floor
    watch: Watch

    async def measure(self) -> dict[str, Pair]:
        """Return the rates of one round."""
        return {
            "transition": await self._pair(self._transitions),
            "list of 50": await self._pair(self._lists),
            "one record": await self._pair(self._gets),
            "import, rows": await self._pair(self._imports, BATCH),
        }

    async def ours(self, wanted: Collection[str]) -> dict[str, Rate]:
        """Return the rates of the engine alone, of those that are wanted."""
        jobs = {"transition": self._transitions, "list of 50": self._lists, "one record": self._gets}
        return {what: await load.inside(self.watch, jobs[what]()[0]) for what in wanted}

    async def _pair(self, jobs: Callable[[], tuple[Iterator[Job], Iterator[Job]]], size: int = 1) -> Pair:
        ours, plain = jobs()
        return await load.inside(self.watch, ours, size), await load.inside(self.watch, plain, size)

    def _transitions(self) -> tuple[Iterator[Job], Iterator[Job]]:
        world, tenant, actor, floor = self.world, self.tenant, self.actor, self.floor

        def ours(asked: tuple[str, str]) -> Job:
            return lambda: commands.move(tenant, actor, "lead", *asked, form=FORM)

        def plain(asked: tuple[str, str]) -> Job:
            return lambda: floor.write(lambda tx: raw.move(tx, world.member, *asked, "Bien"))

        return map(ours, world.ours), map(plain, world.raw)

    def _lists(self) -> tuple[Iterator[Job], Iterator[Job]]:
        async def engine(tx: Tx) -> object:
            return await self._records(tx).list("lead", QUERY)

        member = self.world.member
        return (
            repeat(lambda: self.tenant.store.read(engine)),
            repeat(lambda: self.floor.read(lambda tx: raw.listing(tx, member))),
        )

    def _gets(self) -> tuple[Iterator[Job], Iterator[Job]]:
        member, lead = self.world.member, self.world.lead

        async def engine(tx: Tx) -> object:
            return await self._records(tx).get("lead", lead)

        return (
            repeat(lambda: self.tenant.store.read(engine)),
            repeat(lambda: self.floor.read(lambda tx: raw.one(tx, member, lead))),
        )

    def _imports(self) -> tuple[Iterator[Job], Iterator[Job]]:
        member = self.world.member

        def ours(items: list[dict[str, str]]) -> Job:
            async def each(unit: Unit) -> None:
                await changes.create_many(unit, "lead", items)

            return lambda: write(self.tenant, self.actor, each)

        def plain(items: list[dict[str, str]]) -> Job:
            emails, after = known_and_kept(items)
            return lambda: self.floor.write(lambda tx: raw.create(tx, member, items, emails, after))

        return map(ours, batches()), map(plain, batches())

    def _records(self, tx: Tx) -> Records:
        tenant = self.tenant
        return Records(tenant.published, tx, self.actor, tenant.context(), new_id=tenant.new_id)


@asynccontextmanager
async def opened(world: World, database: int | None, seconds: float) -> AsyncIterator[Both]:
    """Open the engine and the floor over the same data."""
    tenant, floor = await open_tenant(world.home, NAME), floor_of(world.home)
    try:
        actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, world.member))
        if actor is None:
            raise LookupError(world.member)
        watch = Watch(os.getpid(), database if isinstance(world.home, Schema) else None, seconds)
        yield Both(world, tenant, actor, floor, watch)
    finally:
        await floor.close()
        await tenant.close()


def evaluations(tenant: Tenant) -> Pair:
    """Return the rates of a condition over a record, and of the same condition as a Python function."""
    fields = {"country": Member(STRING), "calls": Member(INT), "rating": Member(DECIMAL)}
    scope = Scope({"record": RecordOf("lead")}, {"lead": fields})
    expression = compile_expression(EXPRESSION, NOWHERE, scope, expect=BOOL)
    context, names = tenant.context(), {"record": {"country": "FR", "calls": 3, "rating": Decimal("1.8")}}
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
    return Rate(EVALUATIONS / wall, cpu / EVALUATIONS * 1000, 0.0)
