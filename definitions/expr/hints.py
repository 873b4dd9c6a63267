"""Sentences of the check that help to find the right word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from definitions.expr.types import DYN, NULL, Type
from definitions.message import say

COMPUTED_FIELD = say("keep the result in a computed field of the entity")
"""What to do instead of computing something in a query."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "did you mean …?" with the nearest name, "" when none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return say("did you mean '{near}'?", near=near[0]) if near else ""


def listed(known: Iterable[str]) -> str:
    """Return the names to choose from, in a sentence."""
    names = [name for name in known if not name.startswith("_")]
    if not names:
        return ""
    return say("known are: {names}", names=", ".join(names[:12]) + (", …" if len(names) > 12 else ""))


def article(kind: Type) -> str:
    """Return the type with its article."""
    name = str(kind)
    if kind == DYN:
        return say("a value of any type")
    if kind == NULL:
        return name
    return say("an {kind}", kind=name) if name[0] in "aeiou" else say("a {kind}", kind=name)
