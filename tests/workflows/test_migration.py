from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from definitions.problems import DefinitionError
from models.actor import Actor
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands
from workflows.proposal import propose
from workflows.publishing import publish

pytestmark = pytest.mark.anyio

WAITS = automation(
    "{created: lead}",
    "  - wait: {for: 1d}\n    id: pause\n  - set: {city: Lyon}",
    "runs: migrate",
)


async def waiting(make_stage: MakeStage, files: Mapping[str, str]) -> tuple[Stage, Actor, str]:
    """Return a network with a run that waits, and the id of its lead."""
    stage, lea = await staged(make_stage, dict(files))
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    return stage, lea, lead.id


async def a_day_later(stage: Stage) -> None:
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()


async def test_a_waiting_run_goes_on_in_the_new_version_at_the_step_of_the_same_id(make_stage: MakeStage) -> None:
    stage, _, _ = await waiting(make_stage, WAITS)
    moved = "  - task: {title: {fr: Voir, en: See}}\n  - wait: {for: 5d}\n    id: pause\n  - set: {city: Paris}"
    await publish(stage.tenant, automation("{created: lead}", moved, "runs: migrate"))
    await a_day_later(stage)
    assert await stage.rows("lead", "city") == [("Paris",)]
    assert await stage.rows("_task", "id") == []
    assert await stage.rows("_run", "state", "definition") == [("done", stage.tenant.published.version)]
    assert await stage.rows("_step", "path", "outcome") == [("do/0", "waiting"), ("do/1", "done"), ("do/2", "done")]


@pytest.mark.parametrize(
    ("edit", "city"),
    [
        (("city: Lyon", "city: Paris"), "Paris"),
        (("automation: it", "automation: other\nwas: it"), "Lyon"),
        (
            ("  - set: {city: Lyon}", "  - choose:\n      - if: record.calls < 9\n        do: [{set: {city: Nice}}]"),
            "Nice",
        ),
    ],
)
async def test_a_step_without_an_id_is_found_by_its_place(
    make_stage: MakeStage, edit: tuple[str, str], city: str
) -> None:
    files = edited(WAITS, ("\n    id: pause", ""))
    stage, _, _ = await waiting(make_stage, files)
    await publish(stage.tenant, edited(files, edit))
    await a_day_later(stage)
    assert await stage.rows("lead", "city") == [(city,)]
    assert await stage.rows("_run", "state") == [("done",)]


GONE = [
    ("id: pause", "id: rest"),
    ("wait: {for: 1d}", "set: {calls: 3}"),
    (
        "  - wait: {for: 1d}\n    id: pause\n",
        "  - for_each: {in: '=[1]'}\n    do:\n      - wait: {for: 1d}\n        id: pause\n",
    ),
]


@pytest.mark.parametrize("edit", GONE)
async def test_a_version_without_the_step_is_refused_in_words(make_stage: MakeStage, edit: tuple[str, str]) -> None:
    stage, _, _ = await waiting(make_stage, WAITS)
    files = edited(WAITS, edit)
    before = stage.tenant.published.version
    proposal = await propose(stage.tenant, files)
    assert [(each.code, each.place.file) for each in proposal.refused] == [("plan.run_step", "it.yaml")]
    assert "pause" in proposal.refused[0].message
    with pytest.raises(DefinitionError) as refused:
        await publish(stage.tenant, files)
    assert [each.code for each in refused.value.problems] == ["plan.run_step"]
    assert stage.tenant.published.version == before
    await a_day_later(stage)
    assert await stage.rows("lead", "city") == [("Lyon",)]


@pytest.mark.parametrize("edit", GONE)
async def test_a_run_without_its_step_ends_when_that_is_allowed(make_stage: MakeStage, edit: tuple[str, str]) -> None:
    stage, _, _ = await waiting(make_stage, WAITS)
    await publish(stage.tenant, edited(WAITS, edit), allow_loss=True)
    await a_day_later(stage)
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "cancelled"
    assert "no such step" in error
    assert await stage.rows("lead", "city") == [(None,)]


