"""Calls of expressions in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from definitions.duration import Duration, parse_duration
from definitions.expr.nodes import Call, Literal, Macro, Node
from definitions.expr.types import ListOf, is_text
from models.message import Message, say

if TYPE_CHECKING:
    from admin.manual.conditions import Words

NOW, TODAY = say("now"), say("today")
OF_ONE: Mapping[str, Message] = {
    "date": say("the day of {what}"),
    "year": say("the year of {what}"),
    "month": say("the month of {what}"),
    "week": say("the week of {what}"),
    "day": say("the day of {what}"),
    "age": say("the time since {what}"),
    "count": say("the number of {what}"),
    "min": say("the least of {what}"),
    "max": say("the greatest of {what}"),
}
THIS: Mapping[str, Message] = {
    "year": say("this year"),
    "month": say("this month"),
    "week": say("this week"),
    "day": TODAY,
    "date": TODAY,
}
METHODS: Mapping[str, Message] = {
    "contains": say("{what} contains {part}"),
    "startsWith": say("{what} begins with {part}"),
    "endsWith": say("{what} ends with {part}"),
    "is_upline_of": say("{part} is in the downline of {what}"),
}
SPANS: Mapping[str, Callable[[int], Duration]] = {
    "days": lambda count: parse_duration(f"{count}d") or Duration(),
    "working_days": lambda count: Duration(working_days=count),
    "working_hours": lambda count: Duration(working_hours=count),
}
COUNTED: Mapping[str, Message] = {
    "days": say("{what} days"),
    "working_days": say("{what} working days"),
    "working_hours": say("{what} working hours"),
}
LOOPS: Mapping[str, Message] = {
    "all": say("for all of {where}: {what}"),
    "exists": say("for one of {where}: {what}"),
    "exists_one": say("for exactly one of {where}: {what}"),
    "sum": say("the sum of {what} in {where}"),
}
LENGTH, ENTRIES = say("the length of {what}"), say("the number of {what}")
ROUNDED, IN_STATE = say("{what} rounded"), say("{what} is in {state}")


def functions(words: Words, node: Call | Macro) -> Markup | None:
    """Return a call or a loop in words, None where there are none for it."""
    if isinstance(node, Macro):
        return _loop(words, node)
    if node.target is not None:
        return _method(words, node, node.target)
    return _function(words, node)


def _loop(words: Words, node: Macro) -> Markup | None:
    if node.name not in LOOPS or node.keep is not None or len(node.variables) != 1 or words.listed(node.of) is None:
        return None
    inner = words.beside(node.variables[0])
    return words.sentence(LOOPS[node.name], what=inner.condition(node.body), where=words.say(node.of))


def _method(words: Words, node: Call, target: Node) -> Markup | None:
    if node.name == "size" and not node.arguments:
        return _size(words, target)
    if node.name in {"lowerAscii", "upperAscii", "trim"}:
        return words.say(target)
    if node.name not in METHODS or len(node.arguments) != 1:
        return None
    return words.sentence(METHODS[node.name], what=words.say(target), part=words.say(node.arguments[0]))


def _function(words: Words, node: Call) -> Markup | None:
    match node.name, node.arguments:
        case "now", ():
            return words.sentence(NOW)
        case "today", ():
            return words.sentence(TODAY)
        case "size", (what,):
            return _size(words, what)
        case "round", (what, *_):
            return words.sentence(ROUNDED, what=words.say(what))
        case "is_in", (what, Literal() as state):
            return words.sentence(IN_STATE, what=words.say(what), state=words.side(state, what))
        case _:
            return _written(words, node) or _of_one(words, node)


def _written(words: Words, node: Call) -> Markup | None:
    """Return a span or a day that is written out, or a number of days."""
    if len(node.arguments) != 1:
        return None
    if not isinstance(node.arguments[0], Literal):
        counts = COUNTED.get(node.name)
        return None if counts is None else words.sentence(counts, what=words.say(node.arguments[0]))
    given = node.arguments[0].value
    if node.name in SPANS and isinstance(given, int):
        return words.tell.span(SPANS[node.name](given))
    if node.name == "duration" and isinstance(given, str) and (span := parse_duration(given)):
        return words.tell.span(span)
    if node.name == "date" and isinstance(given, str):
        try:
            return escape(words.tell.reader.formats.date(date.fromisoformat(given)))
        except ValueError:
            return None
    return None


def _of_one(words: Words, node: Call) -> Markup | None:
    if node.name not in OF_ONE or not node.arguments:
        return None
    many = node.name in {"min", "max"}
    if len(node.arguments) > 1 and not many:
        return None
    if node.name in THIS and isinstance(node.arguments[0], Call) and node.arguments[0].name in {"now", "today"}:
        return words.sentence(THIS[node.name])
    what = words.tell.all_of([words.say(each) for each in node.arguments])
    return words.sentence(OF_ONE[node.name], what=what)


def counted(node: Node) -> Node | None:
    """Return what a call counts the characters or entries of."""
    match node:
        case Call(name="size", target=None, arguments=(what,)) | Call(name="count", arguments=(what,)):
            return what
        case Call(name="size", target=what, arguments=()):
            return what
        case _:
            return None


def _size(words: Words, what: Node) -> Markup | None:
    kind = words.expression.typing.of(what)
    if is_text(kind):
        return words.sentence(LENGTH, what=words.say(what))
    return words.sentence(ENTRIES, what=words.say(what)) if isinstance(kind, ListOf) else None
