"""Automations: triggers, and the steps that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from definitions.duration import Duration
from definitions.expr.expression import Expression
from definitions.problems import Place
from definitions.spec.value import Value
from definitions.text import Text

Mode = Literal["single", "restart", "queued", "parallel"]


@dataclass(frozen=True, slots=True)
class Entered:
    """A record came into a state (`left`: went out of it)."""

    process: str
    state: str
    place: Place
    left: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A transition was taken."""

    process: str
    transition: str
    place: Place


@dataclass(frozen=True, slots=True)
class Stays:
    """A record has been in a state for a time without leaving it."""

    process: str
    state: str
    duration: Duration
    place: Place


@dataclass(frozen=True, slots=True)
class Created:
    """A record was created (`deleted`: deleted)."""

    entity: str
    place: Place
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """One of the fields (any of them when empty) got another value."""

    entity: str
    fields: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Due:
    """A date of the record comes (`shift` later, earlier when negative: `before`)."""

    entity: str
    at: str
    place: Place
    before: Duration | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule in the network's time zone, for each record of a query or once (`entity` None)."""

    cron: str
    place: Place
    entity: str | None = None
    where: Expression | None = None
    catch_up: Literal["all", "last", "none"] = "last"


@dataclass(frozen=True, slots=True)
class Called:
    """Another system calls the hook of a name."""

    hook: str
    place: Place


Trigger = Entered | Moved | Stays | Created | Changed | Due | Every | Called


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed step is tried again, and the first pause (doubled each time)."""

    times: int = 5
    backoff: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every action has; `path` is its place in the automation: `do/1/choose/0/do/0`.

    `subject` is the record that the step is about where that is not the automation's own.
    """

    path: str
    place: Place
    id: str | None = None
    condition: Expression | None = None
    on_error: Literal["stop", "continue"] = "stop"
    retry: Retry | None = None
    subject: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Step):
    """Tell people something; each value of `to` is a member, an address or a list of them.

    `to_level` instead: all members of a level.
    """

    template: str
    to: tuple[Value, ...] = ()
    to_level: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Notice):
    """Send an e-mail, with copies to `cc` and the files of the record's fields in `attach`."""

    cc: tuple[Value, ...] = ()
    cc_level: str | None = None
    sender: Literal["owner", "network"] = "network"
    attach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms(Notice):
    """Send a text message to telephones: those of members, or numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify(Notice):
    """Tell members something inside of the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Step):
    """Write a PDF into a field of the record."""

    template: str
    to_field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetFields(Step):
    """Change fields of the record."""

    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Step):
    """Create a record, known as `as_name` in the steps after."""

    entity: str
    values: Mapping[str, Value]
    as_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Step):
    """Take a transition of the record, or of the one that `record` computes."""

    process: str
    transition: str
    record: Value | None = None
    form: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Step):
    """Give a member something to do."""

    title: Text
    for_member: Value | None = None
    due: Value | None = None
    about: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Step):
    """Pause the run: for a duration, or until a time; `cancel_if` ends the run when it holds at a change or the end."""

    duration: Value | None = None
    until: Value | None = None
    cancel_if: Expression | None = None
    timeout: Duration | None = None


Body: TypeAlias = "Value | Mapping[str, Body] | tuple[Body, ...]"
"""JSON with values in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Step):
    """Send JSON to an address of another system; without a `body` it says which record it is about."""

    url: Value
    body: Mapping[str, Body] | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """The address and every value of the body."""
        return (self.url, *_leaves(self.body or {}))


def _leaves(body: Body) -> Iterator[Value]:
    if isinstance(body, Value):
        yield body
        return
    for part in body.values() if isinstance(body, Mapping) else body:
        yield from _leaves(part)


@dataclass(frozen=True, slots=True)
class Branch:
    """One way of a choice."""

    condition: Expression
    steps: tuple[Step, ...]
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Step):
    """Take the first branch whose condition holds, else the other steps."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The records that a loop goes through; in `where` its scope's `row` is what they are called."""

    entity: str
    where: Expression | None = None
    sort: str = "created_at"
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForEach(Step):
    """Do steps for each item of a list, or each record of a selection; both are read once, when the loop begins.

    The item is known as `name` in the steps; `entity` is what it is a record of (None: another value).
    """

    items: Value | Selection
    name: str
    steps: tuple[Step, ...]
    entity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Step):
    """Give the record to a member: whom `to` computes, or one that is picked among those for whom `among` holds.

    `round_robin` picks who has waited for the longest, `least_busy` who has the fewest open records of the entity.
    """

    to: Value | None = None
    pick: Literal["round_robin", "least_busy"] | None = None
    among: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Step):
    """Start another automation for the record, which is one of `entity`."""

    automation: str
    entity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Step):
    """End the run."""


Action = (
    Email | Sms | Notify | Document | SetFields | Create | Move | Task | Webhook
    | Wait | Choose | ForEach | Assign | Run | Stop
)  # fmt: skip


def inside(step: Step) -> tuple[tuple[Step, ...], ...]:
    """Return the lists of steps that are inside a step: the ways of a choice, what a loop does."""
    match step:
        case Choose(branches=branches, otherwise=otherwise):
            return (*(branch.steps for branch in branches), otherwise)
        case ForEach(steps=steps):
            return (steps,)
        case _:
            return ()


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps with those inside them, in the order written."""
    for step in steps:
        yield step
        for inner in inside(step):
            yield from every_step(inner)


@dataclass(frozen=True, slots=True)
class Automation:
    """What happens by itself. `entity` is what `record` is in its steps (None for a schedule without records)."""

    name: str
    label: Text
    place: Place
    triggers: tuple[Trigger, ...]
    steps: tuple[Step, ...]
    entity: str | None = None
    condition: Expression | None = None
    mode: Mode = "single"
    key: Value | None = None
    runs: Literal["finish", "cancel", "migrate"] = "finish"
    was: str | None = None
