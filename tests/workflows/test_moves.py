from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.actor import PUBLIC, Actor
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.timeline import timeline

pytestmark = pytest.mark.anyio


async def test_a_move_changes_state_fields_and_history_at_once(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    assert moved.record is not None
    assert moved.record["recruiting"] == "contacted"
    assert moved.record["calls"] == 1
    assert moved.record["next_call_at"] == datetime(2026, 3, 5, 9, tzinfo=UTC)
    assert moved.undo_until == stage.clock.now() + timedelta(minutes=10)
    [row] = await stage.rows(
        "_history", "kind", "process", "transition", "from_state", "to_state", "actor", "actor_kind", "ip", "text",
        where=f"id = '{moved.history}'",
    )  # fmt: skip
    assert row == ("moved", "recruiting", "call", "new", "contacted", lea.id, "member", "192.0.2.7", "Très bien")
    event = next(event for event in await timeline(stage.tenant, lea, "lead", lead.id) if event.kind == "moved")
    assert {(change.field, change.before, change.after) for change in event.changes} == {
        ("recruiting", "new", "contacted"),
        ("calls", 0, 1),
        ("next_call_at", None, datetime(2026, 3, 5, 9, tzinfo=UTC)),
    }


async def test_a_second_click_is_a_conflict_and_moves_nothing(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    form = {"next_call_at": "2026-03-05T10:00"}
    await commands.move(stage.tenant, lea, "lead", lead.id, "call", form=form, version=lead.version)
    with pytest.raises(ConflictError) as conflict:
        await commands.move(stage.tenant, lea, "lead", lead.id, "call", form=form, version=lead.version)
    assert conflict.value.current == 2
    assert await stage.value(lead, "calls") == 1
    assert len(await stage.rows("_history", "id", where="kind = 'moved'")) == 1


async def test_a_guard_refuses_with_the_words_of_the_pack(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea, phone=None)
    with pytest.raises(RefusedError) as refused:
        await stage.call(lea, lead)
    assert refused.value.message == stage.tenant.published.network.processes["recruiting"].transitions["call"].message
    assert await stage.value(lead, "recruiting") == "new"


async def test_a_guard_without_words_is_refused_with_ours(make_stage: MakeStage) -> None:
    stage = await make_stage(
        edited(SMALL, ("    message: {fr: Il manque un téléphone., en: A phone number is missing.}", ""))
    )
    lea = await stage.person("Lea", "distributor")
    with pytest.raises(RefusedError, match="conditions of this transition"):
        await stage.call(lea, await stage.lead(lea, phone=None))


async def test_a_move_from_elsewhere_is_refused_and_names_the_state(stage: Stage, lea: Actor) -> None:
    with pytest.raises(RefusedError, match="Nouveau"):
        await commands.move(stage.tenant, lea, "lead", (await stage.lead(lea)).id, "sign")


async def test_a_record_of_somebody_else_is_not_there(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    ida = await stage.person("Ida", "distributor")
    for actor in (ida, PUBLIC):
        for record in (lead.id, "absent"):
            with pytest.raises(NotFoundError):
                await commands.move(stage.tenant, actor, "lead", record, "call")
            with pytest.raises(NotFoundError):
                await commands.offers(stage.tenant, actor, "lead", record)
            with pytest.raises(NotFoundError):
                await commands.note(stage.tenant, actor, "lead", record, "hello")


async def test_who_sees_a_record_but_is_not_named_by_the_transition_is_refused(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    noe = await stage.person("Noe", "assistant")
    with pytest.raises(RefusedError):
        await stage.call(noe, lead)
    offers = await commands.offers(stage.tenant, noe, "lead", lead.id)
    assert [offer.allowed for offer in offers] == [False, False]


async def test_a_transition_that_does_not_exist_is_not_there(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    with pytest.raises(NotFoundError):
        await commands.move(stage.tenant, lea, "lead", lead.id, "fly")
    with pytest.raises(NotFoundError):
        await commands.move(stage.tenant, lea, "lead", lead.id, "call", process="customer")


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "next_call_at"),
        ({"next_call_at": ""}, "next_call_at"),
        ({"next_call_at": "tomorrow"}, "next_call_at"),
        ({"next_call_at": "2026-03-05T10:00", "calls": "9"}, "calls"),
        ({"next_call_at": "2026-03-05T10:00", "comment": 3}, "comment"),
    ],
)
async def test_a_form_with_a_problem_moves_nothing(
    stage: Stage, lea: Actor, form: dict[str, Any], problem: str
) -> None:
    lead = await stage.lead(lea)
    with pytest.raises(InvalidError) as invalid:
        await commands.move(stage.tenant, lea, "lead", lead.id, "call", form=form)
    assert set(invalid.value.fields) == {problem}
    assert (await stage.get(lead)).version == lead.version


async def test_offers_are_the_ways_out_with_the_reason_against_each(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea, phone=None)
    offers = await commands.offers(stage.tenant, lea, "lead", lead.id)
    assert [(offer.process, offer.transition.name, offer.allowed) for offer in offers] == [
        ("recruiting", "call", False),
        ("recruiting", "lose", True),
    ]
    call = stage.tenant.published.network.processes["recruiting"].transitions["call"]
    assert offers[0].reason == call.message
    assert [question.name for question in offers[0].form] == ["comment", "next_call_at"]
    of_many = await commands.offers_of(stage.tenant, lea, "lead", [lead.id, "absent"])
    assert of_many == {lead.id: offers}


async def test_only_people_keep_a_record_active(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    stage.clock.forward(timedelta(days=1))
    await stage.call(lea, lead)
    called = stage.clock.now()
    assert await stage.value(lead, "last_activity_at") == called
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(lead, "last_activity_at") == called
    await commands.note(stage.tenant, lea, "lead", lead.id, "Rappeler")
    assert await stage.value(lead, "last_activity_at") == stage.clock.now()


ORDERS = """
process: buying
entity: lead
label: {fr: Achat, en: Buying}
states:
  cold: {label: {fr: Froid, en: Cold}, initial: true}
  warm: {label: {fr: Tiède, en: Warm}}
transitions:
  order:
    label: {fr: Commander, en: Order}
    from: any
    to: warm
    by: [distributor]
    guard: form.amount > 0
    form:
      amount: {type: money, required: true, label: {fr: Montant, en: Amount}}
      comment: {type: long_text, label: {fr: Commentaire, en: Comment}}
    set: {rating: =form.amount, income_goal: =record.income_goal + form.amount}
  lose: {from: warm, to: cold, by: [distributor], label: {fr: Refroidir, en: Cool down}}
"""


@pytest.fixture
async def shop(make_stage: MakeStage) -> Stage:
    """The small network whose leads have a second process."""
    stage = await make_stage(changed(SMALL, buying=ORDERS))
    stage.people["lea"] = await stage.person("Lea", "distributor")
    return stage


async def test_a_form_can_be_what_a_guard_and_set_read(shop: Stage) -> None:
    lea = shop.people["lea"]
    lead = await shop.lead(lea)
    assert {
        offer.transition.name: offer.allowed for offer in await commands.offers(shop.tenant, lea, "lead", lead.id)
    } == {
        "call": True,
        "lose": True,
        "order": True,
    }
    with pytest.raises(RefusedError):
        await commands.move(shop.tenant, lea, "lead", lead.id, "order", form={"amount": "0"})
    await commands.move(shop.tenant, lea, "lead", lead.id, "order", form={"amount": "12,50", "comment": "Un savon"})
    after = await shop.get(lead)
    assert (after.full["buying"], after.full["recruiting"]) == ("warm", "new")
    assert after.full["rating"] == Decimal("12.5")
    assert after.full["income_goal"] is None
    [event] = [event for event in await timeline(shop.tenant, lea, "lead", lead.id) if event.kind == "moved"]
    assert event.answers == {"amount": Decimal("12.50")}
    assert event.text == "Un savon"


async def test_a_name_in_two_processes_needs_its_process(shop: Stage) -> None:
    lea = shop.people["lea"]
    lead = await shop.lead(lea)
    await commands.move(shop.tenant, lea, "lead", lead.id, "order", form={"amount": 1})
    with pytest.raises(RefusedError, match="say which"):
        await commands.move(shop.tenant, lea, "lead", lead.id, "lose")
    await commands.move(shop.tenant, lea, "lead", lead.id, "lose", process="buying")
    after = await shop.get(lead)
    assert (after.full["buying"], after.full["recruiting"]) == ("cold", "new")


async def test_a_move_that_takes_a_record_out_of_sight_says_so(make_stage: MakeStage) -> None:
    sight = ('read: record.country == "FR"', 'read: record.recruiting == "new"')
    grant = ("from: any, to: lost, by: [distributor]", "from: any, to: lost, by: [distributor, assistant]")
    stage = await make_stage(edited(SMALL, sight, grant))
    lea = await stage.person("Lea", "distributor")
    noe = await stage.person("Noe", "assistant")
    lead = await stage.lead(lea)
    moved = await commands.move(stage.tenant, noe, "lead", lead.id, "lose")
    assert moved.record is None
    assert await stage.value(lead, "recruiting") == "lost"
