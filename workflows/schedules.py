"""Triggers that fire by the clock: `every`. Each tick is a row of the outbox that enqueues the one after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim

from models.query import Query
from models.record import Record
from workflows import outbox, timers
from workflows.beginning import Beginning, begin
from workflows.stored import moment, must_moment
from workflows.subscriptions import Schedule, subscriptions
from workflows.unit import Unit

BATCH = 100
"""Records that one transaction goes through at most."""

LATE = timedelta(minutes=10)
"""A tick that is worked later than this was missed."""

MISSED = 1000
"""With `catch_up: all`, so many ticks are made up for at most; earlier ones are left."""


def next_tick(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first tick after `after`, in UTC; hours are those of the zone's wall clock."""
    return next(CronSim(cron, after.astimezone(zone))).astimezone(UTC)


def last_tick(cron: str, zone: ZoneInfo, before: datetime) -> datetime:
    """Return the last tick at or before `before`, in UTC."""
    later = before.astimezone(zone) + timedelta(seconds=1)
    return next(CronSim(cron, later, reverse=True)).astimezone(UTC)


async def plan(unit: Unit, schedule: Schedule, tick: datetime) -> None:
    """Ask for a tick to be worked; each is asked for once."""
    name, position = schedule.automation.name, schedule.position
    payload = {"automation": name, "position": position, "tick": moment(tick)}
    await outbox.enqueue(unit, "every", payload, tick, f"every:{name}:{position}:{moment(tick)}")


async def fire(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Work a tick: start its runs unless it was missed and is not to be made up for, and plan the next one."""
    schedule = _find(unit, payload)
    if schedule is None:
        return
    tick = must_moment(payload["tick"])
    zone, cron = unit.published.timezone, schedule.trigger.cron
    following = next_tick(cron, zone, tick - timedelta(seconds=1))
    if following != tick:  # the definition has another time now
        return
    catch_up: Literal["all", "last", "none"] = schedule.trigger.catch_up
    await plan(unit, schedule, _after(cron, zone, tick, unit.now, catch_up))
    if catch_up == "last":
        tick = max(tick, last_tick(cron, zone, unit.now))
    if catch_up == "none" and unit.now - tick > LATE:
        return
    await _start(unit, schedule, tick, None)


def _after(cron: str, zone: ZoneInfo, tick: datetime, now: datetime, catch_up: str) -> datetime:
    """Return the tick to plan after `tick`: each one with `all` (of many the last `MISSED`), else the next to come."""
    following = next_tick(cron, zone, tick)
    since = now - MISSED * (following - tick) if catch_up == "all" else now
    return max(following, next_tick(cron, zone, since))


async def _start(unit: Unit, schedule: Schedule, tick: datetime, cursor: str | None) -> None:
    """Start the runs of a tick; for a query, of a batch of its records, and ask for the batch after it."""
    cause = f"every:{schedule.automation.name}:{schedule.position}:{moment(tick)}"
    what = f"every {schedule.trigger.cron}"
    if schedule.trigger.entity is None:
        await begin(unit, schedule.automation, Beginning(cause, what))
        return
    query = Query(where=schedule.trigger.where, sort="created_at", limit=BATCH, cursor=cursor)
    page = await unit.records.system.list(schedule.trigger.entity, query)
    for record in page.records:
        await begin(unit, schedule.automation, Beginning(cause, what, record))
    if page.next is not None:
        payload = {"automation": schedule.automation.name, "position": schedule.position, "tick": moment(tick)}
        await outbox.enqueue(unit, "batch", {**payload, "cursor": page.next}, None, f"{cause}:{page.next}")


async def go_on(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Go on with the next batch of a tick's records."""
    schedule = _find(unit, payload)
    if schedule is not None:
        await _start(unit, schedule, must_moment(payload["tick"]), payload["cursor"])


def _find(unit: Unit, payload: Mapping[str, Any]) -> Schedule | None:
    wanted = (payload["automation"], payload["position"])
    found = subscriptions(unit.published).every
    return next((schedule for schedule in found if (schedule.automation.name, schedule.position) == wanted), None)


async def adopt(unit: Unit) -> None:
    """Plan the schedules of a new version, and set the timers of its automations for the records that are there."""
    known = subscriptions(unit.published)
    for schedule in known.every:
        await plan(unit, schedule, next_tick(schedule.trigger.cron, unit.published.timezone, unit.now))
    stays = [timer.automation.name for found in known.stays.values() for timer in found]
    due = [timer.automation.name for found in known.due.values() for timer in found]
    for automation in dict.fromkeys([*stays, *due]):
        await _ask(unit, automation, None)


async def mend(unit: Unit, slack: timedelta) -> None:
    """See to it that every schedule has its next tick planned, and none beyond it: the clock may have been put back.

    Ticks that were worked more than `slack` before their time will be worked again.
    """
    for schedule in subscriptions(unit.published).every:
        rows = await outbox.asked(unit.tx, f"every:{schedule.automation.name}:{schedule.position}:", unit.now)
        worked = [row.at for row in rows if row.over and row.at <= unit.now + slack]
        following = next_tick(schedule.trigger.cron, unit.published.timezone, max([unit.now, *worked]))
        for row in rows:
            if row.at > (unit.now + slack if row.over else following):
                await outbox.forget(unit.tx, row.id)
        if not any(row.at <= following and not row.over for row in rows):
            await plan(unit, schedule, following)


async def _ask(unit: Unit, automation: str, cursor: str | None) -> None:
    key = f"arm:{automation}:{unit.published.version}:{cursor or ''}"
    await outbox.enqueue(unit, "arm", {"automation": automation, "cursor": cursor}, None, key, priority=outbox.LAST)


async def arm(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Set the timers of an automation for a batch of records."""
    automation = unit.network.automations.get(payload["automation"])
    if automation is None or automation.entity is None:
        return
    query = Query(sort="created_at", limit=BATCH, cursor=payload["cursor"])
    page = await unit.records.system.list(automation.entity, query)
    for record in page.records:
        await _arm(unit, record, automation.name)
    if page.next is not None:
        await _ask(unit, automation.name, page.next)


async def _arm(unit: Unit, record: Record, automation: str) -> None:
    await timers.arm_again(unit, record, automation)
