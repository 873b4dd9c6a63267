"""Text messages and files on the page of messages: what they cost, and what keeps them waiting."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, Office, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

TEXTS = changed(
    FILES,
    texts="""
automation: text_lead
label: {fr: SMS, en: Text}
when: {created: lead}
do:
  - sms: {template: hello, to: =record.phone}
---
template: hello
channel: sms
about: lead
body: {fr: "Bonjour {{ record.first_name }} <b>", en: "Hello {{ record.first_name }} <b>"}
""",
)


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """An office that writes to the telephones of new leads."""
    async with office_of(homes, clock, TEXTS) as made:
        yield made


async def test_a_text_message_says_what_it_costs_and_why_it_waits(office: Office) -> None:
    owner = office.members[CAMILLE]
    values = {"first_name": "Zoê", "last_name": "Roy", "owner": owner, "phone": "+33639980001", "country": "FR"}
    await commands.create(office.tenant, SYSTEM, "lead", values)
    await Worker(office.tenant).run_due()
    async with office.signed_in(CAMILLE) as camille:
        listed = (await camille.get("outbox")).text
        assert "Bonjour Zoê &lt;b&gt;" in listed
        assert "Text message" in listed
        link = re.search(r'href="/n/small/(outbox/[^"]+)"[^>]*>Bonjour', listed)
        assert link is not None
        page = (await camille.get(link[1])).text
        assert "MAILLE_SMS_URL" in page
        assert "SMTP_URL" not in page
        assert "15 (UCS-2) · 1 part" in page
        assert "+33639980001" in page
        cancelled = await camille.post(f"{link[1]}/cancel", on=link[1])
        assert cancelled.status_code == 303
        assert "Cancelled" in (await camille.get(link[1])).text
