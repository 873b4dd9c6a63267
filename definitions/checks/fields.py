"""Fields: bounds and patterns that make sense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import re2  # type: ignore[import-untyped] # it has no types

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.entity import Field
from definitions.spec.value import Value


def check_fields(checked: Checked) -> Iterator[Problem]:
    """Yield what is wrong with the fields of entities and of forms."""
    for field in _fields(checked):
        yield from _pattern(field)
        yield from _bounds(field)


def _fields(checked: Checked) -> Iterable[Field]:
    for entity in checked.network.entities.values():
        yield from entity.fields.values()
    for process in checked.network.processes.values():
        for transition in process.transitions.values():
            yield from (question.field for question in transition.form.values() if question.edits is None)


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
