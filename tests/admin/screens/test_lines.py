"""Lines on screens: written with their record and in its page, shown there, and told in its story."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from html import unescape
from typing import Any

import httpx
import pytest

from models.clock import SetClock
from models.record import Record
from tests.admin.office import ALICE, CAMILLE, Office, Visitor, office_of, token
from tests.admin.screens.leads import actor, text_of, value
from tests.billing import FOR_OFFICE
from tests.homes import Homes
from workflows import commands
from workflows.unit import read

pytestmark = pytest.mark.anyio
NEW = "e/invoice/new"


@pytest.fixture
async def shop(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the network that writes invoices."""
    async with office_of(homes, clock, FOR_OFFICE) as opened:
        yield opened


async def _invoice(shop: Office, *lines: Mapping[str, Any]) -> Record:
    given = {"customer": "Rose", "lines": list(lines)}
    return await commands.create(shop.tenant, await actor(shop, CAMILLE), "invoice", given)


async def _lines(shop: Office, invoice: str) -> list[tuple[str, str]]:
    async def work(unit: Any) -> list[tuple[str, str]]:
        found = await unit.records.lines(await unit.records.get("invoice", invoice))
        return [(line["text"], str(line["amount"])) for line in found["lines"]]

    return await read(shop.tenant, await actor(shop, CAMILLE), work)


def _form(rows: Sequence[Mapping[str, str]], **values: str) -> dict[str, list[str]]:
    """Return a form with rows of lines as a browser sends them, the marker that there are rows first."""
    found = {name: [text] for name, text in values.items()}
    found["lines"] = ["", *(f"r{index}" for index, _ in enumerate(rows))]
    for index, row in enumerate(rows):
        found |= {f"lines.r{index}.{name}": [text] for name, text in {"id": "", **row}.items()}
    return found


async def _send(visitor: Visitor, path: str, form: Mapping[str, list[str]], **headers: str) -> httpx.Response:
    page = await visitor.get(path)
    data = {"_csrf": [token(page.text)], **form}
    return await visitor.http.post(f"/n/small/{path}", data=data, headers=headers)


SOAP = {"text": "Soap", "price": "2,50", "quantity": "4"}
COMB = {"text": "Comb", "price": "5", "quantity": "1"}


async def test_an_invoice_is_added_with_its_lines(shop: Office) -> None:
    async with shop.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(NEW)).text
        answer = await _send(visitor, NEW, _form([SOAP, {"quantity": "1"}, COMB], customer="Rose", token="t"))
        shown = text_of((await visitor.get(answer.headers["location"])).text)

    assert 'name="lines.new.price"' in page
    assert 'name="lines.new.cost"' not in page
    assert answer.status_code == 303
    assert await _lines(shop, answer.headers["location"].rpartition("/")[2]) == [("Soap", "10.00"), ("Comb", "5.00")]
    assert "Lines 2" in shown
    assert "Soap Open 4 €2.50 €10 " in shown


async def test_lines_are_changed_sorted_added_and_removed_where_they_stand(shop: Office) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50"}, {"text": "Comb", "price": "5"})
    path = f"e/invoice/{made.id}/lines/lines"
    async with shop.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(path)).text
        soap, comb = re.findall(r'name="lines\.\d\.id" value="([^"]+)"', page)
        rows = [{"text": "Tray", "price": "1", "quantity": "3"}, {**COMB, "id": comb, "price": "6"}]
        answer = await _send(visitor, path, _form(rows, version="1"))

    assert value(page, "lines.0.text") == "Soap"
    assert answer.headers["location"] == f"/n/small/e/invoice/{made.id}"
    assert await _lines(shop, made.id) == [("Tray", "3.00"), ("Comb", "6.00")]
    assert soap not in (await _send_back(shop, path)).text


async def _send_back(shop: Office, path: str) -> httpx.Response:
    async with shop.signed_in(CAMILLE) as visitor:
        return await visitor.get(path)


async def test_a_script_is_sent_to_the_record_after_its_lines_are_saved(shop: Office) -> None:
    made = await _invoice(shop)
    path = f"e/invoice/{made.id}/lines/lines"
    async with shop.signed_in(CAMILLE) as visitor:
        part = await visitor.get(path, hx_request="true")
        answer = await _send(visitor, path, _form([SOAP], version="1"), **{"hx-request": "true"})

    assert part.text.lstrip().startswith("<section")
    assert answer.headers["hx-redirect"] == f"/n/small/e/invoice/{made.id}"
    assert len(await _lines(shop, made.id)) == 1


