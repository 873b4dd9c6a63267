"""A value in a definition: written out, or computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Context, Expression, Names
from definitions.problems import Place


@dataclass(frozen=True, slots=True)
class Value:
    """A literal (already converted to the Python type that its place asks for) or an expression (`=…`)."""

    place: Place
    literal: Any = None
    expression: Expression | None = None

    def compute(self, names: Names, context: Context) -> Any:
        """Return the literal, or the expression's value; None where it cannot be computed."""
        if self.expression is None:
            return self.literal
        return self.expression.evaluate(names, context)

    def reads(self, name: str) -> frozenset[tuple[str, ...]]:
        """Return what an expression selects of what is in scope under a name: `("company", "city")` of `record`."""
        paths = () if self.expression is None else self.expression.reads
        return frozenset(path[1:] for path in paths if path[0] == name and path[1:])
