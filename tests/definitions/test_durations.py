"""Durations as they are written in definitions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.duration import Duration, parse_duration


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10m", Duration(exact=timedelta(minutes=10))),
        ("72h", Duration(exact=timedelta(hours=72))),
        ("3d", Duration(exact=timedelta(days=3))),
        ("2w", Duration(exact=timedelta(weeks=2))),
        ("30 s", Duration(exact=timedelta(seconds=30))),
        ("6 months", Duration(months=6)),
        ("1 month", Duration(months=1)),
        ("2 years", Duration(months=24)),
        ("4 working hours", Duration(working_hours=4)),
        ("1 working hour", Duration(working_hours=1)),
        ("3 working days", Duration(working_days=3)),
        ("3  working   days", Duration(working_days=3)),
        ("1 year 6 months 2d", Duration(months=18, exact=timedelta(days=2))),
        ("1d 4 working hours", Duration(exact=timedelta(days=1), working_hours=4)),
        ("3 days", Duration(exact=timedelta(days=3))),
    ],
)
def test_a_duration_is_read(text: str, meant: Duration) -> None:
    assert parse_duration(text) == meant


@pytest.mark.parametrize("text", ["", "  ", "3", "d", "3 moons", "-3d", "3d!", "1.5h", "3 workings", "soon"])
def test_anything_else_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(("text", "exact"), [("3d", True), ("1 month", False), ("3 working days", False)])
def test_an_exact_duration_is_the_same_everywhere(text: str, *, exact: bool) -> None:
    found = parse_duration(text)
    assert found is not None
    assert found.is_exact is exact
