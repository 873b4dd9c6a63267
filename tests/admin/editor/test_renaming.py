"""A definition under another name is the same one: nothing else breaks, and what keeps records says what it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from admin.editor.packs import Pack
from admin.editor.renaming import (
    ELSEWHERE,
    NO_ROOM,
    OTHERWISE,
    OWN,
    SAYS_WAS,
    SHARED,
    Edit,
    applied,
    can_be_renamed,
    hindrance,
    renamed,
)
from definitions.expr import Target
from definitions.message import Message
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


LINES = """entity: invoice
title: "{{ record.number }}"
fields:
  number: {type: text}
  total: {type: integer, compute: "=sum(record.CALLED, l, l.amount)"}
---
entity: line
parent: invoice
fields:
  amount: {type: integer, default: 1}
---
template: bill
channel: email
about: invoice
subject: Bill
body: "{% for each in record.CALLED %}{{ each.amount }}{% endfor %}"
---
automation: look
when: {created: line}
do:
  - task: {title: Look, due: =record.parent.created_at}
  - task: {title: Again, due: =record.parent.updated_at}
---
automation: send
when: {created: invoice}
do: [{email: {template: bill, to: =settings.till}}]
---
level: seller
entities: {invoice: {read: all}}
"""
HEAD = "network: shop\nlanguages: [en]\nsettings: {till: {type: email}}\n"


def shop(text: str) -> Pack:
    return Pack(ROOT, load({"network.yaml": HEAD, "shop.yaml": text}))


@pytest.mark.parametrize("name", ["invoice", "line"])
@pytest.mark.parametrize("called", ["lines", "positions"])
@pytest.mark.parametrize("entity", ["line", "lines", "parent"])
def test_what_lines_and_their_parent_are_called_in_each_other_is_no_name_of_theirs(
    name: str, called: str, entity: str
) -> None:
    text = LINES.replace("CALLED", called).replace("entity: line\n", f"entity: {entity}\n")
    text = text.replace("created: line}", f"created: {entity}}}")
    text = text.replace(
        "parent: invoice\n", f"parent: invoice\nas: {called}\n" if called != "lines" else "parent: invoice\n"
    )
    pack = shop(text)
    assert [problem.code for problem in pack.loaded.problems] == []
    target = ("entity", entity if name == "line" else name)
    after = done(pack, renamed(pack, target, NEW))
    assert [problem.code for problem in load(after).problems] == []
    assert after["shop.yaml"].count(f"record.{called}") == 2
    assert after["shop.yaml"].count("record.parent") == 2
    assert after["shop.yaml"] != text


def test_lines_have_another_name_in_their_parent_where_it_is_written() -> None:
    text = LINES.replace("CALLED", "positions").replace("parent: invoice", "parent: invoice\nas: positions")
    pack = shop(text)
    assert done(pack, renamed(pack, ("lines", "invoice", "positions"), NEW))["shop.yaml"] == text.replace(
        "positions", NEW
    )
    assert renamed(pack, ("lines", "invoice", "positions"), "number") == []
    assert hindrance(shop(LINES.replace("CALLED", "lines")), ("lines", "invoice", "lines")) is not None
    assert hindrance(pack, ("parent", "line", "parent")) is not None


SHARING = """entity: job
fields:
  first: &first {type: text}
  second: *first
  third:
    &third
    type: text
  fourth: *third
  fifth: &fifth {type: text}
  sixth: {type: choice, options: &options {a: {label: A}, b: {label: B}}}
  seventh: {type: choice, options: *options}
  "eighth": {type: text}
  &key ninth: {type: text}
  tenth: {type: text, default: "=record.eigh\\x74h"}
  last: {type: text}
---
entity: member
fields: {nickname: {type: text}}
---
level: clerk
entities: {job: {read: all}}
"""


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (("field", "job", "first"), SHARED),
        (("field", "job", "second"), SHARED),
        (("field", "job", "third"), SHARED),
        (("field", "job", "fourth"), SHARED),
        (("field", "job", "fifth"), NO_ROOM),
        (("field", "job", "sixth"), None),
        (("option", "job", "sixth", "a"), SHARED),
        (("option", "job", "seventh", "b"), SHARED),
        (("field", "job", "eighth"), OTHERWISE),
        (("field", "job", "ninth"), OTHERWISE),
        (("field", "job", "last"), None),
        (("field", "job", "none"), OWN),
        (("network", "shop"), OWN),
        (("entity", "member"), OWN),
    ],
)
def test_what_others_share_through_an_alias_keeps_its_name_and_it_is_said_why(
    target: Target, reason: Message | None
) -> None:
    pack = shop(SHARING)
    assert pack.loaded.network is not None, pack.loaded.problems
    said = hindrance(pack, target)
    assert (said and said.text) == (reason and reason.text)
    after = load(done(pack, renamed(pack, target, NEW)))
    assert len(after.problems) == len(pack.loaded.problems)


def test_what_a_pack_names_that_this_one_extends_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "base.yaml").write_text("entity: note\nfields: {job: {type: reference, to: job}}\n", "utf-8")
    files = {"network.yaml": HEAD + "extends: [base]\n", "shop.yaml": SHARING}
    pack = Pack(tmp_path, load(files, library=tmp_path))
    said = [hindrance(pack, target) for target in (("entity", "job"), ("field", "note", "job"))]
    assert [each.text for each in said if each] == [ELSEWHERE.text, OWN.text]
