"""Changing many records at once, for the runtime: each is checked by itself, all are written with few statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Field
from definitions.text import Text
from models import computed, drafts
from models.changes import same, stored_columns
from models.ddl import quoted
from models.drafts import Draft
from models.errors import InvalidError
from models.message import Message
from models.record import Change, Record
from models.sight import Sight

if TYPE_CHECKING:
    from models.records import Records


class Rewriting:
    """Changes of an entity's records by the system, in one transaction that has read them.

    They are checked with `check`, then written together with `write`. It is for records whose values decide nothing
    about one another: none is a member or a line, and no unique field is changed.
    """

    def __init__(self, records: Records, entity: str) -> None:
        """Write over `records`, the door of the system."""
        self._records = records
        self._sight: Sight = records.sight(entity)
        self._now = records.context.now
        fields = self._sight.fields
        self._computes = any(field.compute is not None for field in fields.values())
        followed = {name for asked in self._sight.following.values() for name in asked}
        self._loose = {name: field.required for name, field in fields.items() if _is_loose(field, followed)}
        self._order = {name: place for place, name in enumerate(self._sight.names)}
        self._cleaned: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

    async def check(
        self, before: Record, given: Mapping[str, Any], made: Mapping[str, Any], beside: Mapping[str, Any]
    ) -> Change:
        """Return what a change will come to, nothing written yet; `InvalidError` by field.

        `given` are values of fields that many records of the same call share (the same mapping), `made` those of this
        one; `beside` are states and values of the system.
        """
        problems: dict[str, Message | Text] = {}
        asked = {**self._shared(given, before, problems), **self._clean(made, before, problems), **beside}
        full = before.full
        values = {**full, **asked}
        if self._computes:
            found = await computed.compute(self._records, self._sight.entity, values)
            values.update(found)
            asked.update(found)
        changed = [name for name, value in asked.items() if not same(value, full.get(name))]
        changed.sort(key=self._order.__getitem__)
        problems = {**await self._wrong(values, changed), **problems}
        if problems:
            raise InvalidError(problems)
        values["updated_at"] = self._now
        version = values["version"] = before.version + 1
        may, writable = before.may, before.writable
        title = before.title  # nobody sees it: what it is called now is found out when it is read
        after = Record(before.entity, before.id, version, values, title, may=may, writable=writable, full=values)
        return Change(before, after, tuple(changed))

    async def _wrong(self, values: dict[str, Any], changed: Sequence[str]) -> Mapping[str, Message | Text]:
        """Return what is wrong with changed values; those that nothing limits need no further look."""
        loose, fields = self._loose, self._sight.fields
        for name in changed:
            if name in fields and (name not in loose or (loose[name] and values[name] is None)):
                checked = [each for each in changed if each in fields]
                return await drafts.wrong(self._records, Draft(self._sight, values, frozenset(changed)), checked)
        return {}

    def _shared(
        self, given: Mapping[str, Any], before: Record, problems: dict[str, Message | Text]
    ) -> Mapping[str, Any]:
        """Return shared values, cleaned once. What was given is kept: what is gone leaves its identity to others."""
        known = self._cleaned.get(id(given))
        if known is not None:
            return known[1]
        found = self._clean(given, before, problems)
        if not problems:
            self._cleaned[id(given)] = (given, found)
        return found

    def _clean(
        self, given: Mapping[str, Any], before: Record, problems: dict[str, Message | Text]
    ) -> Mapping[str, Any]:
        if not given:
            return given
        cleaned = self._sight.declared.clean(given, before.full)
        problems.update(cleaned.problems)
        return cleaned.values

    async def write(self, changes: Sequence[Change]) -> None:
        """Write what was checked, records of which the same columns change in one statement."""
        rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for change in changes:
            full = change.after.full
            names = dict.fromkeys((*change.fields, "updated_at", "version", "last_activity_at"))
            stored = stored_columns(self._sight, full, names)
            rows.setdefault(tuple(stored), []).append((*stored.values(), full["id"], change.before.version))
        for columns, values in rows.items():
            places = ", ".join(f"{quoted(name)} = ?" for name in columns)
            text = f'UPDATE {self._sight.table.quoted} SET {places} WHERE "id" = ? AND "version" = ?'  # noqa: S608 - names only
            await self._records.tx.run_many(text, values)
        self._records.loader.forget()


def _is_loose(field: Field, followed: Collection[str]) -> bool:
    """Whether any value that a field can hold fits, and no other field's has to fit it."""
    if field.name in followed or field.type in {"country", "reference"} or field.compute is not None:
        return False
    return all(part is None for part in (field.min, field.max, field.required_if, field.pattern))
