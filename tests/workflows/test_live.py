"""A leader publishes while people work and automations wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from definitions.problems import DefinitionError
from models.actor import SYSTEM, Actor
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, outbox
from workflows.unit import Unit, read, write

pytestmark = pytest.mark.anyio

WAITING = changed(
    SMALL,
    automations="""
automation: later
label: {fr: Plus tard, en: Later}
when: {entered: recruiting.contacted}
do:
  - wait: {for: 2d}
  - create: {entity: company, values: {name: Avant}}
---
template: welcome
channel: email
about: lead
subject: {fr: Bonjour, en: Hello}
body: {fr: Bonjour, en: Hello}
""",
)
NONSENSE: tuple[Mapping[str, str], ...] = (
    {"network.yaml": "]]] no YAML"},
    {},
    changed(WAITING, lead="entity: lead\nfields: {first_name: {type: no_such_type}}"),
    changed(WAITING, more="entity: lead\nlabel: {fr: Encore}\nfields: {a: {type: text}}"),
    edited(WAITING, ("guard: has(record.phone)", "guard: record.nobody == 1")),
    changed(WAITING, deep="automation: deep\ndo: " + "[" * 3000),
)


async def test_nonsense_changes_nothing_while_people_work(make_stage: MakeStage) -> None:
    stage = await make_stage(WAITING)
    lea = await stage.person("Lea", "distributor")
    leads = [await stage.lead(lea, email=f"p{number}@exemple.fr") for number in range(30)]

    async def publish() -> int:
        refused = 0
        for files in NONSENSE:
            try:
                await stage.tenant.publish(files)
            except DefinitionError:
                refused += 1
        return refused

    refused, moved = await asyncio.gather(publish(), asyncio.gather(*(stage.call(lea, lead) for lead in leads)))
    assert refused == len(NONSENSE)
    assert all(move.record is not None and move.record.values["recruiting"] == "contacted" for move in moved)
    assert stage.tenant.published.version == 1
    await stage.worker.run_due()
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    assert len(await stage.rows("company", "id")) == len(leads)


async def test_a_waiting_run_keeps_its_steps_though_another_version_came(make_stage: MakeStage) -> None:
    stage, lea = await waiting_stage(make_stage)
    await stage.tenant.publish(edited(WAITING, ("name: Avant", "name: Après")))
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    assert await stage.rows("company", "name") == [("Avant",)]
    await stage.call(lea, await stage.lead(lea, email="ida@exemple.fr"))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    assert await stage.rows("company", "name") == [("Avant",), ("Après",)]


async def test_a_waiting_run_ends_in_words_when_what_it_is_about_is_gone(make_stage: MakeStage) -> None:
    stage, _ = await waiting_stage(make_stage)
    without = {name: text for name, text in WAITING.items() if name not in ("lead.yaml", "recruiting.yaml")}
    without = changed(
        without,
        automations="",
        levels="level: distributor\nlabel: {fr: Distributeur, en: Distributor}\nentities: {company: {read: all}}",
    )
    await stage.tenant.publish(without, allow_loss=True)
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "cancelled"
    assert error
    assert await stage.rows("_outbox", "id", where="state = 'ready'") == []


@pytest.mark.slow
async def test_ten_thousand_timers_that_are_due_at_once_are_all_worked(stage: Stage) -> None:
    async def much(unit: Unit) -> None:
        for _ in range(10_000):
            await outbox.enqueue(unit, "check", {"run": "none"}, unit.now)

    await write(stage.tenant, SYSTEM, much)
    assert await stage.worker.run_due() >= 10_000
    assert await stage.rows("_outbox", "id", where="state = 'ready'") == []


async def test_a_request_that_is_broken_off_leaves_all_or_nothing(stage: Stage, lea: Actor) -> None:
    leads = [await stage.lead(lea, email=f"p{number}@exemple.fr") for number in range(20)]
    for turns, lead in enumerate(leads):
        moving = asyncio.ensure_future(stage.call(lea, lead))
        for _ in range(turns % 5):
            await asyncio.sleep(0)
        moving.cancel()
        await asyncio.wait({moving})
    await commands.note(stage.tenant, lea, "lead", leads[0].id, "Fin")

    async def kept(unit: Unit) -> list[list[str]]:  # on one snapshot: a commit that was sent may end after its caller
        asked = (
            """SELECT "record" FROM "_history" WHERE "kind" = 'moved'""",
            """SELECT "id" FROM "lead" WHERE "recruiting" = 'contacted'""",
            'SELECT "record" FROM "_run"',
        )
        return [sorted(row[0] for row in await unit.tx.rows(sql)) for sql in asked]

    moved, contacted, runs = await read(stage.tenant, SYSTEM, kept)
    assert moved == contacted == runs


async def waiting_stage(make_stage: MakeStage) -> tuple[Stage, Actor]:
    """Return a network in which a run waits."""
    stage = await make_stage(WAITING)
    lea = await stage.person("Lea", "distributor")
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("waiting",)]
    return stage, lea
