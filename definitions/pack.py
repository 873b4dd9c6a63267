"""Packs: folders of YAML files, read, built and checked as one network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from definitions.build import build
from definitions.build.notes import Notes
from definitions.checks import check
from definitions.collecting import paused
from definitions.documents import Source
from definitions.files import RecentFiles
from definitions.folders import PACKS, SUFFIXES, Files, read_folder
from definitions.message import say
from definitions.problems import Place, Problem, did_you_mean, in_order
from definitions.source import Entry, Scalar, Sequence
from definitions.source import Mapping as Keys
from definitions.spec.network import Network
from definitions.validate import kinds

__all__ = ["KEPT", "LIBRARY_MARK", "MEMORY", "PACKS", "SUFFIXES", "Files", "Loaded", "Memory", "load", "read_folder"]

LIBRARY_MARK = "@"
KEPT = 16
"""How many packs are remembered as loaded: networks made of the same files share one description."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pack as loaded: the network (None when there is an error), what was found, and all files it is made of.

    `notes` say for editors what the names in the files stand for. `whole` is the network that every file was understood
    for, whatever rules it breaks: what an earlier Maille published goes on running when a newer one has more rules.
    """

    network: Network | None
    problems: tuple[Problem, ...]
    files: Files
    notes: Notes = field(default_factory=Notes, compare=False)
    whole: Network | None = field(default=None, compare=False)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the pack from running."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


class Memory:
    """What was loaded lately: whole packs, and the files that they are made of."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.files = RecentFiles()
        self._packs: OrderedDict[frozenset[tuple[str, str]], Loaded] = OrderedDict()
        self._lock = Lock()

    def pack(self, files: Files) -> Loaded | None:
        """Return what was loaded from the same files."""
        key = frozenset(files.items())
        with self._lock:
            if key in self._packs:
                self._packs.move_to_end(key)
            return self._packs.get(key)

    def keep(self, files: Files, loaded: Loaded) -> None:
        """Remember what was loaded from files."""
        with self._lock:
            self._packs[frozenset(files.items())] = loaded
            if len(self._packs) > KEPT:
                self._packs.popitem(last=False)


MEMORY = Memory()


def load(files: Files, *, library: Path = PACKS, memory: Memory = MEMORY) -> Loaded:
    """Load a pack: every problem of every file at once, sorted.

    What the memory has of the files, and of what was made of them, is not made again; what comes out is the same.
    """
    known = memory.pack(files)
    if known is not None:
        return known
    reading = _Reading(dict(files), library, memory.files)
    with paused():
        loaded = _load(reading)
    memory.files.forget(reading.files)
    if not reading.asked_library:  # folders may change
        memory.keep(files, loaded)
    return loaded


def _load(reading: _Reading) -> Loaded:
    sources = reading.sources()
    built = build(sources)
    problems = [*reading.problems, *built.problems]
    understood = not any(problem.severity == "error" for problem in problems)
    if built.network is not None:
        problems += check(built.network, built.damaged, built.used, sources)
    elif not sources.get("network"):
        problems.append(_no_network(reading.files))
    ordered = in_order(problems)
    broken = any(problem.severity == "error" for problem in ordered)
    whole = built.network if understood else None
    return Loaded(None if broken else built.network, ordered, reading.files, built.notes, whole)


def _no_network(files: Files) -> Problem:
    first = min((name for name in files if not name.startswith(LIBRARY_MARK)), default="network.yaml")
    return Problem(
        "network.missing",
        Place(first, 1, 1),
        say("No document says what the network is."),
        say("Add one that begins with 'network: name'."),
    )


