"""A definition under another name is the same one: nothing else breaks, and what keeps records says what it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from admin.editor.packs import Pack
from admin.editor.renaming import SAYS_WAS, Edit, applied, can_be_renamed, renamed
from definitions.expr import Target
from definitions.pack import load, read_folder
from tests.admin.editor.pen import TOOLSHED, toolshed

ROOT = Path(__file__).parents[3]
NEW = "another_name"


def done(pack: Pack, edits: list[Edit]) -> dict[str, str]:
    """Return the files of a pack with edits done."""
    return {
        name: applied(text, [edit for edit in edits if edit.place.file == name])
        for name, text in pack.loaded.files.items()
    }


@pytest.mark.parametrize("folder", [TOOLSHED, ROOT / "tests" / "packs" / "joining"], ids=lambda path: path.name)
def test_every_definition_can_have_another_name_everywhere_at_once(folder: Path) -> None:
    pack = Pack(folder, load(read_folder(folder)))
    before = Counter(problem.code for problem in pack.loaded.problems)
    targets = [target for target in pack.symbols if can_be_renamed(pack, target)]
    assert {target[0] for target in targets} >= {"entity", "field", "process", "state", "transition", "level"}
    for target in targets:
        edits = renamed(pack, target, NEW)
        assert edits, target
        after = Pack(folder, load(done(pack, edits)))
        assert Counter(problem.code for problem in after.loaded.problems) == before, target
        symbol = after.symbols[(*target[:-1], NEW)]
        assert (symbol.word("was") == target[-1]) is (target[0] in SAYS_WAS), target


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (("network", "toolshed"), "other"),
        (("entity", "tool"), "loan"),
        (("entity", "tool"), "Tool"),
        (("entity", "tool"), "a b"),
        (("entity", "nothing"), "other"),
        (("field", "loan", "created_at"), "other"),
    ],
)
def test_what_cannot_have_a_name_is_left_as_it_is(target: Target, name: str) -> None:
    assert renamed(toolshed(), target, name) == []


STATES = (
    "process: mending\nentity: tool  # a comment\nstates:\n  whole:\n    initial: true\n  broken:\n"
    "  gone: {final: true, was: away}\ntransitions:\n  mend: {from: broken, to: whole}\n  lose: {from: any, to: gone}\n"
)


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        (("process", "mending"), "process: mending\n", "process: another_name\nwas: mending\n"),
        (("state", "mending", "whole"), "  whole:\n    initial", "  another_name:\n    was: whole\n    initial"),
        (("state", "mending", "broken"), "  broken:\n", "  another_name: {was: broken}\n"),
        (("state", "mending", "gone"), "gone: {final: true, was: away}", "another_name: {final: true, was: away}"),
        (("transition", "mending", "mend"), "mend: {from", "another_name: {was: mend, from"),
    ],
)
def test_the_old_name_is_said_in_the_style_of_the_definition(target: Target, before: str, after: str) -> None:
    pack = toolshed(mending=STATES)
    text = done(pack, renamed(pack, target, NEW))["mending.yaml"]
    assert after in text
    assert text.replace(NEW, target[-1]).count("\n") >= STATES.count("\n")
    assert before not in text


def test_an_option_that_is_its_label_gets_keys() -> None:
    pack = toolshed()
    text = done(pack, renamed(pack, ("option", "loan", "condition", "good"), NEW))["loans.yaml"]
    assert "options: {another_name: {label: As it was, was: good}, worn: Worn" in text


def test_an_option_that_is_a_map_of_languages_wants_a_hand() -> None:
    pack = toolshed(more="entity: x\nfields: {c: {type: choice, options: {a: {en: A, fr: A}, b: {label: B}}}}\n")
    assert not can_be_renamed(pack, ("option", "x", "c", "a"))
    assert can_be_renamed(pack, ("option", "x", "c", "b"))
