from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.actor import SYSTEM, Actor
from models.tenant import Tenant, create_tenant
from models.tx import Row as Found
from models.tx import SqlValue, Tx
from tests.networks import SMALL, changed
from tests.workflows.conftest import RNG, MakeStage, Stage
from workflows import automations, outbox, worker
from workflows.outbox import LONGEST, LeaseLostError, Row, pause
from workflows.unit import Unit, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

T = TypeVar("T")


async def ask(tenant: Tenant, key: str | None = None, after: timedelta = timedelta(0), priority: int = 0) -> str:
    """Enqueue a row of a kind that tests do not work."""

    async def work(unit: Unit) -> str:
        return await outbox.enqueue(unit, "check", {"run": "none"}, unit.now + after, key, priority=priority)

    return await write(tenant, SYSTEM, work)


async def claimed(tenant: Tenant, worker: str, limit: int = 10) -> list[Row]:
    """Claim what is due."""
    now = tenant.clock.now()
    return await tenant.store.write(lambda tx: outbox.claim(tx, worker=worker, now=now, limit=limit), claim=True)


async def test_rows_are_claimed_when_due_the_earliest_first(tenant: Tenant) -> None:
    third = await ask(tenant, after=timedelta(0), priority=outbox.NEXT)
    first = await ask(tenant, after=timedelta(seconds=-2))
    second = await ask(tenant, after=timedelta(0))
    await ask(tenant, after=timedelta(seconds=1))
    assert [row.id for row in await claimed(tenant, "a")] == [first, second, third]


async def test_a_claimed_row_is_nobody_elses_until_its_lease_runs_out(stage: Stage) -> None:
    await ask(stage.tenant)
    [row] = await claimed(stage.tenant, "a")
    assert await claimed(stage.tenant, "b") == []
    stage.clock.forward(outbox.LEASE)
    [again] = await claimed(stage.tenant, "b")
    assert (again.id, again.attempts) == (row.id, 2)
    with pytest.raises(LeaseLostError):
        await stage.tenant.store.write(lambda tx: outbox.complete(tx, row, stage.clock.now()))
    await stage.tenant.store.write(lambda tx: outbox.complete(tx, again, stage.clock.now()))
    assert await stage.rows("_outbox", "state", where=f"id = '{row.id}'") == [("done",)]


async def test_a_key_is_asked_for_once_even_when_it_is_done(stage: Stage) -> None:
    for _ in range(2):
        await ask(stage.tenant, "tick:1")
    [row] = await claimed(stage.tenant, "a")
    await stage.tenant.store.write(lambda tx: outbox.complete(tx, row, stage.clock.now()))
    await ask(stage.tenant, "tick:1")
    assert await claimed(stage.tenant, "a") == []


async def test_cancelling_takes_the_ready_rows_of_a_prefix(stage: Stage) -> None:
    for key in ("run:1:a", "run:1:b", "run:10:a", "run:2:a"):
        await ask(stage.tenant, key)
    gone = await stage.tenant.store.write(lambda tx: outbox.cancel(tx, "run:1:", stage.clock.now()))
    assert gone == 2
    assert len(await claimed(stage.tenant, "a")) == 2


async def failing(tx: Tx, row: Row, now: datetime) -> bool:
    """Note a failure."""
    return await outbox.fail(tx, row, now, "broken", RNG)


async def test_a_row_that_keeps_failing_is_dead_and_stays(stage: Stage) -> None:
    await ask(stage.tenant)
    for attempt in range(1, outbox.ATTEMPTS + 1):
        [row] = await claimed(stage.tenant, "a")
        assert row.attempts == attempt
        dead = await stage.tenant.store.write(partial(failing, row=row, now=stage.clock.now()))
        assert dead == (attempt == outbox.ATTEMPTS)
        stage.clock.forward(LONGEST * 2)
    assert await claimed(stage.tenant, "a") == []
    assert await stage.rows("_outbox", "state", "last_error") == [("dead", "broken")]


async def test_the_next_row_is_due_when_it_can_be_claimed(stage: Stage) -> None:
    assert await stage.tenant.store.read(outbox.next_due) is None
    await ask(stage.tenant, after=timedelta(minutes=5))
    assert await stage.tenant.store.read(outbox.next_due) == stage.clock.now() + timedelta(minutes=5)
    await ask(stage.tenant)
    await claimed(stage.tenant, "a")
    assert await stage.tenant.store.read(outbox.next_due) == stage.clock.now() + outbox.LEASE


@given(attempts=st.integers(0, 400), seed=st.integers())
def test_pauses_grow_are_spread_and_end_somewhere(attempts: int, seed: int) -> None:
    found = pause(attempts, random.Random(seed))  # noqa: S311 - spreads pauses
    assert outbox.BACKOFF * 0.75 <= found <= LONGEST * 1.25


