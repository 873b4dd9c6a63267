"""Documents of a pack by kind and name, and what is kept of them from load to load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from definitions.problems import Place
from definitions.source import Mapping as Keys
from definitions.source import Scalar


@dataclass(slots=True, eq=False)
class Source:
    """A document by its kind and name. `node` is what can be built (None: nothing); `raw` what was written.

    `kept` is what was made of the document before, by the function that made it; it outlives the pack.
    """

    kind: str
    name: str
    place: Place
    node: Keys | None
    raw: Keys | None
    damaged: bool = False
    kept: dict[Callable[..., Any], Any] = field(default_factory=dict)

    def fresh(self) -> Source:
        """Return the document for another pack; what is kept of it is shared."""
        return Source(self.kind, self.name, self.place, self.node, self.raw, self.damaged, self.kept)

    def named(self, key: str) -> list[str]:
        """Return the names below a key as written, broken ones too."""
        found = self.raw.get(key) if self.raw is not None else None
        return list(found.entries) if isinstance(found, Keys) else []

    def word(self, key: str) -> str:
        """Return the word behind a key of what can be built, "" without one."""
        found = self.node.get(key) if self.node is not None else None
        return found.text if isinstance(found, Scalar) else ""


Sources = Mapping[str, Mapping[str, Source]]
