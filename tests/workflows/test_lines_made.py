"""An automation writes lines: what they are lines of is said, and follows them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from definitions.pack import load
from tests.billing import BILLING
from tests.workflows.conftest import MakeStage
from tests.workflows.shop import line, open_shop
from workflows import commands

pytestmark = pytest.mark.anyio

FEE = """
automation: fee
label: Fee
when: {entered: sending.sent}
do:
  - create: {entity: line, values: {parent: =record, text: Fee, price: 2.50}}
  - for_each: {in: =record.lines, as: item}
    do:
      - create: {entity: remark, values: {parent: =item, text: "=item.text"}}
"""
NOBODYS = FEE.replace("parent: =record, ", "")
FOREIGN = FEE.replace("parent: =record, ", "parent: =record.owner, ")


async def test_lines_that_an_automation_makes_are_counted_by_what_they_are_lines_of(make_stage: MakeStage) -> None:
    shop = await open_shop(make_stage, {**BILLING, "fee.yaml": FEE})
    made = await shop.invoice(line("Soap", "4"))
    await commands.move(shop.stage.tenant, shop.seller, "invoice", made.id, "send")
    await shop.stage.worker.run_due()

    assert await shop.told(made) == [("Soap", Decimal("4.00")), ("Fee", Decimal("2.50"))]
    assert (await shop.get("invoice", made.id))["total"] == Decimal("6.50")
    remarks = await shop.stage.rows("remark", "text")
    assert sorted(text for (text,) in remarks) == ["Fee", "Soap"]


@pytest.mark.parametrize(
    ("text", "code"),
    [(NOBODYS, "automation.required_field"), (FOREIGN, "expression.type")],
    ids=["nobody's", "foreign"],
)
def test_a_line_is_a_line_of_what_its_entity_says(text: str, code: str) -> None:
    assert [problem.code for problem in load({**BILLING, "fee.yaml": text}).errors] == [code]
