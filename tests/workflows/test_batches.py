"""Timers and runs that are due together: what becomes of them is what becomes of each alone."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.errors import NotFoundError
from models.gathering import BACK, BEGIN, RELEASE, Gathering
from models.store import ConstraintError
from models.system import ITEM, STEP
from models.tenant import Tenant
from models.tx import Tx
from tests.networks import changed
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.test_automations import QUIET
from workflows import batches, commands, outbox
from workflows.batches import Batch
from workflows.mail import SmtpTransport
from workflows.outbox import Kind, Row
from workflows.unit import House
from workflows.worker import MANY, Worker

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
ID = re.compile(r"\b[0-9A-Za-z]{22,26}\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")
CITIES = ("Lyon", "Metz", "Metz", "Nice", "Nice", "Nice")
MODES = "\n---\n".join(
    f"""
automation: {mode}
label: {{fr: Un, en: One}}
when: {{due: {{entity: lead, at: next_call_at}}}}
mode: {mode}
key: =record.city
do:
  - wait: {{for: 1h}}
  - create: {{entity: company, values: {{name: {mode}, city: =record.city}}}}
"""
    for mode in ("single", "queued", "restart", "parallel")
)
OTHERS = """
automation: plain
label: {fr: Simple, en: Plain}
when: {due: {entity: lead, at: next_call_at}}
do: [{task: {title: {fr: Appeler, en: Call}, about: =record}}]
---
automation: refused
label: {fr: Refusé, en: Refused}
when: {due: {entity: lead, at: next_call_at, after: 10m}}
do:
  - set: {email: taken@exemple.fr, city: =record.city}
    retry: {times: 1, backoff: 1m}
---
automation: adding
label: {fr: Ajout, en: Adding}
when: {due: {entity: lead, at: next_call_at, after: 20m}}
do: [{set: {last_name: =record.last_name + "x"}}]
---
automation: adding_too
label: {fr: Encore, en: Too}
when: {due: {entity: lead, at: next_call_at, after: 20m}}
do: [{set: {last_name: =record.last_name + "x"}}]
---
automation: asking
label: {fr: Demande, en: Asking}
when: {stays: {state: recruiting.new, for: 2d}}
if: record.company.city == "Lyon"
do: [{email: {template: welcome, to: =record.email}}, {set: {calls: =record.calls + 1}}]
---
automation: itself
label: {fr: Seul, en: Itself}
when: {stays: {state: recruiting.new, for: 2d}}
if: record.city == "Metz"
do: [{wait: {for: 30m}}, {move: lose}]
---
automation: round
label: {fr: Boucle, en: Round}
when: {changed: {entity: lead, fields: [calls]}}
if: record.calls < 1000
mode: parallel
do: [{set: {calls: =record.calls + 1}}]
"""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lead": ("first_name", "last_name", "email", "city", "calls", "recruiting", "version"),
    "company": ("name", "city"),
    "_history": ("entity", "kind", "process", "transition", "to_state"),
    "_audit": ("kind", "scope", "entity"),
    "_task": ("title", "entity", "done_at"),
    "_mail": ("recipient", "subject", "state"),
    "_item": ("id", "value"),
}


async def staged(make_stage: MakeStage, many: int) -> Stage:
    """Return a network whose leads have many timers that are due in a day, and whose worker does so many together."""
    stage = await make_stage(changed(QUIET, modes=MODES, others=OTHERS))
    stage.worker = Worker(stage.tenant, SmtpTransport(stage.mailbox.url), rng=RNG, many=many)
    lea = await stage.person("Lea", "distributor")
    firms = [
        await commands.create(stage.tenant, lea, "company", {"name": city, "city": city}) for city in ("Lyon", "Metz")
    ]
    await stage.lead(lea, email="taken@exemple.fr")
    for number, city in enumerate(CITIES):
        values: dict[str, Any] = {"first_name": f"N{number}", "email": f"n{number}@exemple.fr", "city": city}
        values |= {"next_call_at": stage.clock.now() + DAY, "company": firms[number > 0].id}
        await stage.lead(lea, **values)
    return stage


async def outcome(stage: Stage) -> dict[str, list[Any]]:
    """Return all that there is in the end; which of several runs came first is nobody's business."""

    def told(value: Any) -> str:
        return re.sub(r"\bN\d|n\d@", "lead", ID.sub("#", str(value)))

    found = {
        name: sorted(tuple(map(told, row)) for row in await stage.rows(name, *columns))
        for name, columns in COLUMNS.items()
    }
    steps: dict[str, list[Any]] = {}
    for run, *step in await stage.rows("_step", *STEP.columns[1:5], "result", "outcome", "error"):
        steps.setdefault(run, []).append(tuple(map(told, step)))
    columns = ("automation", "key", "state", "cursor", "error", "wake_at")
    found["_run"] = sorted(
        (*map(told, run), *sorted(steps.get(name, ()))) for name, *run in await stage.rows("_run", "id", *columns)
    )
    waits = """NOT ("kind" = 'run' AND "state" IN ('done', 'cancelled'))"""
    found["_outbox"] = sorted(
        tuple(map(told, row))
        for row in await stage.rows("_outbox", "kind", "state", "attempts", "last_error", where=waits)
    )
    return found


