"""From text to a checked expression."""

from __future__ import annotations

from definitions.expr.expression import Expression
from definitions.expr.scope import Scope
from definitions.expr.types import Type
from definitions.problems import Place

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
    alike. `strict` is CEL as its specification has it. Raises `DefinitionError` with every problem found.
    """
    raise NotImplementedError
