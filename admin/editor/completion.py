"""What may be written where the cursor is: keys and words by the schemas, names by the pack, parts of expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from admin.editor.expressions import Part, parts_of_expression, parts_of_template
from admin.editor.hover import describe
from admin.editor.names import entity_at, members_of, names_at
from admin.editor.packs import Desk, Pack
from admin.editor.shapes import Schema, shape_at
from admin.editor.spot import MARK, Spot, Way, marked
from definitions.build.access import REACHES
from definitions.build.draft import NETWORK, SETTINGS
from definitions.build.jinja import FILTERS
from definitions.build.member import MEMBER
from definitions.build.notes import Asked
from definitions.expr import BOOL, Choice, ListOf, RecordOf, Scope, Type
from definitions.problems import Place
from definitions.source import Mapping as Keys
from definitions.validate import kinds, schema

_EXPRESSIONS = frozenset({"expression", "value", "message"})
_ALONE = re.compile(r"\s*(?:- +)*\w*")
_WORD = re.compile(r"\w*$")
_LONG_WORD = re.compile(r"[\w./-]*$")


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to write: `insert` takes the place of the `replaces` characters before the cursor."""

    label: str
    insert: str
    kind: str
    replaces: int
    detail: str = ""
    explained: str = ""
    first: bool = False


def offers(desk: Desk, folder: Path, file: str, place: Place) -> list[Offer]:
    """Return what may be written at a place of a file, which is relative to the pack's folder."""
    text = desk.files(folder).get(file, "")
    found = marked(file, text, place)
    if found is None:
        return []
    changed, spot = found
    pack = desk.pack(folder, {folder / file: changed})
    line = text.split("\n")[place.line - 1]
    pen = _Pen(pack, spot, line[: place.column - 1], line[place.column - 1 :])
    made = _keys(pen, spot.way[:-1]) if spot.role == "key" else _values(pen)
    return list(dict.fromkeys(_fitted(offer, pen.before) for offer in made))


@dataclass(frozen=True, slots=True)
class _Pen:
    """Where somebody writes: the pack with the mark, the spot that has it, and its line before and after it."""

    pack: Pack
    spot: Spot
    before: str
    after: str

    @property
    def alone(self) -> bool:
        """Whether a word stands alone on its line, so that it may become a key."""
        return _ALONE.fullmatch(self.before) is not None

    @property
    def word(self) -> bool:
        """Whether a single word, or nothing yet, is what is written."""
        text = self.spot.scalar.text.split(MARK)[0]
        return text == "" or text.isidentifier()


def _fitted(offer: Offer, before: str) -> Offer:
    """Return the offer with the number of characters before the cursor that it takes the place of."""
    word = (_WORD if _WORD.fullmatch(offer.insert.rstrip(": (")) else _LONG_WORD).search(before)
    length = len(word[0]) if word else 0
    return Offer(offer.label, offer.insert, offer.kind, length, offer.detail, offer.explained, offer.first)


def _keys(pen: _Pen, way: Way) -> Iterator[Offer]:
    pack, spot = pen.pack, pen.spot
    colon = "" if pen.after.lstrip("abcdefghijklmnopqrstuvwxyz0123456789_").startswith(":") else ": "
    if not way and (MARK in spot.kind or not spot.kind):
        for kind in kinds():
            yield Offer(kind, kind + colon, "key", 0, "", str(schema(kind)["description"]))
        return
    shape = shape_at(spot.kind, way)
    written = _written(spot, way)
    required = shape.get("required", ())
    for name in shape.get("properties", {}):
        if name not in written:
            inner = shape_at(spot.kind, (*way, name))
            yield Offer(name, name + colon, "key", 0, "", _described(shape, name, inner), first=name in required)
    if "x-keys" in shape:
        for each in names_at(pack, spot, str(shape["x-keys"])):
            if each.written not in written:
                yield Offer(each.written, each.written + colon, "field", 0, each.detail, describe(pack, each.target))


def _described(shape: Schema, name: str, inner: Schema) -> str:
    return str(shape["properties"][name].get("description") or inner.get("description", ""))


