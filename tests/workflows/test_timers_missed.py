"""What is not made up for: stays that were over before anybody asked, times that a new version put off, ticks without
end.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workflows.conftest import MakeStage
from tests.workflows.test_automations import QUIET, automation, staged
from tests.workflows.test_timers import STOP, fired
from workflows import schedules

pytestmark = pytest.mark.anyio


def stays(time: str) -> dict[str, str]:
    return automation(f"{{stays: {{state: recruiting.new, for: {time}}}}}", STOP)


async def test_a_stay_that_was_over_before_the_automation_starts_nothing(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    await stage.lead(lea)
    stage.clock.forward(timedelta(days=9))
    await stage.tenant.publish(stays("2d"))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=9))
    assert await fired(stage) == 0


async def test_a_version_that_asks_for_a_longer_stay_waits_for_it(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, stays("2d"))
    await stage.lead(lea)
    await stage.tenant.publish(stays("5d"))
    stage.clock.forward(timedelta(days=2))
    assert await fired(stage) == 0
    stage.clock.forward(timedelta(days=3))
    assert await fired(stage) == 1


async def test_of_many_missed_ticks_the_last_ones_are_made_up_for(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "MISSED", 3)
    stage, _ = await staged(make_stage, automation('{every: {cron: "0 * * * *", catch_up: all}}', STOP))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(hours=10))
    assert await fired(stage) == 4  # the one that was planned, and three
    stage.clock.forward(timedelta(hours=1))
    assert await fired(stage) == 5
