"""The life of a change: what a plan foretells is what happens."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from definitions.pack import load
from definitions.problems import DefinitionError
from models.actor import SYSTEM, Actor
from models.errors import NotFoundError, PublishedMeanwhileError
from models.plan import plan
from models.tenant import Tenant
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands, publishing
from workflows.proposal import DefinitionChange, RunChange, StateChange, propose
from workflows.rights import rights_changed
from workflows.stored import must_moment

pytestmark = pytest.mark.anyio

WAITING = automation("{created: lead}", "  - wait: {for: 1d}\n  - set: {city: Lyon}")
CANCEL = edited(WAITING, ("city: Lyon", "city: Paris"), ("automation: it", "automation: it\nruns: cancel"))
CITY = "  city: {type: text}\n"
FEWER = edited(SMALL, (CITY, "  town: {type: text}\n"))
NO_LOST = edited(
    SMALL,
    ("  lost:      {label: {fr: Perdu, en: Lost}, colour: grey}\n", ""),
    ("  lose: {from: any, to: lost, by: [distributor], label: {fr: Perdu, en: Lost}}\n", ""),
    ("  revive: {from: lost, to: contacted, by: [distributor], label: {fr: Reprendre, en: Revive}}\n", ""),
)


async def test_the_definitions_that_are_there_change_nothing(tenant: Tenant) -> None:
    found = await propose(tenant, SMALL)
    assert found.unchanged
    assert (found.base, found.definitions, found.tables, found.rights) == (1, (), (), ())


async def test_a_plan_names_definitions_tables_and_what_would_be_lost(tenant: Tenant) -> None:
    await commands.create(tenant, SYSTEM, "company", {"name": "Alba", "city": "Lyon"})
    found = await propose(tenant, FEWER)
    assert found.definitions == (DefinitionChange("entity", "company", "changed"),)
    [table] = found.tables
    assert (table.entity, table.change, table.records) == ("company", "changed", 1)
    assert [str(detail) for detail in table.details] == ["town is new.", "city goes."]
    assert [problem.code for problem in found.refused] == ["plan.loses_values"]
    assert (await propose(tenant, FEWER, allow_loss=True)).refused == ()
    assert tenant.published.version == 1


async def test_a_broken_pack_is_no_plan(tenant: Tenant) -> None:
    with pytest.raises(DefinitionError) as refused:
        await propose(tenant, edited(SMALL, ("    to: contacted", "    to: contacte")))
    assert [(problem.code, problem.hint) for problem in refused.value.problems if problem.severity == "error"] == [
        ("process.unknown_state", "did you mean 'contacted'?")
    ]


@pytest.mark.parametrize(
    ("moved", "goes_to", "refused"), [("", None, ["plan.state"]), ("moved: {lost: new}\n", "new", [])]
)
async def test_a_plan_says_where_the_records_of_a_state_go(
    stage: Stage, lea: Actor, moved: str, goes_to: str | None, refused: list[str]
) -> None:
    lead = await stage.lead(lea)
    await commands.move(stage.tenant, lea, "lead", lead.id, "lose")
    files = edited(NO_LOST, ("transitions:\n  call:", f"{moved}transitions:\n  call:"))
    found = await propose(stage.tenant, files)
    assert found.states == (StateChange("recruiting", "lost", "removed", 1, goes_to),)
    assert [problem.code for problem in found.refused] == refused


RIGHTS: list[tuple[tuple[str, str], list[tuple[str, str, str, str, str]]]] = [
    (
        ("    update: mine\n    delete: mine\n", "    update: downline\n    delete: none\n"),
        [
            ("distributor", "lead", "update", "downline", "gained"),
            ("distributor", "lead", "delete", "none", "lost"),
        ],
    ),
    (
        ('    read: record.country == "FR"\n', '    read: record.country == "BE"\n'),
        [("assistant", "lead", "read", 'record.country == "BE"', "changed")],
    ),
    (
        ("functions: [consult]\n", "functions: [consult, export]\n"),
        [("assistant", "export", "use", "all", "gained")],
    ),
    (
        ("by: [distributor], label: {fr: Inscrire", "by: [distributor, assistant], label: {fr: Inscrire"),
        [("assistant", "recruiting.sign", "take", "all", "gained")],
    ),
    (
        ("    fields: {phone: {read: none, write: none}}\n", "    fields: {phone: {read: all, write: none}}\n"),
        [("assistant", "lead.phone", "read", "all", "gained")],
    ),
    (("icon: user-plus\n", "icon: house\n"), []),
]


@pytest.mark.parametrize(("edit", "expected"), RIGHTS)
def test_rights_that_are_gained_and_lost_are_listed(
    edit: tuple[str, str], expected: list[tuple[str, str, str, str, str]]
) -> None:
    old, new = load(SMALL).network, load(edited(SMALL, edit)).network
    assert new is not None
    found = rights_changed(plan(old, new))
    assert [(one.level, one.about, one.action, one.after, one.change) for one in found] == expected


WORDS = [
    "distributor may change lead: those of the own downline; before: the own ones.",
    "distributor may no longer delete lead.",
    "assistant may use the function export.",
    'assistant may read lead: where record.country == "BE"; before: where record.country == "FR".',
    "assistant may take recruiting.sign.",
]


def test_rights_are_told_in_words() -> None:
    old, new = load(SMALL).network, load(edited(SMALL, *(edit for edit, _ in RIGHTS[:4]))).network
    assert new is not None
    assert [str(one.says) for one in rights_changed(plan(old, new))] == WORDS


DUE = automation("{due: {entity: lead, at: next_call_at, before: 1d}}", "  - set: {city: Lyon}")
STAYS = automation("{stays: {state: recruiting.contacted, for: 2d}}", "  - set: {city: Lyon}")
RENAMED = (("automation: it", "automation: other\nwas: it"),)
TIMERS = [
    ("the automation is called differently", DUE, RENAMED, 2),
    ("the automation is called differently", STAYS, RENAMED, 2),
    ("its notice is longer", DUE, (("before: 1d", "before: 2d"),), 1),
    ("its notice is shorter", DUE, (("before: 1d", "before: 12h"),), 2.5),
    ("it waits longer", STAYS, (("for: 2d", "for: 3d"),), 3),
]


@pytest.mark.parametrize(("says", "files", "edits", "days"), TIMERS)
async def test_timers_that_wait_follow_a_change_and_fire_once(
    make_stage: MakeStage, says: str, files: dict[str, str], edits: tuple[tuple[str, str], ...], days: float
) -> None:
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.call(lea, lead, next_call_at=(stage.clock.now() + timedelta(days=3)).isoformat())
    await stage.worker.run_due()
    changed_files = edited(files, *edits)
    assert [
        (one.waiting, one.change in {"changed", "renamed"})
        for one in (await propose(stage.tenant, changed_files)).timers
    ] == [(1, True)], says
    await publishing.publish(stage.tenant, changed_files)
    for _ in range(40):
        stage.clock.forward(timedelta(hours=3))
        await stage.worker.run_due()
    [(started,)] = await stage.rows("_run", "started_at")
    since = must_moment(started) - (stage.clock.now() - timedelta(days=5))
    assert since == timedelta(days=days)


@pytest.mark.parametrize("files", [DUE, STAYS])
async def test_timers_fire_once_whatever_their_entity_is_called(make_stage: MakeStage, files: dict[str, str]) -> None:
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.call(lea, lead, next_call_at=(stage.clock.now() + timedelta(days=3)).isoformat())
    await stage.worker.run_due()
    renamed = {
        name: re.sub(r"(entity|about): lead\b|^  lead:", _prospect, text, flags=re.M) for name, text in files.items()
    }
    await publishing.publish(
        stage.tenant,
        edited(
            renamed, ("entity: prospect\nlabel: {fr: Prospect", "entity: prospect\nwas: lead\nlabel: {fr: Prospect")
        ),
    )
    stage.clock.forward(timedelta(days=5))
    await stage.worker.run_due()
    assert await stage.rows("_run", "entity", "state") == [("prospect", "done")]


def _prospect(found: re.Match[str]) -> str:
    return found[0].replace("lead", "prospect")


async def test_a_reminder_that_came_does_not_come_again_under_another_name(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, DUE)
    lead = await stage.lead(lea)
    await stage.call(lea, lead, next_call_at=(stage.clock.now() + timedelta(hours=30)).isoformat())
    stage.clock.forward(timedelta(hours=8))
    await stage.worker.run_due()
    await publishing.publish(stage.tenant, edited(DUE, *RENAMED))
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    assert await stage.rows("_run", "automation", "state") == [("other", "done")]


def test_what_is_only_called_differently_is_no_change_of_rights() -> None:
    renamed = edited(
        SMALL,
        ("  income_goal:  {type: money", "  aim:  {was: income_goal, type: money"),
        ("fields: {income_goal: {read", "fields: {aim: {read"),
        ("  sign: {from", "  join: {was: sign, from"),
    )
    new = load(renamed).network
    assert new is not None
    assert rights_changed(plan(load(SMALL).network, new)) == ()


async def test_runs_of_an_automation_that_says_so_end_with_the_publication(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, WAITING)
    await stage.lead(lea)
    await stage.worker.run_due()
    assert (await propose(stage.tenant, CANCEL)).runs == (RunChange("it", "changed", 1, "cancel"),)
    await publishing.publish(stage.tenant, CANCEL)
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "cancelled"
    assert "its runs end with a change" in error
    assert await stage.rows("_outbox", "kind", where="state = 'ready' AND kind = 'run'") == []


@pytest.mark.parametrize(
    "other", [("city: Lyon", "city: Paris"), ("entity: company\n", "entity: company\nicon: house\n")]
)
async def test_runs_finish_as_they_began_unless_it_is_said(make_stage: MakeStage, other: tuple[str, str]) -> None:
    stage, lea = await staged(make_stage, WAITING)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await publishing.publish(stage.tenant, edited(WAITING, other))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Lyon"


async def test_an_automation_that_says_cancel_but_did_not_change_goes_on(make_stage: MakeStage) -> None:
    files = edited(WAITING, ("automation: it", "automation: it\nruns: cancel"))
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await publishing.publish(stage.tenant, edited(files, ("entity: company\n", "entity: company\nicon: house\n")))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Lyon"


async def test_a_run_survives_that_its_automation_is_renamed_twice(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, WAITING)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    once = edited(WAITING, ("automation: it", "automation: second\nwas: it"))
    assert (await propose(stage.tenant, once)).runs == (RunChange("it", "renamed", 1, "finish"),)
    await publishing.publish(stage.tenant, once)
    await publishing.publish(stage.tenant, edited(WAITING, ("automation: it", "automation: third\nwas: second")))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.rows("_run", "automation", "state") == [("third", "done")]
    assert await stage.value(lead, "city") == "Lyon"


async def test_the_second_of_two_at_once_is_told_and_nothing_of_it_is_kept(tenant: Tenant) -> None:
    await publishing.publish(tenant, edited(SMALL, (CITY, CITY + "  siret: {type: text}\n")), base=1, note="first")
    with pytest.raises(PublishedMeanwhileError) as refused:
        await publishing.publish(tenant, edited(SMALL, (CITY, CITY + "  web: {type: url}\n")), base=1)
    assert (refused.value.base, refused.value.current) == (1, 2)
    assert refused.value.changed == ("entity company",)
    with pytest.raises(PublishedMeanwhileError) as unheard_of:
        await publishing.publish(tenant, SMALL, base=7)
    assert unheard_of.value.changed == ()
    between = await publishing.history(tenant, since=1)
    assert [(one.version, one.note, one.files) for one in between] == [(2, "first", ("company.yaml",))]
    assert "web" not in tenant.published.network.entities["company"].fields


async def test_the_history_tells_who_and_which_files(stage: Stage, rita: Actor) -> None:
    await publishing.publish(stage.tenant, FEWER, rita.id, note="Towns")
    await publishing.publish(stage.tenant, changed(FEWER, more="entity: note\nfields: {text: {type: text}}\n"), "ops")
    found = await publishing.history(stage.tenant)
    assert [(one.version, one.author, one.note, one.files, one.current) for one in found] == [
        (3, "ops", "", ("more.yaml",), True),
        (2, "Rita Roux", "Towns", ("company.yaml",), False),
        (1, "", "", tuple(sorted(SMALL)), False),
    ]
    assert [one.version for one in await publishing.history(stage.tenant, up_to=2)] == [2, 1]


async def test_going_back_is_a_new_version_by_the_same_rules(tenant: Tenant) -> None:
    await publishing.publish(tenant, FEWER)
    await commands.create(tenant, SYSTEM, "company", {"name": "Alba", "town": "Lyon"})
    with pytest.raises(DefinitionError):
        await publishing.roll_back(tenant, 1)
    assert tenant.published.version == 2
    published = await publishing.roll_back(tenant, 1, "ops", note="Back", allow_loss=True)
    assert (published.version, published.hash) == (3, (await tenant.version(1)).hash)
    with pytest.raises(NotFoundError):
        await publishing.roll_back(tenant, 9)


GONE: list[tuple[tuple[tuple[str, str], ...], list[str]]] = [
    (
        ((CITY, "  town: {type: text}\n"),),
        ["What company.city held does not come back: it is empty, or has its default."],
    ),
    (((CITY, "  city: {type: integer}\n"),), ["What company.city lost when its type changed does not come back."]),
    (((CITY, CITY + "  web: {type: url}\n"),), []),
    (((", direct: {fr: Direct, en: Direct}", ""),), ["Who had the option direct of lead.source does not get it back."]),
]


@pytest.mark.parametrize(("edits", "said"), GONE)
async def test_going_back_says_what_does_not_come_back(
    tenant: Tenant, edits: tuple[tuple[str, str], ...], said: list[str]
) -> None:
    await publishing.publish(tenant, edited(SMALL, *edits))
    assert [str(sentence) for sentence in (await propose(tenant, SMALL)).gone] == said
    other = edited(SMALL, ("icon: user-plus", "icon: house"))
    assert (await propose(tenant, other)).gone == ()


async def test_states_and_records_that_went_do_not_come_back(tenant: Tenant) -> None:
    note = {"note.yaml": "entity: note\nlabel: Note\nfields: {text: {type: text}}\n"}
    await publishing.publish(tenant, {**SMALL, **note})
    await publishing.publish(
        tenant, edited(NO_LOST, ("transitions:\n  call:", "moved: {lost: new}\ntransitions:\n  call:"))
    )
    assert {str(sentence) for sentence in (await propose(tenant, {**SMALL, **note})).gone} == {
        "The records that note had do not come back.",
        "Records that left the state recruiting.lost when it went do not go back to it.",
    }
