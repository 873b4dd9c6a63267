"""A guard that refuses says what it asks for, part by part, and nothing about what the actor may not see."""

from __future__ import annotations

from typing import Any

import pytest

from models.actor import SYSTEM, Actor
from models.record import Record
from models.tx import Tx
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.guards import UnmetError, Weighed, weigh
from workflows.unit import open_unit

pytestmark = pytest.mark.anyio

SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"


def guarded(guard: str, *edits: tuple[str, str]) -> dict[str, str]:
    """Return the small network, in which `signed` is reached from anywhere when a guard holds."""
    return edited(
        SMALL, (SIGN, SIGN.replace("contacted", "new").replace("Sign up}", f"Sign up}}, guard: '{guard}'")), *edits
    )


def told(parts: tuple[Weighed, ...]) -> list[tuple[str | None, bool | None]]:
    """Return the parts as written, and whether they hold."""
    return [
        (each.asks.text[each.asks.tree.start : each.asks.tree.end] if each.asks else None, each.holds) for each in parts
    ]


async def refused(stage: Stage, actor: Actor, lead: Record, **form: Any) -> UnmetError:
    with pytest.raises(UnmetError) as found:
        await commands.move(stage.tenant, actor, "lead", lead.id, "sign", form=form)
    return found.value


async def test_each_part_is_told_with_what_it_compares(make_stage: MakeStage) -> None:
    guard = 'has(record.email) && record.calls > 2 && (record.newsletter || record.country == "BE") && !record.hot'
    stage = await make_stage(guarded(guard))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea, calls=1)
    error = await refused(stage, lea, lead)
    assert told(error.parts) == [
        ("has(record.email)", True),
        ("record.calls > 2", False),
        ('record.newsletter || record.country == "BE"', False),
        ("!record.hot", True),
    ]
    assert [list(each.values.values()) for each in error.parts] == [[], [1], [False, "FR"], [False]]
    offers = await commands.offers(stage.tenant, lea, "lead", lead.id)
    offered = {offer.transition.name: offer for offer in offers}
    assert told(offered["sign"].parts) == told(error.parts)
    assert (offered["call"].allowed, offered["call"].parts) == (True, ())


HIDDEN = {
    "a field": (
        "record.income_goal > 10",
        ("income_goal: {read: mine, write: none}", "income_goal: {read: none, write: none}"),
    ),
    "a record that is referred to": (
        'record.company.city == "Lyon"',
        ("company: {read: all", 'company: {read: record.name == "Open"'),
    ),
    "a field of what is referred to": (
        'record.company.city == "Lyon"',
        ("company: {read: all,", "company: {read: all, fields: {city: {read: none, write: none}},"),
    ),
    "a field behind a choice": (
        '(record.hot ? record.company : [record.company][0]).city == "Lyon"',
        ("company: {read: all,", "company: {read: all, fields: {city: {read: none, write: none}},"),
    ),
    "one side of an either": (
        "(record.calls > 2 || record.income_goal > 10)",
        ("income_goal: {read: mine, write: none}", "income_goal: {read: none, write: none}"),
    ),
    "what is asked in a list": (
        "[1, 2].exists(n, record.income_goal > n)",
        ("income_goal: {read: mine, write: none}", "income_goal: {read: none, write: none}"),
    ),
}


@pytest.mark.parametrize("case", HIDDEN)
async def test_a_part_about_what_the_actor_may_not_see_is_neither_named_nor_judged(
    make_stage: MakeStage, case: str
) -> None:
    part, edit = HIDDEN[case]
    stage = await make_stage(guarded(f"record.calls > 2 && {part} && has(record.email)", edit))
    lea = await stage.person("Lea", "distributor")
    company = await commands.create(stage.tenant, SYSTEM, "company", {"name": "Close", "city": "Lyon"})
    values = {"owner": lea.id, "first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr"}
    for goal in (5, 50, None):
        more = {"email": f"paul{goal}@exemple.fr", "income_goal": goal, "company": company.id}
        lead = await commands.create(stage.tenant, SYSTEM, "lead", {**values, **more})
        error = await refused(stage, lea, lead)
        assert told(error.parts) == [("record.calls > 2", False), (None, None), ("has(record.email)", True)]
        assert dict(error.parts[1].values) == {}
    root = await stage.person("Root", "distributor", "leader")
    seen = await stage.tenant.store.read(lambda tx: _weighed(stage, root, lead, tx))
    assert all(each.asks is not None for each in seen)


