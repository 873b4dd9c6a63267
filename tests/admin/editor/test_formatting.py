"""A file in its form says the same as before, comments and all, and stays as it is the second time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin.editor.formatting import UnreadableError, formatted
from definitions.likeness import alike
from definitions.pack import PACKS, load, read_folder
from definitions.problems import Place, Problem
from definitions.source import Document, Node, Scalar, Sequence, read_documents
from tests.counting import calls_in
from tests.golden.cases import CASES
from tests.running import tries

ROOT = Path(__file__).parents[3]
PACKS_HERE = [PACKS / "suivi", *sorted((ROOT / "docs" / "examples").glob("*/")), ROOT / "admin" / "cli" / "starter"]


def block(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n    b: 1\n    c:\n        d: 2\n", "a:\n  b: 1\n  c:\n    d: 2\n"),
        ("a:\n b:\n  - 1\n  -   2\n", "a:\n  b:\n    - 1\n    - 2\n"),
        ("a:\n- b: 1\n  c: 2\n- d\n", "a:\n  - b: 1\n    c: 2\n  - d\n"),
        ("a:\n-   b: 1\n    c:\n    - 2\n", "a:\n  - b: 1\n    c:\n      - 2\n"),
        ("a:\n-\n   b: 1\n", "a:\n  -\n    b: 1\n"),
        ("a:\n- - 1\n  - 2\n- - 3\n", "a:\n  - - 1\n    - 2\n  - - 3\n"),
        ("a: 1   \nb: 2", "a: 1\nb: 2\n"),
        ("a: 1\n\n\n\nb: 2\n\n\n", "a: 1\n\n\n\nb: 2\n"),
        ("a:\n    # of b\n    b: 1  # behind\n    # last\nc: 2\n", "a:\n  # of b\n  b: 1  # behind\n  # last\nc: 2\n"),
        ("a:\n- 1\n\n# of the whole\n---\nb: 1\n", "a:\n  - 1\n\n# of the whole\n---\nb: 1\n"),
        ("a:\n    b:   {x: 1,\n          y: 2}\n    long: 3\n", "a:\n  b:   {x: 1,\n        y: 2}\n  long: 3\n"),
        ("a:\n    b: |\n        c\n          d\n\n        e\nf:\n", "a:\n  b: |\n      c\n        d\n\n      e\nf:\n"),
        ("a:\n    b: |\n        # no comment\n            c  \n    # of d\n    d: 1\n",
         "a:\n  b: |\n      # no comment\n          c  \n  # of d\n  d: 1\n"),
        ("a:\n      b: >-\n       one\n       two\n", "a:\n  b: >-\n   one\n   two\n"),
        ("a:\n    b: |2\n        one\n", "a:\n  b: |2\n      one\n"),
        ('a:\n    b: "one\n      two"\n    c: one\n      two\n', 'a:\n  b: "one\n    two"\n  c: one\n    two\n'),
        ("a: {b: 1}\n...\n---\nc:\n   d: &x 1\n   e: *x\n", "a: {b: 1}\n...\n---\nc:\n  d: &x 1\n  e: *x\n"),
        ("\ufeffa:\n    b: 1\n", "\ufeffa:\n  b: 1\n"),
        ("a:\n\n    # alone\n\n    b: 1\n", "a:\n\n  # alone\n\n  b: 1\n"),
        ("", ""),
        ("# only a comment\n", "# only a comment\n"),
    ],
)  # fmt: skip
def test_lines_stand_where_their_depth_puts_them(before: str, after: str) -> None:
    assert formatted(before) == after
    assert formatted(after) == after


@pytest.mark.parametrize("folder", PACKS_HERE, ids=lambda path: path.name)
def test_the_packs_that_come_with_maille_are_in_their_form(folder: Path) -> None:
    assert {name for name, text in read_folder(folder).items() if formatted(text) != text} == set()


@pytest.mark.parametrize("text", ["a: {\n", "a: 1\n b: 2\n", "\tx: 1\n", "a: 'b\n", "a: *b\n"])
def test_what_is_no_yaml_is_refused_with_its_problems(text: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        formatted(text, "x.yaml")
    assert {problem.place.file for problem in refused.value.problems} == {"x.yaml"}


def said(node: Node | None) -> object:
    if node is None or isinstance(node, Scalar):
        return None if node is None else (node.text, node.plain)
    if isinstance(node, Sequence):
        return [said(item) for item in node.items]
    return [(name, said(entry.value)) for name, entry in node.entries.items()]


def documents(text: str) -> list[Document]:
    return read_documents("x.yaml", text)[0]


def comments(text: str) -> list[str]:
    """Return what stands behind each first # of a line."""
    return [line.partition("#")[2] for line in text.split("\n") if "#" in line]


