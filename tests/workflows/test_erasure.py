"""What goes along with a record that is erased, what keeps it, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models import chain, uploads
from models.actor import SYSTEM, Actor
from models.contents import Contents, Limits
from models.errors import NotFoundError
from models.secrets import Vault
from models.system import ACCEPTANCE, SYSTEM_TABLES
from tests.billing import FOR_OFFICE
from tests.networks import SMALL, edited
from tests.workflows.conftest import RNG, MakeStage, Stage
from workflows import auditing, commands, erasure, inlets, retention
from workflows.mail import SmtpTransport
from workflows.timeline import timeline
from workflows.unit import write
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
SOON = "retention: {after: 100d, since: last_activity_at, warn: 14d, then: erase}"
PACK = edited(SMALL, (KEPT, SOON))
MORE = """
entity: visit
title: "{{ record.place }}"
fields:
  place: {type: text, required: true}
  lead:  {type: reference, to: lead, on_delete: RULE}
"""
READ = "  company: {read: all, create: true,"
LEVELS = (READ, f"  visit: {{read: all, create: true}}\n{READ}")
VAULT = Vault(lambda: (b"a secret of this installation",))


async def opened(make_stage: MakeStage, files: dict[str, str]) -> tuple[Stage, Actor]:
    stage = await make_stage(files)
    stage.tenant.vault = VAULT
    stage.people["rita"] = await stage.person("Rita", "leader")
    return stage, await stage.person("Lea", "distributor")


def visiting(rule: str) -> dict[str, str]:
    return {**edited(PACK, LEVELS), "visit.yaml": MORE.replace("RULE", rule)}


async def later(stage: Stage, days: float) -> None:
    stage.clock.forward(timedelta(days=days))
    await stage.worker.run_due()


async def left(stage: Stage, entity: str) -> list[Any]:
    return [row[0] for row in await stage.tenant.store.read(lambda tx: tx.rows(f'SELECT "id" FROM "{entity}"'))]  # noqa: S608 - the tests' own


def told(stage: Stage, to: str) -> list[str]:
    found = zip(stage.mailbox.letters, stage.mailbox.recipients, strict=True)
    return [str(letter["Subject"]) for letter, people in found if people == [to] and "effac" in str(letter["Subject"])]


@pytest.mark.parametrize(("rule", "visits"), [("delete", 0), ("clear", 1)])
async def test_what_refers_to_it_goes_along_or_loses_it(make_stage: MakeStage, rule: str, visits: int) -> None:
    stage, lea = await opened(make_stage, visiting(rule))
    lead = await stage.lead(lea)
    await commands.create(stage.tenant, lea, "visit", {"place": "Zanzibar", "lead": lead.id})
    await later(stage, 90)
    await later(stage, 20)
    assert await left(stage, "lead") == []
    assert len(await left(stage, "visit")) == visits
    kept = await stage.rows("_history", "entity", where="\"entity\" = 'visit'")
    assert len(kept) == visits
    assert len(await stage.rows("_audit", "id", where="\"kind\" = 'erased'")) == 2 - visits


async def test_what_others_need_stays_is_told_once_and_hinders_nothing_else(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, visiting("restrict"))
    held, free = await stage.lead(lea), await stage.lead(lea, email="b@exemple.fr")
    visit = await commands.create(stage.tenant, lea, "visit", {"place": "Lyon", "lead": held.id})
    await later(stage, 90)
    await later(stage, 20)
    assert await left(stage, "lead") == [held.id]
    [(state, reason)] = await stage.rows("_retention", "state", "reason")
    assert (state, "visit" in reason) == ("reported", True)
    await later(stage, 1)
    assert len(told(stage, "rita@exemple.fr")) == 1
    await commands.delete(stage.tenant, SYSTEM, "visit", visit.id, None)
    await later(stage, 1)
    assert await left(stage, "lead") == []
    assert free.id not in await left(stage, "lead")


async def test_a_member_hears_of_all_of_its_records_in_one_message_a_day(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    for number in range(25):
        await stage.lead(lea, first_name=f"Paul{number}", email=f"{number}@exemple.fr")
    stage.clock.forward(timedelta(days=90))
    for _ in range(4):
        await later(stage, 0.1)
    [subject] = told(stage, "lea@exemple.fr")
    assert "25 fiches" in subject
    body = stage.mailbox.letters[-1].get_body(("plain",))
    assert body is not None
    assert "et 5 de plus" in body.get_content()
    assert len(await stage.rows("_notice", "id")) == 1


async def test_what_nobody_who_works_here_owns_is_told_to_who_runs_the_network(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea)
    await commands.update(stage.tenant, SYSTEM, "member", str(lea.id), None, {"active": False})
    await later(stage, 90)
    assert (len(told(stage, "rita@exemple.fr")), told(stage, "lea@exemple.fr")) == (1, [])


async def test_after_a_long_time_out_of_work_the_warning_comes_first(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea)
    await later(stage, 500)
    assert len(told(stage, "lea@exemple.fr")) == 1
    await later(stage, 13)
    assert len(await left(stage, "lead")) == 1
    await later(stage, 2)
    assert await left(stage, "lead") == []


async def test_two_workers_announce_and_erase_once(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    for number in range(30):
        await stage.lead(lea, email=f"{number}@exemple.fr")
    second = Worker(stage.tenant, SmtpTransport(stage.mailbox.url), rng=RNG, name="second")  # tells as well
    for days in (90, 20):
        stage.clock.forward(timedelta(days=days))
        await asyncio.gather(stage.worker.run_due(), second.run_due())
    await stage.worker.run_due()
    assert await left(stage, "lead") == []
    assert len(told(stage, "lea@exemple.fr")) == 1
    assert len(await stage.rows("_audit", "id", where="\"kind\" = 'erased'")) == 30


async def test_a_file_goes_with_the_next_hour_and_not_the_same_file_of_another(
    make_stage: MakeStage, tmp_path: Path
) -> None:
    field = "  calls:        {type: integer, default: 0}\n"
    stage, lea = await opened(make_stage, edited(PACK, (field, f"{field}  photo: {{type: file}}\n")))
    stage.tenant.contents = Contents(tmp_path / "files")

    async def brought(text: bytes) -> str:
        async def source() -> AsyncIterator[bytes]:
            yield text

        return (await uploads.take(stage.tenant, lea, source(), "a.txt", Limits())).id

    own, shared = await brought(b"hers alone"), await brought(b"of both")
    first, second = await stage.lead(lea, photo=own), await stage.lead(lea, email="c@exemple.fr", photo=shared)
    other = await stage.lead(lea, email="d@exemple.fr", photo=await brought(b"of both"))
    stage.clock.forward(timedelta(days=2))
    for lead in (first, second):
        await write(stage.tenant, SYSTEM, lambda unit, lead=lead: erasure.erase(unit, "lead", lead.id, {}))  # type: ignore[misc] # the round's lead
    await stage.worker.run_due()
    await later(stage, 0.1)
    assert (await stage.get(other)).full["photo"]["name"] == "a.txt"
    assert await stage.tenant.store.read(lambda tx: tx.rows('SELECT "size" FROM "_file"')) == [(7,)]
    assert len(list(stage.tenant.contents.shas())) == 1


async def test_of_a_member_nothing_is_left_and_what_it_accepted_is_proven(make_stage: MakeStage) -> None:
    member = """
