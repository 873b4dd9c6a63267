"""What will be erased is announced: one message a day to each member that it belongs to, and to who runs the network.

What is nobody's, or a member's who is not active, is told to who runs the network. Texts that name records are sealed
until the message has left, and go with the first of these records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from definitions.expr.periods import later
from definitions.text import Text
from models.actor import Actor
from models.formats import Formats, locale_of
from models.members import load_actor
from models.records import Records
from models.secrets import CLOSED
from models.tx import Row
from workflows import letters, notices, outbox
from workflows.letters import Wording
from workflows.markdown import escape
from workflows.membership import leaders
from workflows.notices import Told
from workflows.stored import dump, moment, must_moment
from workflows.templates import Filled
from workflows.terms import Term, terms
from workflows.unit import Unit

TEMPLATE = "_retention"
"""What such notifications have in the place of a pack's template."""
MEMBER = "member"
SHOWN = 20
"""So many records are named in a message; of more, how many there are."""
AT_ONCE = 20
"""So many members are told in one transaction."""

_OF_ONE = '"member" = ?'
_OF_LEADER = '("member" IS NULL OR "member" = ?)'
_NEWS = """SELECT "entity", "record", "erase_at" FROM "_retention" WHERE "warned_at" IS NULL AND "entity" IN ({known})
AND {whose} ORDER BY "erase_at", "id" LIMIT ?"""
_COUNT = 'SELECT count(*) FROM "_retention" WHERE "warned_at" IS NULL AND "entity" IN ({known}) AND {whose}'
_WAITING = """SELECT DISTINCT "member" FROM "_retention" WHERE "warned_at" IS NULL AND "entity" IN ({known})
AND "member" IS NOT NULL ORDER BY "member" LIMIT ?"""
_WARNED = """UPDATE "_retention" SET "warned_at" = ?, "told" = ?, "erase_at" = CASE WHEN "erase_at" < ? THEN ?
ELSE "erase_at" END WHERE "warned_at" IS NULL AND "entity" = ? AND {whose}"""
_LEFT = """UPDATE "_retention" SET "member" = NULL WHERE "warned_at" IS NULL AND "member" = ?
AND "entity" <> 'member'"""
_ANEW = """UPDATE "_retention" SET "warned_at" = NULL, "told" = NULL WHERE "told" = ?"""
_BLOCKED = """SELECT count(*) FROM "_retention" WHERE "state" = 'blocked'"""
_REPORTED = """UPDATE "_retention" SET "state" = 'reported' WHERE "state" = 'blocked'"""

