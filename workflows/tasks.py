"""Lists of tasks for the screens. Tasks about a record that the reader may not read are not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.tenant import Tenant

from models.actor import Actor


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do; `entity`, `record` and `record_title` say about what, if about anything."""

    id: str
    title: str
    entity: str | None
    record: str | None
    record_title: str
    member: str | None
    member_name: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str | None
    created_at: datetime
    created_by: str | None
    run: str | None


async def mine(tenant: Tenant, actor: Actor, *, done: bool = False, limit: int = 200) -> list[Task]:
    """Return the actor's tasks: open ones by when they are due (without a date last), or the ones done last first."""
    raise NotImplementedError


async def count_mine(tenant: Tenant, actor: Actor) -> int:
    """Return how many open tasks the actor has."""
    raise NotImplementedError


async def about(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Task]:
    """Return the tasks about a record, open ones first; `NotFoundError` when the actor may not read it."""
    raise NotImplementedError
