"""A condition that nothing can change is found."""

from __future__ import annotations

import pytest

from tests.definitions.build.office import codes, problems


def found(condition: str) -> list[str]:
    return codes(f"screen: leads\nentity: lead\nviews:\n  it: {{where: '{condition}'}}\n")


@pytest.mark.parametrize("condition", ["1 < 2", "!(1 < 2)", '"a" == "b"', "3 in [1, 2]", "true || false"])
def test_a_condition_that_reads_nothing_is_constant(condition: str) -> None:
    assert found(condition) == ["expression.constant"]


@pytest.mark.parametrize(
    "condition",
    ["true", "false", "record.calls > 1", "actor.active", "now() > record.created_at", 'today() > date("2026-01-01")'],
)
def test_literals_and_what_can_change_are_not(condition: str) -> None:
    assert "expression.constant" not in found(condition)


def test_the_condition_of_a_share_is_looked_at_too() -> None:
    shown = "---\nhome: start\ntiles: [{statistic: some}]\n"
    written = "statistic: some\nentity: lead\nmeasure: share(record.calls > 5 && record.calls < 3)\n"
    assert [(each.code, each.place.column) for each in problems(written + shown)] == [("expression.constant", 16)]


@pytest.mark.parametrize("moment", ["working_days(1)", "working_hours(3)"])
def test_the_networks_calendar_is_not_guessed(moment: str) -> None:
    written = f'timestamp("2026-01-01T00:00:00Z") + {moment} > timestamp("2026-01-02T00:00:00Z")'
    text = "process: course\nentity: lead\nstates: {a: {initial: true}, b: {final: true}}\ntransitions:\n"
    assert "expression.constant" not in codes(f"{text}  go: {{from: a, to: b, guard: '{written}'}}\n")