SUBJECT = Text({"en": "Soon to be erased: {count}", "fr": "Bientôt effacées\u202f: {count} fiches"})
LIST = Text(
    {
        "en": "What {network} keeps of these records has been kept for as long as was laid down. They will be erased "
        "for good, with everything that belongs to them, from the day that stands beside each. Work with what you "
        "still need before that day: erasing is never taken back.",
        "fr": "La durée de conservation de ces fiches dans {network} arrive à son terme. Elles seront effacées "
        "définitivement, avec tout ce qui s’y rattache, à partir du jour indiqué. Reprenez avant ce jour ce dont vous "
        "avez encore besoin\u202f: un effacement ne s’annule jamais.",
    }
)
MORE = Text({"en": "and {count} more", "fr": "et {count} de plus"})
SHORT = Text(
    {
        "en": "Records will be erased from {day} on: {count}.",
        "fr": "Nombre de fiches qui seront effacées à partir du {day}\u202f: {count}.",
    }
)
OWN_SUBJECT = Text({"en": "Your data in {network} will be erased", "fr": "Vos données dans {network} seront effacées"})
OWN = Text(
    {
        "en": "You are no longer active in {network}, and your data has been kept for as long as was laid down. It "
        "will be erased for good from {day} on. Write to {network} before that day if there is a reason against it.",
        "fr": "Vous n’êtes plus actif dans {network}, et la durée de conservation de vos données arrive à son terme. "
        "Elles seront effacées définitivement à partir du {day}. Écrivez à {network} avant ce jour si quelque chose "
        "s’y oppose.",
    }
)
STUCK_SUBJECT = Text({"en": "Could not be erased: {count}", "fr": "N’ont pas pu être effacées\u202f: {count} fiches"})
STUCK = Text(
    {
        "en": "Some records are due to be erased and cannot be, because others refer to them or for another reason "
        "that stands beside each. Those in question stand at {page}.",
        "fr": "Des fiches arrivées au terme de leur conservation ne peuvent pas être effacées, parce que d’autres s’y "
        "réfèrent ou pour une autre raison indiquée pour chacune. La liste est ici\u202f: {page}.",
    }
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told: an active member as it may read, or (without an actor) one that is told of itself alone."""

    id: str
    email: str
    language: str
    actor: Actor | None


async def announce(unit: Unit, *, first: bool) -> bool:
    """Tell those of whom something was noted, each once for all of it; return whether others are left to be told.

    Who runs the network is told `first`. What is kept for ever by now is told to nobody.
    """
    known = await terms(unit)
    if not known:
        return False
    if first:
        await _tell_leaders(unit, known)
    waiting = [row[0] for row in await unit.tx.rows(_of(_WAITING, known), [*known, AT_ONCE])]
    for member in waiting:
        reader = await _reader(unit, member)
        if reader is None or reader.actor is None:
            await unit.tx.run(_LEFT, [member])  # who left meanwhile is told of itself alone
        told = {} if reader is None else await _tell(unit, reader, known, _OF_ONE)
        await _warned(unit, known, told, _OF_ONE, [member])
    return len(waiting) == AT_ONCE


async def _tell_leaders(unit: Unit, known: Mapping[str, Term]) -> None:
    found = await leaders(unit)
    told: dict[str, list[str]] = {"mails": [], "notices": []}
    for leader in found:
        reader = await _reader(unit, leader)
        news = {} if reader is None else await _tell(unit, reader, known, _OF_LEADER)
        for kind, ids in news.items():
            told[kind] += ids
    for leader in found:
        await _warned(unit, known, told, _OF_ONE, [leader])
    await _warned(unit, known, told, '"member" IS NULL', [])


def _of(select: str, known: Mapping[str, Term], whose: str = "") -> str:
    """Return a statement about notes of these kinds of records, whose names are bound first."""
    return select.format(known=", ".join("?" * len(known)), whose=whose)


async def _reader(unit: Unit, member: str) -> Reader | None:
    """Return a member as somebody who is written to; None for one that is not there."""
    actor = await load_actor(unit.published, unit.tx, member)
    values = await unit.records.system.loader.load(MEMBER, member)
    if values is None:
        return None
    language = str(values.get("language") or unit.network.languages[0])
    return Reader(member, str(values.get("email") or ""), language, actor)


async def _tell(unit: Unit, reader: Reader, known: Mapping[str, Term], whose: str) -> dict[str, list[str]]:
    """Write to somebody of all that is new and concerns them; return the mails and the notifications."""
    rows = await unit.tx.rows(_of(_NEWS, known, whose), [*known, reader.id, SHOWN])
    if not rows:
        return {}
    counted = await unit.tx.row(_of(_COUNT, known, whose), [*known, reader.id])
    total = len(rows) if counted is None else int(counted[0])
    if reader.actor is None:
        return await _send(unit, reader, _own(unit, reader, rows))
    return await _send(unit, reader, await _listed(unit, reader, reader.actor, rows, total))


def _own(unit: Unit, reader: Reader, rows: Sequence[Row]) -> Wording:
    """Return what a member is told of itself that is not active any more."""
    network, day = _network(unit, reader), _day(unit, reader, must_moment(rows[0][2]))
    said = _said(unit, reader, OWN).format(network=escape(network), day=escape(day))
    return Wording(_said(unit, reader, OWN_SUBJECT).format(network=network), said, said, reader.language)


async def _listed(unit: Unit, reader: Reader, actor: Actor, rows: Sequence[Row], total: int) -> Wording:
    """Return what a member is told: records by their titles, as far as it may read them."""
    titles = await _titles(unit, actor, rows)
    languages = unit.network.languages
    lines = []
    for entity, record, erase_at in rows:
        label = unit.network.entities[entity].label.pick(reader.language, *languages)
        day = escape(f"{label}, {_day(unit, reader, must_moment(erase_at))}")
        title = titles.get((entity, record))
        lines.append(f"- [{escape(title)}]({unit.house.url}/e/{entity}/{record}): {day}" if title else f"- {day}")
    if total > len(rows):
        lines.append(f"- {_said(unit, reader, MORE).format(count=total - len(rows))}")
    intro = _said(unit, reader, LIST).format(network=escape(_network(unit, reader)))
    day = _day(unit, reader, must_moment(rows[0][2]))
    kept = _said(unit, reader, SHORT).format(day=escape(day), count=total)
    subject = _said(unit, reader, SUBJECT).format(count=total)
    return Wording(subject, "\n".join([intro, "", *lines]), kept, reader.language)


async def _titles(unit: Unit, actor: Actor, rows: Sequence[Row]) -> Mapping[tuple[str, str], str]:
    """Return the titles that somebody may read; that they are written to is no reading of theirs."""
    unnoted = replace(unit.published, readings=None)
    records = Records(unnoted, unit.tx, actor, unit.context, new_id=unit.new_id)
    wanted: dict[str, list[str]] = {}
    for entity, record, _ in rows:
        wanted.setdefault(entity, []).append(record)
    found = {entity: await records.labels(entity, ids) for entity, ids in wanted.items()}
    return {(entity, record): title for entity, titles in found.items() for record, title in titles.items()}


async def _send(unit: Unit, reader: Reader, wording: Wording) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {"mails": [], "notices": []}
    if reader.email:
        secret = unit.vault is not CLOSED
        said = wording if secret else Wording(wording.subject, wording.kept, wording.kept, wording.language)
        told["mails"] = [await letters.send(unit, reader.id, reader.email, said, secret=secret)]
    if reader.actor is not None:
        filled = Filled(wording.subject, wording.body)
        told["notices"] = [unit.new_id()]
        await notices.keep(
            unit, told["notices"][0], Told(reader.id, TEMPLATE, wording.language, filled, None, None, None)
        )
    return told


async def _warned(
    unit: Unit, known: Mapping[str, Term], told: Mapping[str, Sequence[str]], whose: str, values: Sequence[str]
) -> None:
    """Note that it was told, and that nothing goes before the time of the warning has passed from now on."""
    for entity, term in known.items():
        held = moment(unit.now if term.warn is None else later(unit.now, term.warn, unit.context))
        bound: list[Any] = [moment(unit.now), dump(told) if told else None, held, held, entity, *values]
        await unit.tx.run(_WARNED.format(whose=whose), bound)


async def call_off(unit: Unit, told: str | None) -> None:
    """Take back what was told of a record that goes now, or that is not due any more: it would tell of it still.

    What else a mail told of that has not left yet is told anew.
    """
    found = json.loads(told or "{}")
    for notice in found.get("notices", ()):
        await unit.tx.run('DELETE FROM "_notice" WHERE "id" = ?', [notice])
    unsent = 0
    for mail in found.get("mails", ()):
        waiting = """UPDATE "_mail" SET "state" = 'cancelled' WHERE "id" = ? AND "state" = 'waiting'"""
        unsent += await unit.tx.run(waiting, [mail])
        await outbox.forget_all(unit.tx, f"mail:{mail}:")
    if unsent:
        await unit.tx.run(_ANEW, [told])


async def report(unit: Unit) -> None:
    """Tell who runs the network, once, that something is due and cannot be erased."""
    row = await unit.tx.row(_BLOCKED)
    count = 0 if row is None else int(row[0])
    for leader in await leaders(unit) if count else ():
        reader = await _reader(unit, leader)
        if reader is not None:
            said = _said(unit, reader, STUCK).format(page=f"{unit.house.url}/definitions/retention")
            subject = _said(unit, reader, STUCK_SUBJECT).format(count=count)
            await _send(unit, reader, Wording(subject, said, said, reader.language))
    await unit.tx.run(_REPORTED)


def _said(unit: Unit, reader: Reader, text: Text) -> str:
    return text.pick(reader.language, *unit.network.languages)


def _network(unit: Unit, reader: Reader) -> str:
    return unit.network.label.pick(reader.language, *unit.network.languages)


def _day(unit: Unit, reader: Reader, at: datetime) -> str:
    network = unit.network
    formats = Formats(locale_of(reader.language, network.countries), unit.published.timezone, network.currency)
    return formats.date(at)
