"""The network under check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from definitions.documents import Sources
from definitions.problems import Problem
from definitions.spec.network import Network

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """A network, the definitions (kind, name) in it that have holes, and those that others name; and the documents."""

    network: Network
    damaged: frozenset[tuple[str, str]]
    used: frozenset[tuple[str, str]]
    sources: Sources = field(default_factory=dict)

    def each(
        self, kind: str, definitions: Mapping[str, T], find: Callable[[T], Iterable[Problem]]
    ) -> Iterator[Problem]:
        """Yield what a check finds in each definition by itself; what it found in one before is remembered."""
        for name, definition in definitions.items():
            source = self.sources.get(kind, {}).get(name)
            kept = None if source is None else source.kept.get(find)
            if kept is None or kept[0] is not definition:
                kept = definition, (*find(definition),)
                if source is not None:
                    source.kept[find] = kept
            yield from kept[1]

    def whole(self, kind: str, name: str) -> bool:
        """Whether a definition was built without holes."""
        return (kind, name) not in self.damaged

    def all_whole(self, kind: str) -> bool:
        """Whether every definition of a kind was built without holes."""
        return not any(each == kind for each, _ in self.damaged)
