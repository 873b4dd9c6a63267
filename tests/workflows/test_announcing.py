"""What was announced and is not erased after all: it is taken back, and what else was told of stays announced."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.duration import Duration
from models.actor import SYSTEM, Actor
from models.secrets import Vault
from models.system import SYSTEM_TABLES
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import announcing, commands, publishing, retention, settings
from workflows.expected import expected
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
SOON = "retention: {after: 100d, since: last_activity_at, warn: 14d, then: erase}"
PACK = edited(SMALL, (KEPT, SOON))
READ = "  company: {read: all, create: true,"
LEVELS = (READ, f"  visit: {{read: all, create: true}}\n{READ}")
VISIT = f"""
entity: visit
title: "{{{{ record.place }}}}"
{SOON.replace("100d", "105d")}
fields:
  place: {{type: text, required: true}}
  lead:  {{type: reference, to: lead, on_delete: delete}}
"""
VISITS = {**edited(PACK, LEVELS), "visit.yaml": VISIT}
VAULT = Vault(lambda: (b"a secret of this installation",))


async def opened(make_stage: MakeStage, files: dict[str, str]) -> tuple[Stage, Actor]:
    stage = await make_stage(files)
    stage.tenant.vault = VAULT
    stage.people["rita"] = await stage.person("Rita", "leader")
    return stage, await stage.person("Lea", "distributor")


async def later(stage: Stage, days: float) -> None:
    stage.clock.forward(timedelta(days=days))
    await stage.worker.run_due()


async def holding(stage: Stage, text: str) -> list[str]:
    """Return the system tables in which a text stands."""
    found = []
    for table in SYSTEM_TABLES:
        rows = await stage.tenant.store.read(lambda tx, table=table: tx.rows(f'SELECT * FROM "{table}"'))  # type: ignore[misc] # noqa: S608 - the round's table
        found += [table for row in rows if text in str(row)]
    return found


async def test_what_was_told_of_a_record_that_somebody_took_up_again_names_it_no_more(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    lead = await stage.lead(lea, first_name="Zebulon")
    await later(stage, 90)
    assert len(await stage.rows("_notice", "id")) == 1
    await stage.call(lea, lead, next_call_at="2026-09-05T10:00")
    await later(stage, 2)
    assert (await stage.rows("_retention", "id"), await stage.rows("_notice", "id")) == ([], [])
    await later(stage, 90)
    await later(stage, 20)
    assert await stage.rows("lead", "id") == []
    assert await holding(stage, "Zebulon") == []


async def test_what_goes_along_with_another_takes_what_was_told_of_it_with_it(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(VISITS))
    lead = await stage.lead(lea)
    await commands.create(stage.tenant, lea, "visit", {"place": "Zanzibar", "lead": lead.id})
    await later(stage, 87)
    await later(stage, 6)
    assert await holding(stage, "Zanzibar") != []
    await later(stage, 9)
    assert await stage.rows("visit", "id") == []
    assert await holding(stage, "Zanzibar") == []


@pytest.mark.parametrize("left", [True, False], ids=["the mail left", "the mail still waits"])
async def test_others_that_a_mail_told_of_are_told_anew_only_where_it_never_left(
    make_stage: MakeStage, left: bool
) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    taken_up, other = await stage.lead(lea), await stage.lead(lea, first_name="Anna", email="anna@exemple.fr")
    if not left:
        stage.mailbox.refuse = {"lea@exemple.fr": "451 later"}
    await later(stage, 87)
    await stage.call(lea, taken_up, next_call_at="2026-09-05T10:00")
    stage.mailbox.refuse = {}
    await later(stage, 1)
    told = [people for people in stage.mailbox.recipients if people == ["lea@exemple.fr"]]
    assert len(told) == 1
    await later(stage, 13)
    assert (other.id in {lead for (lead,) in await stage.rows("lead", "id")}) is not left
    await later(stage, 2)
    assert await stage.rows("lead", "id") == [(taken_up.id,)]


@pytest.mark.parametrize("away", [3, 40], ids=["for three days", "for longer than the warning"])
async def test_what_was_told_by_a_mail_that_left_late_stays_for_the_warning_since_it_left(
    make_stage: MakeStage, away: float
) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea)
    stage.mailbox.refuse = {"lea@exemple.fr": "451 later"}
    await later(stage, 87)
    assert await stage.rows("_mail", "state", where="\"recipient\" = 'lea@exemple.fr'") == [("waiting",)]
    stage.mailbox.refuse = {}
    await later(stage, away)  # nobody ran meanwhile
    assert [people for people in stage.mailbox.recipients if people == ["lea@exemple.fr"]] != []
    await later(stage, 13.5)
    assert len(await stage.rows("lead", "id")) == 1
    await later(stage, 2)
    assert await stage.rows("lead", "id") == []


async def test_what_a_mail_that_can_never_leave_told_of_goes_all_the_same(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea)
    stage.mailbox.refuse = {"lea@exemple.fr": "550 nobody"}
    await later(stage, 87)
    await later(stage, 14.5)
    assert await stage.rows("lead", "id") == []


async def test_a_version_with_other_times_takes_back_what_was_told(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(PACK))
    await stage.lead(lea, first_name="Zebulon")
    await later(stage, 90)
    assert "_notice" in await holding(stage, "Zebulon")
    await publishing.publish(stage.tenant, edited(PACK, ("after: 100d", "after: 200d")))
    assert "_notice" not in await holding(stage, "Zebulon")


async def test_of_a_kind_of_record_that_went_nothing_is_announced_any_more(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(VISITS))
    lead = await stage.lead(lea)
    await commands.create(stage.tenant, lea, "visit", {"place": "Zanzibar", "lead": lead.id})
    await later(stage, 95)
    assert {entity for (entity,) in await stage.rows("_retention", "entity")} == {"lead", "visit"}
    await publishing.publish(stage.tenant, PACK, allow_loss=True)
    assert await stage.rows("_retention", "entity") == [("lead",)]
    assert await holding(stage, "Zanzibar") == ["_history"] * len(
        await stage.rows("_history", "id", where="entity = 'visit'")
    )
    rita = await stage.actor(str(stage.people["rita"].id))
    assert len((await read(stage.tenant, rita, expected)).records) == 1


async def test_what_is_kept_for_ever_since_it_was_found_is_told_to_nobody(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "AT_ONCE", 1)
    files = edited(SMALL, (KEPT, KEPT.replace("since", "warn: 14d, since")), LEVELS)
    stage, lea = await opened(make_stage, {**files, "visit.yaml": VISIT})
    await stage.lead(lea)
    stage.clock.forward(timedelta(days=1200))
    step = {"day": "2029-06-14", "phase": "find"}
    await write(stage.tenant, SYSTEM, lambda unit: retention.go_on(unit, step))
    assert len(await stage.rows("_retention", "id", where='"warned_at" IS NULL')) == 1
    await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": Duration()})
    assert not await write(stage.tenant, SYSTEM, lambda unit: announcing.announce(unit, first=True))
    assert (await stage.rows("_mail", "id"), await stage.rows("_notice", "id")) == ([], [])
