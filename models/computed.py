"""Computed fields: stored, and recomputed with each change of the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from models.values import Locality, ValueRefusedError, convert

if TYPE_CHECKING:
    from models.records import Records


def in_order(entity: Entity) -> Iterator[Field]:
    """Yield the computed fields, each after those that it reads."""
    return _sorted((field for field in entity.fields.values() if field.compute is not None), _reads)


def defaults_in_order(entity: Entity) -> Iterator[Field]:
    """Yield the fields whose defaults read other values of the record, each after those whose defaults it reads."""
    following = (field for field in entity.fields.values() if field.follows)
    return _sorted(following, lambda field: default_reads(entity, field))


def default_reads(entity: Entity, field: Field) -> Set[str]:
    """Return the names of the fields that the default of a field reads, and of those that these are computed from."""
    found: set[str] = set()
    asked = set() if field.default is None else {path[0] for path in field.default.reads("record")}
    while asked:
        found |= asked
        asked = {name for each in asked if each in entity.fields for name in _reads(entity.fields[each])} - found
    return found


def of_lines(network: Network, entity: str) -> frozenset[str]:
    """Return the names of the fields that are computed from the record's lines, by whatever way."""
    definition, lines = network.entities[entity], network.lines(entity)
    found: set[str] = set()
    for field in in_order(definition):
        if _reads(field) & (lines.keys() | found):
            found.add(field.name)
    return frozenset(found)


def _sorted(fields: Iterable[Field], reads: Callable[[Field], Set[str]]) -> Iterator[Field]:
    """Yield the fields, each after those of them that it reads."""
    waiting = {field.name: field for field in fields}
    while waiting:
        ready = [field for field in waiting.values() if not reads(field) & (waiting.keys() - {field.name})]
        for field in ready or list(waiting.values()):
            yield field
            del waiting[field.name]


def _reads(field: Field) -> Set[str]:
    return frozenset() if field.compute is None else {path[0] for path in field.compute.reads("record")}


async def compute(records: Records, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of all computed fields of a record."""
    fields = records.sight(entity.name).computed
    if not fields:
        return {}
    expressions = (field.compute.expression for field in fields if field.compute is not None)
    paths = {path[1:] for expression in expressions if expression is not None for path in expression.reads}
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
