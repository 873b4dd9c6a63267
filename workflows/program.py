"""The steps of an automation as a program: where each stands, and which comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from definitions.spec.automation import Action, Choose, Step
from models.published import Published
from workflows.subscriptions import as_action


@dataclass(frozen=True, slots=True)
class Program:
    """Steps by path; `after` is the path of the step that follows (None: the end), inner steps included."""

    first: str | None
    steps: Mapping[str, Action] = field(default_factory=dict)
    after: Mapping[str, str | None] = field(default_factory=dict)


def compile_program(steps: tuple[Step, ...]) -> Program:
    """Return the program of an automation's steps."""
    found: dict[str, Action] = {}
    after: dict[str, str | None] = {}
    _lay(steps, None, found, after)
    return Program(steps[0].path if steps else None, found, after)


def _lay(steps: tuple[Step, ...], end: str | None, found: dict[str, Action], after: dict[str, str | None]) -> None:
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        action = as_action(step)
        found[step.path] = action
        after[step.path] = end if following is None else following.path
        if isinstance(action, Choose):
            for branch in action.branches:
                _lay(branch.steps, after[step.path], found, after)
            _lay(action.otherwise, after[step.path], found, after)


@lru_cache(maxsize=2048)
def program(version: Published, automation: str) -> Program:
    """Return the program of an automation in a version."""
    return compile_program(version.network.automations[automation].steps)
