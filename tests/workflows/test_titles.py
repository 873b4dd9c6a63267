"""Titles that show other records: under their reader's rights, in the reader's language, with few statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from models.actor import SYSTEM, Actor
from models.query import Query
from models.record import Record
from models.records import Records
from models.tx import Tx
from tests.models.office import Recorded
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.unit import Unit, read, write

pytestmark = pytest.mark.anyio

FESTIVAL = """
network: festival
languages: [fr, en]
timezone: Europe/Paris
countries: [FR]
currency: EUR
---
entity: town
title: "{{ record.name }}"
fields:
  name:   {type: text, required: true}
  secret: {type: boolean, default: false}
---
entity: event
title: "{{ record.name }}"
owner: true
search: [name]
retention: {after: 3 years, since: last_activity_at}
fields:
  name:  {type: text, required: true}
  kind:  {type: choice, options: {talk: {fr: Conférence, en: Talk}, ball: {fr: Bal, en: Ball}}}
  day:   {type: date}
  town:  {type: reference, to: town}
  guest: {type: text, personal: identity, purpose: {fr: Inviter, en: Inviting}}
---
entity: seat
title: "{{ record.event.name }} ({{ record.event.town.name }}) · {{ record.owner.name }}"
owner: true
search: [number]
fields:
  number: {type: text, required: true}
  event:  {type: reference, to: event}
  second: {type: reference, to: event}
  code:   {type: integer}
---
entity: bill
title: >-
  {{ record.event['kind'] | label }} {{ record.event.day | date }}
  {{ record.amount | money }} {{ record.paying | label | default('?') }}
fields:
  event:  {type: reference, to: event}
  amount: {type: money}
---
entity: invitation
title: "{{ record.event.guest }}{% if record.event.town.name %} in {{ record.event.town.name | upper }}{% endif %}"
fields:
  event: {type: reference, to: event}
---
entity: item
title: "{{ record.parent.event.name | default('nothing') }}: {{ record.text }}"
parent: bill
as: items
fields:
  text: {type: text, required: true}
---
process: paying
entity: bill
states: {open: {initial: true, label: {fr: Ouverte, en: Open}}, paid: {final: true}}
transitions:
  pay: {from: open, to: paid, label: {fr: Payer, en: Pay}}
---
level: visitor
entities:
  town:  {read: '!record.secret'}
  event: {read: record.kind != "ball", fields: {guest: {read: none}, town: {read: record.day != date("2026-02-02")}}}
  seat:  {read: all, create: true, update: mine}
  bill:  {read: all, fields: {amount: {read: none}}}
  item:  {}
  invitation: {read: all}
  member: {read: mine}
---
level: host
entities:
  town:  {read: all}
  event: {read: all}
  seat:  {read: all, create: true, update: all}
  bill:  {read: all, create: true, update: all}
  item:  {}
  invitation: {read: all}
  member: {read: all}
