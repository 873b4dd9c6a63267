"""Fields: bounds and patterns that make sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import re2  # type: ignore[import-untyped] # it has no types

from definitions.checks.checked import Checked
from definitions.expr import Expression
from definitions.expr.nodes import Call, Node, children, place_at
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.entity import Entity, Field
from definitions.spec.process import Process
from definitions.spec.value import Value

_CLOCKS = frozenset({"now", "today", "age"})


def check_fields(checked: Checked) -> Iterator[Problem]:
    """Yield what is wrong with the fields of entities and of forms."""
    yield from checked.each("entity", checked.network.entities, _of_entity)
    yield from checked.each("process", checked.network.processes, _of_forms)


def _of_entity(entity: Entity) -> Iterator[Problem]:
    yield from _shapes(entity.fields.values())
    computed = {field.name: field.compute.expression for field in entity.fields.values() if field.compute}
    expressions = {name: found for name, found in computed.items() if found is not None}
    for found in expressions.values():
        yield from _clocks(found, found.tree)
    yield from _circles(expressions)
    yield from _default_circles(entity, expressions)


def _of_forms(process: Process) -> Iterator[Problem]:
    for transition in process.transitions.values():
        yield from _shapes(question.field for question in transition.form.values() if question.edits is None)


def _shapes(fields: Iterable[Field]) -> Iterator[Problem]:
    for field in fields:
        yield from _pattern(field)
        yield from _bounds(field)


def _clocks(compute: Expression, node: Node) -> Iterator[Problem]:
    """Yield where a computed field asks for the time: it is computed when the record changes, not as time goes by."""
    if isinstance(node, Call) and node.target is None and node.name in _CLOCKS:
        sentence = say("A computed field does not ask for the time: {name}(…).", name=node.name)
        hint = say("Ask where it is needed: in a view, a guard or an automation.")
        yield Problem("field.compute_reads", place_at(compute.text, compute.place, node.start), sentence, hint)
    for child in children(node):
        yield from _clocks(compute, child)


def _circles(computed: Mapping[str, Expression]) -> Iterator[Problem]:
    """Yield the first field of each circle of fields that are computed from each other."""
    reads = {
        name: [path[1] for path in sorted(found.reads) if path[0] == "record" and path[1:] and path[1] in computed]
        for name, found in computed.items()
    }
    told: set[str] = set()
    for name in computed:
        way = _way_back(reads, name)
        if len(way) > 2 and told.isdisjoint(way):
            sentence = say("'{name}' is computed from itself: {shown}.", name=name, shown=" → ".join(way))
            yield Problem("field.compute_cycle", computed[name].place, sentence, say("Fill one of them in."))
            told |= {*way}


def _default_circles(entity: Entity, computed: Mapping[str, Expression]) -> Iterator[Problem]:
    """Yield the first default of each circle of fields that wait for each other in a new record."""
    defaults = {field.name: field.default for field in entity.fields.values() if field.default is not None}
    asked = {name: default.reads("record") for name, default in defaults.items()}
    asked |= {name: frozenset(path[1:] for path in found.reads if path[1:]) for name, found in computed.items()}
    reads = {name: sorted({path[0] for path in paths} & asked.keys()) for name, paths in asked.items()}
    told: set[str] = set()
    for name, default in defaults.items():
        way = _way_back(reads, name)
        if way and told.isdisjoint(way):
            sentence = say("The default of '{name}' waits for itself: {shown}.", name=name, shown=" → ".join(way))
            yield Problem("field.default_cycle", default.place, sentence, say("Let one of them read something else."))
            told |= {*way}


def _way_back(reads: Mapping[str, list[str]], name: str) -> list[str]:
    """Return the shortest way from a field over what it reads to itself, nothing when there is none."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for read in reads[way[-1]]:
            if read == name:
                return [*way, read]
            if read not in seen:
                seen.add(read)
                ways.append([*way, read])
    return []


def _pattern(field: Field) -> Iterator[Problem]:
    if field.pattern is not None:
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(field.pattern, options=options)
        except re2.error as error:
            sentence = say(
                "The pattern of '{name}' is not a regular expression: {error}.", name=field.name, error=_said(error)
            )
            yield Problem(
                "field.pattern", field.place, sentence, say("RE2's syntax: no look-around, no back references.")
            )


def _said(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)


def _bounds(field: Field) -> Iterator[Problem]:
    low, high, default = (_written(value) for value in (field.min, field.max, field.default))
    if low is not None and high is not None and low > high:
        sentence = say(
            "No value fits: the smallest of '{name}' is {low}, the largest {high}.", name=field.name, low=low, high=high
        )
        yield Problem("field.bounds", field.place, sentence, say("Exchange min and max."))
    size = len(default) if isinstance(default, str | tuple) else default
    if size is not None and ((low is not None and size < low) or (high is not None and size > high)):
        sentence = say("The default of '{name}' is outside of what it allows.", name=field.name)
        yield Problem("field.bounds", field.place, sentence, say("Change the default, or min and max."))


def _written(value: Value | None) -> Any:
    """Return a literal that can be compared, None for anything else."""
    literal = None if value is None or value.expression is not None else value.literal
    comparable = isinstance(literal, str | tuple) or hasattr(literal, "__lt__")
    return literal if comparable and not isinstance(literal, bool) else None
