"""A wait until a time of the record follows it; what the clock has a part in is computed once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import TASK, automation, staged
from workflows import commands

pytestmark = pytest.mark.anyio

NOON = "2026-03-05T10:00"


async def waiting(make: MakeStage, wait: str, **values: Any) -> tuple[Stage, str]:
    """Return a stage on which a run waits over a lead."""
    stage, lea = await staged(make, automation("{created: lead}", f"  - wait: {wait}\n" + TASK))
    stage.people["Lea"] = lea
    lead = await stage.lead(lea, **({"next_call_at": NOON} | values))
    await stage.worker.run_due()
    return stage, lead.id


async def change(stage: Stage, lead: str, **values: Any) -> None:
    await commands.update(stage.tenant, stage.people["Lea"], "lead", lead, None, values)
    await stage.worker.run_due()


async def wakes(stage: Stage) -> str:
    [(state, wake)] = await stage.rows("_run", "state", "wake_at")
    return str(wake)[:16] if state == "waiting" else str(state)


@pytest.mark.parametrize(
    ("wait", "changes", "until"),
    [
        ("{until: =record.next_call_at}", {"next_call_at": "2026-03-09T10:00"}, "2026-03-09 09:00"),
        ("{until: =record.next_call_at}", {"next_call_at": "2026-03-03T10:00"}, "2026-03-03 09:00"),
        ("{until: =record.next_call_at}", {"next_call_at": "2026-03-01T10:00"}, "done"),
        ("{until: =record.next_call_at}", {"next_call_at": None}, "2026-03-05 09:00"),
        ("{until: =record.next_call_at}", {"city": "Lyon"}, "2026-03-05 09:00"),
        ("{until: =record.next_call_at, timeout: 7d}", {"next_call_at": "2026-05-01T10:00"}, "2026-03-09 11:00"),
        ("{until: =record.next_call_at + working_days(1)}", {"next_call_at": "2026-03-06T10:00"}, "2026-03-09 09:00"),
        ("{until: =now() + record.pause}", {"pause": "2d"}, "2026-03-03 11:00"),
        (
            "{until: =record.next_call_at, cancel_if: record.calls > 3}",
            {"next_call_at": "2026-03-09T10:00", "calls": 2},
            "2026-03-09 09:00",
        ),
        (
            "{until: =record.next_call_at, cancel_if: record.calls > 3}",
            {"next_call_at": "2026-03-09T10:00", "calls": 4},
            "cancelled",
        ),
    ],
)
async def test_a_wait_follows_the_time_of_its_record(
    make_stage: MakeStage, wait: str, changes: dict[str, Any], until: str
) -> None:
    stage, lead = await waiting(make_stage, wait, pause="1d")
    await change(stage, lead, **changes)
    assert await wakes(stage) == until


async def test_it_goes_on_once_at_the_time_that_it_has_in_the_end(make_stage: MakeStage) -> None:
    stage, lead = await waiting(make_stage, "{until: =record.next_call_at, timeout: 30d}")
    for put_off in ("2026-03-09T10:00", "2026-03-20T10:00", "2026-03-10T10:00"):
        await change(stage, lead, next_call_at=put_off)
    for day in (6, 9):
        stage.clock.moment = datetime.fromisoformat(f"2026-03-0{day}T12:00+00:00")
        await stage.worker.run_due()
        assert await wakes(stage) == "2026-03-10 09:00"
    stage.clock.forward(timedelta(days=30))
    await stage.worker.run_due()
    assert await wakes(stage) == "done"
    assert len(await stage.rows("_task", "id")) == 1


@pytest.mark.parametrize("span", ["working_days(record.calls * 100000)", "working_days(9000) + working_days(9000)"])
async def test_a_wait_of_more_working_time_than_is_counted_is_no_wait(make_stage: MakeStage, span: str) -> None:
    stage, _ = await waiting(make_stage, f"{{for: ={span}}}", calls=7)
    assert await wakes(stage) == "done"
    assert ("skipped",) in await stage.rows("_step", "outcome")


async def test_what_is_taken_back_may_call_a_wait_off(make_stage: MakeStage) -> None:
    stage, lead = await waiting(
        make_stage, """{for: 9d, cancel_if: 'record.recruiting == "new" && record.city == "Lyon"'}"""
    )
    moved = await commands.move(
        stage.tenant, stage.people["Lea"], "lead", lead, "call", form={"next_call_at": NOON, "comment": "x"}
    )
    await change(stage, lead, city="Lyon")
    assert (await wakes(stage)).startswith("2026-03-11")
    await commands.undo(stage.tenant, stage.people["Lea"], moved.history)
    await stage.worker.run_due()
    assert await wakes(stage) == "cancelled"
