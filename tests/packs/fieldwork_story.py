"""What happens to the pack `fieldwork`, which somebody wrote from LANGUAGE.md alone, when it is lived with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.duration import Duration
from models.actor import PUBLIC
from models.attachment import Attachment
from models.errors import RefusedError
from models.record import Record
from tests.admin.test_uploads import PDF, picture
from tests.packs.living import Life
from workflows import commands

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def story(lived: Life) -> None:
    """Go every way once."""
    zone = await people(lived)
    house = await customers(lived, zone)
    parts = await stock(lived)
    ticket = await repaired(lived, house, parts)
    await billed(lived, house, ticket)
    await other_tickets(lived, house, parts)
    await claims(lived, house, ticket)
    await quotes(lived, house)
    await complaints(lived)
    await vehicles(lived)
    await contracts(lived, house)


House = dict[str, Record]
"""A customer, the place where it lives, and the boiler there."""


async def people(lived: Life) -> Record:
    await lived.joins("leader", "leader")
    await lived.joins("Dora", "dispatcher", phone="+32 2 555 01 01")
    await lived.joins("Stan", "storekeeper")
    north = await lived.makes("Dora", "zone", name="Namur", country="BE", prefix="50")
    south = await lived.makes("Dora", "zone", name="Arlon", country="BE", prefix="67")
    fritz = await lived.joins("Fritz", "franchisee", zone=south.id)
    await lived.joins("Tina", "technician", zone=north.id, sponsor=fritz.id, skills=["gas"], phone="+32 2 555 01 02")
    await lived.joins("Theo", "technician", sponsor=fritz.id, skills=["plumbing"])
    return north


async def customers(lived: Life, zone: Record) -> House:
    hans = {"first_name": "Hans", "last_name": "Vogel", "email": "hans@vogel.example", "phone": "+32 2 555 02 01"}
    customer = await lived.makes("Tina", "customer", language="de", country="BE", **hans)
    place = await lived.makes("Tina", "place", name="House", customer=customer.id, zone=zone.id, city="Namur")
    boiler = await lived.makes(
        "Tina", "equipment", place=place.id, family="boiler", energies=["gas"], brand="Vulcan", serial="VU-2026"
    )
    assert await lived.stage.value(customer, "greeting") == "Vogel"
    assert await lived.stage.value(boiler, "fuel") is True
    assert await lived.stage.value(boiler, "warranty_until") == date(2028, 3, 1)
    await companies(lived)
    return {"customer": customer, "place": place, "equipment": boiler}


async def companies(lived: Life) -> None:
    """Companies without a member are given to who added them; the ERP learns of those that are deleted."""
    with pytest.raises(Exception, match="attention"):
        await lived.makes("Dora", "customer", kind="company", last_name="Lumen")
    lumen = {"kind": "company", "last_name": "Lumen", "company_name": "Lumen SA", "owner": None}
    company = await lived.makes("Dora", "customer", **lumen)
    await lived.passes()
    assert (await lived.stage.value(company, "owner"))["id"] == lived["Dora"].id
    assert await lived.stage.value(company, "greeting") == "Madame, Monsieur"
    await commands.delete(lived.stage.tenant, lived["leader"], "customer", company.id, None)
    await lived.passes()
    assert len(await lived.stage.rows("_hook", "id")) == 1


# The work of the network, chapter by chapter ----------------------------------------------------------------------


async def stock(lived: Life) -> House:
    pump = await lived.makes("Stan", "part", code="DE-100", name="Pump", price=Decimal("80.00"), stock=7)
    assert await lived.stage.value(pump, "imported") is True
    assert await lived.is_in(pump, "supply") == "enough"
    with pytest.raises(RefusedError, match="Negative stock"):
        await lived.moves("Stan", pump, "adjust", delta="-8")
    await lived.moves("Stan", pump, "adjust", delta="-2")
    await lived.passes()
    assert await lived.is_in(pump, "supply") == "low"
    assert await lived.stage.rows("_notice", "member", where="template = 'stock_low'") == [(lived["Stan"].id,)]
    await lived.makes("Stan", "stock_move", part=pump.id, quantity=3, reason="delivery")
    await lived.passes()
    assert await lived.is_in(pump, "supply") == "enough"
    assert (await lived.stage.value(pump, "stock"), await lived.stage.value(pump, "value")) == (8, Decimal(640))
    old = await lived.makes("Stan", "part", code="OLD-1", name="Valve")
    await lived.passes()
    assert await lived.is_in(old, "supply") == "low"
    await lived.moves("Stan", old, "retire")
    await lived.calls("wholesaler_delivery", parcels=3)
    await lived.passes()
    return {"pump": pump}


async def ticket(lived: Life, number: str, house: House, **more: Any) -> Record:
    """Have a ticket taken in and given to Tina, the only technician of the zone."""
    given = {"customer": house["customer"].id, "place": house["place"].id, "equipment": house["equipment"].id}
    made = await lived.makes("Dora", "ticket", number=number, **{"symptoms": "It is cold", **given, **more})
    await lived.passes()
    assert (await lived.stage.value(made, "owner"))["id"] == lived["Tina"].id
    return made


def part(house: House, **more: Any) -> dict[str, Any]:
    return {"kind": "part", "part": house["pump"].id, "text": "Pump", "unit_price": Decimal("99.99"), **more}


async def on_site(lived: Life, made: Record) -> None:
    """Have a ticket that is to be planned looked at, where it is."""
    await lived.moves("Dora", made, "schedule", planned_at=(lived.stage.clock.now() + 2 * DAY).isoformat())
    await lived.moves("Tina", made, "depart")
    await lived.moves("Tina", made, "arrive")


async def repaired(lived: Life, house: House, parts: House) -> Record:
    made = await ticket(lived, "T-1001", house, skills_needed=["gas"])
    told = await lived.stage.rows("_notice", "member", where="template = 'ticket_new'")
    assert told == [(lived["Tina"].id,)]
    await lived.moves("Dora", made, "accept")
    with pytest.raises(RefusedError, match="must be in the future"):
        await lived.moves("Dora", made, "schedule", planned_at="2026-03-01T10:00")
    await announced(lived, made)
    await lived.moves("Tina", made, "depart")
    await lived.moves("Tina", made, "arrive")
    assert await lived.stage.value(made, "visits") == 1
    await lived.moves("Tina", made, "repair")
    with pytest.raises(RefusedError, match="No missing part"):
        await lived.moves("Tina", made, "order_parts")
    await lived.changes("Tina", made, lines=[part(parts, quantity=2, missing=1, discount=Decimal(30))])
    await lived.moves("Tina", made, "order_parts")
    await lived.passes(8 * DAY)  # five working days and a weekend
    [(title, member)] = await lived.stage.rows("_task", "title", "member")
    assert (title, member) == ("Relancer le fournisseur", lived["Tina"].id)
    await lived.moves("Dora", made, "resume")
    await on_site(lived, made)
    await lived.moves("Tina", made, "order_parts")
    lines = [part(parts, quantity=2, discount=Decimal(30)), {"text": "Work", "quantity": 2}]
    await lived.changes("Tina", made, lines=lines)
    assert await lived.is_in(made, "visit") == "to_plan"  # by itself: no part is missing any more
    await finished(lived, made, parts)
    return made


async def announced(lived: Life, made: Record) -> None:
    """The customer is told of the visit when the move can't be taken back any more, and again the day before."""
    day = lived.stage.clock.now() + 3 * DAY
    await lived.moves("Dora", made, "schedule", planned_at=day.isoformat(), reason="Urgent")
    await lived.passes()
    assert lived.stage.mailbox.letters == []
    await lived.passes(15 * MINUTE)
    [letter] = lived.stage.mailbox.letters
    assert letter["Subject"] == "Votre rendez-vous T-1001"  # in the network's first language: tickets have none
    assert lived.stage.mailbox.recipients == [["hans@vogel.example", "hotline@chaleurplus.example"]]
    await lived.passes(2 * DAY)
    [(recipient, text)] = await lived.stage.rows("_mail", "recipient", "text", where="channel = 'sms'")
    assert recipient == "+3225550201"
    assert text.startswith("Passage demain")


