"""Types in templates: what can be compared and reckoned with, so that no message fails for it on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import nodes

from definitions.expr import BOOL, DATE, DATETIME, DECIMAL, DYN, INT, STRING, Choice, ListOf, RecordOf, Type
from definitions.expr.operators import comparable
from definitions.expr.types import NUMBERS, MapOf, is_text
from definitions.message import Message, say
from definitions.problems import did_you_mean

_EQUALITY = frozenset({"eq", "ne"})
_ORDER = frozenset({"lt", "lteq", "gt", "gteq"})
_MEMBER = frozenset({"in", "notin"})
_CONSTANTS: Mapping[type, Type] = {bool: BOOL, int: INT, float: DECIMAL, str: STRING}
Fault = tuple[str, Message, str]
"""A code, a sentence and a hint."""


def _number(kind: Type) -> bool:
    return kind in NUMBERS


def _day(kind: Type) -> bool:
    return kind in {DATE, DATETIME}


def _many(kind: Type) -> bool:
    return is_text(kind) or isinstance(kind, ListOf | MapOf)


_TAKES: Mapping[str, tuple[Callable[[Type], bool], Message]] = {
    **dict.fromkeys(("abs", "round", "money"), (_number, say("It is for numbers."))),
    **dict.fromkeys(("date", "datetime"), (_day, say("It is for dates."))),
    **dict.fromkeys(("first", "last", "join", "length", "truncate"), (_many, say("It is for texts and lists."))),
}
"""What a filter can work on; the others work on anything."""
PASSING = frozenset({"default", "first", "last"})
"""The filters that give on what they are given, or one of it."""
_MADE: Mapping[str, Type] = {
    **dict.fromkeys(("capitalize", "date", "datetime", "join", "label", "lower", "money", "phone", "replace"), STRING),
    **dict.fromkeys(("striptags", "title", "trim", "truncate", "upper"), STRING),
    **dict.fromkeys(("length", "wordcount"), INT),
}


def constant(node: nodes.Node) -> Type:
    """Return the type of what is written out, anything for all else."""
    return _CONSTANTS.get(type(node.value), DYN) if isinstance(node, nodes.Const) else DYN


def compared(left: Type, operator: str, right: Type, written: nodes.Node) -> Fault | None:
    """Return what is wrong with a comparison; `written` is its right side."""
    if operator in _MEMBER:
        return _contained(left, right)
    absent = _absent(left, written) if operator in _EQUALITY else None
    if absent is not None:
        return absent
    fine = DYN in (left, right) or _fits(left, operator, right)
    if fine:
        return None
    sentence = say("{left} and {right} can't be compared so.", left=left, right=right)
    return "template.type", sentence, say("Compare values of the same type.")


def _fits(left: Type, operator: str, right: Type) -> bool:
    if operator in _EQUALITY:
        return comparable(left, right)
    if operator in _ORDER:
        ordered = not isinstance(left, ListOf | RecordOf | Choice) and left != BOOL
        return ordered and (comparable(left, right) or (left in NUMBERS and right in NUMBERS))
    return True


def _contained(left: Type, right: Type) -> Fault | None:
    """Return what is wrong with looking for a value in another."""
    if right != DYN and not _many(right):
        sentence = say("'in' looks into a list or a map, not into {right}.", right=right)
        return "template.type", sentence, say("It is for texts and lists.")
    if left == DYN or _holds(left, right):
        return None
    sentence = say("{left} is never in a {right}.", left=left, right=right)
    return "template.type", sentence, say("Compare values of the same type.")


def _holds(left: Type, right: Type) -> bool:
    if isinstance(right, ListOf):
        return right.of == DYN or comparable(left, right.of) or (left in NUMBERS and right.of in NUMBERS)
    return not is_text(right) or is_text(left)


def _absent(left: Type, written: nodes.Node) -> Fault | None:
    """Return that a choice has no such option, or a process no such state."""
    if not isinstance(left, Choice) or not isinstance(written, nodes.Const) or not isinstance(written.value, str):
        return None
    if written.value in left.options:
        return None
    sentence = say("'{written}' is not an option of {name}.", written=written.value, name=left.name)
    return "template.unknown_option", sentence, did_you_mean(written.value, left.options)


def reckoned(left: Type, operator: type[nodes.Node], right: Type) -> Fault | None:
    """Return what is wrong with a sum, a difference or the like: text, truths and records are no numbers."""
    if _reckonable(left, operator, right):
        return None
    sentence = say("{left} and {right} can't be reckoned with.", left=left, right=right)
    if operator is nodes.Pow:
        return "template.type", sentence, say("Multiply it out.")
    texts = is_text(left) or is_text(right)
    return "template.type", sentence, say("Texts are joined with '~'.") if texts else ""


def _reckonable(left: Type, operator: type[nodes.Node], right: Type) -> bool:
    if operator is nodes.Pow:
        return False
    kinds = left, right
    if operator is not nodes.Add and any(map(is_text, kinds)):
        return False
    if DYN in kinds or (left in NUMBERS and right in NUMBERS):
        return True
    if any(kind == BOOL or isinstance(kind, RecordOf | ListOf) for kind in kinds):
        return False
    if any(map(is_text, kinds)):
        return all(map(is_text, kinds))
    return operator is nodes.Sub and left == right and _day(left)


def total(left: Type, operator: type[nodes.Node], right: Type) -> Type:
    """Return the type of what can be reckoned with."""
    if left in NUMBERS and right in NUMBERS:
        return INT if left == right == INT and operator is not nodes.Div else DECIMAL
    return STRING if is_text(left) and is_text(right) else DYN


def signed(kind: Type, operator: str) -> Fault | None:
    """Return what is wrong with a sign before a value."""
    return None if kind == DYN or kind in NUMBERS else _unfit(operator, kind, say("It is for numbers."))


def filtered(kind: Type, name: str) -> Fault | None:
    """Return what is wrong with a filter behind a value."""
    takes = _TAKES.get(name)
    return None if takes is None or kind == DYN or takes[0](kind) else _unfit(name, kind, takes[1])


def made_by(kind: Type, name: str) -> Type:
    """Return the type of what a filter makes of a value."""
    if name in {"first", "last"}:
        return kind.of if isinstance(kind, ListOf) else kind
    if name in {"abs", "default", "round"}:
        return kind
    return _MADE.get(name, DYN)


def indexed(kind: Type) -> Fault | None:
    """Return what is wrong with taking an item, or a part, of a value."""
    fine = kind == DYN or _many(kind) or isinstance(kind, RecordOf)
    return None if fine else _unfit("[…]", kind, say("It is for texts and lists."))


def looped(kind: Type) -> Fault | None:
    """Return what is wrong with a loop through a value."""
    if kind == DYN or _many(kind):
        return None
    return "template.type", say("A loop goes through a list, not through {kind}.", kind=kind), ""


def unpacked(kind: Type, names: list[str]) -> Fault | None:
    """Return what is wrong with giving a value several names at once: only a list falls into parts."""
    if len(names) == 1 or kind == DYN or isinstance(kind, ListOf):
        return None
    written = ", ".join(names)
    return (
        "template.type",
        say("{kind} does not fall into {written}.", kind=kind, written=written),
        say("Use one name."),
    )


def item(kind: Type) -> Type:
    """Return the type of what a loop through a value gives."""
    return kind.of if isinstance(kind, ListOf) else STRING if is_text(kind) else DYN


def _unfit(word: str, kind: Type, hint: Message) -> Fault:
    return "template.type", say("'{word}' does not work on {kind}.", word=word, kind=kind), hint
