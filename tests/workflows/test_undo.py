from __future__ import annotations

from datetime import timedelta

import pytest

from models.actor import Actor
from models.errors import NotFoundError, RefusedError
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.timeline import timeline

pytestmark = pytest.mark.anyio


async def test_undo_restores_what_the_move_wrote_and_keeps_both_in_history(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    undone = await commands.undo(stage.tenant, lea, moved.history)
    after = await stage.get(lead)
    assert (after.full["recruiting"], after.full["calls"], after.full["next_call_at"]) == ("new", 0, None)
    assert undone.undo_until is None
    kinds = [(event.kind, event.undone) for event in await timeline(stage.tenant, lea, "lead", lead.id)]
    assert ("undone", False) in kinds
    assert ("moved", True) in kinds


async def test_undo_cancels_the_runs_and_the_mails_that_wait(stage: Stage, lea: Actor) -> None:
    moved = await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("waiting",)]
    await commands.undo(stage.tenant, lea, moved.history)
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("cancelled",)]
    assert stage.mailbox.letters == []


async def test_undo_before_the_worker_came_leaves_nothing_to_do(stage: Stage, lea: Actor) -> None:
    moved = await stage.call(lea, await stage.lead(lea))
    await commands.undo(stage.tenant, lea, moved.history)
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("cancelled",)]
    assert await stage.rows("_mail", "id") == []


@pytest.mark.parametrize("minutes", [10, 60])
async def test_undo_comes_too_late_when_its_time_is_over(stage: Stage, lea: Actor, minutes: int) -> None:
    moved = await stage.call(lea, await stage.lead(lea))
    stage.clock.forward(timedelta(minutes=minutes))
    with pytest.raises(RefusedError, match="too late"):
        await commands.undo(stage.tenant, lea, moved.history)


async def test_the_time_to_take_back_may_be_working_time(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SMALL, ("undo: 10m", "undo: 5 working days")))
    lea = await stage.person("Lea", "distributor")
    moved = await stage.call(lea, await stage.lead(lea))
    assert moved.undo_until == stage.clock.now() + timedelta(days=7)


async def test_undo_is_refused_once_what_the_move_wrote_has_changed(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"next_call_at": "2026-03-06T10:00"})
    with pytest.raises(RefusedError, match="changed since"):
        await commands.undo(stage.tenant, lea, moved.history)


async def test_undo_leaves_alone_what_the_move_did_not_write(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    await commands.undo(stage.tenant, lea, moved.history)
    assert await stage.value(lead, "city") == "Lyon"
    assert await stage.value(lead, "recruiting") == "new"


async def test_undo_happens_once(stage: Stage, lea: Actor) -> None:
    moved = await stage.call(lea, await stage.lead(lea))
    await commands.undo(stage.tenant, lea, moved.history)
    with pytest.raises(RefusedError, match="already"):
        await commands.undo(stage.tenant, lea, moved.history)


async def test_undo_is_for_who_moved_and_for_the_leader(stage: Stage, lea: Actor, rita: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    noe = await stage.person("Noe", "assistant")
    ida = await stage.person("Ida", "distributor")
    with pytest.raises(RefusedError, match="who made"):
        await commands.undo(stage.tenant, noe, moved.history)
    for row in (moved.history, "absent"):
        with pytest.raises(NotFoundError):
            await commands.undo(stage.tenant, ida, row)
    offered = {
        name: any(event.undo_until for event in await timeline(stage.tenant, actor, "lead", lead.id))
        for name, actor in {"lea": lea, "noe": noe, "rita": rita}.items()
    }
    assert offered == {"lea": True, "noe": False, "rita": True}
    await commands.undo(stage.tenant, rita, moved.history)
    assert await stage.value(lead, "recruiting") == "new"


async def test_a_move_without_undo_stays(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await commands.move(stage.tenant, lea, "lead", lead.id, "lose")
    assert moved.undo_until is None
    with pytest.raises(RefusedError):
        await commands.undo(stage.tenant, lea, moved.history)


FOLLOWING = """
automation: follow
label: {fr: Suite, en: Following}
when: {entered: recruiting.contacted}
do:
  - task: {title: {fr: Relancer, en: Call again}, for: =record.owner, due: =now() + duration("24h")}
  - create: {entity: company, as: firm, values: {name: "=record.last_name + ' SARL'"}}
  - create: {entity: company, as: other, values: {name: Touchée}}
---
automation: chained
label: {fr: Chaîne, en: Chain}
when: {created: company}
do:
  - task: {title: {fr: Appeler la société, en: Call the company}, for: =actor}
"""


async def test_undo_removes_what_followed_unless_somebody_touched_it(make_stage: MakeStage) -> None:
    stage = await make_stage(changed(SMALL, following=FOLLOWING))
    lea = await stage.person("Lea", "distributor")
    moved = await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    companies = {name: id for id, name in await stage.rows("company", "id", "name")}
    assert set(companies) == {"Roy SARL", "Touchée"}
    assert len(await stage.rows("_task", "id")) == 3
    await commands.note(stage.tenant, lea, "company", companies["Touchée"], "Vue")
    [(first,)] = await stage.rows("_task", "id", where="title = 'Relancer'")
    await commands.complete_task(stage.tenant, lea, first)
    await commands.undo(stage.tenant, lea, moved.history)
    assert await stage.rows("company", "name") == [("Touchée",)]
    assert await stage.rows("_task", "title") == [("Relancer",)]


async def test_what_an_automation_does_later_is_held_by_the_first_move(make_stage: MakeStage) -> None:
    again = ("  sign: {from: contacted", "  sign: {undo: 1h, from: contacted")
    chain = """
automation: sign_at_once
label: {fr: Inscrire, en: Sign}
when: {moved: recruiting.call}
do: [{move: recruiting.sign}]
---
automation: signed_mail
label: {fr: Inscrit, en: Signed}
when: {entered: recruiting.signed}
do:
  - email: {template: welcome, to: =record.email}
"""
    stage = await make_stage(changed(edited(SMALL, again), chain=chain))
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    start = stage.clock.now()
    holds = await stage.rows("_mail", "hold_until")
    assert sorted(holds) == sorted(
        [(str(start + timedelta(minutes=10)).replace("+00:00", ".000000+00:00"),),
         (str(start + timedelta(hours=1)).replace("+00:00", ".000000+00:00"),)]
    )  # fmt: skip


async def test_a_move_is_taken_back_at_its_own_record_only(stage: Stage, lea: Actor) -> None:
    lead, other = await stage.lead(lea), await stage.lead(lea, email="other@exemple.fr")
    moved = await stage.call(lea, lead)
    with pytest.raises(NotFoundError):
        await commands.undo(stage.tenant, lea, moved.history, about=("lead", other.id))
    undone = await commands.undo(stage.tenant, lea, moved.history, about=("lead", lead.id))
    assert undone.record is not None
    assert undone.record["recruiting"] == "new"
