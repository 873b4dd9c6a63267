"""Lists of mails for the screens: one's own, those about records that one may read, and for administration the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from models.actor import Actor
from models.ddl import listed
from models.errors import NotFoundError
from models.message import Message
from models.statement import Statement
from models.tenant import Tenant
from models.tx import Row
from models.visible import ROOT
from workflows import auditing
from workflows.discretion import discreet
from workflows.posting import OF_THE_HOUSE, Channel
from workflows.registers import MEMBER, among
from workflows.stored import must_moment, read_message, read_moment
from workflows.texting import Parts, parts_of
from workflows.unit import Unit, read

State = Literal["waiting", "sending", "sent", "failed", "unknown", "cancelled"]
_COLUMNS = (
    *("id", "at", "entity", "record", "run", "template", "language", "sender", "recipient", "recipient_member", "cc"),
    *("subject", "html", "text", "state", "hold_until", "attempts", "error", "sent_at"),
    *("channel", "attached"),
)
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_mail" WHERE '  # noqa: S608 - columns of ours


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, sent or not. `error` says why it failed; `may_retry` and `may_cancel` what the reader can do about it.

    `unknown`: the machine stopped while it was being sent, so it may have left or not; only a person sends it again.
    Where the template shows what the reader may not see, subject and text are empty; so is an address that is hidden.
    `attached` are the names of the files that went along. A text message (`channel`) has no subject.
    """

    id: str
    at: datetime
    entity: str | None
    record: str | None
    record_title: str
    run: str | None
    template: str
    language: str
    sender: str
    recipient: str
    recipient_member: str | None
    cc: tuple[str, ...]
    subject: str
    html: str
    text: str
    state: State
    hold_until: datetime | None
    attempts: int
    error: Message | None
    sent_at: datetime | None
    may_retry: bool
    may_cancel: bool
    channel: Channel
    attached: tuple[str, ...]

    @property
    def parts(self) -> Parts | None:
        """What a text message costs; None for an e-mail."""
        return parts_of(self.text) if self.channel == "sms" else None


@dataclass(frozen=True, slots=True)
class Mails:
    """A page of mails, newest first; `next` goes into `before` for the page after, None at the end."""

    mails: tuple[Mail, ...]
    next: str | None
    counts: Mapping[State, int]


async def mails(
    tenant: Tenant, actor: Actor, *, state: State | None = None, before: str | None = None, limit: int = 50
) -> Mails:
    """Return a page of the mails that the actor may see, and how many there are in each state."""

    async def work(unit: Unit) -> Mails:
        counts = (await _visible(unit, 'SELECT "state", count(*) FROM "_mail" WHERE ')).add(' GROUP BY "state"')
        page = await _visible(unit, _SELECT)
        if state is not None:
            page.add(' AND "state" = ').value(state)
        if before is not None:
            page.add(' AND "id" < ').value(before)
        page.add(' ORDER BY "id" DESC LIMIT ').value(limit + 1)
        rows = await unit.tx.rows(page.text, page.values)
        found = await _shown(unit, rows[:limit])
        await _seen(unit, found)
        numbers: dict[State, int] = {row[0]: row[1] for row in await unit.tx.rows(counts.text, counts.values)}
        return Mails(tuple(found), rows[limit - 1][0] if len(rows) > limit else None, numbers)

    return await read(tenant, actor, work)


async def about(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Mail]:
    """Return the mails about a record, newest first; `NotFoundError` when the actor may not read it."""

    async def work(unit: Unit) -> list[Mail]:
        await unit.records.get(entity, id)
        return await mails_about(unit, entity, id)

    return await read(tenant, actor, work)


async def mails_about(unit: Unit, entity: str, record: str, limit: int = 200) -> list[Mail]:
    """Return the mails about a record that the actor has been found to see."""
    sql = f'{_SELECT} "entity" = ? AND "record" = ? ORDER BY "at" DESC, "id" DESC LIMIT ?'
    return await _shown(unit, await unit.tx.rows(sql, [entity, record, limit]))


async def mail(tenant: Tenant, actor: Actor, id: str) -> Mail:
    """Return one mail; `NotFoundError` when there is none or the actor may not see it."""

    async def work(unit: Unit) -> Mail:
        statement = (await _visible(unit, _SELECT)).add(' AND "id" = ').value(id)
        found = await _shown(unit, await unit.tx.rows(statement.text, statement.values))
        if not found:
            raise NotFoundError
        await _seen(unit, found)
        return found[0]

    return await read(tenant, actor, work)