async def finished(lived: Life, made: Record, parts: House) -> None:
    await on_site(lived, made)
    lived.stage.clock.forward(2 * HOUR)
    photo = await lived.uploads("Tina", picture("PNG"), "boiler.png")
    await lived.moves("Tina", made, "finish", note="Pump replaced", photo=photo)
    assert (await lived.is_in(made, "visit"), await lived.is_in(made, "billing")) == ("done", "billable")
    found = (await lived.stage.get(made)).full
    # 2 × 99.99 less 30 %, and 2 × 68.50
    assert (found["parts_total"], found["total"], found["labour_lines"]) == (Decimal("139.99"), Decimal("276.99"), 1)
    assert (found["close_note"], found["work_time"]) == ("Pump replaced", Duration(exact=2 * HOUR))
    await lived.passes()
    assert await lived.stage.value(parts["pump"], "stock") == 6
    await lived.passes(10 * MINUTE)
    letter = lived.stage.mailbox.letters[-1]
    assert letter["Subject"] == "Votre rapport"
    assert [each.get_filename() for each in letter.iter_attachments()] == ["rapport-T-1001.pdf"]
    bodies = [body for (body,) in await lived.stage.rows("_hook", "body")]
    assert '"late":false' in bodies[-1].replace(" ", "")


async def billed(lived: Life, house: House, made: Record) -> None:
    await lived.moves("Dora", made, "invoice")
    await lived.moves("Dora", made, "billing.cancel")
    await lived.agrees("leader")
    assert await lived.is_in(made, "billing") == "void"
    again = await ticket(lived, "T-1002", house, kind="service", symptoms=None)
    await lived.moves("Dora", again, "accept")
    await on_site(lived, again)
    await lived.changes("Tina", again, lines=[{"text": "Service"}])
    await taken_back(lived, again)
    await lived.moves("Tina", again, "finish", note="Fine")
    await lived.moves("Dora", again, "invoice")
    early = await lived.moves("Dora", again, "pay")
    await commands.undo(lived.stage.tenant, lived["Dora"], early.history)
    assert await lived.is_in(again, "billing") == "invoiced"
    await lived.moves("Dora", again, "pay")
    assert await lived.is_in(again, "billing") == "paid"


