"""A plan as lines: what it says of how long records are kept."""

from __future__ import annotations

from typing import Any

import pytest

from admin.cli.plan import lines

NOTHING: dict[str, Any] = {
    name: [] for name in ("definitions", "tables", "states", "runs", "timers", "rights", "gone", "retentions")
}


@pytest.mark.parametrize(
    ("change", "due", "at_most", "held", "said"),
    [
        ("changed", 2, True, True, "~ lead: 2 records are due by it at most, announced anew before anything goes"),
        ("added", 1, False, False, "+ lead: 1 record is due by it, erased with the next hour"),
        ("removed", 0, False, True, "- lead"),
    ],
)
def test_a_plan_says_what_falls_due_at_once(change: str, due: int, at_most: bool, held: bool, said: str) -> None:
    one = {"entity": "lead", "change": change, "due": due, "at_most": at_most, "held": held}
    found = {**NOTHING, "unchanged": False, "base": 1, "retentions": [one]}
    assert list(lines(found))[1:] == ["\nRetention", f"  {said}"]
