"""What an expression may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from definitions.expr.types import Target, Type

MemberKind = Literal["field", "system", "state", "lines"]


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a record, as expressions see it.

    `stored`: it has a column of its own (False for a parent's lines and for the pseudo-records `settings`, `form`, …).
    `filterable`: the database can compare it (False when encrypted). `scale`: digits behind the point (decimal, money).
    `target`: the definition that it is.
    """

    type: Type
    nullable: bool = True
    stored: bool = True
    filterable: bool = True
    kind: MemberKind = "field"
    scale: int | None = None
    target: Target = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of an expression by type, and the fields of every record type that can be reached from them.

    `row` is the name that stands for the row of the table when the expression runs in the database. `hints` says for a
    name that is not in scope here why, or what to use instead.
    """

    names: Mapping[str, Type]
    records: Mapping[str, Mapping[str, Member]] = field(default_factory=dict)
    row: str = "record"
    hints: Mapping[str, str] = field(default_factory=dict)
