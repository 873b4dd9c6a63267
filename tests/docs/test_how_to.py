"""How-tos do what they promise: their definitions are put into the tool shed and lived with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from definitions.pack import read_folder
from models.actor import SYSTEM, Actor
from models.errors import RefusedError
from models.record import Record
from tests.docs.test_examples import TOOLSHED, WISHES, heads
from tests.workflows.conftest import MakeStage, Stage, mailbox, make_stage
from workflows import commands

__all__ = ["mailbox", "make_stage"]
pytestmark = pytest.mark.anyio


def shed(wish: str) -> dict[str, str]:
    """Return the tool shed's pack with the how-to that begins so."""
    [text] = [text for text in WISHES if wish in text]
    documents = heads("---\n".join(read_folder(TOOLSHED).values())) | heads(text)
    return {f"{'_'.join(head)}.yaml": document for head, document in documents.items()}


async def loan(stage: Stage, volunteer: Actor, price: int) -> Record:
    tool = await commands.create(stage.tenant, SYSTEM, "tool", {"name": "Tile saw", "price": Decimal(price)})
    given = {"tool": tool.id, "borrower": "Anna", "owner": volunteer.member}
    return await commands.create(stage.tenant, volunteer, "loan", given)


async def move(stage: Stage, actor: Actor, record: Record, name: str, **form: str) -> bool:
    """Take a transition, and return whether it was only asked for."""
    moved = await commands.move(stage.tenant, actor, "loan", record.id, name, form={"due_on": "2026-03-09", **form})
    return moved.asked


async def test_a_cheap_tool_is_handed_over_and_an_expensive_one_when_a_leader_agrees(make_stage: MakeStage) -> None:
    stage = await make_stage(shed("hand_over_expensive"))
    karim, rosa = await stage.person("Karim", "volunteer"), await stage.person("Rosa", "leader")
    cheap, dear = await loan(stage, karim, 30), await loan(stage, karim, 400)
    assert not await move(stage, karim, cheap, "hand_over")
    with pytest.raises(RefusedError, match="needs a leader"):
        await move(stage, karim, dear, "hand_over")
    assert await move(stage, karim, dear, "hand_over_expensive", why="A bathroom")
    assert (await stage.value(cheap, "lending"), await stage.value(dear, "lending")) == ("lent", "asked")
    [(asked,)] = await stage.rows("_approval", "id")
    await commands.grant(stage.tenant, rosa, asked)
    assert await stage.value(dear, "lending") == "lent"


async def test_a_bill_adds_up_its_lines_and_a_long_one_is_changed_by_no_bookkeeper(make_stage: MakeStage) -> None:
    stage = await make_stage(shed("entity: workshop_bill"))
    nora = await stage.person("Nora", "bookkeeper")
    work = [{"what": "Cutting", "hours": 3}, {"what": "Oiling", "hours": 4}]
    bill = await commands.create(stage.tenant, nora, "workshop_bill", {"customer": "Anna", "work": work})
    totals = [await stage.value(bill, name) for name in ("hours", "steps", "long")]
    assert totals == [7, 2, False]
    more = {"work": [{"what": "Sharpening", "hours": 9}]}
    long = await commands.create(stage.tenant, nora, "workshop_bill", {"customer": "Tom", **more})
    assert await stage.value(long, "long") is True
    with pytest.raises(RefusedError):
        await commands.update(stage.tenant, nora, "workshop_bill", long.id, None, {"customer": "Tom Berg"})
