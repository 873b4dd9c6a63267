from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from models.actor import PUBLIC, Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, mails, tasks
from workflows.timeline import timeline
from workflows.unit import read

pytestmark = pytest.mark.anyio


async def test_the_timeline_tells_everything_newest_first(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    for minutes in (1, 2):
        stage.clock.forward(timedelta(minutes=minutes))
        await commands.note(stage.tenant, lea, "lead", lead.id, f"Note {minutes}")
    stage.clock.forward(timedelta(minutes=1))
    await stage.call(lea, lead)
    await stage.worker.run_due()
    stage.clock.forward(timedelta(minutes=1))
    await commands.add_task(stage.tenant, lea, title="Relancer", about=("lead", lead.id))
    events = await timeline(stage.tenant, lea, "lead", lead.id)
    assert [event.kind for event in events][:1] == ["task"]
    assert sorted(event.kind for event in events[1:4]) == ["mail", "moved", "run"]
    assert [event.text for event in events[4:6]] == ["Note 2", "Note 1"]
    assert events[6].kind == "created"
    assert {event.actor_name for event in events if event.kind in ("moved", "note")} == {"Lea Roux"}
    [sent] = [event.mail for event in events if event.mail is not None]
    assert (sent.subject, sent.state, sent.record_title) == ("Bonjour Paul", "waiting", "Paul Roy")
    assert next(event.automation for event in events if event.mail) == "welcome"


async def test_the_trace_of_a_run_shows_values_to_the_leader_only(stage: Stage, lea: Actor, rita: Actor) -> None:
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    for actor, shown in ((lea, False), (rita, True)):
        [run] = [event.run for event in await timeline(stage.tenant, actor, "lead", lead.id) if event.run]
        [step] = run.steps
        assert (run.automation, run.state, step.action, step.outcome) == ("welcome", "done", "email", "done")
        assert ("to" in step.inputs) == shown


async def test_why_an_automation_did_not_start_is_in_the_timeline(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea, email=None)
    await stage.call(lea, lead)
    [run] = [event.run for event in await timeline(stage.tenant, lea, "lead", lead.id) if event.run]
    assert run.state == "not_fired"
    assert str(run.why) == "The conditions of this automation were not met."
    assert [(str(each.asks and each.asks.text), each.holds) for each in run.asks] == [("has(record.email)", False)]


async def test_hidden_fields_are_hidden_in_the_past_too(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"phone": "06 39 98 00 02", "city": "Lyon"})
    noe = await stage.person("Noe", "assistant")
    event = next(event for event in await timeline(stage.tenant, noe, "lead", lead.id) if event.kind == "updated")
    shown = {change.field: (change.before, change.after, change.hidden) for change in event.changes}
    assert shown == {"phone": (None, None, True), "city": (None, "Lyon", False)}


@pytest.mark.parametrize("look", [timeline, tasks.about, mails.about])
async def test_a_record_out_of_sight_has_no_past(stage: Stage, lea: Actor, look: Callable[..., Awaitable[Any]]) -> None:
    lead = await stage.lead(lea)
    ida = await stage.person("Ida", "distributor")
    for actor in (ida, PUBLIC):
        for record in (lead.id, "absent"):
            with pytest.raises(NotFoundError):
                await look(stage.tenant, actor, "lead", record)


async def test_tasks_are_listed_by_when_they_are_due(stage: Stage, lea: Actor) -> None:
    now = stage.clock.now()
    for title, due in (("sans date", None), ("demain", now + timedelta(days=1)), ("hier", now - timedelta(days=1))):
        await commands.add_task(stage.tenant, lea, title=title, due=due)
    assert [task.title for task in await tasks.mine(stage.tenant, lea)] == ["hier", "demain", "sans date"]
    assert await read(stage.tenant, lea, tasks.count_mine) == 3
    first = (await tasks.mine(stage.tenant, lea))[0]
    for _ in range(2):
        await commands.complete_task(stage.tenant, lea, first.id)
    assert [task.done_by for task in await tasks.mine(stage.tenant, lea, done=True)] == [lea.id]
    await commands.reopen_task(stage.tenant, lea, first.id)
    assert await read(stage.tenant, lea, tasks.count_mine) == 3
    assert await tasks.mine(stage.tenant, PUBLIC) == []


