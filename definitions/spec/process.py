"""Processes: states and the transitions between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from definitions.charts.chart import ROOT, Chart
from definitions.charts.process import chart_of, leaves_of
from definitions.charts.steps import begin
from definitions.duration import Duration
from definitions.expr.expression import Expression
from definitions.problems import Place
from definitions.spec.entity import Field
from definitions.spec.value import Value
from definitions.text import Text

Colour = Literal["grey", "blue", "green", "amber", "red", "violet"]

Configuration = str | tuple[str, ...]
"""What a record holds of a process: its innermost active state; where states run side by side anywhere in the process,
all of them, in the order written.
"""


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
    """A move from one of `sources` to `target`; `by` None means: every level that may update the record.

    `anywhere`: it was written `from: any`, and is no way out of the target itself. `auto`: nobody takes it; it happens
    when its guard holds, and without one when the state that it leaves is done.
    """

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
    anywhere: bool = False


@dataclass(frozen=True)
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

    @cached_property
    def chart(self) -> Chart:
        """The process as the interpreter takes it."""
        return chart_of(self)

    @cached_property
    def parallel(self) -> bool:
        """Whether states run side by side anywhere in it, so that a record is in a list of them."""
        return any(state.parallel for state in self.states.values())

    @cached_property
    def automatic(self) -> tuple[Transition, ...]:
        """The transitions that nobody takes."""
        return tuple(transition for transition in self.transitions.values() if transition.auto)

    @cached_property
    def approved(self) -> tuple[Transition, ...]:
        """The transitions that others must agree to."""
        return tuple(transition for transition in self.transitions.values() if transition.approval is not None)

    @cached_property
    def initial(self) -> Configuration:
        """What a new record holds."""
        return self.configured(self.chart.leaves(begin(self.chart).after.active))

    @cached_property
    def innermost(self) -> tuple[str, ...]:
        """The states that have none inside, in the order written."""
        return tuple(name for name, state in self.states.items() if not state.children)

    @cached_property
    def below(self) -> Mapping[str, tuple[str, ...]]:
        """The innermost states of each state that has some inside, in the order written."""
        outer = (name for name, state in self.states.items() if state.children)
        return {name: tuple(leaf for leaf in self.innermost if self.chart.is_below(leaf, name)) for name in outer}

    @cached_property
    def lanes(self) -> Mapping[str, tuple[str, ...]]:
        """The innermost states, of which a record is in exactly one: of a process with states side by side those of
        each region (with what is outside of it), by the region's name; of another all of them, by an empty one.
        """
        inside = {name for name, state in self.states.items() if state.parallel for name in state.children}
        regions = [name for name in inside if not any(self.chart.is_below(other, name) for other in inside)]
        return {name: tuple(self._lane(ROOT, name)) for name in self.chart.sort(regions)} or {"": self.innermost}

    def _lane(self, name: str, region: str) -> Iterator[str]:
        node = self.chart.nodes[name]
        if node.kind == "parallel":
            meant = (child for child in node.children if child == region or self.chart.is_below(region, child))
            yield from self._lane(next(meant, node.children[0]), region)
        elif node.children:
            for child in node.children:
                yield from self._lane(child, region)
        else:
            yield name

    def configured(self, leaves: tuple[str, ...]) -> Configuration:
        """Return what a record in these innermost states holds."""
        return leaves if self.parallel else leaves[0]

    def active(self, held: Configuration | None) -> frozenset[str]:
        """Return every state that a record is in: the innermost ones that it holds, and those around them."""
        return self.chart.around(name for name in leaves_of(held) if name in self.states)
