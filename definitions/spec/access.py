"""Levels of access and the terms that members accept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from definitions.expr.expression import Expression
from definitions.problems import Place
from definitions.text import Text

Reach = Literal["all", "mine", "downline", "none"]
Function = Literal["consult", "communicate", "import", "export", "analyse"]
FUNCTIONS: tuple[Function, ...] = ("consult", "communicate", "import", "export", "analyse")
EVERYDAY: frozenset[Function] = frozenset({"consult", "communicate", "analyse"})
"""What a level has that says nothing of functions; carrying many records in or out is granted by name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which records: a reach, or (`reach` None) those for which the expression over `record` and `actor` holds."""

    place: Place
    reach: Reach | None = "none"
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where a field may be read and written; None follows the entity's read and update."""

    read: Rule | None
    write: Rule | None
    place: Place


@dataclass(frozen=True, slots=True)
class EntityAccess:
    """What a level may do with an entity's records. `transitions` None does not narrow `by`."""

    entity: str
    place: Place
    read: Rule
    create: Rule
    update: Rule
    delete: Rule
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    transitions: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A level. `administration` marks `leader`; `everything` a leader that the pack does not declare."""

    name: str
    label: Text
    place: Place
    entities: Mapping[str, EntityAccess]
    functions: frozenset[Function] = EVERYDAY
    administration: bool = False
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """A text that members of the levels `levels` (all when empty) accept at sign-in, once a version."""

    name: str
    label: Text
    body: Text
    version: str
    place: Place
    levels: tuple[str, ...] = ()