async def test_workers_that_claim_at_once_share_the_rows(tenant: Tenant) -> None:
    for _ in range(60):
        await ask(tenant)
    parts = await asyncio.gather(*(claimed(tenant, name, 7) for name in "abcdefghij"))
    ids = [row.id for part in parts for row in part]
    assert len(ids) == len(set(ids)) == 60


class CutTx:
    """A transaction that is cut off at its `at`-th write, as by a crash."""

    def __init__(self, tx: Tx, at: int) -> None:
        self.tx = tx
        self.left = at
        self.dialect = tx.dialect

    async def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Found]:
        return await self.tx.rows(sql, values)

    async def row(self, sql: str, values: Sequence[SqlValue] = ()) -> Found | None:
        return await self.tx.row(sql, values)

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        self.left -= 1
        if self.left == 0:
            raise CutError
        return await self.tx.run(sql, values)

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        if not await self.run(sql, values) and missing is not None:
            raise missing

    async def run_many(self, sql: str, values: Any) -> None:
        await self.tx.run_many(sql, values)

    async def lock(self, key: str) -> None:
        await self.tx.lock(key)

    async def aside(self, call: Callable[[], T]) -> T:
        return await self.tx.aside(call)

    async def query(self, query: Any) -> list[dict[str, Any]]:
        return await self.tx.query(query)


class PlanTx(CutTx):
    """A transaction that asks SQLite how it would write, and does not."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx, 0)
        self.plans: list[str] = []

    async def run(self, sql: str, values: Sequence[SqlValue] = ()) -> int:
        self.plans += [str(row[3]) for row in await self.tx.rows(f"EXPLAIN QUERY PLAN {sql}", values)]
        return 0

    async def run_many(self, sql: str, values: Any) -> None:
        for row in values:
            await self.run(sql, row)


async def test_what_is_done_to_the_rows_of_a_key_looks_at_those_alone(tmp_path: Path) -> None:
    async def work(tx: Tx) -> list[str]:
        asks = PlanTx(tx)
        now = datetime(2026, 3, 2, tzinfo=UTC)
        await outbox.cancel(asks, "run:1:", now)
        await outbox.settle(asks, "run:1:", now)
        await outbox.ask_otherwise(asks, {"run:1:": {}})
        await outbox.forget_all(asks, "run:1:")
        return asks.plans

    tenant = await create_tenant(tmp_path / "small.sqlite", "small", files=SMALL)
    try:
        plans = await tenant.store.read(work)
    finally:
        await tenant.close()
    assert plans
    assert all("(unique_key>? AND unique_key<?)" in plan for plan in plans)


class CutError(BaseException):
    """The machine stopped."""


FOLLOWING = """
automation: follow
label: {fr: Suite, en: Following}
when: {entered: recruiting.contacted}
do:
  - set: {city: Lyon}
  - create: {entity: company, as: firm, values: {name: Savons}}
  - task: {title: {fr: Relancer, en: Call again}, for: =record.owner, about: =firm}
  - wait: {for: 1h}
  - move: sign
