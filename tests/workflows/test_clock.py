"""The machine's clock is put forward or back while a network works: what was put off comes back within reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.tenant import open_tenant
from tests.networks import SMALL, changed
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, outbox, upkeep
from workflows.mail import SmtpTransport
from workflows.stored import moment
from workflows.unit import Unit, write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

YEAR = timedelta(days=365)
DAILY = changed(
    SMALL,
    daily="""
automation: daily
label: {fr: Chaque jour, en: Daily}
when: {every: {cron: "0 8 * * *", catch_up: last}}
mode: parallel
do: [{create: {entity: company, values: {name: Tic}}}]
""",
)


async def companies(stage: Stage) -> int:
    await stage.worker.run_due()
    return len(await stage.rows("company", "id"))


async def test_a_schedule_goes_on_when_the_clock_was_a_year_ahead_for_a_while(make_stage: MakeStage) -> None:
    stage = await make_stage(DAILY)
    assert await companies(stage) == 0
    stage.clock.forward(YEAR)
    assert await companies(stage) == 1
    stage.clock.forward(-YEAR)
    assert await companies(stage) == 1
    for day in (3, 4):
        stage.clock.moment = datetime(2026, 3, day, 7, 0, tzinfo=UTC)
        assert await companies(stage) == day - 1
    assert len(await stage.rows("_outbox", "id", where="kind = 'every' AND state = 'ready'")) == 1


async def test_a_restart_right_after_a_tick_neither_repeats_nor_ends_the_schedule(make_stage: MakeStage) -> None:
    stage = await make_stage(DAILY)
    await companies(stage)
    stage.clock.moment = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert await companies(stage) == 1
    stage.clock.forward(timedelta(seconds=-20))
    await Worker(stage.tenant, name="anew").run_due()
    stage.clock.forward(timedelta(seconds=40))
    assert await companies(stage) == 1
    stage.clock.moment = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)
    assert await companies(stage) == 2


async def test_a_schedule_that_is_behind_is_not_given_a_second_tick(make_stage: MakeStage) -> None:
    stage = await make_stage(DAILY)
    assert await companies(stage) == 0
    stage.clock.forward(timedelta(days=3))
    assert await companies(stage) == 1
    stage.clock.forward(timedelta(days=1))
    assert await Worker(stage.tenant, name="anew").run_due() > 0
    assert await companies(stage) == 2
    assert len(await stage.rows("_outbox", "id", where="kind = 'every' AND state = 'ready'")) == 1


async def test_a_mail_that_was_held_by_a_clock_that_was_ahead_leaves_in_time(stage: Stage, lea: Actor) -> None:
    stage.clock.forward(YEAR)
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    stage.clock.forward(-YEAR)
    await stage.worker.run_due()
    assert stage.mailbox.letters == []
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 1


async def test_a_pause_after_a_failure_ends_when_the_clock_is_put_back(stage: Stage, lea: Actor) -> None:
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    stage.clock.forward(YEAR)
    stage.mailbox.refuse = {"paul@exemple.fr": "451 later"}
    await stage.worker.run_due()
    stage.mailbox.refuse = {}
    stage.clock.forward(timedelta(hours=1) - YEAR)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state", "attempts") == [("sent", 2)]


async def test_a_lease_of_a_clock_that_was_ahead_holds_nothing(stage: Stage, lea: Actor) -> None:
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    stage.clock.forward(YEAR)
    now = stage.clock.now()
    dead = await stage.tenant.store.write(lambda tx: outbox.claim(tx, worker="dead", now=now, limit=10))
    assert [row.kind for row in dead] == ["mail"]
    stage.clock.forward(timedelta(hours=1) - YEAR)
    await Worker(stage.tenant, SmtpTransport(stage.mailbox.url)).run_due()
    assert await stage.rows("_mail", "state") == [("sent",)]


async def test_all_work_comes_back_within_reach_but_what_waits_for_a_moment_of_its_own(stage: Stage) -> None:
    async def ask(unit: Unit) -> None:
        for kind in outbox.KINDS:
            await outbox.enqueue(unit, kind, {}, unit.now + timedelta(hours=1))

    stage.clock.forward(YEAR)
    await write(stage.tenant, SYSTEM, ask)
    stage.clock.forward(-YEAR)
    await upkeep.mend(stage.tenant)
    soon = moment(stage.clock.now() + timedelta(hours=1))
    late = await stage.rows("_outbox", "kind", where=f"run_at > '{soon}' AND created_at > '{soon}'")
    assert {kind for (kind,) in late} == {"stays", "due", "every", "answers", "token"}


async def test_a_small_correction_of_the_clock_mends_nothing(stage: Stage, lea: Actor) -> None:
    await stage.worker.run_due()
    now = stage.clock.now()
    await stage.call(lea, await stage.lead(lea))
    held = await stage.tenant.store.write(lambda tx: outbox.claim(tx, worker="alive", now=now, limit=10))
    assert held
    stage.clock.forward(timedelta(seconds=-30))
    await stage.worker.run_due()
    assert await stage.rows("_outbox", "worker", where=f"id = '{held[0].id}'") == [("alive",)]


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # elsewhere the worker may live
async def test_who_opens_a_network_goes_on_at_once_with_what_a_dead_worker_held(stage: Stage, lea: Actor) -> None:
    await stage.call(lea, await stage.lead(lea))
    now, path = stage.clock.now(), stage.tenant.store.path  # type: ignore[attr-defined] # it is one on SQLite
    assert await stage.tenant.store.write(lambda tx: outbox.claim(tx, worker="dead", now=now, limit=10))
    await stage.tenant.close()
    again = await open_tenant(path, "small", clock=SetClock(now))
    await Worker(again).run_due()
    states = await again.store.read(lambda tx: tx.rows("""SELECT "state" FROM "_run" """))
    await again.close()
    assert states == [("done",)]


async def test_an_undo_is_no_longer_possible_when_the_clock_went_on(stage: Stage, lea: Actor) -> None:
    moved = await stage.call(lea, await stage.lead(lea))
    stage.clock.forward(-YEAR)
    taken_back = await commands.undo(stage.tenant, lea, moved.history)
    assert taken_back.record is not None
    assert taken_back.record.values["recruiting"] == "new"
