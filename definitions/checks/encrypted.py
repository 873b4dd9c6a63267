"""Encrypted fields: what would need their values in the open, in the database."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.entity import Entity, Field
from definitions.spec.process import Process

UNSEALED = frozenset({"reference", "file", "image"})
"""Types that stay as they are: the database follows references, and files have a place of their own."""


def check_encrypted(checked: Checked) -> Iterator[Problem]:
    """Yield what is asked of encrypted fields that they can't do."""
    yield from checked.each("entity", checked.network.entities, _entity)
    yield from checked.each("process", checked.network.processes, _forms)


def _entity(entity: Entity) -> Iterator[Problem]:
    for field in entity.fields.values():
        yield from _field(entity, field)
    yield from _lists(entity)


def _forms(process: Process) -> Iterator[Problem]:
    for transition in process.transitions.values():
        own = (question.field for question in transition.form.values() if question.edits is None)
        for field in own:
            yield from _typed(field)


def _typed(field: Field) -> Iterator[Problem]:
    if field.encrypted and field.type in UNSEALED:
        sentence = say("A field of type {kind} can't be encrypted.", kind=field.type)
        yield Problem("field.encrypted_type", field.place, sentence, say("Leave 'encrypted' out."))


def _field(entity: Entity, field: Field) -> Iterator[Problem]:
    yield from _typed(field)
    if field.encrypted:
        for key, said in (("unique", field.unique is not None), ("index", field.index)):
            if said:
                yield _unable(field, say("'{name}' is encrypted: it has no '{key}'.", name=field.name, key=key))
    else:
        told = (value.reads("record") for value in (field.compute, field.default) if value is not None)
        for name in sorted({path[0] for paths in told for path in paths}):
            if name in entity.fields and entity.fields[name].encrypted:
                sentence = say("'{name}' tells the encrypted '{other}' in the open.", name=field.name, other=name)
                hint = say("Let it be encrypted too: 'encrypted: true'.")
                yield Problem("field.encrypted_read", field.place, sentence, hint)


def _unable(field: Field, sentence: str) -> Problem:
    return Problem("field.encrypted_use", field.place, sentence, say("Leave it out, or do not encrypt the field."))


def _lists(entity: Entity) -> Iterator[Problem]:
    """Yield the encrypted fields that are searched in, in whichever way."""
    since = () if entity.retention is None else (entity.retention.since,)
    for key, names in (("search", entity.search), ("duplicates", sum(entity.duplicates, ())), ("since", since)):
        for name in dict.fromkeys(names):
            field = entity.fields.get(name)
            if field is not None and field.encrypted:
                yield _unable(field, say("'{name}' is encrypted: '{key}' can't find it.", name=name, key=key))
    for other in entity.fields.values():
        for name in other.unique or ():
            field = entity.fields.get(name)
            if field is not None and field.encrypted:
                yield _unable(field, say("'{name}' is encrypted: it has no '{key}'.", name=name, key="unique"))
