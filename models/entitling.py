"""The titles of records that show other records: these are read under the reader's rights, some at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity
from models.record import Record
from models.references import target
from models.rules import Path
from models.statement import Statement
from models.visible import ROOT

if TYPE_CHECKING:
    from models.records import Records

BATCH = 500


async def entitled(records: Records, found: Sequence[Record]) -> list[Record]:
    """Return records of one entity with their titles, where those show others: a query an entity that is shown."""
    sight = records.sight(found[0].entity) if found else None
    if sight is None or not sight.beyond:
        return list(found)
    shown = await behind(records, sight.entity, [record.values for record in found], sight.beyond)
    return [
        replace(record, title=sight.title(values)) if "read" in record.may else record
        for record, values in zip(found, shown, strict=True)
    ]


async def titled(records: Records, entity: str, ids: Iterable[str]) -> list[Record]:
    """Return those of the records that the actor may read, with what their titles need."""
    return await entitled(records, await some(records, entity, ids))


async def some(records: Records, entity: str, ids: Iterable[str], wanted: tuple[str, ...] = ()) -> list[Record]:
    """Return those of the records that the actor may read, with the fields wanted: a statement for each 500."""
    sight = records.sight(entity)
    selection = sight.select(wanted)
    asked = list(dict.fromkeys(ids))
    found: list[Record] = []
    for begin in range(0, len(asked), BATCH):
        part = asked[begin : begin + BATCH]
        statement = Statement(await records.rule_names(), records.context).add("SELECT ", selection.template)
        statement.add(f' FROM {sight.table.quoted} AS "{ROOT}" WHERE "{ROOT}"."id" IN (').value(*part)
        statement.add(") AND ", sight.read)
        rows = await records.tx.rows(statement.text, statement.values)
        found += sight.from_rows(rows, selection)
    return found


async def behind(
    records: Records, entity: Entity, values: Sequence[Mapping[str, Any]], paths: Iterable[Path]
) -> list[dict[str, Any]]:
    """Return values with the records that the paths go through in the place of references; None where one is hidden."""
    deeper: dict[str, set[Path]] = {}
    for path in paths:
        if path[1:]:
            deeper.setdefault(path[0], set()).add(path[1:])
    found = [dict(each) for each in values]
    targets = {name: to for name in deeper if (to := target(entity, name)) is not None}
    for to in sorted(set(targets.values())):
        names = [name for name, leads in targets.items() if leads == to]
        ids = sorted({each[name]["id"] for each in found for name in names if each.get(name)})
        further = {rest for name in names for rest in deeper[name]}
        wanted = tuple(sorted({rest[0] for rest in further}))
        others = await some(records, to, ids, wanted)
        records.note_shown(others, wanted)
        beyond = await behind(records, records.network.entities[to], [each.values for each in others], further)
        by_id = {each["id"]: each for each in beyond}
        for each in found:
            each.update({name: by_id.get(each[name]["id"]) for name in names if each.get(name)})
    return found
