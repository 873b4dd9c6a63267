"""Taking back a move of one region while another region goes its own way."""

from __future__ import annotations

import pytest

from models.actor import Actor
from models.errors import RefusedError
from tests.workflows.conftest import Stage
from tests.workflows.test_statecharts import ENTITY, applied, lea, office
from workflows import commands
from workflows.timeline import timeline

__all__ = ["lea", "office"]
pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("since", "back"),
    [
        ((), ("unpaid", "awaited")),
        (("send_papers",), ("unpaid", "queued")),
        (("send_papers", "read_papers"), ("unpaid", "read")),
        (("send_papers", "accept"), ("unpaid", "accepted")),
        (("send_papers", "ask_again"), ("unpaid", "awaited")),
    ],
)
async def test_a_move_is_taken_back_where_the_other_region_went_on(
    office: Stage,
    lea: Actor,
    since: tuple[str, ...],
    back: tuple[str, ...],
) -> None:
    record = await applied(office, lea, "submit")
    form = {"paid_sum": "10"}
    paid = await commands.move(office.tenant, lea, ENTITY, record.id, "receive_fee", form=form)
    for name in since:
        await commands.move(office.tenant, lea, ENTITY, record.id, name)
    there = (await office.get(record)).full["joining"]
    await commands.undo(office.tenant, lea, paid.history)
    after = (await office.get(record)).full
    assert (there[0], after["joining"], after["paid_sum"]) == ("instalments", back, record.full["paid_sum"])
    told = next(each for each in await timeline(office.tenant, lea, ENTITY, record.id) if each.kind == "undone")
    assert [(each.before, each.after) for each in told.changes if each.field == "joining"] in ([], [(there, back)])


async def test_a_move_is_not_taken_back_once_its_own_region_went_on(
    office: Stage,
    lea: Actor,
) -> None:
    record = await applied(office, lea, "submit", "send_papers")
    accepted = await commands.move(office.tenant, lea, ENTITY, record.id, "accept")
    await commands.move(office.tenant, lea, ENTITY, record.id, "leave")
    with pytest.raises(RefusedError, match="was changed since"):
        await commands.undo(office.tenant, lea, accepted.history)


async def test_entering_the_regions_is_not_taken_back_once_one_of_them_went_on(
    office: Stage,
    lea: Actor,
) -> None:
    record = await applied(office, lea)
    submitted = await commands.move(office.tenant, lea, ENTITY, record.id, "submit")
    await commands.move(office.tenant, lea, ENTITY, record.id, "send_papers")
    with pytest.raises(RefusedError, match="was changed since"):
        await commands.undo(office.tenant, lea, submitted.history)
