"""What pages remember between requests is nobody's own: who came before changes nothing of what one sees."""

from __future__ import annotations

from itertools import count

import pytest

from admin.kept import Kept
from models.clock import SetClock
from tests.admin.office import ALICE, CAMILLE, FILES, LEADER, NETWORK, PEOPLE, Office, office_of, token
from tests.admin.screens.leads import actor, fetch, lead, text_of
from tests.homes import Homes
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.anyio

VISITS = ((LEADER, "en"), (CAMILLE, "fr"), (CAMILLE, "en"), (ALICE, "en"))
TOWN = "city: {type: text, personal: contact, label: {fr: Ville, en: Town}}"
PAGES = ("", "e/lead/", "e/lead/?f.country=FR&f.source=site&sort=city", "e/lead/board/recruiting", "e/company/")


async def furnish(office: Office) -> str:
    """Give Camille leads and return the id of the last one."""
    company = await commands.create(office.tenant, await actor(office, LEADER), "company", {"name": "Alba"})
    await lead(office, CAMILLE, "Karim", phone="06 12 34 56 78", source="site")
    made = await lead(office, CAMILLE, "Inès", company=company.id, source="direct", newsletter=True)
    return made.id


async def seen(office: Office, email: str, language: str, record: str, turn: int = 1) -> dict[str, str]:
    """Return the pages that a member sees, without what is each session's; `turn` -1: opened from the last."""
    async with office.signed_in(email) as visitor:
        first, last, _, _ = PEOPLE[email]
        form = {"language": language, "first_name": first, "last_name": last}
        await visitor.post("account", form, on="account")
        await visitor.get("tasks")  # the note about the account stands on the next page
        pages = {path: (await visitor.get(path)).text for path in (*PAGES, f"e/lead/{record}")[::turn]}
        pages["part"] = (await fetch(visitor, "e/lead/?q=karim")).text
        own = token((await visitor.get()).text)
    return {path: page.replace(own, "…") for path, page in pages.items()}


async def test_a_page_is_the_same_whoever_came_before(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock) as office:
        record = await furnish(office)
        among_others = [await seen(office, *visit, record) for visit in (*VISITS, *VISITS)]
        for number, visit in enumerate(VISITS):
            async with office.networks.apart(NETWORK):
                """Opened anew, the network remembers nothing."""
            alone = await seen(office, *visit, record, turn=-1)
            assert among_others[number] == alone
            assert among_others[number + len(VISITS)] == alone
    assert "Nouveau" in among_others[1]["e/lead/"]
    assert "New" in among_others[2]["e/lead/"]


async def test_what_is_remembered_ends_with_its_version(office: Office) -> None:
    await furnish(office)
    async with office.signed_in(CAMILLE) as visitor:
        assert "City" in text_of((await visitor.get("e/lead/")).text)
        await office.tenant.publish(edited(FILES, ("city:         {type: text, personal: contact}", TOWN)))
        words = text_of((await visitor.get("e/lead/")).text)
    assert "Town" in words
    assert "City" not in words


def test_something_is_made_once() -> None:
    kept, made = Kept(), count()
    assert [kept.once(key, lambda: next(made)) for key in ("a", ("a", "b"), "a", ("a", "b"))] == [0, 1, 0, 1]