"""


async def outcome(stage: Stage) -> dict[str, Any]:
    """Return what there is in the end, without ids and tries."""
    return {
        "lead": await stage.rows("lead", "recruiting", "city", "calls", "version"),
        "history": sorted(await stage.rows("_history", "kind", "entity", "transition", "actor_kind")),
        "runs": sorted(await stage.rows("_run", "automation", "state")),
        "steps": sorted(await stage.rows("_step", "path", "outcome")),
        "tasks": await stage.rows("_task", "title"),
        "companies": await stage.rows("company", "name"),
        "mails": await stage.rows("_mail", "state"),
        "letters": len(stage.mailbox.letters),
        "ready": await stage.rows("_outbox", "kind", where="state = 'ready'"),
    }


async def work_through(stage: Stage, lea: Actor) -> None:
    """Live through the afternoon of a lead, calling again whenever the worker died."""
    for _ in range(60):
        try:
            await stage.worker.run_due()
        except CutError:
            stage.clock.forward(outbox.LEASE)
            continue
        if await stage.rows("_run", "id", where="state = 'done' AND automation = 'follow'"):
            return
        stage.clock.forward(timedelta(minutes=10))


@dataclass
class Cut:
    """How many transactions wrote, and whether the cut one came after the server had taken the letter."""

    transactions: int = 0
    taken: bool = False


def cut(monkeypatch: pytest.MonkeyPatch, stage: Stage, transaction: int, at: int) -> Cut:
    """Cut the `transaction`-th writing transaction at its `at`-th write."""
    whole = stage.tenant.store.write
    seen = Cut()

    async def writing(work: Callable[[Tx], Awaitable[T]], *, claim: bool = False) -> T:
        seen.transactions += 1
        if seen.transactions != transaction:
            return await whole(work, claim=claim)
        seen.taken = bool(stage.mailbox.letters) and await stage.rows("_mail", "state") == [("sending",)]
        return await whole(lambda tx: work(CutTx(tx, at)), claim=claim)

    monkeypatch.setattr(stage.tenant.store, "write", writing)
    return seen


WHOLE: dict[str, Any] = {
    "lead": [("signed", "Lyon", 1, 4)],
    "history": [
        ("created", "company", None, "system"),
        ("created", "lead", None, "member"),
        ("created", "member", None, "system"),
        ("moved", "lead", "call", "member"),
        ("moved", "lead", "sign", "system"),
        ("updated", "lead", None, "system"),
    ],
    "runs": [("follow", "done"), ("welcome", "done")],
    "steps": [
        ("do/0", "done"),
        ("do/0", "done"),
        ("do/1", "done"),
        ("do/2", "done"),
        ("do/3", "done"),
        ("do/3", "waiting"),
        ("do/4", "done"),
    ],
    "tasks": [("Relancer",)],
    "companies": [("Savons",)],
    "mails": [("sent",)],
    "letters": 1,
    "ready": [],
}
"""What there is in the end when nothing goes wrong."""
TRANSACTIONS = 20
"""No afternoon of this lead writes more often."""


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 3, 5, 8, 13, 17])
@pytest.mark.parametrize("transaction", list(range(1, TRANSACTIONS + 1)))
async def test_a_crash_between_any_two_writes_loses_nothing_and_doubles_nothing(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, transaction: int, at: int
) -> None:
    stage = await make_stage(changed(SMALL, follow=FOLLOWING))
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea))
    seen = cut(monkeypatch, stage, transaction, at)
    await work_through(stage, lea)
    found = await outcome(stage)
    if found["mails"] == [("unknown",)]:  # the machine stopped between the server's "taken" and writing that down
        assert seen.taken
        found["mails"] = [("sent",)]
    assert found == WHOLE


async def test_nothing_goes_wrong_without_a_crash(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await make_stage(changed(SMALL, follow=FOLLOWING))
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea))
    seen = cut(monkeypatch, stage, 0, 0)
    await work_through(stage, lea)
    assert await outcome(stage) == WHOLE
    assert seen.transactions <= TRANSACTIONS


async def test_a_handler_that_breaks_is_tried_again_and_its_run_fails_in_the_end(
    stage: Stage, lea: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(automations, "advance", broken)
    await stage.call(lea, await stage.lead(lea))
    for _ in range(outbox.ATTEMPTS):
        await stage.worker.run_due()
        stage.clock.forward(LONGEST * 2)
    assert await stage.rows("_outbox", "state", where="kind = 'run'") == [("dead",)]
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "failed"
    assert "a bug" in error


async def test_a_row_whose_workers_keep_dying_is_dead_in_the_end(stage: Stage, lea: Actor) -> None:
    await stage.call(lea, await stage.lead(lea))
    for _ in range(outbox.ATTEMPTS):
        await claimed(stage.tenant, "dying")
        stage.clock.forward(outbox.LEASE)
    await stage.worker.run_due()
    assert await stage.rows("_outbox", "state", where="kind = 'run'") == [("dead",)]
    assert await stage.rows("_run", "state") == [("failed",)]


async def test_a_serving_worker_wakes_with_a_commit_and_stops_when_told(stage: Stage, lea: Actor) -> None:
    stop = asyncio.Event()
    serving = asyncio.ensure_future(stage.worker.serve(stop))
    await stage.call(lea, await stage.lead(lea))
    async with asyncio.timeout(5):
        while await stage.rows("_run", "id", where="state = 'done'") == []:
            await stage.tenant.store.read(outbox.next_due)
    stop.set()
    async with asyncio.timeout(5):
        await serving


async def test_a_serving_worker_outlives_a_round_that_fails(
    stage: Stage, lea: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL", 0.01)
    rounds = []

    async def failing(_: Worker, __: Sequence[str], ___: asyncio.Event) -> int:
        rounds.append(1)
        raise OSError("the disk is full")

    monkeypatch.setattr(Worker, "_drain", failing)
    stop = asyncio.Event()
    serving = asyncio.ensure_future(stage.worker.serve(stop))
    async with asyncio.timeout(5):
        while len(rounds) < 3:
            await stage.tenant.store.read(outbox.next_due)
    stop.set()
    await serving
