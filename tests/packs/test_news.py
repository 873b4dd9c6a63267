"""The leader's news of the pack `suivi`: who sees which, and when."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from babel import Locale

from definitions.pack import PACKS, load, read_folder
from models.actor import SYSTEM
from models.clock import SetClock
from models.members import load_actor
from models.query import Query
from models.records import Records
from models.tenant import Tenant, create_tenant, uuid7
from models.tx import Tx
from tests.admin.office import CAMILLE, LEADER, Office, office_of
from tests.conftest import NOON
from tests.homes import Homes
from workflows import commands

pytestmark = pytest.mark.anyio

NEWS: dict[str, dict[str, Any]] = {
    "everybody": {},
    "belgium": {"countries": ["be"]},
    "assistants": {"levels": ["assistant"]},
    "tomorrow": {"shown_from": NOON + timedelta(days=1)},
    "today": {"shown_until": NOON + timedelta(hours=6)},
}


async def seen(tenant: Tenant, member: str) -> set[str]:
    async def work(tx: Tx) -> set[str]:
        actor = await load_actor(tenant.published, tx, member)
        assert actor is not None
        records = Records(tenant.published, tx, actor, tenant.context(), new_id=tenant.new_id)
        return {str(each.values["title"]) for each in (await records.list("news", Query(limit=50))).records}

    return await tenant.store.read(work)


async def test_news_are_read_by_the_countries_and_levels_they_are_for_between_their_days(homes: Homes) -> None:
    clock = SetClock(NOON)
    files = read_folder(PACKS / "suivi")
    tenant = await create_tenant(homes("alba"), "alba", files=files, clock=clock, new_id=uuid7)
    try:
        people = {}
        for level, country in (("distributor", "FR"), ("distributor", "BE"), ("assistant", "FR"), ("leader", "FR")):
            values = {"first_name": "A", "last_name": "B", "email": f"{level}.{country}@alba.example"}
            made = await commands.create(
                tenant, SYSTEM, "member", {**values, "levels": [level], "country": country, "language": "fr"}
            )
            people[level, country] = made.id
        for title, values in NEWS.items():
            await commands.create(tenant, SYSTEM, "news", {"title": title, "body": "…", **values})
        assert await seen(tenant, people["distributor", "FR"]) == {"everybody", "today"}
        assert await seen(tenant, people["distributor", "BE"]) == {"everybody", "today", "belgium"}
        assert await seen(tenant, people["assistant", "FR"]) == {"everybody", "today", "assistants"}
        assert await seen(tenant, people["leader", "FR"]) == set(NEWS)
        clock.forward(timedelta(days=1))
        assert await seen(tenant, people["distributor", "FR"]) == {"everybody", "tomorrow"}
    finally:
        await tenant.close()


TILE = re.compile(r"<h2[^>]*>(?:News of the network|Actualités du réseau)</h2>(.*?)</section>", re.DOTALL)
WITHOUT_TERMS = {path: text for path, text in read_folder(PACKS / "suivi").items() if path != "terms.yaml"}


@pytest.fixture
async def alba(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The pack behind its doors; nobody has to accept anything first."""
    async with office_of(homes, clock, WITHOUT_TERMS) as opened:
        yield opened


async def tile(office: Office, email: str) -> str:
    """Return the tile of the news on a member's home, empty without one."""
    async with office.signed_in(email) as visitor:
        found = TILE.search((await visitor.get()).text)
    return found[1] if found else ""


async def told(office: Office, **values: Any) -> None:
    await commands.create(office.tenant, SYSTEM, "news", values)


async def test_news_on_the_home_come_and_go_with_the_clock(alba: Office) -> None:
    assert await tile(alba, CAMILLE) == "", "no empty tile"
    await told(alba, title="Fair", body="…", shown_from=NOON + timedelta(days=2), shown_until=NOON + timedelta(days=4))
    steps = {}
    for day in range(6):
        steps[day] = "Fair" in await tile(alba, CAMILLE)
        alba.clock.forward(timedelta(days=1))
    assert steps == {0: False, 1: False, 2: True, 3: True, 4: False, 5: False}


async def test_news_on_the_home_have_their_day_their_emphasis_and_their_first_paragraph(alba: Office) -> None:
    await told(alba, title="Old", body="Come **early**.\n\nAnd stay.", shown_until=NOON + timedelta(days=9))
    alba.clock.forward(timedelta(minutes=1))
    await told(alba, title="New", body="<script>alert(1)</script>", shown_from=NOON + timedelta(days=1))
    alba.clock.forward(timedelta(days=2))
    new, old = re.split("</li>", await tile(alba, CAMILLE))[:2]
    assert '<span class="due num">Mon 2</span>' in old, "the day on which it was written"
    assert '<span class="due num">Tue 3</span>' in new, "the day from which it is shown"
    assert "Come <strong>early</strong>. …" in old
    assert "stay" not in old
    assert "<script>" not in new


@pytest.mark.parametrize(("country", "email", "seen"), [("BE", CAMILLE, True), ("FR", CAMILLE, False)])
async def test_news_of_a_country_are_told_in_the_language_of_who_lives_there(
    alba: Office, country: str, email: str, seen: bool
) -> None:
    await told(alba, title="Livraisons", body="Midi.", countries=["be"])
    member = alba.members[email]
    await commands.update(alba.tenant, SYSTEM, "member", member, None, {"country": country, "language": "fr"})
    assert ("Livraisons" in await tile(alba, email)) is seen
    assert "Belgium" in await tile(alba, LEADER), "who sends them sees whom they are for"


def test_what_news_can_be_for_is_in_step_with_the_levels_and_the_countries() -> None:
    network = load(read_folder(PACKS / "suivi")).network
    assert network is not None
    assert network.demo is not None
    fields = network.entities["news"].fields
    assert set(fields["levels"].options) == set(network.levels) - {"leader", "public"}
    countries = fields["countries"].options
    assert set(countries) == {str(member.values["country"]).lower() for member in network.demo.members.values()}
    for language in network.languages:
        names = Locale(language).territories
        assert {name: option.label.pick(language) for name, option in countries.items()} == {
            name: names[name.upper()] for name in countries
        }


def test_the_demo_has_news_now_for_one_country_later_and_over() -> None:
    network = load(read_folder(PACKS / "suivi")).network
    assert network is not None
    assert network.demo is not None
    each = network.demo.records["news"].each
    titles = [way.values["title"].source for way in each]
    assert len(set(titles)) == network.demo.records["news"].count == len(each)
    assert {name for way in each for name in way.values} >= {"countries", "levels", "shown_from", "shown_until"}
