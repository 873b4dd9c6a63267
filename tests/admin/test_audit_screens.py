"""Whoever sees, exports or changes personal data of others, through whichever door, stands in the audit."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from admin.piccolo.wording import TITLES
from models.actor import SYSTEM
from models.members import load_actor
from models.tokens import create
from models.tries import PAIR_LIMIT
from models.tx import Tx
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, Visitor, office_of
from tests.admin.screens.leads import text_of
from tests.homes import Homes
from tests.models.test_audit_chain import VAULT
from workflows import commands, settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def office(homes: Homes, clock: Any) -> AsyncIterator[Office]:
    """A server over the small network."""
    async with office_of(homes, clock) as opened:
        yield opened


async def lead(office: Office, owner: str = CAMILLE, **values: Any) -> str:
    given = {"first_name": "Zoé", "last_name": "Blanc", "email": "zoe@exemple.fr", "owner": office.members[owner]}
    return (await commands.create(office.tenant, SYSTEM, "lead", {**given, **values})).id


async def rows(office: Office, *kinds: str) -> list[dict[str, Any]]:
    """Return what the audit keeps of these kinds, once what waits is written."""
    await office.tenant.readings.flush()
    names = (
        "kind",
        "member",
        "through",
        "entry",
        "ip",
        "entity",
        "record",
        "records",
        "total",
        "fields",
        "owners",
        "detail",
    )

    async def work(tx: Tx) -> list[dict[str, Any]]:
        found = await tx.rows(f'SELECT {", ".join(names)} FROM "_audit" ORDER BY "at", "id"')  # noqa: S608 - of ours
        return [dict(zip(names, row, strict=True)) for row in found]

    return [row for row in await office.tenant.store.read(work) if row["kind"] in kinds]


READS = ("read", "listed", "searched", "exported")


async def test_a_record_that_a_leader_opens_is_one_row_with_who_what_and_from_where(office: Office) -> None:
    opened = await lead(office)
    async with office.signed_in(LEADER) as claire:
        assert (await claire.get(f"e/lead/{opened}")).status_code == 200
    found = [row for row in await rows(office, "read") if row["entity"] == "lead"]
    assert len(found) == 1
    row = found[0]
    assert (row["member"], row["record"], row["ip"]) == (office.members[LEADER], opened, "203.0.113.7")
    assert row["entry"].startswith("session:")
    assert json.loads(row["fields"]) == ["first_name", "last_name", "email"]
    assert json.loads(row["owners"]) == [office.members[CAMILLE]]


async def test_what_is_ones_own_is_not_noted_and_what_nobody_may_read_neither(office: Office) -> None:
    own, foreign = await lead(office), await lead(office, DIANE)
    async with office.signed_in(CAMILLE) as camille:
        await camille.get(f"e/lead/{own}")
        await camille.get("e/lead/")
    async with office.signed_in(DIANE) as diane:
        assert (await diane.get(f"e/lead/{own}")).status_code == 404
        await diane.get("e/lead/")
        await diane.get(f"e/lead/{foreign}")
    assert [row for row in await rows(office, *READS) if row["entity"] == "lead" and row["record"] == own] == []


async def test_what_a_list_was_filtered_by_is_told_in_the_readers_words(office: Office) -> None:
    await lead(office, email="zoe@exemple.fr")
    async with office.signed_in(LEADER) as claire:
        await claire.get("e/lead/?f.recruiting=new&f.recruiting=contacted&q=blanc")
        page = (await claire.get("audit")).text
    assert "&#34;blanc&#34; · Recruiting: New, Contacted" in page
    assert "equals" not in page


async def test_a_list_is_one_row_and_a_search_says_what_was_searched(office: Office) -> None:
    ids = {await lead(office, email=f"zoe{number}@exemple.fr") for number in range(3)}
    async with office.signed_in(LEADER) as claire:
        await claire.get("e/lead/")
        await claire.get("e/lead/?q=blanc")
    listed = [row for row in await rows(office, "listed") if row["entity"] == "lead"]
    assert [set(json.loads(row["records"])) for row in listed] == [ids]
    assert [row["detail"] for row in await rows(office, "searched") if row["entity"] == "lead"] == ['"blanc"']


async def test_the_title_of_a_record_that_a_page_refers_to_is_a_reading(office: Office) -> None:
    about, own = await lead(office), await lead(office, LEADER, email="own@exemple.fr")
    for each in (about, own):
        member = office.members[LEADER]
        await commands.add_task(office.tenant, SYSTEM, title="Call", about=("lead", each), member=member)
    async with office.signed_in(LEADER) as claire:
        assert "Blanc" in (await claire.get("tasks")).text
    [row] = [row for row in await rows(office, "listed") if row["entity"] == "lead"]
    assert (json.loads(row["records"]), json.loads(row["owners"])) == ([about], [office.members[CAMILLE]])
    assert json.loads(row["fields"]) == ["first_name", "last_name"]


@pytest.mark.parametrize("page", ["outbox", "outbox/{mail}"])
async def test_whose_mails_are_looked_at_is_noted(office: Office, page: str) -> None:
    about = await lead(office, phone="0639980001")
    form = {"next_call_at": "2026-03-05T10:00"}
    await commands.move(office.tenant, SYSTEM, "lead", about, "call", form=form)
    await office.networks.worker(office.tenant).run_due()
    [(mail,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_mail"'))
    async with office.signed_in(LEADER) as claire, office.signed_in(CAMILLE) as camille:
        for visitor in (claire, camille):
            assert (await visitor.get(page.format(mail=mail))).status_code == 200
        [row] = await rows(office, "letters")
        assert (row["member"], row["entity"], row["record"]) == (office.members[LEADER], "lead", about)
        assert json.loads(row["owners"]) == [office.members[CAMILLE]]
        assert "Claire Alba · Looked at e-mails" in text_of((await camille.get("account/seen")).text)


@pytest.mark.parametrize("name", ["sign_in", "session", "token"])
async def test_who_looks_at_what_is_kept_of_members_is_noted(office: Office, name: str) -> None:
    await create(office.tenant, office.members[CAMILLE], name="program", days=5)
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as claire:
        answer = await claire.get(f"back-office/api/tables/{TITLES[name].text}/")
        assert answer.status_code == 200, answer.text
        [row] = await rows(office, "register")
        assert (row["detail"], json.loads(row["owners"])) == (name, [office.members[CAMILLE]])
        assert "Looked at what is kept of sign-ins" in text_of((await camille.get("account/seen")).text)


async def test_the_api_and_the_back_office_are_doors_like_the_others(office: Office) -> None:
    opened = await lead(office)
    made = await create(office.tenant, office.members[LEADER], name="program", days=5)
    async with office.visitor() as program:
        bearer = f"Bearer {made.secret}"
        assert (await program.get(f"api/v1/entities/lead/{opened}", authorization=bearer)).status_code == 200
        assert (await program.get("api/v1/entities/lead", authorization=bearer)).status_code == 200
    by_token = await rows(office, "read", "listed")
    assert {(row["kind"], row["entry"]) for row in by_token} >= {
        ("read", f"token:{made.token.id}"),
        ("listed", f"token:{made.token.id}"),
    }
    async with office.signed_in(LEADER) as claire:
        assert (await claire.get(f"back-office/api/tables/Lead/{opened}/")).status_code == 200
        assert (await claire.get("back-office/api/tables/Lead/")).status_code == 200
    by_session = [row for row in await rows(office, "read", "listed") if str(row["entry"]).startswith("session:")]
    assert {row["kind"] for row in by_session} == {"read", "listed"}


async def test_an_export_is_in_the_audit_before_it_leaves_and_names_its_records(office: Office) -> None:
    opened = await lead(office)
    async with office.signed_in(LEADER) as claire:
        answer = await claire.get("e/lead/export?format=csv&list=q%3Dblanc")
        assert answer.status_code == 200, answer.text
    assert [(row["entity"], row["detail"]) for row in await rows(office, "export")] == [("lead", '"blanc"')]
    assert [json.loads(row["records"]) for row in await rows(office, "exported")] == [[opened]]


async def test_a_change_is_in_the_audit_with_its_history(office: Office) -> None:
    opened = await lead(office)
    async with office.signed_in(CAMILLE) as camille:
        await camille.post(f"e/lead/{opened}/notes", {"text": "Appelée"}, on=f"e/lead/{opened}")
    [note] = await rows(office, "note")
    assert (note["record"], note["member"]) == (opened, office.members[CAMILLE])
    proven = (
        'SELECT count(*), count(a."proof") FROM "_history" h LEFT JOIN "_audit" a ON a."id" = h."id" '
        'AND a."kind" = h."kind" AND a."record" = h."record"'
    )
    kept = await office.tenant.store.read(lambda tx: tx.row(proven))
    assert kept is not None
    assert kept[0] == kept[1] > 1


async def test_a_setting_and_a_sign_in_are_in_the_audit(office: Office) -> None:
    async with office.signed_in(LEADER):
        pass
    tenant = office.tenant
    leader = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, office.members[LEADER]))
    assert leader is not None
    await settings.change(tenant, leader, {"support": "autre@exemple.fr"})
    assert [row["member"] for row in await rows(office, "signed_in")] == [office.members[LEADER]]
    assert "support: aide@exemple.fr → autre@exemple.fr" in [row["detail"] for row in await rows(office, "setting")]


async def test_sign_outs_and_failed_sign_ins_are_in_the_audit_without_what_unknown_people_said(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.visitor("198.51.100.4") as thief:
        assert (await camille.post("sign-out", on="account")).status_code == 303
        await thief.sign_in(CAMILLE, "not her password")
        await thief.sign_in("quelquun@ailleurs.fr", "not a password")
    [left] = await rows(office, "signed_out")
    assert (left["member"], left["ip"]) == (office.members[CAMILLE], "203.0.113.7")
    assert str(left["entry"]).startswith("session:")
    told = {(row["member"], row["record"], row["ip"], row["detail"]) for row in await rows(office, "sign_in_failed")}
    assert told == {(None, who, "198.51.100.4", None) for who in (office.members[CAMILLE], None)}
    kept = await office.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "_audit"'))
    assert "quelquun@ailleurs.fr" not in str(kept)
    async with office.signed_in(LEADER) as claire:
        assert "Somebody · Sign-in failed" in await listed(claire, "audit?kind=sign_in_failed")


async def test_a_flood_of_failed_sign_ins_is_in_the_audit_as_far_as_the_limits_let_it_through(office: Office) -> None:
    async with office.visitor() as thief:
        for _ in range(PAIR_LIMIT + 3):
            await thief.sign_in(DIANE, "not her password")
    assert len(await rows(office, "sign_in_failed")) == PAIR_LIMIT


async def test_members_see_who_looked_at_their_data_and_nothing_of_others(office: Office) -> None:
    await lead(office)
    async with office.signed_in(DIANE) as diane:
        assert "Nobody so far" in (await diane.get("account/seen")).text
    async with office.signed_in(LEADER) as claire:
        await claire.get("e/lead/")
    async with office.signed_in(CAMILLE) as camille:
        page = (await camille.get("account/seen")).text
        assert "Claire Alba · Saw in a list" in page
        assert "Lead · 1 record" in page
        assert "E-mail" in page
    async with office.signed_in(DIANE) as diane:
        assert "Lead ·" not in (await diane.get("account/seen")).text.partition('<ul class="rows audit">')[2]


async def test_who_runs_the_network_looks_through_all_of_it_and_nobody_else_does(office: Office) -> None:
    opened = await lead(office)
    async with office.signed_in(LEADER) as claire:
        await claire.get(f"e/lead/{opened}")
        about = await listed(claire, f"audit?record={opened}")
        assert "Looked at a record" in about
        assert "Created" in about
        assert "Signed in" not in about
        assert "Looked at a record" not in await listed(claire, "audit?kind=signed_in")
        assert "No row of the audit is like this." in (await claire.get("audit?until=2000-01-01")).text
        file = await claire.get(f"audit/export?record={opened}")
        assert "Zoé Blanc" in file.text
        assert f"audit?record={opened}" in (await claire.get(f"e/lead/{opened}")).text
    async with office.signed_in(CAMILLE) as camille:
        for path in ("audit", "audit/export"):
            assert (await camille.get(path)).status_code == 404


async def test_the_filters_of_the_audit_offer_people_by_name_and_tell_which_record_a_link_is_about(
    office: Office,
) -> None:
    opened, other = await lead(office), await lead(office, email="autre@exemple.fr")
    async with office.signed_in(LEADER) as claire:
        link = re.search(
            r'href="([^"]*/audit\?[^"]*)"', (await claire.get(f"e/lead/{opened}")).text.replace("&amp;", "&")
        )
        assert link is not None
        await claire.get(f"e/lead/{other}")
        page = (await claire.get(link[1])).text
        assert "Only what concerns Zoé Blanc." in page
        assert f'<input type="hidden" name="record" value="{opened}">' in page
        assert f'<option value="{office.members[DIANE]}">Diane Petit</option>' in page
        assert 'data-picker="/n/small/e/member/options"' in page
        chosen = (await claire.get(f"audit?member={office.members[LEADER]}")).text
        assert f'<option value="{office.members[LEADER]}" selected>Claire Alba</option>' in chosen
        assert "Looked at a record" in await listed(claire, f"audit?member={office.members[LEADER]}&kind=read")
        assert await listed(claire, f"audit?member={office.members[DIANE]}&kind=read") == ""
        unknown = (await claire.get(f"audit?record={opened}&entity=nothing&member=nobody")).text
        assert "Only what concerns one record." in unknown
    assert [row for row in await rows(office, "listed", "read") if row["entity"] == "member"] == []


async def listed(visitor: Visitor, path: str) -> str:
    return (await visitor.get(path)).text.partition('<ul class="rows audit">')[2].partition("</ul>")[0]


async def test_what_was_read_is_sealed_with_the_rest(office: Office) -> None:
    opened = await lead(office)
    async with office.signed_in(LEADER) as claire:
        await claire.get(f"e/lead/{opened}")
    await office.tenant.readings.flush()
    worker = office.networks.worker(office.tenant)
    await worker.run_due()
    left = await office.tenant.store.read(lambda tx: tx.row('SELECT count(*) FROM "_audit" WHERE "seq" IS NULL'))
    assert left == (0,)
    assert office.tenant.vault is not VAULT