@pytest.mark.parametrize("where", ["new", "edit", "lines"])
async def test_what_is_wrong_with_a_line_stands_beside_it_and_nothing_is_lost(shop: Office, where: str) -> None:
    made = await _invoice(shop)
    path = {"new": NEW, "edit": f"e/invoice/{made.id}/edit", "lines": f"e/invoice/{made.id}/lines/lines"}[where]
    rows = [SOAP, {"text": "x" * 41, "price": "many", "quantity": "1"}]
    async with shop.signed_in(CAMILLE) as visitor:
        unreadable = await _send(visitor, path, _form(rows, customer="Rose", version="1", token="t"))
        wrong = await _send(
            visitor, path, _form([SOAP, {**rows[1], "price": "1"}], customer="Rose", version="1", token="t")
        )

    assert (unreadable.status_code, wrong.status_code) == (422, 422)
    for answer, name, said in ((unreadable, "price", "Write an amount"), (wrong, "text", "At most 40 characters.")):
        begin = answer.text.index('name="lines.r1.text"')
        assert said in unescape(answer.text[begin:]), name
        assert value(answer.text, "lines.r0.price") == "2,50"
    assert await _lines(shop, made.id) == []


async def test_a_form_that_says_nothing_of_lines_leaves_them(shop: Office) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50"})
    async with shop.signed_in(CAMILLE) as visitor:
        answer = await visitor.post(f"e/invoice/{made.id}/edit", {"customer": "Iris"}, on=f"e/invoice/{made.id}/edit")

    assert answer.status_code == 303
    assert await _lines(shop, made.id) == [("Soap", "2.50")]


@pytest.mark.parametrize("where", ["edit", "lines"])
async def test_who_was_too_late_sees_the_lines_of_both(shop: Office, where: str) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50"}, {"text": "Comb", "price": "5"})
    path = f"e/invoice/{made.id}/{'edit' if where == 'edit' else 'lines/lines'}"
    async with shop.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(path)).text
        soap, comb = re.findall(r'name="lines\.\d\.id" value="([^"]+)"', page)
        late = [{"id": comb, "text": "Comb", "price": "5"}, {"text": "Vase", "price": "1"}]
        await commands.update(shop.tenant, await actor(shop, CAMILLE), "invoice", made.id, 1, {"lines": late})
        rows = [{**SOAP, "id": soap}, {**COMB, "id": comb, "text": "Brush"}]
        answer = await _send(visitor, path, _form(rows, customer="Rose", base="{}", version="1"))

    shown = re.findall(r'name="lines\.\w+\.text"[^>]*value="([^"]*)"', answer.text.partition("data-spare")[0])
    assert shown == ["Soap", "Brush", "Vase"]
    ids = re.findall(r'name="lines\.(?!new|spare)\w+\.id" value="([^"]*)"', answer.text)
    assert (ids[0], ids[1], len(ids[2])) == ("", comb, 36)
    assert len(await _lines(shop, made.id)) == 2


async def test_who_may_not_write_lines_only_reads_them(shop: Office) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50"}, {"text": "Gold", "price": "900"})
    await commands.update(shop.tenant, await actor(shop, CAMILLE), "invoice", made.id, 1, {"closed": False})
    async with shop.signed_in(ALICE) as visitor:
        page = text_of((await visitor.get(f"e/invoice/{made.id}")).text)
        form = (await visitor.get(f"e/invoice/{made.id}/lines/lines")).text
        nothing = await visitor.get(f"e/invoice/{made.id}/lines/nothing")

    assert "Soap" in page
    assert "Gold" not in page
    assert "data-add hidden" not in form
    assert "data-remove hidden" not in form.partition("<template>")[0]
    assert nothing.status_code == 404


async def test_a_line_has_a_page_that_leads_to_its_invoice_and_back(shop: Office) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50", "remarks": [{"text": "Soft"}]})
    async with shop.signed_in(CAMILLE) as visitor:
        page = (await visitor.get(f"e/invoice/{made.id}")).text
        (line,) = set(re.findall(r'href="(/n/small/e/line/[^"/]+)"', page))
        own = (await visitor.get(line)).text
        added = (await visitor.get(f"e/line/new?f.parent={made.id}")).text
        gone = await visitor.post(f"{line}/delete", {"version": "1"}, on=line)
        menu = (await visitor.get()).text

    assert f"/n/small/e/invoice/{made.id}" in own
    assert "Soft" in text_of(own)
    assert f'<option value="{made.id}" selected>Rose</option>' in added
    assert gone.headers["location"] == f"/n/small/e/invoice/{made.id}"
    assert "/n/small/e/line/" not in menu


async def test_the_story_of_an_invoice_tells_what_became_of_its_lines(shop: Office) -> None:
    made = await _invoice(shop, {"text": "Soap", "price": "2.50"})
    who = await actor(shop, CAMILLE)
    async with shop.signed_in(CAMILLE) as visitor:
        await commands.update(shop.tenant, who, "invoice", made.id, 1, {"lines": [{"text": "Comb", "price": "5"}]})
        told = text_of((await visitor.get(f"e/invoice/{made.id}")).text)

    assert "Deleted: Soap" in told
    assert "Added: Comb" in told
