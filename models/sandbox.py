"""Jinja for texts of a pack: nothing in it costs much more than the text that it makes, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce, wraps
from operator import ge, gt, le, lt
from typing import Any

from jinja2 import Template, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

LONGEST = 200_000
"""So many letters has a text at most, and anything that is put together on the way to it."""
TURNS = 10_000
"""So many turns all loops of a text take together."""
BITS = 4_096
DECIMALS = 20
_BUDGET = "_turns"
_SHORT, _COUNTED = "_short", "_counted"
_TOO_LONG = "this makes too long a text"


class Turns:
    """The turns of loops that are left."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        """Begin with all."""
        self.left = TURNS

    def take(self) -> None:
        """Take one; `SecurityError` when there is none."""
        self.left -= 1
        if self.left < 0:
            raise SecurityError("the loops of this text take too many turns")


class _Bounds(NodeTransformer):
    """Puts a bound on what makes texts long (`~`, blocks of `set`) and on loops, and orders what may be absent."""

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        if not any(operand.op in _ORDERS for operand in node.ops):
            return node
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        parts = (_comparison(left, operand, node.lineno) for left, operand in zip(sides, node.ops, strict=False))
        return reduce(lambda one, other: nodes.And(one, other, lineno=node.lineno), parts)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        return _filter(self.generic_visit(node), _SHORT, node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = _filter(node.iter, _COUNTED, node.lineno)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.filter = _filter(node.filter, _SHORT, node.lineno)
        return node


def _filter(inner: Any, name: str, line: int, *given: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(inner, name, [*given], [], None, None, lineno=line)


def _comparison(left: nodes.Expr, operand: nodes.Operand, line: int) -> nodes.Expr:
    if operand.op in _ORDERS:
        return _filter(left, f"_{operand.op}", line, operand.expr)
    return nodes.Compare(left, [operand], lineno=line)


def _ordered(order: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    """Return an ordering that is false where one side is absent, as it is in conditions."""
    return lambda left, right: left is not None and right is not None and bool(order(left, right))


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": _ordered(lt),
    "lteq": _ordered(le),
    "gt": _ordered(gt),
    "gteq": _ordered(ge),
}


_OF_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("capitalize", "join", "lower", "replace", "striptags", "title", "trim", "truncate", "upper"), ""),
    **dict.fromkeys(("length", "wordcount"), 0),
    **dict.fromkeys(("abs", "first", "last", "round")),
}
"""What filters make of a value that is absent; the others know by themselves."""


def _absent(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that makes nothing of nothing: Jinja's own would write `NONE`, or fail."""
    if name not in _OF_NOTHING:
        return function
    place = int(hasattr(function, "jinja_pass_arg"))

    @wraps(function)
    def filtered(*given: Any, **more: Any) -> Any:
        return _OF_NOTHING[name] if given[place] is None else function(*given, **more)

    return filtered


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without functions, with these filters, and with bounds. Use `fill`, which counts."""

    intercepted_binops = frozenset(["*", "**", "%", "+", "-", "/", "//"])

    def __init__(self, filters: Mapping[str, Callable[..., Any]], **options: Any) -> None:
        """Nothing is computed while a text is compiled: only `fill` has bounds."""
        super().__init__(optimized=False, **options)
        bounded: Mapping[str, Callable[..., Any]] = {"replace": replace, "join": join, "round": round_to}
        own = {name: _absent(name, bounded.get(name, function)) for name, function in filters.items()}
        self.filters = {
            **own,
            _SHORT: short,
            _COUNTED: counted,
            **{f"_{name}": order for name, order in _ORDERS.items()},
        }
        self.globals = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Bounds().visit(super()._parse(source, name, filename))
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add texts within bounds; multiply numbers only, and only small ones; no powers. Nothing comes of nothing."""
        if left is None or right is None:
            return None
        texts = isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple)
        if operator == "**" or (texts and operator != "+"):
            raise SecurityError(f"'{operator}' is for numbers.")
        whole = isinstance(left, int) and isinstance(right, int)
        if operator == "*" and whole and left.bit_length() + right.bit_length() > BITS:
            raise SecurityError("this number is too big")
        return short(super().call_binop(context, operator, left, right))

    def fill(self, template: Template, names: Mapping[str, Any]) -> str:
        """Return the text of a template; `SecurityError` where it would cost too much."""
        pieces: list[str] = []
        room = LONGEST
        for piece in template.generate({**names, _BUDGET: Turns()}):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise SecurityError(_TOO_LONG)
        return "".join(pieces)


def short(value: Any) -> Any:
    """Return the value; `SecurityError` for a text or a list that is too long."""
    if isinstance(value, str | list | tuple) and len(value) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return value


@pass_context
def counted(context: Context, values: Iterable[Any] | None) -> Iterator[Any]:
    """Yield the values of a loop, each for a turn of the text's budget."""
    turns = context.resolve(_BUDGET)
    for value in () if values is None else values:
        turns.take()
        yield value


def replace(value: Any, old: str, new: str, count: int | None = None) -> str:
    """Return the text with `old` replaced by `new`."""
    text, old, new = str(value), str(old), str(new)
    if len(text) + (text.count(old) + 1) * len(new) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return text.replace(old, new, -1 if count is None else count)


def join(value: Iterable[Any], between: str = "") -> str:
    """Return the values as one text."""
    texts = [str(each) for each in value]
    if sum(map(len, texts)) + len(texts) * len(str(between)) > LONGEST:
        raise SecurityError(_TOO_LONG)
    return str(between).join(texts)


def round_to(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Return a number rounded to at most `DECIMALS` decimals."""
    if abs(int(precision)) > DECIMALS:
        raise SecurityError("no number has so many decimals")
    return FILTERS["round"](value, precision, method)
