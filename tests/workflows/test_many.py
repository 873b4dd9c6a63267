from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from models.actor import Actor
from models.errors import InvalidError, RequestError
from models.message import say
from models.record import Record
from tests.networks import SMALL, changed
from tests.workflows.conftest import MakeStage, Stage
from workflows import bulk, changes
from workflows.unit import Unit, write

pytestmark = pytest.mark.anyio

Given = Sequence[Mapping[str, Any] | RequestError]
Way = Callable[[Unit, str, Given], Coroutine[Any, Any, Sequence[Record | RequestError]]]

ZOE = {"first_name": "Zoé", "last_name": "Martin", "email": "zoe@exemple.fr", "phone": "06 39 98 00 02"}
LEADS: Given = (
    ZOE,
    {"first_name": "Sans", "last_name": "Adresse", "income_goal": None, "pause": "3d", "interests": ["home"]},
    {**ZOE, "first_name": "Encore"},  # as the first one of the same list
    {**ZOE, "email": "paul@exemple.fr"},  # as one that is stored
    {**ZOE, "email": "zoe@exemple", "country": "DE", "calls": "many"},
    {"last_name": "Roy", "email": "paul@exemple.fr"},
    {**ZOE, "email": "zoe2@exemple.fr", "company": "nowhere"},
    {**ZOE, "email": "zoe3@exemple.fr", "income_goal": 3, "hot": True, "nothing": 1},
    InvalidError({"last_name": say("This is not a text.")}),
    {**ZOE, "email": "zoe4@exemple.fr"},
    {**ZOE, "email": "ZOE4@exemple.fr"},
)
"""New leads of all kinds: some are fine, the others are wrong in different ways, or in several."""

CREATED = """
automation: greet
when: {created: lead}
do: [{stop: true}]
"""
ENTERED = CREATED.replace("{created: lead}", "{entered: recruiting.new}")
STAYS = CREATED.replace("{created: lead}", "{stays: {state: recruiting.new, for: 3d}}")
DUE = CREATED.replace("{created: lead}", "{due: {entity: lead, at: next_call_at}}")


async def one_by_one(unit: Unit, entity: str, given: Given) -> Sequence[Record | RequestError]:
    async def one(values: Mapping[str, Any] | RequestError) -> Record:
        if isinstance(values, RequestError):
            raise values
        return await changes.create(unit, entity, values)

    return await bulk.each(unit, given, one)


async def outcome(stage: Stage, way: Way, entity: str, given: Given) -> tuple[list[Any], list[Any]]:
    """Return what became of each, and the history of those that were made; ids differ and are left out."""
    lea = await stage.person("Lea", "distributor")
    await stage.lead(lea)
    found = await write(stage.tenant, lea, lambda unit: way(unit, entity, given))
    known = {
        str(lea.id): "lea",
        **{each.id: f"new {number}" for number, each in enumerate(found) if isinstance(each, Record)},
    }
    history = await stage.rows("_history", "record", "kind", "actor", "ip", "after", where="kind = 'created'")
    kept = [(*row[:4], json.loads(row[4])) for row in history if row[0] in known and row[0] != lea.id]
    return [told(each) for each in found], json.loads(renamed(kept, known))


def wrong(each: Record | RequestError) -> bool:
    return isinstance(each, RequestError)


def told(each: Record | RequestError) -> Any:
    if isinstance(each, InvalidError):
        return {name: str(message) for name, message in each.fields.items()}
    if isinstance(each, RequestError):
        return str(each)
    left_out = {"id", "owner", "created_by"}
    values = {name: value for name, value in each.values.items() if name not in left_out}
    return (each.title, each.version, values, each.hidden, each.may, each.writable)


def renamed(rows: Any, known: Mapping[str, str]) -> str:
    text = json.dumps(rows)
    for identifier, name in known.items():
        text = text.replace(identifier, name)
    return text


@pytest.mark.parametrize(("entity", "given"), [("lead", LEADS), ("company", [{"name": "A"}, {}, {"name": "A"}])])
async def test_many_at_once_are_what_they_are_one_by_one(make_stage: MakeStage, entity: str, given: Given) -> None:
    many = await outcome(await make_stage(), changes.create_many, entity, given)
    single = await outcome(await make_stage(), one_by_one, entity, given)
    assert many == single
    assert len(many[1]) == sum(isinstance(each, tuple) for each in many[0])
    assert any(isinstance(each, dict) for each in many[0])


async def test_nobody_creates_many_where_nobody_may_create_one(stage: Stage, lea: Actor) -> None:
    with pytest.raises(RequestError) as refused:
        await write(stage.tenant, lea, lambda unit: changes.create_many(unit, "member", [{"first_name": "X"}]))
    assert str(refused.value) == "You may not create this."


async def test_a_network_of_members_is_imported_from_the_top_down(stage: Stage, rita: Actor) -> None:
    given = [{"first_name": "N", "last_name": "M", "email": f"n{number}@exemple.fr"} for number in range(3)]
    given.append({**given[0], "email": "N1@EXEMPLE.fr"})
    found = await write(stage.tenant, rita, lambda unit: changes.create_many(unit, "member", given))
    assert [wrong(each) for each in found] == [False, False, False, True]
    paths = await stage.rows("member", "_path", where="first_name = 'N'")
    assert sorted(paths) == sorted((f"/{each.id}/",) for each in found if isinstance(each, Record))


@pytest.mark.parametrize("automation", [CREATED, ENTERED, STAYS, DUE])
async def test_what_waits_for_a_new_record_is_started_by_each_of_many(make_stage: MakeStage, automation: str) -> None:
    stage = await make_stage(changed(SMALL, greet=automation))
    lea = await stage.person("Lea", "distributor")
    given = [{**ZOE, "email": f"zoe{number}@exemple.fr", "next_call_at": "2026-04-01T10:00"} for number in range(3)]
    await write(stage.tenant, lea, lambda unit: changes.create_many(unit, "lead", given))
    assert len(await stage.rows("_outbox", "id", where="kind in ('run', 'stays', 'due')")) == 3
