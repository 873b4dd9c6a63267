"""Lines in the back office: a table of their own, each with the record that it is a line of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.office import Office, office_of
from tests.admin.piccolo.test_writing import desk
from tests.billing import FOR_OFFICE
from tests.homes import Homes
from workflows import commands
from workflows.unit import read

pytestmark = pytest.mark.anyio
LINES = f"back-office/api/tables/{quote('Line')}/"


@pytest.fixture
async def shop(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the network that writes invoices."""
    async with office_of(homes, clock, FOR_OFFICE) as opened:
        yield opened


def _sent(form: dict[str, Any]) -> dict[str, Any]:
    """Return what the page sends of a form."""
    return {name: value for name, value in form.items() if not name.endswith("_readable")}


async def test_a_line_is_added_changed_and_kept_where_it_is(shop: Office) -> None:
    lines = [{"text": "Soap", "price": "2.50"}]
    made, other = [
        await commands.create(shop.tenant, SYSTEM, "invoice", {"customer": name, "lines": lines})
        for name in ("Rose", "Iris")
    ]
    async with desk(shop) as at:
        rows = (await at.send("GET", f"{LINES}?__readable=true")).json()["rows"]
        begun = _sent((await at.send("GET", f"{LINES}new/")).json())
        added = await at.send("POST", LINES, {**begun, "text": "Comb", "price": "5", "parent": made.id})
        (comb,) = [each for each in (await at.send("GET", LINES)).json()["rows"] if each["text"] == "Comb"]
        form = _sent((await at.send("GET", f"{LINES}{comb['id']}/")).json())
        changed = await at.send("PATCH", f"{LINES}{comb['id']}/", {**form, "quantity": "3"})
        moved = await at.send("PATCH", f"{LINES}{comb['id']}/", {"parent": other.id})

    now = await read(shop.tenant, SYSTEM, lambda unit: unit.records.get("invoice", made.id))
    assert {row["parent_readable"] for row in rows} == {"Rose", "Iris"}
    assert (added.status_code, changed.status_code, moved.status_code) == (201, 200, 422)
    assert str(now["total"]) == "17.50"
