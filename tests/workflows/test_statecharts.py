"""Processes with states inside of states, side by side, and moves that nobody takes, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from definitions.pack import read_folder
from models.actor import SYSTEM, Actor
from models.errors import InvalidError, RefusedError
from models.query import Filter, Query
from models.record import Page, Record
from models.statistics import compute
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.simulation import Subject, simulate
from workflows.timeline import timeline
from workflows.unit import Unit, read

pytestmark = pytest.mark.anyio

PACK = Path(__file__).parents[1] / "packs" / "joining"
FILES = read_folder(PACK)
ENTITY = "application"


@pytest.fixture
async def office(make_stage: MakeStage) -> Stage:
    """The cooperative, with Léa, who advises."""
    made = await make_stage(FILES)
    made.people["lea"] = await made.person("Lea", "adviser")
    return made


@pytest.fixture
def lea(office: Stage) -> Actor:
    """An adviser."""
    return office.people["lea"]


async def applied(office: Stage, lea: Actor, *moves: str, **values: Any) -> Record:
    """Return an application that was created with values and took moves."""
    given = {"name": "Paul", "email": "paul@exemple.fr", **values}
    record = await commands.create(office.tenant, lea, ENTITY, given)
    for name in moves:
        await commands.move(office.tenant, lea, ENTITY, record.id, name)
    return await office.get(record)


async def moved(office: Stage, lea: Actor, record: Record) -> list[tuple[str, str, str, str]]:
    """Return the moves of a record: transition, from, to and who took them, the oldest first."""
    events = reversed(await timeline(office.tenant, lea, ENTITY, record.id))
    return [
        (event.transition or "", event.from_state or "", event.to_state or "", event.actor_kind)
        for event in events
        if event.kind == "moved"
    ]


async def test_a_record_is_in_a_list_of_states_where_some_run_side_by_side(office: Stage, lea: Actor) -> None:
    assert (await applied(office, lea)).full["joining"] == ("draft",)
    assert (await applied(office, lea, "submit")).full["joining"] == ("unpaid", "awaited")
    assert (await applied(office, lea, "submit", "send_papers")).full["joining"] == ("unpaid", "queued")


async def test_a_move_out_of_a_state_around_leaves_what_is_inside(office: Stage, lea: Actor) -> None:
    found = await applied(office, lea, "submit", "send_papers", "read_papers", "ask_again")
    assert found.full["joining"] == ("unpaid", "awaited")
    assert (await moved(office, lea, found))[-1] == ("ask_again", "read", "awaited", "member")
    gone = await applied(office, lea, "submit", "send_papers", "leave")
    assert gone.full["joining"] == ("left",)
    assert (await moved(office, lea, gone))[-1] == ("leave", "unpaid queued", "left", "member")


async def test_moves_follow_by_themselves_until_nothing_more_does(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", "accept")
    change = await commands.update(office.tenant, lea, ENTITY, record.id, record.version, {"paid_sum": "50"})
    after = await office.get(record)
    assert (after.full["joining"], after.full["credit"]) == (("trial",), "open")
    assert after.full["joined_on"] == office.clock.now().date()
    assert change.after.version == after.version
    assert (await moved(office, lea, record))[-3:] == [
        ("settle", "unpaid", "paid", "system"),
        ("welcome", "paid accepted", "trial", "system"),
        ("grant", "closed", "open", "system"),
    ]


async def test_what_follows_names_the_change_that_it_follows_from(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", paid_sum="50")
    accepted = await commands.move(office.tenant, lea, ENTITY, record.id, "accept")
    causes = await office.rows("_history", "transition", "cause", where='"cause" IS NOT NULL')
    assert [row for row in causes if row[1] == accepted.history] == [
        ("welcome", accepted.history),
        ("grant", accepted.history),
    ]
    assert accepted.record is not None
    assert accepted.record.full["joining"] == ("trial",)


async def test_taking_a_move_back_takes_back_what_followed_by_itself(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", paid_sum="50")
    before = await office.get(record)
    accepted = await commands.move(office.tenant, lea, ENTITY, record.id, "accept")
    await office.worker.run_due()
    assert await office.rows("_mail", "state") == [("waiting",)]
    await commands.undo(office.tenant, lea, accepted.history)
    after = await office.get(record)
    names = ("joining", "credit", "joined_on", "paid_sum")
    assert {name: after.full[name] for name in names} == {name: before.full[name] for name in names}
    office.clock.forward(timedelta(hours=1))
    await office.worker.run_due()
    assert await office.rows("_mail", "state") == [("cancelled",)]
    undone = await office.rows("_history", "transition", where='"undone_by" IS NOT NULL')
    assert undone == [("accept",), ("welcome",), ("grant",)]


async def test_a_move_is_not_taken_back_once_something_else_followed(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", paid_sum="50")
    accepted = await commands.move(office.tenant, lea, ENTITY, record.id, "accept")
    await commands.update(office.tenant, lea, ENTITY, record.id, None, {"orders": 3})
    assert (await office.get(record)).full["joining"] == ("confirmed",)
    with pytest.raises(RefusedError, match="changed since"):
        await commands.undo(office.tenant, lea, accepted.history)


async def test_nobody_takes_a_move_that_happens_by_itself(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit")
    with pytest.raises(RefusedError, match="À payer, Attendues"):
        await commands.move(office.tenant, lea, ENTITY, record.id, "settle")
    offers = await commands.offers(office.tenant, lea, ENTITY, record.id)
    assert [offer.transition.name for offer in offers] == ["receive_fee", "send_papers", "leave"]


async def test_a_state_around_is_entered_once(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", "accept", paid_sum="50")
    await commands.update(office.tenant, lea, ENTITY, record.id, None, {"orders": 5})
    await office.worker.run_due()
    runs = await office.rows("_run", "automation", "state")
    assert runs.count(("greet", "done")) == 1


async def test_a_state_around_is_left_with_the_last_inside(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit", "send_papers", "read_papers")
    assert await office.rows("_run", "automation") == []
    await commands.move(office.tenant, lea, ENTITY, record.id, "ask_again")
    await office.worker.run_due()
    assert await office.rows("_run", "automation", "state") == [("lost_papers", "done")]


async def test_a_stay_in_a_region_lasts_whatever_happens_inside_and_beside(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit")
    office.clock.forward(timedelta(days=4))
    await commands.move(office.tenant, lea, ENTITY, record.id, "receive_fee", form={"paid_sum": "20"})
    await commands.move(office.tenant, lea, ENTITY, record.id, "send_papers")
    office.clock.forward(timedelta(days=2))
    await office.worker.run_due()
    assert await office.rows("_task", "title") == []
    office.clock.forward(timedelta(days=1))
    await office.worker.run_due()
    assert len(await office.rows("_task", "title")) == 1


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Query(filters=(Filter("joining", "equals", "awaited"),)), {"asked", "begun"}),
        (Query(filters=(Filter("joining", "equals", "papers"),)), {"asked", "begun", "sent"}),
        (Query(filters=(Filter("joining", "any_of", ["review", "member"]),)), {"sent", "joined"}),
        (Query(filters=(Filter("joining", "differs", "in_progress"),)), {"drafted", "joined"}),
        (Query(filters=(Filter("credit", "equals", "open"),)), {"joined"}),
    ],
)
async def test_lists_find_what_is_in_a_state_or_in_one_inside(
    office: Stage, lea: Actor, wanted: Query, found: set[str]
) -> None:
    await several(office, lea)
    page = await read(office.tenant, lea, lambda unit: unit.records.list(ENTITY, wanted))
    assert {record.full["name"] for record in page.records} == found


async def several(office: Stage, lea: Actor) -> None:
    """Create applications that stand in different states."""
    await applied(office, lea, name="drafted")
    await applied(office, lea, "submit", name="begun")
    await applied(office, lea, "submit", "send_papers", "ask_again", name="asked")
    await applied(office, lea, "submit", "send_papers", name="sent")
    await applied(office, lea, "submit", "send_papers", "accept", name="joined", paid_sum="60")


async def listed(unit: Unit, query: Query) -> Page:
    return await unit.records.list(ENTITY, query)


async def test_conditions_over_states_say_the_same_in_the_database(office: Stage, lea: Actor) -> None:
    await several(office, lea)
    screen = office.tenant.published.network.screens["applications"]
    found = {}
    for name, view in screen.views.items():
        query = Query(where=view.where)
        page = await read(office.tenant, lea, partial(listed, query=query))
        found[name] = {record.full["name"] for record in page.records}
    assert found == {"unpaid": {"begun", "asked", "sent"}, "members": {"joined"}}


async def test_boards_count_a_record_in_each_of_its_states(office: Stage, lea: Actor) -> None:
    await several(office, lea)
    counts = await read(office.tenant, lea, lambda unit: unit.records.group_count(ENTITY, "joining"))
    assert counts == {"draft": 1, "unpaid": 3, "awaited": 2, "queued": 1, "trial": 1}


async def test_the_time_in_a_state_is_that_between_entering_and_leaving_it(office: Stage, lea: Actor) -> None:
    record = await applied(office, lea, "submit")
    office.clock.forward(timedelta(days=1))
    await commands.move(office.tenant, lea, ENTITY, record.id, "send_papers")
    office.clock.forward(timedelta(days=1))
    await commands.update(office.tenant, lea, ENTITY, record.id, None, {"paid_sum": "50"})
    office.clock.forward(timedelta(days=3))
    await commands.move(office.tenant, lea, ENTITY, record.id, "accept")
    day = 24 * 3600

    async def seconds(unit: Unit, name: str) -> Any:
        result = await compute(unit.records, unit.network.statistics[name])
        return result.rows[0].value

    for name, days in (("time_to_pay", 2), ("time_to_complete", 5)):
        value = await read(office.tenant, lea, partial(seconds, name=name))
        assert value == Decimal(days * day)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("draft", ("draft",)),
        ("in_progress", ("unpaid", "awaited")),
        ("review", ("unpaid", "queued")),
        (["accepted", "instalments"], ("instalments", "accepted")),
        ("member", ("trial",)),
    ],
)
async def test_the_system_puts_a_record_into_states_that_go_together(
    office: Stage, given: Any, held: tuple[str, ...]
) -> None:
    record = await commands.create(office.tenant, SYSTEM, ENTITY, {"name": "Ana", "joining": given, "owner": None})
    assert (await office.get(record)).full["joining"] == held


async def test_a_state_that_is_none_is_refused(office: Stage) -> None:
    with pytest.raises(InvalidError):
        await commands.create(office.tenant, SYSTEM, ENTITY, {"name": "Ana", "joining": "nowhere"})


def endless() -> Mapping[str, str]:
    """Return the pack with two moves that follow each other as long as a number is small, which it is for long."""
    guard = "record.orders > 0 && record.orders < 900"
    ping = f"ping: {{auto: true, from: closed, to: open, guard: {guard}, set: {{orders: =record.orders + 1}}}}"
    pong = ping.replace("ping:", "pong:").replace("from: closed, to: open", "from: open, to: closed")
    text = FILES["processes.yaml"]
    begin, end = text.index("  grant: "), text.index("---\nautomation: greet")
    return {**FILES, "processes.yaml": f"{text[:begin]}  {ping}\n  {pong}\n{text[end:]}"}


async def test_moves_that_do_not_come_to_an_end_are_refused_with_what_they_follow_from(make_stage: MakeStage) -> None:
    office = await make_stage(endless())
    lea = await office.person("Lea", "adviser")
    record = await applied(office, lea)
    with pytest.raises(RefusedError, match="never end"):
        await commands.update(office.tenant, lea, ENTITY, record.id, None, {"orders": 1})
    assert (await office.get(record)).full["orders"] == 0


async def test_changes_of_the_states_take_records_along(office: Stage, lea: Actor) -> None:
    await several(office, lea)
    files = edited(
        FILES,
        ("          awaited: {", "          wanted: {was: awaited, "),
        ("from: awaited, to: review", "from: wanted, to: review"),
        ("from: review, to: awaited", "from: review, to: wanted"),
        ('"awaited" in', '"wanted" in'),
    )
    await office.tenant.publish(files, None)
    page = await read(office.tenant, lea, lambda unit: unit.records.list(ENTITY))
    assert {record.full["name"]: record.full["joining"] for record in page.records} == {
        "drafted": ("draft",),
        "begun": ("unpaid", "wanted"),
        "asked": ("unpaid", "wanted"),
        "sent": ("unpaid", "queued"),
        "joined": ("trial",),
    }


LINES = """
network: bills
languages: [en]
---
entity: bill
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
  fee: {type: money, default: 50}
