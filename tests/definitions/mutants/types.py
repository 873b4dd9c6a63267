"""Breaking types: fields of another type, and other fields in expressions, options, templates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.definitions.mutants.meaning import conditions, entity_of, fields_of
from tests.definitions.mutants.mutant import Edit, Mutant, Position, add, around, mutants, put
from tests.definitions.mutants.names import fields_in
from tests.definitions.mutants.written import Pack, Spot

_KINDS = {
    **dict.fromkeys(("text", "long_text", "email", "phone", "url", "country", "language"), "text"),
    **dict.fromkeys(("integer", "decimal", "money"), "number"),
    **dict.fromkeys(("file", "image", "json", "choices"), "other"),
}
_COMPARISON = re.compile(
    r"(?<![.\w])record\.([a-z_]\w*)\s*"
    r"(==|!=|<=|>=|<|>|\+|-|\*|/|\bin\b)\s*(\[?\"[^\"]*\"|\d+|now\(|today\()"
)
_OTHERS = {"text": "number", "number": "text", "choice": "number", "boolean": "number", "date": "number",
           "datetime": "number", "duration": "text", "reference": "number"}  # fmt: skip
_ONLY = {"options": ("choice", "choices"), "to": ("reference",), "scale": ("decimal", "money")}
"""Keys of fields, and the types that have them."""


def group(kind: str) -> str:
    """Return the types that a type is compared with."""
    return _KINDS.get(kind, kind)


def kind_of(field: Spot) -> str:
    """Return the type of a field as written."""
    found = field.get("type")
    return found.text if found else ""


def swapped_types(pack: Pack) -> Iterator[Mutant]:
    """A field of another type: what is said of it, or done with it, makes no sense any more."""
    for entity in pack.of("entity"):
        for field in entity.at("fields/*"):
            kind = field.get("type")
            if kind is None:
                continue
            for key in _ONLY:
                child = field.get(key)
                if child is not None:
                    also = (*around(field), (child.file, child.begin))
                    yield from mutants("swapped type", [put(kind, "boolean")], *also)
            uses = tuple(_compared(pack, entity.name, field.name))
            other = _other(kind.text)
            if uses and other and not field.get("options") and not field.get("to") and not field.get("compute"):
                yield from mutants("swapped type", [put(kind, other)], *uses, *around(field))


def _other(kind: str) -> str | None:
    return {"number": "money", "text": "text"}.get(_OTHERS.get(group(kind), ""))


def _compared(pack: Pack, entity: str, field: str) -> Iterator[Position]:
    """Yield where a field is compared with a literal, or reckoned with."""
    for spot in fields_in(pack, entity):
        for match in _COMPARISON.finditer(spot.raw):
            if match[1] == field:
                yield spot.file, spot.start + match.start()


def swapped_fields(pack: Pack) -> Iterator[Mutant]:
    """Another field in a comparison, of a type that can't be compared so."""
    for entity in pack.of("entity"):
        known = fields_of(pack, entity.name)
        for spot in fields_in(pack, entity.name):
            for match in _COMPARISON.finditer(spot.raw):
                field = known.get(match[1])
                wanted = _OTHERS.get(group(kind_of(field))) if field else None
                other = next((name for name, each in known.items() if group(kind_of(each)) == wanted), None)
                if other is not None and match[2] not in {"in", "+"}:
                    edit = Edit(spot.file, spot.start + match.start(1), spot.start + match.end(1), other)
                    yield Mutant("field of another type", (edit,))


def wrong_keys(pack: Pack) -> Iterator[Mutant]:
    """What fields of a type do not have: options of a number, decimals of a text, a pattern of a date."""
    for entity in pack.of("entity"):
        for field in entity.at("fields/*"):
            kind = kind_of(field)
            for key, value in (("options", "{a: A}"), ("to", entity.name), ("scale", "3"), ("on_delete", "clear"),
                               ("pattern", '"[a-z]+"')):  # fmt: skip
                if field.mapping and not field.get(key) and not _may_have(kind, key):
                    yield from mutants("key of another type", [add(field, f"{key}: {value}")])


def _may_have(kind: str, key: str) -> bool:
    if key == "pattern":
        return kind in {"text", "long_text", "email", "phone", "url"}
    return kind in {"options": ("choice", "choices"), "scale": ("decimal", "money")}.get(key, ("reference",))


def wrong_bounds(pack: Pack) -> Iterator[Mutant]:
    """Bounds in which no value fits, or no number."""
    for entity in pack.of("entity"):
        for field in entity.at("fields/*"):
            if group(kind_of(field)) == "number" and field.mapping and not field.get("min") and not field.get("max"):
                edits = [add(field, "min: 9, max: 2" if field.flow else "min: 9"), add(field, "min: few")]
                yield from mutants("wrong bounds", edits[0 if field.flow else 1 :], *around(field))
    for spot in pack.at("entity", "fields/*/pattern"):
        yield from mutants("wrong pattern", [put(spot, '"(["'), put(spot, '"(?=a)b"')], *around(spot.above or spot))


def computed_wrongly(pack: Pack) -> Iterator[Mutant]:
    """Computed fields that read themselves, the clock, settings or other records."""
    for entity in pack.of("entity"):
        for field in entity.at("fields/*"):
            kind = kind_of(field)
            if not field.mapping or field.get("compute") or field.get("default") or field.get("required"):
                continue
            texts = [f"=has(record.{field.name}) ? record.{field.name} : record.{field.name}"]
            if kind == "datetime":
                texts.append("=now()")
            if group(kind) == "text":
                texts += ["=network.name", "=record.created_by.first_name"]
            edits = [add(field, f"compute: '{text}'") for text in texts]
            yield from mutants("computed from what it may not read", edits)


def twice_defined(pack: Pack) -> Iterator[Mutant]:
    """A definition that stands twice."""
    for document in pack.documents:
        if document.kind != "demo":
            at = document.root.children[0].begin
            text = f"{document.text[at : document.root.end]}\n---\n"
            later = ((document.file, at), (document.file, at))
            yield Mutant("defined twice", (Edit(document.file, at, at, text),), later)


def wrong_scopes(pack: Pack) -> Iterator[Mutant]:
    """Names that mean nothing where they stand: forms outside of transitions, `before` without a change."""
    for spot in conditions(pack):
        if spot.document.kind == "process" or not re.search(r"(?<![.\w])record\.", spot.raw):
            continue
        match = next(re.finditer(r"(?<![.\w])record(?=\.)", spot.raw))
        names = ["form"] if spot.document.kind == "automation" else ["form", "before"]
        for name in names:
            edit = Edit(spot.file, spot.start + match.start(), spot.start + match.end(), name)
            yield Mutant("name out of place", (edit,))
    for document in pack.of("template"):
        if not entity_of(pack, document):
            for spot in document.at("body/*"):
                at = spot.end - 1 if spot.raw[-1] in "\"'" else spot.end
                yield Mutant("name out of place", (Edit(spot.file, at, at, "{{ record.id }}"),))
