from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models import tokens
from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.api.program import bare
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, office_of
from tests.admin.screens.leads import text_of, value
from tests.homes import Homes
from tests.networks import SMALL as FILES
from tests.networks import changed
from workflows import commands, hooks, token_notices
from workflows.letters import Wording

pytestmark = pytest.mark.anyio


async def test_a_token_is_made_on_a_page_shown_once_and_revoked(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        assert 'href="/n/small/account/tokens"' in (await camille.get("account")).text
        assert "No token yet." in text_of((await camille.get("account/tokens")).text)
        page = await camille.post("account/tokens", {"name": "Import", "days": "30"}, on="account/tokens")
        secret = value(page.text, "secret")
        assert page.headers["cache-control"] == "no-store"
        async with bare(office, {"authorization": f"Bearer {secret}"}) as client:
            assert (await client.get("/me")).json()["name"] == "Camille Roux"
            shown = await camille.get("account/tokens")
            assert secret not in shown.text
            assert "Import Valid until" in text_of(shown.text)
            (token,) = await tokens.of_member(office.tenant, office.members[CAMILLE])
            async with office.signed_in(DIANE) as diane:
                foreign = await diane.post("account/tokens/revoke", {"token": token.id}, on="account/tokens")
                assert foreign.status_code == 404
            gone = await camille.post("account/tokens/revoke", {"token": token.id}, on="account/tokens")
            assert gone.status_code == 303
            assert (await client.get("/me")).status_code == 401


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "days": "30"}, "This is needed."),
        ({"name": "x", "days": "9999"}, "A token is valid for 1 to 365 days."),
        ({"name": "x", "days": "٣"}, "A token is valid for 1 to 365 days."),
    ],
)
async def test_what_is_wrong_stands_in_the_form(office: Office, form: dict[str, str], said: str) -> None:
    async with office.signed_in(CAMILLE) as camille:
        page = await camille.post("account/tokens", form, on="account/tokens")
        assert page.status_code == 422
        assert said in text_of(page.text)
        assert await tokens.of_member(office.tenant, office.members[CAMILLE]) == []


async def test_who_has_several_levels_may_narrow_a_token(office: Office) -> None:
    member = office.members[CAMILLE]
    both = {"levels": ["distributor", "assistant"]}
    await commands.update(office.tenant, SYSTEM, "member", member, None, both)
    async with office.signed_in(CAMILLE) as camille:
        page = await camille.get("account/tokens")
        assert re.findall(r'name="levels" value="(\w+)" checked', page.text) == ["distributor", "assistant"]
        form = {"name": "x", "days": "30", "levels": "assistant"}
        await camille.post("account/tokens", form, on="account/tokens")
        (token,) = await tokens.of_member(office.tenant, member)
        assert token.levels == ("assistant",)
        form["levels"] = "leader"
        assert (await camille.post("account/tokens", form, on="account/tokens")).status_code == 422


async def test_a_token_that_only_reads_leads_asks_and_changes_nothing(office: Office) -> None:
    async with office.signed_in(LEADER) as claire:
        form = {"name": "x", "days": "30", "reads_only": "true", "entities": "lead"}
        page = await claire.post("account/tokens", form, on="account/tokens")
        assert "It only reads" in text_of(page.text)
    async with bare(office, {"authorization": f"Bearer {value(page.text, 'secret')}"}) as client:
        assert (await client.get("/entities/lead")).status_code == 200
        assert (await client.get("/entities/company")).status_code == 404
        described = (await client.get("/openapi.json")).json()
        assert {method for path in described["paths"].values() for method in path} == {"get"}
        for path, body in (("/entities/lead", {"first_name": "Zoé"}), ("/tasks", {"title": "x"}), ("/settings", {})):
            refused = await (client.patch if path == "/settings" else client.post)(path, json=body)
            assert (refused.status_code, refused.json()["detail"]) == (403, "This token may only read.")


async def test_who_administers_sees_everybody_s_tokens_and_ends_any(office: Office) -> None:
    made = await tokens.create(office.tenant, office.members[CAMILLE], name="Import")
    async with office.signed_in(DIANE) as diane:
        assert (await diane.get("tokens")).status_code == 404
        assert (await diane.post("tokens/revoke", {"token": made.token.id}, on="account")).status_code == 404
    async with office.signed_in(LEADER) as claire:
        assert 'href="/n/small/tokens"' in (await claire.get("account/tokens")).text
        assert "Import · Camille Roux" in text_of((await claire.get("tokens")).text)
        assert (await claire.post("tokens/revoke", {"token": made.token.id}, on="tokens")).status_code == 303
        assert (await claire.post("tokens/revoke", {"token": made.token.id}, on="tokens")).status_code == 404
        assert "No token yet." in text_of((await claire.get("tokens")).text)


