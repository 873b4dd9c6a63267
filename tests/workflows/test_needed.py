"""Fields that are needed in some records only, and defaults that read the other values of a new record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from definitions.problems import DefinitionError
from models.actor import SYSTEM, Actor
from models.errors import InvalidError
from models.record import Record
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

CLUB = """
network: club
languages: [fr, en]
timezone: Europe/Paris
countries: [FR]
currency: EUR
settings:
  full:    {type: money, value: 40}
  reduced: {type: money, value: 15}
---
entity: branch
title: "{{ record.name }}"
fields:
  name:    {type: text, required: true}
  strict:  {type: boolean, default: false}
  discount: {type: money, default: 0}
---
entity: card
title: "{{ record.holder }}"
owner: true
fields:
  holder:   {type: text, required: true}
  branch:   {type: reference, to: branch}
  kind:     {type: choice, options: {full: Full, reduced: Reduced}, required: true}
  proof:    {type: text, required: =record.kind == "reduced"}
  reason:   {type: text, required: =record.opening == "closed"}
  check:    {type: text, required: =record.branch.strict}
  begins:   {type: date, default: =today()}
  ends:     {type: date, default: =record.begins + days(365)}
  warns:    {type: date, default: =record.ends - days(record.notice)}
  notice:   {type: integer, default: '=record.price > 20 ? 30 : 10'}
  price:    {type: money, default: '=record.kind == "full" ? settings.full - record.branch.discount : settings.reduced'}
  left:     {type: money, compute: =record.price - record.paid}
  paid:     {type: money, default: 0}
  rate:     {type: money, default: =record.left}
  fee:      {type: money, compute: "=sum(record.payments, p, p.amount)"}
  receipt:  {type: text, required: =record.fee < 5.0}
---
entity: payment
title: "{{ record.text }}"
parent: card
as: payments
fields:
  text:   {type: text, required: true}
  amount: {type: money, default: =record.parent.price}
  method: {type: text, required: =record.amount > 50.0}
---
process: opening
entity: card
states: {open: {initial: true}, closed: {final: true}, held: {}}
transitions:
  close: {from: open, to: closed, form: {reason: {field: reason}}}
  hold:
    from: open
    to: held
    form:
      why:    {type: choice, options: {other: Other, ill: Ill}, default: ill}
      until:  {type: date, required: true, default: =record.begins + days(30)}
      limit:  {field: ends, default: =record.begins + days(60)}
      reason: {type: text, required: '=form.why == "other" && record.kind == "reduced"'}
    set: {warns: =form.until}
  free: {from: held, to: open}
---
level: blind
entities:
  card: {read: all, create: true}
  branch: {read: all, fields: {discount: {read: none, write: none}}}
---
level: seller
entities:
  card: {read: all, create: true, update: all}
  branch: {read: all}
  payment: {}
