"""Made-up data for trying a pack. It belongs to no network: only `workflows.demo` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from definitions.problems import Place
from definitions.text import Text


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in each record."""

    value: Any


@dataclass(frozen=True, slots=True)
class Pick:
    """One of the weighted `choices` (up to `many` of them). `shared` names the list whose items belong together:
    all fields of a record that take a `key` of it take it from the same item.
    """

    choices: tuple[tuple[Any, float], ...]
    many: int | None = None
    shared: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with places `{field}`, `{field|slug}`, `{list.key}`, `{again}`, and `#` for a digit.

    `picks` holds how to fill the places that name a list.
    """

    text: str
    picks: Mapping[str, Pick] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shift:
    """A moment from `least` to `most` after (negative: before) the one at which the value is made."""

    least: timedelta
    most: timedelta


@dataclass(frozen=True, slots=True)
class Number:
    """A multiple of `step` from `low` to `high`."""

    low: float
    high: float
    step: float = 1


@dataclass(frozen=True, slots=True)
class Chance:
    """True in this share of the records, else false."""

    share: float


@dataclass(frozen=True, slots=True)
class Existing:
    """A record of this entity that is there already; none when there is none yet."""

    entity: str


Source = Constant | Pick | Pattern | Shift | Number | Chance | Existing


@dataclass(frozen=True, slots=True)
class Maker:
    """How a value is made; `empty` is the share of records that have none."""

    source: Source
    place: Place
    empty: float = 0.0


@dataclass(frozen=True, slots=True)
class DemoMember:
    """A member: fields with a value each; `references` are those that name another member of the demo."""

    name: str
    levels: tuple[str, ...]
    place: Place
    sponsor: str | None = None
    weight: float = 1.0
    values: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Journey:
    """A way through a process, its share among the ways, and how long ago at most its last step was.

    `values` are made instead of the general ones in the records that go this way; `ago` is how long ago the last step
    was, where chance does not say it.
    """

    share: float
    moves: tuple[str, ...]
    within: timedelta
    place: Place
    values: Mapping[str, Maker] = field(default_factory=dict)
    ago: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Helper:
    """The member whom the owner names in `field` takes this share of the moves, of those that its levels may take."""

    field: str
    share: float


@dataclass(frozen=True, slots=True)
class Journeys:
    """How the records of an entity go through a process."""

    process: str
    ways: tuple[Journey, ...]
    pace: tuple[timedelta, timedelta]
    forms: Mapping[str, Mapping[str, Maker]] = field(default_factory=dict)
    helper: Helper | None = None


@dataclass(frozen=True, slots=True)
class DemoNotes:
    """The share of the records with a note, and what it says."""

    share: float
    text: Maker


@dataclass(frozen=True, slots=True)
class DemoTasks:
    """The share of the records with a task, the task, and the share of these that are done."""

    share: float
    title: Maker
    due: Maker
    done: float = 0.0


@dataclass(frozen=True, slots=True)
class DemoRecords:
    """Records of an entity, made and owned by the members of the levels `owners` (of all when empty).

    The first of them are the ones described in `each`, one by one.
    """

    entity: str
    count: int
    values: Mapping[str, Maker]
    place: Place
    within: timedelta
    owners: tuple[str, ...] = ()
    each: tuple[Journey, ...] = ()
    journeys: Journeys | None = None
    notes: DemoNotes | None = None
    tasks: DemoTasks | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo network: what is younger than `recent` runs its automations, what is older is history alone."""

    name: str
    label: Text
    place: Place
    password: str
    members: Mapping[str, DemoMember]
    records: Mapping[str, DemoRecords]
    seed: int = 0
    recent: timedelta = timedelta(days=3)
