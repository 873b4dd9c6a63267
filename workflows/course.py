"""The course of events of a demo: what happens to which record and when, drawn by chance from its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from definitions.spec.demo import Demo, DemoMember, DemoNotes, DemoRecords, DemoTasks, Journey, Journeys
from models.calendar import OfficeCalendar
from workflows.made_up import apportion, in_office

_SHORTLY = timedelta(minutes=3)
_LATELY = timedelta(days=21)
"""Open tasks are about records in which something happened lately; older ones are done."""


@dataclass(slots=True)
class Story:
    """What a record is to become: its owner (a member of the demo), its way, and its own chance."""

    records: DemoRecords
    number: int
    owner: DemoMember
    way: Journey | None
    rng: Random = field(repr=False)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Created:
    """The record is made."""

    at: datetime
    story: Story


@dataclass(frozen=True, slots=True)
class Moved:
    """The record takes a transition of its process."""

    at: datetime
    story: Story
    journeys: Journeys
    transition: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The owner writes a note."""

    at: datetime
    story: Story
    notes: DemoNotes


@dataclass(frozen=True, slots=True)
class Tasked:
    """The owner plans a task; `done_at` None: it is still open."""

    at: datetime
    story: Story
    tasks: DemoTasks
    done_at: datetime | None


Event = Created | Moved | Noted | Tasked


def course(demo: Demo, office: OfficeCalendar, now: datetime) -> list[Event]:
    """Return everything that happens before `now`, in order. The same demo and time give the same course."""
    events = [
        event
        for records in demo.records.values()
        for story in stories(demo, records)
        for event in _life(story, office, now)
    ]
    order = {entity: at for at, entity in enumerate(demo.records)}
    return sorted(events, key=lambda event: (event.at, order[event.story.records.entity], event.story.number))


def stories(demo: Demo, records: DemoRecords) -> Iterator[Story]:
    """Yield a story for each of the records; the ways have exactly their shares."""
    rng = Random(f"{demo.seed}/{records.entity}")  # noqa: S311 - made-up data, no secrets
    ways = _ways(records)
    rng.shuffle(ways)
    owners = [
        member for member in demo.members.values() if not records.owners or set(records.owners) & set(member.levels)
    ]
    weights = [member.weight for member in owners]
    for number in range(records.count):
        owner = rng.choices(owners, weights)[0]
        chance = Random(f"{demo.seed}/{records.entity}/{number}")  # noqa: S311 - as above
        way = records.each[number] if number < len(records.each) else ways[number]
        yield Story(records, number, owner, way, chance)


def _ways(records: DemoRecords) -> list[Journey | None]:
    if records.journeys is None:
        return [None] * records.count
    ways = records.journeys.ways
    counts = apportion(records.count, [way.share for way in ways])
    return [way for way, count in zip(ways, counts, strict=True) for _ in range(count)]


def _life(story: Story, office: OfficeCalendar, now: datetime) -> Iterator[Event]:
    """Yield what happens to one record."""
    moves = story.way.moves if story.way else ()
    times = moments(story, len(moves) + 1, office, now)
    yield Created(times[0], story)
    if story.records.journeys is not None:
        for at, transition in zip(times[1:], moves, strict=True):
            yield Moved(at, story, story.records.journeys, transition)
    yield from _beside(story, times, now)


def _beside(story: Story, times: Sequence[datetime], now: datetime) -> Iterator[Event]:
    """Yield the notes and tasks that go with what happens."""
    rng, notes, tasks = story.rng, story.records.notes, story.records.tasks
    if notes is not None and rng.random() < notes.share:
        at = min(rng.choice(times) + timedelta(minutes=rng.randint(1, 2)), now)
        yield Noted(at, story, notes)
    if tasks is not None and rng.random() < tasks.share:
        at = min(times[-1] + timedelta(minutes=2), now)
        done = at + (now - at) * rng.random() * 0.9
        is_done = rng.random() < tasks.done or now - at > _LATELY
        yield Tasked(at, story, tasks, min(done, at + timedelta(days=6)) if is_done else None)


def moments(story: Story, count: int, office: OfficeCalendar, now: datetime) -> list[datetime]:
    """Return `count` moments in opening hours, one after the other and all before `now`."""
    rng = story.rng
    within = story.way.within if story.way else story.records.within
    exactly = story.way.ago if story.way else None
    at = now - (rng.random() * within if exactly is None else exactly)
    found = [at]
    least, most = story.records.journeys.pace if story.records.journeys else (_SHORTLY, _SHORTLY)
    for _ in range(count - 1):
        at -= least + (most - least) * rng.random()
        found.append(at)
    times = sorted(_in_office(moment, office, now, rng) for moment in found)
    for index in range(1, count):
        times[index] = max(times[index], times[index - 1] + _SHORTLY)
    if times[-1] >= now:
        late = times[-1] - now + _SHORTLY
        times = [moment - late for moment in times]
    return times


def _in_office(moment: datetime, office: OfficeCalendar, now: datetime, rng: Random) -> datetime:
    """Return a moment in opening hours near the one given, and before `now`."""
    found = in_office(moment, office, rng, days=-1)
    while found >= now:
        moment -= timedelta(days=1)
        found = in_office(moment, office, rng, days=-1)
    return found
