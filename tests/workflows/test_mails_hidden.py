"""Who reads of a mail what: a hidden reference, a leader that hides something, data that is closed to the leader."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM
from models.connections import stored_datetime
from tests.billing import BILLING
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage
from workflows import commands, mails

pytestmark = pytest.mark.anyio

LEADER = """
level: leader
entities:
  member: {read: all}
  lead: {read: record.country == "FR", create: true, fields: {first_name: {read: none}}}
"""


async def test_a_hidden_reference_fails_no_page_of_mails(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SMALL, ("fields: {phone: {read: none", "fields: {company: {read: none")))
    lea, noe = await stage.person("Lea", "distributor"), await stage.person("Noe", "assistant")
    company = await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    lead = await stage.lead(lea, company=company.id)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    [mail] = (await mails.mails(stage.tenant, noe)).mails
    assert (mail.recipient, bool(mail.text)) == ("paul@exemple.fr", True)


async def test_a_leader_that_hides_something_reads_no_mail_that_tells_it(make_stage: MakeStage) -> None:
    stage = await make_stage(changed(SMALL, leader=LEADER))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    seen, foreign = await stage.lead(lea), await stage.lead(lea, country="BE", email="b@exemple.fr")
    for lead in (seen, foreign):
        await stage.call(lea, lead)
    await stage.worker.run_due()
    page = await mails.mails(stage.tenant, rita)
    [mail] = page.mails
    assert (mail.record, mail.subject, mail.text, mail.html) == (seen.id, "", "", "")
    assert page.counts == {"waiting": 1}
    await commands.delete(stage.tenant, SYSTEM, "lead", seen.id, None)
    assert (await mails.mails(stage.tenant, rita)).mails == ()


async def test_mails_about_what_is_closed_to_the_leader_are_not_there(make_stage: MakeStage) -> None:
    stage = await make_stage(SMALL)
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    assert len((await mails.mails(stage.tenant, rita)).mails) == 1
    closed = (lea.id, stored_datetime(stage.clock.now()))
    await stage.tenant.store.write(lambda tx: tx.run('INSERT INTO "_closed" ("member", "since") VALUES (?, ?)', closed))
    page = await mails.mails(stage.tenant, rita)
    assert (page.mails, page.counts) == ((), {})


@pytest.mark.parametrize(("text", "told"), [("{{ actor.first_name }}", True), ("{{ actor.email }}", False)])
async def test_what_a_mail_says_of_who_caused_it_is_for_those_who_may_read_that(
    make_stage: MakeStage, text: str, *, told: bool
) -> None:
    files = edited(
        SMALL, ('  fr: "Bonjour **{{ record.first_name }}**', f'  fr: "{text} **{{{{ record.first_name }}}}**')
    )
    stage = await make_stage(files)
    lea, noe = await stage.person("Lea", "distributor"), await stage.person("Noe", "assistant")
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    [mail] = (await mails.mails(stage.tenant, noe)).mails
    assert bool(mail.text) == told
    [own] = (await mails.mails(stage.tenant, lea)).mails
    assert own.text


BILL = """
template: bill
channel: email
about: invoice
subject: {fr: Facture, en: Invoice}
body:
  fr: "TEXT"
  en: "TEXT"
---
automation: billing
when: {moved: sending.send}
do: [{email: {template: bill, to: =record.owner}}]
"""


@pytest.mark.parametrize(
    "text", ["{% for l in record.lines %}{{ l.text }}; {% endfor %}", "{{ record.lines | length }} lines"]
)
async def test_a_mail_that_tells_of_lines_is_for_those_who_see_all_of_them(make_stage: MakeStage, text: str) -> None:
    stage = await make_stage({**BILLING, "mails.yaml": BILL.replace("TEXT", text)})
    seller, clerk = await stage.person("Seller", "seller"), await stage.person("Clerk", "clerk")
    invoices = []
    for price in ("2.50", "600"):
        lines = [{"text": "Savon", "price": "1"}, {"text": "Or", "price": price}]
        given = {"customer": price, "lines": lines, "owner": seller.id}
        made = await commands.create(stage.tenant, SYSTEM, "invoice", given)
        invoices.append(made.id)
        await commands.move(stage.tenant, seller, "invoice", made.id, "send")
    await stage.worker.run_due()
    told = {bool(mail.text) for mail in (await mails.mails(stage.tenant, seller)).mails}
    assert told == {True}
    shown = {mail.record: bool(mail.text) for mail in (await mails.mails(stage.tenant, clerk)).mails}
    assert [shown[each] for each in invoices] == [True, False]


CONTACT = """
entity: contact
label: {fr: Contact, en: Contact}
fields:
  name: {type: text, required: true}
  email: {type: email}
---
level: distributor
label: {fr: Distributeur, en: Distributor}
functions: [consult, communicate]
entities:
  contact: {read: all, create: true}
  company: {read: all}
  member: {read: downline, update: mine}
  lead: {read: mine, create: true, update: mine, delete: mine}
---
level: assistant
label: {fr: Assistante, en: Assistant}
functions: [consult]
entities:
  contact: RIGHT
  lead: {read: all}
---
level: leader
entities: {contact: RIGHT, lead: {read: all, create: true}, member: {read: all}}
"""
THROUGH = (
    (
        "  hot:          {type: boolean",
        "  contact: {type: reference, to: contact, on_delete: clear}\n  hot: {type: boolean",
    ),
    ("if: has(record.email)", "if: has(record.contact)"),
    ("to: =record.email, from: owner", "to: =record.contact.email, from: owner"),
)


@pytest.mark.parametrize(
    ("right", "seen"),
    [("{read: none}", False), ("{read: all, fields: {email: {read: none}}}", False), ("{read: all}", True)],
)
async def test_an_address_behind_a_reference_is_shown_to_who_may_read_it_there(
    make_stage: MakeStage, right: str, *, seen: bool
) -> None:
    stage = await make_stage(changed(edited(SMALL, *THROUGH), levels=CONTACT.replace("RIGHT", right)))
    lea, rita = await stage.person("Lea", "distributor"), await stage.person("Rita", "leader")
    noe = await stage.person("Noe", "assistant")
    contact = await commands.create(stage.tenant, lea, "contact", {"name": "Zoe", "email": "zoe@exemple.fr"})
    await stage.call(lea, await stage.lead(lea, contact=contact.id))
    await stage.worker.run_due()
    for reader in (rita, noe):
        [mail] = (await mails.mails(stage.tenant, reader)).mails
        assert (mail.recipient == "zoe@exemple.fr") is seen
    [own] = (await mails.mails(stage.tenant, lea)).mails
    assert own.recipient == "zoe@exemple.fr"
