"""Which automations wait for what, looked up by what happens; made once a published version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from definitions.expr.expression import Expression
from definitions.spec.automation import (
    Action,
    Assign,
    Automation,
    Called,
    Changed,
    Choose,
    Create,
    Created,
    Document,
    Due,
    Email,
    Entered,
    Every,
    ForEach,
    Move,
    Moved,
    Notify,
    Run,
    Selection,
    SetFields,
    Sms,
    Stays,
    Step,
    Stop,
    Task,
    Trigger,
    Wait,
    Webhook,
    every_step,
)
from definitions.spec.network import Network
from definitions.spec.value import Value
from models.published import Published

Key = tuple[str, ...]
Part = Expression | Value | None


@dataclass(frozen=True, slots=True)
class Timer:
    """A trigger that fires at a time, and where it stands: `position` in the automation's list."""

    automation: Automation
    position: int


@dataclass(frozen=True, slots=True)
class StaysTimer(Timer):
    """Fires when a record has stayed in a state."""

    trigger: Stays


@dataclass(frozen=True, slots=True)
class DueTimer(Timer):
    """Fires around a date of a record."""

    trigger: Due


@dataclass(frozen=True, slots=True)
class Schedule(Timer):
    """Fires by the clock."""

    trigger: Every


class Subscriptions:
    """The automations of one version by what starts them."""

    def __init__(self, network: Network) -> None:
        """Index the triggers of `network`."""
        self.stays: dict[Key, list[StaysTimer]] = defaultdict(list)
        self.due: dict[str, list[DueTimer]] = defaultdict(list)
        self.every: list[Schedule] = []
        self.reads: dict[str, tuple[str, ...]] = {name: _reads(found) for name, found in network.automations.items()}
        self._by_event: dict[Key, list[Automation]] = defaultdict(list)
        self._changed: dict[str, list[tuple[Automation, frozenset[str]]]] = defaultdict(list)
        for automation in network.automations.values():
            for position, trigger in enumerate(automation.triggers):
                self._index(automation, position, trigger)

    def _index(self, automation: Automation, position: int, trigger: Trigger) -> None:  # noqa: C901 - one line for each kind of trigger
        match trigger:
            case Entered(process, state, left=left):
                self._by_event["left" if left else "entered", process, state].append(automation)
            case Moved(process, transition):
                self._by_event["moved", process, transition].append(automation)
            case Created(entity, deleted=deleted):
                self._by_event["deleted" if deleted else "created", entity].append(automation)
            case Changed(entity, fields):
                self._changed[entity].append((automation, frozenset(fields)))
            case Stays(process, state):
                self.stays[process, state].append(StaysTimer(automation, position, trigger))
            case Due(entity):
                self.due[entity].append(DueTimer(automation, position, trigger))
            case Called(hook):
                self._by_event["called", hook].append(automation)
            case Every():
                self.every.append(Schedule(automation, position, trigger))
            case _:
                assert_never(trigger)

    def of(self, key: Key) -> list[Automation]:
        """Return the automations that one event starts."""
        return self._by_event.get(key, [])

    def of_change(self, entity: str, fields: frozenset[str]) -> Iterator[Automation]:
        """Yield the automations that a change of these fields starts."""
        for automation, wanted in self._changed.get(entity, []):
            if fields and (not wanted or wanted & fields):
                yield automation


def _reads(automation: Automation) -> tuple[str, ...]:
    """Return the fields of `before` that an automation reads anywhere: what its runs keep of the change."""
    parts_of_steps = [part for step in every_step(automation.steps) for part in parts(as_action(step))]
    found = expressions(automation.condition, automation.key, *parts_of_steps)
    paths = {path for expression in found for path in expression.reads}
    return tuple(sorted({path[1] for path in paths if len(path) > 1 and path[0] == "before"}))


def as_action(step: Step) -> Action:
    """Return the step as the closed union that it is one of."""
    if isinstance(step, Action):
        return step
    raise TypeError(f"{type(step).__name__} is no action.")


def parts(step: Action) -> list[Part]:  # noqa: C901, PLR0912 - one line for each kind of step
    """Return the conditions and values of a step; those of the steps inside it are their own."""
    found: list[Part] = [step.condition, step.subject]
    match step:
        case Email(to=to, cc=cc):
            found += [*to, *cc]
        case Sms(to=to) | Notify(to=to):
            found += to
        case SetFields(values=values) | Create(values=values):
            found += values.values()
        case Move(record=record, form=form):
            found += [record, *form.values()]
        case Task(for_member=member, due=due, about=about):
            found += [member, due, about]
        case Webhook():
            found += step.values
        case Wait(duration=duration, until=until, cancel_if=cancel_if):
            found += [duration, until, cancel_if]
        case Choose(branches=branches):
            found += [branch.condition for branch in branches]
        case ForEach(items=items):
            found.append(items.where if isinstance(items, Selection) else items)
        case Assign(to=to, among=among):
            found += [to, among]
        case Document() | Run() | Stop():
            pass
        case _:
            assert_never(step)
    return found


def expressions(*parts: Part) -> list[Expression]:
    """Return the expressions among conditions and values."""
    found = [part.expression if isinstance(part, Value) else part for part in parts]
    return [expression for expression in found if expression is not None]


def reads_itself(expression: Expression, lines: Collection[str]) -> bool:
    """Whether an expression reads nothing of a record but the record itself, and who others are."""
    return all(
        len(path) <= 2 + (path[-1] == "id") and path[1:2] not in {(name,) for name in lines}
        for path in expression.reads
        if path[0] in {"record", "before", "form"}
    )


@lru_cache(maxsize=512)
def subscriptions(published: Published) -> Subscriptions:
    """Return the automations of a version by what starts them."""
    return Subscriptions(published.network)
