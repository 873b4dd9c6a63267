"""Mails as rows: written with what causes them, held back, sent again, called off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from models.attachment import Attachment
from models.errors import NotFoundError, RefusedError
from models.message import say
from models.system import MAIL
from workflows import bounces, outbox
from workflows.stored import dump, maybe_moment, moment
from workflows.templates import Rendered
from workflows.unit import Unit

OF_THE_HOUSE = "_sign_in"
"""What mails that are known to their recipient alone have instead of a pack's template: those about signing in."""
OPEN_OF_THE_HOUSE = "_house"
"""The same of mails of the product that are kept as they are sent: reminders, announcements."""
Channel = Literal["email", "sms"]
_KINDS: Mapping[Channel, outbox.Kind] = {"email": "mail", "sms": "sms"}
_HANDLED = 'SELECT "state", "channel", "entity", "record", "recipient" FROM "_mail" WHERE "id" = ?'
_AGAIN = """UPDATE "_mail" SET "state" = 'waiting', "error" = NULL, "attempts" = 0, "hold_until" = NULL
WHERE "id" = ?"""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written: to whom, from whom, about what. `member` is the recipient's id when it is a member.

    `sealed` is the text that leaves instead of the one that is kept for others to see (`workflows.letters`), `attached`
    the files that go along, `unsubscribe` the page on which its reader ends such mails. A text message is a letter
    too, of another `channel`: its recipient is a telephone, its text all that is sent.
    """

    recipient: str
    member: str | None
    language: str
    template: str
    rendered: Rendered
    sender: str
    reply_to: str | None = None
    cc: tuple[str, ...] = ()
    entity: str | None = None
    record: str | None = None
    run: str | None = None
    sealed: str | None = None
    attached: tuple[Attachment, ...] = ()
    unsubscribe: str | None = None
    channel: Channel = "email"


async def post(unit: Unit, mail: str, letter: Letter, *, backoff: timedelta | None = None) -> datetime | None:
    """Keep a mail with the id `mail` and ask for it to be sent; return until when it is held back, if it is."""
    hold = unit.hold()
    held = hold if hold is not None and hold > unit.now else None
    rendered = letter.rendered
    await unit.tx.run(
        MAIL.insert(),
        [
            mail,
            moment(unit.now),
            letter.entity,
            letter.record,
            letter.run,
            letter.template,
            letter.language,
            letter.sender,
            letter.recipient,
            letter.member,
            dump(list(letter.cc)),
            letter.reply_to,
            rendered.subject,
            rendered.html,
            rendered.text,
            "waiting",
            maybe_moment(held),
            0,
            None,
            None,
            None,
            letter.channel,
            dump(list(letter.attached)) if letter.attached else None,
            letter.unsubscribe,
        ],
    )
    payload: dict[str, Any] = {} if backoff is None else {"backoff": backoff.total_seconds()}
    if letter.sealed is not None:
        payload["sealed"] = letter.sealed
    await _ask(unit, mail, letter.channel, held, payload, _priority(letter))
    return held


def _priority(letter: Letter) -> int:
    """Return what goes first: letters about signing in, and at last those of which there may be many."""
    if letter.sealed is not None:
        return outbox.FIRST
    return outbox.NEXT if letter.unsubscribe is None else outbox.LAST


async def _ask(
    unit: Unit, mail: str, channel: Channel, at: datetime | None, more: Mapping[str, Any], priority: int
) -> None:
    key, payload = f"mail:{mail}:{unit.new_id()}", {"mail": mail, **more}
    await outbox.enqueue(unit, _KINDS[channel], payload, at, key, priority=priority)


async def retry(unit: Unit, mail: str) -> None:
    """Send a mail once more; see `commands.retry_mail`."""
    state, channel, recipient = await _handled(unit, mail)
    if await unit.tx.row('SELECT 1 FROM "_mail" WHERE "id" = ? AND "template" = ?', [mail, OF_THE_HOUSE]):
        raise RefusedError(say("What this mail says is known to its recipient alone: it cannot be sent again."))
    if state not in ("failed", "unknown", "cancelled"):
        raise RefusedError(say("Only a mail that failed or was held back can be sent again."))
    await bounces.lift(unit.tx, recipient)
    await unit.tx.run(_AGAIN, [mail])
    await _ask(unit, mail, channel, None, {}, outbox.NEXT)


async def cancel(unit: Unit, mail: str) -> None:
    """Keep a waiting mail from being sent; see `commands.cancel_mail`."""
    state, _, _ = await _handled(unit, mail)
    if state != "waiting":
        raise RefusedError(say("Only a waiting mail can be cancelled."))
    await unit.tx.run("""UPDATE "_mail" SET "state" = 'cancelled' WHERE "id" = ?""", [mail])
    await outbox.cancel(unit.tx, f"mail:{mail}:", unit.now)


async def _handled(unit: Unit, mail: str) -> tuple[str, Channel, str]:
    """Return state, channel and recipient when the actor may handle it: administration any, others what they read."""
    row = await unit.tx.row(_HANDLED, [mail])
    if row is None:
        raise NotFoundError
    state, channel, entity, record, recipient = row
    if not unit.published.access.administers(unit.actor):
        if not entity or entity not in unit.network.entities:
            raise NotFoundError
        await unit.records.get(entity, record)
        if "communicate" not in unit.published.access.functions(unit.actor):
            raise RefusedError(say("Your access level may not send messages."))
    return state, "sms" if channel == "sms" else "email", recipient