entity: member
fields: {nickname: {type: text, personal: identity}}
retention: {after: 100d, since: last_activity_at, unless: record.active, warn: 14d}
"""
    stage, lea = await opened(make_stage, {**PACK, "member.yaml": member})
    zoe = await stage.person("Zozo", "distributor", nickname="Zouzou")
    accepted = ["a1", str(zoe.id), "general", "1", "2026-03-02 11:00:00.000000+00:00", "192.0.2.9", None]
    await stage.tenant.store.write(lambda tx: tx.run(ACCEPTANCE.insert(), accepted))
    await commands.update(stage.tenant, SYSTEM, "member", str(zoe.id), None, {"active": False})
    await later(stage, 90)
    assert len(told(stage, "zozo@exemple.fr")) == 1
    await later(stage, 20)
    assert zoe.id not in await left(stage, "member")
    assert lea.id in await left(stage, "member")
    assert await stage.rows("_acceptance", "member", "ip") == [(zoe.id, None)]
    for table in (*SYSTEM_TABLES, "member"):
        rows = await stage.tenant.store.read(lambda tx, table=table: tx.rows(f'SELECT * FROM "{table}"'))  # type: ignore[misc] # noqa: S608 - the round's table
        assert not [row for row in rows if any(text in str(row) for text in ("Zozo", "zozo", "Zouzou"))], table


async def test_erasing_a_line_is_followed_by_what_it_is_a_line_of(make_stage: MakeStage) -> None:
    stage, _ = await opened(make_stage, FOR_OFFICE)
    lines = [{"text": "Zinc", "price": "10", "code": "a"}, {"text": "Savon", "price": "5", "code": "b"}]
    invoice = await commands.create(stage.tenant, SYSTEM, "invoice", {"customer": "Alba", "lines": lines})
    rows = await stage.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "line" WHERE "text" = \'Zinc\''))
    await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, "line", rows[0][0], {"why": "test"}))
    found = await stage.get(invoice)
    assert (found.full["total"], found.version) == (5, invoice.version + 1)
    story = await timeline(stage.tenant, stage.people["rita"], "invoice", invoice.id)
    assert [event.kind for event in story if event.kind in ("created", "updated")] == ["updated", "created"]
    await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, "invoice", invoice.id, {"why": "test"}))
    assert await left(stage, "line") == []
    with pytest.raises(NotFoundError):
        await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, "invoice", invoice.id, {"why": "test"}))
    await auditing.seal(stage.tenant)
    assert (await chain.verify(stage.tenant.store, VAULT)).broken is None


EVERYWHERE = """
automation: heard
when: {webhook: site}
do:
  - create: {entity: lead, values: {first_name: =string(payload.name), last_name: Roy, email: =string(payload.to)}}
