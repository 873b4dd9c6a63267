"""From a typed tree to a Python closure.

The tree becomes the source of one Python function. Nothing of the user's text is in it: texts, numbers and names of
fields are constants that the source refers to by number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeGuard

from definitions.duration import Duration
from definitions.expr import numbers, values
from definitions.expr.expression import Context, Names
from definitions.expr.functions import FAILURES, FUNCTIONS, call
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
    Ternary,
    Unary,
)
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    INT,
    STRING,
    Choice,
    ListOf,
    RecordOf,
    Type,
)
from definitions.expr.typing import Typing

Evaluate = Callable[[Names, Context], Any]

_LONG = timedelta(days=365_000)
_NUMBERS = (INT, DECIMAL)
_DIRECT = (BOOL, INT, DECIMAL, STRING, DATE, DATETIME)
_NUMERIC = {
    "+": numbers.add,
    "-": numbers.subtract,
    "*": numbers.multiply,
    "/": numbers.divide,
    "%": numbers.remainder,
}
_ANY = {"+": values.plus, "-": values.minus, "*": values.times, "/": values.over, "%": values.modulo}
_LOOPS = {
    "all": values.loop_all,
    "exists": values.loop_exists,
    "exists_one": values.loop_exists_one,
    "filter": values.loop_filter,
    "map": values.loop_map,
}


def closure(tree: Node, typing: Typing) -> Evaluate:
    """Return the function that computes a tree; it never raises, what cannot be computed is None."""
    writer = _Writer(typing)
    body = writer.value(tree)
    lines = [f"    {local} = names.get({key})" for key, local in writer.names.values()]
    lines += [f"    {local}_r = {local} or {writer.constant(values.EMPTY)}" for local in sorted(writer.records)]
    lines += ["    budget = Budget()"] if writer.loops else []
    lines = [f"    {line}" for line in [*lines, f"    return {body}"]]
    source = "\n".join(
        ("def evaluate(names, context):", "    try:", *lines, "    except FAILURES:", "        return None")
    )
    space: dict[str, Any] = {**writer.constants, "FAILURES": FAILURES, "Budget": values.Budget, "__builtins__": {}}
    exec(compile(source, "<expression>", "exec"), space)  # noqa: S102 - generated above; the user's text is constants
    made: Evaluate = space["evaluate"]
    return made


class _Writer:
    """Writes the source; `value` gives an expression of exactly the value, `holds` one that is true where it is."""

    def __init__(self, typing: Typing) -> None:
        self.typing = typing
        self.constants: dict[str, Any] = {}
        self.names: dict[str, tuple[str, str]] = {}
        self.records: set[str] = set()
        self.variables: dict[str, str] = {}
        self.counter = 0
        self.loops = False

    def constant(self, value: Any) -> str:
        if value is None or value is True or value is False:
            return str(value)
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def fresh(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}{self.counter}"

    def called(self, function: Callable[..., Any], *arguments: str) -> str:
        return f"{self.constant(function)}({', '.join(arguments)})"

    # dispatch

    def value(self, node: Node) -> str:
        if node in self.typing.constants:
            return self.constant(self.typing.constants[node])
        match node:
            case Literal():
                return self.constant(node.value)
            case Name():
                return self.name(node)
            case Select():
                return self.select(node)
            case Has():
                return self.has(node)
            case Index():
                return self.called(values.index, self.value(node.of), self.value(node.index))
            case _:
                return self.computed(node)

    def computed(self, node: Call | Unary | Binary | Ternary | ListItems | MapItems | Macro) -> str:
        match node:
            case Call():
                return self.call(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
            case Ternary():
                return f"({self.value(node.yes)} if {self.holds(node.test)} else {self.value(node.no)})"
            case ListItems():
                return self.list_items(node)
            case MapItems():
                pairs = [f"({self.value(key)}, {self.value(value)})," for key, value in node.entries]
                return self.called(values.make_map, f"({' '.join(pairs)})")
            case _:
                return self.macro(node)

    def holds(self, node: Node) -> str:
        if isinstance(node, Binary) and node.operator in {"&&", "||"}:
            word = "and" if node.operator == "&&" else "or"
            return f"({self.holds(node.left)} {word} {self.holds(node.right)})"
        written = self.value(node)
        return written if self.typing.of(node) == BOOL else f"({written} is True)"

    # names

    def name(self, node: Name) -> str:
        if node.name in self.variables:
            return self.variables[node.name]
        if node.name not in self.names:
            self.names[node.name] = (self.constant(node.name), f"n{len(self.names)}")
        return self.names[node.name][1]

    def select(self, node: Select) -> str:
        field = self.constant(node.field)
        if not isinstance(self.typing.of(node.of), RecordOf):
            return self.called(values.select, self.value(node.of), field)
        of = self.value(node.of)
        if isinstance(node.of, Name) and node.of.name not in self.variables:
            self.records.add(of)
            return f"{of}_r.get({field})"
        return f"({of} or {self.constant(values.EMPTY)}).get({field})"

    def has(self, node: Has) -> str:
        found = self.value(node.select)
        if isinstance(self.typing.of(node.select), ListOf):
            return f"(not not {found})"
        return f"({found} is not None)"

    # calls

    def call(self, node: Call) -> str:
        parts = (*(() if node.target is None else (node.target,)), *node.arguments)
        overload = self.typing.overloads.get(node)
        if overload is not None:
            if overload is FUNCTIONS["now"].overloads[0]:
                return "context.now"
            return self.called(call(overload.run), "context", *(self.value(part) for part in parts))
        if node.name == "is_in":
            return self.is_in(node)
        extreme = values.smallest if node.name == "min" else values.largest
        if len(parts) == 1 and isinstance(self.typing.of(parts[0]), ListOf):
            return self.called(extreme, self.value(parts[0]))
        return self.called(extreme, f"({''.join(self.value(part) + ', ' for part in parts)})")

    def is_in(self, node: Call) -> str:
        return self.called(values.within, self.value(node.arguments[0]), self.constant(states_of(node, self.typing)))

    # operators

    def binary(self, node: Binary) -> str:
        match node.operator:
            case "&&" | "||":
                return f"(not not {self.holds(node)})"
            case "==":
                return self.equality(node)
            case "!=":
                return f"(not {self.equality(node)})"
            case "<" | "<=" | ">" | ">=":
                return self.ordering(node, node.operator)
            case "in":
                return self.membership(node)
            case operator:
                return self.arithmetic(node, operator)

    def unary(self, node: Unary) -> str:
        if node.operator == "!":
            return f"(not {self.holds(node.operand)})"
        return self.called(values.negate, self.value(node.operand))

    def equality(self, node: Binary) -> str:
        left, right = self.value(node.left), self.value(node.right)
        if "None" in (left, right):
            return f"({left} is {right})"
        if self.direct(node.left) and self.direct(node.right):
            return f"({left} == {right})"
        return self.called(values.equal, left, right)

    def direct(self, node: Node) -> bool:
        kind = self.typing.of(node)
        return kind in _DIRECT or isinstance(kind, Choice)

    def ordering(self, node: Binary, operator: str) -> str:
        if is_age(node.left):
            return self.age(node.left, operator, node.right)
        if is_age(node.right):
            return self.age(node.right, MIRRORED[operator], node.left)
        if self.direct(node.left) and self.direct(node.right):
            tests: list[str] = []
            left, right = self.present(node.left, tests), self.present(node.right, tests)
            return "(" + " and ".join((*tests, f"{left} {operator} {right}")) + ")"
        left, right = self.value(node.left), self.value(node.right)
        if operator in {">", ">="}:
            left, right = right, left
        return self.called(values.less if operator in {"<", ">"} else values.less_or_equal, left, right)

    def present(self, node: Node, tests: list[str]) -> str:
        """Write the value once; add the test that it is there, unless it always is."""
        written = self.value(node)
        if written == "context.now" or (written in self.constants and self.constants[written] is not None):
            return written
        kept = self.fresh("t")
        tests.append(f"({kept} := {written}) is not None")
        return kept

    def age(self, node: Call, operator: str, span: Node) -> str:
        moment = self.value(node.arguments[0])
        known = self.typing.constants.get(span)
        if self.typing.of(node.arguments[0]) == DATETIME and is_short(known):
            kept = self.fresh("t")
            cutoff = f"context.now - {self.constant(known.exact)}"
            return f"(({kept} := {moment}) is not None and {kept} {MIRRORED[operator]} {cutoff})"
        compared = self.called(values.older, moment, self.value(span), "context")
        wanted = {"<": (1,), "<=": (0, 1), ">": (-1,), ">=": (-1, 0)}[operator]
        return f"({compared} in {self.constant(wanted)})"

    def membership(self, node: Binary) -> str:
        items = node.right
        if isinstance(items, ListItems) and self.direct(node.left):
            known = [item.value for item in items.items if isinstance(item, Literal)]
            if len(known) == len(items.items):
                return f"({self.value(node.left)} in {self.constant(frozenset(known))})"
        return self.called(values.contains, self.value(items), self.value(node.left))

    def arithmetic(self, node: Binary, operator: str) -> str:
        left, right = self.value(node.left), self.value(node.right)
        if self.typing.of(node.left) in _NUMBERS and self.typing.of(node.right) in _NUMBERS:
            return self.called(_NUMERIC[operator], left, right)
        return self.called(_ANY[operator], "context", left, right)

    # lists and loops

    def list_items(self, node: ListItems) -> str:
        if all(isinstance(item, Literal) for item in node.items):
            return self.constant(tuple(item.value for item in node.items if isinstance(item, Literal)))
        return "(" + "".join(f"{self.value(item)}, " for item in node.items) + ")"

    def macro(self, node: Macro) -> str:
        self.loops = True
        of = self.value(node.of)
        if node.keep is not None:
            of = self.called(values.loop_filter, of, *self.looped(node, node.keep, truth=True))
        body = self.looped(node, node.body, truth=node.name not in {"map", "sum"})
        if node.name == "sum":
            return self.called(values.loop_sum, "context", of, *body)
        return self.called(_LOOPS[node.name], of, *body)

    def looped(self, node: Macro, body: Node, *, truth: bool) -> tuple[str, str, str]:
        outer = self.variables
        own = {name: self.fresh("v") for name in node.variables}
        self.variables = {**outer, **own}
        written = self.holds(body) if truth else self.value(body)
        self.variables = outer
        return self.constant(len(own)), f"lambda {', '.join(own.values())}: {written}", "budget"


def is_age(node: Node) -> TypeGuard[Call]:
    """Whether a node is `age(…)`, which is compared by adding the duration to the time."""
    return isinstance(node, Call) and node.target is None and node.name == "age"


def states_of(node: Call, typing: Typing) -> frozenset[str]:
    """Return the innermost states that `is_in(…, "state")` means."""
    kind: Type = typing.of(node.arguments[0])
    choice = kind.of if isinstance(kind, ListOf) else kind
    state = node.arguments[1]
    if not isinstance(choice, Choice) or not isinstance(state, Literal):
        return frozenset()
    name = str(state.value)
    return frozenset(choice.groups.get(name, (name,)))


def is_short(span: object) -> TypeGuard[Duration]:
    """Whether a duration is exact and can be taken from any now of our time."""
    return isinstance(span, Duration) and span.is_exact and abs(span.exact) < _LONG
