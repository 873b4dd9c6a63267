from __future__ import annotations

import json

import pytest

from tests.networks import changed
from tests.workflows.conftest import MakeStage
from tests.workflows.test_automations import QUIET, staged
from workflows import commands
from workflows.runs import DEPTH

pytestmark = pytest.mark.anyio


def two(first: str, second: str) -> dict[str, str]:
    """Return the quiet network with two automations: `first` and `second`."""
    return changed(QUIET, two=f"automation: first\n{first}\n---\nautomation: second\n{second}\n")


async def test_another_automation_is_started_for_the_same_record(make_stage: MakeStage) -> None:
    files = two(
        "when: {created: lead}\ndo: [{set: {city: Lyon}}, {run: second}, {set: {calls: 7}}]",
        "when: {deleted: lead}\nif: record.city == 'Lyon'\ndo: [{set: {calls: =record.calls + 1}}]",
    )
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.value(lead, "calls") == 8
    [first, second] = await stage.rows("_run", "id", "automation", "state", "record", "actor", "cause")
    assert first[1:5] == ("first", "done", lead.id, lea.id)
    assert second[1:] == ("second", "done", lead.id, lea.id, first[0])
    [(result,)] = await stage.rows("_step", "result", where="action = 'run'")
    assert json.loads(result) == {"run": second[0]}


async def test_it_does_not_start_where_its_own_condition_or_mode_forbids_it(make_stage: MakeStage) -> None:
    files = two(
        "when: {created: lead}\ndo: [{run: second}, {run: second}, {set: {city: Nice}}, {run: second}]",
        "when: {deleted: lead}\nif: record.city != 'Nice'\ndo: [{wait: {for: 1d}}]",
    )
    stage, lea = await staged(make_stage, files)
    await stage.lead(lea)
    await stage.worker.run_due()
    traces = await stage.rows("_step", "outcome", "error", where="action = 'run'")
    assert [outcome for outcome, _ in traces] == ["done", "skipped", "skipped"]
    assert "did not start" in traces[1][1]
    found = await stage.rows("_run", "state", "error", where="automation = 'second'")
    assert [state for state, _ in found] == ["waiting", "not_fired", "not_fired"]
    assert "under way" in found[1][1]
    assert "condition" in found[2][1]


async def test_it_is_started_for_the_record_that_is_named_and_for_none_where_it_has_none(
    make_stage: MakeStage,
) -> None:
    files = two(
        "when: {created: lead}\ndo:\n  - run: second\n    record: =record.company\n  - run: third",
        "when: {deleted: company}\ndo: [{set: {city: =actor.country}}]\n---\n"
        "automation: third\nwhen: {every: {cron: '0 8 * * *'}}\n"
        "do: [{create: {entity: company, values: {name: Other}}}]",
    )
    stage, lea = await staged(make_stage, files)
    firm = await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    await stage.lead(lea, company=firm.id)
    await stage.lead(lea, email="ida@exemple.fr")
    await stage.worker.run_due()
    assert await stage.rows("company", "name", "city") == [("Savons", "FR"), ("Other", None)]
    assert await stage.rows("_run", "state", where="automation = 'first'") == [("done",), ("failed",)]


async def test_an_automation_that_nothing_else_starts_says_what_it_is_about(make_stage: MakeStage) -> None:
    files = two(
        "when: {created: lead}\ndo: [{run: second}]",
        "entity: lead\nif: record.country == 'FR'\ndo: [{set: {city: =record.first_name}}]",
    )
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.lead(lea, email="ida@exemple.fr", country="BE")
    await stage.worker.run_due()
    assert await stage.value(lead, "city") == "Paul"
    assert sorted(await stage.rows("_run", "state", where="automation = 'second'")) == [("done",), ("not_fired",)]


async def test_automations_that_run_each_other_are_cut_with_a_dead_letter_in_words(make_stage: MakeStage) -> None:
    files = two(
        "when: {created: lead}\nmode: parallel\ndo: [{run: second}]",
        "when: {deleted: lead}\nmode: parallel\nif: record.calls < 100\n"
        "do: [{set: {calls: =record.calls + 1}}, {run: first}]",
    )
    stage, lea = await staged(make_stage, files)
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.value(lead, "calls") == DEPTH / 2
    [(reason,)] = await stage.rows("_outbox", "last_error", where="state = 'dead'")
    assert reason == "Automations cause one another more than 12 times in a row: First → Second → …"
    assert (await stage.rows("_run", "state"))[-1] == ("failed",)


async def test_what_a_started_run_did_is_taken_back_with_the_move_that_began_it(make_stage: MakeStage) -> None:
    files = two(
        "when: {moved: recruiting.call}\ndo: [{run: second}]",
        "when: {deleted: lead}\ndo: [{create: {entity: company, values: {name: Savons}}}, {wait: {for: 1d}}]",
    )
    stage, lea = await staged(make_stage, files)
    moved = await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    assert len(await stage.rows("company", "id")) == 1
    await commands.undo(stage.tenant, lea, moved.history)
    assert await stage.rows("company", "id") == []
    assert await stage.rows("_run", "state") == [("done",), ("cancelled",)]
