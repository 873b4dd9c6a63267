"""Moves that others must agree to: they happen at the last grant, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from models.actor import SYSTEM, Actor
from models.errors import ConflictError, NotFoundError, RefusedError
from models.record import Record
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, granting
from workflows.granting import Waiting
from workflows.publishing import publish
from workflows.timeline import timeline
from workflows.unit import read

pytestmark = pytest.mark.anyio

SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"
ASKED = """  sign:
    from: contacted
    to: signed
    by: [distributor]
    label: {fr: Inscrire, en: Sign up}
    guard: has(record.phone)
    message: {fr: Il manque un téléphone., en: A phone is missing.}
    form:
      why: {type: long_text, label: {fr: Pourquoi, en: Why}}
      city: {field: city}
    set: {calls: =record.calls + 10}
    undo: 10m
    approval: {by: [leader], quorum: QUORUM, four_eyes: FOUR}
"""


def pack(quorum: int = 1, *, four_eyes: bool = True) -> dict[str, str]:
    asked = ASKED.replace("QUORUM", str(quorum)).replace("FOUR", str(four_eyes).lower())
    return edited(SMALL, (SIGN, asked))


async def opened(make: MakeStage, quorum: int = 1, *, four_eyes: bool = True) -> Stage:
    stage = await make(pack(quorum, four_eyes=four_eyes))
    stage.people["lea"] = await stage.person("Lea", "distributor")
    for name in ("rita", "rose", "remy"):
        stage.people[name] = await stage.person(name.title(), "leader")
    return stage


async def contacted(stage: Stage) -> Record:
    lead = await stage.lead(stage.people["lea"])
    await stage.call(stage.people["lea"], lead)
    return lead


async def sign(stage: Stage, lead: Record, actor: Actor | None = None, **form: object) -> str:
    """Ask for the step, and return the id of the request."""
    asker = actor or stage.people["lea"]
    moved = await commands.move(stage.tenant, asker, "lead", lead.id, "sign", form=form)
    assert moved.asked
    return str((await stage.rows("_approval", "id", where=f"\"history\" = '{moved.history}'"))[0][0])


async def states(stage: Stage) -> list[str]:
    return [state for (state,) in await stage.rows("_approval", "state")]


async def decidable(stage: Stage, who: str) -> list[Waiting]:
    return await read(stage.tenant, stage.people[who], granting.to_decide)


async def test_a_move_that_is_asked_for_happens_when_it_is_granted(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead, why="Elle est prête", city="Lyon")
    assert (await stage.value(lead, "recruiting"), await stage.value(lead, "city")) == ("contacted", None)
    (shown,) = await decidable(stage, "rita")
    assert (shown.asked.id, shown.member_name, shown.quorum, shown.agreed) == (asked, "Lea Roux", 1, ())
    granted = await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert granted.missing == 0
    record = await stage.get(lead)
    assert [record.full[name] for name in ("recruiting", "city", "calls")] == ["signed", "Lyon", 11]
    assert await decidable(stage, "rita") == []
    assert await states(stage) == ["granted"]
    told = await timeline(stage.tenant, stage.people["lea"], "lead", lead.id)
    first = [(event.kind, event.actor_name) for event in told if event.transition == "sign"]
    assert sorted(first) == [("asked", "Lea Roux"), ("granted", "Rita Roux"), ("moved", "Lea Roux")]


async def test_the_time_in_which_it_can_be_taken_back_counts_from_the_grant(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    stage.clock.forward(timedelta(hours=5))
    granted = await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert granted.moved is not None
    assert granted.moved.undo_until == stage.clock.now() + timedelta(minutes=10)
    await commands.undo(stage.tenant, stage.people["lea"], granted.moved.history)
    assert await stage.value(lead, "recruiting") == "contacted"
    await sign(stage, lead)  # and it can be asked for again


async def test_a_quorum_is_of_different_people(make_stage: MakeStage) -> None:
    stage = await opened(make_stage, 2)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    assert (await commands.grant(stage.tenant, stage.people["rita"], asked)).missing == 1
    assert await stage.value(lead, "recruiting") == "contacted"
    with pytest.raises(RefusedError, match="agreed to this already"):
        await commands.grant(stage.tenant, stage.people["rita"], asked)
    visiting = replace(stage.people["rose"], through=stage.people["rita"].id)
    with pytest.raises(RefusedError, match="agreed to this already"):
        await commands.grant(stage.tenant, visiting, asked)
    assert await decidable(stage, "rita") == []
    assert (await commands.grant(stage.tenant, stage.people["rose"], asked)).missing == 0
    assert await stage.value(lead, "recruiting") == "signed"


@pytest.mark.parametrize("four_eyes", [True, False])
async def test_who_asks_may_agree_only_where_two_pairs_of_eyes_are_not_needed(
    make_stage: MakeStage, *, four_eyes: bool
) -> None:
    stage = await opened(make_stage, four_eyes=four_eyes)
    both = await stage.person("Both", "distributor", "leader")
    lead = await stage.lead(both)
    await stage.call(both, lead)
    asked = await sign(stage, lead, both)
    if not four_eyes:
        await commands.grant(stage.tenant, both, asked)
        assert await stage.value(lead, "recruiting") == "signed"
        return
    for who in (both, replace(stage.people["rita"], through=both.id)):
        with pytest.raises(RefusedError, match="Somebody else must agree"):
            await commands.grant(stage.tenant, who, asked)
    assert await stage.value(lead, "recruiting") == "contacted"


async def test_one_refusal_ends_it_with_its_reason(make_stage: MakeStage) -> None:
    stage = await opened(make_stage, 2)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    await commands.refuse(stage.tenant, stage.people["rose"], asked, " Trop tôt ")
    assert await states(stage) == ["refused"]
    for decide in (commands.grant, commands.refuse, commands.withdraw):
        with pytest.raises(RefusedError, match="decided already"):
            await decide(stage.tenant, stage.people["remy"], asked)
    told = await timeline(stage.tenant, stage.people["lea"], "lead", lead.id)
    assert [event.text for event in told if event.kind == "refused"] == ["Trop tôt"]
    assert await stage.value(lead, "recruiting") == "contacted"


async def test_only_those_whose_levels_decide_and_who_see_the_record_decide(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    other = await stage.person("Other", "distributor")
    for decide in (commands.grant, commands.refuse, commands.withdraw):
        with pytest.raises(NotFoundError):
            await decide(stage.tenant, other, asked)
        with pytest.raises(NotFoundError):
            await decide(stage.tenant, stage.people["rita"], stage.tenant.new_id())
    with pytest.raises(RefusedError, match="does not decide"):
        await commands.grant(stage.tenant, stage.people["lea"], asked)
    assert await decidable(stage, "lea") == []


async def test_who_asked_takes_it_back(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked, noe = await sign(stage, lead), await stage.person("Noe", "assistant")
    with pytest.raises(RefusedError, match="Only who asked"):  # though the record is in sight
        await commands.withdraw(stage.tenant, noe, asked)
    await commands.withdraw(stage.tenant, stage.people["lea"], asked)
    assert await states(stage) == ["withdrawn"]
    assert await decidable(stage, "rita") == []
    await sign(stage, lead)


async def test_it_is_asked_for_once(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    await sign(stage, lead)
    with pytest.raises(RefusedError, match="asked for already"):
        await sign(stage, lead)


async def test_what_the_guard_refuses_is_not_asked_for(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    await commands.update(stage.tenant, SYSTEM, "lead", lead.id, None, {"phone": None})
    with pytest.raises(RefusedError, match="phone is missing"):
        await sign(stage, lead)
    assert await states(stage) == []


async def test_what_no_longer_holds_when_it_is_granted_closes_it_with_the_reason(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead, city="Lyon")
    await commands.update(stage.tenant, SYSTEM, "lead", lead.id, None, {"phone": None})
    granted = await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert granted.moved is None
    assert "téléphone" in str(granted.closed)
    assert await states(stage) == ["closed"]
    record = await stage.get(lead)
    assert (record.full["recruiting"], record.full["city"]) == ("contacted", None)
    told = await timeline(stage.tenant, stage.people["lea"], "lead", lead.id)
    assert ["téléphone" in str(event.reason) for event in told if event.kind == "closed"] == [True]


async def test_the_rights_of_who_asked_are_those_of_then(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    await commands.update(stage.tenant, SYSTEM, "member", stage.people["lea"].id or "", None, {"levels": ["assistant"]})
    granted = await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert granted.closed is not None
    assert await stage.value(lead, "recruiting") == "contacted"


async def test_an_asker_who_is_gone_moves_nothing(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    await commands.update(stage.tenant, SYSTEM, "member", stage.people["lea"].id or "", None, {"active": False})
    granted = await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert "no longer active" in str(granted.closed)


async def test_leaving_the_state_ends_it_and_so_does_deleting_the_record(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    left, deleted = await contacted(stage), await stage.lead(stage.people["lea"], email="b@exemple.fr")
    await stage.call(stage.people["lea"], deleted)
    await sign(stage, left)
    await sign(stage, deleted)
    await commands.move(stage.tenant, stage.people["lea"], "lead", left.id, "lose")
    await commands.delete(stage.tenant, stage.people["lea"], "lead", deleted.id, None)
    assert await states(stage) == ["closed", "closed"]


async def test_taking_back_the_move_that_led_there_ends_it(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await stage.lead(stage.people["lea"])
    moved = await stage.call(stage.people["lea"], lead)
    await sign(stage, lead)
    await commands.undo(stage.tenant, stage.people["lea"], moved.history)
    assert await states(stage) == ["closed"]


async def test_a_move_that_stays_in_the_state_leaves_it_open(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    await sign(stage, lead)
    await stage.call(stage.people["lea"], lead)
    assert await states(stage) == ["open"]


async def test_two_last_grants_in_the_same_moment_move_once(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    deciders = [stage.people[name] for name in ("rita", "rose", "remy")]
    done = await asyncio.gather(*(commands.grant(stage.tenant, who, asked) for who in deciders), return_exceptions=True)
    assert sum(isinstance(each, granting.Granted) for each in done) == 1
    assert all(isinstance(each, granting.Granted | RefusedError | ConflictError) for each in done)
    assert await stage.value(lead, "calls") == 11
    assert len(await stage.rows("_history", "id", where="\"transition\" = 'sign' AND \"kind\" = 'moved'")) == 1


async def test_automations_begin_with_the_grant_and_not_with_the_asking(make_stage: MakeStage) -> None:
    files = pack()
    files["automations.yaml"] = files["automations.yaml"].replace("recruiting.contacted", "recruiting.signed")
    stage = await make_stage(files)
    stage.people["lea"] = await stage.person("Lea", "distributor")
    stage.people["rita"] = await stage.person("Rita", "leader")
    lead = await contacted(stage)
    asked = await sign(stage, lead)
    await stage.worker.run_due()
    assert await stage.rows("_run", "id") == []
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    await stage.worker.run_due()
    assert await stage.rows("_run", "state", "actor") == [("done", stage.people["lea"].id)]


async def test_the_network_itself_asks_too(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead, SYSTEM)
    await commands.grant(stage.tenant, stage.people["rita"], asked)
    assert await stage.value(lead, "recruiting") == "signed"


async def test_what_needs_nobody_in_a_new_version_is_closed_and_a_new_name_is_followed(make_stage: MakeStage) -> None:
    stage = await opened(make_stage)
    lead = await contacted(stage)
    asked = await sign(stage, lead, city="Lyon")
    renamed = {name: text.replace("  sign:\n", "  enrol:\n    was: sign\n") for name, text in pack().items()}
    await publish(stage.tenant, renamed)
    assert await stage.rows("_approval", "transition", "state") == [("enrol", "open")]
    with pytest.raises(RefusedError, match="asked for already"):
        await commands.move(stage.tenant, stage.people["lea"], "lead", lead.id, "enrol")
    await publish(stage.tenant, SMALL)
    assert await states(stage) == ["closed"]
    with pytest.raises(RefusedError, match="decided already"):
        await commands.grant(stage.tenant, stage.people["rita"], asked)
