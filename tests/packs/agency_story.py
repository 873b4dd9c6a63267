"""What happens to the pack `agency`, which somebody wrote from LANGUAGE.md alone, when it is lived with."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.attachment import Attachment
from models.errors import RefusedError
from models.record import Record
from tests.packs.living import Life

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def story(lived: Life) -> None:
    """Go every way once."""
    await people(lived)
    client, contact = await clients(lived)
    await briefs(lived, client, contact)
    await quotes(lived, client, contact)
    order = await orders(lived, client, contact)
    await surveys(lived, order, contact)
    await invoices(lived, client, contact)
    await sheets(lived)
    await subcontractors(lived)


async def people(lived: Life) -> None:
    await lived.joins("leader", "leader")
    mona = await lived.joins("Mona", "manager")
    await lived.joins("Marc", "manager")
    axel = await lived.joins("Axel", "account", sponsor=mona.id)
    await lived.joins("Fred", "freelancer", sponsor=axel.id, trade="designer", phone="+32 2 555 01 02")
    await lived.joins("Anna", "accountant")


async def clients(lived: Life) -> tuple[Record, Record]:
    client = await lived.makes("Fred", "company", name="Lumen", vat_number="BE0123456789", needs_po=True)
    ines = {"first_name": "Ines", "last_name": "Maes", "email": "ines@lumen.example", "language": "fr"}
    contact = await lived.makes("Fred", "contact", company=client.id, **ines)
    await lived.passes()
    assert len(await lived.stage.rows("_hook", "id")) == 1
    return client, contact


# The work of the agency, chapter by chapter -----------------------------------------------------------------------


async def briefs(lived: Life, client: Record, contact: Record) -> None:
    large = await lived.makes("Fred", "brief", subject="A film", company=client.id, budget=Decimal(20000))
    small = await lived.makes("Fred", "brief", subject="A card", company=client.id, contact=contact.id)
    await lived.passes()
    assert await lived.stage.value(large, "substantial") is True
    assert (await lived.stage.value(small, "owner"))["id"] == lived["Axel"].id
    with pytest.raises(RefusedError, match="Choose a contact first"):
        await lived.moves("Fred", large, "scope", budget="20000")
    await lived.changes("Fred", large, contact=contact.id)
    await lived.moves("Fred", large, "scope", budget="25000", main_discipline="film")
    await lived.moves("Fred", large, "pitch")
    await lived.moves("Fred", large, "win")
    with pytest.raises(RefusedError, match="Say a little more"):
        await lived.moves("Axel", small, "decline", reason="No")
    await lived.moves("Axel", small, "decline", reason="Too small for us")
    assert await lived.stage.value(small, "decline_reason") == "Too small for us"
    await lived.moves("Mona", small, "reopen")


async def quote(lived: Life, number: str, client: Record, contact: Record, **more: Any) -> Record:
    lines = [
        {"description": "Days", "quantity": Decimal("2.5"), "unit_price": Decimal(800), "unit_cost": Decimal(500)},
        {"description": "Licence", "unit_of_work": "fixed", "unit_price": Decimal("99.99")},
    ]
    return await lived.makes("Fred", "quote", number=number, company=client.id, contact=contact.id, lines=lines, **more)


async def quotes(lived: Life, client: Record, contact: Record) -> None:
    wish = {"subject": "A site", "budget": Decimal(30000)}
    brief = await lived.makes("Fred", "brief", company=client.id, contact=contact.id, **wish)
    await lived.moves("Fred", brief, "scope", budget="30000")
    won = await quote(lived, "Q-2026-001", client, contact, brief=brief.id, discount=Decimal(10))
    found = (await lived.stage.get(won)).full
    # 2.5 × 800 + 99.99 = 2099.99, less 10 %; 420.00 and 21.00 of VAT, less 10 %
    assert (found["gross"], found["net"]) == (Decimal("2099.99"), Decimal("1889.99"))
    assert (found["vat"], found["total"], found["margin"]) == (Decimal("396.90"), Decimal("2286.89"), Decimal("639.99"))
    until = (lived.stage.clock.now() + 30 * DAY).date().isoformat()
    await lived.moves("Fred", won, "send", valid_until=until)
    await lived.passes()
    assert isinstance(await lived.stage.value(won, "pdf"), Attachment)
    assert lived.stage.mailbox.letters == []  # the move can be taken back
    await lived.passes(HOUR)
    [letter] = lived.stage.mailbox.letters
    assert letter["Subject"] == "Our quote Q-2026-001"
    assert [part.get_filename() for part in letter.iter_attachments()] == ["Quote Q-2026-001.pdf"]
    await lived.moves("Fred", won, "negotiate")
    await lived.moves("Fred", won, "revise")
    await lived.moves("Fred", won, "send", valid_until=until)
    await lived.moves("Fred", won, "accept", deadline="2026-04-20T10:00")
    await lived.passes()
    assert await lived.is_in(brief, "briefing") == "won"
    await other_quotes(lived, client, contact, until)


async def other_quotes(lived: Life, client: Record, contact: Record, until: str) -> None:
    dear = await quote(lived, "Q-2026-002", client, contact, discount=Decimal(20))
    with pytest.raises(RefusedError, match="discount needs an approval"):
        await lived.moves("Fred", dear, "send", valid_until=until)
    asked = await lived.moves("Fred", dear, "send_discounted", valid_until=until, why="A friend")
    assert asked.asked
    await lived.agrees("Mona", "leader")
    assert await lived.is_in(dear, "quoting") == "sent"
    assert await lived.stage.value(dear, "discount_reason") == "A friend"
    await lived.moves("Fred", dear, "refuse", refusal="Too dear")
    old = await quote(lived, "Q-2026-003", client, contact)
    await lived.moves("Fred", old, "send", valid_until=until)
    await lived.passes()
    await lived.passes(5 * DAY)
    await lived.passes(16 * DAY)  # ten working days after the task to call
    assert await lived.is_in(old, "quoting") == "expired"
    await lived.moves("Fred", old, "renew")
    assert await lived.is_in(old, "quoting") == "draft"


async def orders(lived: Life, client: Record, contact: Record) -> Record:
    [(number, id)] = await lived.stage.rows("order", "number", "id")
    assert number == "O-Q-2026-001"
    order = Record("order", id, 1, {}, "")
    assert await lived.is_in(order, "delivery") == ("preparing", "unbilled")
    await lived.moves("Fred", order, "produce")
    await lived.moves("Fred", order, "submit")
    await lived.moves("Fred", order, "rework")
    await lived.moves("Fred", order, "submit")
    lived.stage.clock.moment = (await lived.stage.value(order, "deadline")) - 6 * DAY
    await lived.passes()
    assert len(await lived.stage.rows("_notice", "id", where="template = 'deadline_near'")) == 1
    await lived.passes(5 * DAY)
    assert await lived.stage.rows("_mail", "recipient", where="channel = 'sms'") == [("+3225550102",)]
    await lived.moves("Fred", order, "deliver", delivery_note="All of it")
    with pytest.raises(RefusedError, match="purchase order is missing"):
        await lived.moves("Axel", order, "bill")
    await lived.changes("Fred", order, po_number="PO 12")
    await lived.moves("Axel", order, "bill")
    assert await lived.is_in(order, "delivery") == ("closed",)
    given_up = await lived.makes(
        "Axel", "order", number="O-2", company=client.id, contact=contact.id, amount=Decimal(5)
    )
    await lived.moves("Mona", given_up, "cancel")
    await lived.agrees("leader")
    assert await lived.is_in(given_up, "delivery") == ("cancelled",)
    return order


async def surveys(lived: Life, order: Record, contact: Record) -> None:
    await lived.passes()
    await lived.passes(5 * DAY)
    [(id,)] = await lived.stage.rows("survey", "id")
    survey = Record("survey", id, 1, {}, "")
    assert await lived.stage.value(survey, "language") == "fr"
    await lived.moves("Mona", survey, "record_answer", score="9", comment="Well done")
    anonymous = await lived.makes(
        "Mona", "survey", subject="Again", order=order.id, contact=(await second_contact(lived, order)).id,
        answer_by=lived.stage.clock.now() + DAY,
    )  # fmt: skip
    await lived.passes()
    await lived.passes(2 * DAY)
    assert await lived.is_in(anonymous, "surveying") == "unanswered"
    assert [letter["To"] for letter in lived.stage.mailbox.letters[-2:]] == ["ines@lumen.example", "bo@lumen.example"]


async def second_contact(lived: Life, order: Record) -> Record:
    company = (await lived.stage.value(order, "company"))["id"]
    bo = {"first_name": "Bo", "last_name": "Maes", "email": "bo@lumen.example"}
    return await lived.makes("Fred", "contact", company=company, **bo)


async def invoice(lived: Life, number: str, client: Record, contact: Record) -> Record:
    made = await lived.makes(
        "Axel", "invoice", number=number, company=client.id, contact=contact.id, owner=lived["Axel"].id,
        lines=[{"description": "Days", "quantity": Decimal(2), "unit_price": Decimal("500.25")}],
    )  # fmt: skip
    await lived.moves("Axel", made, "issue")
    await lived.passes()
    return made


async def invoices(lived: Life, client: Record, contact: Record) -> None:
    empty = await lived.makes("Anna", "invoice", number="F-2026-100", company=client.id, contact=contact.id)
    with pytest.raises(RefusedError, match="has no amount"):
        await lived.moves("Anna", empty, "issue")
    paid = await invoice(lived, "F-2026-101", client, contact)
    assert await lived.stage.value(paid, "total") == Decimal("1210.61")
    today = lived.stage.clock.now().date()
    assert await lived.stage.value(paid, "due_on") == today + 30 * DAY
    await lived.changes("Anna", paid, payments=[{"amount": Decimal(200), "bank_reference": "A"}])
    assert await lived.is_in(paid, "billing") == "part_paid"
    await lived.changes("Anna", paid, payments=[{"amount": Decimal("1210.61"), "bank_reference": "B"}])
    assert await lived.is_in(paid, "billing") == "paid"
    await commissions(lived)
    await late(lived, await invoice(lived, "F-2026-102", client, contact))


async def commissions(lived: Life) -> None:
    await lived.passes()
    rows = await lived.stage.rows("commission", "id", "depth")
    [(id, depth)] = rows  # the invoice is Axel's, whose sponsor Mona has none
    assert depth == 1
    commission = Record("commission", id, 1, {}, "")
    assert await lived.stage.value(commission, "amount") == Decimal("50.03")
    await lived.moves("Anna", commission, "transfer")
    await lived.agrees("Mona")
    await lived.passes()
    assert await lived.stage.value(commission, "paid_on") == lived.stage.clock.now().date()
    told = await lived.stage.rows("_notice", "member", where="template = 'commission_note'")
    assert told == [(lived["Mona"].id,)] * 2


async def late(lived: Life, record: Record) -> None:
    await lived.calls("bank_statement", day="2026-05-01")
    await lived.passes(35 * DAY)  # due after thirty days, and three working days on
    await lived.calls("bank_statement", day="2026-06-01")
    await lived.passes()
    await lived.passes(9 * DAY)
    assert await lived.stage.value(record, "reminders") == 2
    assert await lived.is_in(record, "billing") == "late"
    await lived.moves("Mona", record, "remind")
    await lived.passes(HOUR)
    assert await lived.stage.value(record, "reminders") == 3
    await lived.passes(20 * DAY)
    await lived.moves("Anna", record, "write_off")
    await lived.agrees("Mona", "leader")
    assert await lived.is_in(record, "billing") == "written_off"


async def sheets(lived: Life) -> None:
    monday = date(2026, 6, 1)
    sheet = await lived.makes("Fred", "timesheet", week_start=monday, hourly_rate=Decimal(50))
    with pytest.raises(RefusedError, match="No hours yet"):
        await lived.moves("Fred", sheet, "hand_in")
    worked = [{"worked_on": monday + n * DAY, "task": "Film", "hours": Decimal("10.5")} for n in range(4)]
    await lived.changes("Fred", sheet, entries=worked)
    assert await lived.stage.value(sheet, "overtime") is True
    await lived.passes(8 * DAY)
    assert await lived.stage.rows("_notice", "member", where="template = 'timesheet_note'")
    await lived.moves("Fred", sheet, "hand_in")
    await lived.moves("Mona", sheet, "send_back", remark="Which film?")
    await lived.moves("Fred", sheet, "hand_in")
    await lived.moves("Mona", sheet, "validate")
    own = await lived.makes("Mona", "timesheet", week_start=monday, hourly_rate=Decimal(50), entries=worked)
    await lived.moves("Mona", own, "hand_in")
    with pytest.raises(RefusedError, match="Not your own sheet"):
        await lived.moves("Mona", own, "validate")


async def subcontractors(lived: Life) -> None:
    mason = await lived.makes(
        "Axel", "subcontractor", name="Otto", email="otto@mason.example", iban="BE68539007547034",
        insured_until=(lived.stage.clock.now() + 60 * DAY).date(),
    )  # fmt: skip
    with pytest.raises(RefusedError, match="valid insurance is missing"):
        await lived.moves("Axel", mason, "approve")
    await lived.changes("", mason, certificate=await certificate(lived))
    await lived.moves("Axel", mason, "approve")
    await lived.agrees("Mona")
    await lived.moves("Mona", mason, "suspend")
    await lived.passes()
    assert lived.stage.mailbox.letters[-1]["To"] == "otto@mason.example"


async def certificate(lived: Life) -> Any:
    """Return a file: the PDF of a quote."""
    [(id,)] = await lived.stage.rows("quote", "id", where="number = 'Q-2026-001'")
    return await lived.stage.value(Record("quote", id, 1, {}, ""), "pdf")