---
entity: item
parent: bill
as: items
fields:
  amount: {type: money, required: true}
---
process: life
entity: bill
states:
  open: {initial: true}
  busy:
    parallel: true
    states:
      payment: {states: {unpaid: {initial: true}, paid: {final: true}}}
      work: {states: {planned: {initial: true}, made: {final: true}}}
  done: {final: true}
transitions:
  start: {from: open, to: busy}
  settle: {from: unpaid, to: paid, auto: true, guard: "sum(record.items, i, i.amount) >= record.fee"}
  make: {from: planned, to: made}
  end: {from: busy, to: done, auto: true}
---
statistic: by_state
entity: bill
measure: count()
by: [record.life]
---
home: start
tiles: [{statistic: by_state}]
---
level: adviser
entities:
  bill: {read: all, create: true, update: all}
"""


async def test_a_line_moves_what_it_is_a_line_of(make_stage: MakeStage) -> None:
    office = await make_stage({"bills.yaml": LINES})
    lea = await office.person("Lea", "adviser")
    bill = await commands.create(office.tenant, lea, "bill", {"name": "A", "items": [{"amount": "20"}]})
    await commands.move(office.tenant, lea, "bill", bill.id, "start")
    assert (await office.get(bill)).full["life"] == ("unpaid", "planned")
    line = await commands.create(office.tenant, lea, "item", {"parent": bill.id, "amount": "10"})
    assert (await office.get(bill)).full["life"] == ("unpaid", "planned")
    await commands.update(office.tenant, lea, "item", line.id, None, {"amount": "30"})
    assert (await office.get(bill)).full["life"] == ("paid", "planned")
    await commands.move(office.tenant, lea, "bill", bill.id, "make")
    assert (await office.get(bill)).full["life"] == ("done",)


async def test_a_statistic_groups_by_the_states_that_records_are_in_together(make_stage: MakeStage) -> None:
    office = await make_stage({"bills.yaml": LINES})
    lea = await office.person("Lea", "adviser")
    for name in ("A", "B", "C"):
        bill = await commands.create(office.tenant, lea, "bill", {"name": name})
        if name != "C":
            await commands.move(office.tenant, lea, "bill", bill.id, "start")
    statistic = office.tenant.published.network.statistics["by_state"]
    result = await read(office.tenant, lea, lambda unit: compute(unit.records, statistic))
    assert {row.group: row.value for row in result.rows} == {(("open",),): 1, (("unpaid", "planned"),): 2}


async def test_a_replay_takes_what_follows_by_itself_once(office: Stage, lea: Actor) -> None:
    await applied(office, lea, "submit", "send_papers", "accept", paid_sum="50")
    office.clock.forward(timedelta(days=1))
    found = await simulate(office.tenant, FILES, Subject(process="joining", days=5))
    told = {(line.kind, line.what): line.count for line in found.lines}
    taken = {what: count for (kind, what), count in told.items() if kind == "move"}
    ways = ("submit", "send_papers", "accept", "settle", "welcome")
    assert taken == {**{f"joining.{name}": 1 for name in ways}, "credit.grant": 1}
    assert found.unfit == {}
