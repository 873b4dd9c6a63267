"""Automations: triggers, the record they are about, and every kind of step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.duration import Duration
from definitions.spec import automation as spec
from tests.definitions.build.office import built, codes

MAIL = "template: hello\nchannel: email\nabout: lead\nsubject: Hello\nbody: Hello {{ record.name }}\n---\n"


def automation(when: str, do: str = "[{stop: true}]", more: str = "") -> spec.Automation:
    return built(f"{MAIL}automation: it\nwhen: {when}\ndo: {do}\n{more}").automations["it"]


def refused(when: str, do: str = "[{stop: true}]", more: str = "") -> list[str]:
    return codes(f"{MAIL}automation: it\nwhen: {when}\ndo: {do}\n{more}")


def step(written: str) -> spec.Step:
    return automation("{entered: recruiting.contacted}", f"[{written}]").steps[0]


DAY = Duration(exact=timedelta(days=1))


@pytest.mark.parametrize(
    ("written", "kind", "values"),
    [
        ("{entered: recruiting.new}", spec.Entered, {"process": "recruiting", "state": "new", "left": False}),
        ("{entered: new}", spec.Entered, {"process": "recruiting", "state": "new"}),
        ("{left: recruiting.new}", spec.Entered, {"left": True}),
        ("{moved: recruiting.call}", spec.Moved, {"transition": "call"}),
        ("{stays: {state: recruiting.new, for: 1d}}", spec.Stays, {"state": "new", "duration": DAY}),
        ("{created: lead}", spec.Created, {"entity": "lead", "deleted": False}),
        ("{deleted: lead}", spec.Created, {"deleted": True}),
        ("{changed: {entity: lead, fields: [calls, name]}}", spec.Changed, {"fields": ("calls", "name")}),
        ("{changed: {entity: lead}}", spec.Changed, {"fields": ()}),
        ("{due: {entity: lead, at: next_call_at, before: 1d}}", spec.Due, {"before": DAY, "after": None}),
        ("{due: {entity: lead, at: created_at, after: 1d}}", spec.Due, {"before": None, "after": DAY}),
        ("{every: {cron: '0 8 * * 1-5'}}", spec.Every, {"entity": None, "catch_up": "last"}),
        ("{every: {cron: '0 8 * * *', for_each: {entity: lead}, catch_up: all}}", spec.Every, {"entity": "lead"}),
    ],
)
def test_a_trigger_is_built(written: str, kind: type, values: dict[str, object]) -> None:
    trigger = automation(written).triggers[0]
    assert type(trigger) is kind
    assert {name: getattr(trigger, name) for name in values} == values


def test_several_triggers_about_one_entity() -> None:
    found = automation("[{created: lead}, {changed: {entity: lead}}]", more="if: before.calls == 0\n")
    assert len(found.triggers) == 2
    assert found.entity == "lead"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{entered: nowhere}", "process.unknown_state"),
        ("{entered: sales.new}", "process.unknown"),
        ("{moved: recruiting.cal}", "process.unknown_transition"),
        ("{stays: {state: recruiting.new, for: ages}}", "duration.syntax"),
        ("{created: led}", "entity.unknown"),
        ("{changed: {entity: led}}", "entity.unknown"),
        ("{changed: {entity: lead, fields: [cals]}}", "field.unknown"),
        ("{due: {entity: led, at: x}}", "entity.unknown"),
        ("{due: {entity: lead, at: name}}", "automation.due_at"),
        ("{due: {entity: lead, at: created_at, before: 1d, after: 1d}}", "automation.due_both"),
    ],
)
def test_a_trigger_that_cannot_be(written: str, code: str) -> None:
    assert refused(written) == [code]


def test_a_state_of_several_processes_needs_the_process() -> None:
    second = "---\nprocess: second\nentity: lead\nstates: {new: {initial: true, final: true}}\n"
    assert refused("{entered: new}", more=second) == ["process.ambiguous"]


def test_an_email_has_recipients_of_every_kind() -> None:
    found = step("{email: {template: hello, to: [=record.owner, a@exemple.fr], cc: {level: leader}, from: owner}}")
    assert isinstance(found, spec.Email)
    assert [value.literal for value in found.to] == [None, "a@exemple.fr"]
    assert (found.to_level, found.cc, found.cc_level, found.sender) == (None, (), "leader", "owner")


def test_a_step_has_what_every_step_has() -> None:
    written = "{id: first, if: record.calls > 1, on_error: continue, retry: {times: 2, backoff: 1d}, stop: true}"
    found = step(written)
    assert (found.path, found.id, found.on_error) == ("do/0", "first", "continue")
    assert found.condition is not None
    assert found.retry == spec.Retry(2, DAY)


def test_set_create_and_move() -> None:
    do = (
        "[{set: {calls: 3}}, {create: {entity: company, as: firm, values: {name: =record.name}}}, "
        "{set: {company: =firm}}, {move: call}, "
        "{move: {record: =record, transition: recruiting.call, form: {when: =now()}}}]"
    )
    steps = automation("{created: lead}", do).steps
    assert isinstance(steps[0], spec.SetFields)
    assert steps[0].values["calls"].literal == 3
    assert isinstance(steps[1], spec.Create)
    assert (steps[1].entity, steps[1].as_name) == ("company", "firm")
    assert isinstance(steps[3], spec.Move)
    assert (steps[3].process, steps[3].transition, steps[3].record) == ("recruiting", "call", None)
    assert isinstance(steps[4], spec.Move)
    assert list(steps[4].form) == ["when"]


def test_tasks_waits_and_choices() -> None:
    do = (
        "[{task: {title: Call, for: =record.owner, due: '2026-11-23 09:00', about: =record}}, "
        "{wait: {for: 1d, timeout: 1d}}, "
        "{wait: {for: =settings.keep, cancel_if: record.calls > 3}}, {wait: {until: =record.next_call_at}}, "
        "{choose: [{if: record.calls > 1, do: [{stop: true}]}], else: [{task: {title: Wait}}]}]"
    )
    steps = automation("{created: lead}", do).steps
    task, wait, computed, until, choose = steps
    assert isinstance(task, spec.Task)
    assert task.for_member is not None
    assert isinstance(wait, spec.Wait)
    assert wait.duration is not None
    assert (wait.duration.literal, wait.timeout) == (DAY, DAY)
    assert isinstance(computed, spec.Wait)
    assert computed.cancel_if is not None
    assert isinstance(until, spec.Wait)
    assert until.until is not None
    assert isinstance(choose, spec.Choose)
    assert choose.branches[0].steps[0].path == "do/4/choose/0/do/0"
    assert choose.otherwise[0].path == "do/4/else/0"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{email: {template: text, to: =record.email}}", "template.unknown"),
        ("{stop: true, else: [{stop: true}]}", "automation.else"),
        ("{id: alone}", "automation.action"),
        ("{create: {entity: firm, values: {name: x}}}", "entity.unknown"),
        ("{create: {entity: company, as: record, values: {name: x}}}", "automation.name_taken"),
        ("{move: {record: =record.company, transition: call}}", "expression.type"),
        ("{move: {transition: call, form: {wen: =now()}}}", "automation.form_field"),
        ("{move: {transition: call, form: {when: never}}}", "value.type"),
        ("{task: {title: Call, for: somebody}}", "value.type"),
        ("{task: {title: Call, due: never}}", "value.type"),
        ("{wait: {for: 1d, until: =now()}}", "automation.wait"),
        ("{wait: {for: ages}}", "value.type"),
    ],
)
def test_a_step_that_cannot_be(written: str, code: str) -> None:
    assert refused("{created: lead}", f"[{written}]") == [code]


def test_a_move_needs_a_record_of_its_process() -> None:
    assert refused("{created: company}", "[{move: recruiting.call}]") == ["automation.move_entity"]
    assert refused("{every: {cron: '0 8 * * *'}}", "[{move: recruiting.call}]") == ["automation.move_entity"]


def test_a_schedule_without_records_has_none() -> None:
    found = automation("{every: {cron: '0 8 * * *'}}", "[{task: {title: Look, for: =actor}}]")
    assert found.entity is None
    assert refused("{every: {cron: '0 8 * * *'}}", "[{stop: true, if: record.calls > 1}]") == [
        "expression.unknown_name"
    ]


def test_a_key_tells_runs_apart() -> None:
    assert automation("{created: lead}", more="key: =record.id\n").key is not None
    fixed = automation("{created: lead}", more="key: one\nmode: queued\nruns: cancel\n")
    assert fixed.key is not None
    assert (fixed.key.literal, fixed.mode, fixed.runs) == ("one", "queued", "cancel")
