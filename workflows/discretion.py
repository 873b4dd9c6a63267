"""Mails about a record, for who may not see all of that record: a text that shows what is hidden is hidden itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.errors import NotFoundError
from models.record import Record
from workflows import addresses
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
        return {**row, **TEXTS, **ADDRESSES} if hides(unit, row["entity"]) else row
    hidden: dict[str, Any] = {}
    if await tells(unit, record, row["template"], run=row["run"], recipient=row["recipient_member"]):
        hidden |= TEXTS
    if await addresses.hidden(unit, record, [row["recipient"], *json.loads(row["cc"] or "[]")]):
        hidden |= ADDRESSES
    return {**row, **hidden}


def hides(unit: Unit, entity: str | None) -> bool:
    """Whether the actor sees less than all of some records of an entity."""
    if entity is None or entity not in unit.network.entities:
        return False
    sight = unit.records.sight(entity)
    return any(map(sight.hides, sight.names))


def openly(unit: Unit) -> bool:
    """Whether the actor may be told all that steps were given and did: who administers, and is hidden nothing."""
    administers = unit.actor.kind == "system" or unit.published.access.administers(unit.actor)
    return administers and not any(hides(unit, name) for name in unit.network.entities)


async def tells(
    unit: Unit, record: Record, template: str, *, run: str | None = None, recipient: str | None = None
) -> bool:
    """Whether the template shows something that is hidden from the actor: of the record, or of a member that it names.

    These are the record's owner, who caused the `run` that it was filled in, and the member that it was sent to.
    """
    found = unit.network.templates.get(template)
    if found is None:
        return bool(record.hidden)
    of_record = {path[1:] for path in found.reads if path[0] == "record" and len(path) > 1}
    if any(path[0] in record.hidden for path in of_record):
        return True
    lines = unit.network.lines(record.entity)
    if await _differ(unit, record, [path for path in of_record if len(path) > 1 or path[0] in lines]):
        return True
    owner = (record.full.get("owner") or {}).get("id")
    for scope, member in (("member", owner), ("actor", await _cause(unit, run)), ("recipient", recipient)):
        names = {path[1] for path in found.reads if path[0] == scope and len(path) > 1}
        if member is not None and names and await _member_differs(unit, member, names):
            return True
    return False


async def _cause(unit: Unit, run: str | None) -> str | None:
    """Return who caused a run."""
    row = await unit.tx.row('SELECT "actor" FROM "_run" WHERE "id" = ?', [run]) if run else None
    return None if row is None else row[0]


async def _differ(unit: Unit, record: Record, deep: Sequence[Path]) -> bool:
    """Whether the actor sees something else than there is behind the references of the record."""
    if not deep:
        return False
    seen = await Reader(unit, unit.actor).values(record, deep)
    full = await Reader(unit, None).values(record, deep)
    return any(_at(seen, path) != _at(full, path) for path in deep)


async def _member_differs(unit: Unit, member: str, names: Iterable[str]) -> bool:
    """Whether the actor sees something else of a member than there is."""
    shown = await Reader(unit, unit.actor).member(member) or {}
    known = await Reader(unit, None).member(member) or {}
    return any(shown.get(name) != known.get(name) for name in names)


def _at(values: Any, path: Path) -> Any:
    """Return what a path leads to; of lines a list of what it leads to in each that is seen."""
    for place, name in enumerate(path):
        if isinstance(values, list):
            return [_at(each, path[place:]) for each in values]
        values = values.get(name) if isinstance(values, Mapping) else None
    return [each.get("id") for each in values if isinstance(each, Mapping)] if isinstance(values, list) else values
