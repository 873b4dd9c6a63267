from __future__ import annotations

import json
from datetime import timedelta

import pytest

from models.actor import Actor
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import automations, commands, turns

pytestmark = pytest.mark.anyio

STARTED = 'if: record.name == "Savons"'
"""Companies that the loops make start no other one."""


async def three(stage: Stage, lea: Actor) -> None:
    """Make three leads, and then the company that starts the automation."""
    for number, name in enumerate(("Ana", "Bea", "Cid")):
        await stage.lead(lea, first_name=name, email=f"{name}@exemple.fr", calls=number)
    await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    await stage.worker.run_due()


async def made(stage: Stage) -> list[str]:
    """Return the companies that a loop made, in order."""
    return [name for (name,) in await stage.rows("company", "name", where="name <> 'Savons'")]


MAKE = "    do: [{create: {entity: company, values: {name: =lead.first_name, city: =record.name}}}]"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("{entity: lead}", ["Ana", "Bea", "Cid"]),
        ("{entity: lead, sort: -calls}", ["Cid", "Bea", "Ana"]),
        ("{entity: lead, sort: -calls, limit: 2}", ["Cid", "Bea"]),
        ("{entity: lead, where: record.calls > 0}", ["Bea", "Cid"]),
        ("{entity: lead, where: lead.calls > 0 && record.name == 'Savons'}", ["Bea", "Cid"]),
        ("{entity: lead, where: lead.first_name == record.city}", []),
        ("{entity: lead, where: lead.owner == actor && lead.owner.country == 'FR'}", ["Ana", "Bea", "Cid"]),
        ("{entity: lead, where: record.calls > 7}", []),
    ],
)
async def test_a_loop_goes_through_the_records_of_a_query(make_stage: MakeStage, query: str, names: list[str]) -> None:
    stage, lea = await staged(
        make_stage, automation("{created: company}", f"  - for_each: {{in: {query}, as: lead}}\n{MAKE}", STARTED)
    )
    await three(stage, lea)
    assert await made(stage) == names
    assert await stage.rows("_run", "state", where="state <> 'not_fired'") == [("done",)]
    assert await stage.rows("_step", "path", "action", "outcome", "turn") == [
        ("do/0", "for_each", "done", None),
        *(("do/0/do/0", "create", "done", str(number + 1)) for number in range(len(names))),
    ]
    assert await stage.rows("_item", "id") == []


@pytest.mark.parametrize(
    ("items", "value", "made_of"),
    [
        ("record.interests", "item", ["home", "beauty"]),
        ("['a', 'b']", "item", ["a", "b"]),
        ("[1, 2]", "string(item + 1)", ["2", "3"]),
        ("[1.5, 2.25]", "string(item * 2)", ["3", "4.5"]),
        ("[today()]", "string(year(item))", ["2026-01-01"]),
        ("[now(), record.created_at]", "string(date(item))", ["2026-03-02", "2026-03-02"]),
        ("[days(2)]", "string(date(now() + item))", ["2026-03-04"]),
        ("[['a', 'b'], ['c']]", "item[0]", ["a", "c"]),
        ("[record.owner, actor]", "item.first_name", ["Lea", "Lea"]),
        ("[record.company]", "item.name", []),
        ("record.interests.filter(each, each == 'home' && record.calls > 3)", "item", []),
    ],
)
async def test_a_loop_goes_through_the_values_of_a_list(
    make_stage: MakeStage, items: str, value: str, made_of: list[str]
) -> None:
    steps = f"  - for_each: {{in: {json.dumps(f'={items}')}, do: [{{create: {{entity: company, values: {{name: {json.dumps(f'={value}')}}}}}}}]}}"  # noqa: E501 - YAML of one line
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    await stage.lead(lea, interests=("home", "beauty"))
    await stage.worker.run_due()
    assert await made(stage) == made_of
    assert await stage.rows("_run", "state") == [("done",)]


