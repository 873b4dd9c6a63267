"""What a reader of a message may see of the record that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.actor import Actor
from models.changes import see
from models.errors import NotFoundError
from models.lines import below
from models.record import Record
from models.records import Records
from models.references import target
from workflows.unit import Unit

Path = tuple[str, ...]


class Reader:
    """Somebody who is written to: a member, who is shown what a member may read, or an address, which is shown all."""

    def __init__(self, unit: Unit, actor: Actor | None) -> None:
        """Read as `actor`, or without rules for an address."""
        self.unit = unit
        self.actor = actor
        self.records = (
            unit.records.system
            if actor is None
            else Records(unit.published, unit.tx, actor, unit.context, new_id=unit.new_id)
        )

    async def values(self, record: Record, paths: Iterable[Path]) -> Mapping[str, Any] | None:
        """Return what the reader sees of the record, with the references on `paths`; None when it may not read it."""
        if self.actor is None:
            return await self._follow(record.entity, record.full, paths)
        seen = await see(self.records, self.records.sight(record.entity), record.full)
        return None if "read" not in seen.may else await self._follow(record.entity, seen.values, paths)

    async def member(self, member: str) -> Mapping[str, Any] | None:
        """Return what the reader sees of a member: at least the name of the one who writes."""
        full = await self.unit.records.system.loader.load("member", member)
        if full is None or self.actor is None:
            return full
        try:
            return (await self.records.get("member", member)).values
        except NotFoundError:
            return {name: full.get(name) for name in ("id", "name", "first_name", "last_name")}

    async def _follow(self, entity: str, values: Mapping[str, Any], paths: Iterable[Path]) -> Mapping[str, Any]:
        """Return values with the records that the paths go through in the place of references."""
        found, paths = dict(values), list(paths)
        deeper: dict[str, set[Path]] = {}
        for path in paths:
            if len(path) > 1:
                deeper.setdefault(path[0], set()).add(path[1:])
        for name, lines in self.unit.network.lines(entity).items():
            if any(path[0] == name for path in paths):
                present = await below(self.records, lines, values["id"])
                found[name] = [await self._follow(lines.name, line.values, deeper.get(name, ())) for line in present]
        for name, rests in deeper.items():
            to = target(self.unit.network.entities[entity], name)
            reference = values.get(name)
            if to is None or not isinstance(reference, Mapping):
                continue
            try:
                record = await self.records.get(to, reference["id"])
            except NotFoundError:
                found[name] = None
                continue
            found[name] = await self._follow(to, record.values, rests)
        return found
