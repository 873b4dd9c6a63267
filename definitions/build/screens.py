"""Screens (the generated ones too), and homes."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from typing import Literal, cast

from definitions.build.draft import Draft, entries, mapping, optional_word, scalars, word
from definitions.build.fields import field_names, note_field
from definitions.build.member import MEMBER
from definitions.build.processes import IMPLIED_LEVELS
from definitions.documents import Source
from definitions.message import say
from definitions.problems import NOWHERE, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence
from definitions.spec.entity import Entity
from definitions.spec.screen import Board, Home, Screen, Section, Tile, View

COLUMNS = 7
CARD = 3
_TOO_LONG = frozenset({"long_text", "json", "file", "image"})


def build_screens(draft: Draft, entities: MappingType[str, Entity]) -> dict[str, Screen]:
    """Return every screen; an entity without one gets a generated one, named after it."""
    built = draft.each("screen", _screen)
    with_screen = {screen.entity for screen in built.values()}
    for name, spec in entities.items():
        if name not in with_screen:
            built[name if name not in built else f"{name}_records"] = generated_screen(spec)
    return built


def generated_screen(spec: Entity) -> Screen:
    """Return the screen of an entity that has none."""
    return Screen(
        spec.name, spec.name, NOWHERE, generated_columns(spec), boards=_generated_boards(spec),
        sections=_generated_sections(spec), generated=True,
    )  # fmt: skip


def generated_columns(spec: Entity) -> tuple[str, ...]:
    """Return what a list shows by itself: the fields of the title, the processes, then others that are short."""
    in_title = [name for name in spec.fields if f"record.{name}" in spec.title]
    short = [
        f.name for f in spec.fields.values() if f.type not in _TOO_LONG and not f.encrypted and f.name not in in_title
    ]
    return (*in_title, *spec.processes, *short)[:COLUMNS]


def _generated_boards(spec: Entity) -> tuple[Board, ...]:
    card = tuple(name for name in generated_columns(spec) if name in spec.fields and f"record.{name}" not in spec.title)
    return tuple(Board(process, card[:CARD], NOWHERE) for process in spec.processes)


def _generated_sections(spec: Entity) -> tuple[Section, ...]:
    return (Section(spec.label, tuple(spec.fields), NOWHERE),) if spec.fields else ()


def _screen(draft: Draft, source: Source, node: Mapping) -> Screen | None:
    entity = node.get("entity")
    if not isinstance(entity, Scalar) or not draft.known("entity", entity, extra=[MEMBER]):
        return None
    spec = draft.index.entities.get(entity.text)
    return None if spec is None else _written(draft, source, node, spec)


def _written(draft: Draft, source: Source, node: Mapping, spec: Entity) -> Screen:
    members = draft.records[spec.name]
    listed = mapping(node.get("list"))
    page = mapping(node.get("record"))
    columns = field_names(draft, listed.get("columns") if listed else None, members, spec.name)
    written = scalars(listed.get("columns") if listed else None)
    boards = tuple(_boards(draft, node.get("board"), spec))
    sections = tuple(_sections(draft, page.get("sections") if page else None, spec))
    return Screen(
        source.name,
        spec.name,
        source.place,
        columns or generated_columns(spec),
        sort=sort_of(draft, listed.get("sort") if listed else None, spec.name) or "-created_at",
        levels=draft.names("level", node.get("for"), extra=IMPLIED_LEVELS),
        views=dict(_views(draft, node.get("views"), spec)),
        boards=boards or _generated_boards(spec),
        sections=sections or _generated_sections(spec),
        label=draft.optional_text(node.get("label")),
        column_places={item.text: item.place for item in written},
    )


def sort_of(draft: Draft, node: Node | None, entity: str) -> str | None:
    """Return what a list is sorted by; reports a field that is none, or that no list can be sorted by."""
    if not isinstance(node, Scalar):
        return None
    name = node.text.removeprefix("-")
    member = draft.records[entity].get(name)
    note_field(draft, entity, node, len(node.text) - len(name))
    if member is None:
        sentence = say("The entity {entity} has no field '{name}'.", entity=entity, name=name)
        draft.unfit(
            "field.unknown", node.at(len(node.text) - len(name)), sentence, did_you_mean(name, draft.records[entity])
        )
        return None
    if not member.stored or not member.filterable:
        draft.report(
            "screen.sort",
            node.place,
            say("Lists can't be sorted by '{name}'.", name=name),
            say("Sort by a field that is stored in the clear."),
        )
    return node.text


def _views(draft: Draft, node: Node | None, spec: Entity) -> Iterator[tuple[str, View]]:
    names = draft.base({"record": draft.record_type(spec.name)})
    for name, key, value in entries(node):
        body = mapping(value)
        if body is not None:
            where = draft.condition(body.get("where"), names, query=True)
            yield (
                name,
                View(
                    name,
                    draft.text(body.get("label"), name),
                    key.place,
                    where,
                    sort_of(draft, body.get("sort"), spec.name),
                ),
            )


def _boards(draft: Draft, node: Node | None, spec: Entity) -> Iterator[Board]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        body = mapping(item)
        process = body.get("process") if body else None
        if body is None or not isinstance(process, Scalar):
            continue
        if process.text not in spec.processes:
            sentence = say("The entity {entity} has no process '{process}'.", entity=spec.name, process=process.text)
            draft.unfit("process.unknown", process.place, sentence, did_you_mean(process.text, spec.processes))
            continue
        draft.used.add(("process", process.text))
        draft.notes.name(("process", process.text), process)
        card = field_names(draft, body.get("card"), draft.records[spec.name], spec.name)
        yield Board(process.text, card, body.place)


def _sections(draft: Draft, node: Node | None, spec: Entity) -> Iterator[Section]:
    for item in node.items if isinstance(node, Sequence) else ():
        body = mapping(item)
        if body is not None:
            fields = field_names(draft, body.get("fields"), draft.records[spec.name], spec.name)
            label = draft.optional_text(body.get("label")) or spec.label
            yield Section(label, fields, body.place)


def build_homes(draft: Draft) -> dict[str, Home]:
    """Return every home."""
    return draft.each("home", _home)


def _home(draft: Draft, source: Source, node: Mapping) -> Home:
    levels = draft.names("level", node.get("for"), extra=IMPLIED_LEVELS)
    label = draft.optional_text(node.get("label"))
    return Home(source.name, tuple(_tiles(draft, node.get("tiles"))), source.place, levels, label)


_KINDS = ("statistic", "screen", "tasks", "text")


def _tiles(draft: Draft, node: Node | None) -> Iterator[Tile]:
    for item in node.items if isinstance(node, Sequence) else ():
        body = mapping(item)
        if body is None:
            continue
        shown = [kind for kind in _KINDS if kind in body.entries]
        if len(shown) != 1:
            hint = say("Write a tile for each.")
            draft.report("home.tile", body.place, say("A tile shows one of: {kinds}.", kinds=", ".join(_KINDS)), hint)
            continue
        statistic, screen, view = body.get("statistic"), body.get("screen"), body.get("view")
        yield Tile(
            body.place,
            statistic=_named(draft, "statistic", statistic),
            screen=_named(draft, "screen", screen),
            view=_view(draft, screen, view),
            tasks=cast("Literal['mine'] | None", optional_word(body.get("tasks"))),
            text=draft.optional_text(body.get("text")),
        )


def _named(draft: Draft, kind: str, node: Node | None) -> str | None:
    if not isinstance(node, Scalar):
        return None
    extra = (*draft.index.of("entity"), MEMBER) if kind == "screen" else ()
    return node.text if draft.known(kind, node, extra=extra) else None


def _view(draft: Draft, screen: Node | None, node: Node | None) -> str | None:
    source = draft.source("screen", word(screen))
    if not isinstance(node, Scalar) or source is None:
        return None
    known = source.named("views")
    if node.text in known:
        draft.notes.name(("view", source.name, node.text), node)
        return node.text
    if source.damaged:
        return None  # the view may be behind what could not be read
    sentence = say("The screen {name} has no view '{written}'.", name=source.name, written=node.text)
    draft.unfit("screen.unknown_view", node.place, sentence, did_you_mean(node.text, known))
    return None
