"""What happened to a record, newest first: history, mails, tasks and automations in one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from models.actor import Actor
from models.message import Message
from models.tenant import Tenant
from workflows.mails import Mail
from workflows.tasks import Task

Kind = Literal["created", "updated", "moved", "deleted", "note", "mail", "task", "undone", "run"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field (or a process, whose values are states) before and after; both None when the reader may not see it."""

    field: str
    before: Any
    after: Any
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step that a run did: `outcome` done, skipped, failed, waiting or cancelled; `why` for all but done."""

    path: str
    action: str
    at: datetime
    outcome: str
    inputs: dict[str, Any]
    result: dict[str, Any]
    why: Message | None


@dataclass(frozen=True, slots=True)
class RunTrace:
    """A run of an automation over the record, or why the automation did not start (`state` not_fired)."""

    id: str
    automation: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    why: Message | None
    steps: tuple[StepTrace, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `actor_kind` is member, public or system (then `actor` is who caused it).

    `text` is a note, or the comment that a move's form asked for; `answers` what it asked for besides, by the names of
    the form's fields. `undo_until` is set while this reader can take the move back (`commands.undo(id)`); `undone` when
    somebody did. `mail`, `task` and `run` are set for the kinds of that name.
    """

    id: str
    at: datetime
    kind: Kind
    actor: str | None
    actor_name: str
    actor_kind: str
    process: str | None = None
    transition: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    changes: tuple[FieldChange, ...] = ()
    text: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    automation: str | None = None
    undo_until: datetime | None = None
    undone: bool = False
    mail: Mail | None = None
    task: Task | None = None
    run: RunTrace | None = None


async def timeline(tenant: Tenant, actor: Actor, entity: str, id: str, *, limit: int = 200) -> list[Event]:
    """Return what happened to the record, newest first; `NotFoundError` when the actor may not read it."""
    raise NotImplementedError
