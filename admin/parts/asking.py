"""Forms of an entity and of its transitions: which questions, and what stands in them at first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import FormData

from admin.asked import inside, text
from admin.parts.columns import Column, field_column
from admin.parts.inputs import Input, Question, build, raw_of
from admin.parts.shown import Titles
from admin.parts.subject import Subject, offered, title_fields
from definitions.spec.entity import Field
from definitions.spec.process import Transition
from definitions.text import Text
from models.message import Message, say
from models.record import Record
from models.records import Records

Raw = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """Some inputs under a heading ("" for none)."""

    label: str
    inputs: tuple[Input, ...]


def questions(about: Subject, names: Iterable[str]) -> tuple[Question, ...]:
    """Return the questions for those of the fields that a form can ask for."""
    return tuple(
        Question(column.name, column, _needed(column))
        for column in about.columns(names)
        if column.field is None or column.field.compute is None
    )


def writable(about: Subject, record: Record | None) -> tuple[str, ...]:
    """Return the fields that the visitor may write: of this record, or of a new one."""
    access = about.visit.tenant.published.access
    named = (*about.entity.fields, *(("owner",) if about.entity.owner and about.sees_others else ()))
    if record is not None:
        return tuple(name for name in named if name in record.writable)
    named = (*(("parent",) if about.entity.parent is not None else ()), *named)
    return tuple(name for name in named if access.may_new_field(about.visit.actor, about.entity.name, name))


def move_questions(about: Subject, transition: Transition) -> tuple[Question, ...]:
    """Return what a transition asks before it is taken."""
    return tuple(
        Question(asked.name, replace(field_column(about.reader, asked.field), name=asked.edits or ""), asked.required)
        for asked in transition.form.values()
    )


def at_first(about: Subject, asked: Iterable[Question], record: Record | None) -> Raw:
    """Return what stands in the inputs before anybody typed: the record's values, else the defaults written out."""
    formats = about.reader.formats
    found: dict[str, tuple[str, ...]] = {}
    for question in asked:
        column = question.column
        if record is not None and column.name:
            found[question.name] = raw_of(column, record.values.get(column.name), formats)
        elif column.field is not None and column.field.default is not None:
            found[question.name] = raw_of(column, column.field.default.literal, formats)
        elif column.name == "owner":
            found[question.name] = (about.visit.actor.id or "",)
        else:
            found[question.name] = ()
    return found


async def begun(about: Subject, asked: Sequence[Question], record: Record | None, records: Records) -> Raw:
    """Return what stands in the form of a new record, or of a move of one: what there is, else the defaults.

    Those that read a new record's other values are left to it.
    """
    raw = at_first(about, asked, record)
    empty = [each for each in asked if not raw[each.name] or record is None]
    values = {
        each.name: field.default
        for each in empty
        if (field := each.column.field) is not None
        and field.default is not None
        and not (record is None and field.follows)
    }
    names = await records.env(record, (value.expression for value in values.values() if value.expression))
    found = {name: value.compute(names, records.context) for name, value in values.items()}
    formats = about.reader.formats
    return {
        **raw,
        **{each.name: raw_of(each.column, found[each.name], formats) for each in empty if each.name in found},
    }


def given(asked: Iterable[Question], values: Mapping[str, Any], waits: Callable[[Field], bool]) -> dict[str, Any]:
    """Return the values for a new record, without those left empty where a default waits for them (`waits`)."""
    fields = {each.name: each.column.field for each in asked}
    return {
        name: value
        for name, value in values.items()
        if value not in (None, ()) or (field := fields.get(name)) is None or not waits(field)
    }


async def choices(asked: Iterable[Question], raw: Raw, records: Records) -> Titles:
    """Return the records that the references among the questions offer, and the titles of those already chosen."""
    titles: dict[str, dict[str, str]] = {}
    for question in asked:
        entity = question.column.to
        if question.column.kind != "reference" or entity is None:
            continue
        if entity not in titles:
            titles[entity] = await offered(records, entity)
        missing = {each for each in raw.get(question.name, ()) if each and each not in titles[entity]}
        titles[entity].update(await records.labels(entity, missing) if missing else {})
    return titles


def inputs(
    about: Subject,
    asked: Iterable[Question],
    raw: Raw,
    titles: Titles,
    wrong: Mapping[str, Message | Text] | None = None,
) -> dict[str, Input]:
    """Return the inputs by name, each with what is wrong with it."""
    errors = wrong or {}
    return {
        question.name: replace(
            build(question, raw.get(question.name, ()), about.reader, titles, base=about.base),
            error=about.reader.words(errors[question.name]) if question.name in errors else "",
        )
        for question in asked
    }


def grouped(about: Subject, made: Mapping[str, Input]) -> tuple[Group, ...]:
    """Return the inputs under the headings of the screen's sections: those of the title first, those of none last."""
    naming = title_fields(about.entity)
    groups = []
    rest = dict(made)
    for section in about.screen.sections:
        found = tuple(rest.pop(name) for name in section.fields if name in rest)
        if found:
            groups.append(Group(about.reader.words(section.label), found))
    if groups and (loose := tuple(rest.pop(name) for name in made if name in naming and name in rest)):
        groups.append(Group(about.label, loose))
    groups.sort(key=lambda group: not any(each.name in naming for each in group.inputs))
    if rest:
        groups.append(Group(about.reader.words(say("More")) if groups else "", tuple(rest.values())))
    return tuple(groups)


def version_of(form: FormData) -> int | None:
    """Return the version that a form was made from."""
    given = text(form, "version")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def way_back(about: Subject, form: FormData, otherwise: str) -> str:
    """Return the page of this network that a form says to return to."""
    return inside(about.visit, text(form, "back") or otherwise)


def _needed(column: Column) -> bool:
    return column.field is not None and column.field.required and not column.field.follows
