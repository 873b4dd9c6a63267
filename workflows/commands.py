"""The use cases. Each is one transaction: it happens in full, durably, before its function returns, or not at all.

All of them raise what `models.errors` defines: `NotFoundError` for a record that is absent or that the actor may not
read (the same to the caller), `RefusedError` with a reason, `ConflictError` when the record changed since the caller
read it, `InvalidError` with a sentence a field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.actor import Actor
from models.errors import NotFoundError
from models.record import Change, Record
from models.tenant import Tenant
from workflows import changes as record
from workflows import granting, moves, notes, overseeing, posting, replays, tasks
from workflows.granting import Granted
from workflows.moves import Moved, Offer, Request
from workflows.replays import Made
from workflows.undo import undo as undo_move
from workflows.unit import Unit, read, write

__all__ = [
    "Granted",
    "Moved",
    "Offer",
    "add_task",
    "cancel_mail",
    "cancel_run",
    "complete_task",
    "create",
    "create_once",
    "delete",
    "grant",
    "move",
    "note",
    "offers",
    "offers_of",
    "refuse",
    "reopen_task",
    "retry_mail",
    "retry_run",
    "skip_step",
    "undo",
    "update",
    "withdraw",
]


async def create(tenant: Tenant, actor: Actor, entity: str, values: Mapping[str, Any]) -> Record:
    """Create a record; its processes start in their initial states."""
    return await write(tenant, actor, lambda unit: record.create(unit, entity, values))


async def create_once(tenant: Tenant, actor: Actor, entity: str, values: Mapping[str, Any], key: str) -> Made:
    """Create a record, unless the actor made one under the same key within a day: then say which."""
    return await write(tenant, actor, lambda unit: replays.create_once(unit, entity, values, key))


async def update(
    tenant: Tenant, actor: Actor, entity: str, id: str, version: int | None, changes: Mapping[str, Any]
) -> Change:
    """Change fields of the record that the actor read at `version` (None: whatever it is now)."""
    return await write(tenant, actor, lambda unit: record.update(unit, entity, id, version, changes))


async def delete(tenant: Tenant, actor: Actor, entity: str, id: str, version: int | None) -> None:
    """Delete the record that the actor read at `version` (None: whatever it is now)."""
    await write(tenant, actor, lambda unit: record.delete(unit, entity, id, version))


async def move(  # noqa: PLR0913 - what a door knows of a move, by name
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
    request = Request(entity, id, transition, process, form, version)
    return await write(tenant, actor, lambda unit: moves.move(unit, request))


async def undo(tenant: Tenant, actor: Actor, history: str, *, about: tuple[str, str] | None = None) -> Moved:
    """Take back the move that wrote the history row `history`; refused when it is too late or the record moved on.

    With `about` (entity, id) it is the move of that record, and there is no other.
    """
    return await write(tenant, actor, lambda unit: undo_move(unit, history, about))


async def grant(tenant: Tenant, actor: Actor, asked: str) -> Granted:
    """Agree to a step that somebody asked for; the last one who must agree has it taken."""
    return await write(tenant, actor, lambda unit: granting.grant(unit, asked))


async def refuse(tenant: Tenant, actor: Actor, asked: str, reason: str = "") -> None:
    """Refuse a step that somebody asked for: that ends it."""
    await write(tenant, actor, lambda unit: granting.refuse(unit, asked, reason))


async def withdraw(tenant: Tenant, actor: Actor, asked: str) -> None:
    """Take back that a step was asked for."""
    await write(tenant, actor, lambda unit: granting.withdraw(unit, asked))


async def offers(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Offer]:
    """Return the transitions out of the record's present states, in the order of the definition."""

    async def work(unit: Unit) -> list[Offer]:
        return await moves.offers(unit, await unit.records.get(entity, id))

    return await read(tenant, actor, work)


async def offers_of(tenant: Tenant, actor: Actor, entity: str, ids: Sequence[str]) -> dict[str, list[Offer]]:
    """Return the same for several records at once (a board); records out of sight are left out."""

    async def work(unit: Unit) -> dict[str, list[Offer]]:
        found: dict[str, list[Offer]] = {}
        for id in ids:
            try:
                found[id] = await moves.offers(unit, await unit.records.get(entity, id))
            except NotFoundError:
                continue
        return found

    return await read(tenant, actor, work)


async def note(tenant: Tenant, actor: Actor, entity: str, id: str, text: str) -> str:
    """Write a note on the record's timeline and return the id of its history row."""
    return await write(tenant, actor, lambda unit: notes.note(unit, entity, id, text))


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
    return await write(tenant, actor, lambda unit: tasks.add(unit, title, about, member, due))


async def complete_task(tenant: Tenant, actor: Actor, task: str) -> None:
    """Mark a task as done; doing it twice changes nothing."""
    await write(tenant, actor, lambda unit: tasks.complete(unit, task))


async def reopen_task(tenant: Tenant, actor: Actor, task: str) -> None:
    """Take back that a task is done."""
    await write(tenant, actor, lambda unit: tasks.reopen(unit, task))


async def retry_mail(tenant: Tenant, actor: Actor, mail: str) -> None:
    """Send a mail once more that failed, was cancelled, or whose fate is unknown."""
    await write(tenant, actor, lambda unit: posting.retry(unit, mail))


async def retry_run(tenant: Tenant, actor: Actor, run: str) -> None:
    """Let a run that failed go on with the step at which it failed."""
    await write(tenant, actor, lambda unit: overseeing.retry(unit, run))


async def skip_step(tenant: Tenant, actor: Actor, run: str) -> None:
    """Let a run that failed or waits go on behind its step."""
    await write(tenant, actor, lambda unit: overseeing.skip(unit, run))


async def cancel_run(tenant: Tenant, actor: Actor, run: str) -> None:
    """End a run that is under way, or put one aside that failed."""
    await write(tenant, actor, lambda unit: overseeing.cancel(unit, run))


async def cancel_mail(tenant: Tenant, actor: Actor, mail: str) -> None:
    """Keep a waiting mail from ever being sent."""
    await write(tenant, actor, lambda unit: posting.cancel(unit, mail))
