"""A statement while it is written: text and values grow together, values never become text."""

from __future__ import annotations

from collections.abc import Iterable

from definitions.expr import Context, Names, SqlTemplate
from definitions.expr.template import nothing
from models.tx import SqlValue


def listing(templates: Iterable[SqlTemplate]) -> SqlTemplate:
    """Return templates side by side, with commas between."""
    parts = tuple(templates)
    binds = tuple(part.bind for part in parts if part.bind is not nothing)

    def bind(names: Names, context: Context) -> tuple[SqlValue, ...]:
        return tuple(value for each in binds for value in each(names, context))

    return SqlTemplate(", ".join(part.text for part in parts), bind if binds else nothing)


class Statement:
    """SQL for one call; templates are bound to its names at once."""

    def __init__(self, names: Names, context: Context) -> None:
        """Start empty; templates take their values from `names` and `context`."""
        self.names = names
        self.context = context
        self._parts: list[str] = []
        self.values: list[SqlValue] = []

    @property
    def text(self) -> str:
        """Return the text so far."""
        return "".join(self._parts)

    def add(self, *parts: str | SqlTemplate) -> Statement:
        """Append text (names and keywords of our own) and templates."""
        for part in parts:
            if isinstance(part, str):
                self._parts.append(part)
            else:
                self._parts.append(part.text)
                if part.bind is not nothing:
                    self.values.extend(part.bind(self.names, self.context))
        return self

    def value(self, *values: SqlValue) -> Statement:
        """Append places for values (already in their stored form), with commas between."""
        self._parts.append(", ".join("?" * len(values)))
        self.values.extend(values)
        return self
