"""What a list is asked for, as data: nothing in here ever becomes SQL text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from definitions.expr.expression import Expression

Operator = Literal[
    "equals", "differs", "any_of", "empty", "filled", "before", "after", "at_least", "at_most", "contains"
]
OPERATORS: tuple[Operator, ...] = get_args(Operator)
LIMIT = 500
"""How many records a page holds at most."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a screen: a field (or `company.city`: one of a referenced record), an operator and a value.

    Values are those of memory (`date`, `Decimal`, …) or the text of a form, converted by the field's type; `any_of`
    takes a sequence, a reference its id. What cannot be converted, and a field that does not exist, is an
    `InvalidError`. A field that the actor may not see is empty to it.
    """

    field: str
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which records, in which order, how many.

    `where` is a condition of the definitions (a view's), `q` words that are each found somewhere in the searched
    fields, `sort` a field name (descending with a leading `-`), `cursor` what the page before gave as `next`, `columns`
    the fields that are wanted (all by default; the system fields and what the title needs always come). `offset` skips
    records, for doors that count pages (it costs what it skips; cursors do not).
    """

    where: Expression | None = None
    q: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = "-created_at"
    limit: int = 50
    cursor: str | None = None
    offset: int = 0
    columns: tuple[str, ...] | None = None

    @property
    def told(self) -> str:
        """What was searched and filtered, in words for the audit."""
        said = [f'"{self.q}"'] if self.q else []
        said += [f"{each.field} {each.operator} {each.value}".strip() for each in self.filters if each.field != "id"]
        return "; ".join(said)[:1000]
