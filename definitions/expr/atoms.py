"""A comparison as what it asks: which values of which term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from definitions.duration import Duration
from definitions.expr.domains import EVERYTHING, ONLY_NULL, PRESENT, Values, ordered, these, whole
from definitions.expr.evaluate import closure, is_age, states_of
from definitions.expr.expression import Context, WorkingCalendar
from definitions.expr.nodes import (
    MIRRORED,
    Binary,
    Call,
    Has,
    Index,
    ListItems,
    Literal,
    Macro,
    MapItems,
    Name,
    Node,
    Select,
    Unary,
    children,
)
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INT,
    STRING,
    Choice,
    ListOf,
    Type,
)
from definitions.expr.typing import Typing

Key = tuple[Any, ...]
"""What a term is: equal keys, equal values."""

_NOWHEN = Context(datetime(1970, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), cast("WorkingCalendar", None))
"""For what asks for neither clock, zone nor calendar."""

_CALENDAR = frozenset({"working_days", "working_hours"})
_WHOLE: tuple[Type, ...] = (INT, DATE)
_COUNTS = frozenset({"size", "count"})
_TRUE = these([True])

_LESS, _SAME, _MORE, _OTHER, _BOTH_NULL, _ONE_NULL = range(6)
"""How two values stand to each other; `_OTHER`: neither before, nor behind, nor equal."""

_HOW = these(range(6))
_STANDING: dict[str, Values] = {
    "<": these([_LESS]),
    "<=": these([_LESS, _SAME]),
    ">": these([_MORE]),
    ">=": these([_MORE, _SAME]),
    "==": these([_SAME, _BOTH_NULL]),
    "!=": these([_LESS, _MORE, _OTHER, _ONE_NULL]),
}


@dataclass(frozen=True, slots=True)
class Atom:
    """A condition without parts: it holds where the term `key`, which has a value of `domain`, has one of `values`."""

    key: Key
    values: Values
    domain: Values = EVERYTHING


def atom_of(node: Node, typing: Typing) -> Atom:
    """Return what a condition asks that is no `&&`, `||`, `!` or choice between two."""
    if is_settled(node, typing):
        return _decided(holds=settled_value(node, typing) is True)
    found: Atom | None = None
    match node:
        case Binary(operator="==" | "!="):
            found = _equality(node, typing)
        case Binary(operator="<" | "<=" | ">" | ">="):
            found = _ordering(node, typing)
        case Binary(operator="in"):
            found = _membership(node, typing)
        case Has(select=select):
            found = _presence(select, typing)
        case Call(name="is_in", target=None):
            found = _within(node, typing)
    return Atom(key_of(node), _TRUE, _BOOLEANS) if found is None else found


def both_null(node: Binary) -> dict[Key, Values]:
    """Return what must be for both sides of an equality to be null."""
    return {
        pair_of(node): these([_BOTH_NULL]),
        key_of(node.left): ONLY_NULL,
        key_of(node.right): ONLY_NULL,
    }


def _decided(*, holds: bool) -> Atom:
    return Atom(("settled", holds), _TRUE, these([holds]))


_BOOLEANS = these([False, True, None])


def _equality(node: Binary, typing: Typing) -> Atom | None:
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if is_settled(other, typing):
            value = settled_value(other, typing)
            if value is not None and not _comparable(typing.of(side), value):
                return None
            values = these([_plain(value)])
            return _asked(side, typing, values if node.operator == "==" else values.rest())
    if key_of(node.left) == key_of(node.right):
        return _decided(holds=node.operator == "==")
    if DURATION in (typing.of(node.left), typing.of(node.right)):
        return None  # equal lengths may be written in several ways
    return Atom(pair_of(node), _STANDING[node.operator], _HOW)


def _ordering(node: Binary, typing: Typing) -> Atom | None:
    for side, other, operator in (
        (node.left, node.right, node.operator),
        (node.right, node.left, MIRRORED[node.operator]),
    ):
        if is_settled(other, typing):
            value = settled_value(other, typing)
            if value is None:
                return _decided(holds=False)
            return _asked(side, typing, ordered(operator, _plain(value))) if _has_order(side, value, typing) else None
    if key_of(node.left) == key_of(node.right):
        return None if node.operator in {"<=", ">="} else _decided(holds=False)
    turned = _is_turned(node)
    return Atom(pair_of(node), _STANDING[MIRRORED[node.operator] if turned else node.operator], _HOW)


def pair_of(node: Binary) -> Key:
    """Return the key of how two terms stand to each other."""
    sides = (node.right, node.left) if _is_turned(node) else (node.left, node.right)
    return ("pair", *map(key_of, sides))


def _is_turned(node: Binary) -> bool:
    return repr(key_of(node.right)) < repr(key_of(node.left))


def _membership(node: Binary, typing: Typing) -> Atom | None:
    items = node.right
    if not isinstance(items, ListItems) or not all(is_settled(item, typing) for item in items.items):
        return None
    values = [settled_value(item, typing) for item in items.items]
    if not all(value is None or _comparable(typing.of(node.left), value) for value in values):
        return None
    return _asked(node.left, typing, these(map(_plain, values)))


def _presence(select: Select, typing: Typing) -> Atom | None:
    """Return the atom of `has(…)`; an empty list is not present."""
    return None if isinstance(typing.of(select), ListOf) else _asked(select, typing, PRESENT)


def _within(node: Call, typing: Typing) -> Atom | None:
    if not isinstance(typing.of(node.arguments[0]), Choice):
        return None
    return _asked(node.arguments[0], typing, these(states_of(node, typing)))


def _asked(node: Node, typing: Typing, values: Values) -> Atom:
    domain = _domain(node, typing)
    if typing.of(node) in _WHOLE:
        values = whole(values)
    return Atom(key_of(node), values, domain)


def _domain(node: Node, typing: Typing) -> Values:
    """Return the values that a term may have."""
    kind = typing.of(node)
    found = EVERYTHING
    if kind == BOOL:
        found = _BOOLEANS
    elif isinstance(kind, Choice):
        found = these([*kind.options, None])
    elif isinstance(node, Call) and node.name in _COUNTS:
        found = Values(ordered(">=", 0).spans, null=True)
    return Values(found.spans) if _is_there(node, typing) else found


def _is_there(node: Node, typing: Typing) -> bool:
    """Whether a term is never null: the time, and what the system keeps of the record at hand."""
    if isinstance(node, Call):
        return node.name in {"now", "today"} and node.target is None
    if not isinstance(node, Select) or not isinstance(node.of, Name) or node.of.name != "record":
        return False
    member = typing.members.get(node)
    return member is not None and not member.nullable and member.kind in {"state", "system"}


def _comparable(kind: Type, value: Any) -> bool:
    """Whether every value that a term of the type may have can be told from a value, as `Values` does."""
    if isinstance(value, Duration):
        return False  # equal lengths may be written in several ways
    return kind in (STRING, BOOL, INT, DECIMAL, DATE, DATETIME) or isinstance(kind, Choice)


def _has_order(node: Node, value: Any, typing: Typing) -> bool:
    """Whether a term is ordered as `Values` are: a length of time only where it and the value are exact."""
    if isinstance(value, Duration):
        return value.is_exact and (is_age(node) or _is_between_times(node, typing))
    return typing.of(node) in (INT, DECIMAL, DATE, DATETIME, STRING)


def _is_between_times(node: Node, typing: Typing) -> bool:
    return isinstance(node, Binary) and {typing.of(node.left), typing.of(node.right)} <= {DATE, DATETIME}


def _plain(value: Any) -> Any:
    return value.exact if isinstance(value, Duration) else value


def is_settled(node: Node, typing: Typing, bound: frozenset[str] = frozenset()) -> bool:
    """Whether a node depends on nothing: no name (the variables `bound` aside), no clock, no calendar."""
    match node:
        case Name(name=name):
            return name in bound
        case Macro(variables=variables):
            bound |= {*variables}
        case Call():
            overload = typing.overloads.get(node)
            if (overload is not None and not overload.pure) or node.name in _CALENDAR:
                return False
    return all(is_settled(child, typing, bound) for child in children(node))


def settled_value(node: Node, typing: Typing) -> Any:
    """Return the value of a node that depends on nothing."""
    if isinstance(node, Literal):
        return node.value
    if node in typing.constants:
        return typing.constants[node]
    return closure(node, typing)({}, _NOWHEN)


def key_of(node: Node) -> Key:
    """Return what a node computes, as a tree that equal nodes have alike."""
    return (type(node).__name__, *_own(node), *(key_of(child) for child in children(node)))


def _own(node: Node) -> Iterable[Any]:
    match node:
        case Literal(value=value):
            return (type(value).__name__, value)
        case Name(name=name):
            return (name,)
        case Select(field=field):
            return (field,)
        case Call(name=name, target=target):
            return (name, target is not None)
        case Unary(operator=operator) | Binary(operator=operator):
            return (operator,)
        case Macro(name=name, variables=variables, keep=keep):
            return (name, variables, keep is not None)
        case Has() | Index() | ListItems() | MapItems() | _:
            return ()
