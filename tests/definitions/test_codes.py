"""Every code that the checker can give has an entry, whose example is wrong as it says and then right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.cli.main import main
from definitions.build.entities import MOST_FIELDS
from definitions.build.jinja import LONGEST
from definitions.codes import Code, codes, problems_of
from definitions.problem_page import problems_of_example
from tests.golden.cases import CASES, problems_of_case

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "language" / "problems.md"
WITH_EXAMPLES = [code for code in codes().values() if code.example is not None]
HOST = "---\nlevel: host\nentities: {room: {read: all}}\n"
FIELDS = "".join(f"  f{number}: {{type: integer}}\n" for number in range(MOST_FIELDS + 1))
HELLO = "template: hello\nchannel: email\nabout: lead\nsubject: Hello\nbody: "
GREETING = "---\nautomation: greet\nwhen: {created: lead}\ndo: [{email: {template: hello, to: =record.email}}]\n"
LONG = {
    "entity.too_many_fields": f"entity: room\nfields:\n{FIELDS}{HOST}",
    "template.too_long": f"{HELLO}{'x' * (LONGEST + 1)}\n{GREETING}",
}


@pytest.mark.parametrize("code", WITH_EXAMPLES, ids=lambda code: code.name)
def test_the_example_is_wrong_as_it_says_and_then_right(code: Code) -> None:
    assert code.example is not None
    assert {(problem.code, problem.severity) for problem in problems_of_example(code)} == {(code.name, code.severity)}
    assert problems_of(code.example.right, alone=code.example.alone) == ()


@pytest.mark.parametrize("code", LONG)
def test_what_is_too_long_for_an_example_is_found_too(code: str) -> None:
    assert {problem.code for problem in problems_of(LONG[code], alone=False)} == {code}


def test_only_what_is_too_long_has_no_example() -> None:
    assert {code.name for code in codes().values() if code.example is None} == LONG.keys()


def test_each_entry_says_a_sentence() -> None:
    for code in codes().values():
        assert code.says[0].isupper(), code.name
        assert code.says.endswith("."), code.name


def test_each_code_that_a_broken_pack_gives_has_an_entry() -> None:
    given = {problem.code for case in CASES for problem in problems_of_case(case)}
    assert given <= codes().keys(), "Add an entry to definitions/problem_codes."


def written() -> Iterator[str]:
    """Yield the codes that stand in the source of the checker."""
    themes = {code.partition(".")[0] for code in codes()}
    for path in sorted((ROOT / "definitions").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    theme, _, rest = text.partition(".")
                    if theme in themes and re.fullmatch("[a-z]+(?:_[a-z]+)*", rest) and rest not in {"yaml", "json"}:
                        yield text
                case ast.Call(func=ast.Attribute(attr="report"), args=[ast.Constant(value=str(text)), *_]):
                    if path.parent.name == "expr":
                        yield f"expression.{text}"


def test_each_code_that_stands_in_the_source_has_an_entry() -> None:
    found = set(written())
    assert len(found) > 100
    assert sorted(found - codes().keys()) == [], "Add an entry to definitions/problem_codes."


def test_the_page_is_the_one_that_the_codes_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--page", "problems"]) == 0
    assert capsys.readouterr().out == PAGE.read_text("utf-8"), (
        f"Write it anew: maille docs --page problems --out {PAGE}"
    )


MUST_FIND = {
    "unknown or misspelt key": "schema.unknown_key",
    "unknown name": "expression.unknown_name",
    "unknown field": "expression.unknown_field",
    "unknown option or state": "expression.unknown_option",
    "unknown level": "level.unknown",
    "unknown template": "template.unknown",
    "unknown variable": "template.unknown_variable",
    "unknown function": "expression.unknown_function",
    "wrong types in an expression": "expression.type",
    "wrong types in a value": "value.type",
    "conditions that are always true or false": "expression.constant",
    "no initial state": "process.no_initial_state",
    "several initial states": "process.several_initial_states",
    "unreachable states": "process.unreachable_state",
    "states that are not final and have no way out": "process.dead_end",
    "automatic moves that loop": "auto.endless",
    "two automatic moves that can both fire": "auto.conflict",
    "automations that trigger each other without end": "automation.endless",
    "a form field that one of its levels may not write": "process.form_field",
    "a screen column that none of its levels may read": "screen.unreadable_column",
    "a screen column that some of its levels may not read": "screen.hidden_column",
    "a member recipient that may not read what the template shows": "automation.unreadable",
    "a transition that no level may take": "process.nobody",
    "an entity that nobody can read": "entity.unreadable",
    "a variable that the template uses in one language only": "template.one_language",
    "a personal field without purpose": "privacy.no_purpose",
    "an entity with personal data without retention": "privacy.no_retention",
    "a template never used": "template.unused",
    "a statistic never used": "statistic.unused",
    "a setting never used": "setting.unused",
}


@pytest.mark.parametrize("what", MUST_FIND)
def test_what_the_language_promises_to_find_has_a_code(what: str) -> None:
    assert MUST_FIND[what] in codes()
