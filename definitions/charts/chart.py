"""A statechart as SCXML has them: a tree of states in document order, and the arcs that lead out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Kind = Literal["compound", "parallel", "atomic", "final", "history"]

ROOT = ""
"""The name of the chart itself, in which the outermost states stand."""


@dataclass(frozen=True, slots=True)
class Arc:
    """A way out of `source`. Without `events` it is taken by itself; without `targets` it leads nowhere.

    `inside` is a state that must be active too, `outside` are some that must not. `raises` are events that follow.
    `name` tells its owner what it belongs to.
    """

    source: str
    targets: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    internal: bool = False
    inside: str | None = None
    outside: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A state. `start` leads to where a compound one begins; that of a history is where it begins the first time."""

    name: str
    kind: Kind
    parent: str | None = ROOT
    children: tuple[str, ...] = ()
    start: Arc | None = None
    arcs: tuple[Arc, ...] = ()
    histories: tuple[str, ...] = ()
    deep: bool = False
    entering: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """The states by name, in document order: each before those inside of it; the first is `ROOT`."""

    nodes: Mapping[str, Node]
    kept: dict[object, object] = field(default_factory=dict, compare=False, repr=False)
    """What was worked out before: what a chart does depends on nothing but the question."""

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The place of each state in the document."""
        return {name: place for place, name in enumerate(self.nodes)}

    @cached_property
    def above(self) -> Mapping[str, tuple[str, ...]]:
        """The states around each state, from the innermost to `ROOT`."""
        found: dict[str, tuple[str, ...]] = {}
        for name, node in self.nodes.items():
            found[name] = () if node.parent is None else (node.parent, *found[node.parent])
        return found

    def is_below(self, name: str, other: str) -> bool:
        """Whether a state stands inside of another."""
        return other in self.above[name]

    def sort(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return states in document order."""
        return tuple(sorted(names, key=self.order.__getitem__))

    def is_leaf(self, name: str) -> bool:
        """Whether nothing stands inside of a state."""
        return self.nodes[name].kind in {"atomic", "final"}

    def leaves(self, active: Iterable[str]) -> tuple[str, ...]:
        """Return the innermost of active states, in document order."""
        return self.sort(name for name in active if self.is_leaf(name))

    def around(self, leaves: Iterable[str]) -> frozenset[str]:
        """Return the configuration with these innermost states: they, and all that they stand in."""
        return frozenset(name for leaf in leaves for name in (leaf, *self.above[leaf]) if name != ROOT)

    def common(self, names: Iterable[str]) -> str:
        """Return the innermost compound state around all of them (the least common compound ancestor)."""
        first, *others = names
        for candidate in self.above[first]:
            if self.nodes[candidate].kind == "compound" and all(candidate in self.above[each] for each in others):
                return candidate
        return ROOT
