"""The forms of transitions: from what a screen or a step gives to values, every problem at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from definitions.expr.expression import Expression
from definitions.spec.entity import Entity, Field
from definitions.spec.process import FormField, Transition
from definitions.text import Text
from models import uploads
from models.errors import InvalidError, NotFoundError
from models.message import Message, say
from models.published import Published
from models.record import Record
from models.sight import asked_of
from models.validation import NO_SUCH_RECORD, Declared, Measure
from workflows.subscriptions import expressions
from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class Answers:
    """A form's answers: `values` by the names of its questions, `edits` by the fields of the record that they fill."""

    values: Mapping[str, Any]
    edits: Mapping[str, Any]


NOTHING = Answers({}, {})


@dataclass(frozen=True, slots=True)
class Form:
    """A form as an entity of its own, so that its questions are checked as fields are; what its bounds read."""

    entity: Entity
    declared: Declared
    bounds: list[Expression]


async def answers(
    unit: Unit, record: Record, process: str, transition: Transition, given: Mapping[str, Any]
) -> Answers:
    """Return the answers as values of memory. A question left out keeps what the record has, else it has its default.

    `InvalidError` names the questions. What the record itself asks of its fields is checked again when it is written.
    """
    if not transition.form and not given:
        return NOTHING
    questions = transition.form
    form = _form(unit.published, process, transition.name)
    problems: dict[str, Message | Text] = {
        name: say("You may not change this.")
        for name in given
        if name not in questions or not _may_fill(unit, record, questions[name])
    }
    cleaned = form.declared.clean({name: given[name] for name in given if name in questions}, record.full)
    kept = {name: record.full.get(found.edits) if found.edits else None for name, found in questions.items()}
    cleaned = await uploads.settle(unit.records, form.entity, cleaned, kept)
    problems = {**cleaned.problems, **problems}
    made = await _defaults(unit, record, form, [name for name in questions if name not in given and kept[name] is None])
    made = {name: value for name, value in made.items() if _may_fill(unit, record, questions[name])}
    values = {**kept, **made, **cleaned.values}
    scope = await unit.records.env(record, form.bounds, form=values) if form.bounds else {}
    measure = Measure(scope, unit.context, lambda field: _shows_what_is_hidden(record, field))
    found = form.declared.check(values, questions.keys(), measure)
    problems = {**found, **await _dangling(unit, form.entity, cleaned.values), **problems}
    if problems:
        raise InvalidError(problems)
    edits = {found.edits: values[name] for name, found in questions.items() if found.edits and name in {*given, *made}}
    return Answers(values, edits)


def depends_on(
    unit: Unit, record: Record, process: str, transition: Transition, given: Mapping[str, Any]
) -> Hashable | None:
    """Return what of a record the answers to a form depend on: the same for all that are answered alike.

    None where that is more than what it allows its actor, and what it has for questions that are left out.
    """
    if not _is_of_its_own(unit.published, process, transition.name):
        return None
    left = [found.edits for name, found in transition.form.items() if found.edits and name not in given]
    key = (record.hidden, record.writable, "update" in record.may, *map(record.full.get, left))
    return key if all(isinstance(value, Hashable) for value in key) else None


@lru_cache(maxsize=2048)
def _is_of_its_own(published: Published, process: str, name: str) -> bool:
    """Whether answers to a form mean the same for every record: no bound, default or country comes from it."""
    form = _form(published, process, name)
    fields = form.entity.fields.values()
    return not form.bounds and not any(
        field.type in {"phone", *uploads.FILES} or (field.default is not None and field.default.expression is not None)
        for field in fields
    )


async def _defaults(unit: Unit, record: Record, form: Form, names: Iterable[str]) -> Mapping[str, Any]:
    """Return the defaults of questions."""
    values = {name: value for name in names if (value := form.entity.fields[name].default) is not None}
    if not values:
        return {}
    scope = await unit.records.env(record, expressions(*values.values()))
    made = {name: value.compute(scope, unit.context) for name, value in values.items()}
    return form.declared.clean(made, record.full).values


@lru_cache(maxsize=2048)
def _form(published: Published, process: str, name: str) -> Form:
    """Return the form of a transition."""
    transition = published.network.processes[process].transitions[name]
    fields = {
        name: replace(question.field, name=name, required=question.required, compute=None)
        for name, question in transition.form.items()
    }
    bounds = expressions(*(bound for field in fields.values() for bound in (field.min, field.max, field.required_if)))
    entity = Entity(name, transition.label, transition.place, fields)
    return Form(entity, Declared(published.network, entity), bounds)


def _shows_what_is_hidden(record: Record, field: Field) -> bool:
    """Whether naming a question's bounds could tell what the actor may not read: hidden fields, other records."""
    return any(path[1:] or path[0] in record.hidden for path in asked_of(field))


def _may_fill(unit: Unit, record: Record, question: FormField) -> bool:
    """Whether the actor may fill the field. Without the right to update, the transition's `by` is what grants it."""
    if question.edits is None or unit.actor.kind == "system":
        return True
    return question.edits in record.writable if "update" in record.may else question.edits not in record.hidden


async def _dangling(unit: Unit, form: Entity, values: Mapping[str, Any]) -> dict[str, Message]:
    """Return a problem for each reference to what does not exist or what the actor may not read."""
    problems: dict[str, Message] = {}
    for name, value in values.items():
        to = form.fields[name].to
        if to is None or value is None:
            continue
        try:
            await unit.records.get(to, value["id"])
        except NotFoundError:
            problems[name] = NO_SUCH_RECORD
    return problems