async def lived(stage: Stage) -> list[dict[str, list[Any]]]:
    """Let the time come, and what was begun go on; return what there is after each hour."""
    found = []
    for pause in (DAY, *(timedelta(minutes=some) for some in (10, 1, 60, 60, 60)), DAY, timedelta(hours=1)):
        stage.clock.forward(pause)
        await stage.worker.run_due()
        found.append(await outcome(stage))
    return found


async def test_timers_that_are_done_together_leave_what_they_leave_alone(make_stage: MakeStage) -> None:
    alone = await staged(make_stage, 1)
    begun = alone.clock.now()
    expected = await lived(alone)
    alone.clock.moment = begun  # it is the clock of both
    together = await staged(make_stage, MANY)
    assert await lived(together) == expected
    woken = [len(await stage.rows("_outbox", "id", where="\"kind\" = 'run'")) for stage in (alone, together)]
    assert woken[1] < woken[0] - 30  # what begins goes on where it begins


TASKS = {"others": OTHERS.split("---", 1)[0]}


async def due(make_stage: MakeStage, count: int) -> Stage:
    """Return a network in which so many timers are due now, each of which leaves a task."""
    stage = await make_stage(changed(QUIET, **TASKS))
    lea = await stage.person("Lea", "distributor")
    for number in range(count):
        await stage.lead(lea, email=f"n{number}@exemple.fr", next_call_at=stage.clock.now() + DAY)
    await stage.worker.run_due()
    stage.clock.forward(DAY)
    return stage


async def test_a_timer_that_fails_is_tried_again_and_those_beside_it_are_done(make_stage: MakeStage) -> None:
    stage = await due(make_stage, 4)
    [(broken, payload), *_] = await stage.rows("_outbox", "id", "payload", where="\"kind\" = 'due'")
    write = stage.tenant.store.write
    sql = 'UPDATE "_outbox" SET "payload" = ? WHERE "id" = ?'
    await write(lambda tx: tx.run(sql, [payload.replace('"record"', '"nothing"'), broken]))
    await stage.worker.run_due()
    assert len(await stage.rows("_task", "id")) == 3
    left = "\"kind\" = 'due' AND \"state\" = 'ready'"
    assert await stage.rows("_outbox", "id", "attempts", "last_error", where=left) == [
        (broken, 1, "KeyError: 'record'")
    ]
    await write(lambda tx: tx.run(sql, [payload, broken]))
    stage.clock.forward(timedelta(minutes=1))
    await stage.worker.run_due()
    assert len(await stage.rows("_task", "id")) == 4


async def test_a_row_that_went_to_another_worker_is_left_to_it(make_stage: MakeStage) -> None:
    stage = await due(make_stage, 3)
    store, now = stage.tenant.store, stage.clock.now()
    rows = await store.write(lambda tx: outbox.claim(tx, worker="a", now=now, limit=9), claim=True)
    lost = rows[1].id
    await store.write(lambda tx: tx.run("""UPDATE "_outbox" SET "worker" = 'b' WHERE "id" = ?""", [lost]))
    await store.write(lambda tx: Batch(stage.tenant, tx, House()).work(rows, {}))
    assert await stage.rows("_outbox", "id", "worker", where="\"kind\" = 'due' AND \"state\" = 'ready'") == [
        (lost, "b")
    ]
    assert len(await stage.rows("_task", "id")) == 2


def test_what_was_tried_before_is_done_alone_and_a_run_once() -> None:
    def row(name: str, kind: Kind, attempts: int, run: str | None = None) -> Row:
        payload = {} if run is None else {"run": run}
        return Row(name, kind, payload, attempts, 12, datetime(2026, 3, 2, tzinfo=UTC), "a")

    rows = [
        row("1", "due", 1),
        row("2", "stays", 2),
        row("3", "run", 1, "r"),
        row("4", "run", 1, "r"),
        row("5", "mail", 1),
    ]
    assert [each.id for each in batches.fitting(rows)] == ["1", "3"]


