"""The decisions list what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"


def rows(heading: str) -> set[str]:
    page = (DECISIONS / "libraries.md").read_text(encoding="utf-8")
    table = page.partition(f"| {heading} |")[2].partition("\n\n")[0]
    cells = (line.split("|")[1] for line in table.splitlines()[2:])
    return {name.strip() for cell in cells for name in cell.split(",")}


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {kind: {re.split(r"[=<>\[ ]", name)[0].lower() for name in found} for kind, found in [
        ("runs", project["dependencies"]),
        ("tests", project["optional-dependencies"]["dev"]),
    ]}  # fmt: skip
    assert rows("what runs") == names["runs"]
    assert {name.lower() for name in rows("what tests")} == names["tests"]


def test_each_decision_stands_in_the_list() -> None:
    page = (DECISIONS / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in DECISIONS.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"^- \[([^]]+)\]", page, re.M)) == pages
