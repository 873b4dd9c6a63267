"""What a network keeps, in words: entities, their fields, who may do what with them, personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from admin.manual.conditions import condition, value
from admin.manual.previews import preview
from admin.manual.telling import Telling
from admin.parts.columns import field_column
from definitions.spec.access import EntityAccess, FieldRule, Level, Rule
from definitions.spec.entity import Basis, Entity, Field, FieldType, Personal, Retention
from models.message import Message, say

TYPES: Mapping[FieldType, Message] = {
    "text": say("Text"),
    "long_text": say("Long text"),
    "integer": say("Whole number"),
    "decimal": say("Number"),
    "money": say("Amount"),
    "boolean": say("Yes or no"),
    "date": say("Date"),
    "datetime": say("Date and time"),
    "duration": say("Duration"),
    "email": say("E-mail"),
    "phone": say("Telephone"),
    "url": say("Web address"),
    "country": say("Country"),
    "language": say("Language"),
    "choice": say("One of a list"),
    "choices": say("Some of a list"),
    "reference": say("Reference"),
    "file": say("File"),
    "image": say("Picture"),
    "json": say("Data"),
}
PERSONAL: Mapping[Personal, Message] = {
    "identity": say("Identity"),
    "contact": say("How to reach them"),
    "professional": say("Professional life"),
    "economic": say("Money and means"),
    "family": say("Family and private life"),
    "location": say("Whereabouts"),
    "connection": say("Connections to the service"),
    "opinion": say("Opinions"),
    "health": say("Health"),
    "other": say("Other"),
}
BASES: Mapping[Basis, Message] = {
    "consent": say("Consent"),
    "contract": say("A contract"),
    "legal": say("A legal duty"),
    "vital": say("Vital interests"),
    "public": say("A public task"),
    "legitimate": say("A legitimate interest"),
}
REACHES: Mapping[str, Message] = {
    "all": say("all"),
    "mine": say("the own ones"),
    "downline": say("those of the own downline"),
}
WHERE = say("those where {condition}")
REQUIRED, UNIQUE, UNIQUE_OWNER, UNIQUE_WITH, ENCRYPTED = (
    say("required"),
    say("no two alike"),
    say("no two alike of the same member"),
    say("no two alike together with {fields}"),
    say("encrypted"),
)
COMPUTED, DEFAULT, POINTS = say("computed: {value}"), say("at first {value}"), say("Reference: {entity}")
KEPT, THEN_ERASED, UNLESS, WARNED = (
    say("{span} after {field}"),
    say("erased: {span} after {field}"),
    say("unless {condition}"),
    say("announced {span} before"),
)
READS, WRITES = say("seen: {which}"), say("changed: {which}")


@dataclass(frozen=True, slots=True)
class Row:
    """A field: what it is called, its type, what else is to be known of it."""

    name: str
    label: str
    type: Markup
    notes: tuple[Markup, ...]
    options: tuple[str, ...]
    help: str
    personal: str


@dataclass(frozen=True, slots=True)
class Right:
    """What a level may do with records of an entity (None: nothing of the kind), and what holds of single fields."""

    level: str
    read: Markup | None
    create: Markup | None
    update: Markup | None
    delete: Markup | None
    fields: tuple[tuple[Markup, Markup], ...] = ()


@dataclass(frozen=True, slots=True)
class Personals:
    """An entity's line in the register of personal data."""

    entity: Entity
    label: str
    purpose: str
    basis: str
    fields: tuple[tuple[str, str, str], ...]
    retention: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An entity in words."""

    entity: Entity
    label: str
    many: str
    title: Markup
    rows: tuple[Row, ...]
    rights: tuple[Right, ...]
    parent: str | None


def kept(tell: Telling, entity: Entity) -> Kept:
    """Return an entity in words."""
    parent = tell.network.entities.get(entity.parent or "")
    return Kept(
        entity,
        tell.words(entity.label),
        tell.words(entity.many),
        preview(tell, entity.title, entity.name) if entity.title else Markup(""),
        tuple(_row(tell, entity, field) for field in entity.fields.values()),
        tuple(_rights(tell, entity)),
        None if parent is None else tell.words(parent.label),
    )


def _row(tell: Telling, entity: Entity, field: Field) -> Row:
    kind = tell.html(TYPES[field.type])
    if field.type == "reference" and field.to is not None:
        kind = tell.said(POINTS, entity=tell.entity(field.to))
    return Row(
        field.name,
        tell.words(field.label),
        kind,
        tuple(_notes(tell, entity, field)),
        tuple(tell.words(option.label) for option in field.options.values()),
        tell.words(field.help) if field.help else "",
        tell.words(PERSONAL[field.personal]) if field.personal else "",
    )


def _notes(tell: Telling, entity: Entity, field: Field) -> Iterator[Markup]:
    if field.required:
        yield tell.html(REQUIRED)
    if field.compute is not None:
        yield tell.said(COMPUTED, value=value(tell, field.compute))
    if field.default is not None:
        yield tell.said(DEFAULT, value=value(tell, field.default, field_column(tell.reader, field)))
    if field.unique == ("owner",):
        yield tell.html(UNIQUE_OWNER)
    elif field.unique:
        yield tell.said(UNIQUE_WITH, fields=tell.all_of([tell.field(entity.name, name) for name in field.unique]))
    elif field.unique is not None:
        yield tell.html(UNIQUE)
    if field.encrypted:
        yield tell.html(ENCRYPTED)


def _rights(tell: Telling, entity: Entity) -> Iterator[Right]:
    """Yield the rights of the levels that have any."""
    for level in tell.network.levels.values():
        label = tell.words(level.label)
        own = level.entities.get(entity.name)
        if level.everything:
            every = tell.html(REACHES["all"])
            yield Right(label, every, every, every, every)
        elif own is not None:
            yield _right(tell, entity, level, own)


def _right(tell: Telling, entity: Entity, level: Level, own: EntityAccess) -> Right:
    alike: dict[Markup, list[Markup]] = {}
    for name, each in own.fields.items():
        alike.setdefault(_field_rule(tell, each), []).append(tell.field(entity.name, name))
    fields = tuple((tell.all_of(labels), said) for said, labels in alike.items() if said)
    reads, creates = rule(tell, own.read), rule(tell, own.create)
    return Right(tell.words(level.label), reads, creates, rule(tell, own.update), rule(tell, own.delete), fields)


def _field_rule(tell: Telling, given: FieldRule) -> Markup:
    said = []
    for message, each in ((READS, given.read), (WRITES, given.write)):
        if each is not None:
            said.append(tell.said(message, which=rule(tell, each) or tell.html(say("never"))))
    return Markup(", ").join(said)


def rule(tell: Telling, given: Rule) -> Markup | None:
    """Return for which records a rule holds, None for none."""
    if given.expression is not None:
        return tell.said(WHERE, condition=condition(tell, given.expression))
    reach = REACHES.get(given.reach or "")
    return None if reach is None else tell.html(reach)


def personal(tell: Telling) -> tuple[Personals, ...]:
    """Return the register of personal data: every entity that keeps some."""
    return tuple(
        Personals(
            entity,
            tell.words(entity.many),
            tell.words(entity.purpose) if entity.purpose else "",
            tell.words(BASES[entity.basis]) if entity.basis else "",
            tuple(_personal_fields(tell, entity)),
            () if entity.retention is None else tuple(retention(tell, entity, entity.retention)),
        )
        for entity in tell.network.entities.values()
        if any(field.personal for field in entity.fields.values())
    )


def _personal_fields(tell: Telling, entity: Entity) -> Iterator[tuple[str, str, str]]:
    """Yield categories with their fields, and fields of a purpose of their own."""
    categories: dict[Personal, list[str]] = {}
    for field in entity.fields.values():
        if field.personal and field.purpose is None:
            categories.setdefault(field.personal, []).append(tell.words(field.label))
    for category, labels in categories.items():
        yield tell.words(PERSONAL[category]), ", ".join(labels), ""
    for field in entity.fields.values():
        if field.personal and field.purpose is not None:
            yield tell.words(PERSONAL[field.personal]), tell.words(field.label), tell.words(field.purpose)


def retention(tell: Telling, entity: Entity, given: Retention) -> Iterator[Markup]:
    """Yield how long records are kept, unless what, and when that is announced."""
    sentence = THEN_ERASED if given.then == "erase" else KEPT
    yield tell.said(sentence, span=value(tell, given.after), field=tell.field(entity.name, given.since))
    if given.unless is not None and given.unless.expression is not None:
        yield tell.said(UNLESS, condition=condition(tell, given.unless.expression))
    if given.warn is not None:
        yield tell.said(WARNED, span=value(tell, given.warn))
