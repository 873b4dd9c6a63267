"""The types of expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Target = tuple[str, ...]
"""A definition by kind and names: `("field", entity, name)`; empty for what the product itself has."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A type without parts; `name` is what messages call it."""

    name: str

    def __str__(self) -> str:
        """Return the name."""
        return self.name


BOOL = Scalar("boolean")
INT = Scalar("integer")
UINT = Scalar("unsigned integer")
DOUBLE = Scalar("double")
DECIMAL = Scalar("decimal")
STRING = Scalar("text")
BYTES = Scalar("bytes")
DATE = Scalar("date")
DATETIME = Scalar("datetime")
DURATION = Scalar("duration")
NULL = Scalar("null")
TYPE = Scalar("type")
DYN = Scalar("anything")
"""What is only known when it runs: fields of type `json`, errors already reported."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; `choices` are a list of a choice, a parent's lines a list of records."""

    of: Type

    def __str__(self) -> str:
        """Return `list of …`."""
        return f"list of {self.of}"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map."""

    key: Type
    value: Type

    def __str__(self) -> str:
        """Return `map of … to …`."""
        return f"map of {self.key} to {self.value}"


@dataclass(frozen=True, slots=True)
class RecordOf:
    """A record: `entity` is its key in `Scope.records` (an entity, or `settings`, `network`, a form, …)."""

    entity: str

    def __str__(self) -> str:
        """Return the entity's name."""
        return self.entity


@dataclass(frozen=True, slots=True)
class Choice:
    """A text out of a list: an option of a choice, or the innermost state of a process.

    `groups` maps a state that has states inside to the innermost ones below it, for `is_in`. `home` is the beginning of
    the options' targets.
    """

    name: str
    options: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    home: Target = field(default=(), compare=False)

    def __str__(self) -> str:
        """Return the name of what is chosen."""
        return f"choice of {self.name}"


Type = Scalar | ListOf | MapOf | RecordOf | Choice

NUMBERS: tuple[Type, ...] = (INT, UINT, DOUBLE, DECIMAL)


def at_home(kind: Type, home: Target) -> Type:
    """Return the type with its options at home somewhere; of other types the type itself."""
    if isinstance(kind, ListOf):
        return ListOf(at_home(kind.of, home))
    return replace(kind, home=home) if isinstance(kind, Choice) else kind


def is_text(kind: Type) -> bool:
    """Whether a value of the type is a `str` in memory."""
    return kind == STRING or isinstance(kind, Choice)


def fits(actual: Type, expected: Type) -> bool:
    """Whether a value of type `actual` may stand where `expected` is asked for (null may anywhere)."""
    if actual in (expected, NULL) or DYN in (actual, expected):
        return True
    match expected, actual:
        case ListOf(of=wanted), ListOf(of=given):
            return fits(given, wanted)
        case MapOf(), MapOf():
            return fits(actual.key, expected.key) and fits(actual.value, expected.value)
        case _:
            return (expected == STRING and isinstance(actual, Choice)) or (expected == DECIMAL and actual == INT)


def join(left: Type, right: Type) -> Type | None:
    """Return the type that both fit, None where there is none."""
    if right in (left, NULL) or DYN in (left, right):
        return DYN if right == DYN else left
    if left == NULL:
        return right
    if is_text(left) and is_text(right):
        return STRING
    if isinstance(left, ListOf) and isinstance(right, ListOf):
        inner = join(left.of, right.of)
        return None if inner is None else ListOf(inner)
    return right if fits(left, right) else left if fits(right, left) else None
