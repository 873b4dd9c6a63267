"""Definitions of lines that change: what is computed of them follows, and no line is left without its record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from definitions.problems import DefinitionError
from models.actor import SYSTEM
from models.record import Record
from models.tenant import Tenant
from tests.billing import BILLING, NETWORK
from tests.workflows.conftest import MakeStage
from workflows import commands
from workflows.timeline import timeline
from workflows.unit import read

pytestmark = pytest.mark.anyio

TOTAL = '  total:    {type: money, label: Total, compute: "=sum(record.lines, l, l.amount)"}\n'
LARGE = '  large:    {type: boolean, compute: "=record.total > 1000 || record.lines.exists(l, l.quantity > 99)"}\n'
LINES = "parent: invoice\nas: lines\n"


async def _shop(make_stage: MakeStage, *gone: str) -> tuple[Tenant, Record]:
    files = {**BILLING, "network.yaml": _without(*gone)}
    tenant = (await make_stage(files)).tenant
    lines = [{"text": "Soap", "price": "2.50", "quantity": 4}, {"text": "Comb", "price": "5"}]
    return tenant, await commands.create(tenant, SYSTEM, "invoice", {"customer": "Rose", "lines": lines})


def _without(*parts: str) -> str:
    text = NETWORK
    for part in parts:
        assert part in text
        text = text.replace(part, "")
    return text


async def _publish(tenant: Tenant, *edits: tuple[str, str], text: str = NETWORK, allow_loss: bool = False) -> None:
    levels = BILLING["levels.yaml"]
    for old, new in edits:
        assert old in text + levels
        text, levels = text.replace(old, new), levels.replace(old, new)
    await tenant.publish({"network.yaml": text, "levels.yaml": levels}, author=None, allow_loss=allow_loss)


async def _get(tenant: Tenant, entity: str, identifier: str) -> Record:
    return await read(tenant, SYSTEM, lambda unit: unit.records.get(entity, identifier))


async def test_what_is_computed_of_lines_that_were_there_before_is_there_at_once(make_stage: MakeStage) -> None:
    tenant, made = await _shop(make_stage, TOTAL, LARGE)

    await _publish(tenant)

    assert (await _get(tenant, "invoice", made.id))["total"] == Decimal("15.00")


@pytest.mark.parametrize(
    ("edit", "total"),
    [
        (('"=record.price * record.quantity"', '"=record.price * record.quantity * 2"'), "30.00"),
        (("{type: money, required: true,", "{type: money, scale: 0, required: true,"), "17.00"),
        (("as: lines\n", "as: items\n"), "15.00"),
    ],
)
async def test_what_is_computed_of_lines_follows_what_becomes_of_them(
    make_stage: MakeStage, edit: tuple[str, str], total: str
) -> None:
    tenant, made = await _shop(make_stage)
    names = (("record.lines", "record.items"),) if "as:" in edit[0] else ()

    await _publish(tenant, edit, *names, allow_loss=True)

    assert (await _get(tenant, "invoice", made.id))["total"] == Decimal(total)


async def test_lines_and_their_story_stay_where_their_record_is_called_otherwise(make_stage: MakeStage) -> None:
    tenant, made = await _shop(make_stage)
    await commands.update(tenant, SYSTEM, "invoice", made.id, None, {"lines": [{"text": "Vase", "price": "1"}]})
    renamed = (
        ("entity: invoice\n", "entity: bill\nwas: invoice\n"),
        ("entity: line\n", "entity: item\nwas: line\n"),
        (LINES, "parent: bill\nas: items\n"),
        ("parent: line\n", "parent: item\n"),
        ("process: sending\nentity: bill\nwas: invoice", "process: sending\nentity: bill"),
        ("process: delivering\nentity: item\nwas: line", "process: delivering\nentity: item"),
        ("record.lines", "record.items"),
        ("to: line,", "to: item,"),
        ("  invoice:", "  bill:"),
        ("  line: ", "  item: "),
        ("  item: {type: reference", "  line: {type: reference"),
    )

    await _publish(tenant, *renamed)

    found = await read(tenant, SYSTEM, lambda unit: _lines(unit, made.id))
    events = await timeline(tenant, SYSTEM, "bill", made.id)
    assert found == {"items": ["Vase"]}
    assert [(line.kind, line.title) for line in events[0].lines] == [
        ("deleted", "Soap"),
        ("deleted", "Comb"),
        ("created", "Vase"),
    ]
    assert (await commands.update(tenant, SYSTEM, "bill", made.id, None, {"items": []})).after["total"] == 0


async def _lines(unit: Any, identifier: str) -> dict[str, list[str]]:
    found = await unit.records.lines(await unit.records.get("bill", identifier))
    return {name: [each["text"] for each in lines] for name, lines in found.items()}


async def test_records_do_not_become_lines_of_nothing(make_stage: MakeStage) -> None:
    tenant, _ = await _shop(make_stage)
    claim = ("entity: claim\n", "entity: claim\nparent: invoice\nas: claims\n")
    made = await commands.create(tenant, SYSTEM, "claim", {"text": "Broken"})

    with pytest.raises(DefinitionError) as caught:
        await _publish(tenant, claim, allow_loss=True)
    assert [problem.code for problem in caught.value.problems] == ["plan.parent"]

    await commands.delete(tenant, SYSTEM, "claim", made.id, None)
    await _publish(tenant, claim)
    with pytest.raises(DefinitionError) as elsewhere:
        await _publish(tenant, claim, (LINES, "parent: product\nas: lines\n"), text=_plain())
    assert "plan.parent" in {problem.code for problem in elsewhere.value.problems}


def _plain() -> str:
    return _without(
        TOTAL, LARGE, ', guard: "record.lines.exists(l, l.amount > 0)"', ', compute: "=count(record.lines)"'
    )


async def test_lines_that_are_no_lines_any_more_lose_their_record_when_that_is_meant(make_stage: MakeStage) -> None:
    tenant, made = await _shop(make_stage)
    (soap, _) = (await read(tenant, SYSTEM, lambda unit: unit.records.lines(made)))["lines"]
    edits = ((LINES, ""), (", unique: [parent]", ""))
    levels = ("  line:    {fields", "  line:    {read: all, fields")

    with pytest.raises(DefinitionError) as caught:
        await _publish(tenant, *edits, levels, text=_plain())
    assert [problem.code for problem in caught.value.problems] == ["plan.loses_values"]

    await _publish(tenant, *edits, levels, text=_plain(), allow_loss=True)
    alone = await _get(tenant, "line", soap.id)
    assert alone["text"] == "Soap"
    assert "parent" not in alone.values