async def taken_back(lived: Life, made: Record) -> None:
    """What is finished too early goes back, and with it what followed by itself; nothing has left the house."""
    early = await lived.moves("Tina", made, "finish", note="Too early")
    await lived.passes(9 * MINUTE)
    assert await lived.is_in(made, "billing") == "billable"
    await commands.undo(lived.stage.tenant, lived["Tina"], early.history)
    assert (await lived.is_in(made, "visit"), await lived.is_in(made, "billing")) == ("diagnosing", "not_due")
    assert (await lived.stage.value(made, "close_note"), await lived.stage.value(made, "ended_at")) == (None, None)
    await lived.passes(HOUR)
    reports = await lived.stage.rows("_mail", "state", where="template = 'visit_done'")
    assert reports == [("sent",), ("cancelled",)]


async def other_tickets(lived: Life, house: House, parts: House) -> None:
    given_up = await ticket(lived, "T-1003", house)
    await lived.moves("Dora", given_up, "visit.cancel")
    assert await lived.is_in(given_up, "billing") == "void"
    free = await ticket(lived, "T-1004", house, skills_needed=["gas"])
    await lived.moves("Dora", free, "accept")
    await on_site(lived, free)
    with pytest.raises(RefusedError, match="Complete the lines"):
        await lived.moves("Tina", free, "finish", note="Nothing")
    await lived.changes("Tina", free, lines=[part(parts, unit_price=Decimal(0))])
    await lived.changes("Dora", free, owner=lived["Theo"].id)
    with pytest.raises(RefusedError, match="Gas skill required"):
        await lived.moves("Theo", free, "repair")
    await lived.moves("Theo", free, "finish", note="A gift")
    assert await lived.is_in(free, "billing") == "free"
    await lived.passes(HOUR)


