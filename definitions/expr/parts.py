"""A condition taken apart: what it asks, each with the values that it asks about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from definitions.expr.evaluate import closure
from definitions.expr.expression import Context, Expression, Names
from definitions.expr.nodes import Binary, Has, Macro, Name, Node, Select, Unary, children


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One of the things that a condition asks, as written; `values` are the fields in it by how they are written."""

    text: str
    evaluate: Callable[[Names, Context], Any]
    values: tuple[tuple[str, Callable[[Names, Context], Any]], ...]


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
    written = {expression.text[each.start : each.end]: each for each in _fields(node)}
    values = ((text, closure(each, expression.typing)) for text, each in written.items())
    return Part(expression.text[node.start : node.end], closure(node, expression.typing), tuple(values))


def _fields(node: Node) -> Iterator[Node]:
    """Yield the fields that are selected, each with all that leads to it: `record.owner.country`."""
    match node:
        case Select():
            if _rooted(node):
                yield node
            else:
                yield from _fields(node.of)
        case Has(select=select):
            yield from _fields(select)
        case Macro(of=of):  # what it runs over; inside, the names are its own
            yield from _fields(of)
        case _:
            yield from (found for each in children(node) for found in _fields(each))


def _rooted(node: Node) -> bool:
    """Whether a selection begins at a name of the scope."""
    while isinstance(node, Select):
        node = node.of
    return isinstance(node, Name)
