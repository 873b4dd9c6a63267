"""Levels: rules that say more or less than they seem to."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.checks.rights import never
from definitions.expr import Expression
from definitions.expr.nodes import Binary, Has, Node, Select, children, place_at
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.access import EntityAccess, Level, Rule


def check_levels(checked: Checked) -> Iterator[Problem]:
    """Yield levels that read in vain, and rules that hold where both sides of a comparison are empty."""
    if not checked.all_whole("level"):
        return
    for level in checked.network.levels.values():
        if not level.everything:
            yield from _in_vain(level)
        for access in level.entities.values():
            for rule in _rules(access):
                yield from _both_empty(rule.expression) if rule.expression is not None else ()


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


def _both_empty(expression: Expression) -> Iterator[Problem]:
    """Yield the comparisons of the record with who asks that hold where neither has a value."""
    nodes = list(_all(expression.tree))
    tested = {_text(expression, node.select) for node in nodes if isinstance(node, Has)}
    for node in nodes:
        if not isinstance(node, Binary) or node.operator != "==":
            continue
        sides = (node.left, node.right)
        if not all(_may_be_empty(expression, side) for side in sides) or tested & {
            _text(expression, each) for each in sides
        }:
            continue
        if {_root(expression, side) for side in sides} != {"record", "actor"}:
            continue
        written = _text(expression, node)
        sentence = say("'{written}' also holds where both are empty.", written=written)
        hint = say("Write 'has({side}) && …' where that is not meant.", side=_text(expression, node.right))
        yield Problem(
            "level.both_empty", place_at(expression.text, expression.place, node.start), sentence, hint, "warning"
        )


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _all(child)


def _text(expression: Expression, node: Node) -> str:
    return expression.text[node.start : node.end]


def _root(expression: Expression, node: Node) -> str:
    return _text(expression, node).partition(".")[0]


def _may_be_empty(expression: Expression, node: Node) -> bool:
    """Whether a field may be null, or lies behind a reference that may; who asks is somebody."""
    if not isinstance(node, Select):
        return False
    member = expression.typing.members.get(node)
    return member is None or member.nullable or _may_be_empty(expression, node.of)