@pytest.mark.parametrize(("days", "told"), [(90, 83), (10, 9), (3, None)])
async def test_the_member_is_told_before_a_token_ends(
    office: Office, clock: SetClock, days: int, told: int | None
) -> None:
    notice = token_notices.told(office.tenant, Wording("It ends soon", "Make another one.", "Kept", "en"))
    member = office.members[CAMILLE]
    made = await tokens.create(office.tenant, member, name="Import", days=days, also=notice)
    gone = await tokens.create(office.tenant, member, name="Other", days=days, also=notice)
    await tokens.revoke(office.tenant, member, gone.token.id)
    worker = office.networks.worker(office.tenant)

    async def mails() -> list[tuple[str, str]]:
        rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "recipient", "subject" FROM "_mail"'))
        return [(row[0], row[1]) for row in rows]

    clock.forward(timedelta(days=(told or days) - 1, hours=23))
    await worker.run_due()
    assert await mails() == []
    clock.forward(timedelta(hours=2))
    await worker.run_due()
    assert await mails() == ([] if told is None else [(CAMILLE, "It ends soon")])
    assert made.token.name == "Import"


async def test_a_page_asks_for_the_mail_in_words(office: Office, clock: SetClock) -> None:
    async with office.signed_in(CAMILLE) as camille:
        await camille.post("account/tokens", {"name": "Import", "days": "30"}, on="account/tokens")
    clock.forward(timedelta(days=23))
    await office.networks.worker(office.tenant).run_due()
    rows = await office.tenant.store.read(lambda tx: tx.rows('SELECT "subject", "text" FROM "_mail"'))
    ((subject, said),) = [row for row in rows if "Import" in row[1]]
    assert subject == "A token for Small network ends soon"
    assert "My account" in said


async def test_the_api_is_a_page_of_what_one_s_levels_see(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        page = await camille.get("api")
        words = text_of(page.text)
        assert "PATCH /entities/lead/{id}" in words
        assert "DELETE /entities/company/{id}" not in words
        assert "DELETE /entities/company/{id}" in text_of((await claire.get("api")).text)
        assert 'href="/n/small/api/hooks"' not in page.text
        described = await camille.http.get("/n/small/api/v1/openapi.json")
        assert described.json()["openapi"] == "3.1.0"
    async with office.visitor() as visitor:
        assert (await visitor.get("api")).headers["location"].startswith("/n/small/sign-in")


HOOKS = changed(
    FILES,
    hook="automation: tell\nwhen: {created: lead}\ndo: [{webhook: {url: 'http://127.0.0.1/'}}]\n",
)


async def test_who_runs_the_network_sees_the_calls_and_their_secret(homes: Homes, clock: SetClock) -> None:
    async with office_of(homes, clock, HOOKS) as office:
        async with office.signed_in(CAMILLE) as camille:
            assert (await camille.get("api/hooks")).status_code == 404
            assert (await camille.post("api/hooks/secret", on="account")).status_code == 404
        async with office.signed_in(LEADER) as claire:
            assert "No call yet." in text_of((await claire.get("api/hooks")).text)
            lead = {"first_name": "Zoé", "last_name": "Roy", "owner": office.members[CAMILLE]}
            await commands.create(office.tenant, SYSTEM, "lead", lead)
            await office.networks.worker(office.tenant).run_due()
            page = await claire.get("api/hooks")
            assert "private network" in text_of(page.text)
            secret = value(page.text, "secret")
            again = re.findall(r'action="(/n/small/api/hooks/[^"/]+/retry)"', page.text)
            assert (await claire.post(again[0], on="api/hooks")).status_code == 303
            assert "Waiting" in text_of((await claire.get("api/hooks")).text)
            assert (await claire.post("api/hooks/secret", on="api/hooks")).status_code == 303
            assert value((await claire.get("api/hooks")).text, "secret") != secret
            elsewhere = """UPDATE "_setting" SET "value" = '"sealed:elsewhere"' WHERE "name" = ?"""
            await office.tenant.store.write(lambda tx: tx.run(elsewhere, [hooks.SECRET]))
            closed = text_of((await claire.get("api/hooks")).text)
            assert "has not the key that opens it" in closed
            assert "Draw another secret" in closed


async def test_the_page_of_the_api_says_where_it_is_with_the_host(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        page = (await camille.get("api")).text
    assert "http://testserver/n/small/api/v1/me</code>" in page
