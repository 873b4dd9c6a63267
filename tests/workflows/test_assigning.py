from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from models.actor import SYSTEM, Actor
from models.record import Record
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

PICK = "{pick: round_robin, among: '\"distributor\" in member.levels && member.country == record.country'}"


async def office(make_stage: MakeStage, assign: str, *more: str) -> tuple[Stage, Actor]:
    """Return a network in which new leads are given away among Ana, Bea and Cid; Rita makes them."""
    stage = await make_stage(automation("{created: lead}", f"  - assign: {assign}", *more))
    for name in ("Ana", "Bea", "Cid"):
        stage.people[name] = await stage.person(name, "distributor")
    await leave(stage, await stage.person("Dan", "distributor"))
    await stage.person("Eva", "distributor", country="BE")
    await stage.person("Fil", "assistant")
    return stage, await stage.person("Rita", "leader")


async def leave(stage: Stage, member: Actor) -> None:
    await commands.update(stage.tenant, SYSTEM, "member", str(member.id), None, {"active": False})


async def leads(stage: Stage, rita: Actor, count: int, **values: object) -> list[Record]:
    """Make leads, one after the other, and have them given away."""
    found = []
    for _ in range(count):
        number = len(await stage.rows("lead", "id"))
        found.append(await stage.lead(rita, email=f"lead{number}@exemple.fr", **values))
        await stage.worker.run_due()
    return found


async def owners(stage: Stage, found: list[Record]) -> list[str]:
    return [(await stage.value(lead, "owner"))["id"] for lead in found]


async def test_records_are_given_to_members_in_turn(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, PICK)
    found = await leads(stage, rita, 7)
    ids = [stage.people[name].id for name in ("Ana", "Bea", "Cid")]
    assert await owners(stage, found) == [*ids, *ids, ids[0]]
    assert await stage.rows("_run", "state") == [("done",)] * 7


async def test_who_comes_later_is_next_and_who_left_is_passed_over(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, PICK)
    await leads(stage, rita, 4)
    await leave(stage, stage.people["Bea"])
    gil = await stage.person("Gil", "distributor")
    found = await leads(stage, rita, 3)
    assert await owners(stage, found) == [gil.id, stage.people["Cid"].id, stage.people["Ana"].id]


async def test_whose_turn_it_is_survives_a_new_version_that_calls_the_automation_otherwise(
    make_stage: MakeStage,
) -> None:
    stage, rita = await office(make_stage, PICK)
    await leads(stage, rita, 1)
    files = automation("{created: lead}", f"  - assign: {PICK}")
    await stage.tenant.publish(edited(files, ("automation: it", "automation: give\nwas: it")))
    found = await leads(stage, rita, 2)
    assert await owners(stage, found) == [stage.people["Bea"].id, stage.people["Cid"].id]


async def test_two_workers_give_everybody_as_much(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, PICK)
    found = [await stage.lead(rita, email=f"lead{number}@exemple.fr") for number in range(9)]
    await asyncio.gather(*(Worker(stage.tenant, None, name=name).run_due() for name in ("one", "two")))
    assert Counter(await owners(stage, found)) == {stage.people[name].id: 3 for name in ("Ana", "Bea", "Cid")}


async def test_the_least_busy_is_who_has_the_fewest_open_records(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, PICK.replace("round_robin", "least_busy"))
    ana, bea, cid = (stage.people[name].id for name in ("Ana", "Bea", "Cid"))
    found = await leads(stage, rita, 4)
    assert await owners(stage, found) == [ana, bea, cid, ana]
    for lead in (found[0], found[3]):
        await commands.move(stage.tenant, SYSTEM, "lead", lead.id, "lose")
    assert await owners(stage, await leads(stage, rita, 1)) == [bea]  # lost is no end: it can be revived
    for lead in (found[0], found[3]):
        await commands.move(stage.tenant, SYSTEM, "lead", lead.id, "revive")
        await commands.move(stage.tenant, SYSTEM, "lead", lead.id, "sign")
    assert await owners(stage, await leads(stage, rita, 2)) == [ana, cid]


