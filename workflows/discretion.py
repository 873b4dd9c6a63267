"""Mails about a record, for who may not see all of that record: a text that shows what is hidden is hidden itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.errors import NotFoundError
from models.record import Record
from workflows.reading import Path, Reader
from workflows.unit import Unit

TEXTS = {"subject": "", "html": "", "text": "", "attached": None}
ADDRESSES = {"recipient": "", "cc": "[]", "error": None}


async def discreet(unit: Unit, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `_mail` without what its reader may not see of the record; own mails are as they were sent.

    What the template reads is asked of the template as it is today.
    """
    if row["recipient_member"] is not None and row["recipient_member"] == unit.actor.id:
        return row
    try:
        record = await unit.records.get(row["entity"] or "", row["record"] or "")
    except NotFoundError:  # the record is no more: whoever may read all of its kind sees what hides nothing
        return {**row, **TEXTS, **ADDRESSES} if _hides(unit, row["entity"]) else row
    hidden: dict[str, Any] = {}
    if await tells(unit, record, row["template"]):
        hidden |= TEXTS
    if row["recipient"] in [record.full.get(name) for name in record.hidden]:  # references have no hash
        hidden |= ADDRESSES
    return {**row, **hidden}


def _hides(unit: Unit, entity: str | None) -> bool:
    """Whether the actor sees less than all of some records of an entity."""
    if entity is None or entity not in unit.network.entities:
        return False
    sight = unit.records.sight(entity)
    return any(map(sight.hides, sight.names))


async def tells(unit: Unit, record: Record, template: str) -> bool:
    """Whether the template shows something that is hidden from the actor."""
    found = unit.network.templates.get(template)
    if found is None:
        return bool(record.hidden)
    of_record = {path[1:] for path in found.reads if path[0] == "record" and len(path) > 1}
    if any(path[0] in record.hidden for path in of_record):
        return True
    of_owner = {("owner", *path[1:]) for path in found.reads if path[0] == "member" and len(path) > 1}
    return await _differ(unit, record, [path for path in of_record if len(path) > 1], of_owner)


async def _differ(unit: Unit, record: Record, paths: Iterable[Path], of_owner: Iterable[Path]) -> bool:
    """Whether the actor sees something else than there is behind the references of the record."""
    reader, everyone = Reader(unit, unit.actor), Reader(unit, None)
    deep = tuple(paths)
    if deep:
        seen, full = await reader.values(record, deep), await everyone.values(record, deep)
        if any(_at(seen, path) != _at(full, path) for path in deep):
            return True
    owner = record.full.get("owner")
    names = {path[1] for path in of_owner}
    if owner is None or not names:
        return False
    shown, known = await reader.member(owner["id"]) or {}, await everyone.member(owner["id"]) or {}
    return any(shown.get(name) != known.get(name) for name in names)


def _at(values: Any, path: Path) -> Any:
    for name in path:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values
