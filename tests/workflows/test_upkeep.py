"""The outbox does not grow without end, and much work at once is done."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.actor import SYSTEM, Actor
from models.house_rules import KEPT_RUNS
from models.system import DOCUMENT
from tests.networks import SMALL, changed
from tests.workflows.conftest import MakeStage, Stage
from workflows import notices, outbox, upkeep
from workflows.stored import moment
from workflows.unit import Unit, write

pytestmark = pytest.mark.anyio

REMIND = changed(
    SMALL,
    remind="""
automation: remind
label: {fr: Rappel, en: Reminder}
when: {due: {entity: lead, at: next_call_at, before: 60d}}
mode: parallel
do: [{create: {entity: company, values: {name: Rappel}}}]
""",
)


DONE = """UPDATE "_outbox" SET "state" = 'done', "done_at" = ? WHERE "id" = ?"""


async def test_what_is_done_goes_after_a_while_and_what_is_dead_stays(stage: Stage, lea: Actor) -> None:
    await stage.call(lea, await stage.lead(lea))
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    unit_work = {"run": "none"}
    await write(stage.tenant, SYSTEM, lambda unit: outbox.bury(unit, "run", unit_work, "broken", "run:broken:"))
    done = await stage.rows("_outbox", "kind", where="state = 'done'")
    assert ("mail",) in done
    stage.clock.forward(upkeep.KEPT)
    await stage.worker.run_due()
    assert len(await stage.rows("_outbox", "id")) == len(done) + 1
    stage.clock.forward(timedelta(hours=1, seconds=1))
    await stage.worker.run_due()
    left = await stage.rows("_outbox", "kind", "state")
    assert sorted(left) == [("run", "dead"), ("version", "done")]
    assert await stage.rows("_mail", "state") == [("sent",)]


async def test_runs_that_are_over_go_when_the_network_says_and_failed_ones_stay(make_stage: MakeStage) -> None:
    ways = "choose: [{if: record.calls == 1, do: [{move: sign}]}, {if: record.calls == 2, do: [{wait: {for: 90d}}]}]"
    head = "automation: it\nlabel: {fr: A, en: A}\nwhen: {created: lead}\nif: record.calls < 3\n"
    stage = await make_stage(changed(SMALL, it=f"{head}do: [{{{ways}}}]"))
    lea = await stage.person("Lea", "distributor")
    for number in range(4):
        await stage.lead(lea, email=f"{number}@exemple.fr", calls=number)
    await stage.worker.run_due()
    states = [("done",), ("failed",), ("waiting",), ("not_fired",)]
    assert sorted(await stage.rows("_run", "state")) == sorted(states)
    stage.clock.forward(timedelta(days=40))
    await stage.worker.run_due()
    assert len(await stage.rows("_run", "state")) == 4
    await stage.tenant.store.write(
        lambda tx: tx.run(
            'INSERT INTO "_setting" VALUES (?, ?, ?, ?)',
            [KEPT_RUNS, "1", moment(stage.clock.now()), None],
        )
    )
    stage.clock.forward(timedelta(hours=2))
    await stage.worker.run_due()
    assert sorted(await stage.rows("_run", "state")) == [("failed",), ("waiting",)]
    left = {run for (run,) in await stage.rows("_run", "id")}
    assert {run for (run,) in await stage.rows("_step", "run")} == left


async def test_a_reminder_that_was_given_is_not_given_again_after_its_row_could_go(make_stage: MakeStage) -> None:
    stage = await make_stage(REMIND)
    lea = await stage.person("Lea", "distributor")
    await stage.lead(lea, next_call_at="2026-04-20T10:00")
    await stage.worker.run_due()
    assert len(await stage.rows("company", "id")) == 1
    stage.clock.forward(upkeep.KEPT + timedelta(hours=2))
    await stage.worker.run_due()
    await stage.tenant.publish(
        {**REMIND, "more.yaml": "entity: more\nlabel: {fr: Plus, en: More}\nfields: {a: {type: text}}"}
    )
    await stage.worker.run_due()
    assert len(await stage.rows("company", "id")) == 1
    assert len(await stage.rows("_outbox", "id", where="kind = 'due'")) == 1
    stage.clock.forward(timedelta(days=60))
    await stage.worker.run_due()
    assert await stage.rows("_outbox", "id", where="kind = 'due'") == []


async def test_much_that_is_over_goes_in_parts(stage: Stage) -> None:
    async def much(unit: Unit) -> None:
        for _ in range(1200):
            await outbox.enqueue(unit, "check", {"run": "none"})

    await write(stage.tenant, SYSTEM, much)
    assert await stage.worker.run_due() >= 1200
    stage.clock.forward(upkeep.KEPT + timedelta(seconds=1))
    assert await upkeep.purge(stage.tenant) == 1200


async def test_whatever_is_done_goes_and_only_what_could_be_asked_for_again_stays(stage: Stage) -> None:
    async def done(unit: Unit) -> None:
        for kind in outbox.KINDS:
            row = await outbox.enqueue(unit, kind, {}, None, f"{kind}:{moment(unit.now)}")
            await unit.tx.run(DONE, [moment(unit.now), row])

    await write(stage.tenant, SYSTEM, done)
    stage.clock.forward(upkeep.KEPT + timedelta(seconds=1))
    await upkeep.purge(stage.tenant)
    assert {kind for (kind,) in await stage.rows("_outbox", "kind", where="\"state\" = 'done'")} == {"arm", "version"}


async def test_sessions_that_are_over_are_removed(stage: Stage, lea: Actor) -> None:
    sql = """INSERT INTO "_session" ("id", "member", "csrf", "created_at", "ip", "agent", "seen_at")
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
    row = [lea.id, "csrf", "2026-02-27 11:00:00.000000+00:00", None, ""]
    for name, seen in {"old": "2026-02-27 11:00:00.000000+00:00", "new": "2026-03-02 10:59:00.000000+00:00"}.items():
        await stage.tenant.store.write(lambda tx, values=(name, *row, seen): tx.run(sql, values))  # type: ignore[misc] # bound now
    await upkeep.purge(stage.tenant)
    assert await stage.rows("_session", "id") == [("new",)]


