"""Functions in queries."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from definitions.duration import Duration
from definitions.expr import periods, query_lists
from definitions.expr.dialects import Binder, Part, fill, joined
from definitions.expr.evaluate import closure, is_short, states_of
from definitions.expr.expression import Context, Names
from definitions.expr.hints import COMPUTED_FIELD
from definitions.expr.nodes import Call, Node
from definitions.expr.types import DATE, DATETIME, STRING, ListOf, Type, is_text
from definitions.message import say

if TYPE_CHECKING:
    from definitions.expr.query import Query

_INSTEAD = {
    "matches": say("use contains, startsWith or endsWith"),
    "age": say('compare it with a duration, as in age(record.created_at) > duration("72h")'),
    "min": say("write a < b ? a : b"),
    "max": say("write a > b ? a : b"),
    "lowerAscii": say("compare the text as it is written"),
    "upperAscii": say("compare the text as it is written"),
    "getFullYear": say("compare year(…) with a date"),
    "getMonth": say("compare month(…) with a date"),
}
_TEXTS = {"contains", "startsWith", "endsWith"}
_PERIODS: dict[str, periods.Unit] = {"year": "year", "month": "month", "week": "week", "day": "day", "date": "day"}
_SLOTS = 8


def call(query: Query, node: Call) -> Part:
    """Return a function of the row."""
    parts = (*(() if node.target is None else (node.target,)), *node.arguments)
    kinds = [query.typing.of(part) for part in parts]
    if node.name == "is_in":
        return _is_in(query, node)
    if node.name == "is_upline_of":
        return _is_upline_of(query, *parts)
    if node.name in _TEXTS and all(map(is_text, kinds)):
        return fill(query.words.calls[node.name], *(query.value(part) for part in parts))
    if node.name in {"size", "count"} and len(parts) == 1:
        return _size(query, node, parts[0], kinds[0])
    if node.name in _PERIODS and kinds[0] in (DATE, DATETIME):
        return _period(query, _PERIODS[node.name], parts[0], kinds[0])
    if node.name == "round":
        return fill(query.words.calls["round"], *map(query.number, parts))
    return _unable(query, node)


def _unable(query: Query, node: Call) -> Part:
    hint = _INSTEAD.get(node.name, COMPUTED_FIELD)
    return query.refuse(node.at, say("'{name}' over the row does not run in the database.", name=node.name), hint)


def _size(query: Query, node: Call, part: Node, kind: Type) -> Part:
    if is_text(kind):
        return fill(query.words.calls["size"], query.value(part))
    if isinstance(kind, ListOf) and is_text(kind.of):
        return fill(query.words.list_size, query.value(part))
    if query_lists.of_lines(query, part):
        return query_lists.number(query, part)
    return _unable(query, node)


def _is_in(query: Query, node: Call) -> Part:
    """Return whether a state is one of those below the state named."""
    states = sorted(states_of(node, query.typing))
    column = query.value(node.arguments[0])
    names = [Part(query.words.placeholder(STRING), (_constant(state),)) for state in states]
    if isinstance(query.typing.of(node.arguments[0]), ListOf):
        return joined([fill(query.words.list_has, column, name) for name in names], "OR")
    listed = Part(", ".join(name.text for name in names), tuple(bind for name in names for bind in name.binds))
    return fill("({0} IS NOT NULL AND {0} IN ({1}))", column, listed)


def _constant(value: str) -> Binder:
    return lambda _names, _context: (value,)


def _period(query: Query, unit: periods.Unit, part: Node, kind: Type) -> Part:
    if kind == DATE:
        return fill(query.words.period_of_date % unit, query.value(part))
    zone = Part(query.words.placeholder(STRING), (lambda _names, context: (context.timezone.key,),))
    return fill(query.words.period % unit, query.value(part), zone)


# members


def _is_upline_of(query: Query, above: Node, below: Node) -> Part:
    """Return whether the sponsor line of `below` goes on from that of `above`."""
    low = _path(query, below)
    if query.dialect == "sqlite" and not query.of_row(above):
        return fill("({0} > {1} AND {0} < {2})", low, _path(query, above), _path(query, above, after=True))
    start = query.words.calls["startsWith"]
    return fill(f"({start} AND {{0}} <> {{1}})", low, _path(query, above))


def _path(query: Query, member: Node, *, after: bool = False) -> Part:
    """Return the sponsor line of a member; `after`: the first text behind all that begin with it."""
    if query.of_row(member):
        return query.stored(member, "_path")
    evaluate = closure(member, query.typing)

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        record = evaluate(names, context)
        path = record.get("_path") if record is not None else None
        # "0" is the character behind "/", with which every line ends.
        return (f"{path[:-1]}0" if path and after else path,)

    return Part(query.words.placeholder(STRING), (bind,))


# ages


def age(query: Query, node: Call, operator: str, span: Node) -> Part:
    """Return `age(time) operator span` as a comparison of the time with moments computed beforehand."""
    time = node.arguments[0]
    if query.of_row(span):
        return query.refuse(span.start, say("A duration of the row can't be added to a time in a query."))
    column = query.value(time)
    kind = query.typing.of(time)
    inclusive = operator in {">=", "<"}
    known = query.typing.constants.get(span)
    slots = 1 if is_short(known) else _SLOTS
    moments = Part("", (_bind_moments(query, span, kind, slots, inclusive=inclusive),))
    mark = query.words.placeholder(kind)
    first = f"{{0}} < {mark}"
    rest = "".join(f" OR ({{0}} >= {mark} AND {{0}} < {mark})" for _ in range(slots - 1))
    written = _bound_between(f"({first}{rest})", column, moments)
    return written if operator in {">", ">="} else fill("(NOT {0})", written)


def _bound_between(pattern: str, column: Part, moments: Part) -> Part:
    """Fill in a column that stands before every `?`; when it has values of its own they are bound each time anew."""
    text = pattern.replace("{0}", column.text)
    if not column.binds:
        return Part(text, moments.binds)
    before = [part.count("?") for part in pattern.split("{0}")[1:]]

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        own = tuple(value for each in column.binds for value in each(names, context))
        given = iter(moments.binds[0](names, context))
        return tuple(value for count in before for value in (*own, *(next(given) for _ in range(count))))

    return Part(text, (bind,))


def _bind_moments(query: Query, span: Node, kind: Type, slots: int, *, inclusive: bool) -> Binder:
    evaluate = closure(span, query.typing)
    encode = query.columns.encode

    def stored(moment: datetime, context: Context) -> Any:
        value = periods.first_date_from(moment, context) if kind == DATE else moment
        return encode(value, kind)

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        found = evaluate(names, context)
        if not isinstance(found, Duration):
            return (None,) * (2 * slots - 1)
        intervals = periods.reached(found, context, inclusive=inclusive)
        last = intervals[-1][1]
        ends = [moment for interval in intervals[:slots] for moment in interval][1:]
        ends += [last] * (2 * slots - 1 - len(ends))
        return tuple(stored(moment, context) for moment in ends)

    return bind
