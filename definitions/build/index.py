"""What the builders may ask of a pack, and what they asked: so that what was worked out once is known to hold still."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar, cast, overload

from definitions.documents import Source, Sources
from definitions.expr import Choice, Member
from definitions.source import says_the_same
from definitions.spec.entity import Entity, Field

V = TypeVar("V")
D = TypeVar("D")
Question = tuple[str, str]
"""What is asked, and of what: `records` of an entity."""
Answers = dict[Question, Any]
_ABSENT: Any = object()


class Asking:
    """Questions to a pack: each is answered by one function, and noted while something is worked out."""

    def __init__(self) -> None:
        """Begin without anything that could be asked."""
        self.answers: dict[str, Callable[[str], Any]] = {}
        self._noted: Answers | None = None
        self._compared: dict[tuple[Question, int], tuple[object, bool]] = {}

    def ask(self, what: str, of: str) -> Any:
        """Return the answer, and note it."""
        answer = self.answers[what](of)
        if self._noted is not None:
            self._noted.setdefault((what, of), answer)
        return answer

    def noting(self, work: Callable[[], V]) -> tuple[V, Answers]:
        """Return what some work made, and all that it asked."""
        outer, self._noted = self._noted, {}
        try:
            return work(), self._noted
        finally:
            self._noted = outer

    def hold(self, noted: Answers) -> bool:
        """Whether the same questions have the same answers today."""
        return all(self._holds(question, answer) for question, answer in noted.items())

    def _holds(self, question: Question, answer: object) -> bool:
        if question[0] not in self.answers:
            return False
        now = self.answers[question[0]](question[1])
        if now is answer:
            return True
        key = (question, id(answer))
        if key not in self._compared:
            self._compared[key] = answer, _same(answer, now)  # the answer is held, so that its id stays its own
        return self._compared[key][1]


def _same(one: object, other: object) -> bool:
    if isinstance(one, Source) and isinstance(other, Source):
        same = one.damaged == other.damaged and says_the_same(one.raw, other.raw)
        return same and says_the_same(one.node, other.node)
    return bool(one == other)


class Watched(Mapping[str, V]):
    """Things by name; what is asked of them is noted."""

    def __init__(self, what: str, things: Mapping[str, V], asking: Asking) -> None:
        """Let `asking` answer from the things, whatever they will be by then."""
        self._what, self._asking = what, asking
        asking.answers[what] = lambda name: things.get(name, _ABSENT)
        asking.answers[f"has {what}"] = things.__contains__
        asking.answers[f"all {what}"] = lambda _: tuple(things)

    def __getitem__(self, name: str) -> V:
        """Return the thing of that name."""
        found: V = self._asking.ask(self._what, name)
        if found is _ABSENT:
            raise KeyError(name)
        return found

    @overload
    def get(self, key: str, /) -> V | None: ...
    @overload
    def get(self, key: str, /, default: V | D) -> V | D: ...
    def get(self, key: str, /, default: V | D | None = None) -> V | D | None:
        """Return the thing of that name, or the default."""
        found: V = self._asking.ask(self._what, key)
        return default if found is _ABSENT else found

    def __contains__(self, name: object) -> bool:
        """Whether there is a thing of that name."""
        return bool(self._asking.ask(f"has {self._what}", str(name)))

    def __iter__(self) -> Iterator[str]:
        """Yield all names."""
        return iter(self._asking.ask(f"all {self._what}", ""))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._asking.ask(f"all {self._what}", ""))


@dataclass(slots=True)
class Declared:
    """What documents declare for others: fields, what expressions see of records, states, and entities once built."""

    shapes: dict[str, dict[str, Field]] = field(default_factory=dict)
    records: dict[str, dict[str, Member]] = field(default_factory=dict)
    states: dict[str, Choice] = field(default_factory=dict)
    parallel: set[str] = field(default_factory=set)
    entities: dict[str, Entity] = field(default_factory=dict)


class Index:
    """The documents of a pack by name and what they declare, for reading; `declared` is for who declares it."""

    def __init__(self, sources: Sources) -> None:
        """Index the documents."""
        self.asking = Asking()
        self.declared = Declared()
        self.sources = sources
        self.shapes = Watched("shapes", self.declared.shapes, self.asking)
        self.records = Watched("records", self.declared.records, self.asking)
        self.states = Watched("states", self.declared.states, self.asking)
        self.entities = Watched("entities", self.declared.entities, self.asking)
        self._of: dict[str, Watched[Source]] = {
            kind: Watched(f"{kind} documents", sources[kind], self.asking) for kind in sources
        }
        self._found: dict[str, dict[str, tuple[str, ...]]] = {}
        self.asking.answers |= {"holes": self._holes, "processes of": self._processes_of}
        self.asking.answers["parallel"] = self.declared.parallel.__contains__
        for part in ("states", "transitions"):
            self.asking.answers[f"{part} of"] = partial(self._parts, part)
            self.asking.answers[f"holders of {part}"] = partial(self._with, part)

    def of(self, kind: str) -> Mapping[str, Source]:
        """Return the documents of a kind by name."""
        if kind not in self._of:
            self._of[kind] = Watched(f"{kind} documents", {}, self.asking)
        return self._of[kind]

    def holes(self, kind: str) -> bool:
        """Whether a document of a kind could not be read in full: what refers to it may be right."""
        return bool(self.asking.ask("holes", kind))

    def processes_of(self, entity: str) -> tuple[str, ...]:
        """Return the names of an entity's processes, in the order written."""
        return cast("tuple[str, ...]", self.asking.ask("processes of", entity))

    def parallel(self, process: str) -> bool:
        """Whether records are in several states of a process at once."""
        return bool(self.asking.ask("parallel", process))

    def holders(self, part: str, name: str) -> tuple[str, ...]:
        """Return the processes with a state or a transition of a name: `part` is `states` or `transitions`."""
        return cast("tuple[str, ...]", self.asking.ask(f"holders of {part}", name))

    def part_names(self, process: str, part: str) -> tuple[str, ...]:
        """Return the names of a process's states (nested ones too) or transitions, as written."""
        return cast("tuple[str, ...]", self.asking.ask(f"{part} of", process))

    def _holes(self, kind: str) -> bool:
        return any(source.damaged for source in self.sources.get(kind, {}).values())

    def _grouped(self, what: str, names: Callable[[Source], Iterable[str]]) -> dict[str, tuple[str, ...]]:
        """Return the processes by what each has, worked out once."""
        if what not in self._found:
            found: dict[str, list[str]] = {}
            for source in self.sources.get("process", {}).values():
                for name in names(source):
                    found.setdefault(name, []).append(source.name)
            self._found[what] = {name: tuple(processes) for name, processes in found.items()}
        return self._found[what]

    def _processes_of(self, entity: str) -> tuple[str, ...]:
        return self._grouped("entity", lambda source: [source.word("entity")]).get(entity, ())

    def _with(self, part: str, name: str) -> tuple[str, ...]:
        return self._grouped(part, lambda source: self._parts(part, source.name)).get(name, ())

    def _parts(self, part: str, process: str) -> tuple[str, ...]:
        if part == "transitions":
            source = self.sources.get("process", {}).get(process)
            return tuple(source.named(part)) if source else ()
        choice = self.declared.states.get(process)
        return (*choice.options, *choice.groups) if choice else ()