async def test_a_wait_in_a_loop_survives_workers_and_the_set_is_that_of_the_beginning(make_stage: MakeStage) -> None:
    steps = "  - for_each: {in: {entity: lead}, as: lead}\n    do: [{wait: {for: 1h}}, " + MAKE.split("[")[1]
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    await stage.lead(lea, first_name="Late", email="late@exemple.fr")
    for done in range(1, 4):
        assert await stage.rows("_run", "state", where="state <> 'not_fired'") == [("waiting",)]
        stage.clock.forward(timedelta(hours=1))
        await stage.worker.run_due()
        assert len(await made(stage)) == done
    assert await made(stage) == ["Ana", "Bea", "Cid"]
    assert await stage.rows("_run", "state", where="state <> 'not_fired'") == [("done",)]


async def test_a_record_that_is_deleted_meanwhile_is_left_out_and_the_trace_says_so(make_stage: MakeStage) -> None:
    steps = "  - for_each: {in: {entity: lead}, as: lead}\n    do: [{wait: {for: 1h}}, " + MAKE.split("[")[1]
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    [(second,)] = await stage.rows("lead", "id", where="first_name = 'Bea'")
    await commands.delete(stage.tenant, lea, "lead", second, None)
    for _ in range(3):
        stage.clock.forward(timedelta(hours=1))
        await stage.worker.run_due()
    assert await made(stage) == ["Ana", "Cid"]
    assert await stage.rows("_step", "path", "turn", where="outcome = 'skipped'") == [("do/0", "2")]


async def test_loops_stand_in_loops_and_stop_ends_the_run(make_stage: MakeStage) -> None:
    steps = """
  - for_each: {in: {entity: lead}, as: lead}
    do:
      - for_each: {in: "=['x', 'y']"}
        do:
          - choose:
              - if: lead.calls == 1 && item == "y"
                do: [{stop: true}]
            else:
              - create: {entity: company, values: {name: =lead.first_name + item}}
"""
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    assert await made(stage) == ["Anax", "Anay", "Beax"]
    assert await stage.rows("_step", "turn", where="action = 'stop'") == [("2.2",)]
    assert await stage.rows("_run", "state", where="state <> 'not_fired'") == [("done",)]
    assert await stage.rows("_item", "id") == []


async def test_a_record_made_in_a_turn_is_known_in_that_turn_alone(make_stage: MakeStage) -> None:
    steps = """
  - for_each: {in: {entity: lead}, as: lead}
    do:
      - create: {entity: company, as: firm, values: {name: =lead.first_name}}
        if: lead.calls != 1
      - set: {city: Lyon}
        record: =firm
        on_error: continue
"""
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    assert await stage.rows("company", "name", "city", where="name <> 'Savons'") == [("Ana", "Lyon"), ("Cid", "Lyon")]
    [(error,)] = await stage.rows("_step", "error", where="outcome = 'failed'")
    assert "is gone" in error


@pytest.mark.parametrize(("lenient", "moved"), [("", ["Ana"]), ("\n    on_error: continue", ["Ana", "Cid"])])
async def test_a_turn_that_fails_ends_the_run_or_itself_alone(
    make_stage: MakeStage, lenient: str, moved: list[str]
) -> None:
    steps = f"""
  - for_each: {{in: {{entity: lead}}, as: lead}}{lenient}
    do:
      - choose:
          - if: lead.calls == 1
            do: [{{for_each: {{in: "=[1]", do: [{{move: sign}}]}}}}]
      - move: {{record: =lead, transition: lose}}
"""
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    assert await stage.rows("lead", "first_name", where="recruiting = 'lost'") == [(name,) for name in moved]
    [(state,)] = await stage.rows("_run", "state", where="state <> 'not_fired'")
    assert state == ("done" if lenient else "failed")