"""


@dataclass
class Club:
    """The club, and somebody who sells its cards."""

    stage: Stage
    seller: Actor

    async def card(self, **values: Any) -> Record:
        """Write a card."""
        given = {"holder": "Rose", "kind": "full", "receipt": "1", **values}
        return await commands.create(self.stage.tenant, self.seller, "card", given)

    async def change(self, card: Record, **values: Any) -> Record:
        """Change a card."""
        changed = await commands.update(self.stage.tenant, self.seller, "card", card.id, None, values)
        return changed.after

    async def refused(self, work: Any) -> Mapping[str, str]:
        """Return what some work is refused for, by field."""
        with pytest.raises(InvalidError) as caught:
            await work
        return {name: str(said) for name, said in caught.value.fields.items()}

    async def branch(self, **values: Any) -> Record:
        """Write a branch."""
        return await commands.create(self.stage.tenant, SYSTEM, "branch", {"name": "North", **values})


@pytest.fixture
async def club(make_stage: MakeStage) -> Club:
    stage = await make_stage({"club.yaml": CLUB})
    return Club(stage, await stage.person("Sam", "seller"))


NEEDED = "This is needed."


async def test_a_field_is_needed_where_its_condition_holds(club: Club) -> None:
    assert await club.refused(club.card(kind="reduced")) == {"proof": NEEDED}
    assert (await club.card(kind="reduced", proof="card 7"))["proof"] == "card 7"
    assert (await club.card())["proof"] is None


async def test_a_change_that_makes_a_field_necessary_asks_for_it(club: Club) -> None:
    card = await club.card()

    assert await club.refused(club.change(card, kind="reduced")) == {"proof": NEEDED}
    reduced = await club.change(card, kind="reduced", proof="card 7")
    assert await club.refused(club.change(reduced, proof=None)) == {"proof": NEEDED}
    assert (await club.change(reduced, kind="full", proof=None))["proof"] is None


async def test_a_change_of_something_else_does_not_ask_again(club: Club) -> None:
    north = await club.branch()
    card = await club.card(branch={"id": north.id})
    await commands.update(club.stage.tenant, SYSTEM, "branch", north.id, None, {"strict": True})

    assert (await club.change(card, holder="Ann"))["check"] is None


async def test_what_stands_behind_a_reference_may_decide(club: Club) -> None:
    strict = await club.branch(strict=True)

    assert await club.refused(club.card(branch={"id": strict.id})) == {"check": NEEDED}


async def test_a_move_into_a_state_in_which_a_field_is_needed_asks_for_it(club: Club) -> None:
    card, move = await club.card(), commands.move
    tenant = club.stage.tenant

    assert await club.refused(move(tenant, club.seller, "card", card.id, "close")) == {"reason": NEEDED}
    await move(tenant, club.seller, "card", card.id, "close", form={"reason": "gone"})
    assert (await club.stage.get(card))["opening"] == "closed"


@pytest.mark.parametrize(
    ("kind", "why", "refused"), [("reduced", "other", True), ("reduced", "ill", False), ("full", "other", False)]
)
async def test_a_question_is_needed_for_some_answers(club: Club, kind: str, why: str, refused: bool) -> None:
    card = await club.card(kind=kind, proof="card 7")
    moving = commands.move(club.stage.tenant, club.seller, "card", card.id, "hold", form={"why": why})

    if refused:
        assert await club.refused(moving) == {"reason": NEEDED}
    else:
        await moving
        assert (await club.stage.get(card))["opening"] == "held"


async def test_many_are_created_each_with_what_it_needs(club: Club) -> None:
    given = [{"holder": name, "kind": kind, "receipt": "1"} for name, kind in (("A", "full"), ("B", "reduced"))]

    made = await write(club.stage.tenant, club.seller, lambda unit: unit.records.create_many("card", given))

    assert [isinstance(each, Record) for each in made] == [True, False]
    assert isinstance(made[0], Record)
    assert (made[0]["notice"], made[0]["ends"]) == (10, date(2027, 3, 2))


async def test_lines_are_asked_for_what_they_need(club: Club) -> None:
    few, many = {"text": "a", "amount": 50}, {"text": "b", "amount": 51}

    assert await club.refused(club.card(payments=[few, many])) == {"payments.1.method": NEEDED}
    card = await club.card(payments=[few])
    assert await club.refused(club.change(card, payments=[few, many])) == {"payments.1.method": NEEDED}


@pytest.mark.parametrize(("amount", "refused"), [("4", {"receipt": NEEDED}), ("5", {})])
async def test_what_is_computed_of_lines_is_known_before_it_is_asked(
    club: Club, amount: str, refused: dict[str, str]
) -> None:
    making = club.card(receipt=None, payments=[{"text": "a", "amount": amount}])

    if refused:
        assert await club.refused(making) == refused
    else:
        made = await making
        assert await club.refused(club.change(made, payments=[])) == {"receipt": NEEDED}


async def test_defaults_read_what_was_given_and_each_other(club: Club) -> None:
    card = await club.card(begins=date(2026, 1, 1), kind="reduced", proof="p")

    told = {name: card[name] for name in ("ends", "notice", "warns", "price", "rate")}
    assert told == {"ends": date(2027, 1, 1), "notice": 10, "warns": date(2026, 12, 22), "price": 15, "rate": 15}


async def test_a_default_waits_for_nothing_that_is_given(club: Club) -> None:
    card = await club.card(begins=date(2026, 1, 1), price=100, notice=1, paid=30)

    assert (card["warns"], card["rate"]) == (date(2026, 12, 31), 70)


async def test_a_default_follows_a_reference(club: Club) -> None:
    north = await club.branch(discount=7)

    assert (await club.card(branch={"id": north.id}))["price"] == 33


async def test_a_default_shows_nothing_behind_a_reference_that_is_hidden_from_who_writes(club: Club) -> None:
    blind = await club.stage.person("Bo", "blind")
    north = await club.branch(discount=7)
    given = {"holder": "Rose", "kind": "full", "receipt": "1", "branch": {"id": north.id}}

    written = await commands.create(club.stage.tenant, blind, "card", given)

    assert written["price"] is None
    assert (await commands.create(club.stage.tenant, SYSTEM, "card", given))["price"] == 33


async def test_a_line_has_a_default_of_what_it_is_a_line_of(club: Club) -> None:
    card = await club.card(price=12, payments=[{"text": "a"}])

    found = await read(club.stage.tenant, SYSTEM, lambda unit: unit.records.lines(card))
    assert [line["amount"] for line in found["payments"]] == [12]


async def test_a_field_that_is_left_empty_stays_empty(club: Club) -> None:
    assert (await club.card(price=None))["price"] is None


async def test_records_that_are_there_get_the_default_of_a_new_field_and_what_is_computed_of_it(club: Club) -> None:
    card = await club.card(begins=date(2026, 1, 1))
    fields = """
  grace: {type: date, default: =record.final + days(1)}
  final: {type: date, default: =record.ends + days(10)}
  early: {type: boolean, compute: '=record.final < record.grace'}
  paid:     {type: money, default: 0}"""

    await club.stage.tenant.publish(
        {"club.yaml": CLUB.replace("\n  paid:     {type: money, default: 0}", fields)}, None
    )

    now = await read(club.stage.tenant, SYSTEM, lambda unit: unit.records.get("card", card.id))
    assert (now["final"], now["grace"], now["early"]) == (date(2027, 1, 11), date(2027, 1, 12), True)


async def test_a_new_field_that_every_record_needs_is_not_filled_with_what_may_be_nothing(club: Club) -> None:
    await club.card()
    fields = "  final: {type: date, required: true, default: =record.ends + days(10)}\n  holder: "

    with pytest.raises(DefinitionError) as caught:
        await club.stage.tenant.publish({"club.yaml": CLUB.replace("  holder: ", fields, 1)}, None)
    assert [problem.code for problem in caught.value.problems] == ["plan.required"]


async def test_a_field_that_becomes_needed_in_some_records_loses_none(club: Club) -> None:
    card = await club.card(kind="full")
    needy = CLUB.replace(
        "type: text, required: =record.opening", 'type: text, required: =record.kind == "full" || record.opening'
    )

    await club.stage.tenant.publish({"club.yaml": needy}, None)

    assert (await club.change(card, holder="Ann"))["reason"] is None
    assert await club.refused(club.card()) == {"reason": NEEDED}


@pytest.mark.parametrize(
    ("ends", "form", "kept"),
    [
        (None, {}, ("2026-01-31", "2026-03-02")),
        ("2026-05-01", {}, ("2026-01-31", "2026-05-01")),
        ("2026-05-01", {"until": "2026-02-02", "limit": "2026-04-04"}, ("2026-02-02", "2026-04-04")),
    ],
    ids=["nothing is there", "the record has one", "both are answered"],
)
async def test_a_question_left_out_has_what_the_record_has_or_its_default(
    club: Club, ends: str | None, form: dict[str, str], kept: tuple[str, str]
) -> None:
    card = await club.card(begins="2026-01-01", ends=ends)

    await commands.move(club.stage.tenant, club.seller, "card", card.id, "hold", form=form)

    now = await club.stage.get(card)
    assert (str(now["warns"]), str(now["ends"])) == kept
