"""What starts automations, where names change and where runs start runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from tests.workflows.test_earlier_names import renamed
from workflows import commands
from workflows.publishing import publish

pytestmark = pytest.mark.anyio

STOP = "  - stop: true"
DUE = "{due: {entity: lead, at: next_call_at, before: 5d}}"
STAYS = "{stays: {state: recruiting.new, for: 2d}}"


async def count(stage: Stage) -> int:
    """Return how many runs there are, when everything due is done."""
    await stage.worker.run_due()
    return len(await stage.rows("_run", "id", where="state <> 'not_fired'"))


@pytest.mark.parametrize(("trigger", "days"), [(STAYS, 2), (DUE.replace("before: 5d", "after: 1d"), 4)])
async def test_timers_follow_the_names_of_entities_processes_and_states(
    make_stage: MakeStage, trigger: str, days: int
) -> None:
    files = automation(trigger, STOP)
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea, next_call_at="2026-03-05T12:00")
    await stage.worker.run_due()
    new = renamed(files)
    said = trigger.replace("recruiting.new", "hiring.new").replace("lead", "contact")
    await publish(stage.tenant, {**new, "it.yaml": automation(said, STOP)["it.yaml"]})
    stage.clock.forward(timedelta(days=days))
    assert await count(stage) == 1
    stage.clock.forward(timedelta(days=9))
    assert await count(stage) == 1


async def test_a_reminder_is_not_given_again_because_its_automation_is_called_otherwise(make_stage: MakeStage) -> None:
    files = automation(DUE, STOP)
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea, next_call_at="2026-03-05T12:00")
    assert await count(stage) == 1
    await publish(stage.tenant, edited(files, ("automation: it", "automation: other\nwas: it")))
    assert await count(stage) == 1


async def test_a_run_that_restarts_its_automation_does_nothing_more(make_stage: MakeStage) -> None:
    files = automation(
        "{changed: {entity: lead, fields: [calls]}}",
        "  - set: {calls: =record.calls + 1}\n    if: record.calls < 3\n"
        "  - create: {entity: company, values: {name: Once}}",
        "mode: restart",
        "if: record.calls < 100",
    )
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"calls": 1})
    await stage.worker.run_due()
    assert await stage.value(lead, "calls") == 3
    assert await stage.rows("_run", "state") == [("cancelled",), ("cancelled",), ("done",)]
    assert await stage.rows("company", "name") == [("Once",)]


async def test_a_choice_without_else_goes_on_behind_itself(make_stage: MakeStage) -> None:
    steps = "  - choose: [{if: record.calls == 1, do: [{set: {city: Lyon}}]}]\n  - set: {phone: null}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    for number in range(2):
        await stage.lead(lea, email=f"{number}@exemple.fr", calls=number)
    await stage.worker.run_due()
    assert await stage.rows("lead", "city", "phone") == [(None, None), ("Lyon", None)]


async def test_a_move_of_an_automation_fills_in_the_form_of_the_move(make_stage: MakeStage) -> None:
    form = "{comment: =record.first_name, next_call_at: =now() + days(1)}"
    move = f"{{record: =record, transition: recruiting.call, form: {form}}}"
    stage, lea = await staged(make_stage, automation("{created: lead}", f"  - move: {move}"))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.rows("_run", "state", "error") == [("done", None)]
    assert await stage.value(lead, "next_call_at") == stage.clock.now() + timedelta(days=1)
    assert await stage.rows("_history", "text", where="kind = 'moved'") == [("Paul",)]


async def test_a_wait_until_a_time_that_is_not_known_yet_lasts_until_its_time_out(make_stage: MakeStage) -> None:
    steps = "  - wait: {until: =record.next_call_at, timeout: 2d}\n  - set: {city: Lyon}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    for days, city in ((1, None), (1, "Lyon")):
        stage.clock.forward(timedelta(days=days))
        await stage.worker.run_due()
        assert await stage.value(lead, "city") == city
