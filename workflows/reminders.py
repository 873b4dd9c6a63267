"""Who is told of a step that others must agree to: those who may agree, at once and again while it is open; then who
asked, how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from definitions.duration import Duration
from definitions.expr.periods import later
from models.actor import Actor
from models.errors import NotFoundError
from models.house_rules import reminded_after
from models.members import load_actor, members_of_level
from models.message import Message, say
from models.record import Record
from models.records import Records
from workflows import approvals, granting, letters, markdown, notices, outbox, preferences
from workflows.approvals import Asked
from workflows.letters import Wording
from workflows.notices import Told
from workflows.stored import read_message
from workflows.templates import Filled
from workflows.unit import Unit

AT_ONCE = 100
"""So many members are told in one transaction."""
DAY = Duration(working_days=1)
"""The time between two looks at whether somebody is to be reminded."""


async def tell(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Tell who may agree that a step is asked for (`time` 0), or remind them: `time` working days later.

    Nothing is told of what is over, and nobody twice who has agreed.
    """
    asked = await _open(unit, payload["asked"])
    found = None if asked is None else approvals.rule_of(unit, asked)
    if asked is None or found is None:
        return
    time, after = int(payload["time"]), str(payload.get("after", ""))
    every = await reminded_after(unit.tx)
    if time == 0 or (every and time % every == 0):
        members = sorted({each for level in found[2].by for each in await members_of_level(unit.tx, level)})
        rest = [member for member in members if member > after]
        for member in rest[:AT_ONCE]:
            await _tell(unit, asked, member, again=time > 0)
        if len(rest) > AT_ONCE:
            last = rest[AT_ONCE - 1]
            key = approvals.timer(asked.id, f"{time}:{last}")
            await outbox.enqueue(unit, "asked", {**payload, "after": last}, None, key)
    if not after:
        at = later(unit.now, DAY, unit.context)
        await outbox.enqueue(
            unit, "asked", {"asked": asked.id, "time": time + 1}, at, approvals.timer(asked.id, time + 1)
        )


async def decided(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Tell who asked for a step how that ended, unless that member ended it itself or sees the record no more."""
    try:
        asked = await approvals.load(unit, payload["asked"])
    except NotFoundError:
        return
    if asked.member is None or asked.actor_kind != "member" or asked.member == payload["by"]:
        return
    found = await _reader(unit, asked, asked.member)
    if found is not None:
        actor, _ = found
        sentence = _ending(unit, asked, actor.language)
        await _keep(unit, asked, actor, unit.house.words(actor.language, sentence), notices.DECIDED)


async def _open(unit: Unit, id: str) -> Asked | None:
    try:
        asked = await approvals.load(unit, id)
    except NotFoundError:
        return None
    return asked if asked.state == "open" else None


async def _tell(unit: Unit, asked: Asked, member: str, *, again: bool) -> None:
    """Tell one member, if it is one of those whose agreement is waited for."""
    found = await _reader(unit, asked, member)
    if found is None:
        return
    actor, theirs = found
    if granting.refusal(theirs, asked, await approvals.grants_of(unit, asked)) is not None:
        return
    sentence = await _asking(unit, asked, actor.language, again=again)
    subject = unit.house.words(actor.language, sentence)
    email = (actor.member or {}).get("email")
    if not again:
        await _keep(unit, asked, actor, subject, notices.ASKED)
    if email and (again or await preferences.holds(unit.tx, member, "notices_by_mail")):
        await letters.send(unit, member, str(email), _wording(unit, asked, actor.language, subject), secret=False)


async def _reader(unit: Unit, asked: Asked, member: str) -> tuple[Actor, Unit] | None:
    """Return a member who may read what is asked for, with a unit of its own; None for one who may not."""
    actor = await load_actor(unit.published, unit.tx, member)
    if actor is None:
        return None
    records = Records(unit.published, unit.tx, actor, unit.context, new_id=unit.new_id)
    try:
        record: Record = await records.find(asked.entity, asked.record)
    except NotFoundError:
        return None
    return None if asked.process in record.hidden else (actor, replace(unit, actor=actor, records=records))


async def _asking(unit: Unit, asked: Asked, language: str, *, again: bool) -> Message:
    step = _step(unit, asked, language)
    who = await approvals.asker(unit, asked)
    if again:
        return say("Your agreement is still waited for: {step}", step=step)
    if not who:
        return say("Your agreement is asked for: {step}", step=step)
    return say("{name} asks for your agreement: {step}", name=who, step=step)


def _ending(unit: Unit, asked: Asked, language: str) -> Message:
    step = _step(unit, asked, language)
    if asked.state == "granted":
        return say("The step that you asked for is taken: {step}", step=step)
    reason = read_message(asked.reason) or ""
    if asked.state == "refused":
        if reason:
            return say("The step that you asked for is refused: {step} ({reason})", step=step, reason=reason)
        return say("The step that you asked for is refused: {step}", step=step)
    return say("The step that you asked for could not be taken: {step} ({reason})", step=step, reason=reason)


def _step(unit: Unit, asked: Asked, language: str) -> str:
    process = unit.network.processes.get(asked.process)
    transition = process.transitions.get(asked.transition) if process else None
    return asked.transition if transition is None else transition.label.pick(language, *unit.network.languages)


async def _keep(unit: Unit, asked: Asked, actor: Actor, subject: str, kind: str) -> None:
    """Keep a notification, in the words of its reader."""
    template = f"{kind}{asked.process}.{asked.transition}"
    told = Told(str(actor.id), template, actor.language, Filled(subject, ""), asked.entity, asked.record, None)
    await notices.keep(unit, unit.new_id(), told)


def _wording(unit: Unit, asked: Asked, language: str, subject: str) -> Wording:
    """Return what a mail says: what is asked for and where it is decided, and of the record nothing."""
    words, address = unit.house.words, f"{unit.house.url}/e/{asked.entity}/{asked.record}"
    body = words(language, say("[Open the request]({address}). It stands among your tasks too.", address=address))
    return Wording(subject, f"{markdown.escape(subject)}\n\n{body}", "", language)
