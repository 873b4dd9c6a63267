"""Expressions of the query subset as SQL that computes what the closure computes, nulls included.

What does not depend on the row is computed in Python and bound. A condition that need not be exact may be NULL where it
is false: that lets an index serve; below a negation or as a value it is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from definitions.expr import numbers, query_calls, query_lists, query_numbers
from definitions.expr.dialects import WORDS, Binder, Part, arithmetic, fill, joined
from definitions.expr.evaluate import closure, is_age
from definitions.expr.expression import Context, Names
from definitions.expr.hints import COMPUTED_FIELD, article
from definitions.expr.nodes import (
    MIRRORED,
    Binary,
    Call,
    Has,
    Literal,
    Macro,
    Name,
    Node,
    Select,
    Ternary,
    Unary,
    children,
    place_at,
)
from definitions.expr.template import Columns, Dialect, nothing
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    INT,
    NULL,
    STRING,
    Choice,
    ListOf,
    RecordOf,
    Type,
    is_text,
)
from definitions.expr.typing import Typing
from definitions.message import say
from definitions.problems import Place, Problem

_COMPARED: tuple[Type, ...] = (BOOL, INT, DECIMAL, STRING, DATE, DATETIME)
_NUMBERS: tuple[Type, ...] = (INT, DECIMAL)


class Query:
    """Writes the SQL of one expression; what it can't write becomes a problem."""

    def __init__(self, text: str, place: Place, typing: Typing, dialect: Dialect, columns: Columns, alias: str) -> None:
        """Begin over the row `alias`."""
        self.text = text
        self.place = place
        self.typing = typing
        self.dialect = dialect
        self.columns = columns
        self.alias = alias
        self.words = WORDS[dialect]
        self.problems: list[Problem] = []
        self.aliases = 0
        self.lines: dict[str, str] = {}
        """The aliases of the lines that loops run over, by variable."""

    def refuse(self, at: int, message: str, hint: str = COMPUTED_FIELD) -> Part:
        """Keep a problem."""
        where = place_at(self.text, self.place, at)
        self.problems.append(Problem("expression.not_in_query", where, message, hint))
        return Part("NULL")

    def of_row(self, node: Node) -> bool:
        """Whether a node depends on the row."""
        match node:
            case Name(name=name):
                return name == self.typing.scope.row or name in self.lines
            case Macro(of=of, variables=variables) if self.typing.scope.row in variables:
                return self.of_row(of)
            case _:
                return any(self.of_row(child) for child in children(node))

    # values from outside the row

    def computed(self, node: Node, convert: Callable[[Any, Context], Any]) -> Binder:
        """Return what computes a node in Python and converts it (None stays None)."""
        evaluate = closure(node, self.typing)

        def bind(names: Names, context: Context) -> tuple[Any, ...]:
            value = evaluate(names, context)
            return (None if value is None else convert(value, context),)

        return bind

    def bound(self, node: Node) -> Part:
        """Return the `?` of a node that does not depend on the row."""
        kind = self.typing.of(node)
        if kind == NULL:
            return Part("NULL")
        encode = self.columns.encode
        if kind == DECIMAL:
            store = numbers.canonical if self.dialect == "sqlite" else Decimal
            return Part(self.words.placeholder(kind), (self.computed(node, lambda value, _: store(value)),))
        return Part(self.words.placeholder(kind), (self.computed(node, lambda value, _: encode(value, kind)),))

    # columns

    def column(self, node: Node) -> Part:
        """Return the stored value of the row's field, or of a field that its references lead to."""
        if isinstance(node, Name):
            return self.stored(node, "id")
        if not isinstance(node, Select):
            return self.refuse(node.start, say("Only fields of the row can be read in a query."))
        member = self.typing.members.get(node)
        if member is not None and not member.stored:
            return self.refuse(node.at, say("'{field}' is not a column of the table.", field=node.field))
        if member is not None and not member.filterable:
            return self.refuse(
                node.at, say("'{field}' is encrypted: it can't be filtered or sorted.", field=node.field), ""
            )
        return self.stored(node.of, node.field)

    def stored(self, of: Node, field: str) -> Part:
        """Return a column of the record that `of` selects."""
        entity = self.typing.of(of)
        if not isinstance(entity, RecordOf):
            return self.refuse(of.start, say("Only fields of records can be read in a query."))
        if isinstance(of, Name):
            return self._of(entity.entity, self.lines.get(of.name, self.alias), field)
        reference = self.column(of)
        if field == "id":
            return reference
        alias = self.fresh()
        value, identity = self._of(entity.entity, alias, field), self._of(entity.entity, alias, "id")
        table = self.columns.table(entity.entity)
        # The names are those of the tables; values are bound.
        read = fill(f'(SELECT {{0}} FROM {table} AS "{alias}" WHERE {{1}} = {{2}})', value, identity, reference)  # noqa: S608
        return Part(read.text, read.binds, value.scale)

    def fresh(self) -> str:
        """Return an alias for one more table."""
        self.aliases += 1
        return f"{self.alias}_r{self.aliases}"

    def _of(self, entity: str, alias: str, field: str) -> Part:
        template = self.columns.value(entity, alias, field)
        return Part(template.text, () if template.bind is nothing else (template.bind,), template.scale)

    # conditions

    def condition(self, node: Node, *, exact: bool) -> Part:
        """Return a condition; unless `exact` it may be NULL where it is false."""
        if not self.of_row(node):
            return self._settled(node)
        match node:
            case Binary():
                return self._binary(node, exact=exact)
            case Unary(operator="!", operand=operand):
                return fill("(NOT {0})", self.condition(operand, exact=True))
            case Has():
                return query_lists.presence(self, node)
            case Macro() if query_lists.of_lines(self, node.of):
                return query_lists.loop(self, node)
            case _:
                return self._coalesced(self._boolean(node), exact=exact)

    def _binary(self, node: Binary, *, exact: bool) -> Part:
        match node.operator:
            case "&&" | "||":
                sides = [self.condition(side, exact=exact) for side in (node.left, node.right)]
                return joined(sides, "AND" if node.operator == "&&" else "OR")
            case "==" | "!=":
                return self.equality(node, exact=exact)
            case "in":
                return query_lists.membership(self, node)
            case _:
                return self._coalesced(self.ordering(node), exact=exact)

    def _coalesced(self, part: Part, *, exact: bool) -> Part:
        return fill("COALESCE({0}, FALSE)", part) if exact else part

    def _settled(self, node: Node) -> Part:
        evaluate = closure(node, self.typing)
        encode = self.columns.encode

        def bind(names: Names, context: Context) -> tuple[Any, ...]:
            return (encode(evaluate(names, context) is True, BOOL),)

        if isinstance(node, Literal):
            return Part("TRUE" if node.value is True else "FALSE")
        return Part(self.words.placeholder(BOOL), (bind,))

    def _boolean(self, node: Node) -> Part:
        """Return a boolean that may be NULL where the closure's is null."""
        match node:
            case Call():
                return query_calls.call(self, node)
            case Ternary():
                return self._ternary(node)
            case Name() | Select():
                return self.column(node)
            case _:
                return self.value(node)

    # comparisons

    def equality(self, node: Binary, *, exact: bool) -> Part:
        """Return `==` or `!=`: null equals only null."""
        left, right = node.left, node.right
        pattern = self.words.same if node.operator == "==" else self.words.differs
        for one, other in ((left, right), (right, left)):
            if self.typing.of(one) == NULL:
                return fill("({0} IS NULL)" if node.operator == "==" else "({0} IS NOT NULL)", self.value(other))
        if not self.comparable(node, left, right):
            return Part("NULL")
        if self._numeric(left, right):
            return self._same_numbers(node, pattern)
        certain = any(isinstance(side, Literal) for side in (left, right))
        if certain and node.operator == "==" and not exact:
            pattern = "({0} = {1})"
        return fill(pattern, self.value(left), self.value(right))

    def comparable(self, node: Binary, *sides: Node) -> bool:
        """Whether the database can compare values of these types; if not, say so."""
        for side in sides:
            kind = self.typing.of(side)
            if kind not in _COMPARED and not isinstance(kind, Choice | RecordOf):
                hint = say("write '\"option\" in record.field'") if isinstance(kind, ListOf) else COMPUTED_FIELD
                self.refuse(node.at, say("In a query, {kind} can't be compared.", kind=article(kind)), hint)
                return False
        return True

    def _numeric(self, left: Node, right: Node) -> bool:
        """Whether numbers of different forms meet (SQLite keeps decimals as scaled integers)."""
        kinds = (self.typing.of(left), self.typing.of(right))
        return self.dialect == "sqlite" and DECIMAL in kinds

    def _same_numbers(self, node: Binary, pattern: str) -> Part:
        pair = query_numbers.scaled_pair(self, node, "==")
        if pair is not None:
            return fill(pattern, *pair)
        same = fill("expr_equal({0}, {1})", self.number(node.left), self.number(node.right))
        return same if node.operator == "==" else fill("(NOT {0})", same)

    def ordering(self, node: Binary) -> Part:
        """Return `<`, `<=`, `>` or `>=`; NULL with null."""
        for age, span, operator in (
            (node.left, node.right, node.operator),
            (node.right, node.left, MIRRORED[node.operator]),
        ):
            if is_age(age) and self.of_row(age):
                return query_calls.age(self, age, operator, span)
        if not self.comparable(node, node.left, node.right):
            return Part("NULL")
        if self._numeric(node.left, node.right):
            pair = query_numbers.scaled_pair(self, node, node.operator)
            if pair is not None:
                return fill(f"({{0}} {node.operator} {{1}})", *pair)
            compared = fill(
                "expr_compare({0}, {1})",
                query_numbers.general(self, node.left),
                query_numbers.general(self, node.right),
            )
            return fill(f"({{0}} {node.operator} 0)", compared)
        left, right = self.value(node.left), self.value(node.right)
        if is_text(self.typing.of(node.left)):
            right = fill(self.words.text_order, right)
        return fill(f"({{0}} {node.operator} {{1}})", left, right)

    # values

    def value(self, node: Node) -> Part:
        """Return the value of a node, NULL where the closure's is null."""
        if not self.of_row(node):
            return self.bound(node)
        match node:
            case Call():
                return query_calls.call(self, node)
            case Ternary():
                return self._ternary(node)
            case Has() | Unary() | Binary():
                return self._operation(node)
            case Name() | Select():
                return self.column(node)
            case Macro() if query_lists.of_lines(self, node.of):
                return query_lists.loop(self, node)
            case Macro():
                return self.refuse(
                    node.start, say("'{name}' over the row's lists does not run in the database.", name=node.name)
                )
            case _:
                return self.refuse(node.start, say("This does not run in the database."))

    def number(self, node: Node) -> Part:
        """Return a number as the arithmetic of the database takes it."""
        return query_numbers.general(self, node) if self.dialect == "sqlite" else self.value(node)

    def _operation(self, node: Has | Unary | Binary) -> Part:
        match node:
            case Unary(operator="-"):
                return self._negative(node)
            case Binary(operator="+" | "-" | "*" | "/" | "%"):
                return self._arithmetic(node)
            case _:
                return self.condition(node, exact=True)

    def _ternary(self, node: Ternary) -> Part:
        test = self.condition(node.test, exact=False)
        write = self.number if self.typing.of(node) in _NUMBERS else self.value
        return fill("CASE WHEN {0} THEN {1} ELSE {2} END", test, write(node.yes), write(node.no))

    def _negative(self, node: Unary) -> Part:
        kind = self.typing.of(node)
        if kind not in _NUMBERS:
            return self.refuse(node.start, say("The negative of a {kind} does not run in the database.", kind=kind))
        if self.dialect == "sqlite":
            return fill("expr_negate({0})", self.number(node.operand))
        return arithmetic(self.dialect, "-", kind, Part("0"), self.value(node.operand))

    def _arithmetic(self, node: Binary) -> Part:
        kind = self.typing.of(node)
        if kind == STRING:
            return fill("({0} || {1})", self.value(node.left), self.value(node.right))
        if kind not in _NUMBERS:
            hint = say('compare the field with a computed time, as in record.created_at < now() - duration("72h")')
            return self.refuse(
                node.at,
                say("'{operator}' over {kind} does not run in the database.", operator=node.operator, kind=kind),
                hint,
            )
        if kind == DECIMAL and node.operator == "/":
            return self.refuse(
                node.at, say("Division of decimals differs between databases."), say("multiply the other side")
            )
        return arithmetic(self.dialect, node.operator, kind, self.number(node.left), self.number(node.right))
