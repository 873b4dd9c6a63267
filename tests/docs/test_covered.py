"""Nothing in the documents goes untested: each kind of block on each page has a test that carries it out."""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from admin.cli.main import main
from definitions.pack import PACKS, load, read_folder
from tests.docs.test_asvs import written
from tests.docs.test_examples import PAGES, ROOT, WHOLE

BLOCK = re.compile(r"^(?:```)([\w-]*)\n(.*?)^```$", re.M | re.S)
HEADING = re.compile(r"^#+ (.+)$", re.M)
ANCHOR = re.compile(r"\]\(([^)#\s:]*)#([^)]+)\)")
SHOWN = "shown"
"""Blocks that nobody enters: pictures made of letters, grammar."""

CLAIMS = {
    ("README.md", "console"): "test_each_other_command_of_a_page_runs",
    ("README.md", "yaml"): "test_the_readme_shows_the_example_pack_as_it_is",
    ("README.md", ""): SHOWN,
    ("docs/api.md", "json"): "test_the_refusal_that_the_api_shows_is_one",
    ("docs/api.md", "sh"): "test_the_commands_of_the_page_are_those",
    ("docs/api.md", "yaml"): "test_the_step_that_calls_others_fits_into_an_automation",
    ("docs/language/README.md", "console"): "test_each_other_command_of_a_page_runs",
    ("docs/language/README.md", "text"): "test_the_mistake_that_the_tutorial_shows_is_answered_as_it_says",
    ("docs/language/README.md", "yaml"): "test_the_tutorial_builds_the_pack_that_it_names",
    ("docs/language/editor.md", "console"): "test_each_other_command_of_a_page_runs",
    ("docs/language/editor.md", "json"): "test_settings_of_editors_start_the_language_server",
    ("docs/language/editor.md", "lua"): "test_settings_of_editors_start_the_language_server",
    ("docs/language/editor.md", "toml"): "test_settings_of_editors_start_the_language_server",
    ("docs/language/editor.md", "yaml"): "test_the_first_line_that_editors_follow_is_the_one_of_new_packs",
    ("docs/language/explanation.md", "yaml"): "test_each_whole_pack_of_a_page_is_without_problem",
    ("docs/language/expressions.md", "cel"): "test_each_expression_gives_its_value",
    ("docs/language/expressions.md", "cel-constant"): "test_each_condition_that_nothing_changes_is_found",
    ("docs/language/expressions.md", "cel-query"): "test_each_condition_of_the_query_subset_runs_in_the_database",
    ("docs/language/expressions.md", "cel-refused"): "test_each_refused_one_names_another_way",
    ("docs/language/expressions.md", "yaml"): "test_each_expression_gives_its_value",
    ("docs/language/guides.md", "console"): "test_a_change_is_tried_out_and_published_by_the_commands_of_the_page",
    ("docs/language/guides.md", "yaml"): "test_each_whole_pack_of_a_page_is_without_problem",
    ("docs/language/how-to.md", "yaml"): "test_each_how_to_fits_the_pack_of_the_tutorial",
    ("docs/language/manual.md", "console"): "test_each_other_command_of_a_page_runs",
    ("docs/language/messages.md", "yaml"): "test_each_whole_pack_of_a_page_is_without_problem",
    ("docs/language/problems.md", "text"): "test_the_page_is_the_one_that_the_codes_give",
    ("docs/language/problems.md", "yaml"): "test_the_page_is_the_one_that_the_codes_give",
    ("docs/language/processes.md", "yaml"): "test_each_whole_pack_of_a_page_is_without_problem",
    ("docs/language/retention.md", "yaml"): "test_each_whole_pack_of_a_page_is_without_problem",
    ("docs/language/tutorial.md", "console"): "test_the_tutorial_can_be_followed_to_the_letter",
    ("docs/language/tutorial.md", "yaml"): "test_the_tutorial_can_be_followed_to_the_letter",
    ("docs/language/tutorial.fr.md", "console"): "test_the_tutorial_can_be_followed_to_the_letter",
    ("docs/language/tutorial.fr.md", "yaml"): "test_the_tutorial_can_be_followed_to_the_letter",
    ("docs/operations.md", "console"): "test_the_page_can_be_followed_to_the_letter",
    ("docs/operations/backup.md", "console"): "test_the_page_of_backups_can_be_followed_to_the_letter",
    ("docs/operations/serving.md", "console"): "test_each_other_command_of_a_page_runs",
    ("docs/operations/serving.md", "ini"): "test_the_units_of_the_page_hand_over_a_socket",
}
"""What carries the blocks of a kind out, page by page."""


