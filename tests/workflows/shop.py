"""The network that writes invoices, lived in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.actor import SYSTEM, Actor
from models.record import Record
from tests.billing import BILLING
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands
from workflows.unit import read


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


async def open_shop(make_stage: MakeStage, files: Mapping[str, str] = BILLING) -> Shop:
    """Return the network of `files`, with its people."""
    stage = await make_stage(files)
    people = [await stage.person(name.title(), name) for name in ("seller", "clerk", "reader")]
    return Shop(stage, *people)


def line(text: str, price: str, quantity: int = 1, **values: Any) -> dict[str, Any]:
    return {"text": text, "price": price, "quantity": quantity, **values}
