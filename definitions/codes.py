"""Every code that the checker can give: what it says, and an example that is wrong and then right.

The codes stand in `problem_codes/`, a file a theme. An example is a few documents beside those of `office.yaml`, or a
pack of its own (`alone`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import yaml

from definitions.pack import load
from definitions.problems import Problem, Severity

FOLDER = Path(__file__).parent / "problem_codes"
THEMES = ("yaml", "schema", "entities", "processes", "expressions", "automations", "access")


@dataclass(frozen=True, slots=True)
class Example:
    """Documents with the mistake, and the same without it; `alone`: they are a whole pack."""

    wrong: str
    right: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of problem. Without an example it takes more than fits on a page."""

    name: str
    says: str
    severity: Severity
    example: Example | None


@cache
def themes() -> Mapping[str, tuple[Code, ...]]:
    """Return the codes of each theme, in the order written."""
    found = {}
    for theme in THEMES:
        written = yaml.safe_load((FOLDER / f"{theme}.yaml").read_text("utf-8"))
        found[theme] = tuple(_code(name, body) for name, body in written.items())
    return found


def codes() -> Mapping[str, Code]:
    """Return every code by name."""
    return {code.name: code for found in themes().values() for code in found}


def _code(name: str, body: Mapping[str, object]) -> Code:
    severity = cast("Severity", body.get("severity", "error"))
    wrong = body.get("wrong")
    if not isinstance(wrong, str):
        return Code(name, str(body["says"]), severity, None)
    right = wrong
    for old, new in cast("Mapping[str, object]", body["mend"]).items():
        right = right.replace(str(old), str(new))
    return Code(name, str(body["says"]), severity, Example(wrong, right, bool(body.get("alone"))))


def problems_of(text: str, *, alone: bool) -> tuple[Problem, ...]:
    """Return what is wrong with the documents of an example."""
    office = {} if alone else {"office.yaml": (FOLDER / "office.yaml").read_text("utf-8")}
    return load({**office, "example.yaml": text}).problems
