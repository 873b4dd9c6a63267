"""SQL with places for values, and how the values are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from definitions.expr.expression import Context, Names
from definitions.expr.types import Type

Dialect = Literal["sqlite", "postgres"]


def nothing(_names: Names, _context: Context) -> tuple[Any, ...]:
    """Bind no values."""
    return ()


@dataclass(frozen=True, slots=True)
class SqlTemplate:
    """SQL text with `?` for each value; `bind` computes the values, in order, in their stored form.

    `scale`: the result is a decimal as an integer with so many decimals (SQLite); None: it is
    in the stored form of its type.
    """

    text: str
    bind: Callable[[Names, Context], tuple[Any, ...]] = nothing
    scale: int | None = None


class Columns(Protocol):
    """What SQL has to know of the tables; `models` answers."""

    def table(self, entity: str) -> str:
        """Return the table's name, quoted and qualified for a FROM."""
        ...

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the stored value of a field (or `id`, `_path`, a process) of the row `alias`; a reference's id."""
        ...

    def row(self, entity: str, alias: str) -> SqlTemplate:
        """Return the condition under which the row `alias`, which was found among lines, may be seen."""
        ...

    def encode(self, value: Any, kind: Type) -> Any:
        """Return the stored form of a value (not None) of a type: what a `?` is bound to."""
        ...


def all_of(templates: Iterable[SqlTemplate]) -> SqlTemplate:
    """Return the condition that every one of the conditions holds (true for none)."""
    return _joined(templates, " AND ", "TRUE")


def any_of(templates: Iterable[SqlTemplate]) -> SqlTemplate:
    """Return the condition that one of the conditions holds (false for none)."""
    return _joined(templates, " OR ", "FALSE")


def _joined(templates: Iterable[SqlTemplate], word: str, empty: str) -> SqlTemplate:
    parts = tuple(templates)
    if len(parts) < 2:
        return parts[0] if parts else SqlTemplate(empty)
    binds = tuple(part.bind for part in parts if part.bind is not nothing)

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        return tuple(value for each in binds for value in each(names, context))

    return SqlTemplate("(" + word.join(part.text for part in parts) + ")", bind if binds else nothing)
