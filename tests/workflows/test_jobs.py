"""Jobs: the same for many records, in batches that survive, with what was refused kept by record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from definitions.text import Text
from models.actor import SYSTEM, Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.record import Record
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, jobs
from workflows.deeds import Action
from workflows.jobs import Job
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

FILES = edited(
    SMALL,
    ("set: {calls: =record.calls + 1}\n", "set: {calls: =record.calls + 1}\n    bulk: true\n"),
    ("label: {fr: Perdu, en: Lost}}\n  revive", "label: {fr: Perdu, en: Lost}, bulk: true}\n  revive"),
)
CALL = {"process": "recruiting", "transition": "call", "form": {"next_call_at": "2026-03-05T10:00"}}
LOSE = {"process": "recruiting", "transition": "lose", "form": {}}
FEW = 3
"""A batch of these tests."""


@pytest.fixture
async def stage(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The small network, whose leads can be called and lost together, in small batches."""
    monkeypatch.setattr(jobs, "BATCH", FEW)
    made = await make_stage(FILES)
    made.people["lea"] = await made.person("Lea", "distributor")
    made.people["rita"] = await made.person("Rita", "leader")
    return made


async def leads(stage: Stage, actor: Actor, count: int, **values: Any) -> list[Record]:
    return [await stage.lead(actor, email=f"p{number}@exemple.fr", **values) for number in range(count)]


def ids(records: list[Record]) -> list[str]:
    return [record.id for record in records]


async def states(stage: Stage, records: list[Record]) -> list[str]:
    return [await stage.value(record, "recruiting") for record in records]


async def seen(stage: Stage, actor: Actor, job: Job) -> Job:
    return (await jobs.seen(stage.tenant, actor, job.id))[0]


async def test_a_few_records_are_done_at_once(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, FEW)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", CALL, ids(made))
    assert (job.state, job.total, job.done, job.failed) == ("done", 3, 3, 0)
    assert await states(stage, made) == ["contacted"] * 3
    assert await stage.rows("_outbox", "id", where="kind = 'job'") == []


async def test_many_records_are_done_batch_by_batch_by_whichever_worker_is_there(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, 2 * FEW + 1)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(made))
    assert (job.state, job.done) == ("running", FEW)
    assert await states(stage, made) == ["lost"] * FEW + ["new"] * (FEW + 1)
    await Worker(stage.tenant, name="after a restart").run_due()
    found = await seen(stage, lea, job)
    assert (found.state, found.done, found.ended_at) == ("done", 7, stage.clock.now())
    assert await states(stage, made) == ["lost"] * 7


async def test_one_that_is_refused_hinders_no_other_and_says_why(stage: Stage, lea: Actor) -> None:
    good, mute = await stage.lead(lea, email="a@exemple.fr"), await stage.lead(lea, email="b@exemple.fr", phone=None)
    late = await stage.lead(lea, email="c@exemple.fr")
    job = await jobs.begin(stage.tenant, lea, "lead", "move", CALL, ids([mute, good, late]))
    assert (job.state, job.done, job.failed) == ("done", 2, 1)
    _, (failure,) = await jobs.seen(stage.tenant, lea, job.id)
    assert (failure.record, failure.title) == (mute.id, "Paul Roy")
    assert isinstance(failure.reason, Text)
    assert failure.reason.pick("fr") == "Il manque un téléphone."
    assert await states(stage, [good, mute, late]) == ["contacted", "new", "contacted"]


async def test_what_the_form_lacks_is_said_for_each_record_in_words_that_can_be_translated(
    stage: Stage, lea: Actor
) -> None:
    made = await leads(stage, lea, 2)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", {**CALL, "form": {}}, ids(made))
    _, failures = await jobs.seen(stage.tenant, lea, job.id)
    assert [str(each.reason) for each in failures] == ["This is needed."] * 2


async def test_records_out_of_reach_are_like_records_that_do_not_exist(stage: Stage, lea: Actor) -> None:
    zoe = await stage.person("Zoe", "distributor")
    foreign = await stage.lead(zoe)
    absent = foreign.id[:-4] + "9999"
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, [foreign.id, absent])
    _, (one, other) = await jobs.seen(stage.tenant, lea, job.id)
    assert (one.title, one.reason) == (other.title, other.reason)
    assert one.title == ""
    assert await states(stage, [foreign]) == ["new"]


async def test_a_job_goes_on_with_the_rights_that_its_member_has_then(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, FEW + 2)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(made))
    await commands.update(stage.tenant, SYSTEM, "member", str(lea.id), None, {"levels": ["assistant"]})
    await stage.worker.run_due()
    found = await seen(stage, await stage.actor(str(lea.id)), job)
    assert (found.state, found.done, found.failed) == ("done", FEW, 2)
    assert await states(stage, made) == ["lost"] * FEW + ["new"] * 2


async def test_a_job_whose_member_is_gone_ends(stage: Stage, lea: Actor, rita: Actor) -> None:
    made = await leads(stage, lea, FEW + 1)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(made))
    await commands.update(stage.tenant, SYSTEM, "member", str(lea.id), None, {"active": False})
    await stage.worker.run_due()
    assert (await seen(stage, rita, job)).state == "failed"
    assert await states(stage, made) == ["lost"] * FEW + ["new"]


async def test_a_job_that_is_cancelled_leaves_what_is_not_done(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, 3 * FEW)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(made))
    cancelled = await jobs.cancel(stage.tenant, lea, job.id)
    await stage.worker.run_due()
    assert (cancelled.state, (await seen(stage, lea, job)).done) == ("cancelled", FEW)
    assert await states(stage, made) == ["lost"] * FEW + ["new"] * 6
    assert (await jobs.cancel(stage.tenant, lea, job.id)).ended_at == cancelled.ended_at


