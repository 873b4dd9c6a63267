"""What keeps records from being erased all the same: the calendar's end, that somebody is active, days to be told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from definitions.duration import MOST_WORKING, Duration
from models.actor import SYSTEM, Actor
from models.columns import encode_duration
from models.errors import InvalidError
from models.system import SETTING
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_erasure import left, told
from workflows import commands, retention, settings, upkeep
from workflows.expected import expected
from workflows.unit import read

pytestmark = pytest.mark.anyio

KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
WARNED = "retention: {after: 900 years, since: last_activity_at, warn: =settings.lead_retention}"
MEMBERS = "entity: member\nretention: {after: 100d, since: last_activity_at, warn: 14d}\n"
FIRMS = """
entity: member
fields: {firm: {type: reference, to: firm, on_delete: delete}}
---
entity: firm
title: "{{ record.name }}"
fields: {name: {type: text, required: true}}
retention: {after: 100d, since: created_at}
"""
READ = "  company: {read: all, create: true,"
BEYOND = [
    Duration(working_days=999_999),
    Duration(working_hours=999_999),
    Duration(months=9000 * 12),
    Duration(exact=timedelta(days=9000 * 365)),
]


async def later(stage: Stage, days: float) -> None:
    stage.clock.forward(timedelta(days=days))
    await stage.worker.run_due()


async def opened(make_stage: MakeStage, files: dict[str, str]) -> tuple[Stage, Actor]:
    stage = await make_stage(files)
    stage.people["rita"] = await stage.person("Rita", "leader")
    return stage, await stage.person("Lea", "distributor")


async def set_to(stage: Stage, span: Duration) -> None:
    """Keep a setting as an earlier version may have: whatever its value."""
    kept = ["lead_retention", json.dumps(encode_duration(span)), "2026-03-02 11:00:00.000000+00:00", None]
    await stage.tenant.store.write(lambda tx: tx.run(SETTING.insert(), kept))


@pytest.mark.parametrize("span", BEYOND, ids=str)
@pytest.mark.parametrize("said", [KEPT, WARNED], ids=["after", "warn"])
async def test_a_time_that_leads_out_of_the_calendar_keeps_for_ever(
    make_stage: MakeStage, said: str, span: Duration
) -> None:
    stage, lea = await opened(make_stage, edited(SMALL, (KEPT, said)))
    await stage.lead(lea)
    await set_to(stage, span)
    await later(stage, 5000)
    assert len(await left(stage, "lead")) == 1
    assert await stage.rows("_outbox", "kind", where="\"state\" <> 'done' AND \"kind\" = 'retention'") == []
    [kind] = [
        kind for kind in (await read(stage.tenant, stage.people["rita"], expected)).kinds if kind.entity == "lead"
    ]
    assert kind.after is None


@pytest.mark.parametrize("span", [Duration(working_days=MOST_WORKING + 1), Duration(working_hours=-MOST_WORKING - 1)])
async def test_a_setting_has_not_more_working_time_than_can_be_counted(make_stage: MakeStage, span: Duration) -> None:
    stage, _ = await opened(make_stage, dict(SMALL))
    with pytest.raises(InvalidError) as refused:
        await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": span})
    assert "10000" in str(refused.value.fields["lead_retention"])
    with pytest.raises(InvalidError):
        await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": "10001 working days"})
    await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": "10000 working days"})


async def test_what_stands_in_the_way_of_retention_does_not_end_the_round(make_stage: MakeStage) -> None:
    stage, _ = await opened(make_stage, dict(SMALL))
    store = stage.tenant.store
    await store.write(lambda tx: tx.run('ALTER TABLE "_retention" RENAME TO "_away"'))
    await upkeep.purge(stage.tenant)
    await store.write(lambda tx: tx.run('ALTER TABLE "_away" RENAME TO "_retention"'))
    await later(stage, 1)


async def test_an_active_member_is_never_due_and_goes_with_nothing_else(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, {**SMALL, "member.yaml": MEMBERS})
    noe = await stage.person("Noe", "distributor")
    await commands.update(stage.tenant, SYSTEM, "member", str(noe.id), None, {"active": False})
    for days in (90, 16, 300):
        await later(stage, days)
    assert sorted(await left(stage, "member")) == sorted([str(lea.id), str(stage.people["rita"].id)])


async def test_what_active_members_would_go_with_stays_and_is_reported(make_stage: MakeStage) -> None:
    files = {**edited(SMALL, (READ, f"  firm: {{read: all, create: true}}\n{READ}")), "firm.yaml": FIRMS}
    stage, lea = await opened(make_stage, files)
    firm, other = [await commands.create(stage.tenant, SYSTEM, "firm", {"name": name}) for name in "ab"]
    noe = await stage.person("Noe", "distributor", firm=other.id)
    await commands.update(stage.tenant, SYSTEM, "member", str(lea.id), None, {"firm": firm.id})
    await commands.update(stage.tenant, SYSTEM, "member", str(noe.id), None, {"active": False})
    await later(stage, 100.5)
    assert await left(stage, "firm") == [firm.id]
    assert str(lea.id) in await left(stage, "member")
    assert str(noe.id) not in await left(stage, "member")
    assert await stage.rows("_retention", "record", "state") == [(firm.id, "reported")]


async def test_what_is_found_long_after_its_day_waits_a_week_and_who_runs_the_network_is_told(
    make_stage: MakeStage,
) -> None:
    stage, lea = await opened(make_stage, dict(SMALL))
    await stage.lead(lea)
    await later(stage, 60)
    await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": "36d"})
    await later(stage, 0.1)
    assert len(await left(stage, "lead")) == 1
    assert (len(told(stage, "rita@exemple.fr")), told(stage, "lea@exemple.fr")) == (1, [])
    await later(stage, retention.HELD.days - 1)
    assert len(await left(stage, "lead")) == 1
    await later(stage, 1)
    assert await left(stage, "lead") == []
    assert len(told(stage, "rita@exemple.fr")) == 1


async def test_who_takes_a_shorter_time_back_within_the_week_keeps_everything(make_stage: MakeStage) -> None:
    stage, lea = await opened(make_stage, dict(SMALL))
    await stage.lead(lea)
    await later(stage, 60)
    await settings.change(stage.tenant, stage.people["rita"], {"lead_retention": "36d"})
    await later(stage, 1)
    await settings.reset(stage.tenant, stage.people["rita"], "lead_retention")
    await later(stage, 30)
    assert len(await left(stage, "lead")) == 1
    assert await stage.rows("_retention", "id") == []


@pytest.mark.parametrize("weekend", [0, 1.5])
async def test_what_falls_due_in_its_time_goes_the_same_day(make_stage: MakeStage, weekend: float) -> None:
    stage, lea = await opened(make_stage, edited(SMALL, (KEPT, "retention: {after: 50d}")))
    await stage.lead(lea)
    await later(stage, 49.9)
    assert len(await left(stage, "lead")) == 1
    await later(stage, 0.2 + weekend)
    assert await left(stage, "lead") == []
    assert told(stage, "rita@exemple.fr") == []
