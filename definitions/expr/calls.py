"""The types of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from definitions.duration import MOST_WORKING
from definitions.expr.functions import FUNCTIONS, METHODS, SPECIAL, Function, Overload, call, is_pattern
from definitions.expr.hints import suggestion
from definitions.expr.nodes import Call, Literal, Node
from definitions.expr.periods import parse_duration
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DURATION,
    DYN,
    NULL,
    NUMBERS,
    STRING,
    Choice,
    ListOf,
    Type,
    fits,
    join,
)
from definitions.message import either, say

if TYPE_CHECKING:
    from definitions.expr.check import Checker
    from definitions.expr.typing import Variables

_FORMATS = {
    "duration": say('as in duration("72h") or duration("6 months")'),
    "date": say('as in date("2026-11-30")'),
    "timestamp": say('as in timestamp("2026-11-30T10:00:00Z")'),
}


def infer(checker: Checker, node: Call, variables: Variables) -> Type:
    """Return the type of a call, and keep its overload."""
    given = [] if node.target is None else [checker.infer(node.target, variables)]
    given += [checker.infer(argument, variables) for argument in node.arguments]
    if node.target is None and node.name in SPECIAL:
        return _is_in(checker, node, given) if node.name == "is_in" else _extreme(checker, node, given)
    function = (FUNCTIONS if node.target is None else METHODS).get(node.name)
    if function is None:
        return _unknown(checker, node)
    overload = next((each for each in function.overloads if _takes(each, given)), None)
    if overload is None:
        return checker.report(
            "type", node.at, _refusal(function, given), say("it takes {given}", given=_signatures(function))
        )
    checker.typing.overloads[node] = overload
    if function.name == "is_upline_of":
        _paths(checker, node, variables)
    if function.name == "matches":
        _pattern(checker, node.arguments[-1])
    _constant(checker, node, overload)
    return overload.result


def _takes(overload: Overload, given: list[Type]) -> bool:
    return len(given) == len(overload.parameters) and all(map(fits, given, overload.parameters))


def _refusal(function: Function, given: list[Type]) -> str:
    shown = [str(kind) for kind in given]
    if function.method:
        return say(
            "'{name}' does not work on {shown} with ({names}).",
            name=function.name,
            shown=shown[0],
            names=", ".join(shown[1:]),
        )
    return say("'{name}' does not take ({shown}).", name=function.name, shown=", ".join(shown))


def _signatures(function: Function) -> str:
    ways = []
    for overload in function.overloads:
        names = [str(kind) for kind in overload.parameters]
        ways.append(
            f"{names[0]}.{function.name}({', '.join(names[1:])})" if function.method else f"({', '.join(names)})"
        )
    return either(ways)


def _unknown(checker: Checker, node: Call) -> Type:
    if node.target is None:
        hint = suggestion(node.name, [*FUNCTIONS, *SPECIAL, "has", "sum"])
        if node.name in METHODS:
            hint = say("write it behind its value: value.{name}(…)", name=node.name)
    else:
        hint = suggestion(node.name, [*METHODS, "all", "exists", "exists_one", "filter", "map"])
        if node.name in FUNCTIONS or node.name in SPECIAL:
            hint = say("write it in front: {name}(…)", name=node.name)
    return checker.report("unknown_function", node.at, say("There is no function '{name}'.", name=node.name), hint)


def _paths(checker: Checker, node: Call, variables: Variables) -> None:
    """Note that the members' sponsor lines are read."""
    for member in (node.target, *node.arguments):
        found = () if member is None else checker.paths(member, variables)
        checker.typing.reads |= {(*path, "_path") for path in found}


def _pattern(checker: Checker, pattern: Node) -> None:
    """Report a pattern that is written out and is none."""
    if isinstance(pattern, Literal) and isinstance(pattern.value, str) and not is_pattern(pattern.value):
        sentence = say("'{text}' is not a regular expression.", text=pattern.value)
        checker.report("value", pattern.start, sentence, say("RE2's syntax: no look-around, no back references."))


def _constant(checker: Checker, node: Call, overload: Overload) -> None:
    """Compute once what depends on nothing, and report a text that does not say what it should."""
    parts = (*(() if node.target is None else (node.target,)), *node.arguments)
    if not overload.pure or not all(isinstance(part, Literal) for part in parts):
        return
    values = [part.value for part in parts if isinstance(part, Literal)]
    if None in values:
        return
    value = call(overload.run)(None, *values)
    at = node.arguments[0].start if node.arguments else node.start
    if value is None and _is_endless(node):
        sentence = say("'{written}' has too many working hours or days.", written=str(values[0]))
        hint = say("Write at most {most} of them, or days, months or years.", most=MOST_WORKING)
        checker.report("value", at, sentence, hint)
    elif value is None and node.name in _FORMATS:
        checker.report(
            "value", at, say("'{values}' is not a {name}.", values=str(values[0]), name=node.name), _FORMATS[node.name]
        )
    checker.typing.constants[node] = value


def _is_endless(node: Call) -> bool:
    """Whether a span is written out that has more working time than is counted."""
    if node.name in {"working_hours", "working_days"}:
        return True
    first = node.arguments[0] if node.name == "duration" else None
    return isinstance(first, Literal) and parse_duration(str(first.value)) is not None


def _is_in(checker: Checker, node: Call, given: list[Type]) -> Type:
    if len(given) != 2:
        checker.report(
            "type", node.at, say("is_in takes a process and a state."), say('as in is_in(record.process, "state")')
        )
        return BOOL
    choice = given[0].of if isinstance(given[0], ListOf) else given[0]
    state = node.arguments[1]
    if not isinstance(choice, Choice):
        if choice not in (DYN, NULL):
            checker.mistyped(
                node.arguments[0], say("is_in looks at a process or a choice, not at {given}.", given=given[0])
            )
    elif not isinstance(state, Literal) or not isinstance(state.value, str):
        checker.mistyped(state, say("The state is written out."), say('as in is_in(record.process, "state")'))
    else:
        checker.options(choice, state, groups=True)
    return BOOL


def _extreme(checker: Checker, node: Call, given: list[Type]) -> Type:
    kinds = given
    if len(given) == 1 and isinstance(given[0], ListOf):
        kinds = [given[0].of]
    if not kinds:
        return checker.report("type", node.at, say("'{name}' takes values, or a list of them.", name=node.name))
    common: Type | None = kinds[0]
    for kind in kinds[1:]:
        common = None if common is None else join(common, kind)
    if common is None or (common not in NUMBERS and common not in (DATE, DATETIME, DURATION, STRING, DYN, NULL)):
        shown = ", ".join(str(kind) for kind in given)
        return checker.report(
            "type",
            node.at,
            say("'{name}' does not take ({shown}).", name=node.name, shown=shown),
            say("give numbers, or times"),
        )
    return common