NESTED = """
process: recruiting
entity: lead
states:
  busy: {initial: true, states: {a: {initial: true}, b: {final: true}}}
  gone: {final: true}
transitions:
  ring: {from: a, to: b}
  end: {from: busy, to: gone}
"""
ABREAST = NESTED.replace(
    "busy: {initial: true, states: {a: {initial: true}, b: {final: true}}}",
    "busy: {initial: true, parallel: true, states: {left: {states: {a: {initial: true}, b: {final: true}}}, "
    "right: {states: {c: {initial: true}}}}}",
)


@pytest.mark.parametrize("process", [NESTED, ABREAST])
async def test_a_record_is_open_until_its_process_is_over(make_stage: MakeStage, process: str) -> None:
    files = automation("{created: lead}", f"  - assign: {PICK.replace('round_robin', 'least_busy')}")
    files["recruiting.yaml"] = process
    stage = await make_stage(files)
    ana, bea = [await stage.person(name, "distributor") for name in ("Ana", "Bea")]
    rita = await stage.person("Rita", "leader")
    [first, second] = await leads(stage, rita, 2)
    await commands.move(stage.tenant, SYSTEM, "lead", first.id, "ring")
    await commands.move(stage.tenant, SYSTEM, "lead", second.id, "end")
    assert await owners(stage, await leads(stage, rita, 2)) == [bea.id, ana.id]


async def test_a_given_record_changes_with_history_and_starts_what_waits_for_it(make_stage: MakeStage) -> None:
    told = "\n---\nautomation: told\nwhen: {changed: {entity: lead, fields: [owner]}}\ndo: [{set: {city: Lyon}}]"
    stage, rita = await office(make_stage, "{to: =record.owner.sponsor}" + told)
    lea = await stage.person("Lea", "distributor", sponsor=rita.id)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert (await stage.value(lead, "owner"))["id"] == rita.id
    assert await stage.value(lead, "city") == "Lyon"
    rows = await stage.rows("_history", "before", "after", "actor_kind", where="entity = 'lead' AND kind = 'updated'")
    [(before, after, kind)] = [row for row in rows if "owner" in row[0]]
    assert (lea.id in before, rita.id in after, kind) == (True, True, "system")


@pytest.mark.parametrize(
    ("assign", "outcome", "said"),
    [
        ("{to: =record.owner}", "skipped", "already"),
        ("{to: =record.owner.sponsor}", "failed", "no active member"),
        ("{pick: round_robin, among: member.country == 'CH'}", "failed", "no active member"),
        ("{pick: least_busy, among: member.country == 'CH'}", "failed", "no active member"),
    ],
)
async def test_a_trace_says_why_a_record_was_not_given(
    make_stage: MakeStage, assign: str, outcome: str, said: str
) -> None:
    stage, rita = await office(make_stage, assign)
    await leads(stage, rita, 1)
    [(found, error)] = await stage.rows("_step", "outcome", "error")
    assert found == outcome
    assert said in error


async def test_nothing_is_given_to_who_is_not_active(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, "{to: =record.owner.sponsor}")
    lea = await stage.person("Lea", "distributor", sponsor=rita.id)
    await leave(stage, rita)
    await leads(stage, lea, 1)
    assert await stage.rows("_step", "outcome") == [("failed",)]


async def test_without_a_condition_every_active_member_has_a_turn(make_stage: MakeStage) -> None:
    stage, rita = await office(make_stage, "{pick: round_robin}")
    found = await leads(stage, rita, 6)
    assert len(set(await owners(stage, found))) == 6


async def test_a_failed_gift_is_tried_again(make_stage: MakeStage) -> None:
    assign = "{pick: round_robin, among: member.country == 'BE' && 'leader' in member.levels}"
    stage, rita = await office(make_stage, f"{assign}\n    retry: {{times: 1, backoff: 1h}}")
    [lead] = await leads(stage, rita, 1)
    zoe = await stage.person("Zoe", "leader", country="BE")
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    assert await owners(stage, [lead]) == [zoe.id]
