"""Records that are like a new one, by the groups of fields that the entity names in `duplicates:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from definitions.spec.entity import Field
from models.connections import fold
from models.query import Filter, Query
from models.record import Record
from models.records import Records
from models.validation import all_fields, clean

SHOWN = 5
"""So many are enough to look at."""
CLOSE = 50
"""Records with a part of the text that are compared, at most."""
_TEXTS = frozenset({"text", "long_text"})


async def duplicates(records: Records, entity: str, values: Mapping[str, Any]) -> list[Record]:
    """Return the records that agree with the values (of memory, or of a form) in every field of one of the groups.

    Texts agree without case and accents. Only what the actor may read is found, by the fields that it may see there.
    """
    definition = records.network.entities[entity]
    cleaned = clean(records.network, definition, values, {}).values
    fields = all_fields(definition)
    found: dict[str, Record] = {}
    for group in definition.duplicates:
        wanted = {name: cleaned.get(name) for name in group}
        if any(value is None or fields[name].encrypted for name, value in wanted.items()):
            continue
        filters = tuple(_filter(fields[name], value) for name, value in wanted.items())
        page = await records.list(entity, Query(filters=filters, limit=CLOSE))
        found |= {record.id: record for record in page.records if _agrees(record, fields, wanted)}
    return list(found.values())[:SHOWN]


def _filter(field: Field, value: Any) -> Filter:
    if field.type in _TEXTS:
        return Filter(field.name, "contains", value)
    return Filter(field.name, "equals", value["id"] if isinstance(value, Mapping) else value)


def _agrees(record: Record, fields: Mapping[str, Field], wanted: Mapping[str, Any]) -> bool:
    texts = (name for name in wanted if fields[name].type in _TEXTS)
    return all(fold(str(record.values[name] or "")) == fold(str(wanted[name])) for name in texts)
