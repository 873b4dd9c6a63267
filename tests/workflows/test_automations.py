from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from models.actor import SYSTEM, Actor
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, tasks
from workflows.runs import DEPTH

pytestmark = pytest.mark.anyio

QUIET = {**SMALL, "automations.yaml": """
template: welcome
channel: email
about: lead
subject: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}
body: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}
"""}  # fmt: skip
"""The small network without its automation."""


def automation(when: str, do: str, *more: str) -> dict[str, str]:
    """Return the quiet network with one automation."""
    text = "\n".join(["automation: it", "label: {fr: Essai, en: Try}", f"when: {when}", *more, "do:", do])
    return changed(QUIET, it=text)


TASK = "  - task: {title: {fr: Faire, en: Do}}"


async def staged(make_stage: MakeStage, files: dict[str, str]) -> tuple[Stage, Actor]:
    """Return a network and a distributor in it."""
    stage = await make_stage(files)
    return stage, await stage.person("Lea", "distributor")


@pytest.mark.parametrize(
    ("when", "fires"),
    [
        ("{entered: recruiting.contacted}", 1),
        ("{entered: recruiting.new}", 1),
        ("{entered: recruiting.lost}", 0),
        ("{left: recruiting.new}", 1),
        ("{left: recruiting.contacted}", 0),
        ("{moved: recruiting.call}", 1),
        ("{moved: recruiting.lose}", 0),
        ("{created: lead}", 1),
        ("{created: company}", 0),
        ("{deleted: lead}", 0),
        ("{changed: {entity: lead, fields: [calls]}}", 1),
        ("{changed: {entity: lead, fields: [email]}}", 0),
        ("{changed: {entity: lead}}", 1),
        ("[{created: lead}, {moved: recruiting.call}]", 2),
        ("[{entered: recruiting.contacted}, {moved: recruiting.call}]", 1),
    ],
)
async def test_what_happens_starts_what_waits_for_it(make_stage: MakeStage, when: str, fires: int) -> None:
    stage, lea = await staged(make_stage, automation(when, "  - stop: true"))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await stage.call(lea, lead)
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("done",)] * fires


async def test_a_deleted_record_is_still_there_for_what_follows(make_stage: MakeStage) -> None:
    files = automation("{deleted: lead}", "  - create: {entity: company, values: {name: =record.last_name}}")
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await commands.delete(stage.tenant, lea, "lead", lead.id, lead.version)
    await stage.worker.run_due()
    assert await stage.rows("company", "name") == [("Roy",)]
    assert await stage.rows("lead", "id") == []


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        ('before.recruiting == "new"', True),
        ('before.recruiting == "lost"', False),
        ("before.calls == 0 && record.calls == 1", True),
        ("actor.id == record.owner.id", True),
        ("record.city == null", True),
        ('record.city == "Lyon"', False),
        ("record.birth_date < today()", False),
        ('network.currency == "EUR"', True),
        ('settings.support == "aide@exemple.fr"', True),
    ],
)
async def test_a_condition_decides_and_its_no_is_kept(make_stage: MakeStage, condition: str, fires: bool) -> None:
    files = automation("{moved: recruiting.call}", "  - stop: true", f"if: {json.dumps(condition)}")
    stage, lea = await staged(make_stage, files)
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == ("done" if fires else "not_fired")
    assert fires or condition in json.loads(error)[1]["condition"]


async def test_each_kind_of_step_leaves_its_trace(make_stage: MakeStage) -> None:
    steps = """
  - set: {city: Lyon, calls: =record.calls + 10}
  - create: {entity: company, as: firm, values: {name: =record.city, city: =record.city}}
  - task: {title: {fr: Voir, en: See}, for: =record.owner, due: =now() + days(1), about: =firm}
  - task: {title: {fr: Écrire, en: Write}, about: =record}
    if: record.calls > 100
  - choose:
      - if: record.calls > 100
        do: [{stop: true}]
      - if: record.calls == 11
        do:
          - move: sign
    else:
      - stop: true
  - email: {template: welcome, to: [=record.email, =record.owner], cc: chef@exemple.fr}
"""
    stage, lea = await staged(make_stage, automation("{moved: recruiting.call}", steps))
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    after = await stage.get(lead)
    assert (after.full["city"], after.full["calls"], after.full["recruiting"]) == ("Lyon", 11, "signed")
    trace = await stage.rows("_step", "seq", "path", "action", "outcome", where='"run" IN (SELECT id FROM _run)')
    assert trace == [
        (1, "do/0", "set", "done"),
        (2, "do/1", "create", "done"),
        (3, "do/2", "task", "done"),
        (4, "do/3", "task", "skipped"),
        (5, "do/4", "choose", "done"),
        (6, "do/4/choose/1/do/0", "move", "done"),
        (7, "do/5", "email", "done"),
    ]
    [task] = await tasks.mine(stage.tenant, lea)
    assert (task.title, task.entity, task.record_title) == ("Voir", "company", "Lyon")
    assert task.due_at == stage.clock.now() + timedelta(days=1)
    assert await stage.rows("_mail", "recipient", "cc") == [
        ("paul@exemple.fr", '["chef@exemple.fr"]'),
        ("lea@exemple.fr", "[]"),
    ]
    assert (await stage.rows("_history", "actor", "actor_kind", where="transition = 'sign'")) == [(lea.id, "system")]


