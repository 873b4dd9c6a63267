"""The audit: who read, exported or changed what, row by row, never changed again.

A row is sealed into a chain (`models.chain`) soon after it is written. An IP address stands beside its salted digest,
and only the digest is sealed: the address can go after a year, and the chain still holds.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from models.actor import Actor
from models.connections import stored_datetime
from models.json_text import in_order
from models.system import AUDIT, AUDIT_OF
from models.tx import Row, Tx

Scope = Literal["reads", "changes"]
Kind = Literal[
    "read", "listed", "searched", "exported", "export", "download", "letters", "register",
    "created", "updated", "moved", "deleted", "note", "mail", "task", "undone",
    "asked", "granted", "refused", "withdrawn", "closed",
    "published", "rights", "invited", "suspended", "resumed", "factors", "setting",
    "signed_in", "signed_out", "sign_in_failed", "acting", "archived", "imported", "command", "purged",
    "erased",
]  # fmt: skip
"""What happened. `export` grants one, `exported` is a part of it being read; `letters` are mails that were looked at,
`register` what the system keeps of members; `purged` says what was removed since, `erased` that a record was,
with every copy of it."""

READS: frozenset[Kind] = frozenset({"read", "listed", "searched", "exported", "download", "letters", "register"})
CHANGES: frozenset[Kind] = frozenset({
    "created", "updated", "moved", "deleted", "note", "mail", "task", "undone",
    "asked", "granted", "refused", "withdrawn", "closed",
})  # fmt: skip
"""Kinds of `_history`: such a row has the id of its history row, and `proof` of what stands there."""

OPERATOR = Actor("system", levels=(), entry="operator")
"""Who works at the command line."""
EVERYBODY = "*"
"""In the place of a member: the data of all."""
OF_AUDIT = "_audit"
"""In the place of an entity: a row of the audit itself, that lost its words. Such a row stays as long as what it
explains, among the readings."""
MOST_IDS = 500
"""So many records of a list are named; of longer ones, the query and how many there were."""

SEALED = (
    "id", "at", "kind", "scope", "member", "actor_kind", "through", "entry", "run", "ip_digest", "entity", "record",
    "records", "total", "fields", "owners", "detail", "proof",
)  # fmt: skip
"""The columns whose content is sealed: all but the address, its salt and the place in the chain."""
PROVEN = ("id", "at", "record", "kind", "actor", "actor_kind", "before", "after", "text", "run", "through")
"""The columns of a history row that never change (those that name definitions follow when these are renamed)."""

_INSERT = AUDIT.insert()
_INSERT_OF = AUDIT_OF.insert()


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be kept in the audit.

    `owners` are the members whose data it is, beside who acts; `fields` which personal data was seen; `detail` the
    query, or what else there is to say.
    """

    kind: Kind
    at: datetime
    actor: Actor
    entity: str | None = None
    record: str | None = None
    records: tuple[str, ...] = ()
    total: int | None = None
    fields: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    detail: str = ""
    proof: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What is the same when somebody sees the same thing again."""
        who = self.actor
        seen = (self.kind, self.entity, self.record, self.records, self.fields, self.detail)
        return (who.id, who.kind, who.through, who.entry, who.ip, *seen)


async def keep(tx: Tx, identifier: str, event: Event) -> None:
    """Write one row."""
    await tx.run(_INSERT, _row(identifier, event))
    if event.owners:
        await tx.run_many(_INSERT_OF, _of(identifier, event))


async def keep_many(tx: Tx, events: Sequence[tuple[str, Event]]) -> None:
    """Write many rows with two statements."""
    if events:
        await tx.run_many(_INSERT, [_row(*each) for each in events])
    of = [row for identifier, event in events for row in _of(identifier, event)]
    if of:
        await tx.run_many(_INSERT_OF, of)


def _row(identifier: str, event: Event) -> list[Any]:
    actor, ip = event.actor, event.actor.ip
    salt = secrets.token_hex(16) if ip else ""
    scope: Scope = "reads" if event.kind in READS or event.entity == OF_AUDIT else "changes"
    ids = event.records[:MOST_IDS]
    return [
        identifier,
        stored_datetime(event.at),
        event.kind,
        scope,
        actor.id,
        actor.kind,
        actor.through,
        actor.entry,
        actor.run,
        ip,
        salt if ip else None,
        ip_digest(salt, ip) if ip else None,
        event.entity,
        event.record,
        _listed(ids) if len(ids) == len(event.records) else None,
        event.total,
        _listed(event.fields),
        _listed(event.owners),
        event.detail or None,
        event.proof,
        None,
    ]


def _of(identifier: str, event: Event) -> Iterable[list[Any]]:
    at = stored_datetime(event.at)
    return ([f"{identifier}:{owner}", identifier, owner, at] for owner in event.owners)


def _listed(values: tuple[str, ...]) -> str | None:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) if values else None


def ip_digest(salt: str, ip: str) -> str:
    """Return what is sealed of an address; without the salt nobody finds the address that it is of."""
    return hashlib.sha256(f"{salt}\x1f{ip}".encode()).hexdigest()


def digest(columns: Sequence[str], row: Row) -> str:
    """Return the SHA-256 of a row as canonical JSON: columns by name, without those that are null."""
    content: Mapping[str, Any] = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
    return hashlib.sha256(in_order(content).encode("utf-8", "surrogatepass")).hexdigest()


def about_all(event: Event) -> Event:
    """Return the event as one that concerns everybody's data."""
    return replace(event, owners=(EVERYBODY,))
