"""How each database writes what the query subset has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr.expression import Context, Names
from definitions.expr.template import Dialect
from definitions.expr.types import BOOL, DATE, DATETIME, DECIMAL, INT, Type

Binder = Callable[[Names, Context], tuple[Any, ...]]

_SLOT = re.compile(r"\{(\d)\}")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of SQL and the values of its `?`, in order. `scale` as in `SqlTemplate`."""

    text: str
    binds: tuple[Binder, ...] = ()
    scale: int | None = None


def fill(pattern: str, *parts: Part) -> Part:
    """Return the pattern with the parts at `{0}`, `{1}`, …; a part that stands twice is bound twice."""
    texts: list[str] = []
    binds: list[Binder] = []
    done = 0
    for slot in _SLOT.finditer(pattern):
        part = parts[int(slot[1])]
        texts += (pattern[done : slot.start()], part.text)
        binds += part.binds
        done = slot.end()
    return Part("".join(texts) + pattern[done:], tuple(binds))


def joined(parts: list[Part], word: str) -> Part:
    """Return the parts with a word between them, in parentheses."""
    return Part(
        "(" + f" {word} ".join(part.text for part in parts) + ")", tuple(bind for part in parts for bind in part.binds)
    )


@dataclass(frozen=True, slots=True)
class Words:
    """The patterns of a database."""

    same: str
    differs: str
    calls: Mapping[str, str]
    arithmetic: Mapping[str, str]
    period: str
    period_of_date: str
    list_size: str
    list_has: str
    text_order: str
    casts: Mapping[Type, str]

    def placeholder(self, kind: Type) -> str:
        """Return the `?` for a value of a type."""
        cast = self.casts.get(kind, self.casts.get(INT) and "text")
        return f"CAST(? AS {cast})" if cast else "?"


_RANGE = "(SELECT CASE WHEN v BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v END FROM (SELECT %s) AS t(v))"
_LEFT, _RIGHT = "CAST({0} AS numeric)", "CAST({1} AS numeric)"

WORDS: Mapping[Dialect, Words] = {
    "sqlite": Words(
        same="({0} IS {1})",
        differs="({0} IS NOT {1})",
        calls={
            "contains": "(instr({0}, {1}) > 0)",
            "startsWith": "(substr({0}, 1, length({1})) = {1})",
            "endsWith": "(substr({0}, length({0}) - length({1}) + 1) = {1})",
            "size": "length({0})",
            "round": "expr_round({0}, {1})",
        },
        arithmetic={
            "+": "expr_add({0}, {1})",
            "-": "expr_subtract({0}, {1})",
            "*": "expr_multiply({0}, {1})",
            "/": "expr_divide({0}, {1})",
            "%": "expr_remainder({0}, {1})",
        },
        period="expr_period('%s', {0}, {1})",
        period_of_date="expr_period('%s', {0}, NULL)",
        list_size="json_array_length({0})",
        list_has="EXISTS (SELECT 1 FROM json_each({0}) AS e WHERE e.value IS {1})",
        text_order="{0}",
        casts={},
    ),
    "postgres": Words(
        same="({0} IS NOT DISTINCT FROM {1})",
        differs="({0} IS DISTINCT FROM {1})",
        calls={
            "contains": "(strpos({0}, {1}) > 0)",
            "startsWith": "starts_with({0}, {1})",
            "endsWith": "(right({0}, length({1})) = {1})",
            "size": "length({0})",
            "round": "round(CAST({0} AS numeric), CAST({1} AS integer))",
        },
        arithmetic={
            "+": f"{_LEFT} + {_RIGHT}",
            "-": f"{_LEFT} - {_RIGHT}",
            "*": f"{_LEFT} * {_RIGHT}",
            "/": f"div({_LEFT}, NULLIF({_RIGHT}, 0))",
            "%": f"mod({_LEFT}, NULLIF({_RIGHT}, 0))",
        },
        period="CAST(date_trunc('%s', {0} AT TIME ZONE {1}) AS date)",
        period_of_date="CAST(date_trunc('%s', CAST({0} AS timestamp)) AS date)",
        list_size="jsonb_array_length(CAST({0} AS jsonb))",
        list_has="EXISTS (SELECT 1 FROM jsonb_array_elements_text(CAST({0} AS jsonb)) AS e(value) "
        "WHERE e.value IS NOT DISTINCT FROM {1})",
        text_order='{0} COLLATE "C"',
        casts={BOOL: "boolean", INT: "bigint", DECIMAL: "numeric", DATE: "date", DATETIME: "timestamptz"},
    ),
}


def in_range(part: Part) -> Part:
    """Return an integer of PostgreSQL, NULL beyond 64 bits."""
    return Part(_RANGE % part.text, part.binds)


def arithmetic(dialect: Dialect, operator: str, kind: Type, left: Part, right: Part) -> Part:
    """Return `left operator right`; an integer beyond 64 bits is NULL on both databases."""
    pattern = WORDS[dialect].arithmetic[operator]
    if dialect == "postgres":
        pattern = _RANGE % pattern if kind == INT else f"({pattern})"
    return fill(pattern, left, right)