async def test_a_step_that_fails_undoes_itself_alone_and_ends_the_run(make_stage: MakeStage) -> None:
    steps = "  - set: {city: Lyon}\n  - move: sign\n  - set: {city: Paris}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Lyon"
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "failed"
    assert "Nouveau" in error
    assert await stage.rows("_step", "path", "outcome") == [("do/0", "done"), ("do/1", "failed")]


async def test_a_run_goes_on_behind_a_failure_when_told_to(make_stage: MakeStage) -> None:
    steps = "  - move: sign\n    on_error: continue\n  - set: {city: Paris}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Paris"
    assert await stage.rows("_run", "state") == [("done",)]


async def test_a_step_is_tried_again_with_doubling_pauses(make_stage: MakeStage) -> None:
    steps = "  - move: sign\n    retry: {times: 2, backoff: 1m}\n  - set: {city: Paris}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    for minutes, failures in ((0.5, 1), (0.5, 2), (1.5, 2)):
        stage.clock.forward(timedelta(minutes=minutes))
        await stage.worker.run_due()
        assert len(await stage.rows("_step", "id", where="outcome = 'failed'")) == failures
    await stage.call(lea, lead)
    stage.clock.forward(timedelta(minutes=0.5))
    await stage.worker.run_due()
    assert await stage.value(lead, "recruiting") == "signed"
    assert await stage.value(lead, "city") == "Paris"


async def test_a_wait_lasts_its_working_days_and_survives_workers(make_stage: MakeStage) -> None:
    files = automation("{created: lead}", "  - wait: {for: 3 working days}\n" + TASK)
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea)
    await stage.worker.run_due()
    [(state, wake)] = await stage.rows("_run", "state", "wake_at")
    assert (state, wake) == ("waiting", "2026-03-05 11:00:00.000000+00:00")
    stage.clock.moment = datetime(2026, 3, 5, 10, 59, 59, tzinfo=UTC)
    await stage.worker.run_due()
    assert await stage.rows("_task", "id") == []
    stage.clock.forward(timedelta(seconds=1))
    await stage.worker.run_due()
    assert len(await stage.rows("_task", "id")) == 1
    assert await stage.rows("_step", "action", "outcome") == [("wait", "waiting"), ("wait", "done"), ("task", "done")]


@pytest.mark.parametrize(
    ("wait", "wake"),
    [
        ("{until: =record.next_call_at}", "2026-03-05 09:00"),
        ("{until: =record.next_call_at, timeout: 1h}", "2026-03-02 12:00"),
        ("{until: =record.birth_date, timeout: 2h}", "2026-03-02 13:00"),
        ('{for: =duration("90m")}', "2026-03-02 12:30"),
        ("{for: =working_hours(8)}", "2026-03-03 10:00"),
        ("{for: 1 months}", "2026-04-02 10:00"),
        ("{until: =record.birth_date}", None),
        ("{until: =today()}", None),
    ],
)
async def test_a_wait_ends_at_the_time_that_is_asked_for(make_stage: MakeStage, wait: str, wake: str | None) -> None:
    stage, lea = await staged(make_stage, automation("{moved: recruiting.call}", f"  - wait: {wait}"))
    await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    [(state, found)] = await stage.rows("_run", "state", "wake_at")
    if wake is None:
        assert state == "done"
    else:
        assert found.startswith(wake)


