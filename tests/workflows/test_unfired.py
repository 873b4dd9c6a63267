"""An automation that did not begin says what its condition asks for, part by part, as it was then, to whom it may."""

from __future__ import annotations

from functools import partial

import pytest

from models.actor import SYSTEM, Actor
from models.message import Message
from models.query import Query
from models.record import Record
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_guards import told
from workflows import commands, jobs, registers
from workflows.overseeing import one, page
from workflows.publishing import publish
from workflows.registry import REGISTERS
from workflows.timeline import timeline
from workflows.traces import RunTrace
from workflows.unfired import CHANGED, Judged
from workflows.unit import VERSIONS, read

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


def condition(why: Message | None) -> str:
    """Return the condition in a reason."""
    assert why is not None
    return why.values["condition"]


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


async def test_a_condition_that_is_another_one_today_is_told_as_it_was_judged(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.calls > 7"))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await publish(stage.tenant, asking("record.calls > 8"))
    run = await trace(stage, lea, lead)
    assert (str(run.why), run.asks) == ("The condition does not hold: record.calls > 7", ())
    judged = condition(run.why)
    assert isinstance(judged, Judged)
    assert judged.network is (await stage.tenant.version(1)).network


async def test_an_earlier_condition_about_what_is_hidden_or_gone_is_not_told(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.income_goal > 10 || record.rating > 3.0"))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    goal = edited(asking("record.calls > 8"), ("income_goal:  {", "goal:  {was: income_goal, "))
    await publish(
        stage.tenant, {name: text.replace("income_goal: {read", "goal: {read") for name, text in goal.items()}
    )
    renamed = condition((await trace(stage, rita, lead)).why)
    assert renamed == "record.income_goal > 10 || record.rating > 3.0"
    assert condition((await trace(stage, lea, lead)).why) == "…"
    gone = edited(asking("record.calls > 8"), ("  rating:       {type: decimal, scale: 4}\n", ""))
    await publish(stage.tenant, gone, allow_loss=True)
    assert condition((await trace(stage, rita, lead)).why) == "…"


async def test_a_condition_that_no_version_has_is_said_to_have_changed(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.calls > 7"))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await publish(stage.tenant, asking("record.calls > 8"))
    await stage.tenant.store.write(lambda tx: tx.run('UPDATE "_run" SET "definition" = 2'))
    assert condition((await trace(stage, lea, lead)).why) == CHANGED


async def test_so_many_earlier_versions_are_read_for_what_is_told_at_once(make_stage: MakeStage) -> None:
    stage = await make_stage(asking("record.calls > 70"))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    for number in range(71, 73 + VERSIONS):
        await publish(stage.tenant, asking(f"record.calls > {number}"))
        for transition in ("lose", "revive"):
            await commands.move(stage.tenant, lea, "lead", lead.id, transition)
    runs = [event.run for event in await timeline(stage.tenant, lea, "lead", lead.id) if event.run]
    told = [condition(run.why) for run in runs if not run.asks]
    kept = [f"record.calls > {number}" for number in range(71 + VERSIONS, 71, -1)]
    assert told == [*kept, CHANGED, CHANGED]


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


HIDES = """
level: leader
entities:
  member: {read: all}
  lead: {read: all, fields: {income_goal: {read: none}}}
"""


async def test_who_runs_the_network_is_told_a_condition_by_the_same_rule(make_stage: MakeStage) -> None:
    loop = '  - {for_each: {in: {entity: lead}, as: other}, do: [{set: {city: x}, if: other.city == "Nice"}]}\n  - wait'
    files = changed(asking("has(record.phone)"), cautious=STEPS.replace("  - wait", loop))
    for given, said in (
        (files, ["record.income_goal > 10", 'other.city == "Nice"']),
        (changed(files, leader=HIDES), ["…"] * 2),
    ):
        stage = await make_stage(given)
        lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
        await stage.call(lea, await stage.lead(lea))
        await stage.worker.run_due()
        entries = await read(stage.tenant, rita, lambda unit: registers.page(unit, REGISTERS["step"], Query(sort="at")))
        assert sorted(condition(each["error"]) for each in entries if each["error"]) == sorted(said)
        runs = (await read(stage.tenant, rita, lambda unit: page(unit, None))).runs
        [run] = [each["id"] for each in runs if each["automation"] == "cautious"]
        shown = await read(stage.tenant, rita, partial(one, run_id=run))
        assert [condition(step.why) for step in shown.steps if step.why] == said


async def test_why_a_run_ended_is_told_in_the_list_of_runs_by_that_rule(make_stage: MakeStage) -> None:
    stage = await make_stage(changed(asking("has(record.phone)"), cautious=STEPS, leader=HIDES))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    await stage.worker.run_due()
    listed = (await read(stage.tenant, rita, lambda unit: page(unit, "cancelled"))).runs
    [why] = [each["error"] for each in listed if each["automation"] == "cautious"]
    assert condition(why) == "…"