INSERTION = ITEM.insert()
CHANGES = tuple(f'UPDATE "_item" SET "{name}" = ? WHERE "id" = ?' for name in ("value", "entity"))  # noqa: S608 - names of the test
OTHER = """UPDATE "_item" SET "value" = "value" || '.' WHERE "id" < ?"""
ALL = 'SELECT "id", "entity", "value" FROM "_item" ORDER BY "id"'
COUNTED = 'SELECT count(*) FROM "_item"'
STEPS = (BEGIN, BACK, RELEASE)


def scribbled(seed: int) -> list[tuple[str, list[str]]]:
    """Return statements at random: insertions, changes of rows inserted before, other changes, looks, savepoints."""
    chance, depth, made = random.Random(seed), 0, 1  # noqa: S311 - it guards no secret
    script: list[tuple[str, list[str]]] = [(ALL, []), (INSERTION, ["001", "lead", "first"])]
    for number in range(50):
        some = f"{chance.randint(1, made):03}"
        sql = chance.choice((*[INSERTION] * 3, *CHANGES, *CHANGES, OTHER, ALL, COUNTED, BEGIN, BACK, RELEASE))
        if sql in (BACK, RELEASE) and not depth:
            continue
        made, depth = made + (sql == INSERTION), depth + (sql == BEGIN)
        values = {INSERTION: [f"{made:03}", "lead", f"{number}"], OTHER: [some]}
        script.append(
            (f"{sql}s{depth}", [])
            if sql in STEPS
            else (sql, values.get(sql, [f"{number}", some][: 2 * (sql in CHANGES)]))
        )
        depth -= sql == RELEASE
    return script


async def played(tx: Tx, seed: int) -> list[Any]:
    """Do so, and return what was seen."""
    seen: list[Any] = []
    for sql, values in scribbled(seed):
        if sql in (ALL, COUNTED):
            seen.append(await tx.rows(sql))
        else:
            await tx.run(sql, values)
    return seen


async def test_what_waits_to_be_written_is_seen_and_taken_back_as_if_it_did_not_wait(tenant: Tenant) -> None:
    async def work(tx: Tx, seed: int, *, gathered: bool) -> list[Any]:
        await tx.run('DELETE FROM "_item"')
        over = Gathering(tx, [INSERTION], CHANGES) if gathered else tx
        seen = await played(over, seed)
        if isinstance(over, Gathering):
            await over.flush()
        return [*seen, await tx.rows(ALL)]

    for seed in range(40):
        alone, gathered = [
            await tenant.store.write(lambda tx, seed=seed, each=each: work(tx, seed, gathered=each))  # type: ignore[misc] # the defaults bind them
            for each in (False, True)
        ]
        assert gathered == alone, seed


async def test_once_something_that_waited_was_refused_nothing_of_the_transaction_is_kept(tenant: Tenant) -> None:
    async def work(tx: Tx) -> None:
        over = Gathering(tx, [INSERTION])
        for value in ("one", "two"):
            await over.run(INSERTION, ["same", "lead", value])
        await over.run("SAVEPOINT step")
        with pytest.raises(ConstraintError):
            await over.rows(ALL)
        with pytest.raises(ConstraintError):
            await over.run("ROLLBACK TO SAVEPOINT step")
        await over.flush()

    with pytest.raises(ConstraintError):
        await tenant.store.write(work)
    assert await tenant.store.read(lambda tx: tx.rows(ALL)) == []


async def test_what_is_told_at_the_end_of_a_savepoint_is_taken_back_with_it_alone(tenant: Tenant) -> None:
    async def work(tx: Tx) -> None:
        over = Gathering(tx, [INSERTION])
        await over.run(INSERTION, ["1", "lead", "kept"])
        await over.run("SAVEPOINT whole")
        await over.run(INSERTION, ["2", "lead", "kept"])
        await over.run("SAVEPOINT step")
        try:
            await over.run(INSERTION, ["3", "lead", "taken back"])
            await over.put(CHANGES[0], ["changed", "none"], NotFoundError())
            await over.run("RELEASE SAVEPOINT step")
        except NotFoundError:
            await over.run("ROLLBACK TO SAVEPOINT step")
            await over.run("RELEASE SAVEPOINT step")
        await over.run("RELEASE SAVEPOINT whole")
        await over.run(INSERTION, ["4", "lead", "kept"])
        await over.flush()

    await tenant.store.write(work)
    assert [row[0] for row in await tenant.store.read(lambda tx: tx.rows(ALL))] == ["1", "2", "4"]
