"""A member's open tasks by when they are due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from admin.visit import Visit
from workflows.tasks import Task


@dataclass(frozen=True, slots=True)
class Item:
    """A task as a line: when it is due, whether that is over, and where what it is about is found."""

    id: str
    title: str
    sub: str
    due: str
    late: bool
    done: bool
    address: str


@dataclass(frozen=True, slots=True)
class Todo:
    """Tasks of the days before, of today, of later, and those without a date."""

    late: list[Item] = field(default_factory=list)
    today: list[Item] = field(default_factory=list)
    later: list[Item] = field(default_factory=list)
    some_day: list[Item] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, (self.late, self.today, self.later, self.some_day)))


def item(task: Task, visit: Visit) -> Item:
    """Return a task as a line."""
    formats = visit.formats
    about = visit.url("e", task.entity, task.record) if task.entity and task.record else ""
    return Item(
        id=task.id,
        title=task.title,
        sub=task.record_title,
        due=formats.due(task.done_at or task.due_at),
        late=task.done_at is None and task.due_at is not None and task.due_at < formats.now,
        done=task.done_at is not None,
        address=about,
    )


def todo(tasks: Iterable[Task], visit: Visit) -> Todo:
    """Return the open tasks, grouped, each group in the order given."""
    found, formats = Todo(), visit.formats
    for task in tasks:
        if task.due_at is None:
            found.some_day.append(item(task, visit))
            continue
        day = formats.day_of(task.due_at)
        group = found.late if day < formats.today else found.today if day == formats.today else found.later
        group.append(item(task, visit))
    return found
