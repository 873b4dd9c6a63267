from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.actor import SYSTEM
from tests.networks import changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import QUIET, automation, staged
from workflows import commands
from workflows.schedules import BATCH, last_tick, next_tick

pytestmark = pytest.mark.anyio

PARIS = ZoneInfo("Europe/Paris")
STOP = "  - stop: true"


async def fired(stage: Stage) -> int:
    """Let the workers do what is due and return how many runs there have been."""
    await stage.worker.run_due()
    return len(await stage.rows("_run", "id", where="state = 'done'"))


async def test_stays_fires_when_the_time_in_the_state_is_over(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{stays: {state: recruiting.new, for: 2d}}", STOP))
    await stage.lead(lea)
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=2, seconds=-1))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(seconds=1))
    assert await fired(stage) == 1
    stage.clock.forward(timedelta(days=9))
    assert await fired(stage) == 1


async def test_stays_does_not_fire_when_the_record_left_even_if_it_came_back(make_stage: MakeStage) -> None:
    files = automation("{stays: {state: recruiting.contacted, for: 3d}}", STOP)
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    stage.clock.forward(timedelta(days=2))
    await commands.move(stage.tenant, lea, "lead", lead.id, "lose")
    await commands.move(stage.tenant, lea, "lead", lead.id, "revive")
    stage.clock.forward(timedelta(days=2))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=1))
    assert await fired(stage) == 1


async def test_a_move_that_was_taken_back_did_not_end_the_stay(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{stays: {state: recruiting.new, for: 2d}}", STOP))
    lead = await stage.lead(lea)
    stage.clock.forward(timedelta(days=1))
    moved = await stage.call(lea, lead)
    await commands.undo(stage.tenant, lea, moved.history)
    stage.clock.forward(timedelta(days=1))
    assert await fired(stage) == 1


@pytest.mark.parametrize(
    ("trigger", "at"),
    [
        ("at: next_call_at", "2026-03-05T10:00"),
        ("at: next_call_at, before: 1d", "2026-03-04T10:00"),
        ("at: next_call_at, after: 2h", "2026-03-05T12:00"),
        ("at: next_call_at, before: 2 working hours", "2026-03-04T17:00"),
    ],
)
async def test_due_fires_around_the_date_of_the_record(make_stage: MakeStage, trigger: str, at: str) -> None:
    stage, lea = await staged(make_stage, automation(f"{{due: {{entity: lead, {trigger}}}}}", STOP))
    await stage.call(lea, await stage.lead(lea))
    moment = datetime.fromisoformat(at).replace(tzinfo=PARIS).astimezone(UTC)
    stage.clock.moment = moment - timedelta(seconds=1)
    assert await fired(stage) == 0
    stage.clock.moment = moment
    assert await fired(stage) == 1


async def test_due_follows_the_date_when_it_is_put_off(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{due: {entity: lead, at: next_call_at}}", STOP))
    lead = await stage.lead(lea, next_call_at="2026-03-03T10:00")
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"next_call_at": "2026-03-06T10:00"})
    stage.clock.forward(timedelta(days=2))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=2))
    assert await fired(stage) == 1


async def test_a_reminder_that_is_late_already_comes_at_once_but_not_for_what_is_over(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{due: {entity: lead, at: next_call_at, before: 1d}}", STOP))
    await stage.lead(lea, next_call_at="2026-03-02T15:00")
    await stage.lead(lea, email="ida@exemple.fr", next_call_at="2026-03-02T09:00")
    assert await fired(stage) == 1


async def test_a_date_without_time_is_due_at_midnight_in_the_network(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{due: {entity: lead, at: birth_date}}", STOP))
    await stage.lead(lea, birth_date="2026-03-09")
    stage.clock.moment = datetime(2026, 3, 8, 22, 59, tzinfo=UTC)
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(minutes=1))
    assert await fired(stage) == 1


async def test_a_new_automation_sets_timers_for_the_records_that_are_there(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    for number in range(BATCH + 5):
        await stage.lead(lea, email=f"p{number}@exemple.fr", next_call_at="2026-03-05T10:00")
    stage.clock.forward(timedelta(days=1))
    both = "[{stays: {state: recruiting.new, for: 2d}}, {due: {entity: lead, at: next_call_at}}]"
    await stage.tenant.publish(automation(both, STOP, "mode: parallel"))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=1))
    assert await fired(stage) == BATCH + 5
    stage.clock.forward(timedelta(days=1))
    assert await fired(stage) == 2 * (BATCH + 5)


async def test_a_timer_of_an_automation_that_is_gone_fires_nothing(make_stage: MakeStage) -> None:
    both = "[{stays: {state: recruiting.new, for: 2d}}, {due: {entity: lead, at: next_call_at}}]"
    stage, lea = await staged(make_stage, automation(both, STOP))
    await stage.lead(lea, next_call_at="2026-03-04T12:00")
    await stage.tenant.publish(QUIET)
    stage.clock.forward(timedelta(days=3))
    assert await fired(stage) == 0
    assert await stage.rows("_outbox", "id", where="state <> 'done'") == []