@cache
def found() -> dict[tuple[str, str], list[str]]:
    """Return the blocks of all pages by page and kind."""
    blocks: dict[tuple[str, str], list[str]] = {}
    for page in PAGES:
        for kind, text in BLOCK.findall(page.read_text("utf-8")):
            blocks.setdefault((str(page.relative_to(ROOT)), kind), []).append(text)
    return blocks


def test_each_kind_of_block_of_each_page_has_its_test() -> None:
    assert set(found()) == set(CLAIMS)
    assert {test for test in CLAIMS.values() if test != SHOWN} - written() == set()


def test_pages_of_whole_packs_have_nothing_else() -> None:
    whole = {page for (page, _), test in CLAIMS.items() if test == "test_each_whole_pack_of_a_page_is_without_problem"}
    written_there = {(page, text) for page in whole for text in found()[page, "yaml"]}
    assert written_there == {(page, text) for page, text in WHOLE if page in whole}


def test_no_block_hides_from_the_search_for_blocks() -> None:
    for page in PAGES:
        text = page.read_text("utf-8")
        fences = re.findall(r"^\s*(?:```|~~~)", text, re.M)
        assert len(fences) == 2 * len(BLOCK.findall(text)), page


def test_the_step_that_calls_others_fits_into_an_automation() -> None:
    [step] = found()["docs/api.md", "yaml"]
    files = dict(read_folder(PACKS / "suivi")) | {"call.yaml": f"automation: call\nwhen: {{created: lead}}\n{step}"}
    assert [problem for problem in load(files).problems if problem.severity == "error"] == []


def test_the_refusal_that_the_api_shows_is_one() -> None:
    [shown] = found()["docs/api.md", "json"]
    assert {"type", "title", "status", "fields"} == json.loads(shown).keys()


def test_settings_of_editors_start_the_language_server() -> None:
    [toml], [settings], [lua] = (found()["docs/language/editor.md", kind] for kind in ("toml", "json", "lua"))
    [helix] = [tomllib.loads(toml)["language-server"]["maille"]]
    assert [helix["command"], *helix["args"]] == ["maille", "lsp"]
    zed = json.loads(settings)["lsp"]["yaml-language-server"]["binary"]
    assert [zed["path"], *zed["arguments"]] == ["maille", "lsp"]
    assert 'cmd = { "maille", "lsp" }' in lua


def test_the_first_line_that_editors_follow_is_the_one_of_new_packs(tmp_path: Path) -> None:
    [line] = found()["docs/language/editor.md", "yaml"]
    assert main(["new", str(tmp_path / "pack")]) == 0
    assert {text[: len(line)] for text in read_folder(tmp_path / "pack").values()} == {line}


def test_the_map_of_the_language_has_every_page_of_it() -> None:
    folder = ROOT / "docs" / "language"
    links = set(re.findall(r"\]\(([\w.-]+\.md)", (folder / "README.md").read_text("utf-8")))
    assert {page.name for page in folder.glob("*.md")} - links == {"README.md"}


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as forges make them, and those that it gives itself."""
    text = page.read_text("utf-8")
    made = (re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(text))
    return {*made, *re.findall(r'<a id="([^"]+)"', text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_to_a_heading_leads_to_one(page: Path) -> None:
    links = ANCHOR.findall(page.read_text("utf-8"))
    targets = [((page.parent / to) if to else page, name) for to, name in links]
    assert [(to.name, name) for to, name in targets if to.suffix == ".md" and name not in anchors(to)] == []


def test_a_broken_block_of_the_page_on_why_would_be_found() -> None:
    [text] = found()["docs/language/explanation.md", "yaml"]
    assert load({"explanation.md": text.replace("record.visits > 2", "record.visit > 2")}).problems
