"""Whether an address that a message went to stands where its reader may not see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from models.errors import NotFoundError
from models.record import Record
from models.references import target
from workflows.unit import Unit

TYPES = frozenset({"email", "phone"})
FAR = 2
"""So many references are followed from the record: further away no step's `to` is looked for."""


async def hidden(unit: Unit, record: Record, addresses: Collection[str]) -> bool:
    """Whether one of the addresses is hidden in the record, or in what it refers to, and stands nowhere in sight."""
    wanted = {each for each in addresses if each}
    shown, concealed = _of(record.values, wanted), _of(record.full, wanted)
    for entity, identifier in await _around(unit, record) if wanted - shown else ():
        full = await unit.records.system.loader.load(entity, identifier)
        there = _of(full or {}, wanted)
        if there - shown:
            concealed |= there
            shown |= there & _of(await _seen(unit, entity, identifier), wanted)
    return bool(concealed - shown)


def _of(values: Mapping[str, Any], wanted: Collection[str]) -> set[str]:
    return {value for value in values.values() if isinstance(value, str) and value in wanted}


async def _seen(unit: Unit, entity: str, identifier: str) -> Mapping[str, Any]:
    """Return what the actor sees of a record, nothing where it may not read it."""
    try:
        return (await unit.records.find(entity, identifier)).values
    except NotFoundError:
        return {}


async def _around(unit: Unit, record: Record) -> list[tuple[str, str]]:
    """Return the records that a record refers to, and those that these refer to, of kinds that have addresses."""
    found: dict[tuple[str, str], None] = {}
    near = [(record.entity, record.full)]
    for _ in range(FAR):
        keys = [key for entity, full in near for key in _referred(unit, entity, full) if key not in found]
        found |= dict.fromkeys(keys)
        loaded = [(entity, await unit.records.system.loader.load(entity, identifier)) for entity, identifier in keys]
        near = [(entity, full) for entity, full in loaded if full is not None]
    fields = unit.network.entities
    return [key for key in found if any(field.type in TYPES for field in fields[key[0]].fields.values())]


def _referred(unit: Unit, entity: str, full: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    definition = unit.network.entities[entity]
    for name, value in full.items():
        to = target(definition, name) if isinstance(value, Mapping) else None
        if to is not None and value.get("id"):
            yield to, value["id"]
