"""One file of a pack: its documents, each with its kind and name, and what is wrong with them by themselves.

What was read is remembered by the file's name and text. What the builders make of a document is remembered with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from definitions.checks.not_yet import LATER_KINDS, refuse_not_yet
from definitions.documents import Source
from definitions.message import say
from definitions.problems import Place, Problem, did_you_mean
from definitions.source import Document, Entry, Scalar, read_documents
from definitions.source import Mapping as Keys
from definitions.validate import kinds, validate

REMEMBERED = 1_000_000
"""Characters of files that are remembered beside those of the last pack: about 2,000 definitions, 80 MB."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file as read: its documents, and what is wrong with it."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]


class RecentFiles:
    """Files that were read lately, those used last at the end."""

    def __init__(self, characters: int = REMEMBERED) -> None:
        """Remember about so many characters."""
        self._characters = characters
        self._lock = Lock()
        self._read: OrderedDict[tuple[str, str], Read] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        """Return how many files are remembered."""
        return len(self._read)

    def read(self, file: str, text: str) -> Read:
        """Return what a file says, each document as if nothing were known of the others."""
        key = (file, text)
        with self._lock:
            found = self._read.get(key)
            if found is not None:
                self._read.move_to_end(key)
        if found is None:
            found = read_file(file, text)
            with self._lock:
                if key not in self._read:
                    self._read[key] = found
                    self._size += len(text)
        return Read(tuple([source.fresh() for source in found.sources]), found.problems)

    def forget(self, spared: Mapping[str, str]) -> None:
        """Forget what was not used for long, while there is too much; never the files that are spared."""
        with self._lock:
            while self._size > self._characters:
                file, text = next(iter(self._read))
                if spared.get(file) == text:
                    return  # from here on all are newer
                self._size -= len(text)
                del self._read[file, text]


def read_file(file: str, text: str) -> Read:
    """Return what a file says."""
    documents, problems = read_documents(file, text)
    reading = _Reading(problems)
    return Read(tuple(reading.sources(documents)), tuple(reading.problems))


@dataclass(slots=True)
class _Reading:
    """Finds out what each document defines."""

    problems: list[Problem] = field(default_factory=list)

    def sources(self, documents: list[Document]) -> Iterator[Source]:
        for document in documents:
            source = self._source(document)
            if source is not None:
                yield source

    def _source(self, document: Document) -> Source | None:
        if document.node is None:
            place = Place(document.file, 1, 1)
            if document.head is None or document.head[0] not in kinds():
                return None
            return Source(*document.head, place, None, None, damaged=True)
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

    def _report(self, code: str, place: Place, message: str, hint: str) -> None:
        self.problems.append(Problem(code, place, message, hint))
