"""What the table of the ASVS says is shown is shown: its tests are there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in PAGE.splitlines() if line[:3] > "| 0"]
ROWS = [row for row in ROWS if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
UNSHOWN = ("operator", "no:", "Starlette", "uvicorn", "HTML", "no XML", "the order", "`make lock`")
"""How rows begin for which no test is named, and why."""


@cache
def written() -> frozenset[str]:
    found = (re.findall(r"def (test_\w+)", path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for names in found for name in names)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_requirement_names_what_there_is(row: tuple[str, ...]) -> None:
    number, asks, met, shown = row
    assert asks, number
    assert met, number
    named = re.findall(r"`([^`]+)`", shown)
    for each in named:
        assert each in written() if each.startswith("test_") else (ROOT / each).exists(), each
    assert named or shown.startswith("ruff") or met.startswith(UNSHOWN)


def test_each_requirement_stands_once_and_in_order() -> None:
    numbers = [tuple(map(int, row[0].split("."))) for row in ROWS]
    assert len(numbers) > 100
    assert numbers == sorted(set(numbers))
