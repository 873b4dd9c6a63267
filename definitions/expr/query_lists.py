"""Lists in queries: membership and presence, and the lines of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from definitions.expr.dialects import Part, fill, in_range, joined
from definitions.expr.hints import article
from definitions.expr.nodes import Binary, Has, ListItems, Literal, Macro, Node, Select
from definitions.expr.types import DECIMAL, INT, ListOf, RecordOf, is_text
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
    if of_lines(query, node.select):
        return fill("(EXISTS {0})", _select(query, node.select, "1"))
    column = query.value(node.select)
    if isinstance(query.typing.of(node.select), ListOf):
        return fill(f"(COALESCE({query.words.list_size}, 0) > 0)", column)
    return fill("({0} IS NOT NULL)", column)


# lines


def of_lines(query: Query, node: Node) -> bool:
    """Whether a node is the lines of a record, or some of them."""
    if isinstance(node, Macro):
        return node.name == "filter" and len(node.variables) == 1 and of_lines(query, node.of)
    member = query.typing.members.get(node) if isinstance(node, Select) else None
    return member is not None and member.kind == "lines" and query.of_row(node)


def number(query: Query, lines: Node) -> Part:
    """Return how many lines there are."""
    return _select(query, lines, "count(*)")


def loop(query: Query, node: Macro) -> Part:
    """Return what a loop over lines computes; the database has them in no order, and makes no list of them."""
    if len(node.variables) > 1 or node.name not in {"exists", "exists_one", "all", "sum"}:
        sentence = say("'{name}' over lines does not run in the database.", name=node.name)
        return query.refuse(node.start, sentence, say("use exists, all, exists_one, count or sum"))
    match node.name:
        case "sum":
            return _sum(query, node)
        case "exists":
            return fill("(EXISTS {0})", _select(query, node.of, "1", node))
        case "all":
            return fill("(NOT EXISTS {0})", _select(query, node.of, "1", node, negated=True))
        case _:
            return fill("({0} = 1)", _select(query, node.of, "count(*)", node))


def _sum(query: Query, node: Macro) -> Part:
    kind = query.typing.of(node.body)
    if kind not in (INT, DECIMAL):
        return query.refuse(node.start, say("The database adds only numbers."))
    if query.dialect == "sqlite":
        return _select(query, node.of, "expr_sum(json_group_array({0}))", node, body=True)
    total = _select(query, node.of, "CASE WHEN count(*) = count({0}) THEN COALESCE(sum({0}), 0) END", node, body=True)
    return in_range(total) if kind == INT else total


def _select(
    query: Query, lines: Node, what: str, loop: Macro | None = None, *, negated: bool = False, body: bool = False
) -> Part:
    """Return `(SELECT what FROM lines WHERE …)`; the body of the loop is its condition, or `{0}` in `what`."""
    kind = query.typing.of(lines)
    entity = kind.of.entity if isinstance(kind, ListOf) and isinstance(kind.of, RecordOf) else ""
    alias = query.fresh()
    where = _where(query, lines, entity, alias)
    values: list[Part] = []
    if loop is not None:
        outer, query.lines = query.lines, {**query.lines, loop.variables[0]: alias}
        if body:
            values.append(query.number(loop.body))
        else:
            test = query.condition(loop.body, exact=negated)
            where.append(fill("(NOT {0})", test) if negated else test)
        query.lines = outer
    table = query.columns.table(entity)
    selected, condition = fill(what, *values), joined(where, "AND")
    # The names are those of the tables; values are bound.
    text = f'(SELECT {selected.text} FROM {table} AS "{alias}" WHERE {condition.text})'  # noqa: S608
    return Part(text, selected.binds + condition.binds)


def _where(query: Query, lines: Node, entity: str, alias: str) -> list[Part]:
    """Return the conditions under which a row is one of the lines that may be seen."""
    if isinstance(lines, Macro):
        found = _where(query, lines.of, entity, alias)
        outer, query.lines = query.lines, {**query.lines, lines.variables[0]: alias}
        found.append(query.condition(lines.body, exact=False))
        query.lines = outer
        return found
    if not isinstance(lines, Select):
        return [query.refuse(lines.start, say("Only fields of the row can be read in a query."))]
    seen = query.columns.row(entity, alias)
    belongs = fill(f'"{alias}"."parent" = {{0}}', query.stored(lines.of, "id"))
    return [belongs, Part(seen.text, (seen.bind,))]
