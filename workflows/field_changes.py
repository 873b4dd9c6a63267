"""What a history row says of fields: before and after, as its reader may see them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field (or a process, whose values are states) before and after; both None when the reader may not see it."""

    field: str
    before: Any
    after: Any
    hidden: bool = False


def changes_of(
    unit: Unit, entity: str, hidden: Collection[str], before: str | None, after: str | None
) -> tuple[FieldChange, ...]:
    """Return the changed fields that the definitions still have (`before` and `after` as `_history` keeps them).

    The values of fields that are `hidden` from the reader are left out.
    """
    table = unit.published.tables[entity]
    was, became = json.loads(before or "{}"), json.loads(after or "{}")
    names = [name for name in {**was, **became} if name in table.shape.columns]
    old = table.kept({name: was.get(name) for name in names})
    new = table.kept({name: became.get(name) for name in names})
    return tuple(
        FieldChange(name, None, None, hidden=True) if name in hidden else FieldChange(name, old[name], new[name])
        for name in names
    )
