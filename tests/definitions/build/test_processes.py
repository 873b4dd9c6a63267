"""Processes: states, transitions, forms and what they set."""

from __future__ import annotations

import pytest

from definitions.spec.process import Transition
from tests.definitions.build.office import OFFICE, built, codes


def transition(written: str) -> Transition:
    states = "states: {a: {initial: true}, b: {}, c: {final: true}}"
    text = f"process: course\nentity: lead\n{states}\ntransitions:\n  go: {written}\n  end: {{from: any, to: c}}\n"
    return built(text + "  start: {from: a, to: b}\n").processes["course"].transitions["go"]


def test_any_is_every_state_that_is_not_final_the_target_aside() -> None:
    assert built().processes["recruiting"].transitions["sign"].sources == ("new", "contacted")
    assert transition("{from: any, to: b}").sources == ("a",)


def test_a_question_edits_a_field_under_its_own_terms() -> None:
    form = built().processes["recruiting"].transitions["call"].form
    when = form["when"]
    assert (when.edits, when.required, when.field.name) == ("next_call_at", True, "next_call_at")
    assert when.field.label.pick("en") == "When"
    assert when.field.help is not None
    comment = form["comment"]
    assert (comment.edits, comment.required, comment.field.type) == (None, False, "long_text")


def test_a_guard_that_uses_the_form_is_known() -> None:
    assert transition("{from: a, to: b, form: {n: {type: integer}}, guard: form.n > 3}").guard_uses_form
    assert not transition("{from: a, to: b, form: {n: {type: integer}}, guard: record.calls > 3}").guard_uses_form


def test_by_is_levels_or_all_that_may_update() -> None:
    assert transition("{from: a, to: b}").by is None
    assert transition("{from: a, to: b, by: [agent, leader]}").by == ("agent", "leader")


def test_set_takes_literals_and_expressions_over_record_and_form() -> None:
    text = "{from: a, to: b, form: {n: {type: integer}}, "
    text += "set: {calls: =record.calls + form.n, source: site, owner: =actor}}"
    found = transition(text).set
    assert found["source"].literal == "site"
    calls = found["calls"].expression
    assert calls is not None
    assert calls.reads == {("record", "calls"), ("form", "n")}
    assert found["owner"].expression is not None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{from: a, to: b, set: {version: 3}}", "field.system"),
        ("{from: a, to: b, set: {course: b}}", "field.state"),
        ("{from: a, to: b, set: {source: sit}}", "value.type"),
        ("{from: a, to: b, guard: before.calls > 1}", "expression.unknown_name"),
        ("{from: a, to: b, form: {to: {type: reference, to: nobody}}}", "entity.unknown"),
        ("{from: a, to: b, undo: soon}", "duration.syntax"),
    ],
)
def test_a_transition_that_cannot_be(written: str, code: str) -> None:
    states = "states: {a: {initial: true}, b: {final: true}}"
    assert codes(f"process: course\nentity: lead\n{states}\ntransitions:\n  go: {written}\n") == [code]


def test_computed_fields_are_neither_asked_nor_set() -> None:
    text = """entity: order
fields:
  n: {type: integer}
  twice: {type: integer, compute: =record.n * 2}
---
process: ordering
entity: order
states: {a: {initial: true}, b: {final: true}}
transitions:
  go: {from: a, to: b, form: {twice: {field: twice}}, set: {twice: 3}}
"""
    assert codes(text) == ["field.computed", "field.computed"]


def test_records_of_states_that_go_are_moved() -> None:
    text = "process: course\nentity: lead\nmoved: {old: a}\nstates: {a: {initial: true, final: true}}\n"
    assert built(text).processes["course"].moved == {"old": "a"}


def test_a_process_is_not_named_as_what_every_record_has() -> None:
    assert codes("process: version\nentity: lead\nstates: {a: {initial: true, final: true}}\n") == ["process.reserved"]


def test_an_entity_knows_its_processes_in_order() -> None:
    network = built("process: second\nentity: lead\nstates: {a: {initial: true, final: true}}\n")
    assert network.entities["lead"].processes == ("second", "recruiting")
    assert network.processes["second"].initial == "a"
    assert "process: recruiting" in OFFICE
