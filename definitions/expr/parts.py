"""A condition taken apart: what it asks, each with the values that it asks about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from definitions.expr.evaluate import closure
from definitions.expr.expression import Context, Expression, Names
from definitions.expr.nodes import Binary, Has, Macro, Name, Node, Select, Unary, children
from definitions.expr.types import RecordOf


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Something of the scope that a part asks about, as written; `entity` is what it is a record of."""

    text: str
    evaluate: Callable[[Names, Context], Any]
    entity: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One of the things that a condition asks, as written, and the records and fields in it."""

    text: str
    evaluate: Callable[[Names, Context], Any]
    values: tuple[Value, ...]


def parts(expression: Expression) -> tuple[Part, ...]:
    """Return what is joined with `&&`, `||` and `!` in an expression, from left to right."""
    return tuple(_part(expression, node) for node in _asked(expression.tree))


def _asked(node: Node) -> Iterator[Node]:
    match node:
        case Binary(operator="&&" | "||", left=left, right=right):
            yield from _asked(left)
            yield from _asked(right)
        case Unary(operator="!", operand=operand):
            yield from _asked(operand)
        case _:
            yield node


def _part(expression: Expression, node: Node) -> Part:
    written = {expression.text[each.start : each.end]: each for each in _asked_about(node)}
    values = (_value(expression, text, each) for text, each in written.items())
    return Part(expression.text[node.start : node.end], closure(node, expression.typing), tuple(values))


def _value(expression: Expression, text: str, node: Node) -> Value:
    if isinstance(node, Select) and node.field == "id":
        node = node.of  # an id is told as whose it is
    kind = expression.typing.of(node)
    return Value(text, closure(node, expression.typing), kind.entity if isinstance(kind, RecordOf) else None)


def _asked_about(node: Node) -> Iterator[Node]:
    """Yield names, and fields each with all that leads to it: `actor`, `record.owner.country`."""
    match node:
        case Name():
            yield node
        case Select(of=of):
            yield from (node,) if _rooted(of) else _asked_about(of)
        case Has(select=select):
            yield select
        case Macro(of=of):  # what it runs over; inside, the names are its own
            yield from _asked_about(of)
        case _:
            yield from (found for each in children(node) for found in _asked_about(each))


def _rooted(node: Node) -> bool:
    """Whether a selection begins at a name of the scope."""
    while isinstance(node, Select):
        node = node.of
    return isinstance(node, Name)
