"""An automation that did not begin says what its condition asks for, part by part, as it was then, to whom it may."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM, Actor
from models.record import Record
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_guards import told
from workflows import commands, jobs
from workflows.overseeing import one
from workflows.publishing import publish
from workflows.timeline import timeline
from workflows.traces import RunTrace
from workflows.unit import read

pytestmark = pytest.mark.anyio

CONDITION = 'has(record.phone) && record.country == "BE" && record.income_goal > 10 && actor.email == "lea@exemple.fr"'
UNMET = "The conditions of this automation were not met."


def asking(condition: str) -> dict[str, str]:
    """Return the small network, whose welcome begins under a condition."""
    return edited(
        SMALL,
        ("if: has(record.email)\n", f"if: {condition}\n"),
        ("income_goal: {read: mine, write: none}", "income_goal: {read: none, write: none}"),
        ("label: {fr: Perdu, en: Lost}}\n  revive", "label: {fr: Perdu, en: Lost}, bulk: true}\n  revive"),
    )


async def trace(stage: Stage, actor: Actor, lead: Record) -> RunTrace:
    [run] = [event.run for event in await timeline(stage.tenant, actor, "lead", lead.id) if event.run]
    assert run.state == "not_fired"
    return run


async def test_each_part_is_told_as_it_was_then_to_who_sees_what_it_is_about(make_stage: MakeStage) -> None:
    stage = await make_stage(asking(CONDITION))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"country": "BE", "phone": None})
    own, leader = await trace(stage, lea, lead), await trace(stage, rita, lead)
    parts = [part.strip() for part in CONDITION.split("&&")]
    assert told(leader.asks) == list(zip(parts, (True, False, False, True), strict=True))
    assert told(own.asks) == [*told(leader.asks)[:2], (None, None), told(leader.asks)[3]]
    assert (str(own.why), str(leader.why)) == (UNMET, UNMET)
    shown = await read(stage.tenant, rita, lambda unit: one(unit, leader.id))
    assert (told(shown.asks), str(shown.run["error"])) == (told(leader.asks), UNMET)


async def test_what_the_condition_says_of_who_caused_it_is_told_to_who_sees_that_member(make_stage: MakeStage) -> None:
    stage = await make_stage(asking('actor.phone == "x"'))
    lea, noe = await stage.person("Lea", "distributor"), await stage.person("Noe", "assistant")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    assert told((await trace(stage, lea, lead)).asks) == [('actor.phone == "x"', False)]
    assert told((await trace(stage, noe, lead)).asks) == [(None, None)]


async def test_of_a_condition_that_is_another_one_today_the_text_of_then_is_told(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.calls > 7"))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await publish(stage.tenant, asking("record.calls > 8"))
    run = await trace(stage, lea, lead)
    assert (str(run.why), run.asks) == ("The condition does not hold: record.calls > 7", ())


async def test_of_a_record_that_is_gone_nothing_is_told_but_that(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.calls > 7"))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    run = (await trace(stage, lea, lead)).id
    await commands.delete(stage.tenant, SYSTEM, "lead", lead.id, None)
    shown = await read(stage.tenant, rita, lambda unit: one(unit, run))
    assert told(shown.asks) == [(None, None)]


async def test_steps_of_many_records_tell_it_of_each(make_stage: MakeStage) -> None:
    files = asking('record.city == "Lyon"')
    stage = await make_stage(
        edited(files, ("when: {entered: recruiting.contacted}", "when: {entered: recruiting.lost}"))
    )
    lea = await stage.person("Lea", "distributor")
    leads = [await stage.lead(lea, email=f"p{number}@exemple.fr") for number in range(2)]
    asked = {"process": "recruiting", "transition": "lose", "form": {}}
    await jobs.begin(stage.tenant, lea, "lead", "move", asked, [lead.id for lead in leads])
    for lead in leads:
        assert told((await trace(stage, lea, lead)).asks) == [('record.city == "Lyon"', False)]


STEPS = """
automation: cautious
label: {fr: Prudente, en: Cautious}
when: {entered: recruiting.contacted}
do:
  - {task: {title: {fr: Relancer, en: Call again}, for: =record.owner}, if: record.income_goal > 10}
  - wait: {for: 2d, cancel_if: 'record.income_goal == 5 || record.city == "Lyon"'}
"""


async def test_conditions_of_steps_are_told_to_who_sees_what_they_are_about(make_stage: MakeStage) -> None:
    stage = await make_stage(changed(asking("has(record.phone)"), cautious=STEPS))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    await stage.worker.run_due()
    found = {}
    for actor in (lea, rita):
        events = await timeline(stage.tenant, actor, "lead", lead.id)
        [run] = [event.run for event in events if event.run and event.run.automation == "cautious"]
        found[actor.id] = (str(run.steps[0].why), str(run.why))
    cancelled = 'The wait was called off: record.income_goal == 5 || record.city == "Lyon"'
    assert found[lea.id] == ("The condition does not hold: …", "The wait was called off: …")
    assert found[rita.id] == ("The condition does not hold: record.income_goal > 10", cancelled)
