"""JSON with values in it: what a web hook sends."""

from __future__ import annotations

from definitions.build.draft import Around, Draft, entries
from definitions.build.values import computed, is_expression
from definitions.source import Mapping, Node, Sequence, data
from definitions.spec.automation import Body
from definitions.spec.value import Value


def body_of(draft: Draft, node: Node, around: Around) -> Body | None:
    """Return what is written as JSON; a text that begins with `=` is an expression. None where that is wrong."""
    if isinstance(node, Mapping):
        named = ((name, body_of(draft, value, around)) for name, _, value in entries(node))
        return {name: part for name, part in named if part is not None}
    if isinstance(node, Sequence):
        parts = (body_of(draft, item, around) for item in node.items)
        return tuple(part for part in parts if part is not None)
    if is_expression(node):
        return computed(draft, node, around, None)
    return Value(node.place, data(node))
