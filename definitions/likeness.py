"""Whether two definitions say the same, wherever they stand and whatever they are called."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from typing import Any

from definitions.expr.expression import Expression
from definitions.problems import Place

CALLED = frozenset({"name", "was"})


def plain(definition: Any) -> Any:
    """Return a definition as plain data that is equal for definitions that say the same: without places."""
    match definition:
        case Place():
            return None
        case Expression(text=text):
            return ("=", text)
        case Mapping():
            return tuple((name, plain(value)) for name, value in definition.items())
        case Set():
            return tuple(sorted(map(repr, definition)))
        case tuple() | list():
            return tuple(map(plain, definition))
        case _ if is_dataclass(definition) and not isinstance(definition, type):
            values = ((field.name, getattr(definition, field.name)) for field in fields(definition))
            said = tuple((name, plain(value)) for name, value in values)
            return (type(definition).__name__, said)
        case _:
            return definition


def alike(one: Any, other: Any) -> bool:
    """Whether two definitions say the same; their own names aside."""
    same: bool = _unnamed(one) == _unnamed(other)
    return same


def _unnamed(definition: Any) -> Any:
    kind, said = plain(definition)
    return kind, tuple(pair for pair in said if pair[0] not in CALLED)
