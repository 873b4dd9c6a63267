"""Two moves at once, each of whose guards looks at the record of the other: one is done, the other is refused."""

from __future__ import annotations

import asyncio

import pytest

from models.actor import Actor
from models.errors import RefusedError
from models.record import Record
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, moves
from workflows.moves import Moved
from workflows.unit import Unit, write

pytestmark = pytest.mark.anyio

COMPANY = """
process: business
entity: company
label: {fr: Affaires, en: Business}
states:
  open:   {label: {fr: Ouverte, en: Open}, initial: true}
  closed: {label: {fr: Fermée, en: Closed}, final: true}
transitions:
  close:
    label: {fr: Fermer, en: Close}
    from: open
    to: closed
    by: [distributor]
    guard: record.main.recruiting == "new"
"""
CITY = "  city: {type: text}\n"
MUTUAL = changed(
    edited(
        SMALL,
        (CITY, CITY + "  main: {type: reference, to: lead, on_delete: clear}\n"),
        ("  sign: {from: contacted,", '  sign: {guard: record.company.business == "open", from: [new, contacted],'),
    ),
    business=COMPANY,
)


async def pair(stage: Stage, lea: Actor) -> tuple[Record, Record]:
    """Return a company and its lead, which name each other."""
    company = await commands.create(stage.tenant, lea, "company", {"name": "Alba"})
    lead = await stage.lead(lea, company=company.id, email=f"{company.id}@exemple.fr")
    await commands.update(stage.tenant, lea, "company", company.id, None, {"main": lead.id})
    return company, lead


@pytest.fixture
async def stage(make_stage: MakeStage) -> Stage:
    """A network where companies and leads look at each other."""
    made = await make_stage(MUTUAL)
    made.people["lea"] = await made.person("Lea", "distributor")
    return made


async def test_of_two_moves_at_once_that_rule_each_other_out_one_is_done(stage: Stage, lea: Actor) -> None:
    for _ in range(5):
        company, lead = await pair(stage, lea)
        close = commands.move(stage.tenant, lea, "company", company.id, "close")
        sign = commands.move(stage.tenant, lea, "lead", lead.id, "sign")
        found = await asyncio.gather(close, sign, return_exceptions=True)
        assert [isinstance(each, Moved | RefusedError) for each in found] == [True, True]
        assert sum(isinstance(each, Moved) for each in found) == 1


@pytest.mark.parametrize("first", ["close", "sign"])
async def test_a_move_that_began_before_the_other_one_sees_what_it_did(stage: Stage, lea: Actor, first: str) -> None:
    company, lead = await pair(stage, lea)
    about = {"close": ("company", company.id), "sign": ("lead", lead.id)}
    second = "sign" if first == "close" else "close"
    began, done = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        await began.wait()
        await commands.move(stage.tenant, lea, *about[first], first)
        done.set()

    async def late(unit: Unit) -> Moved:
        """Take a snapshot, let the other one commit, and go on."""
        await unit.records.get(*about[second])
        if stage.tenant.store.dialect == "postgres":
            began.set()
            await done.wait()
        return await moves.move(unit, moves.Request(*about[second], second))

    between = asyncio.create_task(other())
    if stage.tenant.store.dialect == "sqlite":  # one writes at a time there
        began.set()
        await between
    with pytest.raises(RefusedError):
        await write(stage.tenant, lea, late)
    await between
