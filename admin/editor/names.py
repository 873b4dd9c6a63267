"""Which names may stand at a spot, by what its schema says that it is (`x-is`, and `x-keys` of the keys of a map)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from admin.editor.outline import Symbol
from admin.editor.packs import Pack
from admin.editor.spot import Spot
from definitions.build.known import KNOWN, known_names
from definitions.build.member import MEMBER
from definitions.build.processes import IMPLIED_LEVELS
from definitions.expr import Member, Target
from definitions.pack import PACKS
from definitions.source import Mapping as Keys
from definitions.source import Node, Scalar, Sequence


@dataclass(frozen=True, slots=True)
class Name:
    """A name that may stand somewhere: how it is written there, and what it stands for."""

    written: str
    target: Target
    detail: str = ""


_WRITING = frozenset({"set", "values"})
"""Keys below which fields are written, so that only those are named that can be."""


def names_at(pack: Pack, spot: Spot, kind: str) -> list[Name]:
    """Return the names of a kind that may stand at a spot."""
    if kind in KNOWN:
        return [Name(name, ()) for name in sorted(known_names(kind))]
    make = _MAKERS.get(kind)
    return list(_documents(pack, kind)) if make is None else list(make(pack, spot))


def entity_at(pack: Pack, spot: Spot) -> str | None:
    """Return the entity whose fields may be named at a spot."""
    for way, node in spot.around():
        if len(way) == 2 and way[0] in {"entities", "records"}:
            return str(way[1])
        if way[:1] == ("members",) and spot.kind == "demo":
            return MEMBER
        found = node.get("entity") if isinstance(node, Keys) else None
        if isinstance(found, Scalar) and (way or spot.kind != "level"):
            return found.text
    root = spot.document.node
    about = root.get("about") if root is not None else None
    if isinstance(about, Scalar):
        return about.text
    return _started_by(pack, root.get("when") if root is not None else None)


def _started_by(pack: Pack, node: Node | None) -> str | None:
    """Return the entity that triggers are about."""
    if isinstance(node, Sequence):
        return next(filter(None, (_started_by(pack, item) for item in node.items)), None)
    for entry in node.entries.values() if isinstance(node, Keys) else ():
        value: Node | None = entry.value
        if isinstance(value, Keys) and "for_each" in value.entries:
            value = value.get("for_each")
        if isinstance(value, Keys):
            value = value.get("entity") or value.get("state")
        if isinstance(value, Scalar):
            return _entity_of(pack, value.text)
    return None


def _entity_of(pack: Pack, written: str) -> str | None:
    """Return the entity of `process.state`, or the entity that is named itself."""
    process, dot, _ = written.partition(".")
    symbol = pack.symbols.get(("process", process)) if dot else None
    return written if symbol is None else symbol.word("entity") or None


def _documents(pack: Pack, kind: str) -> Iterator[Name]:
    for target, symbol in pack.symbols.items():
        if len(target) == 2 and target[0] == kind:
            yield Name(target[1], target, label_of(symbol))


def _entities(pack: Pack, _: Spot) -> Iterator[Name]:
    yield from _documents(pack, "entity")
    if ("entity", MEMBER) not in pack.symbols:
        yield Name(MEMBER, ())


def _levels(pack: Pack, _: Spot) -> Iterator[Name]:
    known = list(_documents(pack, "level"))
    yield from known
    yield from (Name(name, ()) for name in IMPLIED_LEVELS if name not in {each.written for each in known})


def _fields(pack: Pack, spot: Spot) -> Iterator[Name]:
    writing = not _WRITING.isdisjoint(spot.way[-2:])
    for name, member in members_of(pack, entity_at(pack, spot)).items():
        if writing and member.kind != "field":
            continue
        yield Name(name, member.target, str(member.type))


def members_of(pack: Pack, entity: str | None) -> Mapping[str, Member]:
    """Return what a record of an entity has, by name."""
    return pack.loaded.notes.records.get(entity or "", {})


def _parts(pack: Pack, kind: str, processes: set[str], *, full: bool) -> Iterator[Name]:
    for target, symbol in pack.symbols.items():
        if target[0] == kind and target[1] in processes:
            yield Name(".".join(target[1:]) if full else target[-1], target, label_of(symbol))


def _processes(pack: Pack, entity: str | None) -> set[str]:
    found = (symbol for target, symbol in pack.symbols.items() if target[0] == "process")
    return {symbol.name for symbol in found if entity is None or symbol.word("entity") == entity}


def _states(pack: Pack, spot: Spot) -> Iterator[Name]:
    yield from _parts(pack, "state", {_own_name(spot)}, full=False)
    if spot.way[-1:] == ("from",) or spot.way[-2:-1] == ("from",):
        yield Name("any", ())


def _own_name(spot: Spot) -> str:
    entry = next(iter(spot.document.node.entries.values()), None) if spot.document.node is not None else None
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else ""


def _transitions(pack: Pack, spot: Spot) -> Iterator[Name]:
    entity = entity_at(pack, spot)
    found = list(_parts(pack, "transition", _processes(pack, entity), full=False))
    often = [name.written for name in found]
    for name in found:
        several = often.count(name.written) > 1
        yield Name(".".join(name.target[1:]), name.target, name.detail) if several else name


def _full(kind: str) -> Callable[[Pack, Spot], Iterator[Name]]:
    def make(pack: Pack, _: Spot) -> Iterator[Name]:
        yield from _parts(pack, kind, _processes(pack, None), full=True)

    return make


def _views(pack: Pack, spot: Spot) -> Iterator[Name]:
    beside = next((node for _, node in spot.around() if isinstance(node, Keys)), None)
    screen = beside.get("screen") if beside is not None else None
    for target, symbol in pack.symbols.items():
        if target[0] == "view" and isinstance(screen, Scalar) and target[1] == screen.text:
            yield Name(symbol.name, target, label_of(symbol))


def _languages(pack: Pack, _: Spot) -> Iterator[Name]:
    network = next((symbol for target, symbol in pack.symbols.items() if target[0] == "network"), None)
    written = network.written("languages") if network is not None else None
    for item in written.items if isinstance(written, Sequence) else ():
        if isinstance(item, Scalar):
            yield Name(item.text, ())


def label_of(symbol: Symbol) -> str:
    """Return what people read for a definition, in every language that is written."""
    node = symbol.node if symbol.kind == "option" else symbol.written("label")
    inner = node.get("label") if isinstance(node, Keys) and "label" in node.entries else node
    if isinstance(inner, Scalar):
        return inner.text
    values = [entry.value for entry in inner.entries.values()] if isinstance(inner, Keys) else []
    return " / ".join(value.text for value in values if isinstance(value, Scalar))


def _packs(_: Pack, __: Spot) -> Iterator[Name]:
    yield from (Name(folder.name, ()) for folder in sorted(PACKS.iterdir()) if folder.is_dir())


_MAKERS: Mapping[str, Callable[[Pack, Spot], Iterator[Name]]] = {
    "entity": _entities,
    "level": _levels,
    "field": _fields,
    "state": _states,
    "transition": _transitions,
    "process.state": _full("state"),
    "process.transition": _full("transition"),
    "view": _views,
    "language": _languages,
    "pack": _packs,
}
