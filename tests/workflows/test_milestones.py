"""Processes of one entity wait for each other: guards and automatic moves ask for a state of the other one."""

from __future__ import annotations

import pytest

from models.actor import Actor
from models.errors import NotFoundError
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_guards import told
from workflows import commands
from workflows.guards import UnmetError

pytestmark = pytest.mark.anyio

SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"
PAYING = """
process: paying
entity: lead
label: {fr: Paiement, en: Payment}
states:
  unpaid: {label: {fr: Impayé, en: Unpaid}, initial: true}
  paid: {label: {fr: Payé, en: Paid}}
  kept: {label: {fr: Acquis, en: Kept}, final: true}
transitions:
  pay: {from: unpaid, to: paid, by: [distributor], label: {fr: Payer, en: Pay}, undo: 10m}
  keep: {from: paid, to: kept, auto: true, guard: 'record.recruiting == "signed"'}
"""


@pytest.fixture
async def stage(make_stage: MakeStage) -> Stage:
    """The small network, in which who signs up has paid before, and what was paid is kept from then on."""
    guarded = SIGN.replace("Sign up}", "Sign up}, guard: 'record.paying == \"paid\"'")
    stage = await make_stage(changed(edited(SMALL, (SIGN, guarded)), paying=PAYING))
    stage.people["lea"] = await stage.person("Lea", "distributor")
    return stage


async def test_a_step_waits_for_the_other_process_and_takes_it_along(stage: Stage) -> None:
    lea = stage.people["lea"]
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    with pytest.raises(UnmetError) as refused:
        await commands.move(stage.tenant, lea, "lead", lead.id, "sign")
    assert told(refused.value.parts) == [('record.paying == "paid"', False)]
    assert await allowed(stage, lea, lead.id) == {"call", "lose", "pay"}
    await commands.move(stage.tenant, lea, "lead", lead.id, "pay")
    assert await allowed(stage, lea, lead.id) == {"call", "lose", "sign"}
    await commands.move(stage.tenant, lea, "lead", lead.id, "sign")
    assert (await stage.value(lead, "recruiting"), await stage.value(lead, "paying")) == ("signed", "kept")


async def test_a_milestone_that_is_taken_back_is_asked_for_again(stage: Stage) -> None:
    lea = stage.people["lea"]
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    paid = await commands.move(stage.tenant, lea, "lead", lead.id, "pay")
    await commands.undo(stage.tenant, lea, paid.history)
    with pytest.raises(UnmetError):
        await commands.move(stage.tenant, lea, "lead", lead.id, "sign")
    with pytest.raises(NotFoundError):
        await commands.move(stage.tenant, lea, "lead", lead.id, "sign", process="paying")


async def allowed(stage: Stage, actor: Actor, lead: str) -> set[str]:
    return {each.transition.name for each in await commands.offers(stage.tenant, actor, "lead", lead) if each.allowed}