NAMES = st.sampled_from(["a", "b", "c", "label", "fields", "x-y", "é"])
WORDS = st.sampled_from(
    ["1", "true", "two words", "'quo''ted'", '"dou\\"ble # no comment"', "{x: 1, y: [2, 3]}", "[]", "~"]
)
COMMENTS = st.sampled_from(["", "", "", "  # behind", " #  far"])
LINES = st.sampled_from(["", "# a comment", "#no blank", "   # deep"])


@st.composite
def blocks(draw: st.DrawFn, depth: int = 3) -> list[str]:
    """Make the lines of a mapping or a list, indented as somebody careless would."""
    found: list[str] = []
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    is_list = draw(st.booleans()) and depth < 3
    for name in names:
        found += draw(st.lists(LINES, max_size=1))
        head = "-" + " " * draw(st.integers(1, 4)) if is_list else f"{name}:"
        kind = draw(st.sampled_from(["word", "word", "inner", "text", "lines"])) if depth else "word"
        found += _entry(draw, head, kind, depth, is_list=is_list)
    return found


def _entry(draw: st.DrawFn, head: str, kind: str, depth: int, *, is_list: bool) -> Iterator[str] | list[str]:
    gap = "" if is_list else " " * draw(st.integers(1, 3))
    indent = " " * draw(st.integers(1, 5))
    if kind == "word":
        return [f"{head}{gap}{draw(WORDS)}{draw(COMMENTS)}"]
    if kind == "lines":
        return [f"{head}{gap}one", f"{indent}  two", "", f"{indent}  three"]
    if kind == "text":
        style = draw(st.sampled_from(["|", ">", "|-", ">+"]))
        return [
            f"{head}{gap}{style}",
            f"{indent}one",
            f"{indent}# no comment",
            f"{indent}   two  ",
            "",
            f"{indent}three",
        ]
    inner = draw(blocks(depth - 1))
    return [head.rstrip() + draw(COMMENTS), *(indent + line if line else "" for line in inner)]


@given(st.lists(blocks(), min_size=1, max_size=2))
@settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_yaml_says_the_same_in_its_form(made: list[list[str]]) -> None:
    text = "\n---\n".join("\n".join(lines) for lines in made) + "\n"
    if any(each.node is None for each in documents(text)):
        with pytest.raises(UnreadableError):
            formatted(text)
        return
    after = formatted(text)
    assert [said(each.node) for each in documents(after)] == [said(each.node) for each in documents(text)]
    assert [*map(repr, yaml.safe_load_all(after))] == [*map(repr, yaml.safe_load_all(text))]
    assert comments(after) == comments(text)
    assert formatted(after) == after
    assert after.count("\n") <= text.count("\n")


def careless(text: str) -> str:
    """Return a text whose every depth is twice as deep."""
    lines = ((line, len(line) - len(line.lstrip())) for line in text.split("\n"))
    return "\n".join(
        " " * indent + line.replace("- ", "-   ", int(line[indent:].startswith("- "))) for line, indent in lines
    )


def nowhere(problems: tuple[Problem, ...]) -> list[Problem]:
    return sorted((replace(each, place=Place(each.place.file, 1, 1)) for each in problems), key=repr)


@pytest.mark.parametrize("folder", PACKS_HERE[:-1], ids=lambda path: path.name)
def test_a_careless_pack_in_its_form_is_the_same_network(folder: Path) -> None:
    files = {name: careless(text) for name, text in read_folder(folder).items()}
    before, after = load(files), load({name: formatted(text) for name, text in files.items()})
    assert before.network is not None
    assert after.network is not None
    assert alike(before.network, after.network)
    assert nowhere(before.problems) == nowhere(after.problems)


@pytest.mark.parametrize("case", CASES[::5], ids=lambda path: path.name)
def test_a_broken_pack_in_its_form_has_the_same_problems(case: Path) -> None:
    files = dict(read_folder(case))
    formed = {}
    for name, text in files.items():
        try:
            formed[name] = formatted(careless(text) if "|" not in text and '"' not in text else text)
        except UnreadableError:
            formed[name] = text
    assert [each.code for each in load(formed).problems] == [each.code for each in load(files).problems]


def test_twice_the_comments_are_twice_the_work() -> None:
    once, twice = (
        "a:\n" + "".join(f"    # of {number}\n    k{number}: v\n" for number in range(length)) for length in (200, 400)
    )
    assert calls_in(lambda: formatted(twice)) < 2.2 * calls_in(lambda: formatted(once))
