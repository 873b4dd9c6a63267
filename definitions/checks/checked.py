"""The network under check."""

from __future__ import annotations

from dataclasses import dataclass

from definitions.spec.network import Network


@dataclass(frozen=True, slots=True)
class Checked:
    """A network, the definitions (kind, name) in it that have holes, and those that others name."""

    network: Network
    damaged: frozenset[tuple[str, str]]
    used: frozenset[tuple[str, str]]

    def whole(self, kind: str, name: str) -> bool:
        """Whether a definition was built without holes."""
        return (kind, name) not in self.damaged

    def all_whole(self, kind: str) -> bool:
        """Whether every definition of a kind was built without holes."""
        return not any(each == kind for each, _ in self.damaged)
