"""Every example in the documents runs, and what is generated is up to date."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from admin.cli.main import main
from admin.cli.reports import text as report
from admin.operations.serving import LeavingServer
from definitions.pack import load, read_folder
from definitions.reference import reference

ROOT = Path(__file__).parents[2]
TOOLSHED = ROOT / "docs" / "examples" / "toolshed"
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


HOW_TO = "docs/language/how-to.md"
WHOLE = [(page, text) for page, text in blocks("yaml") if text.startswith("network:") and page != HOW_TO]


@pytest.mark.parametrize(("page", "text"), WHOLE)
def test_each_whole_pack_of_a_page_is_without_problem(page: str, text: str) -> None:
    assert load({page: text}).problems == ()


def test_the_readme_shows_the_example_pack_as_it_is() -> None:
    shown = [text for page, text in blocks("yaml") if page == "README.md"]
    assert shown == [(ROOT / "docs/examples/workshop/workshop.yaml").read_text(encoding="utf-8")]


@pytest.mark.parametrize("folder", sorted((ROOT / "docs" / "examples").glob("*/")), ids=lambda path: path.name)
def test_each_example_pack_is_without_problem(folder: Path) -> None:
    assert load(read_folder(folder)).problems == ()


STORIES = {
    "docs/operations.md",
    "docs/operations/backup.md",
    "docs/language/guides.md",
    "docs/language/tutorial.md",
    "docs/language/tutorial.fr.md",
}


def commands() -> list[str]:
    """Return the commands of all pages, without what stands before and behind them.

    The operators' pages and the tutorial are stories: `test_operations`, `test_backup_page` and `test_tutorial` carry
    them out from their beginning to their end.
    """
    told = (text for page, text in blocks("console") if page not in STORIES)
    lines = (line for text in told for line in text.splitlines())
    found = {line.removeprefix("$ ").split("#")[0].strip() for line in lines if line.startswith("$ ")}
    return sorted(re.sub(r"^[A-Z_]+=\S+ ", "", command) for command in found)


@pytest.mark.parametrize("command", [command for command in commands() if command.startswith("make ")])
def test_each_make_of_a_page_is_a_target(command: str) -> None:
    target = shlex.split(command)[-1]
    assert f"\n{target}: " in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [command for command in commands() if not command.startswith("make ")])
def test_each_other_command_of_a_page_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *arguments = shlex.split(command)
    assert program == ".venv/bin/maille", "what make installs is not on the PATH"
    started: list[str] = []

    def begin(server: LeavingServer, sockets: object = None) -> None:
        started.append(str(server.config.app))
        server.started = sockets is None

    monkeypatch.setattr(LeavingServer, "run", begin)
    monkeypatch.setenv("MAILLE_PUBLIC_URL", "http://127.0.0.1")
    monkeypatch.setenv("MAILLE_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    given = [str(tmp_path) if before in {"--data", "--out"} else word for before, word in pairwise(["", *arguments])]
    if arguments[0] == "serve":
        given += ["--port", "0"]
    assert main(given) == 0, capsys.readouterr()
    assert started == (["server:app"] if arguments[0] == "serve" else [])


DOCUMENT = re.compile(r"^([a-z]+): +([a-z_]+)", re.M)
STEPS = [text for page, text in blocks("yaml") if page == "docs/language/README.md"]
WISHES = [text for page, text in blocks("yaml") if page == HOW_TO]


def heads(text: str) -> dict[tuple[str, ...], str]:
    """Return the documents of a text by kind and name."""
    found = {}
    for document in re.split(r"^---\n", text, flags=re.M):
        head = DOCUMENT.search(document)
        assert head is not None, document
        found[head.groups()] = document
    return found


def test_the_tutorial_builds_the_pack_that_it_names() -> None:
    shown = {text.splitlines()[0].removeprefix("# toolshed/"): text for text in STEPS}
    assert shown == read_folder(TOOLSHED)
    assert [text.splitlines()[0] for text in STEPS] == [f"# toolshed/{name}" for name in shown]


@pytest.mark.parametrize("count", range(1, len(STEPS) + 1))
def test_after_each_step_of_the_tutorial_the_pack_can_be_run(count: int) -> None:
    loaded = load({f"{number}.yaml": text for number, text in enumerate(STEPS[:count])})
    assert loaded.network is not None, loaded.problems
    assert {problem.code for problem in loaded.problems} <= {"template.unused"}


@pytest.mark.parametrize("wish", WISHES, ids=lambda text: text.split("\n", 1)[0])
def test_each_how_to_fits_the_pack_of_the_tutorial(wish: str) -> None:
    base = {} if wish.startswith("network: outil") else heads("---\n".join(read_folder(TOOLSHED).values()))
    files = {f"{'_'.join(head)}.yaml": text for head, text in {**base, **heads(wish)}.items()}
    assert load(files).problems == ()


def test_the_mistake_that_the_readme_shows_is_answered_as_it_says() -> None:
    page = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    files = dict(read_folder(ROOT / "docs" / "examples" / "workshop"))
    files["workshop.yaml"] = files["workshop.yaml"].replace("to: ready", "to: raedy", 1)
    said = report(load(files).problems).rpartition("1 error")[0]
    assert f"`{' '.join(said.split())}`" in page


def test_the_mistake_that_the_tutorial_shows_is_answered_as_it_says() -> None:
    [said] = [text for page, text in blocks("text") if page == "docs/language/README.md"]
    files = dict(read_folder(TOOLSHED))
    files["loans.yaml"] = files["loans.yaml"].replace("to: lent", "to: lnet", 1)
    assert report(load(files).problems).startswith(said)


def test_the_reference_is_the_one_that_the_schemas_give() -> None:
    written = (ROOT / "docs/language/reference.md").read_text(encoding="utf-8")
    assert written == reference(), "run: maille docs --out docs/language/reference.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
