"""What happens to the pack `association`, which somebody wrote from LANGUAGE.md alone, when it is lived with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.attachment import Attachment
from models.errors import RefusedError
from models.record import Record
from tests.packs.living import Life
from workflows import commands

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def story(lived: Life) -> None:
    """Go every way once."""
    section = await people(lived)
    await members(lived, section)
    await memberships(lived, section)
    await events(lived, section)
    await shifts(lived, section)
    await donations(lived, section)
    await refunds(lived)
    await letters(lived)
    await committees(lived, section)


async def people(lived: Life) -> Record:
    await lived.joins("leader", "leader")
    helen = await lived.joins("Helen", "section_head", language="en", phone="06 39 98 00 01")
    section = await lived.makes(
        "", "section", name="Lyon", code="LYO", head=helen.id, city="Lyon", email="lyon@hesperides.example"
    )
    await lived.changes("", helen, section=section.id)
    await lived.joins("Tom", "treasurer")
    await lived.joins("Vera", "volunteer", section=section.id, volunteer=True, phone="06 39 98 00 02")
    await lived.joins("Ada", "adherent", section=section.id, sponsor=helen.id, phone="06 39 98 00 03")
    for name in ("Helen", "Vera", "Ada"):
        lived.stage.people[name] = await lived.stage.actor(str(lived[name].id))
    return section


# A year of the association, chapter by chapter --------------------------------------------------------------------


async def members(lived: Life, section: Record) -> None:
    await lived.passes()
    assert {letter["Subject"] for letter in lived.stage.mailbox.letters} >= {"Bienvenue Ada", "Welcome Helen"}
    ada = Record("member", str(lived["Ada"].id), 1, {}, "")
    with pytest.raises(Exception, match="attention"):
        await lived.changes("Ada", ada, section=section.id)
    await lived.changes("Ada", ada, newsletter=True, health_notes="Peanuts")
    await lived.passes()
    assert await lived.stage.value(ada, "newsletter_since") == lived.stage.clock.now()
    await lived.passes(3 * DAY)
    tasks = {title for (title,) in await lived.stage.rows("_task", "title")}
    assert {"Introduce the volunteers", "Say welcome"} <= tasks


async def membership(lived: Life, section: Record, season: int, **more: Any) -> Record:
    return await lived.makes("Ada", "membership", season=season, section=section.id, **more)


async def memberships(lived: Life, section: Record) -> None:
    made = await membership(lived, section, 2026)
    assert await lived.stage.value(made, "left_to_pay") == Decimal(35)
    assert await lived.stage.value(made, "ends_on") == lived.stage.clock.now().date() + 365 * DAY
    with pytest.raises(RefusedError, match="charter must be accepted"):
        await lived.moves("Ada", made, "submit")
    await lived.changes("Ada", made, charter_accepted=True)
    await lived.moves("Ada", made, "submit")
    assert await lived.is_in(made, "joining") == ("unpaid", "papers_missing")
    await lived.passes(15 * DAY)
    assert await lived.stage.value(made, "reminders") == 1
    assert lived.stage.mailbox.recipients[-1] == ["ada@exemple.fr", "tresorerie@hesperides.example"]
    await lived.passes(15 * DAY)
    assert len(await lived.stage.rows("_mail", "id", where="channel = 'sms' AND template = 'dues_text'")) == 1
    await pay(lived, made)


async def pay(lived: Life, made: Record) -> None:
    await lived.moves("Ada", made, "hand_in")
    await lived.moves("Helen", made, "send_back")
    await lived.moves("Ada", made, "hand_in")
    await lived.moves("Helen", made, "check_papers")
    await lived.changes("Tom", made, payments=[{"amount": Decimal(20), "method": "cash"}])
    assert await lived.stage.value(made, "left_to_pay") == Decimal(15)
    both = [{"amount": Decimal(20), "method": "cash"}, {"amount": Decimal(15), "method": "card"}]
    await lived.changes("Tom", made, payments=both)
    assert await lived.is_in(made, "joining") == ("running",)
    await lived.passes()
    assert isinstance(await lived.stage.value(made, "card"), Attachment)
    assert await lived.is_in(made, "carding") == "card_ready"
    letter = lived.stage.mailbox.letters[-1]
    assert [part.get_filename() for part in letter.iter_attachments()] == ["Carte-2026.pdf"]
    await lived.moves("Helen", made, "give_card")
    await lived.moves("Helen", made, "suspend", reason="Away")
    await lived.agrees("leader")
    assert await lived.is_in(made, "joining") == ("suspended",)
    await lived.moves("Helen", made, "reinstate")
    lived.stage.clock.moment = lived.stage.clock.now() + 320 * DAY
    await lived.passes()
    assert await lived.stage.rows("_notice", "member", where="template = 'renewal_notice'") == [(lived["Ada"].id,)]
    await lived.passes(100 * DAY)
    assert await lived.is_in(made, "joining") == ("expired",)
    await others(lived, Record("section", str((await lived.stage.value(made, "section"))["id"]), 1, {}, ""))


async def others(lived: Life, section: Record) -> None:
    waived = await membership(lived, section, 2027, charter_accepted=True, category="patron")
    await lived.moves("Ada", waived, "submit")
    await lived.moves("Helen", waived, "exempt", reason="Founder")
    await lived.agrees("Tom")
    assert "paid" in await lived.is_in(waived, "joining")
    await lived.moves("Ada", waived, "cancel")
    assert await lived.is_in(waived, "joining") == ("cancelled",)


async def event(lived: Life, section: Record, **more: Any) -> Record:
    starts = lived.stage.clock.now() + 10 * DAY
    given = {"name": "Concert", "kind": "concert", "section": section.id, "price": Decimal("12.50"), "capacity": 3}
    return await lived.makes("Helen", "event", **given, starts_at=starts, ends_at=starts + 2 * HOUR, **more)


async def events(lived: Life, section: Record) -> None:
    made = await event(lived, section)
    with pytest.raises(RefusedError, match="Give a venue"):
        await lived.moves("Helen", made, "publish")
    venue = await lived.makes("Helen", "venue", name="Hall", city="Lyon", section=section.id, area=Decimal("80.5"))
    await lived.changes("Helen", made, venue=venue.id)
    await lived.moves("Helen", made, "publish")
    first = await lived.makes("Ada", "registration", event=made.id, seats=2)
    await lived.moves("Helen", first, "confirm")
    await lived.passes()
    assert (await lived.stage.value(made, "seats_left"), await lived.stage.value(first, "amount")) == (1, Decimal(25))
    second = await lived.makes("Helen", "registration", event=made.id, seats=1)
    await lived.moves("Helen", second, "put_on_list")
    await lived.moves("Helen", second, "confirm")
    await lived.passes()
    assert await lived.is_in(made, "publishing") == "fully_booked"
    await after_the_event(lived, section, made, first, second)


async def after_the_event(lived: Life, section: Record, made: Record, first: Record, second: Record) -> None:
    third = await lived.makes("", "registration", event=made.id, owner=lived["Vera"].id)
    with pytest.raises(RefusedError, match="fully booked"):
        await lived.moves("Helen", third, "confirm")
    await commands.delete(lived.stage.tenant, lived["Helen"], "registration", third.id, None)
    await lived.moves("Ada", first, "withdraw", comment="Ill")
    await lived.passes()
    assert await lived.stage.value(made, "seats_left") == 2
    assert await lived.stage.rows("refund", "amount", "owner") != []
    late = await lived.makes("", "registration", event=made.id, owner=lived["Vera"].id)
    await lived.moves("Helen", late, "confirm")
    await lived.passes(9 * DAY)
    told = await lived.stage.rows("_notice", "member", where="template = 'event_reminder'")
    assert {member for (member,) in told} == {lived["Helen"].id, lived["Vera"].id}
    await lived.moves("Vera", second, "check_in")
    await lived.moves("Helen", late, "miss")
    await lived.passes(3 * DAY)
    assert await lived.is_in(made, "publishing") == "held"
    off = await event(lived, section, venue=(await lived.stage.value(made, "venue"))["id"])
    await lived.moves("Helen", off, "publish")
    await lived.makes("Ada", "registration", event=off.id)
    await lived.moves("Helen", off, "call_off", off_reason="Rain")
    await lived.passes()
    told = await lived.stage.rows("_notice", "body", where="template = 'event_called_off'")
    assert told == [("<p>L'événement est annulé : Rain.</p>",)] or "Rain" in told[0][0]


async def shifts(lived: Life, section: Record) -> None:
    concert = await event(lived, section)
    starts = lived.stage.clock.now() + 10 * DAY

    async def shift(role: str) -> Record:
        given = {"event": concert.id, "role": role, "starts_at": starts, "ends_at": starts + 3 * HOUR}
        made = await lived.makes("Helen", "shift", **given)
        await lived.passes()
        return made

    bar = await shift("bar")
    assert await lived.is_in(bar, "staffing") == "offered"
    assert (await lived.stage.value(bar, "owner"))["id"] == lived["Vera"].id
    await lived.moves("Vera", bar, "accept")
    await lived.moves("Vera", bar, "decline", decline_note="Ill")
    await lived.passes()
    await lived.moves("Vera", bar, "accept")
    await lived.moves("Helen", bar, "finish", hours_done="2.5")
    door = await shift("welcome")
    await lived.passes(3 * DAY)
    assert (await lived.stage.value(door, "owner"))["id"] == lived["Helen"].id
    await lived.moves("Helen", door, "drop")


async def donations(lived: Life, section: Record) -> None:
    async def gift(**more: Any) -> Record:
        given = {"donor_name": "Zoé Marin", "donor_email": "zoe@exemple.fr", "amount": Decimal(100), **more}
        return await lived.makes("Tom", "donation", section=section.id, **given)

    first = await gift()
    await lived.moves("Tom", first, "cash_in", given_on=date(2027, 3, 1).isoformat())
    await lived.passes(HOUR)
    assert await lived.is_in(first, "giving") == "receipted"
    assert await lived.stage.value(first, "tax_relief") == Decimal(66)
    assert lived.stage.mailbox.recipients[-1] == ["zoe@exemple.fr"]
    await lived.changes("Tom", first, donor_address="2 rue du Port")
    await lived.passes()
    bodies = await lived.stage.rows("_hook", "body")
    assert len(bodies) == 2
    back = await gift(amount=Decimal(5), donor_email=None)
    await lived.moves("Tom", back, "cash_in", given_on=date(2027, 3, 1).isoformat())
    await lived.moves("Tom", back, "give_back")
    await lived.agrees("leader")
    await lived.moves("Tom", await gift(amount=Decimal(7)), "abandon")
    await lived.calls("bank_notice", amount=100)
    await lived.passes()


async def refunds(lived: Life) -> None:
    [(id,)] = await lived.stage.rows("refund", "id")
    small = Record("refund", id, 1, {}, "")
    await lived.moves("Helen", small, "authorise")
    await lived.agrees("Tom")
    with pytest.raises(RefusedError, match="IBAN is missing"):
        await lived.moves("Tom", small, "pay_back")
    await lived.changes("Tom", small, iban="FR7630006000011234567890189")
    await lived.moves("Tom", small, "pay_back")
    large = await lived.makes("Ada", "refund", amount=Decimal(500), reason="The hall")
    with pytest.raises(RefusedError, match="Amount too high"):
        await lived.moves("Tom", large, "authorise")
    await lived.moves("Helen", large, "authorise_large")
    await lived.agrees("Tom", "leader")
    await lived.moves("Tom", large, "refuse", refusal="No receipt")
    await lived.passes(HOUR)
    assert lived.stage.mailbox.recipients[-1] == ["ada@exemple.fr"]


async def letters(lived: Life) -> None:
    reader = await lived.makes("Helen", "subscriber", email="lea@exemple.fr")
    silent = await lived.makes("Helen", "subscriber", email="max@exemple.fr")
    await lived.passes()
    await lived.moves("Helen", reader, "confirm_consent")
    await lived.passes(8 * DAY)
    assert await lived.is_in(silent, "consenting") == "ended"
    issue = await lived.makes("Helen", "newsletter_issue", headline="Spring", content="**Flowers**")
    await lived.moves("Helen", issue, "proofreading")
    await lived.moves("Helen", issue, "rework")
    await lived.moves("Helen", issue, "proofreading")
    await lived.moves("Helen", issue, "send")
    await lived.agrees("leader")
    await lived.passes(HOUR)
    sent = await lived.stage.rows("_mail", "recipient", where="template = 'newsletter_mail' AND state = 'sent'")
    assert {address for (address,) in sent} == {"ada@exemple.fr", "lea@exemple.fr"}


async def committees(lived: Life, section: Record) -> None:
    seats = [{"holder": lived["Vera"].id, "until": (lived.stage.clock.now() + 30 * DAY).date()}]
    made = await lived.makes("Helen", "committee", name="Music", section=section.id, seats=seats)
    assert await lived.stage.value(made, "size") == 1
    await lived.passes(7 * DAY)
    titles = {title for (title,) in await lived.stage.rows("_task", "title")}
    assert {"Prepare the renewal of the seat", "Look at the refund"} <= titles
    assert await lived.stage.rows("_notice", "id", where="template = 'section_digest'") != []