async def _weighed(stage: Stage, actor: Actor, lead: Record, tx: Tx) -> tuple[Weighed, ...]:
    unit = open_unit(stage.tenant, tx, actor)
    record = await unit.records.get("lead", lead.id)
    guard = unit.network.processes["recruiting"].transitions["sign"].guard
    assert guard is not None
    return await weigh(unit, record, guard, await unit.records.env(record, [guard], before=record.full))


LINES = {
    "invoice.yaml": """
network: billing
languages: [en]
---
entity: invoice
title: "{{ record.name }}"
fields: {name: {type: text, required: true}}
---
entity: item
parent: invoice
as: items
title: "{{ record.what }}"
fields: {what: {type: text, required: true}, price: {type: money}}
---
process: billing
entity: invoice
states: {draft: {initial: true}, sent: {final: true}}
transitions:
  send: {from: draft, to: sent, guard: 'sum(record.items, i, i.price) > 10 && record.items.exists(i, i.what == "fee")'}
---
level: clerk
entities:
  invoice: {read: all, create: true, update: all}
  item: {PRICE}
---
level: boss
entities:
  invoice: {read: all, create: true, update: all}
"""
}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "fields: {price: {read: none, write: none}}",
            [(None, None), ('record.items.exists(i, i.what == "fee")', False)],
        ),
        ('read: record.what != "book"', [(None, None), (None, None)]),
        (
            "read: all",
            [("sum(record.items, i, i.price) > 10", False), ('record.items.exists(i, i.what == "fee")', False)],
        ),
    ],
)
async def test_parts_about_lines_are_told_to_who_sees_all_of_them(
    make_stage: MakeStage, rule: str, expected: list[tuple[str | None, bool | None]]
) -> None:
    stage = await make_stage({"invoice.yaml": LINES["invoice.yaml"].replace("PRICE", rule)})
    clerk = await stage.person("Lea", "clerk")
    values = {"name": "May", "items": [{"what": "book", "price": 3}, {"what": "pen", "price": 4}]}
    invoice = await commands.create(stage.tenant, SYSTEM, "invoice", values)
    with pytest.raises(UnmetError) as found:
        await commands.move(stage.tenant, clerk, "invoice", invoice.id, "send")
    assert told(found.value.parts) == expected


async def test_a_guard_over_the_form_is_weighed_with_its_answers(make_stage: MakeStage) -> None:
    guard = "record.calls == 0 && form.fee > 10"
    stage = await make_stage(guarded(guard, ("en: Sign up}, guard", "en: Sign up}, form: {fee: {type: money}}, guard")))
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    error = await refused(stage, lea, lead, fee=4)
    assert told(error.parts) == [("record.calls == 0", True), ("form.fee > 10", False)]


async def test_the_value_of_a_setting_is_told_to_who_administers_the_network(make_stage: MakeStage) -> None:
    stage = await make_stage(guarded('settings.support == "x@y.example" && record.calls > 5'))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "distributor", "leader")
    lead = await stage.lead(lea)
    for actor, values in ((lea, []), (rita, ["aide@exemple.fr"])):
        weighed = await stage.tenant.store.read(lambda tx, actor=actor: _weighed(stage, actor, lead, tx))  # type: ignore[misc] # bound now
        assert told(weighed) == [('settings.support == "x@y.example"', False), ("record.calls > 5", False)]
        assert [list(each.values.values()) for each in weighed] == [values, [0]]
