"""Notifications of members: kept by automations, read and marked as read by who they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from models.ddl import listed
from models.errors import NotFoundError
from models.query import Filter, Query
from models.record import Record
from models.system import NOTICE
from models.tx import Row, Tx
from workflows import markdown
from workflows.discretion import tells
from workflows.stored import moment, must_moment, read_moment
from workflows.templates import Filled
from workflows.unit import Unit

ASKED, DECIDED = "_asked:", "_decided:"
"""What notifications about a step that others must agree to have instead of a template, before its process and name."""
AT_ONCE = 30
"""So many stand on a page."""
_COLUMNS = listed(("id", "at", "entity", "record", "run", "template", "subject", "body", "read_at"))
_OF_MEMBER = f'SELECT {_COLUMNS} FROM "_notice" WHERE "member" = ?'  # noqa: S608 - columns of ours
_COUNT = 'SELECT count(*) FROM "_notice" WHERE "member" = ? AND "read_at" IS NULL'
_FORGET = 'DELETE FROM "_notice" WHERE "entity" = ? AND "record" = ? AND "template" = ? AND "read_at" IS NULL'
_READ = 'UPDATE "_notice" SET "read_at" = ? WHERE "member" = ? AND "read_at" IS NULL'


@dataclass(frozen=True, slots=True)
class Told:
    """What a member is told, and by which run about which record."""

    member: str
    template: str
    language: str
    filled: Filled
    entity: str | None
    record: str | None
    run: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as its member sees it now.

    Of a record that the member may no longer read, `subject`, `body` (Markdown) and `record` are empty; of one that it
    reads only in part, the texts are, where they show what is hidden.
    """

    id: str
    at: datetime
    entity: str | None
    record: str | None
    title: str
    subject: str
    body: str
    read_at: datetime | None

    @property
    def html(self) -> str:
        """The body as clean HTML."""
        return markdown.to_html(self.body)

    @property
    def text(self) -> str:
        """The body as plain text."""
        return markdown.to_text(self.body).strip()


@dataclass(frozen=True, slots=True)
class Notices:
    """A page of notifications, newest first; `next` goes into `before` for the page after, None at the end."""

    notices: tuple[Notice, ...]
    next: str | None


async def keep(unit: Unit, notice: str, told: Told) -> None:
    """Keep a notification with the id `notice`."""
    about = [told.entity, told.record, told.run, told.template, told.language]
    row = [notice, moment(unit.now), *about, told.member, told.filled.subject, told.filled.body, None]
    await unit.tx.run(NOTICE.insert(), row)


async def call_off(unit: Unit, run: str) -> None:
    """Take back the notifications of a run that nobody has read."""
    await unit.tx.run('DELETE FROM "_notice" WHERE "run" = ? AND "read_at" IS NULL', [run])


async def forget(unit: Unit, entity: str, record: str, template: str) -> None:
    """Take back what nobody has read of what one template told about a record."""
    await unit.tx.run(_FORGET, [entity, record, template])


async def unread(tx: Tx, member: str) -> int:
    """Return how many notifications a member has not read."""
    row = await tx.row(_COUNT, [member])
    return 0 if row is None else int(row[0])


async def page(unit: Unit, *, unread: bool = False, before: str | None = None, limit: int = AT_ONCE) -> Notices:
    """Return a page of the actor's own notifications, those that are not read when `unread`."""
    sql, values = _OF_MEMBER, [unit.actor.id]
    if unread:
        sql += ' AND "read_at" IS NULL'
    if before is not None and "\0" not in before:
        sql, values = f'{sql} AND "id" < ?', [*values, before]
    rows = await unit.tx.rows(f'{sql} ORDER BY "id" DESC LIMIT {limit + 1:d}', values)
    found = await _shown(unit, rows[:limit])
    return Notices(tuple(found), rows[limit - 1][0] if len(rows) > limit else None)


async def one(unit: Unit, notice: str) -> Notice:
    """Return one of the actor's notifications; `NotFoundError`."""
    row = await unit.tx.row(f'{_OF_MEMBER} AND "id" = ?', [unit.actor.id, notice])
    if row is None:
        raise NotFoundError
    return (await _shown(unit, [row]))[0]


async def mark(unit: Unit, notice: str | None = None) -> None:
    """Mark one of the actor's notifications as read, all of them when None; what is read stays as it was."""
    if notice is None:
        await unit.tx.run(_READ, [moment(unit.now), unit.actor.id])
        return
    await one(unit, notice)
    await unit.tx.run(f'{_READ} AND "id" = ?', [moment(unit.now), unit.actor.id, notice])


async def _shown(unit: Unit, rows: Iterable[Row]) -> list[Notice]:
    found = list(rows)
    records = await _records(unit, found)
    return [await _notice(unit, row, records) for row in found]


async def _records(unit: Unit, rows: list[Row]) -> Mapping[tuple[str, str], Record]:
    """Return the records that notifications are about, as their reader sees them now."""
    wanted: dict[str, set[str]] = {}
    for row in rows:
        if row[2] in unit.network.entities and row[3] is not None:
            wanted.setdefault(row[2], set()).add(row[3])
    found: dict[tuple[str, str], Record] = {}
    for entity, ids in wanted.items():
        if unit.published.access.may(unit.actor, "read", entity):
            some = Query(filters=(Filter("id", "any_of", sorted(ids)),), limit=len(ids))
            found |= {(entity, record.id): record for record in (await unit.records.list(entity, some)).records}
    return found


def about_step(template: str) -> tuple[bool, str]:
    """Whether a notification is about a step that others must agree to, and the process that it is of."""
    house = template.startswith((ASKED, DECIDED))
    return house, template.partition(":")[2].partition(".")[0] if house else ""


async def _notice(unit: Unit, row: Row, records: Mapping[tuple[str, str], Record]) -> Notice:
    notice, at, entity, record, run, template, subject, body, read_at = row
    times = must_moment(at), read_moment(read_at)
    if entity is None:
        return Notice(notice, times[0], None, None, "", subject, body, times[1])
    seen = records.get((entity, record))
    if seen is None:
        return Notice(notice, times[0], entity, None, "", "", "", times[1])
    house, process = about_step(template)
    if process in seen.hidden if house else await tells(unit, seen, template, run=run):
        subject = body = ""
    return Notice(notice, times[0], entity, record, seen.title, subject, body, times[1])
