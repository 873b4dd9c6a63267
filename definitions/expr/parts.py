"""A condition taken apart: what it asks, each with the values that it asks about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from definitions.expr.evaluate import closure
from definitions.expr.expression import Context, Expression, Names
from definitions.expr.nodes import Binary, Call, Has, Macro, Name, Node, Select, Unary, children
from definitions.expr.paths import Paths, inside, paths
from definitions.expr.types import RecordOf
from definitions.expr.typing import Path, Typing, longest

_CLOCK = frozenset({"now", "today", "age"})


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


@lru_cache(maxsize=1024)
def conjuncts(expression: Expression) -> tuple[Expression, ...]:
    """Return what must hold for a condition to hold: what is joined with `&&`, each as a condition of its own.

    Each keeps the whole text, in which its nodes know their places.
    """
    return tuple(
        replace(
            expression,
            tree=node,
            type=expression.typing.of(node),
            reads=longest(set(_reads(node, {}, expression.typing))),
            evaluate=closure(node, expression.typing),
        )
        for node in _joined(expression.tree)
    )


def _reads(node: Node, variables: Mapping[str, Paths], typing: Typing) -> Iterator[Path]:
    """Yield the paths that a part selects; `variables` are those of the loops around, with the lists they run over."""
    yield from paths(node, variables, typing)
    if isinstance(node, Macro):
        within = inside(node, variables, typing)
        yield from _reads(node.of, variables, typing)
        yield from (found for each in (node.body, node.keep) if each for found in _reads(each, within, typing))
        return
    below = (node.select,) if isinstance(node, Has) else children(node)
    yield from (found for each in below for found in _reads(each, variables, typing))


def _joined(node: Node) -> Iterator[Node]:
    match node:
        case Binary(operator="&&", left=left, right=right):
            yield from _joined(left)
            yield from _joined(right)
        case _:
            yield node


def selected(expression: Expression) -> dict[Select, Callable[[Names, Context], Any]]:
    """Return the fields that a condition compares, and how each is computed; those only asked for presence aside."""
    found = (node for node in _asked_about(expression.tree, present=False) if isinstance(node, Select))
    return {node: closure(node, expression.typing) for node in found}


def reads_clock(expression: Expression) -> bool:
    """Whether what an expression says changes with time alone."""
    nodes = [expression.tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Call) and node.name in _CLOCK:
            return True
        nodes.extend(children(node))
    return False


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


def _asked_about(node: Node, *, present: bool = True) -> Iterator[Node]:
    """Yield names, and fields each with all that leads to it: `actor`, `record.owner.country`.

    `present`: also the fields that are asked for their presence.
    """
    match node:
        case Name():
            yield node
        case Select(of=of):
            yield from (node,) if _rooted(of) else _asked_about(of, present=present)
        case Has(select=select):
            yield from (select,) if present else ()
        case Macro(of=of):  # what it runs over; inside, the names are its own
            yield from _asked_about(of, present=present)
        case _:
            yield from (found for each in children(node) for found in _asked_about(each, present=present))


def _rooted(node: Node) -> bool:
    """Whether a selection begins at a name of the scope."""
    while isinstance(node, Select):
        node = node.of
    return isinstance(node, Name)
