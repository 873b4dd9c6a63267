"""Which backups there are, and which are old enough to go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.backups import MOST_KEPT, Backup, file_name, found_in, newest, outlived, sweep

NOW = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def backup(network: str, days: float) -> Backup:
    at = (NOW - days * DAY).replace(microsecond=0)
    return Backup(network, at, Path(file_name(network, at)), 1)


def test_a_folder_shows_its_backups_and_nothing_else(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 4, 15, 9, 5, tzinfo=UTC)
    for name in (file_name("alba", at), file_name("alba", at - DAY), file_name("zoe_2", at)):
        (tmp_path / name).write_bytes(b"12")
    (tmp_path / file_name("gone", at)).symlink_to(tmp_path / "removed")
    for name in (
        "alba.20261399T000000Z.maille.age",
        "alba.zip",
        "Alba.20261123T041509Z.maille.age",
        "alba.20261123T041509Z.maille.age.partial",
        "x.age",
    ):
        (tmp_path / name).write_bytes(b"")
    found = found_in(tmp_path)
    assert [(each.network, each.at.day, each.size) for each in found] == [
        ("alba", 22, 2),
        ("alba", 23, 2),
        ("zoe_2", 23, 2),
    ]
    assert found[1].at == at.replace(microsecond=0)
    assert {name: each.at.day for name, each in newest(found).items()} == {"alba": 23, "zoe_2": 23}
    assert found_in(tmp_path / "none") == []


def test_what_was_broken_off_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    name = file_name("alba", NOW)
    for each in (name, f"{name}.partial", "mine.partial"):
        (tmp_path / each).write_bytes(b"")
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "mine.partial"]


OLD: list[tuple[list[float], float, bool, list[float]]] = [
    ([40, 31, 29, 1], 30, True, [40, 31]),
    ([40, 31], 30, True, [40]),  # the last one of a network that is there stays
    ([40, 31], 30, False, [40, 31]),
    ([400, 366], 30, True, [400, 366]),  # but never longer than a year
    ([366, 364], 10_000, True, [366]),
    ([30], 30, False, []),
]


@pytest.mark.parametrize(("ages", "kept", "there", "gone"), OLD)
def test_old_backups_go(ages: list[float], kept: float, there: bool, gone: list[float]) -> None:
    found = outlived([backup("alba", age) for age in ages], NOW, kept * DAY, {"alba"} if there else ())
    assert found == [backup("alba", age) for age in gone]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 800)), max_size=12),
    st.floats(0, 800),
    st.sets(st.sampled_from("abc")),
)
def test_none_is_older_than_a_year_and_each_network_keeps_one(
    made: list[tuple[str, float]], kept: float, there: set[str]
) -> None:
    every = [backup(name, age) for name, age in made]
    gone = outlived(every, NOW, kept * DAY, there)
    left = [each for each in every if each not in gone]
    assert all(NOW - each.at <= MOST_KEPT for each in left)
    assert all(NOW - each.at > kept * DAY or NOW - each.at > MOST_KEPT for each in gone)
    young = {each.network for each in every if NOW - each.at <= MOST_KEPT}
    assert young & there <= {each.network for each in left}
