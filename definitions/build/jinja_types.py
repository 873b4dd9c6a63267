"""Types in templates: what can be compared and reckoned with, so that no message fails for it on its way."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import nodes

from definitions.expr import BOOL, DECIMAL, DYN, INT, STRING, Choice, ListOf, RecordOf, Type
from definitions.expr.operators import comparable
from definitions.expr.types import NUMBERS, is_text
from definitions.message import Message, say
from definitions.problems import did_you_mean

_EQUALITY = frozenset({"eq", "ne"})
_ORDER = frozenset({"lt", "lteq", "gt", "gteq"})
_CONSTANTS: Mapping[type, Type] = {bool: BOOL, int: INT, float: DECIMAL, str: STRING}
Fault = tuple[str, Message, str]
"""A code, a sentence and a hint."""


def constant(node: nodes.Node) -> Type:
    """Return the type of what is written out, anything for all else."""
    return _CONSTANTS.get(type(node.value), DYN) if isinstance(node, nodes.Const) else DYN


def compared(left: Type, operator: str, right: Type, written: nodes.Node) -> Fault | None:
    """Return what is wrong with a comparison; `written` is its right side."""
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
    if DYN in (left, right) or (left in NUMBERS and right in NUMBERS):
        return None
    texts = is_text(left), is_text(right)
    odd = [kind for kind in (left, right) if kind == BOOL or isinstance(kind, RecordOf | ListOf)]
    joined = operator is nodes.Add and all(texts)
    if not odd and (joined or not any(texts) or (operator in {nodes.Mul, nodes.Mod} and texts[0])):
        return None
    sentence = say("{left} and {right} can't be reckoned with.", left=left, right=right)
    return "template.type", sentence, say("Texts are joined with '~'.")
