"""Why a step is refused, on the record, on the refusal's page and in the API: each part of its guard, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, FILES, LEADER, Office, office_of
from tests.admin.screens.leads import lead, text_of
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio

SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"
GUARD = " && ".join(
    (
        "has(record.email)",
        "record.calls > 2",
        'record.source == "site"',
        "record.income_goal > 10",
        "record.owner == actor",
    )
)
GUARDED = edited(
    FILES,
    (SIGN, SIGN.replace("contacted", "new").replace("Sign up}", f"Sign up}}, guard: '{GUARD}'")),
    ("income_goal: {read: mine, write: none}", "income_goal: {read: none, write: none}"),
)
ENGLISH = [
    ("Email is filled in", True, []),
    ("Calls is more than 2", False, [{"text": "Calls", "value": "1"}]),
    ("Source is Web site", False, [{"text": "Source", "value": "Direct"}]),
    ("A condition about what you may not see", None, []),
    ("who follows it is you yourself", True, []),
]


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, GUARDED) as found:
        yield found


async def test_a_program_is_told_each_part_with_the_offer_and_with_the_refusal(office: Office) -> None:
    zoe = await lead(office, CAMILLE, "Zoé", calls=1, source="direct", email="zoe@exemple.fr")
    async with program(office, CAMILLE) as camille:
        offers = (await camille.get(f"/entities/lead/{zoe.id}/transitions")).json()["items"]
        refusal = await camille.post(f"/entities/lead/{zoe.id}/transitions/recruiting/sign", json={})
        french = await camille.post(
            f"/entities/lead/{zoe.id}/transitions/recruiting/sign", json={}, headers={"accept-language": "fr"}
        )
    offered = {offer["transition"]: offer["conditions"] for offer in offers}
    told = [{"text": text, "holds": holds, "values": values} for text, holds, values in ENGLISH]
    assert offered["sign"] == told
    assert offered["lose"] == []
    assert (refusal.status_code, refusal.json()["conditions"]) == (403, told)
    assert [each["text"] for each in french.json()["conditions"]] == [
        "Email est rempli",
        "Calls est supérieur à 2",
        "Source est Site",
        "Une condition sur ce que vous ne pouvez pas voir",
        "la personne en charge est vous-même",
    ]


async def test_the_record_the_menu_and_the_refusal_tell_it_to_people(office: Office) -> None:
    zoe = await lead(office, CAMILLE, "Zoé", calls=1, source="direct", email="zoe@exemple.fr")
    said = [
        "Met · Email is filled in",
        "Not met · Calls is more than 2 Calls · 1",
        "Not met · Source is Web site Source · Direct",
        "Not told · A condition about what you may not see",
        "Met · who follows it is you yourself",
    ]
    async with office.signed_in(CAMILLE) as camille:
        at = f"e/lead/{zoe.id}"
        pages = [
            await camille.get(at),
            await camille.get(f"{at}/menu", hx_request="true"),
            await camille.get(f"{at}/move/recruiting/sign"),
            await camille.post(f"{at}/move/recruiting/sign", {"version": "1"}, on=at),
        ]
        assert [page.status_code for page in pages] == [200, 200, 403, 403]
        for page in pages:
            assert " ".join(said) in text_of(page.text)
    async with office.signed_in(LEADER) as leader:
        asked = f"reasons?member={office.members[CAMILLE]}&entity=lead&record={zoe.id}&ask=move:recruiting.sign"
        assert "Not told · A condition" in text_of((await leader.get(asked)).text)
