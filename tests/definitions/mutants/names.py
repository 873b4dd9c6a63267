"""Taking away and renaming what is used elsewhere: the checker must blame a use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.definitions.mutants.meaning import entity_of, expressions, states_of, templates
from tests.definitions.mutants.mutant import Edit, Mutant, Position, drop, put, rename
from tests.definitions.mutants.written import Document, Pack, Spot

_REFERRING = {
    "entity": (
        ("entity", "fields/*/to", "parent"),
        ("process", "entity", "transitions/*/form/*/to"),
        ("automation", "**/(entity|created|deleted)"),
        ("template", "about"),
        ("statistic", "entity"),
        ("screen", "entity"),
    ),
    "level": (
        ("process", "transitions/*/(by|approval/by)", "transitions/*/(by|approval/by)/*"),
        ("automation", "**/level"),
        ("screen", "for", "for/*"),
        ("home", "for", "for/*"),
        ("terms", "for", "for/*"),
    ),
    "template": (("automation", "**/template"),),
    "statistic": (("home", "tiles/*/statistic"),),
    "screen": (("home", "tiles/*/screen"),),
    "automation": (("automation", "do/**/run", "else/**/run"),),
}
"""By kind of document, the places at which one is named."""


@dataclass(frozen=True, slots=True)
class Defined:
    """Something with a name, and where that is used: the characters before each use."""

    what: str
    name: str
    spot: Spot | Document
    uses: tuple[Position, ...]

    def outside(self) -> tuple[Position, ...]:
        """Return the uses that are not inside of it."""
        spot = self.spot.root if isinstance(self.spot, Document) else self.spot
        inner = range(spot.begin, spot.end)
        return tuple(use for use in self.uses if use[0] != spot.file or use[1] not in inner)


def renamed(pack: Pack) -> Iterator[Mutant]:
    """A name that others use, with a letter too many."""
    for each in defined(pack):
        if each.outside():
            spot, name = each.spot, f"{each.name}x"
            edit = put(spot.root.children[0], name) if isinstance(spot, Document) else rename(spot, name)
            yield Mutant(f"renamed {each.what}", (edit,), each.outside())


def taken_away(pack: Pack) -> Iterator[Mutant]:
    """Something that others use, left out."""
    for each in defined(pack):
        edit = _without(each.spot) if isinstance(each.spot, Document) else drop(each.spot)
        if each.outside() and edit is not None:
            yield Mutant(f"left out {each.what}", (edit,), each.outside())


def _without(document: Document) -> Edit:
    return Edit(document.file, document.root.children[0].begin, document.root.end, "")


def defined(pack: Pack) -> Iterator[Defined]:
    """Yield what a pack gives names to, with its uses."""
    yield from _documents(pack)
    for document in pack.of("network"):
        for spot in document.at("settings/*"):
            yield Defined("setting", spot.name, spot, tuple(_written(_all(pack), rf"\bsettings\.{spot.name}\b")))
    for document in pack.of("screen"):
        for spot in document.at("views/*"):
            yield Defined("view", spot.name, spot, tuple(_view(pack, document, spot.name)))
    for document in pack.of("process"):
        yield from _of_process(pack, document)
    for document in pack.of("entity"):
        yield from _of_entity(pack, document)


def _documents(pack: Pack) -> Iterator[Defined]:
    """Yield the documents that others name; what is built in, and screens that would be generated, aside."""
    for kind, places in _REFERRING.items():
        for document in pack.of(kind):
            generated = kind == "screen" and document.name == entity_of(pack, document)
            if document.name not in {"member", "leader", "public"} and not generated:
                yield Defined(kind, document.name, document, tuple(_named(pack, kind, document.name, places)))


def _named(pack: Pack, kind: str, name: str, places: Iterable[tuple[str, ...]]) -> Iterator[Position]:
    for of, *patterns in places:
        for spot in pack.at(of, *patterns):
            if spot.scalar and spot.text == name:
                yield spot.file, spot.start
    if kind == "entity":
        for spot in pack.at("level", "entities/*"):
            if spot.name == name:
                yield spot.file, spot.begin


def _all(pack: Pack) -> Iterator[Spot]:
    yield from expressions(pack)
    yield from templates(pack)


def _written(spots: Iterable[Spot], pattern: str) -> Iterator[Position]:
    for spot in spots:
        for match in re.finditer(pattern, spot.raw):
            yield spot.file, spot.start + match.start()


def _view(pack: Pack, screen: Document, name: str) -> Iterator[Position]:
    for tile in pack.at("home", "tiles/*"):
        of, view = tile.get("screen"), tile.get("view")
        if of is not None and view is not None and (of.text, view.text) == (screen.name, name):
            yield view.file, view.start


# Processes --------------------------------------------------------------------------------------------------------


def _of_process(pack: Pack, process: Document) -> Iterator[Defined]:
    name = process.name
    boards = [spot for spot in pack.at("screen", "board/process", "board/*/process") if spot.text == name]
    parts = [spot for spot in _parts(pack) if spot.text.startswith(f"{name}.")]
    uses = [(spot.file, spot.start) for spot in (*boards, *parts)]
    about = fields_in(pack, entity_of(pack, process))
    yield Defined("process", name, process, (*uses, *_written(about, rf"\b(record|before)\.{name}\b")))
    for spot in states_of(process):
        yield Defined("state", spot.name, spot, tuple(_of_state(pack, process, spot.name)))
    for spot in process.at("transitions/*"):
        yield Defined("transition", spot.name, spot, tuple(_of_transition(pack, process, spot.name)))


def _parts(pack: Pack) -> Iterator[Spot]:
    return pack.at("automation", "when/**/(entered|left|moved|state)", "do/**/move", "do/**/move/transition")


def _of_state(pack: Pack, process: Document, name: str) -> Iterator[Position]:
    for spot in process.at("transitions/*/(from|to)"):
        yield from ((item.file, item.start) for item in spot.items if item.text == name)
    for spot in _parts(pack):
        if spot.text == f"{process.name}.{name}":
            yield spot.file, spot.start
    about = list(fields_in(pack, entity_of(pack, process)))
    compared = (spot for spot in about if re.search(rf"\b(record|before)\.{process.name}\b", spot.raw))
    yield from _written(compared, rf"(?<=[\"']){name}(?=[\"'])")


def _of_transition(pack: Pack, process: Document, name: str) -> Iterator[Position]:
    both = {name, f"{process.name}.{name}"}
    for spot in pack.at("level", f"entities/{entity_of(pack, process)}/transitions/*"):
        if spot.text in both:
            yield spot.file, spot.start
    for spot in _parts(pack):
        if spot.text == f"{process.name}.{name}":
            yield spot.file, spot.start


# Entities ---------------------------------------------------------------------------------------------------------


def _of_entity(pack: Pack, entity: Document) -> Iterator[Defined]:
    for spot in entity.at("fields/*"):
        yield Defined("field", spot.name, spot, tuple(_of_field(pack, entity.name, spot.name)))
    for spot in entity.at("fields/*/options/*"):
        yield Defined("option", spot.name, spot, tuple(_of_option(pack, entity, spot)))


def _of_field(pack: Pack, entity: str, name: str) -> Iterator[Position]:
    for spot in _field_names(pack, entity):
        if spot.scalar and spot.text.removeprefix("-") == name:
            yield spot.file, spot.start
    for spot in _field_keys(pack, entity):
        if spot.name == name:
            yield spot.file, spot.begin
    yield from _written(fields_in(pack, entity), rf"(?<![.\w])(record|before)\.{name}\b")


_OF_FIELDS = {
    "entity": ("search/*", "duplicates/*/*", "fields/*/unique/*", "retention/since"),
    "process": ("transitions/*/form/*/field",),
    "screen": ("list/columns/*", "list/sort", "board/card/*", "record/sections/*/fields/*"),
}
"""By kind of document about an entity, the places at which its fields are named."""


def _field_names(pack: Pack, entity: str) -> Iterator[Spot]:
    for kind, patterns in _OF_FIELDS.items():
        for document in pack.of(kind):
            if entity_of(pack, document) == entity:
                for pattern in patterns:
                    yield from document.at(pattern)
    for spot in pack.at("automation", "when/**/(changed|due)"):
        about = spot.get("entity")
        if about is not None and about.text == entity:
            named = (spot.get("at"), *((spot.get("fields") or spot).children))
            yield from (item for item in named if item is not None and item.name != "entity")


def _field_keys(pack: Pack, entity: str) -> Iterator[Spot]:
    yield from pack.at("level", f"entities/{entity}/fields/*")
    for each in pack.of("process"):
        if entity_of(pack, each) == entity:
            yield from each.at("transitions/*/set/*")
    for spot in pack.at("automation", "**/create"):
        about, values = spot.get("entity"), spot.get("values")
        if about is not None and about.text == entity and values is not None:
            yield from values.children


def _of_option(pack: Pack, entity: Document, option: Spot) -> Iterator[Position]:
    field = option.way[1]
    compared = (spot for spot in fields_in(pack, entity.name) if re.search(rf"\b(record|before)\.{field}\b", spot.raw))
    yield from _written(compared, rf"(?<=[\"']){option.name}(?=[\"'])")
    default = entity.root.get("fields", field, "default")
    if default is not None and default.text == option.name:
        yield default.file, default.start
    for spot in _field_keys(pack, entity.name):
        if spot.name == field and spot.text == option.name:
            yield spot.file, spot.start


def fields_in(pack: Pack, entity: str) -> Iterator[Spot]:
    """Yield the expressions and templates in which `record` is of an entity, whatever loops are around."""
    for spot in _all(pack):
        if spot.document.kind == "level":
            if spot.way[1] == entity:
                yield spot
        elif entity_of(pack, spot.document) == entity and "for_each" not in spot.way:
            yield spot
