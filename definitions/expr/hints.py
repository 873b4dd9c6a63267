"""Sentences of the check that help to find the right word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from definitions.expr.types import DYN, NULL, Type

COMPUTED_FIELD = "keep the result in a computed field of the entity"
"""What to do instead of computing something in a query."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" with the nearest name, "" when none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def listed(known: Iterable[str]) -> str:
    """Return the names to choose from, in a sentence."""
    names = [name for name in known if not name.startswith("_")]
    if not names:
        return ""
    return "known are: " + ", ".join(names[:12]) + (", …" if len(names) > 12 else "")


def article(kind: Type) -> str:
    """Return the type with its article."""
    name = str(kind)
    if kind == DYN:
        return "a value of any type"
    return name if kind == NULL else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
