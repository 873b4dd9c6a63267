"""What people call what a plan changes, and the lines of a simulation."""

from __future__ import annotations

from collections.abc import Mapping

from admin.visit import Visit
from models.message import Message, say
from workflows.simulation import HEADS, RESULTS

CHANGES: Mapping[str, tuple[Message, str]] = {
    "added": (say("Added"), "green"),
    "gained": (say("Gained"), "green"),
    "changed": (say("Changed"), "amber"),
    "renamed": (say("Renamed"), "amber"),
    "removed": (say("Removed"), "red"),
    "lost": (say("Lost"), "red"),
}
"""What people call the kinds of change, and their colours."""

COLOURS: Mapping[str, str] = {
    "done": "green",
    "taken": "green",
    "failed": "red",
    "state": "red",
    "right": "red",
    "guard": "red",
    "form": "red",
    "gone": "red",
}
"""The colours of results; others are grey."""


def changes(visit: Visit) -> dict[str, tuple[str, str]]:
    """Return the kinds of change in the visitor's language, with their colours."""
    return {name: (visit.words(label), colour) for name, (label, colour) in CHANGES.items()}


def heads(visit: Visit) -> dict[str, str]:
    """Return the kinds of lines of a simulation in the visitor's language, in the order in which they are told."""
    return {kind: visit.words(label) for kind, label in HEADS.items()}


def results(visit: Visit) -> dict[str, tuple[str, str]]:
    """Return the results of a simulation in the visitor's language, with their colours."""
    return {name: (visit.words(label), COLOURS.get(name, "grey")) for name, label in RESULTS.items()}
