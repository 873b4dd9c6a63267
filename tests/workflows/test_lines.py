"""Lines: records that are edited inside another, counted by it, written by who may, and gone with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from models.actor import SYSTEM
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from tests.workflows.conftest import MakeStage
from tests.workflows.shop import Shop, line, open_shop
from workflows import commands
from workflows.unit import read

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(make_stage: MakeStage) -> Shop:
    return await open_shop(make_stage)


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
