"""Fields of entities and of forms."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import replace
from typing import cast

from definitions.build.draft import (
    Around,
    Draft,
    Names,
    entries,
    flag,
    label_of,
    mapping,
    number,
    optional_word,
    scalars,
    word,
)
from definitions.build.values import TEXT_TYPES, computed, is_expression, type_of, value_of
from definitions.expr import BOOL, Member, Target, at_home
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Node, Scalar
from definitions.spec.entity import Field, FieldType, OnDelete, Option, Personal
from definitions.spec.value import Value
from definitions.text import plain

COUNTED = TEXT_TYPES | {"choices", "json"}
_BELONGS = {
    "options": ("choice", "choices"),
    "to": ("reference",),
    "on_delete": ("reference",),
    "scale": ("decimal", "money"),
    "pattern": ("text", "long_text", "email", "phone", "url"),
    "unit": ("integer", "decimal", "money", "duration", "text"),
}


def shape_of(draft: Draft, name: str, key: Scalar, node: Mapping) -> Field:
    """Return a field without the values that depend on others (`default`, `compute`, `min`, `max`)."""
    kind = cast("FieldType", word(node.get("type")))
    _check_keys(draft, kind, key, node)
    return Field(
        name,
        kind,
        draft.text(node.get("label"), name),
        key.place,
        help=draft.optional_text(node.get("help")),
        unit=draft.optional_text(node.get("unit")),
        required=flag(node.get("required")),
        pattern=optional_word(node.get("pattern")),
        scale=number(node.get("scale"), 2),
        unique=None,
        index=flag(node.get("index")),
        encrypted=flag(node.get("encrypted")),
        options=dict(options(draft, node.get("options"))),
        to=optional_word(node.get("to")),
        on_delete=cast("OnDelete", word(node.get("on_delete")) or "restrict"),
        personal=cast("Personal | None", optional_word(node.get("personal"))),
        purpose=draft.optional_text(node.get("purpose")),
        was=optional_word(node.get("was")),
    )


def _check_keys(draft: Draft, kind: str, key: Scalar, node: Mapping) -> None:
    for name, kinds in _BELONGS.items():
        entry = node.entries.get(name)
        if entry is not None and kind not in kinds:
            message = say("A field of type {kind} has no '{name}'.", kind=kind, name=name)
            draft.report("field.key", entry.key.place, message, say("It is for: {kinds}.", kinds=", ".join(kinds)))
    if draft.current is not None and draft.current.damaged:
        return  # what is missing may have been written, and reported
    if kind in {"choice", "choices"} and "options" not in node.entries:
        draft.unfit(
            "field.options",
            key.place,
            say("The {kind} '{written}' has no options.", kind=kind, written=key.text),
            say("Add 'options: {…}'."),
        )
    if kind == "reference" and "to" not in node.entries:
        draft.unfit(
            "field.to",
            key.place,
            say("The reference '{written}' does not say where to.", written=key.text),
            say("Add 'to: entity'."),
        )


def options(draft: Draft, node: Node | None) -> Iterator[tuple[str, Option]]:
    """Yield the options of a choice: a label each, or `{label, was}`."""
    for name, key, value in entries(node):
        full = mapping(value)
        if full is not None and ("label" in full.entries or "was" in full.entries):
            label = draft.text(_label(full), name)
            yield name, Option(name, label, key.place, optional_word(full.get("was")))
        elif isinstance(value, Scalar) and value.value is None:
            yield name, Option(name, plain(label_of(name)), key.place)
        else:
            yield name, Option(name, draft.text(value, name), key.place)


def _label(option: Mapping) -> Node | None:
    """Return the label of an option in full; its languages may stand beside `was`."""
    if "label" in option.entries:
        return option.get("label")
    languages = {name: entry for name, entry in option.entries.items() if name != "was"}
    return Mapping(option.place, languages, option.flow) if languages else None


def with_values(
    draft: Draft,
    shape: Field,
    node: Mapping,
    names: Names,
    home: Target = (),
) -> Field:
    """Return the field with its `default`, `min` and `max`, which may use the names given; `home`: of its options."""
    bound = replace(shape, type="integer", options={}) if shape.type in COUNTED else shape
    return replace(
        shape,
        default=value_of(draft, node.get("default"), shape, names, home),
        min=value_of(draft, node.get("min"), bound, names),
        max=value_of(draft, node.get("max"), bound, names),
    )


def needed(draft: Draft, node: Node | None, names: Names | Around) -> Value | None:
    """Return the condition behind `required`; None where the field is required always or never."""
    if node is None or not is_expression(node):
        return None
    found = computed(draft, node, names, BOOL)
    if found is not None and found.expression is not None and isinstance(node, Scalar):
        draft.settled(node, found.expression, 1)
    return found


def check_lines_unread(draft: Draft, entity: str, value: Value | None) -> None:
    """Report a value of a record that reads its lines: it is asked for before there are any."""
    members = draft.records[entity]
    for name in sorted({path[0] for path in value.reads("record")} & members.keys() if value is not None else ()):
        if value is not None and members[name].kind == "lines":
            sentence = say("'{name}' are the lines of the record, which come after its own values.", name=name)
            draft.report("field.reads_lines", value.place, sentence, say("Read a field that is computed from them."))
            return


def member_of(draft: Draft, shape: Field, within: Target = ()) -> Member:
    """Return the field as expressions see it; `within` is what it is a field of: `("field", entity)`."""
    scale = shape.scale if shape.type in {"decimal", "money"} else None
    return Member(
        at_home(type_of(draft, shape), ("option", *within[1:], shape.name)),
        nullable=not shape.required,
        filterable=not shape.encrypted,
        scale=scale,
        target=(*within, shape.name) if within and not shape.built_in else (),
    )


def note_field(draft: Draft, entity: str, node: Scalar, offset: int = 0) -> None:
    """Note that a field of an entity is named here, or what else is selected like one: a process, lines."""
    member = draft.records.get(entity, {}).get(node.text[offset:])
    if member is not None and member.target:
        draft.notes.name(member.target, node, offset)


def field_names(draft: Draft, node: Node | None, known: MappingType[str, object], entity: str) -> tuple[str, ...]:
    """Return the names of an entity's fields written here, those that are known."""
    found = []
    for item in scalars(node):
        if item.text in known:
            found.append(item.text)
            note_field(draft, entity, item)
        else:
            draft.unfit(
                "field.unknown",
                item.place,
                say(
                    "{what} has no field '{written}'.",
                    what=say("The entity {entity}", entity=entity),
                    written=item.text,
                ),
                did_you_mean(item.text, known),
            )
    return tuple(found)
