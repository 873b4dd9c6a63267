"""Lines are read, counted and told of as their reader sees them, one by one and many at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.expr import Expression, RecordOf, Scope, compile_expression
from definitions.pack import load
from definitions.problems import NOWHERE
from models.actor import SYSTEM, Actor
from models.query import Filter, Query
from models.record import Record
from tests.billing import BILLING
from tests.workflows.conftest import MakeStage
from tests.workflows.shop import Shop, line, open_shop
from workflows import commands
from workflows.timeline import timeline
from workflows.unit import read, write

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(make_stage: MakeStage) -> Shop:
    return await open_shop(make_stage)


RECORDS = load(BILLING).notes.records
"""What expressions see of the records of the network."""


def _condition(text: str, entity: str = "invoice") -> Expression:
    return compile_expression(text, NOWHERE, Scope({"record": RecordOf(entity)}, RECORDS), query=True)


CONDITIONS = {
    "record.lines.exists(l, l.amount > 10)": ["Dear"],
    'record.lines.exists(l, l.text == "Comb" && l.quantity == record.number)': ["Two"],
    "record.lines.all(l, l.amount < 10)": ["None", "Two"],
    "record.lines.exists_one(l, l.amount < 10)": ["Dear"],
    "count(record.lines) == 2": ["Dear", "Two"],
    "size(record.lines) == 0": ["None"],
    "has(record.lines)": ["Dear", "Two"],
    "sum(record.lines, l, l.amount) > 20": ["Dear"],
    "sum(record.lines, l, l.quantity) == 3": ["Two"],
    "sum(record.lines, l, l.cost) == 0": ["None"],
    "!record.lines.exists(l, has(l.product))": ["Dear", "None", "Two"],
    'record.lines.exists(l, l.remarks.exists(r, r.text == "Soft"))': ["Two"],
    'record.lines.exists(record, record.text == "Comb")': ["Two"],
    'record.lines.exists(l, l.parent.customer == "Two")': ["Two"],
}


@pytest.mark.parametrize("text", CONDITIONS)
async def test_conditions_over_lines_say_the_same_in_memory_and_in_the_database(shop: Shop, text: str) -> None:
    await shop.invoice(customer="None")
    await shop.invoice(line("Gold", "30"), line("Soap", "1"), customer="Dear")
    await shop.invoice(line("Comb", "2", 2), line("Soap", "1", remarks=[{"text": "Soft"}]), customer="Two")
    condition = _condition(text)

    async def work(unit: Any) -> tuple[list[str], list[str]]:
        asked = await unit.records.list("invoice", Query(where=condition, sort="customer"))
        every = await unit.records.list("invoice", Query(sort="customer"))
        held = []
        for record in every.records:
            names = await unit.records.env(record, [condition])
            held += [record["customer"]] if condition.evaluate(names, unit.context) is True else []
        return [record["customer"] for record in asked.records], held

    asked, held = await read(shop.stage.tenant, SYSTEM, work)

    assert asked == held == CONDITIONS[text]


async def test_conditions_over_lines_see_only_the_lines_that_their_reader_sees(shop: Shop) -> None:
    await shop.invoice(line("Gold", "900"), line("Soap", "1"))
    asked = ["count(record.lines) == 1", "sum(record.lines, l, l.price) == 1", "record.lines.exists(l, l.price > 100)"]

    async def found(actor: Actor, text: str) -> int:
        query = Query(where=_condition(text))
        return await read(shop.stage.tenant, actor, lambda unit: unit.records.count("invoice", query))

    assert [await found(shop.clerk, text) for text in asked] == [1, 1, 0]
    assert [await found(shop.seller, text) for text in asked] == [0, 0, 1]
    assert await found(shop.seller, "record.lines.exists(l, has(l.cost))") == 0


async def test_lines_are_found_by_their_parent(shop: Shop) -> None:
    one, two = await shop.invoice(line("Soap", "1")), await shop.invoice(line("Comb", "1"), customer="Iris")
    tenant = shop.stage.tenant

    async def found(*filters: Filter, q: str = "") -> list[str]:
        page = await read(
            tenant, shop.seller, lambda unit: unit.records.list("line", Query(filters=tuple(filters), q=q))
        )
        return [each["text"] for each in page.records]

    assert await found(Filter("parent", "equals", one.id)) == ["Soap"]
    assert await found(Filter("parent.customer", "equals", "Iris")) == ["Comb"]
    assert await found(q="comb") == ["Comb"]
    labels = await read(tenant, shop.seller, lambda unit: unit.records.labels("invoice", [two.id]))
    assert labels == {two.id: "Iris"}


async def test_many_invoices_come_in_with_their_lines(shop: Shop) -> None:
    given: list[Any] = [
        {"customer": "Rose", "lines": [line("Soap", "2")]},
        {"customer": "Iris", "lines": [{"text": "Comb"}]},
        {"customer": "Lily"},
    ]
    from workflows import changes  # noqa: PLC0415 - the use case has no command of its own

    found = await write(shop.stage.tenant, shop.seller, lambda unit: changes.create_many(unit, "invoice", given))

    assert [each["total"] if isinstance(each, Record) else set(getattr(each, "fields", ())) for each in found] == [
        Decimal("2.00"),
        {"lines.0.price"},
        Decimal(0),
    ]


async def test_many_lines_come_in_for_their_invoices(shop: Shop) -> None:
    one, two = await shop.invoice(), await shop.invoice()
    from workflows import changes  # noqa: PLC0415 - the use case has no command of its own

    given = [{"parent": each.id, **line("Soap", "2")} for each in (one, two, one)]
    await write(shop.stage.tenant, shop.seller, lambda unit: changes.create_many(unit, "line", given))
    now = [await shop.get("invoice", each.id) for each in (one, two)]

    assert [(each["total"], each.version) for each in now] == [(Decimal("4.00"), 2), (Decimal("2.00"), 2)]


async def test_the_story_of_an_invoice_tells_of_its_lines(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)
    await shop.update(made, [{"id": soap.id, "quantity": 3}, line("Gold", "900")])
    await commands.delete(shop.stage.tenant, shop.seller, "line", soap.id, None)

    async def story(actor: Actor) -> list[list[tuple[str, str]]]:
        events = await timeline(shop.stage.tenant, actor, "invoice", made.id)
        return [[(each.kind, each.title) for each in event.lines] for event in reversed(events)]

    assert await story(shop.seller) == [[], [("updated", "Soap"), ("created", "Gold")], [("deleted", "Soap")]]
    assert await story(shop.clerk) == [[], [("updated", "Soap")], [("deleted", "Soap")]]


async def test_the_story_shows_of_a_line_what_its_reader_may_see(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)
    await commands.update(shop.stage.tenant, SYSTEM, "line", soap.id, None, {"cost": "1", "quantity": 2})

    async def changes(actor: Actor) -> dict[str, tuple[Any, bool]]:
        events = await timeline(shop.stage.tenant, actor, "invoice", made.id)
        return {each.field: (each.after, each.hidden) for each in events[0].lines[0].changes}

    assert (await changes(shop.reader))["cost"] == (Decimal("1.00"), False)
    assert (await changes(shop.seller))["cost"] == (None, True)
    assert (await changes(shop.seller))["quantity"] == (2, False)


MAILS = """
template: bill
channel: email
about: invoice
subject: {fr: Facture, en: Invoice}
body:
  fr: "{% for l in record.lines %}{{ l.text }} {{ l.cost | default('?') }} {{ l.product.name }}; {% endfor %}"
  en: "{% for l in record.lines %}{{ l.text }} {{ l.cost | default('?') }} {{ l.product.name }}; {% endfor %}"
---
automation: billing
when: {moved: sending.send}
do: [{email: {template: bill, to: =record.owner}}]
"""


async def test_a_mail_goes_through_the_lines_that_its_reader_sees(make_stage: MakeStage) -> None:
    stage = await make_stage({**BILLING, "mails.yaml": MAILS})
    seller = await stage.person("Seller", "seller")
    shop = Shop(stage, seller, seller, seller)
    soap = await commands.create(stage.tenant, SYSTEM, "product", {"name": "Savon"})
    made = await shop.invoice(line("Soap", "2.50", cost="1", product=soap.id), by=SYSTEM, owner=seller.id)

    await commands.move(stage.tenant, seller, "invoice", made.id, "send")
    stage.clock.forward(timedelta(minutes=11))
    await stage.worker.run_due()

    (letter,) = stage.mailbox.letters
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Soap ? Savon;" in body.get_content()
