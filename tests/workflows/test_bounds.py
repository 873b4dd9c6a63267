"""Fields between bounds that other values of the record set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from models.actor import SYSTEM, Actor
from models.errors import InvalidError
from models.record import Record
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands

pytestmark = pytest.mark.anyio

HIRE = """
network: hire
languages: [en]
timezone: Europe/Paris
countries: [FR]
currency: EUR
---
entity: shop
title: "{{ record.name }}"
fields:
  name:  {type: text, required: true}
  stock: {type: integer, default: 5}
---
entity: hire
title: "{{ record.what }}"
owner: true
fields:
  what:    {type: text, required: true, max: =record.room}
  room:    {type: integer, default: 20}
  shop:    {type: reference, to: shop}
  begins:  {type: date}
  ends:    {type: date, min: =record.begins}
  pieces:  {type: integer, default: 1, min: 1, max: =record.shop.stock}
  secret:  {type: integer, default: 7}
  guess:   {type: integer, max: =record.secret}
  paid:    {type: money, compute: "=sum(record.payments, p, p.amount)"}
  back:    {type: money, required: true, default: 0, max: =record.paid}
---
entity: payment
title: "{{ record.id }}"
parent: hire
as: payments
fields:
  due:    {type: money, required: true}
  amount: {type: money, required: true, max: '=record.due + 1.0'}
---
process: hiring
entity: hire
states: {open: {initial: true}, over: {final: true}}
transitions:
  end:
    from: open
    to: over
    form:
      left: {type: integer, required: true, max: =record.secret}
      when: {type: date, min: =record.begins}
---
level: clerk
entities:
  shop: {read: all}
  hire: {read: mine, create: true, update: mine, fields: {secret: {read: none, write: none}}}
"""


@dataclass
class Hire:
    """A shop that hires things out, and its clerk."""

    stage: Stage
    clerk: Actor

    async def hired(self, **values: Any) -> Record:
        """Write down that something was hired."""
        return await commands.create(self.stage.tenant, self.clerk, "hire", {"what": "tent", **values})

    async def change(self, hire: Record, **values: Any) -> Record:
        """Change what was written down."""
        changed = await commands.update(self.stage.tenant, self.clerk, "hire", hire.id, None, values)
        return changed.after

    async def refused(self, work: Any) -> Mapping[str, str]:
        """Return what some work is refused for, by field."""
        with pytest.raises(InvalidError) as caught:
            await work
        return {name: str(said) for name, said in caught.value.fields.items()}


@pytest.fixture
async def hire(make_stage: MakeStage) -> Hire:
    stage = await make_stage({"hire.yaml": HIRE})
    return Hire(stage, await stage.person("Cleo", "clerk"))


HIDDEN = "This does not fit the other values."


async def test_a_bound_is_what_another_value_says(hire: Hire) -> None:
    told = {"ends": "At least 2026-03-02."}

    assert await hire.refused(hire.hired(begins="2026-03-02", ends="2026-03-01")) == told
    assert str((await hire.hired(begins="2026-03-02", ends="2026-03-02"))["ends"]) == "2026-03-02"


async def test_nothing_is_refused_where_the_other_value_is_empty(hire: Hire) -> None:
    assert str((await hire.hired(ends="2026-03-01"))["ends"]) == "2026-03-01"


async def test_the_length_of_a_text_may_be_bound_too(hire: Hire) -> None:
    assert await hire.refused(hire.hired(what="a very large tent", room=4)) == {"what": "At most 4 characters."}


async def test_a_change_of_the_other_value_looks_at_the_bound_again(hire: Hire) -> None:
    made = await hire.hired(begins="2026-03-01", ends="2026-03-02")

    assert await hire.refused(hire.change(made, begins="2026-03-03")) == {"ends": "At least 2026-03-03."}
    assert str((await hire.change(made, begins="2026-03-03", ends="2026-03-04"))["ends"]) == "2026-03-04"


async def test_the_bound_of_what_is_hidden_or_stands_elsewhere_is_kept_but_not_named(hire: Hire) -> None:
    shop = await commands.create(hire.stage.tenant, SYSTEM, "shop", {"name": "North"})

    assert await hire.refused(hire.hired(guess=8)) == {"guess": HIDDEN}
    assert (await hire.hired(guess=7))["guess"] == 7
    assert await hire.refused(hire.hired(shop={"id": shop.id}, pieces=6)) == {"pieces": HIDDEN}


async def test_the_bounds_of_questions_are_told_likewise(hire: Hire) -> None:
    made = await hire.hired(begins="2026-03-03")
    form = {"left": 8, "when": "2026-03-01"}

    moving = commands.move(hire.stage.tenant, hire.clerk, "hire", made.id, "end", form=form)

    assert await hire.refused(moving) == {"left": HIDDEN, "when": "At least 2026-03-03."}


async def test_a_bound_that_is_computed_of_lines_is_known_before_it_is_asked(hire: Hire) -> None:
    payments = [{"due": 10, "amount": 10}]

    assert await hire.refused(hire.hired(back=11, payments=payments)) == {"back": "At most 10.00."}
    made = await hire.hired(back=10, payments=payments)
    assert await hire.refused(hire.change(made, payments=[])) == {"back": "At most 0.00."}
    assert await hire.refused(hire.hired(back=None, payments=payments)) == {"back": "This is needed."}


async def test_lines_have_bounds_of_their_own_values(hire: Hire) -> None:
    payments = [{"due": 10, "amount": 12}]

    assert await hire.refused(hire.hired(payments=payments)) == {"payments.0.amount": "At most 11.00."}
    both = {"payments.0.amount": "At most 11.00.", "what": "This is needed."}
    assert await hire.refused(hire.hired(what=None, payments=payments)) == both