async def claim(lived: Life, house: House, made: Record, reference: str, amount: int) -> Record:
    defect = "The pump leaks since the first day"
    given = {"ticket": made.id, "equipment": house["equipment"].id, "amount": Decimal(amount), "defect": defect}
    found = await lived.makes("Tina", "warranty_claim", reference=reference, **given)
    await lived.moves("Tina", found, "submit")
    await lived.agrees("Fritz")
    assert await lived.is_in(found, "claiming") == "checked_locally"
    return found


async def claims(lived: Life, house: House, made: Record) -> None:
    vague = await lived.makes(
        "Tina", "warranty_claim", reference="G-1", ticket=made.id, amount=Decimal(5), defect="It leaks"
    )
    with pytest.raises(RefusedError, match="defect too vague"):
        await lived.moves("Tina", vague, "submit")
    dear = await claim(lived, house, made, "G-2", 600)
    with pytest.raises(RefusedError, match="a reason is required"):
        await lived.moves("Fritz", dear, "grant")
    await lived.moves("Fritz", dear, "grant", why="A good customer")
    await lived.agrees("Dora", "leader")
    assert await lived.stage.value(dear, "decision") == "A good customer"
    await lived.moves("Dora", vague, "reject", decision="Say more")
    cheap = await claim(lived, house, made, "G-3", 500)
    await lived.moves("Fritz", cheap, "grant")
    await lived.agrees("Dora", "leader")
    assert await lived.stage.value(cheap, "decision") == "ok"
    await lived.passes()
    told = await lived.stage.rows("_notice", "member", where="template = 'claim_result'")
    assert told == [(lived["Tina"].id,)] * 3


async def quotes(lived: Life, house: House) -> None:
    items = [{"text": "Boiler", "unit_price": Decimal("4999.90"), "quantity": Decimal("2.5")}]
    given = {"customer": house["customer"].id}
    empty = await lived.makes("Tina", "quote", number="D-1", **given)
    with pytest.raises(RefusedError, match="Empty or expired"):
        await lived.moves("Tina", empty, "send")
    await lived.moves("Tina", empty, "refuse", refusal="A mistake")
    made = await lived.makes("Tina", "quote", number="D-2", items=items, **given)
    # 12,499.75, and 30 % of it, but never more than 3,000
    found = (await lived.stage.get(made)).full
    assert (found["total"], found["deposit"]) == (Decimal("12499.75"), Decimal(3000))
    await lived.moves("Tina", made, "send")
    await lived.passes(30 * MINUTE)
    assert isinstance(await lived.stage.value(made, "pdf"), Attachment)
    letter = lived.stage.mailbox.letters[-1]
    assert letter["Subject"] == "Devis D-2"
    assert [each.get_filename() for each in letter.iter_attachments()] == ["devis-D-2.pdf"]
    await lived.passes(28 * DAY)
    tasks = await lived.stage.rows("_task", "title", where="title LIKE '%devis'")
    assert tasks == [("Relancer le devis",)]
    await signed(lived, made)


async def signed(lived: Life, made: Record) -> None:
    async def signs(full_name: str) -> None:
        drawn = await lived.uploads("Tina", picture("PNG"), "signature.png")
        await lived.moves("Tina", made, "sign", signature=drawn, full_name=full_name, agreed="true")

    with pytest.raises(RefusedError, match="Name and consent required"):
        await signs("Hans")
    await signs("Hans Vogel")
    await lived.agrees("Fritz")
    assert await lived.is_in(made, "quoting") == "accepted"
    assert await lived.stage.value(made, "signed_name") == "Hans Vogel"
    assert await lived.stage.value(made, "signed_at") == lived.stage.clock.now()


async def complaints(lived: Life) -> None:
    given = {"subject": "Too late", "body": "Nobody came.", "sender": "Eva", "email": "eva@exemple.be"}
    made = await commands.create(lived.stage.tenant, PUBLIC, "complaint", {**given, "language": "de"})
    await lived.passes()
    letter = lived.stage.mailbox.letters[-1]
    assert (letter["To"], letter["Subject"]) == ("eva@exemple.be", "Erhalten: Too late")
    await lived.passes(4 * DAY)
    told = await lived.stage.rows("_notice", "member", where="template = 'complaint_alert'")
    assert told == [(lived["Dora"].id,)] * 2  # at once by the automation that runs it, then after four hours of work
    await lived.moves("Dora", made, "examine", handler=lived["Dora"].id)
    await lived.moves("Dora", made, "reopen")
    await lived.moves("Dora", made, "examine")
    with pytest.raises(RefusedError, match="Refund too high"):
        await lived.moves("Dora", made, "settle", refund="2000", internal_note="Sorry")
    await lived.moves("Dora", made, "settle", refund="1999.99", internal_note="Sorry")
    await lived.agrees("leader")
    assert await lived.stage.value(made, "refund") == Decimal("1999.99")


