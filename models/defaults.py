"""Defaults: the values that a new record has where none were given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from definitions.expr import Expression
from definitions.spec.entity import Entity, Field
from models import computed, entitling
from models.computed import default_reads
from models.rules import Path
from models.sight import Sight

if TYPE_CHECKING:
    from models.records import Records


async def defaults(
    records: Records, sight: Sight, given: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the defaults of the fields that were not given at all; a field that was left empty stays empty.

    `values` is what the record has beside what was given: who owns it, its states.
    """
    found = {name: value for name, value in sight.defaults.items() if name not in given}
    missing = [field for field in sight.computed_defaults if field.name not in given]
    if missing:
        names = await records.names_for(*_expressions(missing))
        made = {field.name: field.default.compute(names, records.context) for field in missing if field.default}
        found |= sight.declared.clean(made, given).values
    for field in sight.following_defaults:
        if field.name not in given:
            found |= await _following(records, sight, field, {**values, **found, **given})
    return found


async def _following(records: Records, sight: Sight, field: Field, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the default of a field that reads other values of the record, which are there by now."""
    if field.default is None:
        return {}
    entity = sight.entity
    if any((each := entity.fields.get(name)) and each.compute for name in default_reads(entity, field)):
        values = {**values, **await computed.compute(records, entity, values)}
    names = await records.names_for(*_expressions([field]))
    names["record"] = await _followed(records, entity, values, field.default.reads("record"))
    made = {field.name: field.default.compute(names, records.context)}
    return sight.declared.clean(made, values).values


async def _followed(
    records: Records, entity: Entity, values: Mapping[str, Any], paths: Iterable[Path]
) -> Mapping[str, Any]:
    """Return a new record's values with the records that paths go through, as who writes it sees them.

    A default is what this person could have written. Only what a line is a line of is in their hands anyway.
    """
    own = {path for path in paths if path[0] == "parent"}
    known = await records.loader.follow(entity.name, values, own)
    return (await entitling.behind(records, entity, [known], set(paths) - own))[0]


def _expressions(fields: Iterable[Field]) -> list[Expression]:
    return [field.default.expression for field in fields if field.default and field.default.expression]
