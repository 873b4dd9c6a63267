"""Processes: states and the transitions between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from definitions.duration import Duration
from definitions.expr.expression import Expression
from definitions.problems import Place
from definitions.spec.entity import Field
from definitions.spec.value import Value
from definitions.text import Text

Colour = Literal["grey", "blue", "green", "amber", "red", "violet"]


@dataclass(frozen=True, slots=True)
class State:
    """A state; `parent` names the state it stands in. `children` is in the order written."""

    name: str
    label: Text
    place: Place
    initial: bool = False
    final: bool = False
    colour: Colour = "grey"
    stale_after: Duration | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    parallel: bool = False
    was: str | None = None


@dataclass(frozen=True, slots=True)
class FormField:
    """A question asked before a move. `edits` names the record's field that it fills, None for one of its own."""

    name: str
    field: Field
    required: bool
    place: Place
    edits: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Who must agree before a transition happens."""

    by: tuple[str, ...]
    place: Place
    quorum: int = 1
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """A move from one of `sources` to `target`; `by` None means: every level that may update the record."""

    name: str
    label: Text
    sources: tuple[str, ...]
    target: str
    place: Place
    by: tuple[str, ...] | None = None
    guard: Expression | None = None
    message: Text | None = None
    form: Mapping[str, FormField] = field(default_factory=dict)
    set: Mapping[str, Value] = field(default_factory=dict)
    undo: Duration | None = None
    approval: Approval | None = None
    confirm: bool = False
    bulk: bool = False
    auto: bool = False
    was: str | None = None
    guard_uses_form: bool = False


@dataclass(frozen=True, slots=True)
class Process:
    """A process of an entity. `states` is flat (nested ones too), in the order written; so is `transitions`."""

    name: str
    entity: str
    label: Text
    place: Place
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    moved: Mapping[str, str] = field(default_factory=dict)
    was: str | None = None

    @property
    def initial(self) -> str:
        """The state in which a new record starts (the top-level initial one)."""
        return next(name for name, state in self.states.items() if state.initial and state.parent is None)
