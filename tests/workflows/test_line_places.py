"""Lines of who may add and remove them and change none: the others stand elsewhere then, and stay what they are."""

from __future__ import annotations

import pytest

from models.errors import RefusedError
from tests.billing import BILLING
from tests.workflows.conftest import MakeStage
from tests.workflows.shop import Shop, line, open_shop

pytestmark = pytest.mark.anyio

FIXED = {name: text.replace("line:    {fields:", "line:    {update: none, fields:") for name, text in BILLING.items()}


@pytest.fixture
async def shop(make_stage: MakeStage) -> Shop:
    """A shop whose seller changes no line."""
    return await open_shop(make_stage, FIXED)


async def test_lines_come_and_go_around_those_that_may_not_be_changed(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"), line("Comb", "5"), line("Tray", "7"))
    soap, comb, tray = await shop.lines(made)
    await shop.update(made, [line("Vase", "1"), {"id": soap.id}, {"id": tray.id, "text": "Tray"}])

    after = await shop.lines(made)
    assert [each["text"] for each in after] == ["Vase", "Soap", "Tray"]
    assert [each.version for each in after[1:]] == [soap.version, tray.version]
    assert comb.id not in {each.id for each in after}


async def test_who_may_change_no_line_neither_writes_nor_sorts_them(shop: Shop) -> None:
    made = await shop.invoice(line("Soap", "2.50"), line("Comb", "5"))
    soap, comb = await shop.lines(made)
    for lines in ([{"id": comb.id}, {"id": soap.id}], [{"id": soap.id, "text": "Wax"}, {"id": comb.id}]):
        with pytest.raises(RefusedError):
            await shop.update(made, lines)
    assert [each["text"] for each in await shop.lines(made)] == ["Soap", "Comb"]