async def test_a_task_about_what_is_out_of_sight_is_not_listed(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SMALL, ("member: {read: downline", "member: {read: all")))
    lea, ida = await stage.person("Lea", "distributor"), await stage.person("Ida", "distributor")
    lead = await stage.lead(lea)
    await commands.add_task(stage.tenant, lea, title="Aider Lea", about=("lead", lead.id), member=ida.id)
    await commands.add_task(stage.tenant, lea, title="Appeler Lea", member=ida.id)
    assert [task.title for task in await tasks.mine(stage.tenant, ida)] == ["Appeler Lea"]
    assert [task.member_name for task in await tasks.about(stage.tenant, lea, "lead", lead.id)] == ["Ida Roux"]


async def test_tasks_are_finished_by_those_they_concern(stage: Stage, lea: Actor, rita: Actor) -> None:
    lead = await stage.lead(lea)
    task = await commands.add_task(stage.tenant, rita, title="Relancer", about=("lead", lead.id), member=rita.id)
    noe, ida = await stage.person("Noe", "assistant"), await stage.person("Ida", "distributor")
    with pytest.raises(RefusedError):
        await commands.complete_task(stage.tenant, noe, task)
    for actor, name in ((ida, task), (lea, "absent")):
        with pytest.raises(NotFoundError):
            await commands.complete_task(stage.tenant, actor, name)
    await commands.complete_task(stage.tenant, lea, task)
    private = await commands.add_task(stage.tenant, rita, title="Bilan")
    with pytest.raises(NotFoundError):
        await commands.reopen_task(stage.tenant, lea, private)


@pytest.mark.parametrize(("title", "member"), [(" ", None), ("x" * 301, None), ("ok", "absent")])
async def test_a_task_needs_a_title_and_somebody(stage: Stage, lea: Actor, title: str, member: str | None) -> None:
    with pytest.raises(InvalidError):
        await commands.add_task(stage.tenant, lea, title=title, member=member)


async def test_nobody_is_no_member_for_a_task(stage: Stage) -> None:
    with pytest.raises(RefusedError):
        await commands.add_task(stage.tenant, PUBLIC, title="ok")


@pytest.mark.parametrize("text", ["", " \n ", "x" * 20_001])
async def test_a_note_says_something_and_not_everything(stage: Stage, lea: Actor, text: str) -> None:
    lead = await stage.lead(lea)
    with pytest.raises(InvalidError):
        await commands.note(stage.tenant, lea, "lead", lead.id, text)


async def test_mails_come_in_pages_of_a_state(stage: Stage, lea: Actor, rita: Actor) -> None:
    for number in range(5):
        await stage.call(lea, await stage.lead(lea, email=f"p{number}@exemple.fr"))
    await stage.worker.run_due()
    first = await mails.mails(stage.tenant, rita, state="waiting", limit=3)
    assert (len(first.mails), first.counts) == (3, {"waiting": 5})
    rest = await mails.mails(stage.tenant, rita, state="waiting", limit=3, before=first.next)
    assert len(rest.mails) == 2
    assert rest.next is None
    assert not {mail.id for mail in first.mails} & {mail.id for mail in rest.mails}
    assert (await mails.mails(stage.tenant, rita, state="sent")).mails == ()


