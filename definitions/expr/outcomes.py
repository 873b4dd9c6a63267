"""Conditions that nothing can change, found by proof: what each comparison leaves of what it speaks about.

A condition is taken apart into ways in which it holds, each with the values that every term must then have. It never
holds when no way is left, always when its negation never does. A term is anything that is no comparison, equal terms
have equal values; where nothing is known every value is possible, so that only what is certain is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from definitions.expr.atoms import Atom, Key, atom_of, both_null, pair_of
from definitions.expr.domains import Values
from definitions.expr.expression import Expression
from definitions.expr.nodes import Binary, Literal, Macro, Name, Node, Select, Ternary, Unary, children
from definitions.expr.types import BOOL
from definitions.expr.typing import Typing

MAX_WAYS = 256
"""Conditions that hold in more ways are not looked into."""

Way = Mapping[Key, Values]


class _TooManyError(Exception):
    pass


def outcome(expression: Expression, node: Node | None = None) -> bool | None:
    """Return whether a condition (or a part of it) always or never holds; None where that can't be said.

    `null` counts as false. A bare literal is what somebody wanted, and nothing is said of it.
    """
    tree = expression.tree if node is None else node
    if isinstance(tree, Literal):
        return None
    try:
        if not _ways(tree, expression.typing, holds=True):
            return False
        return None if _ways(tree, expression.typing, holds=False) else True
    except _TooManyError:
        return None


def disjoint(one: Expression, other: Expression) -> bool:
    """Whether two conditions over the same names are proven never to hold both."""
    try:
        left = _ways(one.tree, one.typing, holds=True)
        right = _ways(other.tree, other.typing, holds=True)
        return not _both(left, right)
    except _TooManyError:
        return False


def settled_parts(expression: Expression) -> Iterator[tuple[Node, bool]]:
    """Yield the largest conditions in an expression that always or never hold, and which."""
    yield from _settled(expression, expression.tree, condition=expression.type == BOOL)


def _settled(expression: Expression, node: Node, *, condition: bool) -> Iterator[tuple[Node, bool]]:
    found = outcome(expression, node) if condition else None
    if found is not None:
        yield node, found
        return
    inner = _conditions(node)
    for child in children(node):
        yield from _settled(expression, child, condition=child in inner)


def _conditions(node: Node) -> tuple[Node, ...]:
    """Return the children of a node that are conditions."""
    match node:
        case Binary(operator="&&" | "||", left=left, right=right):
            return (left, right)
        case Unary(operator="!", operand=operand):
            return (operand,)
        case Ternary(test=test):
            return (test,)
        case Macro(name="map" | "sum", keep=keep):
            return () if keep is None else (keep,)
        case Macro(body=body):
            return (body,)
        case _:
            return ()


def null_equalities(expression: Expression, present: frozenset[str]) -> Iterator[Binary]:
    """Yield the equalities by which a condition holds where both sides are null.

    `present` are the names that are never null themselves, such as `actor` where somebody is signed in.
    """
    try:
        found = _ways(expression.tree, expression.typing, holds=True)
    except _TooManyError:
        return
    for node in _equalities(expression.tree):
        if all(_may_be_null(side, expression.typing, present) for side in (node.left, node.right)):
            null = both_null(node)
            if any(pair_of(node) in way and joined(way, null) for way in found):
                yield node


def _equalities(node: Node) -> Iterator[Binary]:
    if isinstance(node, Binary) and node.operator == "==":
        yield node
    if not isinstance(node, Macro):
        for child in children(node):
            yield from _equalities(child)


def _may_be_null(node: Node, typing: Typing, present: frozenset[str]) -> bool:
    match node:
        case Name(name=name):
            return name not in present
        case Select(of=of):
            member = typing.members.get(node)
            return (member is None or member.nullable) or _may_be_null(of, typing, present)
        case _:
            return False


def _ways(node: Node, typing: Typing, *, holds: bool) -> list[Way]:
    match node:
        case Binary(operator="&&" | "||" as operator, left=left, right=right):
            sides = _ways(left, typing, holds=holds), _ways(right, typing, holds=holds)
            return _both(*sides) if (operator == "&&") is holds else _few([*sides[0], *sides[1]])
        case Unary(operator="!", operand=operand):
            return _ways(operand, typing, holds=not holds)
        case Ternary(test=test, yes=yes, no=no) if typing.of(node) == BOOL:
            taken = _both(_ways(test, typing, holds=True), _ways(yes, typing, holds=holds))
            left_out = _both(_ways(test, typing, holds=False), _ways(no, typing, holds=holds))
            return _few([*taken, *left_out])
        case _:
            return _way(atom_of(node, typing), holds=holds)


def _way(atom: Atom, *, holds: bool) -> list[Way]:
    values = (atom.values if holds else atom.values.rest()).meet(atom.domain)
    return [{atom.key: values}] if values else []


def _both(left: list[Way], right: list[Way]) -> list[Way]:
    if len(left) * len(right) > 16 * MAX_WAYS:
        raise _TooManyError
    met = (joined(one, other) for one, other in product(left, right))
    return _few([way for way in met if way is not None])


def joined(one: Way, other: Way) -> Way | None:
    """Return the way in which both hold, None where there is none."""
    found = dict(one)
    for key, values in other.items():
        left = found[key].meet(values) if key in found else values
        if not left:
            return None
        found[key] = left
    return found


def _few(found: list[Way]) -> list[Way]:
    if len(found) > MAX_WAYS:
        raise _TooManyError
    return found
