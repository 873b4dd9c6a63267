"""Every example in the documents runs, and what is generated is up to date."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from admin.cli.main import main
from definitions.pack import load, read_folder
from definitions.reference import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def blocks(kind: str) -> list[tuple[str, str]]:
    return [
        (str(page.relative_to(ROOT)), text)
        for page in PAGES
        for language, text in BLOCK.findall(page.read_text(encoding="utf-8"))
        if language == kind
    ]


@pytest.mark.parametrize(("page", "text"), [case for case in blocks("yaml") if case[1].startswith("network:")])
def test_each_whole_pack_of_a_page_is_without_problem(page: str, text: str) -> None:
    assert load({page: text}).problems == ()


def test_the_readme_shows_the_example_pack_as_it_is() -> None:
    shown = [text for page, text in blocks("yaml") if page == "README.md"]
    assert shown == [(ROOT / "docs/examples/workshop/workshop.yaml").read_text(encoding="utf-8")]


@pytest.mark.parametrize("folder", sorted((ROOT / "docs" / "examples").glob("*/")), ids=lambda path: path.name)
def test_each_example_pack_is_without_problem(folder: Path) -> None:
    assert load(read_folder(folder)).problems == ()


@pytest.mark.parametrize(
    "command",
    sorted({
        line.removeprefix("$ ").split("#")[0].strip()
        for _, text in blocks("console")
        for line in text.splitlines()
        if line.startswith("$ maille check")
    }),
)  # fmt: skip
def test_each_check_of_a_page_runs_and_finds_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().out


def test_the_reference_is_the_one_that_the_schemas_give() -> None:
    written = (ROOT / "docs/language/reference.md").read_text(encoding="utf-8")
    assert written == reference(), "run: maille docs --out docs/language/reference.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
