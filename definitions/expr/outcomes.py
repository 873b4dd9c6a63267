"""Conditions that nothing can change, found by proof: what each comparison leaves of what it speaks about.

A condition is taken apart into ways in which it holds, each with the values that every term must then have. It never
holds when no way is left, always when its negation never does. A term is anything that is no comparison, equal terms
have equal values; where nothing is known every value is possible, so that only what is certain is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from definitions.expr.atoms import Atom, Key, atom_of, both_null, key_of, pair_of
from definitions.expr.domains import Values
from definitions.expr.expression import Expression
from definitions.expr.nodes import Binary, Literal, Macro, Name, Node, Select, Ternary, Unary, children
from definitions.expr.types import BOOL
from definitions.expr.typing import Typing

MAX_WAYS = 64
"""Conditions that hold in more ways are not looked into."""

Way = Mapping[Key, Values]


def outcome(expression: Expression) -> bool | None:
    """Return whether a condition always or never holds; None where that can't be said.

    `null` counts as false. A bare literal is what somebody wanted, and nothing is said of it.
    """
    return _Proof(expression.typing).outcome(expression.tree)


def disjoint(one: Expression, other: Expression) -> bool:
    """Whether two conditions over the same names are proven never to hold both."""
    left = _Proof(one.typing).ways(one.tree, holds=True)
    right = _Proof(other.typing).ways(other.tree, holds=True)
    return left is not None and right is not None and _both(left, right) == []


def settled_parts(expression: Expression) -> Iterator[tuple[Node, bool]]:
    """Yield the largest conditions in an expression that always or never hold, and which."""
    yield from _settled(_Proof(expression.typing), expression.tree, condition=expression.type == BOOL)


def _settled(proof: _Proof, node: Node, *, condition: bool) -> Iterator[tuple[Node, bool]]:
    found = proof.outcome(node) if condition else None
    if found is not None:
        yield node, found
        return
    inner = _conditions(node)
    for child in children(node):
        yield from _settled(proof, child, condition=child in inner)


def contested(expression: Expression, node: Node) -> Node | None:
    """Return what would have to be two things at once for a condition to hold; None where that is not so plain."""
    proof = _Proof(expression.typing)
    met: Way = {}
    for part in _joined_by_and(node):
        ways = proof.ways(part, holds=True)
        if ways is None or len(ways) != 1:
            continue
        both = joined(met, ways[0])
        if both is None:
            clash = next(key for key, values in ways[0].items() if key in met and not met[key].meet(values))
            return next((each for each in _below(expression.tree) if key_of(each) == clash), None)
        met = both
    return None


def _joined_by_and(node: Node) -> Iterator[Node]:
    if isinstance(node, Binary) and node.operator == "&&":
        yield from _joined_by_and(node.left)
        yield from _joined_by_and(node.right)
    else:
        yield node


def _below(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _below(child)


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
    found = _Proof(expression.typing).ways(expression.tree, holds=True) or []
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


class _Proof:
    """What is known of the conditions of one expression; each is looked at once."""

    def __init__(self, typing: Typing) -> None:
        self.typing = typing
        self.known: dict[tuple[Node, bool], list[Way] | None] = {}

    def outcome(self, node: Node) -> bool | None:
        if isinstance(node, Literal):
            return None
        if self.ways(node, holds=True) == []:
            return False
        return True if self.ways(node, holds=False) == [] else None

    def ways(self, node: Node, *, holds: bool) -> list[Way] | None:
        """Return the ways in which a condition holds (or does not); None for too many."""
        if (node, holds) not in self.known:
            self.known[node, holds] = self._ways(node, holds=holds)
        return self.known[node, holds]

    def _ways(self, node: Node, *, holds: bool) -> list[Way] | None:
        match node:
            case Binary(operator="&&" | "||" as operator, left=left, right=right):
                sides = self.ways(left, holds=holds), self.ways(right, holds=holds)
                return _both(*sides) if (operator == "&&") is holds else _either(*sides)
            case Unary(operator="!", operand=operand):
                return self.ways(operand, holds=not holds)
            case Ternary(test=test, yes=yes, no=no) if self.typing.of(node) == BOOL:
                taken = _both(self.ways(test, holds=True), self.ways(yes, holds=holds))
                return _either(taken, _both(self.ways(test, holds=False), self.ways(no, holds=holds)))
            case _:
                return _way(atom_of(node, self.typing), holds=holds)


def _way(atom: Atom, *, holds: bool) -> list[Way]:
    values = (atom.values if holds else atom.values.rest()).meet(atom.domain)
    return [{atom.key: values}] if values else []


def _either(left: list[Way] | None, right: list[Way] | None) -> list[Way] | None:
    if left is None or right is None or len(left) + len(right) > MAX_WAYS:
        return None
    return [*left, *right]


def _both(left: list[Way] | None, right: list[Way] | None) -> list[Way] | None:
    if left == [] or right == []:
        return []
    if left is None or right is None or len(left) * len(right) > 16 * MAX_WAYS:
        return None
    met = [way for one, other in product(left, right) if (way := joined(one, other)) is not None]
    return met if len(met) <= MAX_WAYS else None


def joined(one: Way, other: Way) -> Way | None:
    """Return the way in which both hold, None where there is none."""
    found = dict(one)
    for key, values in other.items():
        left = found[key].meet(values) if key in found else values
        if not left:
            return None
        found[key] = left
    return found