def _written(spot: Spot, way: Way) -> Iterable[str]:
    node = next((node for above, node in spot.around() if above == way), None)
    return node.entries if isinstance(node, Keys) else ()


def _values(pen: _Pen) -> Iterator[Offer]:
    pack, spot = pen.pack, pen.spot
    shape = shape_at(spot.kind, spot.way)
    what = shape.get("x-is")
    text = spot.scalar.text
    if what == "value" and not text.startswith("="):
        yield from _literals(pack, spot)
    elif what in _EXPRESSIONS:
        yield from _parts(pen, str(what))
    elif what is not None:
        for name in names_at(pack, spot, str(what)):
            yield Offer(name.written, name.written, "name", 0, name.detail, describe(pack, name.target))
    if what not in _EXPRESSIONS or pen.word:
        yield from _words(shape)
    if spot.scalar.plain and pen.word and pen.alone:
        yield from _keys(pen, spot.way)


def _words(shape: Schema) -> Iterator[Offer]:
    types = shape.get("type", ())
    choices = [*shape.get("enum", ())]
    if "boolean" in ([types] if isinstance(types, str) else types):
        choices += ["true", "false"]
    if "const" in shape:
        choices.append("true" if shape["const"] is True else shape["const"])
    yield from (Offer(str(word), str(word), "word", 0) for word in choices)


def _literals(pack: Pack, spot: Spot) -> Iterator[Offer]:
    """Yield the options of the field that a value is written for."""
    kind = _kind_of_field(pack, spot)
    if isinstance(kind, Choice):
        yield from (Offer(option, option, "option", 0, kind.name) for option in kind.options)
    elif kind == BOOL:
        yield from (Offer(word, word, "word", 0) for word in ("true", "false"))


def _kind_of_field(pack: Pack, spot: Spot) -> Type | None:
    way = tuple(step for step in spot.way if isinstance(step, str))
    name = way[-2] if way[-1:] == ("default",) and len(way) > 1 else way[-1] if way else ""
    member = members_of(pack, entity_at(pack, spot)).get(name)
    kind = None if member is None else member.type
    return kind.of if isinstance(kind, ListOf) else kind


def _parts(pen: _Pen, what: str) -> Iterator[Offer]:
    pack, spot = pen.pack, pen.spot
    asked = next((each for each in pack.loaded.notes.asked if MARK in each.node.text), None)
    if asked is None:
        asked = _supposed(pack, spot, what)
    if asked.filters is not None:
        found = parts_of_template(asked.node.text, pack.loaded.notes.scope(asked), asked.filters)
    else:
        found = parts_of_expression(asked.node.text[asked.offset :], pack.loaded.notes.scope(asked))
    yield from (_offer(pack, part) for part in found)
    if spot.kind == "level" and pen.word:
        yield from (Offer(reach, reach, "word", 0, first=True) for reach in REACHES)


def _supposed(pack: Pack, spot: Spot, what: str) -> Asked:
    """Return what is in scope where the checker did not come: something around is not whole yet."""
    names: dict[str, Type] = {"actor": RecordOf(MEMBER), "network": RecordOf(NETWORK), "settings": RecordOf(SETTINGS)}
    if spot.kind == "template":
        names |= {"member": RecordOf(MEMBER), "recipient": RecordOf(MEMBER)}
    entity = entity_at(pack, spot)
    if entity in pack.loaded.notes.records:
        names["record"] = RecordOf(str(entity))
        if spot.kind == "automation":
            names["before"] = names["record"]
    scope = Scope(names, pack.loaded.notes.records)
    offset = 1 if spot.scalar.text.startswith("=") else 0
    return Asked(spot.scalar, offset, scope, FILTERS if what == "message" else None)


def _offer(pack: Pack, part: Part) -> Offer:
    explained = describe(pack, part.member.target) if part.member is not None else ""
    insert = f"{part.text}(" if part.kind in {"function", "method", "macro"} else part.text
    return Offer(
        part.text, insert, part.kind, 0, part.detail, explained, first=part.kind in {"field", "name", "option"}
    )
