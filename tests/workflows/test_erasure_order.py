"""Records that refer to each other go in an order in which they can, all on the day on which they are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from models.record import Record
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_erasure import VAULT, left, told
from workflows import commands, retention

pytestmark = pytest.mark.anyio

KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
READ = "  company: {read: all, create: true,"
LEVELS = (READ, f"  visit: {{read: all, create: true, update: all}}\n  photo: {{read: all, create: true}}\n{READ}")
PHOTO = """
entity: photo
title: "{{ record.place }}"
fields:
  place: {type: text, required: true}
  lead:  {type: reference, to: lead, on_delete: delete}
  visit: {type: reference, to: visit, required: true}
"""
VISIT = """
entity: visit
title: "{{ record.place }}"
fields:
  place: {type: text, required: true}
  lead:  {type: reference, to: lead, on_delete: delete}
  next:  {type: reference, to: visit}
"""
NEXT: dict[str, Sequence[tuple[int, int]]] = {
    "none": [],
    "back": [(1, 0), (2, 1)],
    "forth": [(0, 1), (1, 2)],
    "ring": [(0, 1), (1, 2), (2, 0)],
    "itself": [(1, 1), (2, 1)],
}
"""Which of three visits refers to which."""
DEALS = "entity: deal\ntitle: '{{ record.name }}'\nretention: RETENTION\n" + (
    "fields: {name: {type: text, required: true}, before: {type: reference, to: deal}, kept: {type: boolean}}\n"
)
SOON = "{after: 100d, since: created_at, unless: record.kept, warn: 14d}"


async def later(stage: Stage, days: float) -> None:
    stage.clock.forward(timedelta(days=days))
    await stage.worker.run_due()


@pytest.mark.parametrize("files", [PHOTO + "---" + VISIT, VISIT + "---" + PHOTO], ids=["photo first", "visit first"])
@pytest.mark.parametrize("shape", NEXT)
async def test_what_goes_along_is_no_obstacle_to_what_goes_along_too(
    make_stage: MakeStage, files: str, shape: str
) -> None:
    stage = await make_stage({**edited(SMALL, (KEPT, "retention: {after: 100d}"), LEVELS), "x.yaml": files})
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    visits = [await commands.create(stage.tenant, lea, "visit", {"place": n, "lead": lead.id}) for n in "123"]
    await commands.create(stage.tenant, lea, "photo", {"place": "1", "lead": lead.id, "visit": visits[0].id})
    for one, other in NEXT[shape]:
        await commands.update(stage.tenant, lea, "visit", visits[one].id, None, {"next": visits[other].id})
    await later(stage, 100.5)
    assert [await left(stage, name) for name in ("lead", "visit", "photo")] == [[], [], []]
    assert await stage.rows("_retention", "reason") == []


async def dealing(make_stage: MakeStage, count: int) -> tuple[Stage, list[Record]]:
    """Return a network with so many deals, due on the same day, and Rita, who runs it."""
    levels = (READ, f"  deal: {{read: all, create: true, update: all}}\n{READ}")
    stage = await make_stage({**edited(SMALL, levels), "deal.yaml": DEALS.replace("RETENTION", SOON)})
    stage.tenant.vault = VAULT
    stage.people["rita"] = rita = await stage.person("Rita", "leader")
    stage.people["lea"] = lea = await stage.person("Lea", "distributor")
    assert rita != lea
    return stage, [await commands.create(stage.tenant, lea, "deal", {"name": str(n)}) for n in range(count)]


async def link(stage: Stage, one: Record, other: Record, **values: bool) -> None:
    change = {"before": other.id, **values}
    await commands.update(stage.tenant, stage.people["lea"], "deal", one.id, None, change)


def stuck(stage: Stage) -> list[str]:
    return [subject for subject in told(stage, "rita@exemple.fr") if "pas pu" in subject]


@pytest.mark.parametrize("step", [1, -1], ids=["from the last", "from the first"])
async def test_a_chain_that_is_due_goes_on_one_day_whichever_way_it_leads(make_stage: MakeStage, step: int) -> None:
    stage, deals = await dealing(make_stage, 30)
    for one, other in zip(deals[::step], deals[::step][1:], strict=False):
        await link(stage, one, other)
    await later(stage, 90)
    await later(stage, 15)
    assert await left(stage, "deal") == []
    assert stuck(stage) == []
    assert len(await stage.rows("_audit", "id", where="\"kind\" = 'erased'")) == 30


async def test_a_chain_too_long_for_one_transaction_goes_on_the_same_day(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "TOGETHER", 3)
    stage, deals = await dealing(make_stage, 12)
    for one, other in zip(deals[1:], deals, strict=False):
        await link(stage, one, other)
    await later(stage, 90)
    await later(stage, 15)
    assert await left(stage, "deal") == []
    assert stuck(stage) == []


async def test_what_needs_each_other_goes_together_when_all_of_it_is_due(make_stage: MakeStage) -> None:
    stage, deals = await dealing(make_stage, 4)
    for one, other in ((0, 1), (1, 0), (2, 3)):
        await link(stage, deals[one], deals[other])
    await link(stage, deals[3], deals[2], kept=True)
    await later(stage, 90)
    await later(stage, 15)
    assert sorted(await left(stage, "deal")) == [deals[2].id, deals[3].id]
    assert await stage.rows("_retention", "record", "state") == [(deals[2].id, "reported")]
    assert len(stuck(stage)) == 1
    await later(stage, 1)
    assert len(stuck(stage)) == 1
    await commands.update(stage.tenant, stage.people["lea"], "deal", deals[3].id, None, {"kept": False})
    await later(stage, 1)
    await later(stage, 15)
    assert await left(stage, "deal") == []