@pytest.mark.parametrize(
    ("cron", "after", "tick"),
    [
        ("0 8 * * 1-5", "2026-11-20T08:00", "2026-11-23T08:00"),
        ("0 8 * * *", "2026-03-28T09:00", "2026-03-29T08:00"),
        ("30 2 * * *", "2026-03-28T12:00", "2026-03-29T03:00"),
        ("30 2 * * *", "2026-10-24T12:00", "2026-10-25T02:30"),
        ("*/15 * * * *", "2026-11-23T10:14", "2026-11-23T10:15"),
    ],
)
def test_ticks_are_on_the_wall_clock_of_the_network(cron: str, after: str, tick: str) -> None:
    moments = [datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC) for text in (after, tick)]
    assert next_tick(cron, PARIS, moments[0]) == moments[1]
    assert last_tick(cron, PARIS, moments[1]) == moments[1]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "*/20 1-3 * * *", "0 * * * *", "15 1 * * 0"])
@pytest.mark.parametrize("begin", ["2026-03-06", "2026-03-27", "2026-04-03", "2026-10-23", "2026-10-30"])
def test_a_schedule_goes_on_over_the_change_to_summer_time_and_back(zone: str, cron: str, begin: str) -> None:
    place, tick = ZoneInfo(zone), datetime.fromisoformat(begin).replace(tzinfo=UTC)
    end = tick + timedelta(days=9)
    while tick < end:
        following = next_tick(cron, place, tick)
        assert tick < following <= tick + timedelta(days=8)
        assert next_tick(cron, place, following - timedelta(seconds=1)) == following
        tick = following


def every(catch_up: str, do: str = "  - create: {entity: company, values: {name: Tic}}") -> dict[str, str]:
    """Return a network with an automation that ticks at eight each day."""
    return automation(f'{{every: {{cron: "0 8 * * *", catch_up: {catch_up}}}}}', do)


async def ticks(stage: Stage) -> int:
    """Return how many ticks did something."""
    await stage.worker.run_due()
    return len(await stage.rows("company", "id"))


async def test_every_fires_at_each_tick_and_once(make_stage: MakeStage) -> None:
    stage, _ = await staged(make_stage, every("last"))
    assert await ticks(stage) == 0
    for days in range(1, 4):
        stage.clock.moment = datetime(2026, 3, 2 + days, 7, 0, tzinfo=UTC)
        assert await ticks(stage) == days
        stage.clock.forward(timedelta(hours=1))
        assert await ticks(stage) == days


@pytest.mark.parametrize(("catch_up", "made_up"), [("all", 5), ("last", 1), ("none", 0)])
async def test_missed_ticks_are_made_up_for_as_the_trigger_says(
    make_stage: MakeStage, catch_up: str, made_up: int
) -> None:
    stage, _ = await staged(make_stage, every(catch_up))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(days=5))
    assert await ticks(stage) == made_up
    stage.clock.moment = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert await ticks(stage) == made_up + 1


async def test_a_schedule_that_was_changed_keeps_the_new_time_only(make_stage: MakeStage) -> None:
    stage, _ = await staged(make_stage, every("all"))
    await stage.worker.run_due()
    await stage.tenant.publish(edited(every("all"), ("0 8 * * *", "0 9 * * *")))
    await stage.worker.run_due()
    stage.clock.moment = datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
    assert await ticks(stage) == 0
    stage.clock.forward(timedelta(hours=1))
    assert await ticks(stage) == 1


async def test_a_schedule_over_records_goes_through_all_of_them_in_batches(make_stage: MakeStage) -> None:
    when = """{every: {cron: "0 8 * * *", for_each: {entity: lead, where: 'record.calls == 0'}}}"""
    stage, lea = await staged(make_stage, automation(when, "  - set: {calls: =record.calls + 1}", "mode: parallel"))
    for number in range(2 * BATCH + 3):
        await stage.lead(lea, email=f"p{number}@exemple.fr", calls=number % 2)
    await stage.worker.run_due()
    stage.clock.moment = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    await stage.worker.run_due()
    counts = await stage.tenant.store.read(lambda tx: tx.rows('SELECT "calls", count(*) FROM "lead" GROUP BY 1'))
    assert [tuple(row) for row in counts] == [(1, 2 * BATCH + 3)]
    assert await stage.rows("_run", "actor", where="actor IS NOT NULL") == []


async def test_what_a_schedule_does_is_nobodys_activity(make_stage: MakeStage) -> None:
    stage, _ = await staged(make_stage, changed(every("last")))
    company = await commands.create(stage.tenant, SYSTEM, "company", {"name": "Savons"})
    assert company.full["last_activity_at"] is None
    assert company.full["created_by"] is None
