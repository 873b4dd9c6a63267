"""The address of who was erased stands in no message about others: not as a copy, and not to answer to."""

from __future__ import annotations

import pytest

from models.actor import SYSTEM, Actor
from models.secrets import Vault
from models.system import SYSTEM_TABLES
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, erasure
from workflows.erasure import _COPIED
from workflows.unit import write

pytestmark = pytest.mark.anyio

READ = "  company: {read: all, create: true,"
VISIT = """
entity: visit
title: "{{ record.place }}"
fields:
  place: {type: text, required: true}
  lead:  {type: reference, to: lead, on_delete: clear}
  email: {type: email}
---
template: seen
channel: email
about: visit
subject: {fr: "Vu", en: "Seen"}
body: {fr: "Bonjour {{ record.place }}", en: "Hi {{ record.place }}"}
---
automation: seen
when: {created: visit}
do: [{email: {template: seen, to: boss@exemple.fr, cc: [=record.lead.email, other_1@exemple.fr]}}]
"""
PACK = {**edited(SMALL, (READ, f"  visit: {{read: all, create: true}}\n{READ}")), "visit.yaml": VISIT}
ZEBULON = "ze_bu%lon@exemple.fr"


async def opened(make_stage: MakeStage) -> tuple[Stage, Actor]:
    stage = await make_stage(PACK)
    stage.tenant.vault = Vault(lambda: (b"a secret of this installation",))
    return stage, await stage.person("Lea", "distributor")


async def erase(stage: Stage, entity: str, record: str) -> None:
    await write(stage.tenant, SYSTEM, lambda unit: erasure.erase(unit, entity, record, {"why": "test"}))


async def holding(stage: Stage, text: str) -> list[str]:
    found = []
    for table in SYSTEM_TABLES:
        rows = await stage.tenant.store.read(lambda tx, table=table: tx.rows(f'SELECT * FROM "{table}"'))  # type: ignore[misc] # noqa: S608 - the round's table
        found += [table for row in rows if text in str(row)]
    return found


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "waiting"])
async def test_an_address_is_taken_out_of_the_copies_of_mails_about_others(make_stage: MakeStage, sent: bool) -> None:
    stage, lea = await opened(make_stage)
    lead, other = await stage.lead(lea, email=ZEBULON), await stage.lead(lea, email="zeXbuXlon@exemple.fr")
    if not sent:
        stage.mailbox.refuse = {"boss@exemple.fr": "451 later"}
    for about in (lead, other):
        await commands.create(stage.tenant, lea, "visit", {"place": "Lyon", "lead": about.id})
    await stage.worker.run_due()
    assert "_step" in await holding(stage, ZEBULON)
    await erase(stage, "lead", lead.id)
    assert await holding(stage, ZEBULON) == []
    kept = await stage.rows("_mail", "recipient", "cc")
    assert sorted(kept) == [
        ("boss@exemple.fr", '["other_1@exemple.fr"]'),
        ("boss@exemple.fr", '["zeXbuXlon@exemple.fr","other_1@exemple.fr"]'),
    ]


async def test_a_copy_to_an_address_that_the_mails_own_record_has_stays(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage)
    lead = await stage.lead(lea, email=ZEBULON)
    await commands.create(stage.tenant, lea, "visit", {"place": "Lyon", "lead": lead.id, "email": ZEBULON})
    await stage.worker.run_due()
    await erase(stage, "lead", lead.id)
    assert await stage.rows("_mail", "cc") == [(f'["{ZEBULON}","other_1@exemple.fr"]',)]


async def test_who_wrote_a_mail_and_was_erased_is_not_answered_to_any_more(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage)
    noe, lead = await stage.person("Noe", "distributor"), await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    assert await stage.rows("_mail", "reply_to") == [("lea@exemple.fr",)]
    await commands.update(stage.tenant, SYSTEM, "lead", lead.id, None, {"owner": noe.id})
    await erase(stage, "member", str(lea.id))
    assert await stage.rows("_mail", "recipient", "reply_to") == [("paul@exemple.fr", None)]


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # PostgreSQL decides by how many rows there are
async def test_only_mails_with_copies_are_looked_through(make_stage: MakeStage) -> None:
    stage, _ = await opened(make_stage)
    sql = "EXPLAIN QUERY PLAN " + _COPIED.format(likes='"cc" LIKE ?')
    plan = await stage.tenant.store.read(lambda tx: tx.rows(sql, ["x"]))
    assert "USING INDEX _mail__id__some" in str([row[3] for row in plan])
