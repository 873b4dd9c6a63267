"""Times that cannot be counted, or that nobody waits for, are said where they are written."""

from __future__ import annotations

import pytest

from definitions.codes import problems_of

ROOM = """
network: house
languages: [en]
settings: {kept: {type: duration, value: SETTING, label: Kept}}
---
entity: room
fields: {name: {type: text, required: true}, open: {type: duration, default: FIELD}}
retention: {after: AFTER, warn: =settings.kept}
---
process: renting
entity: room
states:
  free: {initial: true, stale_after: STALE}
  over: {final: true}
transitions:
  end: {from: free, to: over, by: [host]}
---
level: host
entities: {room: {read: all, create: true, update: all}}
"""
FITTING = {"SETTING": "10000 working hours", "FIELD": "3d", "AFTER": "1000 years", "STALE": "10000 working days"}


def said(**changed: str) -> list[tuple[str, str]]:
    """Return the errors of the pack with other times, each as its code and its sentence."""
    text = ROOM
    for name, span in {**FITTING, **changed}.items():
        text = text.replace(name, span)
    found = problems_of(text, alone=True)
    return [(problem.code, str(problem.message)) for problem in found if problem.severity == "error"]


def test_times_up_to_the_bounds_are_fine() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("place", "code"),
    [("SETTING", "value.type"), ("FIELD", "value.type"), ("AFTER", "value.type"), ("STALE", "duration.syntax")],
)
@pytest.mark.parametrize("span", ["10001 working days", "10001 working hours"])
def test_more_working_time_than_can_be_counted_is_refused(place: str, code: str, span: str) -> None:
    assert said(**{place: span}) == [(code, f"'{span}' has too many working hours or days.")]


@pytest.mark.parametrize("span", ["1001 years", "12001 months", "365001d"])
@pytest.mark.parametrize(("place", "key"), [("AFTER", "after"), ("SETTING", "warn")])
def test_records_are_not_kept_or_announced_for_more_than_a_thousand_years(place: str, key: str, span: str) -> None:
    sentence = f"'{key}' is longer than 1000 years: nothing of room would go."
    assert ("retention.span", sentence) in said(**{place: span})