async def test_a_wait_is_called_off_when_the_record_changes(make_stage: MakeStage) -> None:
    wait = """  - wait: {for: 3d, cancel_if: 'record.recruiting != "contacted"'}\n"""
    stage, lea = await staged(make_stage, automation("{moved: recruiting.call}", wait + TASK))
    lead = await stage.lead(lea)
    await stage.call(lea, lead)
    await stage.worker.run_due()
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("waiting",)]
    await commands.move(stage.tenant, lea, "lead", lead.id, "lose")
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("cancelled",)]
    stage.clock.forward(timedelta(days=4))
    await stage.worker.run_due()
    assert await stage.rows("_task", "id") == []


async def test_a_wait_is_called_off_at_its_end_when_time_made_it_so(make_stage: MakeStage) -> None:
    wait = "  - wait: {for: 3d, cancel_if: record.next_call_at < now()}\n"
    stage, lea = await staged(make_stage, automation("{moved: recruiting.call}", wait + TASK))
    await stage.call(lea, await stage.lead(lea), next_call_at="2026-03-04T10:00")
    await stage.worker.run_due()
    stage.clock.forward(timedelta(days=3))
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("cancelled",)]
    assert await stage.rows("_task", "id") == []


async def test_runs_over_a_deleted_record_end(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, automation("{created: lead}", "  - wait: {for: 3d}\n" + TASK))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await commands.delete(stage.tenant, lea, "lead", lead.id, None)
    stage.clock.forward(timedelta(days=4))
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("cancelled",)]


@pytest.mark.parametrize(
    ("mode", "states", "tasks_made"),
    [
        ("single", ["waiting", "not_fired"], 1),
        ("restart", ["cancelled", "waiting"], 1),
        ("queued", ["waiting", "waiting"], 2),
        ("parallel", ["waiting", "waiting"], 2),
    ],
)
async def test_the_mode_decides_about_a_second_run_for_the_same_key(
    make_stage: MakeStage, mode: str, states: list[str], tasks_made: int
) -> None:
    files = automation("{moved: recruiting.call}", "  - wait: {for: 1d}\n" + TASK, f"mode: {mode}", "key: =record.id")
    stage, lea = await staged(make_stage, files)
    lead, other = await stage.lead(lea), await stage.lead(lea, email="ida@exemple.fr")
    for called in (lead, lead, other):
        await stage.call(lea, called)
        await stage.worker.run_due()
    found = await stage.rows("_run", "state", "wake_at", where=f"record = '{lead.id}'")
    assert [state for state, _ in found] == states
    assert (mode == "queued") == ("waiting" in states and found[-1][0] == "waiting" and found[-1][1] is None)
    for _ in range(3):
        stage.clock.forward(timedelta(days=1))
        await stage.worker.run_due()
    assert len(await stage.rows("_task", "id", where=f"record = '{lead.id}'")) == tasks_made


async def test_automations_that_start_each_other_are_cut_and_buried_with_the_reason(make_stage: MakeStage) -> None:
    files = automation(
        "{changed: {entity: lead, fields: [calls]}}",
        "  - set: {calls: =record.calls + 1}",
        "if: record.calls < 1000",
        "mode: parallel",
    )
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"calls": 1})
    await stage.worker.run_due()
    assert await stage.value(lead, "calls") == DEPTH + 2
    [(reason,)] = await stage.rows("_outbox", "last_error", where="state = 'dead'")
    assert "cause one another" in reason
    assert (await stage.rows("_run", "state"))[-1] == ("failed",)


async def test_a_run_ends_as_it_began_when_the_definition_changes(make_stage: MakeStage) -> None:
    files = automation("{created: lead}", "  - wait: {for: 1d}\n  - set: {city: Lyon}")
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await stage.tenant.publish(edited(files, ("city: Lyon", "city: Paris")))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Lyon"
    later = await stage.lead(lea, email="ida@exemple.fr")
    await stage.worker.run_due()
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(later, "city") == "Paris"


async def test_runs_end_with_a_change_that_says_so(make_stage: MakeStage) -> None:
    files = automation("{created: lead}", "  - wait: {for: 1d}\n  - set: {city: Lyon}")
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await stage.tenant.publish(edited(files, ("automation: it", "automation: it\nruns: cancel")))
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.value(lead, "city") is None
    assert await stage.rows("_run", "state") == [("cancelled",)]


async def test_the_system_acts_for_nobody_when_nobody_caused_it(make_stage: MakeStage) -> None:
    files = automation("{created: company}", TASK)
    stage, _ = await staged(make_stage, files)
    await commands.create(stage.tenant, SYSTEM, "company", {"name": "Savons"})
    await stage.worker.run_due()
    [(outcome, error)] = await stage.rows("_step", "outcome", "error")
    assert outcome == "failed"
    assert "nobody to give" in error