async def vehicles(lived: Life) -> None:
    due = (lived.stage.clock.now() + 31 * DAY).date()
    van = await lived.makes("Dora", "vehicle", plate="1-ABC-234", inspection_on=due, owner=lived["Tina"].id)
    await lived.moves("Tina", van, "to_garage")
    await lived.moves("Tina", van, "back", inspection_on=due.isoformat())
    await lived.passes(2 * DAY)
    await lived.passes(31 * DAY)
    told = await lived.stage.rows("_notice", "member", where="template = 'vehicle_due'")
    assert told == [(lived["Tina"].id,)] * 2
    await lived.moves("Dora", van, "sell")


async def contract(lived: Life, number: str, house: House, **more: Any) -> Record:
    given = {"customer": house["customer"].id, "equipment": house["equipment"].id, "owner": lived["Tina"].id}
    return await lived.makes("Dora", "contract", number=number, **given, **more)


async def contracts(lived: Life, house: House) -> None:
    service = (lived.stage.clock.now() + 30 * DAY).date()
    made = await contract(lived, "1", house, next_service_on=service)
    with pytest.raises(RefusedError, match="Enter the price"):
        await lived.moves("Fritz", made, "activate")
    await lived.changes("Fritz", made, yearly_price=Decimal(200))
    assert await lived.stage.value(made, "monthly_price") == Decimal("16.67")
    await lived.moves("Fritz", made, "activate")
    assert await lived.is_in(made, "contracting") == ("unsigned", "no_mandate", "unchecked")
    await lived.moves("Tina", made, "sign_contract", signed_file=await lived.uploads("Tina", PDF, "contract.pdf"))
    await lived.moves("Dora", made, "receive_mandate")
    await lived.moves("Tina", made, "check")
    assert await lived.is_in(made, "contracting") == ("running",)
    await reminders(lived, house, made, service)
    end = (lived.stage.clock.now() + DAY).date()
    await lived.moves("Dora", made, "terminate", ends_on=end.isoformat())
    assert await lived.is_in(made, "contracting") == ("ended",)


async def reminders(lived: Life, house: House, made: Record, service: date) -> None:
    await lived.passes(10 * DAY)
    [(id,)] = await lived.stage.rows("reminder", "id")
    first = Record("reminder", id, 1, {}, "")
    await lived.passes(5 * DAY)
    assert await lived.is_in(first, "reminding") == "reminded"
    assert lived.stage.mailbox.letters[-1]["Subject"] == "Entretien annuel"
    await lived.passes(17 * DAY)
    assert await lived.stage.value(first, "attempts") == 2
    await lived.passes(15 * DAY)
    assert await lived.is_in(first, "reminding") == "skipped"
    second = await lived.makes(
        "Dora", "reminder", contract=made.id, customer=house["customer"].id, due_on=service + DAY
    )
    await lived.moves("Dora", second, "remind")
    await lived.moves("Dora", second, "book")
    await lived.passes()
    assert await lived.stage.value(made, "next_service_on") == service + 365 * DAY
    await winter(lived, house, made)


async def winter(lived: Life, house: House, made: Record) -> None:
    late = await lived.makes(
        "Dora", "reminder", contract=made.id, customer=house["customer"].id, due_on=date(2026, 9, 1)
    )
    lived.stage.clock.moment = datetime(2026, 10, 5, 4, 59, tzinfo=UTC)
    await lived.passes()
    assert await lived.is_in(late, "reminding") == "pending"
    await lived.passes(MINUTE)  # a Monday, seven o'clock in Brussels
    assert await lived.is_in(late, "reminding") == "reminded"
