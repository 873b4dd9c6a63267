"""Lines: records that are edited inside another, counted by it, seen with it, and gone with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.expr import Expression, RecordOf, Scope, compile_expression
from definitions.problems import NOWHERE
from models.actor import SYSTEM, Actor
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from models.query import Filter, Query
from models.record import Record
from tests.billing import BILLING
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.timeline import timeline
from workflows.unit import read, write

pytestmark = pytest.mark.anyio


@dataclass
class Shop:
    """The network that writes invoices, with who sells and who looks."""

    stage: Stage
    seller: Actor
    clerk: Actor
    reader: Actor

    async def invoice(self, *lines: Mapping[str, Any], by: Actor | None = None, **values: Any) -> Record:
        """Write an invoice with lines."""
        given = {"customer": "Rose", "lines": list(lines), **values}
        return await commands.create(self.stage.tenant, by or self.seller, "invoice", given)

    async def update(self, invoice: Record, lines: Sequence[Mapping[str, Any]], by: Actor | None = None) -> Record:
        """Write the lines of an invoice anew."""
        now = await self.get("invoice", invoice.id)
        change = await commands.update(
            self.stage.tenant, by or self.seller, "invoice", invoice.id, now.version, {"lines": lines}
        )
        return change.after

    async def get(self, entity: str, identifier: str, by: Actor = SYSTEM) -> Record:
        """Return a record as it is now."""
        return await read(self.stage.tenant, by, lambda unit: unit.records.get(entity, identifier))

    async def lines(self, invoice: Record, by: Actor = SYSTEM) -> Sequence[Record]:
        """Return the lines of an invoice that somebody sees."""
        found = await read(self.stage.tenant, by, lambda unit: unit.records.lines(invoice))
        return found["lines"]

    async def told(self, invoice: Record) -> list[tuple[Any, ...]]:
        """Return the lines as somebody reads them."""
        return [(line["text"], line["amount"]) for line in await self.lines(invoice)]


@pytest.fixture
async def shop(make_stage: MakeStage) -> Shop:
    stage = await make_stage(BILLING)
    people = [await stage.person(name.title(), name) for name in ("seller", "clerk", "reader")]
    return Shop(stage, *people)


def line(text: str, price: str, quantity: int = 1, **values: Any) -> dict[str, Any]:
    return {"text": text, "price": price, "quantity": quantity, **values}


async def test_an_invoice_is_written_with_its_lines_and_counts_them(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50", 4), line("Comb", "5"))

    assert (made["total"], made["number"], made.version) == (Decimal("15.00"), 2, 1)
    assert await shop.told(made) == [("Soap", Decimal("10.00")), ("Comb", Decimal("5.00"))]


async def test_an_invoice_without_lines_counts_none(shop: Shop) -> None:
    made = await commands.create(shop.stage.tenant, shop.seller, "invoice", {"customer": "Rose"})

    assert (made["total"], made["number"], made["large"]) == (Decimal(0), 0, False)


async def test_one_list_adds_changes_sorts_and_removes_lines(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50", 4), line("Comb", "5"), line("Tray", "7"))
    soap, comb, tray = await shop.lines(made)

    after = await shop.update(made, [{"id": tray.id}, line("Vase", "1"), {"id": soap.id, "quantity": 2}])

    assert [text for text, _ in await shop.told(made)] == ["Tray", "Vase", "Soap"]
    assert after["total"] == Decimal("13.00")
    assert after.version == 2
    with pytest.raises(NotFoundError):
        await shop.get("line", comb.id)


async def test_a_line_that_is_written_by_itself_takes_its_invoice_along(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)
    tenant, seller = shop.stage.tenant, shop.seller

    added = await commands.create(tenant, seller, "line", {"parent": made.id, **line("Comb", "5")})
    two = await shop.get("invoice", made.id)
    await commands.update(tenant, seller, "line", soap.id, soap.version, {"quantity": 10})
    three = await shop.get("invoice", made.id)
    await commands.delete(tenant, seller, "line", added.id, None)
    four = await shop.get("invoice", made.id)

    assert [(each["total"], each.version) for each in (two, three, four)] == [
        (Decimal("7.50"), 2),
        (Decimal("30.00"), 3),
        (Decimal("25.00"), 4),
    ]
    assert [text for text, _ in await shop.told(made)] == ["Soap"]


async def test_moves_of_a_line_and_their_undoing_are_counted_too(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)

    moved = await commands.move(shop.stage.tenant, shop.seller, "line", soap.id, "deliver")
    delivered = await shop.get("invoice", made.id)
    await commands.undo(shop.stage.tenant, shop.seller, moved.history)
    back = await shop.get("invoice", made.id)

    assert (delivered["total"], back["total"]) == (Decimal("5.00"), Decimal("2.50"))
    assert (delivered.version, back.version) == (2, 3)


async def test_a_guard_looks_at_the_lines(shop: Shop) -> None:
    empty = await shop.invoice()
    full = await shop.invoice(line("Soap", "2.50"))

    with pytest.raises(RefusedError):
        await commands.move(shop.stage.tenant, shop.seller, "invoice", empty.id, "send")
    moved = await commands.move(shop.stage.tenant, shop.seller, "invoice", full.id, "send")

    assert moved.record is not None
    assert moved.record["sending"] == "sent"


async def test_what_is_wrong_with_lines_is_told_by_their_places_with_what_is_wrong_above(shop: Shop) -> None:
    with pytest.raises(InvalidError) as caught:
        await shop.invoice(line("Soap", "2.50"), {"text": "", "price": "x", "quantity": 0}, customer="")
    with pytest.raises(InvalidError) as below:
        await shop.invoice(line("Soap", "2.50", code="A"), line("Comb", "1", code="A"), {"text": "Tray"})

    assert set(caught.value.fields) == {"customer", "lines.1.text", "lines.1.price", "lines.1.quantity"}
    assert set(below.value.fields) == {"lines.1.code", "lines.2.price"}


async def test_nothing_is_written_when_one_line_is_wrong(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)

    with pytest.raises(InvalidError) as caught:
        await shop.update(made, [{"id": soap.id, "quantity": 7}, {"text": "Comb"}, {"id": "nobody", "text": "Vase"}])

    assert set(caught.value.fields) == {"lines.1.price", "lines.2.id"}
    assert await shop.told(made) == [("Soap", Decimal("2.50"))]
    assert (await shop.get("invoice", made.id)).version == 1


@pytest.mark.parametrize("lines", ["Soap", {"text": "Soap"}, ["Soap"], [line("Soap", "1")] * 1001])
async def test_what_is_no_list_of_lines_is_refused(shop: Shop, lines: Any) -> None:
    with pytest.raises(InvalidError) as caught:
        await commands.create(shop.stage.tenant, shop.seller, "invoice", {"customer": "Rose", "lines": lines})

    assert set(caught.value.fields) == {"lines"}


async def test_a_line_needs_a_parent_that_its_author_sees_and_stays_there(shop: Shop) -> None:
    mine, other = await shop.invoice(line("Soap", "2.50")), await shop.invoice(by=SYSTEM)
    tenant, seller = shop.stage.tenant, shop.seller
    (soap,) = await shop.lines(mine)

    for parent in (None, "nowhere", other.id):
        with pytest.raises(InvalidError) as caught:
            await commands.create(tenant, seller, "line", {"parent": parent, **line("Comb", "5")})
        assert set(caught.value.fields) == {"parent"}
    again = await commands.update(tenant, seller, "line", soap.id, None, {"parent": mine.id, "text": "Wax"})
    with pytest.raises(InvalidError):
        await commands.update(tenant, SYSTEM, "line", soap.id, None, {"parent": other.id})

    assert again.after["text"] == "Wax"


async def test_the_rules_of_the_invoice_are_those_of_its_lines(shop: Shop) -> None:
    mine = await shop.invoice(line("Soap", "2.50"))
    other = await shop.invoice(line("Comb", "1"), by=SYSTEM)
    tenant, seller, reader = shop.stage.tenant, shop.seller, shop.reader
    (soap,) = await shop.lines(mine)

    seen = await read(tenant, seller, lambda unit: unit.records.list("line"))
    assert [each.id for each in seen.records] == [soap.id]
    assert [each["text"] for each in await shop.lines(other, reader)] == ["Comb"]
    with pytest.raises(RefusedError):
        await commands.update(tenant, reader, "line", soap.id, None, {"text": "Wax"})
    with pytest.raises(RefusedError):
        await commands.create(tenant, reader, "line", {"parent": mine.id, **line("Tray", "1")})

    await commands.update(tenant, SYSTEM, "invoice", mine.id, None, {"closed": True})
    with pytest.raises(RefusedError):
        await commands.delete(tenant, seller, "line", soap.id, None)
    with pytest.raises(RefusedError):
        await commands.create(tenant, seller, "line", {"parent": mine.id, **line("Tray", "1")})


async def test_rules_of_lines_only_narrow_those_of_the_invoice(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"), line("Gold", "900"))
    soap, gold = await shop.lines(made)
    tenant, clerk = shop.stage.tenant, shop.clerk

    assert [each.id for each in await shop.lines(made, clerk)] == [soap.id]
    assert (await shop.lines(made, shop.seller))[0].hidden == {"cost"}
    with pytest.raises(RefusedError):
        await commands.delete(tenant, clerk, "line", soap.id, None)
    with pytest.raises(RefusedError):
        await shop.update(made, [{"id": soap.id}, line("Comb", "1")], clerk)
    with pytest.raises(RefusedError):
        await shop.update(made, [], clerk)

    # A line that the clerk does not see is neither changed nor removed by the lists that it sends.
    await shop.update(made, [{"id": soap.id, "text": "Wax"}], clerk)
    assert [each["text"] for each in await shop.lines(made)] == ["Wax", "Gold"]
    with pytest.raises(InvalidError):
        await shop.update(made, [{"id": soap.id}, {"id": gold.id, "text": "Lead"}], clerk)


async def test_fields_of_lines_that_may_not_be_written_are_refused_when_they_differ(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)

    with pytest.raises(InvalidError) as new:
        await shop.invoice(line("Soap", "2.50", cost="1"))
    with pytest.raises(InvalidError) as changed:
        await shop.update(made, [{"id": soap.id, "cost": "1"}])
    await shop.update(made, [{"id": soap.id, "cost": None, "text": "Wax"}])

    assert set(new.value.fields) == set(changed.value.fields) == {"lines.0.cost"}


async def test_who_may_create_an_invoice_and_not_change_it_creates_it_with_its_lines(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"), closed=True)

    assert made["number"] == 1
    with pytest.raises(RefusedError):
        await shop.update(made, [])


async def test_an_invoice_goes_with_its_lines_and_their_history_stays(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50", remarks=[{"text": "Soft"}]))
    (soap,) = await shop.lines(made)

    await commands.delete(shop.stage.tenant, shop.seller, "invoice", made.id, None)

    gone = await shop.stage.rows("_history", "entity", where="\"kind\" = 'deleted'")
    assert sorted(gone) == [("invoice",), ("line",), ("remark",)]
    with pytest.raises(NotFoundError):
        await shop.get("line", soap.id)


async def test_an_invoice_stays_while_something_refers_to_one_of_its_lines(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)
    tenant, seller = shop.stage.tenant, shop.seller
    claim = await commands.create(tenant, seller, "claim", {"text": "Broken", "line": soap.id})

    for entity, identifier in (("invoice", made.id), ("line", soap.id)):
        with pytest.raises(RefusedError):
            await commands.delete(tenant, seller, entity, identifier, None)
    with pytest.raises(RefusedError):
        await shop.update(made, [])
    await commands.delete(tenant, seller, "claim", claim.id, None)
    await commands.delete(tenant, seller, "invoice", made.id, None)


async def test_lines_of_lines_are_written_and_counted_the_same_way(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50", remarks=[{"text": "Soft"}, {"text": "Blue"}]))
    (soap,) = await shop.lines(made)

    async def remarks() -> list[str]:
        found = await read(shop.stage.tenant, shop.seller, lambda unit: unit.records.lines(soap))
        return [each["text"] for each in found["remarks"]]

    assert await remarks() == ["Soft", "Blue"]
    await shop.update(made, [{"id": soap.id, "remarks": [{"text": "Hard"}]}])
    assert await remarks() == ["Hard"]
    version = (await shop.get("invoice", made.id)).version
    await commands.create(shop.stage.tenant, shop.seller, "remark", {"parent": soap.id, "text": "Round"})
    assert (await shop.get("invoice", made.id)).version == version + 1
    with pytest.raises(InvalidError) as caught:
        await shop.update(made, [{"id": soap.id, "remarks": [{"text": ""}]}])
    assert set(caught.value.fields) == {"lines.0.remarks.0.text"}


async def test_two_who_write_lines_from_the_same_version_do_not_overwrite_each_other(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"))
    (soap,) = await shop.lines(made)
    await commands.update(shop.stage.tenant, shop.seller, "line", soap.id, None, {"quantity": 3})

    with pytest.raises(ConflictError):
        await commands.update(shop.stage.tenant, shop.seller, "invoice", made.id, made.version, {"lines": []})


def _condition(shop: Shop, text: str, entity: str = "invoice") -> Expression:
    network = shop.stage.tenant.published.network
    known = network.processes["sending"].transitions["send"].guard
    assert known is not None
    scope = Scope({"record": RecordOf(entity)}, known.typing.scope.records)
    return compile_expression(text, NOWHERE, scope, query=True)


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
    condition = _condition(shop, text)

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
        query = Query(where=_condition(shop, text))
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
