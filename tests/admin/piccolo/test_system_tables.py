"""The system's tables in the back office: readable, filtered in the database, without secrets, never written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from admin.piccolo.wording import LABELS, TITLES
from models import invitations, tokens
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.members import load_actor
from models.system import INBOUND, RETENTION
from models.tx import Row, Tx
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of
from tests.homes import Homes
from tests.networks import changed
from workflows import commands, publishing
from workflows.registry import REGISTERS
from workflows.stored import moment

pytestmark = pytest.mark.anyio

LIMITED = changed(
    FILES,
    leader="""
level: leader
label: {fr: Responsable, en: Leader}
functions: [consult, communicate]
entities:
  member: {read: all, fields: {email: {read: none}}}
  lead:
    read: record.city == "Lyon"
    fields: {phone: {read: none}, first_name: {read: none}}
""",
)
"""A network whose leader reads the leads of one city, without their phones and first names."""
RESTARTED = """
terms: general
label: {fr: Conditions générales, en: Terms of service}
for: [distributor]
version: 2026-11
body: {fr: "Soyez corrects.", en: "Be fair."}
"""


def address(register: str) -> str:
    return f"back-office/api/tables/{quote(TITLES[register].text)}/"


async def asked(visitor: Visitor, register: str, **query: str) -> list[dict[str, Any]]:
    answer = await visitor.http.get(f"/n/small/{address(register)}", params={"__readable": "true", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


async def actor_of(office: Office, email: str) -> Actor:
    async def work(tx: Tx) -> Actor | None:
        return await load_actor(office.tenant.published, tx, office.members[email])

    found = await office.tenant.store.read(work)
    assert found is not None
    return found


async def lived(office: Office, city: str = "Lyon") -> str:
    """Let a lead be created, called and written to; return its id."""
    camille = await actor_of(office, CAMILLE)
    given = {"first_name": "Élodie", "last_name": "Marchand", "phone": "+33639980001", "city": city}
    record = await commands.create(office.tenant, camille, "lead", {**given, "email": f"{city}@exemple.fr"})
    form = {"comment": "Rappeler", "next_call_at": "2026-03-09T10:00"}
    await commands.move(office.tenant, camille, "lead", record.id, "call", form=form)
    await office.networks.worker(office.tenant).run_due()
    return record.id


@asynccontextmanager
async def limited(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, LIMITED) as opened:
        yield opened


async def test_they_stand_in_a_group_of_their_own_in_the_language_of_the_leader(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        grouped = (await visitor.get("back-office/api/tables/grouped/")).json()
        assert grouped["ungrouped"] == []
        assert grouped["grouped"]["Records"] == ["Company", "Lead", "Member"]
        assert set(grouped["grouped"]["System"]) == {title.text for title in TITLES.values()}
    leader = office.members[LEADER]
    await commands.update(office.tenant, SYSTEM, "member", leader, None, {"language": "fr"})
    async with office.signed_in(LEADER) as visitor:
        grouped = (await visitor.get("back-office/api/tables/grouped/")).json()["grouped"]
        assert "Historique" in grouped["Système"]
        rows = (await visitor.get("back-office/api/tables/Connexions/?__readable=true")).json()["rows"]
        assert rows[0]["at"] == "2 mars 2026, 12:00"
        schema = (await visitor.get("back-office/api/tables/Connexions/schema/")).json()["properties"]
        assert schema["outcome"]["title"] == "Résultat"
        assert schema["outcome"]["extra"]["choices"]["signed_in"]["display_name"] == "Connexion réussie"
        offered = (await visitor.get("back-office/public/translations/")).json()
        assert [each["language_code"] for each in offered["translations"]] == ["fr"]


def test_every_register_has_a_title_and_every_column_a_label() -> None:
    assert TITLES.keys() == REGISTERS.keys()
    columns = {column.name for register in REGISTERS.values() for column in register.columns}
    assert columns - {"before", "after"} <= LABELS.keys()


async def test_history_tells_in_words_what_happened(office: Office) -> None:
    record = await lived(office)
    async with office.signed_in(LEADER) as visitor:
        (moved,) = await asked(visitor, "history", kind="moved")
        assert (moved["title"], moved["actor_readable"]) == ("Élodie Marchand", "Camille Roux")
        assert (moved["transition"], moved["to_state"], moved["record"]) == ("call", "contacted", record)
        assert "calls: 0 → 1" in moved["changes"].casefold()
        schema = (await visitor.get(f"{address('history')}schema/")).json()["properties"]
        assert schema["transition"]["extra"]["choices"]["call"]["display_name"] == "Called"
        assert schema["actor"]["extra"]["foreign_key"] == {"to": "Member", "target_column": "id"}


async def test_lists_are_filtered_sorted_and_cut_into_pages_in_the_database(office: Office) -> None:
    record = await lived(office)
    await lived(office, "Nice")
    async with office.signed_in(LEADER) as visitor:
        assert len(await asked(visitor, "history", record=record)) == 2
        kinds = [row["kind"] for row in await asked(visitor, "history", record=record, __order="kind")]
        assert kinds == ["created", "moved"]
        assert len(await asked(visitor, "history", __page="2", __page_size="3")) == 1
        counted = await visitor.get(f"{address('history')}count/?kind=moved")
        assert counted.json()["count"] == 2
        assert await asked(visitor, "history", at="2026-03-01", at__operator="lt") == []
        assert len(await asked(visitor, "sign_in", email="CLAIRE", email__match="contains")) == 1
        assert (await visitor.get(f"{address('history')}?before=x")).status_code == 400
        assert (await visitor.get(f"{address('mail')}?subject=Hello")).status_code == 400


async def test_every_column_that_is_offered_filters_and_sorts(office: Office) -> None:
    await full(office)
    async with office.signed_in(LEADER) as visitor:
        for register in REGISTERS:
            whole = await asked(visitor, register)
            assert whole
            schema = (await visitor.get(f"{address(register)}schema/")).json()
            for name in schema["extra"]["visible_filter_names"]:
                filled = await asked(visitor, register, **{f"{name}__operator": "not_null", "__order": f"-{name}"})
                empty = await asked(visitor, register, **{f"{name}__operator": "is_null", "__order": name})
                assert len(filled) + len(empty) == len(whole), (register, name)
                for row in filled[:1] if "format" not in str(schema["properties"].get(name)) else ():
                    assert row in await asked(visitor, register, **{name: str(row[name])}), (register, name)


async def full(office: Office) -> None:
    """Let there be something in each register."""
    await lived(office)
    tenant, now = office.tenant, office.clock.now()
    await tokens.create(tenant, office.members[LEADER], name="Import", days=3, levels=["leader"])
    await tenant.store.write(lambda tx: invitations.invite(tx, office.members[DIANE], now))
    call = ["digest", "orders", "m1", moment(now), 12, 1]
    await tenant.store.write(lambda tx: tx.run(INBOUND.insert(), call))
    due = ["r1", "lead", "gone", office.members[CAMILLE], *[moment(now)] * 4, None, "waiting", None]
    await tenant.store.write(lambda tx: tx.run(RETENTION.insert(), due))
    await publishing.publish(tenant, changed(FILES, terms=RESTARTED), office.members[LEADER], note="Terms")
    async with office.signed_in(CAMILLE) as visitor:
        await visitor.post("terms", {"accepted": "on"}, on="terms")

    async def work(tx: Tx) -> None:
        row = [
            "h1",
            "2026-03-02 12:00:00.000000+00:00",
            "lead",
            None,
            None,
            "do/0",
            "https://example.org/a",
            "{secret}",
        ]
        places = ", ".join("?" * 13)
        await tx.run(f'INSERT INTO "_hook" VALUES ({places})', [*row, "waiting", 0, None, None, None])  # noqa: S608 - places
        member = office.members[CAMILLE]
        accepted = ["a1", member, "general", "2026-11", "2026-03-02 12:00:00.000000+00:00", None, None]
        await tx.run('INSERT INTO "_acceptance" VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING', accepted)

    await tenant.store.write(work)


SECRETS = (
    'SELECT "id", "csrf" FROM "_session"',
    'SELECT "password" FROM "_credential"',
    'SELECT "hash" FROM "_token"',
    'SELECT "id" FROM "_invitation"',
    'SELECT "payload", "unique_key" FROM "_outbox"',
    'SELECT "body" FROM "_hook"',
    'SELECT "html" FROM "_mail"',
)


async def test_what_is_secret_is_nowhere(office: Office) -> None:
    await full(office)
    async with office.signed_in(LEADER) as visitor:

        async def work(tx: Tx) -> list[Row]:
            return [row for sql in SECRETS for row in await tx.rows(sql)]

        secrets = {str(value) for row in await office.tenant.store.read(work) for value in row if value}
        assert len(secrets) > len(SECRETS)
        told = ""
        for register in REGISTERS:
            for row in await asked(visitor, register):
                key = quote(str(row[REGISTERS[register].key.name]))
                detail = await visitor.get(f"{address(register)}{key}/?__readable=true")
                assert detail.status_code == 200, detail.text
                told += detail.text + str(row)
            told += str(await asked(visitor, register, __page_size="1000"))
        assert [secret for secret in secrets if secret in told] == []


async def test_long_texts_come_with_a_row_of_its_own_only(office: Office) -> None:
    await full(office)
    async with office.signed_in(LEADER) as visitor:
        (mail,) = await asked(visitor, "mail")
        assert (mail["subject"], mail["text"]) == ("Bonjour Élodie", "")
        alone = (await visitor.get(f"{address('mail')}{mail['id']}/?__readable=true")).json()
        assert "à bientôt" in alone["text"]
        latest = (await asked(visitor, "definition"))[0]
        assert (latest["number"], latest["author"], latest["note"]) == (2, "Claire Alba", "Terms")
        alone = (await visitor.get(f"{address('definition')}2/")).json()
        assert "lead.yaml" in alone["files"].split("\n")
        assert "entity:" not in alone["files"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_they_are_never_written(office: Office, method: str) -> None:
    async with office.signed_in(LEADER) as visitor:
        await visitor.get("back-office/")
        headers = {"x-csrftoken": visitor.http.cookies["csrftoken"]}
        key = (await asked(visitor, "sign_in"))[0]["id"]
        for register in REGISTERS:
            for path in (address(register), f"{address(register)}{key}/", f"{address(register)}new/"):
                answer = await visitor.http.request(method, f"/n/small/{path}", json={"state": "done"}, headers=headers)
                assert answer.status_code == 405, path
        assert (await visitor.get(f"{address('history')}new/")).status_code == 405


async def test_who_does_not_administer_finds_none_of_them(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        for register in REGISTERS:
            assert (await visitor.get(address(register))).status_code == 404


async def test_what_the_leader_may_not_read_is_not_in_them(homes: Homes, clock: SetClock) -> None:
    async with limited(homes, clock) as office:
        seen, unseen = await lived(office), await lived(office, "Nice")
        async with office.signed_in(LEADER) as visitor:
            for register in ("history", "run", "step", "mail"):
                rows = await asked(visitor, register)
                assert rows, register
                assert {row["record"] for row in rows} == {seen}, register
                counted = (await visitor.get(f"{address(register)}count/")).json()["count"]
                assert counted == len(rows)
                assert await asked(visitor, register, record=unseen) == []
            told = str(await asked(visitor, "history"))
            assert "+33639980001" not in told
            assert "Élodie" not in told
            assert "Phone: …" in told
            (mail,) = await asked(visitor, "mail")
            alone = (await visitor.get(f"{address('mail')}{mail['id']}/")).json()
            assert (mail["subject"], alone["text"]) == ("", "")
            assert [row["email"] for row in await asked(visitor, "sign_in")] == [""]
            assert await asked(visitor, "sign_in", email="claire", email__match="contains") == []


async def test_rows_of_an_unreadable_record_are_not_found_by_their_keys(homes: Homes, clock: SetClock) -> None:
    async with limited(homes, clock) as office:
        unseen = await lived(office, "Nice")
        keys = await office.tenant.store.read(
            lambda tx: tx.rows('SELECT "id" FROM "_history" WHERE "record" = ?', [unseen])
        )
        async with office.signed_in(LEADER) as visitor:
            assert keys
            for row in keys:
                assert (await visitor.get(f"{address('history')}{row[0]}/")).status_code == 404


async def test_the_past_of_a_deleted_record_is_for_who_may_read_all_of_its_kind(office: Office) -> None:
    record = await lived(office)
    await commands.delete(office.tenant, SYSTEM, "lead", record, None)
    async with office.signed_in(LEADER) as visitor:
        rows = await asked(visitor, "history", record=record)
        assert {row["kind"] for row in rows} == {"created", "moved", "deleted"}
        assert {row["title"] for row in rows} == {""}


async def test_the_past_of_a_deleted_record_is_not_for_who_reads_some_of_its_kind(
    homes: Homes, clock: SetClock
) -> None:
    async with limited(homes, clock) as office:
        record = await lived(office)
        await commands.delete(office.tenant, SYSTEM, "lead", record, None)
        async with office.signed_in(LEADER) as visitor:
            assert await asked(visitor, "history", record=record) == []


async def test_an_export_is_under_labels(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        (row,) = await asked(visitor, "sign_in", __page_size="1000")
        assert (row["Outcome"], row["Member"]) == ("Signed in", "Claire Alba")


async def test_who_may_not_export_looks_at_pages(homes: Homes, clock: SetClock) -> None:
    async with limited(homes, clock) as office, office.signed_in(LEADER) as visitor:
        assert (await visitor.get(f"{address('sign_in')}?__page_size=1000")).status_code == 403
        assert len(await asked(visitor, "sign_in")) == 1


async def test_what_happened_in_a_hidden_process_is_not_there(homes: Homes, clock: SetClock) -> None:
    shown = "first_name: {read: none}"
    files = changed(LIMITED, leader=LIMITED["leader.yaml"].replace(shown, f"{shown}, recruiting: {{read: none}}"))
    async with office_of(homes, clock, files) as office:
        record = await lived(office)
        async with office.signed_in(LEADER) as visitor:
            rows = await asked(visitor, "history", record=record)
            assert [row["kind"] for row in rows] == ["created"]
            assert "Recruiting: …" in rows[0]["changes"]
