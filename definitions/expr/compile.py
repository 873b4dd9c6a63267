"""From text to a checked expression."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from definitions.expr.check import check
from definitions.expr.evaluate import Evaluate, closure
from definitions.expr.expression import Context, Expression, Names
from definitions.expr.nodes import Name, Node, children
from definitions.expr.parse import parse
from definitions.expr.scope import Scope
from definitions.expr.sql import query_problems
from definitions.expr.strict import run
from definitions.expr.strict_values import StrictError
from definitions.expr.types import DECIMAL, DYN, INT, Type
from definitions.expr.typing import Typing, longest
from definitions.message import say
from definitions.problems import NOWHERE, DefinitionError, Place, Problem

Expected = Type | tuple[Type, ...]


def compile_expression(
    text: str,
    place: Place,
    scope: Scope,
    *,
    expect: Expected | None = None,
    query: bool = False,
    strict: bool = False,
) -> Expression:
    """Return the expression that `text` (without a leading `=`) says; `place` is where its first character stands.

    `expect` is the type (or one of the types) that its place asks for; `query` refuses what databases don't compute
    alike. `strict` is CEL as specified, on the values of `strict_values`: only its syntax is checked, errors are None.
    Raises `DefinitionError` with every problem found.
    """
    tree = parse(text, place, strict=strict)
    if strict:
        return Expression(text, place, tree, DYN, frozenset(), _strictly(tree), Typing(scope))
    wanted = expect if isinstance(expect, tuple) else () if expect is None else (expect,)
    typing, problems = check(text, place, tree, scope, wanted)
    if problems:
        raise DefinitionError(tuple(sorted(problems, key=lambda problem: problem.place)))
    kind = typing.of(tree)
    evaluate = _compiled(tree, typing, place)
    if kind in (INT, DECIMAL) and DECIMAL in wanted and INT not in wanted:
        evaluate = _as_decimal(evaluate)
    made = Expression(text, place, tree, kind, longest(typing.reads), evaluate, typing)
    refused = query_problems(made) if query else []
    if refused:
        raise DefinitionError(tuple(sorted(refused, key=lambda problem: problem.place)))
    return made


def _compiled(tree: Node, typing: Typing, place: Place) -> Evaluate:
    try:
        return closure(tree, typing)
    except (SyntaxError, RecursionError, MemoryError):  # more parentheses in one another than Python reads
        sentence = say("The expression is nested too deeply.")
        hint = say("Keep a part of it in a computed field.")
        raise DefinitionError((Problem("expression.syntax", place, sentence, hint),)) from None


def named(text: str) -> frozenset[str]:
    """Return the names that an expression names, whether they are known or not; none where it can't be read."""
    try:
        nodes = [parse(text, NOWHERE)]
    except DefinitionError:
        return frozenset()
    found = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, Name):
            found.add(node.name)
        nodes.extend(children(node))
    return frozenset(found)


def _strictly(tree: Node) -> Evaluate:
    def evaluate(names: Names, _: Context) -> Any:
        try:
            return run(tree, names)
        except StrictError:
            return None

    return evaluate


def _as_decimal(evaluate: Evaluate) -> Evaluate:
    def converted(names: Names, context: Context) -> Any:
        value = evaluate(names, context)
        return None if value is None else Decimal(value)

    return converted