@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)  # PostgreSQL decides by how many rows there are
async def test_looking_for_work_costs_the_same_with_many_timers_set(stage: Stage) -> None:
    queries = {"free": outbox._NEXT_FREE, "leased": outbox._NEXT_LEASED, "claim": outbox._CLAIM}
    values = {"free": [], "leased": ["x"], "claim": [0, "x", "x", 10, "x", "w"]}
    few = ("SCAN due", "SCAN step", "SCAN 3-ROW VALUES CLAUSE", "SCAN 3 CONSTANT ROWS", "USE TEMP B-TREE FOR GROUP BY")
    for name, sql in queries.items():
        explain = "EXPLAIN QUERY PLAN " + sql.format(steps="(0), (3), (5)", others="")
        plan = await stage.tenant.store.read(lambda tx, sql=explain, name=name: tx.rows(sql, values[name]))  # type: ignore[misc] # bound now
        said = " | ".join(row[3] for row in plan)
        for each in few:  # the few that were found, or that are leased
            said = said.replace(each, "")
        assert "TEMP B-TREE" not in said, (name, said)
        assert "SCAN" not in said, (name, said)


NOTED = changed(
    SMALL,
    notify="""
automation: tell
label: {fr: A, en: A}
when: {created: lead}
do: [{notify: {to: =record.owner, template: news}}]
---
template: news
channel: notification
about: lead
subject: {fr: Nouveau, en: New}
body: {fr: "{{ record.first_name }}", en: "{{ record.first_name }}"}
""",
)


async def test_notifications_go_after_a_while_and_sooner_once_they_are_read(make_stage: MakeStage) -> None:
    stage = await make_stage(NOTED)
    lea = await stage.person("Lea", "distributor")
    await stage.lead(lea)
    await stage.lead(lea, email="b@exemple.fr")
    await stage.worker.run_due()
    [(first,), _] = await stage.rows("_notice", "id")
    await write(stage.tenant, lea, lambda unit: notices.mark(unit, first))
    stage.clock.forward(timedelta(days=89))
    await stage.worker.run_due()
    assert len(await stage.rows("_notice", "id")) == 2
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    assert len(await stage.rows("_notice", "id", where='"read_at" IS NULL')) == 1
    assert len(await stage.rows("_notice", "id")) == 1
    stage.clock.forward(timedelta(days=275))
    await stage.worker.run_due()
    assert await stage.rows("_notice", "id") == []


async def test_a_document_that_no_run_takes_any_more_goes_with_its_text(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    stage.clock.forward(timedelta(minutes=10))
    await stage.worker.run_due()
    [(run,)] = await stage.rows("_run", "id")

    async def work(unit: Unit) -> None:
        for number, of in enumerate((run, "gone")):
            about = [moment(unit.now), "lead", lead.id, of, "welcome", "fr", "Contrat", "Paul"]
            await unit.tx.run(DOCUMENT.insert(), [f"document-{number}", *about, "waiting", None, None])

    await write(stage.tenant, SYSTEM, work)
    stage.clock.forward(upkeep.KEPT)
    await stage.worker.run_due()
    assert len(await stage.rows("_document", "id")) == 2
    stage.clock.forward(timedelta(hours=2))
    await stage.worker.run_due()
    assert await stage.rows("_document", "id") == []
