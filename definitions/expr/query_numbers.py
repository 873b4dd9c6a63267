"""Numbers in queries: decimals are scaled integers on SQLite, and compared so that an index serves."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from definitions.expr import numbers
from definitions.expr.dialects import Part, fill
from definitions.expr.nodes import MIRRORED, Binary, Call, Literal, Node, Select, Ternary, Unary
from definitions.expr.types import INT

if TYPE_CHECKING:
    from definitions.expr.query import Query


def scaled_pair(query: Query, node: Binary, operator: str) -> tuple[Part, Part] | None:
    """Return both sides as integers of one scale, so that an index serves; None when that can't be done."""
    left, right = _scaled(query, node.left), _scaled(query, node.right)
    if left is not None and right is not None:
        return (left, right) if left.scale == right.scale else None
    if left is not None and not query.of_row(node.right):
        return left, _bound(query, node.right, left.scale or 0, operator)
    if right is not None and not query.of_row(node.left):
        return _bound(query, node.left, right.scale or 0, MIRRORED.get(operator, operator)), right
    return None


def _scaled(query: Query, node: Node) -> Part | None:
    """Return a column of decimals or integers with its scale."""
    if not isinstance(node, Select) or not query.of_row(node):
        return None
    part = query.column(node)
    if query.typing.of(node) == INT:
        return Part(part.text, part.binds, 0)
    return part if part.scale is not None else None


def _bound(query: Query, node: Node, scale: int, operator: str) -> Part:
    return Part("?", (query.computed(node, lambda value, _: rescaled(value, scale, operator)),))


def general(query: Query, node: Node) -> Part:
    """Return a number in the form that the `expr_…` functions take: an integer, or a decimal's text."""
    if not query.of_row(node):
        return query.bound(node)
    part = query.value(node)
    if part.scale is None:
        return part
    return fill(f"expr_unscale({{0}}, {part.scale})", part)


def digits(query: Query, node: Node) -> int:
    """Return how many digits behind the point a decimal can have (6 where it can't be known)."""
    match node:
        case Literal(value=Decimal() as value):
            return max(0, -int(value.as_tuple().exponent))
        case Select():
            member = query.typing.members.get(node)
            return 0 if query.typing.of(node) == INT else (member.scale or 6 if member else 6)
        case Binary(operator="*", left=left, right=right):
            return digits(query, left) + digits(query, right)
        case Binary(operator="+" | "-", left=left, right=right) | Ternary(yes=left, no=right):
            return max(digits(query, left), digits(query, right))
        case Unary(operand=operand):
            return digits(query, operand)
        case Call(name="round", arguments=(_, Literal(value=int() as places))):
            return max(0, places)
        case _:
            return 0 if query.typing.of(node) == INT else 6


def rescaled(value: int | Decimal, scale: int, operator: str) -> int | float:
    """Return the number that a column of scaled integers is compared with, so that the comparison stays exact."""
    exact = Decimal(value).scaleb(scale, numbers.EXACT)
    if exact == exact.to_integral_value():
        rounded = int(exact)
    elif operator == "==":
        return 0.5  # no integer equals it, and so no stored value
    else:
        rounded = int(exact.to_integral_value(ROUND_CEILING if operator in {"<", ">="} else ROUND_FLOOR))
    if numbers.bounded(rounded) is None:
        return float("inf") if rounded > 0 else float("-inf")
    return rounded
