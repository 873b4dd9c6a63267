"""Packs: folders of YAML files, read, built and checked as one network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from definitions.build import build
from definitions.build.draft import Source
from definitions.build.notes import Notes
from definitions.checks import check
from definitions.checks.not_yet import LATER_KINDS, refuse_not_yet
from definitions.message import say
from definitions.problems import Place, Problem, did_you_mean, in_order
from definitions.source import Document, Entry, Scalar, Sequence, read_documents
from definitions.source import Mapping as Keys
from definitions.spec.network import Network
from definitions.validate import kinds, validate

Files = Mapping[str, str]
PACKS = Path(__file__).parent / "packs"
LIBRARY_MARK = "@"
KEPT = 16
"""How many packs are remembered as loaded: networks made of the same files share one description."""

_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pack as loaded: the network (None when there is an error), what was found, and all files it is made of.

    `notes` say for editors what the names in the files stand for.
    """

    network: Network | None
    problems: tuple[Problem, ...]
    files: Files
    notes: Notes = field(default_factory=Notes, compare=False)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the pack from running."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def read_folder(path: Path) -> Files:
    """Return the YAML files below a folder by their relative path; hidden ones aside."""
    found = {}
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        if file.suffix in _SUFFIXES and file.is_file() and not any(part.startswith(".") for part in relative.parts):
            found[relative.as_posix()] = file.read_text("utf-8", errors="surrogateescape")
    return found


def load(files: Files, *, library: Path = PACKS) -> Loaded:
    """Load a pack: every problem of every file at once, sorted."""
    key = frozenset(files.items())
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    reading = _Reading(dict(files), library)
    loaded = _load(reading)
    if not reading.asked_library:  # folders may change
        with _lock:
            _kept[key] = loaded
            if len(_kept) > KEPT:
                _kept.popitem(last=False)
    return loaded


_kept: OrderedDict[frozenset[tuple[str, str]], Loaded] = OrderedDict()
_lock = Lock()


def _load(reading: _Reading) -> Loaded:
    sources = reading.sources()
    built = build(sources)
    problems = [*reading.problems, *built.problems]
    if built.network is not None:
        problems += check(built.network, built.damaged, built.used)
    elif not sources.get("network"):
        problems.append(_no_network(reading.files))
    ordered = in_order(problems)
    broken = any(problem.severity == "error" for problem in ordered)
    return Loaded(None if broken else built.network, ordered, reading.files, built.notes)


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

    def __init__(self, files: dict[str, str], library: Path) -> None:
        self.files = files
        self.problems: list[Problem] = []
        self.asked_library = False
        self._library = library
        self._seen: list[str] = []

    def sources(self) -> dict[str, dict[str, Source]]:
        """Return the documents by kind and name: those of extended packs first, the pack's own in their place."""
        own = [name for name in self.files if not name.startswith(LIBRARY_MARK)]
        found = self._pack(own)
        networks = found.get("network", {})
        if len(networks) > 1:
            found["network"] = self._one_network(list(networks.values()))
        return found

    def _pack(self, names: Iterable[str]) -> dict[str, dict[str, Source]]:
        own: dict[str, dict[str, Source]] = {}
        extends: list[Scalar] = []
        for name in sorted(names):
            documents, problems = read_documents(name, self.files[name])
            self.problems += problems
            for document in documents:
                source = self._source(document)
                if source is not None:
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

    def _source(self, document: Document) -> Source | None:
        if document.node is None:
            place = Place(document.file, 1, 1)
            return None if document.head is None or document.head[0] not in kinds() else _broken(document.head, place)
        found = self._head(document.node)
        if found is None:
            return None
        kind, name = found
        problems, node = validate(document, kind)
        later = refuse_not_yet(kind, document.node)
        self.problems += [*problems, *later]
        return Source(kind, name.text, name.place, node, document.node, damaged=bool(problems or later))

    def _head(self, node: Keys) -> tuple[str, Scalar] | None:
        """Return the kind of a document and the scalar with its name, reporting when it has none."""
        first, entry = next(
            iter(node.entries.items()), ("", Entry(Scalar(node.place, "", None), Scalar(node.place, "", None)))
        )
        if first in kinds():
            if isinstance(entry.value, Scalar) and entry.value.text:
                return first, entry.value
            self._report(
                "document.name",
                entry.key.place,
                say("This {first} has no name.", first=first),
                say("Write '{first}: a_name'.", first=first),
            )
        elif first in LATER_KINDS:
            self._report(
                "language.not_yet",
                entry.key.place,
                say("Definitions of the kind '{first}' can't be run yet.", first=first),
                say("Leave this document out for now."),
            )
        else:
            self._unknown_kind(node, first, entry)
        return None

    def _unknown_kind(self, node: Keys, first: str, entry: Entry) -> None:
        later = next((key for key in node.entries if key in kinds()), None)
        sentence = say("'{first}' is not a kind of definition.", first=first)
        hint = (
            say("Put '{later}: …' first.", later=later)
            if later
            else did_you_mean(first, kinds()) or say("Kinds are: {names}.", names=", ".join(kinds()))
        )
        self._report("document.unknown_kind", entry.key.place, sentence, hint)

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


def _broken(head: tuple[str, str], place: Place) -> Source:
    return Source(head[0], head[1], place, None, None, damaged=True)


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
