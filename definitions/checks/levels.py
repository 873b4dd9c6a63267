"""Levels: rules that say more or less than they seem to."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.checks.rights import never
from definitions.expr import Expression
from definitions.expr.nodes import Node, Select, place_at
from definitions.expr.outcomes import null_equalities
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.access import EntityAccess, Level, Rule

PUBLIC = "public"


def check_levels(checked: Checked) -> Iterator[Problem]:
    """Yield levels that read in vain, and rules that hold where both sides of a comparison are empty."""
    if not checked.all_whole("level"):
        return
    yield from checked.each("level", checked.network.levels, _of_level)


def _of_level(level: Level) -> Iterator[Problem]:
    if not level.everything:
        yield from _in_vain(level)
    for access in level.entities.values():
        for rule in _rules(access):
            yield from _both_empty(rule.expression, level) if rule.expression is not None else ()


def _in_vain(level: Level) -> Iterator[Problem]:
    reading = [access for access in level.entities.values() if not never(access.read)]
    if reading and "consult" not in level.functions:
        sentence = say(
            "The level {level} has rights to read, but not the function 'consult': it reads nothing.", level=level.name
        )
        yield Problem(
            "level.no_consult", reading[0].read.place, sentence, say("Add 'consult' to its functions."), "warning"
        )


def _rules(access: EntityAccess) -> Iterator[Rule]:
    yield from (access.read, access.create, access.update, access.delete)
    for field in access.fields.values():
        yield from (rule for rule in (field.read, field.write) if rule is not None)


def _both_empty(expression: Expression, level: Level) -> Iterator[Problem]:
    """Yield the comparisons of the record with who asks that hold where neither has a value."""
    somebody = frozenset({"record", "actor"} if level.name != PUBLIC else {"record"})
    for node in null_equalities(expression, somebody):
        if {_root(expression, side) for side in (node.left, node.right)} != {"record", "actor"}:
            continue
        written = _text(expression, node)
        sentence = say("'{written}' also holds where both are empty.", written=written)
        hint = say("Write 'has({side}) && …' where that is not meant.", side=_text(expression, node.left))
        if isinstance(node.right, Select):
            hint = say("Write 'has({side}) && …' where that is not meant.", side=_text(expression, node.right))
        yield Problem(
            "level.both_empty", place_at(expression.text, expression.place, node.start), sentence, hint, "warning"
        )


def _text(expression: Expression, node: Node) -> str:
    return expression.text[node.start : node.end]


def _root(expression: Expression, node: Node) -> str:
    return _text(expression, node).partition(".")[0]
