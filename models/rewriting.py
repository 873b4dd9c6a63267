"""Changing many records at once, for the runtime: each is checked by itself, all are written with few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from models import computed, drafts
from models.changes import same, stored_columns
from models.ddl import quoted
from models.drafts import Draft
from models.errors import InvalidError
from models.record import Change, Record
from models.sight import Sight
from models.validation import clean

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
        self._computes = any(field.compute is not None for field in self._sight.entity.fields.values())
        self._cleaned: dict[int, Mapping[str, Any]] = {}

    async def check(
        self,
        before: Record,
        given: Mapping[str, Any],
        made: Mapping[str, Any],
        beside: Mapping[str, Any],
    ) -> Change:
        """Return what a change will come to, nothing written yet; `InvalidError` by field.

        `given` are values of fields that many records of the same call share (the same mapping), `made` those of this
        one; `beside` are states and values of the system.
        """
        records, sight = self._records, self._sight
        own, problems = self._clean(made, before) if made else ({}, {})
        asked = {**self._shared(given, before, problems), **own, **beside}
        values = {**before.full, **asked}
        names = asked.keys()
        if self._computes:
            found = await computed.compute(records, sight.entity, values)
            values.update(found)
            names = asked.keys() | found.keys()
        changed = tuple([name for name in values if name in names and not same(values[name], before.full.get(name))])
        checked = [name for name in changed if name in sight.fields]
        wrong = {} if not checked else await drafts.wrong(records, Draft(sight, values, frozenset(changed)), checked)
        if wrong or problems:
            raise InvalidError({**wrong, **problems})
        values["updated_at"] = records.context.now
        values["version"] = before.version + 1
        after = replace(before, version=before.version + 1, values=values, full=values, hidden=frozenset())
        return Change(before, after, changed)

    def _shared(self, given: Mapping[str, Any], before: Record, problems: dict[str, Any]) -> Mapping[str, Any]:
        """Return shared values, cleaned once."""
        if not given:
            return given
        found = self._cleaned.get(id(given))
        if found is None:
            found, wrong = self._clean(given, before)
            problems.update(wrong)
            if not wrong:
                self._cleaned[id(given)] = found
        return found

    def _clean(self, given: Mapping[str, Any], before: Record) -> tuple[Mapping[str, Any], dict[str, Any]]:
        cleaned = clean(self._records.network, self._sight.entity, given, before.full)
        return cleaned.values, dict(cleaned.problems)

    async def write(self, changes: Sequence[Change]) -> None:
        """Write what was checked, records of which the same columns change in one statement."""
        rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for change in changes:
            names = (*change.fields, "updated_at", "version", "last_activity_at")
            stored = stored_columns(self._sight, change.after.full, dict.fromkeys(names))
            rows.setdefault(tuple(stored), []).append((*stored.values(), change.after.id, change.before.version))
        for columns, values in rows.items():
            places = ", ".join(f"{quoted(name)} = ?" for name in columns)
            text = f'UPDATE {self._sight.table.quoted} SET {places} WHERE "id" = ? AND "version" = ?'  # noqa: S608 - names only
            await self._records.tx.run_many(text, values)
        self._records.loader.forget()
