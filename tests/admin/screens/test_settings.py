"""Settings: who administers the network changes them, each in its own way, and nobody's change is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.duration import Duration
from models.clock import SetClock
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import text_of, value
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

EVERY_TYPE = edited(
    FILES,
    (
        "  support: {type: email",
        """  most: {type: integer, value: 5, label: {fr: Au plus, en: At most}}
  price: {type: money, value: 9.90, label: {fr: Prix, en: Price}}
  open: {type: boolean, value: true, label: {fr: Ouvert, en: Open}}
  since: {type: date, label: {fr: Depuis, en: Since}}
  home: {type: country, label: {fr: Pays, en: Home}}
  tone: {type: choice, value: warm, label: {fr: Ton, en: Tone}, options: {warm: Warm, cool: Cool}}
  support: {type: email""",
    ),
)
AS_IT_IS = {
    "lead_retention": "36 months", "support": "aide@exemple.fr", "most": "5", "price": "9.90", "open": "true",
    "since": "", "home": "", "tone": "warm",
}  # fmt: skip


async def held(office: Office) -> dict[str, object]:
    return await office.tenant.store.read(office.tenant.settings)


async def test_the_leader_changes_a_setting_and_goes_back_to_the_definitions_value(office: Office) -> None:
    async with office.signed_in(LEADER) as claire:
        assert 'href="/n/small/settings"' in (await claire.get()).text
        page = await claire.get("settings")
        assert value(page.text, "lead_retention") == "3"
        assert text_of(page.text).count("as the definitions have it") == 1, "once, not below each value"
        assert "Changed" not in text_of(page.text)
        form = {"lead_retention": "90 d", "support": "aide@exemple.fr"}
        assert (await claire.post("settings", form, on="settings")).status_code == 303
        assert await held(office) == {
            "lead_retention": Duration(exact=timedelta(days=90)),
            "support": "aide@exemple.fr",
        }
        office.clock.forward(timedelta(minutes=10))
        words = text_of((await claire.get("settings")).text)
        assert "Changed 10 minutes ago by Claire Alba. At first: 3 years" in words
        assert (await claire.post("settings/reset", {"name": "lead_retention"}, on="settings")).status_code == 303
        assert (await held(office))["lead_retention"] == Duration(months=36)
        assert "Changed" not in text_of((await claire.get("settings")).text)


async def test_who_does_not_administer_the_network_finds_no_settings(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        assert 'href="/n/small/settings"' not in (await camille.get()).text
        assert (await camille.get("settings")).status_code == 404
        assert (await camille.post("settings", {"support": "x@exemple.fr"}, on="account")).status_code == 404
        assert (await camille.post("settings/reset", {"name": "support"}, on="account")).status_code == 404
    assert (await held(office))["support"] == "aide@exemple.fr"


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("most", "12", 12),
        ("price", "1 234,50", "1234.50"),
        ("open", "", False),
        ("since", "2026-03-02", "2026-03-02"),
        ("home", "BE", "BE"),
        ("tone", "cool", "cool"),
        ("support", "help@exemple.fr", "help@exemple.fr"),
    ],
)
async def test_each_type_is_kept_as_what_it_is(
    homes: Homes, clock: SetClock, name: str, typed: str, kept: object
) -> None:
    async with office_of(homes, clock, EVERY_TYPE) as office, office.signed_in(LEADER) as claire:
        answer = await claire.post("settings", {**AS_IT_IS, name: typed}, on="settings")
        assert answer.status_code == 303, text_of(answer.text)
        found = await held(office)
        assert found[name] == kept or str(found[name]) == kept
        untouched = {each: found[each] for each in found if each != name}
        assert (await office.tenant.store.read(lambda tx: tx.rows('SELECT "name" FROM "_setting"'))) == [(name,)]
        assert len(untouched) == len(AS_IT_IS) - 1


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("most", "many", "Write a whole number."),
        ("price", "dear", "Write an amount"),
        ("home", "DE", "The network is not open in this country"),
        ("home", "XX", "This is not a country."),
        ("tone", "loud", "This is not one of the options."),
        ("support", "nobody", "This is not an e-mail address."),
        ("support", "", "This is needed."),
        ("lead_retention", "for ever", "This is not a duration"),
    ],
)
async def test_what_is_wrong_stands_in_the_form_and_nothing_is_kept(
    homes: Homes, clock: SetClock, name: str, typed: str, said: str
) -> None:
    async with office_of(homes, clock, EVERY_TYPE) as office, office.signed_in(LEADER) as claire:
        before = await held(office)
        answer = await claire.post("settings", {**AS_IT_IS, "most": "7", name: typed}, on="settings")
        assert answer.status_code == 422
        assert said in text_of(answer.text)
        assert await held(office) == before


async def test_a_change_over_somebody_elses_is_refused_and_shows_what_holds_now(office: Office) -> None:
    async with office.signed_in(LEADER) as claire, office.signed_in(LEADER) as other:
        await claire.post("settings", {"lead_retention": "36 months", "support": "one@exemple.fr"}, on="settings")
        stale = {"lead_retention": "36 months", "support": "two@exemple.fr", "stamp.support": ""}
        answer = await other.post("settings", stale, on="settings")
        assert answer.status_code == 409
        assert "Somebody changed this meanwhile: Support." in text_of(answer.text)
        assert value(answer.text, "support") == "one@exemple.fr"
        assert (await held(office))["support"] == "one@exemple.fr"
        fresh = {**stale, "stamp.support": value(answer.text, "stamp.support")}
        assert (await other.post("settings", fresh, on="settings")).status_code == 303
        assert (await held(office))["support"] == "two@exemple.fr"


async def test_a_value_of_another_type_than_the_setting_has_now_is_forgotten(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, EVERY_TYPE) as office, office.signed_in(LEADER) as claire:
        await claire.post("settings", {**AS_IT_IS, "tone": "cool", "support": "x@exemple.fr"}, on="settings")
        files = edited(
            EVERY_TYPE,
            ("support: {type: email, value: aide@exemple.fr", "support: {type: duration, value: 3d"),
            ("cool: Cool", "icy: Icy"),
        )
        await office.tenant.publish(files)
        found = await held(office)
        assert (found["support"], found["tone"]) == (Duration(exact=timedelta(days=3)), "warm")
        assert (await claire.get("settings")).status_code == 200
