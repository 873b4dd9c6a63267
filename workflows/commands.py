"""The use cases. Each is one transaction: it happens in full, durably, before its function returns, or not at all.

All of them raise what `models.errors` defines: `NotFoundError` for a record that is absent or that the actor may not
read (the same to the caller), `RefusedError` with a reason, `ConflictError` when the record changed since the caller
read it, `InvalidError` with a sentence a field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.tenant import Tenant

from definitions.spec.process import FormField, Transition
from definitions.text import Text
from models.actor import Actor
from models.message import Message
from models.records import Change, Record


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: the record as its actor sees it now (None when the move took it out of the actor's sight),
    the history row (for `undo`) and until when the move can be taken back (None: it can't).
    """

    record: Record | None
    history: str
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A way out of the record's present state. `reason` says why it is not allowed; `form` is asked before it."""

    process: str
    transition: Transition
    allowed: bool
    reason: Message | Text | None
    form: tuple[FormField, ...]


async def create(tenant: Tenant, actor: Actor, entity: str, values: Mapping[str, Any]) -> Record:
    """Create a record; its processes start in their initial states."""
    raise NotImplementedError


async def update(
    tenant: Tenant, actor: Actor, entity: str, id: str, version: int, changes: Mapping[str, Any]
) -> Change:
    """Change fields of the record that the actor read at `version`."""
    raise NotImplementedError


async def delete(tenant: Tenant, actor: Actor, entity: str, id: str, version: int) -> None:
    """Delete the record that the actor read at `version`."""
    raise NotImplementedError


async def move(
    tenant: Tenant,
    actor: Actor,
    entity: str,
    id: str,
    transition: str,
    *,
    process: str | None = None,
    form: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Moved:
    """Take a transition of the record that the actor read at `version` (None: whatever it is now).

    `process` tells apart transitions of one name. `form` holds the answers by the names of the form's fields, as text
    from a screen or as values. A second click with the same version is a `ConflictError`, not a second move.
    """
    raise NotImplementedError


async def undo(tenant: Tenant, actor: Actor, history: str) -> Moved:
    """Take back the move that wrote the history row `history`; refused when it is too late or the record moved on."""
    raise NotImplementedError


async def offers(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Offer]:
    """Return the transitions out of the record's present states, in the order of the definition."""
    raise NotImplementedError


async def offers_of(tenant: Tenant, actor: Actor, entity: str, ids: Sequence[str]) -> dict[str, list[Offer]]:
    """Return the same for several records at once (a board); records out of sight are left out."""
    raise NotImplementedError


async def note(tenant: Tenant, actor: Actor, entity: str, id: str, text: str) -> str:
    """Write a note on the record's timeline and return the id of its history row."""
    raise NotImplementedError


async def add_task(
    tenant: Tenant,
    actor: Actor,
    *,
    title: str,
    about: tuple[str, str] | None = None,
    member: str | None = None,
    due: datetime | None = None,
) -> str:
    """Give `member` (the actor itself when None) something to do and return the task's id; `about` is (entity, id)."""
    raise NotImplementedError


async def complete_task(tenant: Tenant, actor: Actor, task: str) -> None:
    """Mark a task as done; doing it twice changes nothing."""
    raise NotImplementedError


async def reopen_task(tenant: Tenant, actor: Actor, task: str) -> None:
    """Take back that a task is done."""
    raise NotImplementedError


async def retry_mail(tenant: Tenant, actor: Actor, mail: str) -> None:
    """Send a mail once more that failed, was cancelled, or whose fate is unknown."""
    raise NotImplementedError


async def cancel_mail(tenant: Tenant, actor: Actor, mail: str) -> None:
    """Keep a waiting mail from ever being sent."""
    raise NotImplementedError