async def _seen(unit: Unit, found: Iterable[Mail]) -> None:
    """Note for the audit whose mails were looked at: of whom they are about, and who they were written to."""
    about: dict[str, dict[str, set[str]]] = {}
    for mail in found:
        if unit.actor.through is not None or mail.recipient_member != unit.actor.id:
            entity, record = mail.entity or MEMBER, mail.record or mail.recipient_member
            if record is not None and entity in unit.network.entities:
                members = about.setdefault(entity, {}).setdefault(record, set())
                members.update(each for each in (mail.recipient_member,) if each is not None)
    for entity, owners in about.items():
        for record, owner in (await _owners(unit, entity, list(owners))).items():
            owners[record].update(each for each in (owner,) if each is not None)
        auditing.seen(unit, "letters", entity, owners)


async def _owners(unit: Unit, entity: str, records: list[str]) -> Mapping[str, str | None]:
    """Return whose the records are, those that are there."""
    if entity == MEMBER:
        return {record: record for record in records}
    if not unit.network.entities[entity].owner:
        return {}
    table = unit.published.tables[entity].quoted
    marks = ", ".join("?" * len(records))
    sql = f'SELECT "id", "owner" FROM {table} WHERE "id" IN ({marks})'  # noqa: S608 - a table's name, quoted
    return {row[0]: row[1] for row in await unit.tx.rows(sql, records)}


async def _visible(unit: Unit, select: str) -> Statement:
    """Return the beginning of a statement over the mails that the actor may see.

    Who administers sees those about no record too, and those about records that are no more where it may read all.
    """
    administers = unit.published.access.administers(unit.actor)
    statement = Statement(await unit.records.rule_names(), unit.context).add(select)
    statement.add('("recipient_member" = ').value(unit.actor.id)
    if administers:
        statement.add(' OR "entity" IS NULL')
    for entity in unit.network.entities:
        if not unit.published.access.may(unit.actor, "read", entity):
            continue
        sight = unit.records.sight(entity)
        statement.add(' OR ("entity" = ').value(entity).add(" AND (")
        if administers:
            among(statement, sight, '"record"')
        else:
            statement.add(f'"record" IN (SELECT "{ROOT}"."id" FROM {sight.table.quoted} AS "{ROOT}" WHERE ')  # noqa: S608 - names of the definitions
            statement.add(sight.read, ")")
        statement.add("))")
    return statement.add(")")


async def _shown(unit: Unit, rows: Iterable[Row]) -> list[Mail]:
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    titles: dict[str, Mapping[str, str]] = {}
    for entity in {row["entity"] for row in found if row["entity"] in unit.network.entities}:
        ids = [row["record"] for row in found if row["entity"] == entity]
        titles[entity] = await unit.records.labels(entity, ids)
    everything = unit.published.access.administers(unit.actor)
    if not any(level.everything for level in unit.records.rights.levels):
        found = [await discreet(unit, row) for row in found]
    may_send = everything or "communicate" in unit.published.access.functions(unit.actor)
    return [_mail(row, titles.get(row["entity"], {}), everything=everything, may_send=may_send) for row in found]


def _mail(row: Mapping[str, Any], titles: Mapping[str, str], *, everything: bool, may_send: bool) -> Mail:
    mine = everything or (may_send and row["record"] in titles)
    return Mail(
        id=row["id"],
        at=must_moment(row["at"]),
        entity=row["entity"],
        record=row["record"],
        record_title=titles.get(row["record"], ""),
        run=row["run"],
        template=row["template"],
        language=row["language"],
        sender=row["sender"],
        recipient=row["recipient"],
        recipient_member=row["recipient_member"],
        cc=tuple(json.loads(row["cc"] or "[]")),
        subject=row["subject"],
        html=row["html"],
        text=row["text"],
        state=row["state"],
        hold_until=read_moment(row["hold_until"]),
        attempts=row["attempts"],
        error=read_message(row["error"]),
        sent_at=read_moment(row["sent_at"]),
        may_retry=mine and row["state"] in ("failed", "unknown", "cancelled") and row["template"] != OF_THE_HOUSE,
        may_cancel=mine and row["state"] == "waiting",
        channel="sms" if row["channel"] == "sms" else "email",
        attached=tuple(file["name"] for file in json.loads(row["attached"] or "[]")),
    )