---
automation: rounds
when: {created: company}
do:
  - for_each: {in: {entity: lead}, as: lead}
    do: [{email: {template: rounds, to: =lead.email}}]
---
automation: tell
when: {created: lead}
do:
  - notify: {to: {level: leader}, template: news}
  - webhook: {url: "https://crm.exemple.fr/in", body: {name: =record.first_name}}
---
template: rounds
channel: email
about: company
subject: {fr: "Pour vous", en: "For you"}
body: {fr: "Savons", en: "Soaps"}
---
template: news
channel: notification
about: lead
subject: {fr: "{{ record.first_name }}", en: "{{ record.first_name }}"}
body: {fr: "{{ record.email }}", en: "{{ record.email }}"}
"""


async def test_nothing_is_left_of_what_came_from_outside_and_was_told_in_every_way(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, {**PACK, "everywhere.yaml": EVERYWHERE})
    rita = stage.people["rita"]
    secret = await write(stage.tenant, rita, lambda unit: inlets.draw(unit, "site"))
    headers = {"authorization": f"Bearer {secret}", "webhook-id": "m1"}
    body = b'{"name": "Zebulon", "to": "zebulon@exemple.fr"}'
    await inlets.take(stage.tenant, inlets.Request("site", headers, body), lambda: None)
    await stage.worker.run_due()
    await stage.lead(lea, email="other@exemple.fr")
    company = await commands.create(stage.tenant, rita, "company", {"name": "Savons"})
    await later(stage, 1)
    assert {"zebulon@exemple.fr"} < {people[0] for people in stage.mailbox.recipients}
    [lead] = await stage.tenant.store.read(
        lambda tx: tx.rows('SELECT "id" FROM "lead" WHERE "first_name" = \'Zebulon\'')
    )
    await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, "lead", lead[0], {"why": "test"}))
    for table in (*SYSTEM_TABLES, "lead"):
        rows = await stage.tenant.store.read(lambda tx, table=table: tx.rows(f'SELECT * FROM "{table}"'))  # type: ignore[misc] # noqa: S608 - the round's table
        assert not [row for row in rows if "ebulon" in str(row)], table
    about = await stage.rows("_mail", "recipient", where=f"\"record\" = '{company.id}'")
    assert sorted(about) == [("",), ("other@exemple.fr",)]
    await auditing.seal(stage.tenant)
    assert (await chain.verify(stage.tenant.store, VAULT)).broken is None


async def test_a_message_to_an_address_that_another_record_has_too_stays_that_records(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    noe = await stage.person("Noe", "distributor")
    first, second = await stage.lead(lea, email="paul@exemple.fr"), await stage.lead(noe, email="paul@exemple.fr")
    for actor, lead in ((lea, first), (noe, second)):
        await stage.call(actor, lead)
    await later(stage, 1)
    await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, "lead", first.id, {"why": "test"}))
    assert await stage.rows("_mail", "record", "recipient") == [(second.id, "paul@exemple.fr")]


async def test_what_is_of_somebody_who_leaves_before_being_told_is_told_to_who_runs_the_network(
    make_stage: MakeStage,
) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea)
    stage.clock.forward(timedelta(days=90))
    await write(stage.tenant, SYSTEM, lambda unit: retention.go_on(unit, {"day": "2026-05-31", "phase": "find"}))
    await commands.update(stage.tenant, SYSTEM, "member", str(lea.id), None, {"active": False})
    await stage.worker.run_due()
    assert (told(stage, "lea@exemple.fr"), told(stage, "rita@exemple.fr")) == ([], [])
    await later(stage, 1)
    assert (told(stage, "lea@exemple.fr"), len(told(stage, "rita@exemple.fr"))) == ([], 1)
