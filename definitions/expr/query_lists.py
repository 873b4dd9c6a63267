"""Lists in queries: membership and presence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from definitions.expr.dialects import Part, fill, joined
from definitions.expr.hints import article
from definitions.expr.nodes import Binary, Has, ListItems, Literal, Node
from definitions.expr.types import DECIMAL, ListOf, is_text
from definitions.message import say

if TYPE_CHECKING:
    from definitions.expr.query import Query


def membership(query: Query, node: Binary) -> Part:
    """Return `left in right`, never NULL."""
    items = node.right
    if isinstance(items, ListItems):
        return _written(query, node, items)
    kind = query.typing.of(items)
    if not isinstance(kind, ListOf) or not is_text(kind.of):
        return query.refuse(node.at, say("In a query, {kind} can't be searched.", kind=article(kind)))
    return fill(query.words.list_has, query.value(items), query.value(node.left))


def _written(query: Query, node: Binary, items: ListItems) -> Part:
    """Return the membership in a list that is written out: one comparison each, or IN for plain values."""
    if not items.items:
        return Part("FALSE")
    if not query.comparable(node, node.left):
        return Part("FALSE")
    plain = all(isinstance(item, Literal) and item.value is not None for item in items.items)
    kinds = {query.typing.of(node.left), *(query.typing.of(item) for item in items.items)}
    if plain and DECIMAL not in kinds:
        values = [query.value(item) for item in items.items]
        listed = Part("(" + ", ".join(value.text for value in values) + ")", tuple(b for v in values for b in v.binds))
        left = query.value(node.left)
        return fill("({0} IS NOT NULL AND {0} IN {1})", left, listed)
    return joined([_same(query, node, item) for item in items.items], "OR")


def _same(query: Query, node: Binary, item: Node) -> Part:
    return query.equality(Binary(node.start, node.end, "==", node.left, item, node.at), exact=True)


def presence(query: Query, node: Has) -> Part:
    """Return `has(field)`; an empty list is not present."""
    column = query.value(node.select)
    if isinstance(query.typing.of(node.select), ListOf):
        return fill(f"(COALESCE({query.words.list_size}, 0) > 0)", column)
    return fill("({0} IS NOT NULL)", column)
