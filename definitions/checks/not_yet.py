"""What the language has and the runtime does not do yet: refused, so that nothing is silently left out."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.message import say
from definitions.problems import Place, Problem
from definitions.source import Entry, Mapping, Node, Scalar, Sequence

LATER_KINDS = frozenset(
    {"site", "shop", "sequence", "subscription", "pool", "sla", "segment", "campaign", "flow", "meter"}
)

LATER = {
    "automation": (
        "when/form",
        "when/*/form",
    ),
}
"""By kind, the paths that are refused: `*` is any name or item, `**` any way down the steps, `=…` a value."""


def refuse_not_yet(kind: str, node: Mapping) -> list[Problem]:
    """Return a problem for each place of a document that the runtime can't do yet."""
    found = []
    for path in LATER.get(kind, ()):
        pattern, _, value = path.partition("=")
        for place, key in _matches(node, pattern.split("/"), value):
            shown = f"{key}: {value}" if value else key
            hint = say("Leave it out for now.")
            found.append(Problem("language.not_yet", place, say("'{shown}' can't be run yet.", shown=shown), hint))
    return found


def _matches(node: Node, parts: list[str], value: str) -> Iterator[tuple[Place, str]]:
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _in_steps(node, rest, value)
    elif isinstance(node, Sequence) and head == "*":
        for item in node.items:
            yield from _matches(item, rest, value)
    elif isinstance(node, Mapping):
        for key, entry in node.entries.items():
            if head in {"*", key}:
                yield from _matches(entry.value, rest, value) if rest else _here(entry, value)


def _here(entry: Entry, value: str) -> Iterator[tuple[Place, str]]:
    if not value:
        yield entry.key.place, entry.key.text
    elif isinstance(entry.value, Scalar) and entry.value.text.lower() == value:
        yield entry.value.place, entry.key.text


def _in_steps(node: Node, parts: list[str], value: str) -> Iterator[tuple[Place, str]]:
    """Yield the matches in the steps of an automation, those of branches too."""
    if not isinstance(node, Mapping):
        return
    for name in ("do", "else", "choose"):
        below = node.get(name)
        for item in below.items if isinstance(below, Sequence) else ():
            if name != "choose":
                yield from _matches(item, parts, value)
            yield from _in_steps(item, parts, value)
