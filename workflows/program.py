"""The steps of an automation as a program: where each stands, and which comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from definitions.spec.automation import Action, ForEach, Step, inside
from models.published import Published
from workflows.subscriptions import as_action


@dataclass(frozen=True, slots=True)
class Program:
    """Steps by path; `after` is the path of the step that follows (None: the end), inner steps included.

    After the last step of a loop comes the loop itself, for its next turn. `around` is the step that a step is in.
    """

    first: str | None
    steps: Mapping[str, Action] = field(default_factory=dict)
    after: Mapping[str, str | None] = field(default_factory=dict)
    around: Mapping[str, str] = field(default_factory=dict)

    def lenient(self, path: str) -> Action | None:
        """Return the innermost step that goes on when what is at `path` fails: that step, or one that it is in."""
        at: str | None = path
        while at is not None:
            if self.steps[at].on_error == "continue":
                return self.steps[at]
            at = self.around.get(at)
        return None


def compile_program(steps: tuple[Step, ...]) -> Program:
    """Return the program of an automation's steps."""
    made = _Layout()
    made.lay(steps, None, None)
    return Program(steps[0].path if steps else None, made.steps, made.after, made.around)


@dataclass(slots=True)
class _Layout:
    steps: dict[str, Action] = field(default_factory=dict)
    after: dict[str, str | None] = field(default_factory=dict)
    around: dict[str, str] = field(default_factory=dict)

    def lay(self, steps: tuple[Step, ...], end: str | None, around: str | None) -> None:
        for step, following in zip(steps, (*steps[1:], None), strict=True):
            action = as_action(step)
            self.steps[step.path] = action
            self.after[step.path] = end if following is None else following.path
            if around is not None:
                self.around[step.path] = around
            for inner in filter(None, inside(action)):
                back = step.path if isinstance(action, ForEach) else self.after[step.path]
                self.lay(inner, back, step.path)


@lru_cache(maxsize=2048)
def program(version: Published, automation: str) -> Program:
    """Return the program of an automation in a version."""
    return compile_program(version.network.automations[automation].steps)
