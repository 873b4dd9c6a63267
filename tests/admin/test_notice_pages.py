"""Notifications in the product: the bell, the page, what is read, and the address that tells their number."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

TELLS = changed(
    FILES,
    tells="""
automation: tell_owner
label: {fr: Prévenir, en: Tell}
when: {created: lead}
do:
  - notify: {template: new_lead, to: =record.owner}
---
template: new_lead
channel: notification
about: lead
subject: {fr: "Nouveau {{ record.first_name }}", en: "New {{ record.first_name }}"}
body: {fr: "**Appelez** <b>{{ record.city }}</b>", en: "**Call** <b>{{ record.city }}</b>"}
""",
)


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """An office in which Camille is told of new leads."""
    async with office_of(homes, clock, TELLS) as made:
        yield made


async def lead(office: Office, name: str, **more: Any) -> str:
    values = {"first_name": name, "last_name": "Roy", "owner": office.members[CAMILLE], "city": "Lyon", **more}
    made = await commands.create(office.tenant, SYSTEM, "lead", values)
    await Worker(office.tenant).run_due()
    return made.id


def bell(page: str) -> tuple[str, str]:
    """Return the address of the bell's number, and the number that the page shows."""
    link = re.search(r'<a href="/n/small/notices"[^>]*data-unread="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    assert link is not None
    shown = re.search(r'class="n num">(\d+)<', link[2])
    return link[1], shown[1] if shown else "0"


async def test_the_bell_counts_what_is_new_and_the_page_shows_it(office: Office) -> None:
    await lead(office, "Paul")
    second = await lead(office, "Zoé <i>")
    async with office.signed_in(CAMILLE) as camille:
        page = (await camille.get("notices")).text
        address, shown = bell(page)
        assert shown == (await camille.http.get(address)).text == "2"
        assert "New Zoé &lt;i&gt;" in page
        assert "<strong>Call</strong> &lt;b&gt;Lyon&lt;/b&gt;" in page
        assert page.index("New Zoé") < page.index("New Paul")
        notice = re.findall(r"/n/small/notices/([^/]+)/read", page)[0]
        opened = await camille.post(f"notices/{notice}/read", {"open": "true"}, on="notices")
        assert opened.headers["location"] == f"/n/small/e/lead/{second}"
        only = (await camille.get("notices?only=unread")).text
        assert "New Paul" in only
        assert "New Zoé" not in only
        await camille.post("notices/read", on="notices")
        assert bell((await camille.get("notices")).text)[1] == (await camille.http.get(address)).text == "0"


async def test_nobody_reads_or_marks_what_others_are_told(office: Office) -> None:
    await lead(office, "Paul")
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        page = (await camille.get("notices")).text
        notice = re.findall(r"/n/small/notices/([^/]+)/read", page)[0]
        assert "New Paul" not in (await diane.get("notices")).text
        assert (await diane.post(f"notices/{notice}/read", on="notices")).status_code == 404
        await diane.post("notices/read", on="notices")
        assert bell((await camille.get("notices")).text)[1] == "1"


async def test_the_number_is_told_at_its_own_address_alone_and_keeps_no_session_alive(office: Office) -> None:
    await lead(office, "Paul")
    async with office.signed_in(CAMILLE) as camille, office.visitor() as stranger:
        address = bell((await camille.get("notices")).text)[0]
        assert (await stranger.http.get(address)).text == "1"
        other = address.replace(office.members[CAMILLE], office.members[DIANE])
        assert [(await stranger.http.get(each)).status_code for each in (other, f"{address}x")] == [404, 404]
        before = await office.tenant.store.read(lambda tx: tx.rows('SELECT "seen_at" FROM "_session"'))
        for _ in range(3):
            office.clock.forward(timedelta(minutes=10))
            await camille.http.get(address)
        assert await office.tenant.store.read(lambda tx: tx.rows('SELECT "seen_at" FROM "_session"')) == before


async def test_open_tasks_are_counted_at_an_address_of_their_own(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor() as stranger:
        link = re.search(r'<a href="/n/small/tasks"[^>]*data-unread="([^"]+)"', (await camille.get("account")).text)
        assert link is not None
        assert (await stranger.http.get(link[1])).text == "0"
        await camille.post("tasks", {"title": "Call"}, on="tasks")
        assert (await stranger.http.get(link[1])).text == "1"
        assert 'class="n num">1<' in (await camille.get("account")).text
        page = (await camille.get("notices")).text
        assert bell(page)[0] != link[1]
        assert (await stranger.http.get(bell(page)[0])).text == "0"


async def test_copies_by_mail_are_the_members_own_choice(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        await camille.post("notices/by-mail", {"by_mail": "true"}, on="notices")
        assert "No more copies by e-mail" in (await camille.get("notices")).text
        await lead(office, "Paul")
        await camille.post("notices/by-mail", {"by_mail": "false"}, on="notices")
        await lead(office, "Zoé")
    mails = await office.tenant.store.read(lambda tx: tx.rows('SELECT "recipient", "subject" FROM "_mail"'))
    assert [tuple(row) for row in mails] == [(CAMILLE, "New Paul")]


async def test_in_somebody_elses_office_there_are_no_notifications(office: Office) -> None:
    await lead(office, "Paul")
    async with office.signed_in(LEADER) as leader:
        entered = await leader.post(f"members/{office.members[CAMILLE]}/office", on="members")
        assert entered.status_code == 303
        assert (await leader.get("notices")).status_code == 403
        assert "data-unread" not in (await leader.get("tasks")).text
