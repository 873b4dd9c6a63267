from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from models.actor import Actor
from models.errors import NotFoundError, RefusedError
from tests.networks import changed, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands, overseeing
from workflows.publishing import publish
from workflows.runs import DEPTH
from workflows.unit import read

pytestmark = pytest.mark.anyio

FAILS = automation("{created: lead}", "  - set: {calls: 1}\n  - move: sign\n    id: signing\n  - set: {city: Lyon}")


async def failed(make_stage: MakeStage, files: dict[str, str] = FAILS) -> tuple[Stage, Actor, str]:
    """Return a network with a run that failed, who runs it, and the run."""
    stage, lea = await staged(make_stage, files)
    rita = await stage.person("Rita", "leader")
    stage.people["lea"] = lea
    await stage.lead(lea)
    await stage.worker.run_due()
    [(run, state)] = await stage.rows("_run", "id", "state")
    assert state == "failed"
    return stage, rita, run


async def counted(stage: Stage, rita: Actor) -> dict[str, int]:
    return {state: count for state, count in (await read(stage.tenant, rita, overseeing.counts)).items() if count}


async def test_a_failed_run_goes_on_where_it_failed_once_that_can_be_done(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    assert await counted(stage, rita) == {"failed": 1}
    await commands.retry_run(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert await counted(stage, rita) == {"failed": 1}
    [(lead,)] = await stage.rows("lead", "id")
    await commands.move(stage.tenant, rita, "lead", lead, "call", form={"next_call_at": "2026-03-05T10:00"})
    await commands.retry_run(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert await stage.rows("lead", "city", "calls", "recruiting") == [("Lyon", 2, "signed")]
    assert await stage.rows("_run", "state", "error") == [("done", None)]
    trace = [(path, outcome) for path, outcome in await stage.rows("_step", "path", "outcome")]
    again = [("do/1", "retried"), ("do/1", "failed"), ("do/1", "retried"), ("do/1", "done")]
    assert trace == [("do/0", "done"), ("do/1", "failed"), *again, ("do/2", "done")]
    [(error,), _] = await stage.rows("_step", "error", where="outcome = 'retried'")
    assert "Rita Roux" in error


async def test_a_failed_step_is_skipped_by_who_decides_so(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    await commands.skip_step(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert await stage.rows("lead", "city", "recruiting") == [("Lyon", "new")]
    assert await stage.rows("_run", "state") == [("done",)]
    [(error,)] = await stage.rows("_step", "error", where="outcome = 'skipped'")
    assert "Rita Roux" in error


async def test_a_failed_run_is_put_aside_and_counts_no_more(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    await commands.cancel_run(stage.tenant, rita, run)
    assert await counted(stage, rita) == {}
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "cancelled"
    assert "Rita Roux" in error
    for again in (commands.retry_run, commands.skip_step, commands.cancel_run):
        with pytest.raises(RefusedError):
            await again(stage.tenant, rita, run)


async def test_a_wait_is_skipped_or_ended(make_stage: MakeStage) -> None:
    files = automation("{created: lead}", "  - wait: {for: 3d}\n  - set: {city: Lyon}")
    stage, lea = await staged(make_stage, files)
    rita = await stage.person("Rita", "leader")
    for number in range(2):
        await stage.lead(lea, email=f"{number}@exemple.fr")
    await stage.worker.run_due()
    [(first,), (second,)] = await stage.rows("_run", "id")
    with pytest.raises(RefusedError):
        await commands.retry_run(stage.tenant, rita, first)
    await commands.skip_step(stage.tenant, rita, first)
    await commands.cancel_run(stage.tenant, rita, second)
    await stage.worker.run_due()
    assert await stage.rows("lead", "city") == [("Lyon",), (None,)]
    stage.clock.forward(timedelta(days=4))
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("done",), ("cancelled",)]
    assert await stage.rows("_step", "path", "outcome", where=f"run = '{first}'") == [
        ("do/0", "waiting"),
        ("do/0", "skipped"),
        ("do/1", "done"),
    ]


async def test_a_loop_goes_on_at_the_turn_that_failed_and_skipping_leaves_the_turn_alone(
    make_stage: MakeStage,
) -> None:
    turn = "{create: {entity: company, values: {name: =item}}}, {move: sign, if: 'item == \"b\"'}"
    files = automation("{created: lead}", f"  - for_each: {{in: \"=['a', 'b', 'c']\", do: [{turn}]}}")
    stage, rita, run = await failed(make_stage, files)
    await commands.retry_run(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert [name for (name,) in await stage.rows("company", "name")] == ["a", "b"]
    await commands.skip_step(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert [name for (name,) in await stage.rows("company", "name")] == ["a", "b", "c"]
    assert await stage.rows("_run", "state") == [("done",)]
    assert await stage.rows("_item", "id") == []


async def test_a_chain_that_was_cut_is_a_dead_letter_until_somebody_decides(make_stage: MakeStage) -> None:
    files = automation(
        "{changed: {entity: lead, fields: [calls]}}",
        "  - set: {calls: =record.calls + 1}",
        "if: record.calls < 1000",
        "mode: parallel",
    )
    stage, lea = await staged(make_stage, files)
    rita = await stage.person("Rita", "leader")
    lead = await stage.lead(lea)
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"calls": 1})
    await stage.worker.run_due()
    [(run,)] = await stage.rows("_run", "id", where="state = 'failed'")
    assert len(await stage.rows("_outbox", "id", where="state = 'dead'")) == 1
    await commands.cancel_run(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert await stage.rows("_outbox", "id", where="state = 'dead'") == []
    assert await stage.value(lead, "calls") == DEPTH + 2


async def test_a_run_is_not_tried_again_beside_another_of_its_key(make_stage: MakeStage) -> None:
    files = automation(
        "[{created: lead}, {moved: recruiting.call}]",
        "  - move: sign\n    if: record.recruiting == 'new'\n  - wait: {for: 1d}",
    )
    stage, rita, run = await failed(make_stage, files)
    [(lead,)] = await stage.rows("lead", "id")
    await commands.move(stage.tenant, rita, "lead", lead, "call", form={"next_call_at": "2026-03-05T10:00"})
    await stage.worker.run_due()
    with pytest.raises(RefusedError, match="same record"):
        await commands.retry_run(stage.tenant, rita, run)


async def test_only_who_administers_the_network_does_something_about_runs(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    for act in (commands.retry_run, commands.skip_step, commands.cancel_run):
        with pytest.raises(NotFoundError):
            await act(stage.tenant, stage.people["lea"], run)
        with pytest.raises(NotFoundError):
            await act(stage.tenant, rita, "nothing")
    with pytest.raises(NotFoundError):
        await read(stage.tenant, stage.people["lea"], lambda unit: overseeing.page(unit, None))


async def test_a_run_is_shown_with_its_steps_and_what_can_be_done(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    shown = await read(stage.tenant, rita, lambda unit: overseeing.one(unit, run))
    assert (shown.run["automation"], shown.run["title"], shown.step) == ("it", "Paul Roy", "signing")
    assert [(step.path, step.outcome) for step in shown.steps] == [("do/0", "done"), ("do/1", "failed")]
    assert shown.may == {"retry", "skip", "cancel"}
    page = await read(stage.tenant, rita, lambda unit: overseeing.page(unit, "failed"))
    assert ([each["id"] for each in page.runs], page.more) == ([run], False)
    assert (await read(stage.tenant, rita, lambda unit: overseeing.page(unit, "done"))).runs == ()


async def test_a_failed_run_follows_a_new_version_that_migrates_once_it_is_tried_again(make_stage: MakeStage) -> None:
    stage, rita, run = await failed(make_stage)
    mended = edited(FAILS, ("  - move: sign", "  - move: lose"), ("automation: it", "automation: it\nruns: migrate"))
    await publish(stage.tenant, changed(mended))
    await commands.retry_run(stage.tenant, rita, run)
    await stage.worker.run_due()
    assert await stage.rows("lead", "city", "recruiting") == [("Lyon", "lost")]


async def test_a_run_that_is_put_aside_begins_no_second_one_beside_the_one_at_work(make_stage: MakeStage) -> None:
    steps = '  - move: sign\n    if: record.city == "Lyon"\n  - wait: {for: 7d}\n  - set: {calls: 9}'
    stage, lea = await staged(make_stage, automation("{created: lead}", steps, "mode: queued", 'key: "x"'))
    rita = await stage.person("Rita", "leader")
    for city in ("Lyon", "Nice", "Nice", "Nice"):
        await stage.lead(lea, city=city, email=f"{stage.tenant.new_id()}@exemple.fr")
        await stage.worker.run_due()
    first, second, third, fourth = (run for (run,) in await stage.rows("_run", "id"))

    async def begun() -> list[str]:
        return sorted({run for (run,) in await stage.rows("_step", "run", where="action = 'wait'")})

    assert await begun() == [second]
    for aside in (first, third):
        await commands.cancel_run(stage.tenant, rita, aside)
        await stage.worker.run_due()
        assert await begun() == [second]
    stage.clock.forward(timedelta(days=8))
    await stage.worker.run_due()
    await stage.worker.run_due()
    assert await begun() == sorted([second, fourth])


LEADER = """
level: leader
entities:
  member: {read: all}
  lead: {read: all, create: true, update: all, fields: {email: {read: none}}}
"""


async def test_what_steps_were_given_is_for_those_who_are_hidden_nothing(make_stage: MakeStage) -> None:
    tells = automation("{created: lead}", "  - set: {city: '=record.email'}")
    for files, told in ((tells, {"city": "paul@exemple.fr"}), (changed(tells, leader=LEADER), {})):
        stage, lea = await staged(make_stage, files)
        rita = await stage.person("Rita", "leader")
        await stage.lead(lea)
        await stage.worker.run_due()
        [(run,)] = await stage.rows("_run", "id")
        shown = await read(stage.tenant, rita, partial(overseeing.one, run_id=run))
        assert [step.inputs for step in shown.steps] == [told]
