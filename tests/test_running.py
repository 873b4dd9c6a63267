"""What a run of the tests leaves behind, and what it begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homes import folder_of_run, remove_left_behind
from tests.running import LONG


def test_what_a_killed_run_left_goes_and_what_another_one_has_stays(tmp_path: Path) -> None:
    killed, held_by_killed = folder_of_run(tmp_path)
    going_on, held = folder_of_run(tmp_path)
    held_by_killed.close()
    remove_left_behind(tmp_path)
    held.close()
    assert (killed.exists(), going_on.exists()) == (False, True)


def test_what_takes_long_is_begun_before_all_else(request: pytest.FixtureRequest) -> None:
    long = [any(map(item.get_closest_marker, LONG)) for item in request.session.items]
    assert long == sorted(long, reverse=True)
