"""The types of binary operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from definitions.expr.nodes import Binary, ListItems, Node
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBERS,
    STRING,
    Choice,
    ListOf,
    MapOf,
    RecordOf,
    Type,
    fits,
    is_text,
    join,
)
from definitions.message import say

if TYPE_CHECKING:
    from definitions.expr.check import Checker
    from definitions.expr.typing import Variables

_ORDERED = (BOOL, STRING, DATE, DATETIME, DURATION)
_SUMS: dict[tuple[Type, str, Type], Type] = {
    (DATETIME, "+", DURATION): DATETIME,
    (DURATION, "+", DATETIME): DATETIME,
    (DATE, "+", DURATION): DATE,
    (DURATION, "+", DATE): DATE,
    (DURATION, "+", DURATION): DURATION,
    (DATETIME, "-", DURATION): DATETIME,
    (DATE, "-", DURATION): DATE,
    (DURATION, "-", DURATION): DURATION,
    (DATETIME, "-", DATETIME): DURATION,
    (DATE, "-", DATE): DURATION,
}


def infer(checker: Checker, node: Binary, variables: Variables) -> Type:
    """Return the type of `left operator right`."""
    left, right = checker.infer(node.left, variables), checker.infer(node.right, variables)
    match node.operator:
        case "&&" | "||":
            checker.expect(node.left, left, BOOL)
            checker.expect(node.right, right, BOOL)
            return BOOL
        case "==" | "!=":
            return _equality(checker, node, left, right)
        case "<" | "<=" | ">" | ">=":
            return _ordering(checker, node, left, right)
        case "in":
            return _membership(checker, node, left, right)
        case _:
            return _arithmetic(checker, node, left, right)


def _equality(checker: Checker, node: Binary, left: Type, right: Type) -> Type:
    if not _chosen(checker, left, node.right, right):
        _chosen(checker, right, node.left, left)
    if comparable(left, right):
        return BOOL
    checker.report(
        "type", node.at, say("{left} and {right} are never equal.", left=left, right=right), _clash(left, right)
    )
    return BOOL


def comparable(left: Type, right: Type) -> bool:
    """Whether values of the two types may be equal."""
    return join(left, right) is not None or (is_text(left) and is_text(right))


def _chosen(checker: Checker, kind: Type, other_node: Node, other: Type) -> bool:
    """Check the names that a choice is compared with."""
    if isinstance(kind, ListOf) and isinstance(kind.of, Choice) and isinstance(other_node, ListItems):
        return checker.options(kind.of, other_node)
    return isinstance(kind, Choice) and is_text(other) and checker.options(kind, other_node)


def _clash(left: Type, right: Type) -> str:
    pair = {left, right}
    if pair == {DATE, DATETIME}:
        return say("a date and a datetime meet through date(…)")
    if pair in ({INT, STRING}, {DECIMAL, STRING}):
        return say("write the number without quotation marks")
    record = next((kind for kind in (left, right) if isinstance(kind, RecordOf)), None)
    if record is not None and STRING in pair:
        return say("compare one of its fields, such as '.id'")
    lists = next((kind for kind in (left, right) if isinstance(kind, ListOf)), None)
    return say("it is a list: write '… in list'") if lists is not None else ""


def _ordering(checker: Checker, node: Binary, left: Type, right: Type) -> Type:
    both = join(left, right)
    if isinstance(left, Choice) or isinstance(right, Choice):
        checker.report("type", node.at, say("A choice has no order."), say("compare it with '==' or 'in'"))
    elif both is None:
        checker.report(
            "type",
            node.at,
            say("{left} and {right} have no order between them.", left=left, right=right),
            _clash(left, right),
        )
    elif both not in _ORDERED and both not in NUMBERS and both not in (DYN, NULL):
        checker.report("type", node.at, say("{both} has no order.", both=both))
    return BOOL


def _membership(checker: Checker, node: Binary, left: Type, right: Type) -> Type:
    match right:
        case ListOf(of=inner):
            _chosen_of(checker, node, left, inner)
            if not comparable(left, inner):
                checker.report(
                    "type", node.at, say("{left} is never in a {right}.", left=left, right=right), _clash(left, inner)
                )
        case MapOf(key=key):
            if not comparable(left, key):
                checker.report("type", node.at, say("{left} is never a key of a {right}.", left=left, right=right))
        case _:
            if right not in (DYN, NULL):
                hint = say("for a part of a text write text.contains(part)") if is_text(right) else ""
                checker.report(
                    "type", node.at, say("'in' looks into a list or a map, not into {right}.", right=right), hint
                )
    return BOOL


def _chosen_of(checker: Checker, node: Binary, left: Type, inner: Type) -> None:
    if isinstance(left, Choice) and isinstance(node.right, ListItems):
        checker.options(left, node.right)
    elif isinstance(inner, Choice) and is_text(left):
        checker.options(inner, node.left)


def _arithmetic(checker: Checker, node: Binary, left: Type, right: Type) -> Type:
    if DYN in (left, right) or NULL in (left, right):
        return DYN
    operator = node.operator
    if left in NUMBERS and right in NUMBERS and (operator != "%" or left == right == INT):
        return INT if left == right == INT else DECIMAL
    if operator == "+" and is_text(left) and is_text(right):
        return STRING
    if operator == "+" and isinstance(left, ListOf) and isinstance(right, ListOf):
        both = join(left, right)
        if both is not None:
            return both
    found = _SUMS.get((left, operator, right))
    if found is not None:
        return found
    hint = say("turn it into a text: string(…)") if STRING in (left, right) and operator == "+" else ""
    if (DATE in (left, right) or DATETIME in (left, right)) and (fits(left, INT) or fits(right, INT)):
        hint = say("say what the number counts: days(…)")
    return checker.report(
        "type",
        node.at,
        say("'{operator}' does not work on {left} and {right}.", operator=operator, left=left, right=right),
        hint,
    )
