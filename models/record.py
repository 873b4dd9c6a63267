"""A record as an actor sees it, and what a change did to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Right = Literal["read", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record through the eyes of an actor.

    `values` holds the fields, the system fields (`id`, `created_at`, …), `owner` and one state for each process; a
    reference is `{"id": …}`. Values that the actor may not see are None and their names are in `hidden`. `may` says
    what the actor may do with the whole record, `writable` which fields it may write. A change can take a record out of
    its actor's sight: then `may` is without `read` and every value is hidden. `full` holds all values, the hidden ones
    too: for the runtime (guards, `set`, history, triggers), never for a door.
    """

    entity: str
    id: str
    version: int
    values: Mapping[str, Any]
    title: str
    hidden: frozenset[str] = frozenset()
    may: frozenset[Right] = frozenset()
    writable: frozenset[str] = frozenset()
    full: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Any:
        """Return the visible value of a field."""
        return self.values[name]

    @property
    def belongs_to(self) -> str | None:
        """The member whose data this is: who owns it, or the member that it is."""
        if self.entity == "member":
            return self.id
        owner = self.full.get("owner")
        return None if owner is None else str(owner["id"])


@dataclass(frozen=True, slots=True)
class LineChange:
    """What became of a line when its parent was written: `before` None is a new one, `after` None one that went."""

    name: str
    before: Record | None
    after: Record | None
    fields: tuple[str, ...] = ()
    lines: tuple[LineChange, ...] = ()

    def removed(self) -> LineChange:
        """Return what becomes of the line and of its own when it goes."""
        return LineChange(self.name, self.after, None, lines=tuple(line.removed() for line in self.lines))


@dataclass(frozen=True, slots=True)
class Change:
    """What an update did: the record before and after it, and the names of the fields whose values differ.

    `lines` are those of its lines that were written with it.
    """

    before: Record
    after: Record
    fields: tuple[str, ...]
    lines: tuple[LineChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; `next` is the cursor of the part after it, None at the end."""

    records: Sequence[Record]
    next: str | None = None