async def test_a_whole_job_is_taken_back_while_its_moves_can_be(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, FEW + 1)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", CALL, ids(made))
    await stage.worker.run_due()
    found = await seen(stage, lea, job)
    assert found.undo_until == stage.clock.now() + timedelta(minutes=10)
    back = await jobs.undo(stage.tenant, lea, job.id)
    await stage.worker.run_due()
    assert (await seen(stage, lea, back)).done == FEW + 1
    assert await states(stage, made) == ["new"] * 4
    assert [await stage.value(lead, "calls") for lead in made] == [0] * 4
    assert (await seen(stage, lea, job)).state == "undone"
    with pytest.raises(RefusedError):
        await jobs.undo(stage.tenant, lea, job.id)


@pytest.mark.parametrize(("asked", "minutes"), [(CALL, 10), (LOSE, 0)])
async def test_a_job_is_not_taken_back_too_late_or_where_its_step_is_for_good(
    stage: Stage, lea: Actor, asked: dict[str, Any], minutes: int
) -> None:
    made = await leads(stage, lea, 1)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", asked, ids(made))
    stage.clock.forward(timedelta(minutes=minutes))
    with pytest.raises(RefusedError, match="too late"):
        await jobs.undo(stage.tenant, lea, job.id)


async def test_records_are_given_to_another_member_deleted_and_put_on_the_list_of_tasks(
    stage: Stage, lea: Actor, rita: Actor
) -> None:
    made = await leads(stage, lea, 2)
    due = "2026-03-09 09:00:00+00:00"
    await jobs.begin(stage.tenant, lea, "lead", "task", {"title": "Rappeler", "due": due}, ids(made))
    tasks = await stage.rows("_task", "title", "record", "member")
    assert tasks == [("Rappeler", lead.id, lea.id) for lead in made]
    await jobs.begin(stage.tenant, rita, "lead", "assign", {"owner": {"id": rita.id}}, ids(made))
    assert [(await stage.value(lead, "owner"))["id"] for lead in made] == [rita.id] * 2
    gone = await jobs.begin(stage.tenant, lea, "lead", "delete", {}, ids(made))
    assert (gone.done, gone.failed) == (0, 2)
    gone = await jobs.begin(stage.tenant, rita, "lead", "delete", {}, ids(made))
    assert (gone.done, gone.failed) == (2, 0)


@pytest.mark.parametrize(
    ("entity", "action", "asked", "error"),
    [
        ("lead", "move", {"process": "recruiting", "transition": "sign", "form": {}}, RefusedError),
        ("lead", "move", {"process": "recruiting", "transition": "fly", "form": {}}, NotFoundError),
        ("lead", "move", {"process": "flying", "transition": "call", "form": {}}, NotFoundError),
        ("company", "delete", {}, RefusedError),
        ("nothing", "delete", {}, NotFoundError),
        ("lead", "task", {"title": " "}, InvalidError),
    ],
)
async def test_what_cannot_be_done_to_any_record_begins_no_job(
    stage: Stage, lea: Actor, entity: str, action: Action, asked: dict[str, Any], error: type[Exception]
) -> None:
    made = await leads(stage, lea, 1)
    with pytest.raises(error):
        await jobs.begin(stage.tenant, lea, entity, action, asked, ids(made))
    assert await stage.rows("_job", "id") == []


@pytest.mark.parametrize("count", [0, 5])
async def test_a_job_has_some_records_and_not_too_many(
    stage: Stage, lea: Actor, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(jobs, "MOST", 4)
    with pytest.raises(InvalidError):
        await jobs.begin(stage.tenant, lea, "lead", "delete", {}, ["x"] * count)


async def test_a_job_is_seen_by_its_member_and_by_who_administers(stage: Stage, lea: Actor, rita: Actor) -> None:
    made = await leads(stage, lea, 1)
    job = await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(made))
    zoe = await stage.person("Zoe", "distributor")
    assert (await seen(stage, rita, job)).id == job.id
    for act in (jobs.seen, jobs.cancel, jobs.undo):
        with pytest.raises(NotFoundError):
            await act(stage.tenant, zoe, job.id)


async def test_jobs_that_are_over_are_forgotten_after_a_month(stage: Stage, lea: Actor) -> None:
    await jobs.begin(stage.tenant, lea, "lead", "move", LOSE, ids(await leads(stage, lea, 1)))
    stage.clock.forward(timedelta(days=29))
    await stage.worker.run_due()
    assert len(await stage.rows("_job_item", "id")) == 1
    stage.clock.forward(timedelta(days=2))
    await stage.worker.run_due()
    assert await stage.rows("_job", "id") == await stage.rows("_job_item", "id") == []


async def test_a_form_that_is_sent_twice_begins_one_job(stage: Stage, lea: Actor) -> None:
    made = await leads(stage, lea, 1)
    zoe = await stage.person("Zoe", "distributor")
    task = {"title": "Rappeler"}
    one = await jobs.begin(stage.tenant, lea, "lead", "task", task, ids(made), token="t1")
    two = await jobs.begin(stage.tenant, lea, "lead", "task", task, ids(made), token="t1")
    assert one == two
    assert len(await stage.rows("_task", "id")) == 1
    with pytest.raises(NotFoundError):
        await jobs.begin(stage.tenant, zoe, "lead", "task", task, ids(made), token="t1")