async def test_deleting_a_record_keeps_its_history_and_not_its_open_tasks(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    await commands.add_task(stage.tenant, lea, title="Relancer", about=("lead", lead.id))
    done = await commands.add_task(stage.tenant, lea, title="Appeler", about=("lead", lead.id))
    await commands.complete_task(stage.tenant, lea, done)
    await commands.delete(stage.tenant, lea, "lead", lead.id, lead.version)
    assert await stage.rows("_task", "title") == [("Appeler",)]
    assert [kind for (kind,) in await stage.rows("_history", "kind", where="entity = 'lead'")] == ["created", "deleted"]
    assert await tasks.mine(stage.tenant, lea, done=True) == []


async def test_nothing_is_kept_of_a_change_that_changes_nothing(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    change = await commands.update(stage.tenant, lea, "lead", lead.id, lead.version, {"city": ""})
    assert change.fields == ()
    assert await stage.rows("_history", "kind", where="entity = 'lead'") == [("created",)]


async def test_who_may_only_read_writes_no_notes(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    noe = await stage.person("Noe", "assistant")
    with pytest.raises(RefusedError):
        await commands.note(stage.tenant, noe, "lead", lead.id, "Je passais par là")


HIDDEN_STATE = (
    'read: record.country == "FR"\n    update: none',
    'read: record.country == "FR"\n    update: all\n    transitions: [call]',
)


async def test_a_hidden_state_is_hidden_in_the_past_and_in_what_can_be_done(make_stage: MakeStage) -> None:
    hides = ("fields: {phone: {read: none, write: none}}", "fields: {recruiting: {read: none}}")
    stage = await make_stage(edited(SMALL, HIDDEN_STATE, hides, ("by: [distributor]\n    guard", "guard")))
    lea, noe = await stage.person("Lea", "distributor"), await stage.person("Noe", "assistant")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    events = await timeline(stage.tenant, noe, "lead", lead.id)
    assert not [event for event in events if event.process or event.to_state or event.transition]
    assert {change.hidden for event in events for change in event.changes if change.field == "recruiting"} == {True}
    assert await commands.offers(stage.tenant, noe, "lead", lead.id) == []
    said = set()
    for transition in ("sign", "revive"):
        with pytest.raises(RefusedError) as refused:
            await commands.move(stage.tenant, noe, "lead", lead.id, transition)
        said.add(str(refused.value.message))
    assert not [text for text in said if "state" in text]


TELLING = "à bientôt. {{ member.name }}"


@pytest.mark.parametrize(
    ("shows", "told"),
    [
        ("{{ record.city }}", True),
        ("{{ record.phone | phone }}", False),
        ("{{ member.name }}", True),
        ("{{ member.phone | phone }}", False),
        ("{{ record.company.name }}", False),
    ],
)
async def test_a_mail_says_nothing_that_its_reader_may_not_see(make_stage: MakeStage, shows: str, told: bool) -> None:
    stage = await make_stage(edited(SMALL, (TELLING, shows)))
    lea, noe = await stage.person("Lea", "distributor", phone="06 39 98 00 07"), await stage.person("Noe", "assistant")
    company = await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    lead = await stage.lead(lea, company=company.id, city="Lyon")
    await stage.call(lea, lead)
    await stage.worker.run_due()
    [full] = await mails.about(stage.tenant, lea, "lead", lead.id)
    assert all((full.subject, full.text, full.html, full.recipient))
    [seen] = await mails.about(stage.tenant, noe, "lead", lead.id)
    alone = await mails.mail(stage.tenant, noe, seen.id)
    [in_the_past] = [event.mail for event in await timeline(stage.tenant, noe, "lead", lead.id) if event.mail]
    for mail in (seen, alone, in_the_past):
        assert (bool(mail.text), bool(mail.html), bool(mail.subject)) == (told, told, told)
        assert mail.recipient == full.recipient


async def test_an_address_that_is_hidden_is_hidden_in_mails(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SMALL, ("fields: {phone: {read: none", "fields: {email: {read: none")))
    lea, noe = await stage.person("Lea", "distributor"), await stage.person("Noe", "assistant")
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    [mail] = (await mails.mails(stage.tenant, noe)).mails
    assert (mail.recipient, mail.cc, bool(mail.text)) == ("", (), True)
