"""The table of the ASVS has every requirement of its levels 1 and 2, and what it says is shown is shown."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in PAGE.splitlines() if line[:3] > "| 0"]
ROWS = [row for row in ROWS if re.fullmatch(r"\d+\.\d+\.\d+", row[0])]
KINDS = ("operator: ", "not applicable: ", "no: ")
"""How rows begin for which no test has to be named."""
LEVELS = """
1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3 3.2:113
3.3:12223 3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22 4.4:1222 5.1:2 5.2:112333
5.3:113 5.4:222 6.1:122 6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222 7.1:222
7.2:1111 7.3:22 7.4:11222 7.5:223 7.6:22 8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22 10.2:223
10.3:22223 10.4:1111122222233333 10.5:22222 10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233 11.4:1222 11.5:23
11.6:23 11.7:33 12.1:12233 12.2:11 12.3:22223 13.1:2333 13.2:222223 13.3:2233 13.4:1222233 14.1:22
14.2:12223333 14.3:122 15.1:12233 15.2:12233 15.3:1222222 15.4:3333 16.1:2 16.2:22222 16.3:2222 16.4:222
16.5:2223 17.1:23 17.2:22223333 17.3:22
"""
"""The levels of the requirements of each section of ASVS 5.0.0, one after the other."""


def wanted() -> dict[str, str]:
    """Return the level of each requirement at levels 1 and 2."""
    sections = (part.split(":") for part in LEVELS.split())
    found = {f"{name}.{at}": level for name, levels in sections for at, level in enumerate(levels, 1)}
    return {number: level for number, level in found.items() if level != "3"}


@cache
def written() -> frozenset[str]:
    found = (re.findall(r"def (test_\w+)", path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for names in found for name in names)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_requirement_names_what_there_is(row: tuple[str, ...]) -> None:
    number, _, asks, met, shown = row
    assert asks, number
    assert met, number
    named = re.findall(r"`([^`]+)`", shown)
    for each in named:
        assert each in written() if each.startswith("test_") else (ROOT / each).exists(), each
    assert named or shown.startswith("ruff") or met.startswith(KINDS)


def test_each_requirement_of_both_levels_stands_once_and_in_order() -> None:
    assert [(row[0], row[1]) for row in ROWS] == list(wanted().items())


def test_the_page_on_security_counts_them() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\d+) [^|]+\| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", page, re.M)
    counted = Counter(
        (row[0].split(".")[0], next((kind for kind in KINDS if row[3].startswith(kind)), "")) for row in ROWS
    )
    chapters = dict.fromkeys(row[0].split(".")[0] for row in ROWS)
    assert told == [(each, *(str(counted[each, kind]) for kind in ("", *KINDS))) for each in chapters]
