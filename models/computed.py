"""Computed fields: stored, and recomputed with each change of the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity, Field
from models.values import Locality, ValueRefusedError, convert

if TYPE_CHECKING:
    from models.records import Records


def in_order(entity: Entity) -> Iterator[Field]:
    """Yield the computed fields, each after those that it reads."""
    waiting = {name: field for name, field in entity.fields.items() if field.compute is not None}
    while waiting:
        ready = [field for field in waiting.values() if not _reads(field) & (waiting.keys() - {field.name})]
        for field in ready or list(waiting.values()):
            yield field
            del waiting[field.name]


def _reads(field: Field) -> set[str]:
    expression = None if field.compute is None else field.compute.expression
    return set() if expression is None else {path[1] for path in expression.reads if path[0] == "record" and path[1:]}


async def compute(records: Records, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of all computed fields of a record."""
    fields = list(in_order(entity))
    if not fields:
        return {}
    paths = {
        path[1:]
        for field in fields
        if field.compute is not None and field.compute.expression is not None
        for path in field.compute.expression.reads
    }
    record = dict(await records.loader.follow(entity.name, values, paths))
    locality = Locality(records.published.timezone)
    found: dict[str, Any] = {}
    for field in fields:
        if field.compute is None:
            continue
        value = field.compute.compute({"record": record}, records.context)
        try:
            found[field.name] = record[field.name] = convert(field, value, locality)
        except ValueRefusedError:  # what does not fit its field (a number too big) is no value
            found[field.name] = record[field.name] = None
    return found
