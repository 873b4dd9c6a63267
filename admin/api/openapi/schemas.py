"""JSON Schemas of records: as they are read, as they are created, as they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.api.horizon import Seen
from admin.api.problems import Words
from definitions.spec.entity import Field
from definitions.spec.process import Transition
from models.lines import MOST
from models.message import say
from models.uploads import FILES

Schema = dict[str, Any]

NUMBER = r"^-?\d{1,40}(\.\d{1,40})?$"
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?$"
_PLAIN: Mapping[str, Schema] = {
    "integer": {"type": "integer", "minimum": -(2**63) + 1, "maximum": 2**63 - 1},
    "decimal": {"type": "string", "pattern": NUMBER},
    "money": {"type": "string", "pattern": NUMBER},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "json": {},
}
ATTACHMENT: Schema = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer"},
        "sha": {"type": "string"},
    },
    "required": ["name", "type", "size", "sha"],
}
REFERENCE: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "title": {"type": ["string", "null"]}},
    "required": ["id", "title"],
}


def ref(name: str) -> Schema:
    """Return a reference to one of the document's schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """Return the schema with null allowed."""
    if not schema:
        return {}
    kind = schema.get("type")
    if not isinstance(kind, str) or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [kind, "null"]}


def shape(field: Field) -> Schema:
    """Return the schema of a field's values as they are answered."""
    if field.type == "choice":
        return {"type": "string", "enum": list(field.options)}
    if field.type == "choices":
        return {"type": "array", "items": {"type": "string", "enum": list(field.options)}}
    if field.type == "reference":
        return ref("Reference")
    if field.type in FILES:
        return ref("Attachment")
    return dict(_PLAIN.get(field.type, {"type": "string"}))


def sent(field: Field) -> Schema:
    """Return the schema of a field's values as they may be sent."""
    match field.type:
        case "file" | "image":
            return {"type": "string", "maxLength": 200}
        case "reference":
            return {"anyOf": [{"type": "string"}, ref("ReferenceSent")]}
        case "decimal" | "money":
            return {"anyOf": [{"type": "string", "pattern": NUMBER}, {"type": "number"}]}
        case "datetime":
            return {"type": "string", "format": "date-time", "pattern": MOMENT}
        case "text" | "long_text" | "email" | "url":
            found = shape(field)
            most = None if field.max is None else field.max.literal
            return {**found, "maxLength": most} if isinstance(most, int) else found
        case _:
            return shape(field)


def told(schema: Schema, field: Field, words: Words) -> Schema:
    """Return the schema with what people call the field."""
    found = {**schema, "title": words(field.label)}
    said = [] if field.help is None else [words(field.help)]
    if field.required_if is not None:  # the condition may name what the caller does not see
        said.append(words(say("Needed in some records only.")))
    return {**found, "description": " ".join(said)} if said else found


def record(seen: Seen, words: Words) -> Schema:
    """Return the schema of a record as it is answered."""
    own: Schema = {
        "_title": {"type": "string", "description": words(say("What the record is called."))},
        "_may": {
            "type": "array",
            "items": {"type": "string", "enum": ["read", "update", "delete"]},
            "description": words(say("What the caller may do with the whole record.")),
        },
        "_hidden": {
            "type": "array",
            "items": {"type": "string"},
            "description": words(say("Fields of this record that the caller may not see; they are null.")),
        },
    }
    fields = {name: told(nullable(shape(field)), field, words) for name, field in seen.fields.items()}
    fields |= {
        "id": {"type": "string"},
        "version": {"type": "integer", "description": words(say("Goes up with each change; the ETag has it too."))},
    }
    lines = {name: _lines(line, ref(line.entity.name), words) for name, line in seen.lines.items() if line.reads}
    return _object({**fields, **lines, **own}, ["id", "version", "_title", "_may", "_hidden"])


def _lines(line: Seen, item: Schema, words: Words) -> Schema:
    return {"type": "array", "maxItems": MOST, "items": item, "title": words(line.entity.many)}


def new(seen: Seen, words: Words) -> Schema:
    """Return the schema of what creates a record."""
    return _new(seen, seen.new, words)


def _new(seen: Seen, given: Mapping[str, Field], words: Words) -> Schema:
    needed = [name for name, field in given.items() if field.required and field.default is None]
    fields: dict[str, Schema] = {}
    for name, field in given.items():
        schema = sent(field)
        fields[name] = told(schema if name in needed else nullable(schema), field, words)
    for name, line in seen.lines.items():
        if line.begun:
            fields[name] = _lines(line, _new(line, line.begun, words), words)
    return _object(fields, needed)


def change(seen: Seen, words: Words) -> Schema:
    """Return the schema of what changes a record."""
    fields = {
        name: told(sent(field) if field.required else nullable(sent(field)), field, words)
        for name, field in seen.writes.items()
    }
    for name, line in seen.lines.items():
        item = _object({"id": {"type": "string"}, **_either(line, words)}, [])
        fields[name] = _lines(line, item, words)
    return _object(fields, [])


def _either(line: Seen, words: Words) -> dict[str, Schema]:
    """Return what a line may be sent, which is new or changed."""
    known = {name: field for name, field in {**line.new, **line.writes}.items() if name != "parent"}
    fields = {name: told(nullable(sent(field)), field, words) for name, field in known.items()}
    lines = {
        name: _lines(each, _object({"id": {"type": "string"}, **_either(each, words)}, []), words)
        for name, each in line.lines.items()
    }
    return {**fields, **lines}


def form(transition: Transition, words: Words) -> Schema:
    """Return the schema of the answers to a transition's form; a question left out keeps what the record has."""
    fields = {
        name: told(nullable(sent(question.field)), question.field, words) for name, question in transition.form.items()
    }
    return _object(fields, [])


def _object(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": required} if required else found


def open_object(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an answer: every member is there, more may come with later versions."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def items(schema: Schema, **beside: Schema) -> Schema:
    """Return the schema of a list of things."""
    return open_object({"items": {"type": "array", "items": schema}, **beside})
