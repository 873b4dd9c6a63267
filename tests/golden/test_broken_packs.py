"""Every broken pack is refused in the words that its `expected.txt` has."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.cli.reports import text
from tests.golden.cases import CASES, problems_of_case


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_broken_pack_is_explained(case: Path) -> None:
    expected = case / "expected.txt"
    said = text(problems_of_case(case))
    assert expected.is_file(), f"Read this, and put it into {expected.name} when it is right:\n{said}"
    assert said == expected.read_text("utf-8")


def test_each_broken_pack_has_a_problem() -> None:
    silent = [case.name for case in CASES if not problems_of_case(case)]
    assert silent == []


def test_there_are_at_least_forty_of_them() -> None:
    assert len(CASES) >= 40