"""


@dataclass
class Festival:
    """The festival, a host who sees everything and a visitor who does not."""

    stage: Stage
    host: Actor
    visitor: Actor

    async def make(self, entity: str, **values: Any) -> Record:
        """Write a record as the system."""
        return await commands.create(self.stage.tenant, SYSTEM, entity, values)

    async def event(self, **values: Any) -> dict[str, str]:
        """Write an event in a town and return what refers to it."""
        town = await self.make("town", name="Lyon", secret=values.pop("secret", False))
        given = {"name": "Gala", "kind": "talk", "day": "2026-01-05", "town": {"id": town.id}, "guest": "Ann", **values}
        return {"id": (await self.make("event", **given)).id}

    async def title(self, record: Record, actor: Actor) -> str:
        """Return what somebody finds a record called."""
        found = await read(self.stage.tenant, actor, lambda unit: unit.records.find(record.entity, record.id))
        return found.title


@pytest.fixture
async def festival(make_stage: MakeStage) -> Festival:
    stage = await make_stage({"festival.yaml": FESTIVAL})
    return Festival(stage, await stage.person("Hal", "host"), await stage.person("Vic", "visitor"))


async def test_a_title_follows_references_however_far(festival: Festival) -> None:
    seat = await festival.make("seat", number="1", event=await festival.event(), owner=festival.host.id)

    assert seat.title == "Gala (Lyon) · Hal Roux"
    assert await festival.title(seat, festival.host) == "Gala (Lyon) · Hal Roux"


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({}, "Gala (Lyon) ·"),
        ({"kind": "ball"}, "() ·"),
        ({"secret": True}, "Gala () ·"),
        ({"day": "2026-02-02"}, "Gala () ·"),
    ],
    ids=["the owner is out of sight", "the event is", "the town is", "the event's town is hidden"],
)
async def test_a_title_tells_nothing_of_what_its_reader_may_not_read(
    festival: Festival, values: dict[str, Any], seen: str
) -> None:
    seat = await festival.make("seat", number="1", event=await festival.event(**values), owner=festival.host.id)

    assert await festival.title(seat, festival.visitor) == seen


async def test_a_hidden_field_of_another_record_and_what_follows_it_leave_no_trace(festival: Festival) -> None:
    invitation = await festival.make("invitation", event=await festival.event())

    assert await festival.title(invitation, festival.host) == "Ann in LYON"
    assert await festival.title(invitation, festival.visitor) == "in LYON"


async def test_a_title_that_tells_its_reader_nothing_is_the_id(festival: Festival) -> None:
    invitation = await festival.make("invitation", event=await festival.event(kind="ball"))

    assert await festival.title(invitation, festival.visitor) == invitation.id


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("fr", "Conférence lundi 5 janvier 2026 12,50\u00a0€ Ouverte"),
        ("en", "Talk Monday, January 5, 2026 €12.50 Open"),
        ("de", "Conférence lundi 5 janvier 2026 12,50\u00a0€ Ouverte"),
    ],
)
async def test_a_title_speaks_its_reader_s_language(festival: Festival, language: str, title: str) -> None:
    bill = await festival.make("bill", event=await festival.event(), amount="12.5")

    assert await festival.title(bill, replace(festival.host, language=language)) == title
    assert "12" not in await festival.title(bill, replace(festival.visitor, language=language))


async def test_a_line_s_title_shows_what_stands_above_its_parent(festival: Festival) -> None:
    given = {"event": await festival.event(kind="ball"), "amount": 1, "items": [{"text": "Tea"}, {"text": "Ice"}]}
    bill = await commands.create(festival.stage.tenant, festival.host, "bill", given)

    async def titles(actor: Actor) -> list[str]:
        found = await read(festival.stage.tenant, actor, lambda unit: unit.records.lines(bill))
        return [line.title for line in found["items"]]

    assert await titles(festival.host) == ["Gala: Tea", "Gala: Ice"]
    assert await titles(festival.visitor) == ["nothing: Tea", "nothing: Ice"]


Way = Callable[[Records, Record], Awaitable[str]]


async def _got(records: Records, seat: Record) -> str:
    return (await records.get("seat", seat.id)).title


async def _listed(records: Records, seat: Record) -> str:
    return (await records.list("seat", Query(columns=("number",)))).records[0].title


async def _found(records: Records, seat: Record) -> str:
    return (await records.list("seat", Query(q="77"))).records[0].title


async def _named(records: Records, seat: Record) -> str:
    return (await records.labels("seat", [seat.id]))[seat.id]


async def _changed(records: Records, seat: Record) -> str:
    change = await records.update("seat", seat.id, None, {"code": 8})
    assert change.before.title == change.after.title
    return change.after.title


async def _created(records: Records, seat: Record) -> str:
    return (await records.create("seat", {"number": "78", "event": seat["event"]})).title


async def _many(records: Records, seat: Record) -> str:
    made = await records.create_many("seat", [{"number": "79", "event": seat["event"]}])
    assert isinstance(made[0], Record)
    return made[0].title


@pytest.mark.parametrize("way", [_got, _listed, _found, _named, _changed, _created, _many])
async def test_every_way_to_a_record_has_the_same_title(festival: Festival, way: Way) -> None:
    for secret, title in ((False, "Gala (Lyon) · Vic Roux"), (True, "Gala () · Vic Roux")):
        event = await festival.event(secret=secret)
        seat = await festival.make("seat", number="77", event=event, owner=festival.visitor.id)

        told = await write(festival.stage.tenant, festival.visitor, partial(_by, way, seat))
        assert told == title
        await write(festival.stage.tenant, SYSTEM, lambda unit: _remove_all(unit.records))


async def _by(way: Way, seat: Record, unit: Unit) -> str:
    return await way(unit.records, seat)


async def _remove_all(records: Records) -> None:
    for each in (await records.list("seat")).records:
        await records.delete("seat", each.id)


async def test_a_list_asks_once_for_each_entity_that_its_titles_show(festival: Festival) -> None:
    for number in range(20):
        await festival.make("seat", number=str(number), event=await festival.event(), owner=festival.host.id)

    async def statements(entity: str) -> int:
        async def work(tx: Tx) -> int:
            recorded, tenant = Recorded(tx), festival.stage.tenant
            records = Records(tenant.published, recorded, festival.host, tenant.context(), new_id=tenant.new_id)
            assert len((await records.list(entity)).records) == 20
            return len(recorded.statements)

        return await festival.stage.tenant.store.read(work)

    assert (await statements("event"), await statements("seat")) == (1, 4)


async def test_who_reads_a_name_in_a_title_stands_in_the_audit(festival: Festival) -> None:
    invitation = await festival.make("invitation", event=await festival.event())
    await festival.title(invitation, festival.host)
    await festival.title(invitation, festival.visitor)
    await festival.stage.tenant.readings.flush()

    rows = await festival.stage.rows("_audit", "entity", "fields", "member", where="\"kind\" = 'listed'")
    assert rows == [("event", '["guest"]', festival.host.id)]
