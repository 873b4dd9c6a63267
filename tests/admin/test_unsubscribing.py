"""E-mails that can be ended: by a link without an account, with one click, for members and addresses alike."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.letterbox import Letterbox, text_of
from tests.admin.office import CAMILLE, FILES, Office, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows import commands
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

WRITES = changed(
    FILES,
    writes="""
automation: news
label: {fr: Nouvelles, en: News}
when: {created: lead}
do:
  - email: {template: news, to: [=record.email, =record.owner], cc: copy@exemple.fr}
  - email: {template: receipt, to: =record.email}
---
template: news
channel: email
about: lead
subject: {fr: Nouvelles, en: News}
body: {fr: "Plus de messages : {{ links.unsubscribe }}", en: "No more: {{ links.unsubscribe }}"}
---
template: receipt
channel: email
about: lead
subject: {fr: Reçu, en: Receipt}
body: {fr: Bien reçu., en: Received.}
""",
)
URL = "https://reseau.example/n/small"
ONE_CLICK = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """An office that writes to each new lead and its owner."""
    async with office_of(homes, clock, WRITES) as made:
        yield made


async def written(office: Office, email: str = "paul@exemple.fr", *, sent: bool = True) -> list[EmailMessage]:
    """Let a lead come and return the letters that leave."""
    owner = office.members[CAMILLE]
    values = {"first_name": "Paul", "last_name": "Roy", "email": email, "owner": owner, "country": "FR"}
    made = await commands.create(office.tenant, SYSTEM, "lead", values)
    box = Letterbox()
    await Worker(office.tenant, box if sent else None, url=URL).run_due()
    await commands.delete(office.tenant, SYSTEM, "lead", made.id, None)
    return box.letters


def told(letters: list[EmailMessage]) -> list[tuple[str, str, str]]:
    """Return subject, reader and copies of letters."""
    return sorted((str(each["Subject"]), str(each["To"]), str(each["Cc"] or "")) for each in letters)


def link(letters: list[EmailMessage], reader: str) -> str:
    """Return the page on which a reader ends them, as the letter and its header name it."""
    (letter,) = (each for each in letters if each["To"] == reader and each["Subject"] in ("Nouvelles", "News"))
    found = re.search(rf"{URL}/(unsubscribe/\S+)", text_of(letter))
    assert found is not None
    assert letter["List-Unsubscribe"] == f"<{found[0]}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return found[1]


async def test_only_mails_that_show_the_link_can_be_ended(office: Office) -> None:
    letters = await written(office)
    assert told(letters) == [
        ("News", CAMILLE, ""),
        ("Nouvelles", "paul@exemple.fr", "copy@exemple.fr"),
        ("Reçu", "paul@exemple.fr", ""),
    ]
    (receipt,) = (each for each in letters if each["Subject"] == "Reçu")
    assert receipt["List-Unsubscribe"] is None


@pytest.mark.parametrize("reader", ["paul@exemple.fr", CAMILLE])
async def test_one_click_ends_them_and_nothing_else(office: Office, reader: str) -> None:
    page = link(await written(office), reader)
    async with office.visitor() as stranger:
        looked = await stranger.get(page)
        assert looked.status_code == 200
        assert "No more e-mails" in looked.text
        assert len(await written(office, "Paul@exemple.fr")) == 3
        clicked = await stranger.http.post(f"/n/small/{page}", content="List-Unsubscribe=One-Click", headers=ONE_CLICK)
        assert (clicked.status_code, clicked.text) == (200, "")
        again = await stranger.http.post(f"/n/small/{page}", content="List-Unsubscribe=One-Click", headers=ONE_CLICK)
        assert again.status_code == 200
    after = told(await written(office, "Paul@exemple.fr"))
    assert ("Reçu", "Paul@exemple.fr", "") in after
    assert len(after) == 2
    assert reader.lower() not in [to.lower() for subject, to, _ in after if subject != "Reçu"]


async def test_who_gets_a_copy_ends_them_too(office: Office) -> None:
    await written(office)
    async with office.visitor() as stranger:
        page = link(await written(office, "copy@exemple.fr"), "copy@exemple.fr")
        await stranger.http.post(f"/n/small/{page}")
    assert ("Nouvelles", "paul@exemple.fr", "") in told(await written(office))


async def test_what_waits_does_not_leave_any_more_and_all_begins_again(office: Office) -> None:
    page = link(await written(office), "paul@exemple.fr")
    await written(office, sent=False)
    async with office.visitor() as stranger:
        assert "Send them to me again" in (await stranger.http.post(f"/n/small/{page}")).text
        box = Letterbox()
        await Worker(office.tenant, box, url=URL).run_due()
        assert told(box.letters) == [("News", CAMILLE, ""), ("Reçu", "paul@exemple.fr", "")]
        await stranger.http.post(f"/n/small/{page}", data={"again": "true"})
        assert "No more e-mails" in (await stranger.get(page)).text
    assert len(await written(office)) == 3


async def test_a_link_that_is_not_ours_ends_nothing(office: Office) -> None:
    page = link(await written(office), "paul@exemple.fr")
    named, _, mark = page.rpartition(".")
    other = link(await written(office), CAMILLE).rpartition(".")[0]
    wrong = [
        f"{named}.{mark[:-1]}",
        named,
        f"{other}.{mark}",
        "unsubscribe/x.y",
        f"unsubscribe/.{mark}",
        "unsubscribe/é",
    ]
    async with office.visitor() as stranger:
        for each in wrong:
            assert (await stranger.get(each)).status_code == 404
            assert (await stranger.http.post(f"/n/small/{each}")).status_code == 404
        long = await stranger.http.post(f"/n/small/{page}", content=b"x" * 20_000)
        assert long.status_code == 404
    assert len(await written(office)) == 3


async def test_over_plain_http_there_is_a_page_and_no_click(office: Office) -> None:
    values = {"first_name": "Paul", "last_name": "Roy", "email": "paul@exemple.fr", "owner": office.members[CAMILLE]}
    await commands.create(office.tenant, SYSTEM, "lead", {**values, "country": "FR"})
    box = Letterbox()
    await Worker(office.tenant, box).run_due()
    assert [each["List-Unsubscribe"] for each in box.letters] == [None] * 3
