"""Strict CEL: the same trees with the semantics of the specification, errors instead of nulls.

It walks over the tree: conformance matters here, speed does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from definitions.expr.nodes import (
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
    UInt,
    Unary,
)
from definitions.expr.strict_functions import GLOBALS, METHODS, TYPES, refuse
from definitions.expr.strict_values import (
    Map,
    StrictError,
    at_most,
    calculate,
    equal,
    integer,
    is_number,
    less,
    number,
)

Scope = Mapping[str, Any]
_OUTSIDE = ""
"""What stands for the names outside of all macros, for a name with a dot in front."""
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": less,
    "<=": at_most,
    ">": lambda left, right: less(right, left),
    ">=": lambda left, right: at_most(right, left),
}


def run(node: Node, names: Scope) -> Any:
    """Return the value of a tree; raises `StrictError`."""
    match node:
        case Literal():
            return literal(node)
        case Name() | Select():
            return _named(node, names)
        case Has():
            return _has(node, names)
        case Index():
            return _element(run(node.of, names), run(node.index, names))
        case Call():
            return _call(node, names)
        case _:
            return _compound(node, names)


def _compound(node: Unary | Binary | Ternary | ListItems | MapItems | Macro, names: Scope) -> Any:
    match node:
        case Unary():
            return _unary(node, names)
        case Binary():
            return _binary(node, names)
        case Ternary():
            return run(node.yes if _truth(run(node.test, names)) else node.no, names)
        case ListItems():
            return tuple(run(item, names) for item in node.items)
        case MapItems():
            return Map([(run(key, names), run(value, names)) for key, value in node.entries])
        case _:
            return _macro(node, names)


def literal(node: Literal) -> Any:
    """Return the value of strict CEL that a literal stands for; raises `StrictError` for a number beyond 64 bits."""
    value = node.value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return integer(value)
    return value


def dotted(node: Node) -> tuple[str | None, bool]:
    """Return a name with its dots, None for anything else, and whether a dot stands in front of it."""
    match node:
        case Name(name=name, root=root):
            return name, root
        case Select(of=of, field=field):
            before, root = dotted(of)
            return None if before is None else f"{before}.{field}", root
        case _:
            return None, False


def _named(node: Name | Select, names: Scope) -> Any:
    """Return a name with dots, the longest that is known, else the field of what stands before."""
    name, root = dotted(node)
    known = names.get(_OUTSIDE, names) if root else names
    if name is not None and name in known:
        return known[name]
    if name in TYPES:
        return TYPES[name]
    if isinstance(node, Name):
        raise StrictError(f"undeclared reference to '{node.name}'")
    of = run(node.of, names)
    return of[node.field] if isinstance(of, Map) else refuse()


def _has(node: Has, names: Scope) -> bool:
    of = run(node.select.of, names)
    return node.select.field in of if isinstance(of, Map) else bool(refuse())


def _element(of: Any, index: Any) -> Any:
    if isinstance(of, Map):
        return of[index]
    if not isinstance(of, tuple) or not is_number(index):
        return refuse()
    position = number(index)
    if position != int(position) or not 0 <= position < len(of):
        raise StrictError(f"index out of range: {position}")
    return of[int(position)]


def _call(node: Call, names: Scope) -> Any:
    """Call a function; `math.abs(x)` is a function with a dot in its name, `x.abs()` a method."""
    space = node.target.name if isinstance(node.target, Name) else ""
    arguments = [run(argument, names) for argument in node.arguments]
    qualified = f"{space}.{node.name}"
    if qualified in GLOBALS:
        return _applied(GLOBALS[qualified], arguments)
    if node.target is None:
        return _applied(GLOBALS.get(node.name, refuse), arguments)
    return _applied(METHODS.get(node.name, refuse), [run(node.target, names), *arguments])


def _applied(function: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return function(*arguments)
    except TypeError:
        return refuse()


def _truth(value: Any) -> bool:
    return value if isinstance(value, bool) else bool(refuse())


def _unary(node: Unary, names: Scope) -> Any:
    value = run(node.operand, names)
    if node.operator == "!":
        return not _truth(value)
    if not is_number(value) or isinstance(value, UInt):
        return refuse()
    return -value if isinstance(value, float) else integer(-value)


def _binary(node: Binary, names: Scope) -> Any:
    operator = node.operator
    if operator in {"&&", "||"}:
        return _logic(node, names, decides=operator == "||")
    left, right = run(node.left, names), run(node.right, names)
    match operator:
        case "==":
            return equal(left, right)
        case "!=":
            return not equal(left, right)
        case "in":
            return _membership(left, right)
        case "<" | "<=" | ">" | ">=":
            return _ORDERS[operator](left, right)
        case _:
            return calculate(operator, left, right)


def _logic(node: Binary, names: Scope, *, decides: bool) -> bool:
    """Return `&&` or `||`: the side that decides does so even where the other is an error."""
    try:
        if _truth(run(node.left, names)) is decides:
            return decides
    except StrictError:
        if _truth(run(node.right, names)) is decides:
            return decides
        raise
    return _truth(run(node.right, names))


def _membership(value: Any, items: Any) -> bool:
    if isinstance(items, Map):
        return value in items
    return any(equal(each, value) for each in items) if isinstance(items, tuple) else bool(refuse())


def _macro(node: Macro, names: Scope) -> Any:
    of = run(node.of, names)
    if not isinstance(of, tuple | Map):
        return refuse()
    hidden = tuple(f"{name}." for name in node.variables)
    outer = {_OUTSIDE: names, **{name: value for name, value in names.items() if not name.startswith(hidden)}}
    scopes = [{**outer, **own} for own in _variables(of, node.variables)]
    match node.name:
        case "all":
            return not _any(node.body, scopes, wanted=False)
        case "exists":
            return _any(node.body, scopes, wanted=True)
        case "exists_one":
            return sum(_truth(run(node.body, scope)) for scope in scopes) == 1
        case "filter":
            return tuple(scope[node.variables[0]] for scope in scopes if _truth(run(node.body, scope)))
        case _:
            kept = scopes if node.keep is None else [each for each in scopes if _truth(run(node.keep, each))]
            made = [run(node.body, scope) for scope in kept]
            if node.name != "transformMap":
                return tuple(made)
            return Map(zip((scope[node.variables[0]] for scope in kept), made, strict=True))


def _variables(of: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    if len(names) == 1:
        return [{names[0]: each} for each in of]
    pairs = [(key, of[key]) for key in of] if isinstance(of, Map) else enumerate(of)
    return [{names[0]: key, names[1]: value} for key, value in pairs]


def _any(body: Node, scopes: list[dict[str, Any]], *, wanted: bool) -> bool:
    """Whether the body is `wanted` for one of the scopes; an error counts only where none is."""
    failure: StrictError | None = None
    for scope in scopes:
        try:
            if _truth(run(body, scope)) is wanted:
                return True
        except StrictError as error:
            failure = error
    if failure is not None:
        raise failure
    return False
