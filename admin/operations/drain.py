"""A server that is to end: it says so, and lets everybody go elsewhere before it stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

STATE = "drain"
"""What the server's drain is called in the state of its lifespan, and so in that of each request."""


@dataclass
class Drain:
    """Whether the server is to end. Who is answered from then on is told to come back over another connection."""

    begun: bool = False
    _then: list[Callable[[], None]] = field(default_factory=list)

    def then(self, call: Callable[[], None]) -> None:
        """Have something done when it begins."""
        self._then.append(call)

    def begin(self) -> None:
        """Let it begin; a second time does nothing."""
        if self.begun:
            return
        self.begun = True
        for call in self._then:
            call()
