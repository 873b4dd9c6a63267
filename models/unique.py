"""Values that only one record may have: whether another one has them, for one record and for many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity
from models import tree
from models.columns import TEXT
from models.ddl import listed, quoted
from models.message import Message
from models.sight import Sight
from models.validation import TAKEN

if TYPE_CHECKING:
    from models.records import Records

__all__ = ["TAKEN", "Known", "is_taken", "keys"]

Key = tuple[str, ...]
BATCH = 200
"""So many keys are looked for at once."""


def keys(entity: Entity) -> list[Key]:
    """Return the fields that are unique together, for each field that says so; it comes first."""
    return [(name, *field.unique) for name, field in entity.fields.items() if field.unique is not None]


async def is_taken(records: Records, sight: Sight, key: Key, values: Mapping[str, Any]) -> bool:
    """Whether another record has these values of a key; a key with nothing in it is nobody's."""
    stored = _stored(sight, key, values)
    if None in stored:
        return False
    where = " AND ".join(map(_names if _signs_in(sight.entity, key[0]) else _is, key))
    text = f'SELECT 1 FROM {sight.table.quoted} WHERE {where} AND "id" <> ? LIMIT 1'  # noqa: S608 (names only)
    return await records.tx.row(text, (*stored, values["id"])) is not None


class Known:
    """The keys that are taken, by what is stored and by what is about to be: for many new records at once."""

    def __init__(self, records: Records, sight: Sight, new: Sequence[Mapping[str, Any]]) -> None:
        """Look for the keys of `new` when the first is asked for."""
        self._records = records
        self._sight = sight
        self._new = new
        self._keys = keys(sight.entity)
        self._taken: dict[Key, set[tuple[Any, ...]]] = {}

    async def taken(self, values: Mapping[str, Any]) -> dict[str, Message]:
        """Return a problem for each unique field whose value another record has."""
        problems: dict[str, Message] = {}
        for key in self._keys:
            if key not in self._taken:
                self._taken[key] = await self._find(key)
            if await self._is_taken(key, values):
                problems[key[0]] = TAKEN
        return problems

    def add(self, values: Mapping[str, Any]) -> None:
        """Take the keys of a record that is going to be stored."""
        for key in self._keys:
            stored = _stored(self._sight, key, values)
            if None not in stored:
                self._taken[key].add(stored)

    async def _is_taken(self, key: Key, values: Mapping[str, Any]) -> bool:
        if _stored(self._sight, key, values) in self._taken[key]:
            return True
        return not self._at_once(key) and await is_taken(self._records, self._sight, key, values)

    def _at_once(self, key: Key) -> bool:
        """Whether all keys can be asked for in one statement: where a database compares texts as they are."""
        columns = self._sight.table.shape.columns
        return all(columns[name].codec.declared == TEXT.declared for name in key) and not _signs_in(
            self._sight.entity, key[0]
        )

    async def _find(self, key: Key) -> set[tuple[Any, ...]]:
        found: set[tuple[Any, ...]] = set()
        if not self._at_once(key):
            return found
        asked = [stored for each in self._new if None not in (stored := _stored(self._sight, key, each))]
        one = f"({', '.join('?' * len(key))})"
        same = " AND ".join(f"t.{quoted(name)} = v.column{number}" for number, name in enumerate(key, 1))
        for begin in range(0, len(asked), BATCH):
            part = asked[begin : begin + BATCH]
            text = (
                f"SELECT {listed(key, 't')} FROM (VALUES {', '.join([one] * len(part))}) AS v "  # noqa: S608 (names only)
                f"JOIN {self._sight.table.quoted} AS t ON {same}"
            )
            rows = await self._records.tx.rows(text, [value for stored in part for value in stored])
            found.update(map(tuple, rows))
        return found


def _stored(sight: Sight, key: Key, values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sight.table.encode(name, values.get(name)) for name in key)


def _signs_in(entity: Entity, field: str) -> bool:
    """Whether the field is what members sign in with, where capital letters make no other person."""
    return entity.name == tree.MEMBER and field == "email"


def _is(column: str) -> str:
    return f"{quoted(column)} = ?"


def _names(column: str) -> str:
    return f"lower({quoted(column)}) = lower(?)"