async def test_steps_in_a_loop_are_about_its_item_where_they_are_about_such_records(make_stage: MakeStage) -> None:
    steps = """
  - for_each: {in: {entity: lead, where: lead.calls > 0}, as: lead}
    do:
      - set: {city: =lead.first_name}
      - move: lose
      - email: {template: welcome, to: =lead.email, from: owner}
      - task: {title: {fr: Voir, en: See}, about: =lead, for: =lead.owner}
"""
    stage, lea = await staged(make_stage, automation('{every: {cron: "0 8 * * *"}}', steps))
    await three(stage, lea)
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert await stage.rows("lead", "city", "recruiting") == [(None, "new"), ("Bea", "lost"), ("Cid", "lost")]
    found = await stage.rows("lead", "id", where="calls > 0")
    assert await stage.rows("_mail", "record", "recipient", "subject") == [
        (found[0][0], "Bea@exemple.fr", "Bonjour Bea"),
        (found[1][0], "Cid@exemple.fr", "Bonjour Cid"),
    ]
    assert await stage.rows("_task", "record") == found
    assert await stage.rows("_run", "state") == [("done",)]


async def test_a_step_is_about_the_record_that_it_names(make_stage: MakeStage) -> None:
    steps = "  - set: {city: =record.first_name}\n    record: =record.company"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    firm = await commands.create(stage.tenant, lea, "company", {"name": "Savons"})
    lead = await stage.lead(lea, company=firm.id)
    await stage.worker.run_due()
    assert await stage.value(firm, "city") == "Paul"
    assert await stage.value(lead, "city") is None
    assert await stage.rows("_history", "entity", "actor_kind", where="kind = 'updated'") == [("company", "system")]


async def test_a_long_loop_shares_its_time_with_others(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automations, "STEPS", 4)
    steps = "  - for_each: {in: {entity: lead}, as: lead}\n" + MAKE + "\n  - set: {city: Lyon}"
    stage, lea = await staged(make_stage, automation("{created: company}", steps, STARTED))
    await three(stage, lea)
    assert await made(stage) == ["Ana", "Bea", "Cid"]
    assert await stage.rows("company", "city", where="name = 'Savons'") == [("Lyon",)]
    runs = await stage.rows("_outbox", "state", where="kind = 'run'")
    assert runs == [("done",)] * 3  # 1 + 2 × 3 + 1 steps, and the turn after the last, four at a time
    assert await stage.rows("_step", "seq") == [(number,) for number in range(1, 6)]


@pytest.mark.parametrize(("most", "steps"), [(2, "{in: {entity: lead}}"), (2, "{in: '=[1, 2, 3]'}")])
async def test_a_loop_is_bounded(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch, most: int, steps: str) -> None:
    monkeypatch.setattr(turns, "MOST", most)
    files = automation("{created: company}", f"  - for_each: {steps}\n    do: [{{task: {{title: X}}}}]", STARTED)
    stage, lea = await staged(make_stage, files)
    await three(stage, lea)
    [(state, error)] = await stage.rows("_run", "state", "error", where="state <> 'not_fired'")
    assert state == "failed"
    assert "more than" in error
    assert await stage.rows("_item", "id") == []


async def test_loops_in_loops_are_bounded_together(make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST", 5)
    inner = "{for_each: {in: '=[1, 2]', as: inner, do: [{create: {entity: company, values: {name: x}}}]}}"
    steps = f"  - for_each: {{in: '=[1, 2, 3]', do: [{inner}]}}"
    stage, lea = await staged(make_stage, automation("{created: lead}", steps))
    await stage.lead(lea)
    await stage.worker.run_due()
    [(state, error)] = await stage.rows("_run", "state", "error")
    assert state == "failed"
    assert "turns" in error
    assert len(await made(stage)) == 3


async def test_what_a_cancelled_loop_kept_is_gone_with_it(make_stage: MakeStage) -> None:
    wait = "{wait: {for: 1h, cancel_if: 'record.city == \"Lyon\"'}}"
    stage, lea = await staged(
        make_stage,
        automation("{created: company}", f"  - for_each: {{in: {{entity: lead}}, as: lead, do: [{wait}]}}", STARTED),
    )
    await three(stage, lea)
    assert len(await stage.rows("_item", "id")) == 3
    [(company,)] = await stage.rows("company", "id")
    await commands.update(stage.tenant, lea, "company", company, None, {"city": "Lyon"})
    await stage.worker.run_due()
    assert await stage.rows("_item", "id") == []
    assert await stage.rows("_run", "state") == [("cancelled",)]
