"""The tree of an expression. Every node knows the characters of the text that it was written in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal as OneOf

from definitions.problems import Place

BinaryOperator = OneOf["||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]
UnaryOperator = OneOf["!", "-"]
MacroName = OneOf["all", "exists", "exists_one", "map", "filter", "sum", "transformList", "transformMap"]

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""Comparisons as they read from the other side."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Where a node stands: characters `start` to `end` (exclusive) of the expression's text, from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class UInt:
    """An unsigned literal: `5u` (strict CEL only)."""

    value: int


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Span):
    """A value written out; a number with a point or an exponent is a `Decimal` (a double in strict CEL)."""

    value: bool | int | UInt | Decimal | str | bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class Name(Span):
    """A name of the scope, or a variable of a macro around; with a leading dot in strict CEL (`root`)."""

    name: str
    root: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Select(Span):
    """A field of a record or an entry of a map: `of.field`; `at` is where the field's name begins."""

    of: Node
    field: str
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Has(Span):
    """Whether a field is present: `has(of.field)`."""

    select: Select


@dataclass(frozen=True, slots=True, eq=False)
class Index(Span):
    """An element of a list or an entry of a map: `of[index]`."""

    of: Node
    index: Node


@dataclass(frozen=True, slots=True, eq=False)
class Call(Span):
    """A function `name(arguments)`, or a method `target.name(arguments)`; `at` is where the name begins."""

    name: str
    target: Node | None
    arguments: tuple[Node, ...]
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Unary(Span):
    """`!operand` or `-operand`."""

    operator: UnaryOperator
    operand: Node


@dataclass(frozen=True, slots=True, eq=False)
class Binary(Span):
    """`left operator right`; `at` is where the operator stands."""

    operator: BinaryOperator
    left: Node
    right: Node
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Ternary(Span):
    """`test ? yes : no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, eq=False)
class ListItems(Span):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class MapItems(Span):
    """`{key: value}`."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Macro(Span):
    """A loop: `of.name(variables, body)`; `keep` is the condition of `map` with three arguments.

    `sum(of, variable, body)` is the language's own; two variables stand for index (or key) and value. `transformList`
    and `transformMap` are strict CEL's.
    """

    name: MacroName
    of: Node
    variables: tuple[str, ...]
    body: Node
    keep: Node | None = None


Node = Literal | Name | Select | Has | Index | Call | Unary | Binary | Ternary | ListItems | MapItems | Macro


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below, in the order written."""
    match node:
        case Literal() | Name():
            return ()
        case Select(of=of):
            return (of,)
        case Has(select=select):
            return (select,)
        case Index(of=of, index=index):
            return (of, index)
        case Call(target=target, arguments=arguments):
            return arguments if target is None else (target, *arguments)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case _:
            return _parts(node)


def _parts(node: Ternary | ListItems | MapItems | Macro) -> tuple[Node, ...]:
    match node:
        case Ternary(test=test, yes=yes, no=no):
            return (test, yes, no)
        case ListItems(items=items):
            return items
        case MapItems(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case _:
            return (node.of, node.body) if node.keep is None else (node.of, node.keep, node.body)


def place_at(text: str, place: Place, offset: int) -> Place:
    """Return the place of the character `offset` of a text that begins at `place`; further lines are as indented."""
    before = text[:offset]
    lines = before.count("\n")
    return Place(place.file, place.line + lines, place.column + len(before) - (before.rfind("\n") + 1))
