"""What is wrong with a pack, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from definitions.message import say

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a pack's file; `file` is relative to the pack, `line` and `column` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return the place as `file:line:column`."""
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("", 1, 1)
"""The place of what Maille itself defines (the built-in member entity, the implied levels)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable code, one sentence, and a way out."""

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Severity = "error"


class DefinitionError(Exception):
    """The definitions have errors; `problems` lists all of them, sorted by place."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep every problem; the message shows the first."""
        self.problems = problems
        first = problems[0] if problems else None
        super().__init__(f"{first.place}: {first.code}: {first.message}" if first else "no problem")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the hint for a word that nobody knows: the nearest known one, else all when they are few, else ""."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return say("did you mean '{near}'?", near=near[0])
    if 0 < len(names) <= 8:
        return say("one of: {names}", names=", ".join(names))
    return ""


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems sorted by place, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.place, p.severity, p.code, p.message)))