async def test_a_run_goes_on_in_the_middle_of_its_loops(make_stage: MakeStage) -> None:
    loop = """
  - for_each: {in: "=['a', 'b']", as: letter}
    id: letters
    do:
      - for_each: {in: "=[1, 2]", as: number}
        do:
          - wait: {for: 1d}
            id: pause
          - create: {entity: company, values: {name: =letter + string(number)}}
"""
    files = automation("{created: lead}", loop, "runs: migrate")
    stage, _, _ = await waiting(make_stage, files)
    await a_day_later(stage)
    new = edited(files, ("  - for_each: {in: \"=['a'", "  - set: {calls: 5}\n  - for_each: {in: \"=['a'"))
    new = edited(new, ("as: letter", "as: sign"), ("=letter +", "=sign + '-' +"))
    await publish(stage.tenant, new)
    for _ in range(3):
        await a_day_later(stage)
    assert [name for (name,) in await stage.rows("company", "name")] == ["a1", "a-2", "b-1", "b-2"]
    assert await stage.rows("_run", "state") == [("done",)]
    assert await stage.rows("_item", "id") == []


async def test_what_a_run_keeps_follows_the_names(make_stage: MakeStage) -> None:
    steps = """
  - create: {entity: company, as: firm, values: {name: Savons}}
  - wait: {for: 1d, cancel_if: before.city == "Nice"}
    id: pause
  - set: {city: =firm.name + before.city}
"""
    files = automation("{changed: {entity: lead, fields: [city]}}", steps, "runs: migrate", "mode: single")
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea, city="Lille")
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    await stage.worker.run_due()
    new = {name: text.replace("company", "firma") for name, text in files.items()}
    new = {
        name: text.replace("city: ", "town: ").replace("[city]", "[town]").replace(".city", ".town")
        for name, text in new.items()
    }
    new["lead.yaml"] = (
        new["lead.yaml"]
        .replace("town:         {type", "town:         {was: city, type")
        .replace("  firma:      {type: reference", "  firma:      {was: company, type: reference")
    )
    new["company.yaml"] = (
        new["company.yaml"]
        .replace("entity: firma", "entity: firma\nwas: company")
        .replace("town: {type: text", "town: {was: city, type: text")
    )
    await publish(stage.tenant, new)
    await a_day_later(stage)
    assert await stage.rows("_run", "state") == [("done",), ("not_fired",)]
    assert await stage.rows("lead", "town") == [("SavonsLille",)]


async def test_runs_that_just_began_or_wait_in_the_queue_go_over_too(make_stage: MakeStage) -> None:
    files = edited(WAITS, ("runs: migrate", "runs: migrate\nmode: queued\nkey: x"))
    stage, lea = await staged(make_stage, files)
    for number in range(3):
        await stage.lead(lea, email=f"{number}@exemple.fr")
        if number == 0:
            await stage.worker.run_due()
    await publish(stage.tenant, edited(files, ("city: Lyon", "city: Paris")))
    for _ in range(3):
        await a_day_later(stage)
    assert await stage.rows("lead", "city") == [("Paris",)] * 3


async def test_work_that_was_read_before_a_run_went_over_is_done_again_in_the_new_version(
    make_stage: MakeStage,
) -> None:
    stage, _, _ = await waiting(make_stage, WAITS)
    old = stage.tenant.published
    await publish(stage.tenant, edited(WAITS, ("city: Lyon", "city: Paris")))
    [(payload,)] = await stage.rows("_outbox", "payload", where="kind = 'run' AND state = 'ready'")
    assert json.loads(payload)["definition"] == stage.tenant.published.version
    stage.clock.forward(timedelta(days=1))

    async def late(number: int) -> object:
        del number
        return old

    original, stage.tenant.version = stage.tenant.version, late  # type: ignore[method-assign,assignment] # once
    rows = await stage.worker._claim(("run",))  # a worker between two of its steps
    await stage.worker._work(rows, None)
    stage.tenant.version = original  # type: ignore[method-assign] # as it was
    assert await stage.rows("_run", "state") == [("waiting",)]
    await stage.worker.run_due()
    assert await stage.rows("lead", "city") == [("Paris",)]


async def test_a_plan_says_that_runs_go_over(make_stage: MakeStage) -> None:
    stage, _, _ = await waiting(make_stage, WAITS)
    proposal = await propose(stage.tenant, edited(WAITS, ("city: Lyon", "city: Paris")))
    assert [(each.automation, each.active, each.fate) for each in proposal.runs] == [("it", 1, "migrate")]
