"""Notes on records."""

from __future__ import annotations

from models.errors import InvalidError
from models.message import say
from models.refusals import refusal
from workflows import history
from workflows.unit import Unit

LONGEST = 20_000


async def note(unit: Unit, entity: str, record: str, text: str) -> str:
    """Write a note; see `commands.note`."""
    found = await unit.records.get(entity, record)
    if "update" not in found.may:
        raise refusal(unit.records.rights, entity, "update")
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidError({"text": say("This is needed.")})
    if len(text) > LONGEST:
        raise InvalidError({"text": say("At most {count} characters.", count=LONGEST)})
    row = await history.keep(unit, "note", entity, found.id, text=text)
    await history.touch(unit, entity, found.id)
    return row