class _Reading:
    """Reads the documents of a pack, and of the packs that it extends."""

    def __init__(self, files: dict[str, str], library: Path, recent: RecentFiles) -> None:
        self.files = files
        self.problems: list[Problem] = []
        self.asked_library = False
        self._library = library
        self._recent = recent
        self._seen: list[str] = []

    def sources(self) -> dict[str, dict[str, Source]]:
        """Return the documents by kind and name: those of extended packs first, the pack's own in their place."""
        own = [name for name in self.files if not name.startswith(LIBRARY_MARK)]
        found = self._pack(own)
        networks = found.get("network", {})
        if len(networks) > 1:
            found["network"] = self._one_network(list(networks.values()))
        return {kind: found.get(kind, {}) for kind in kinds()}

    def _pack(self, names: Iterable[str]) -> dict[str, dict[str, Source]]:
        own: dict[str, dict[str, Source]] = {}
        extends: list[Scalar] = []
        for name in sorted(names):
            read = self._recent.read(name, self.files[name])
            self.problems += read.problems
            for source in read.sources:
                self._add(own, source)
                extends += _extends(source)
        found: dict[str, dict[str, Source]] = {}
        for node in extends:
            _overlay(found, self._extended(node))
        _overlay(found, own)
        return found

    def _add(self, own: dict[str, dict[str, Source]], source: Source) -> None:
        first = own.setdefault(source.kind, {}).setdefault(source.name, source)
        if first is not source:
            sentence = say(
                "The {kind} '{name}' is defined twice; the first is at {place}.",
                kind=source.kind,
                name=source.name,
                place=first.place,
            )
            self._report("document.defined_twice", source.place, sentence, say("Join the two, or rename one."))

    def _extended(self, node: Scalar) -> dict[str, dict[str, Source]]:
        pack = node.text
        prefix = f"{LIBRARY_MARK}{pack}/"
        if pack in self._seen:
            return {}
        self._seen.append(pack)
        names = [name for name in self.files if name.startswith(prefix)]
        if not names:
            names = self._from_library(node, prefix)
        return self._pack(names)

    def _from_library(self, node: Scalar, prefix: str) -> list[str]:
        self.asked_library = True
        known = sorted(each.name for each in self._library.iterdir() if each.is_dir()) if self._library.is_dir() else []
        if node.text not in known:
            sentence = say("There is no pack '{written}'.", written=node.text)
            self._report("network.unknown_pack", node.place, sentence, did_you_mean(node.text, known))
            return []
        found = {prefix + name: text for name, text in read_folder(self._library / node.text).items()}
        self.files.update(found)
        return list(found)

    def _one_network(self, networks: list[Source]) -> dict[str, Source]:
        """Return the pack's own network with what it leaves open taken from those of the packs it extends."""
        own = [source for source in networks if not source.place.file.startswith(LIBRARY_MARK)]
        for extra in own[1:]:
            sentence = say("There is a network already, at {place}.", place=own[0].place)
            self._report("network.several", extra.place, sentence, say("A pack defines one network."))
        base = [source for source in networks if source not in own]
        chosen = own[0] if own else base[-1]
        for source in reversed([each for each in base if each is not chosen]):
            chosen = _merged(source, chosen)
        return {chosen.name: chosen}

    def _report(self, code: str, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(code, place, message, hint))


def _extends(source: Source) -> list[Scalar]:
    node = source.node.get("extends") if source.kind == "network" and source.node else None
    if isinstance(node, Scalar):
        return [node]
    return [item for item in node.items if isinstance(item, Scalar)] if isinstance(node, Sequence) else []


def _overlay(found: dict[str, dict[str, Source]], newer: dict[str, dict[str, Source]]) -> None:
    for kind, sources in newer.items():
        found.setdefault(kind, {}).update(sources)


def _merged(base: Source, own: Source) -> Source:
    if base.node is None or own.node is None:
        return own
    entries = {key: entry for key, entry in base.node.entries.items() if key not in {"network", "extends"}}
    entries |= own.node.entries
    settings = [node.entries["settings"] for node in (base.node, own.node) if "settings" in node.entries]
    if len(settings) == 2:
        both = {
            key: entry for each in settings if isinstance(each.value, Keys) for key, entry in each.value.entries.items()
        }
        entries["settings"] = Entry(settings[1].key, Keys(settings[1].value.place, both))
    return Source("network", own.name, own.place, Keys(own.node.place, entries), own.raw, own.damaged)
