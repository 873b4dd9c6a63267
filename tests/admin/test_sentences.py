"""No text for people is written where no catalogue finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.admin.sentences import PACKAGES, ROOT

TELLING = {
    "Problem": 2,
    "SyntaxProblem": 1,
    "UnfitError": 0,
    "report": 2,
    "unfit": 2,
    "mistyped": 1,
    "refuse": 1,
    "Refusal": 0,
    "CalledWronglyError": 0,
    "ValueRefusedError": 0,
    "ApiError": 1,
    "InvalidError": 0,
    "StoreBusyError": 0,
    "ArchiveError": 0,
    "DemoError": 0,
    "tell": 0,
    "agrees": 0,
    "add_column": 0,
    "Table": 0,
}
"""The functions that tell people something, and from which argument on."""
NAMED = ("help", "description", "title", "hint")
"""Arguments that are for people wherever they stand."""


def bare(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each sentence that is handed to people as it is."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            first = TELLING.get(_name(node.func))
            given = [] if first is None else node.args[first:]
            given += [each.value for each in node.keywords if each.arg in NAMED]
            yield from ((each.lineno, ast.unparse(each)) for each in given if _sentence(each))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _sentence(node: ast.expr) -> bool:
    """Whether an expression is a text with a space between words, or has one in it."""
    match node:
        case ast.Constant(value=str() as text):
            return _words(text)
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.Constant) and _words(str(part.value)) for part in parts)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return _sentence(left) or _sentence(right)
        case ast.BoolOp(values=values):
            return any(map(_sentence, values))
        case _:
            return False


def _words(text: str) -> bool:
    return " " in text.strip() and re.search(r"[^\W\d_]{2,}", text) is not None


@pytest.mark.parametrize("package", PACKAGES)
def test_whoever_is_told_something_is_told_a_sentence(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, text in bare(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'draft.report("code", place, "A sentence.", say("A hint."))',
        'Problem("code", place, say("A sentence."), f"Say the {word}.")',
        'Problem("code", place, message, hint if hint else "Say it.")',
        'parser.add_argument("--x", help="what it is")',
        'on.tell("Done with " + name)',
    ],
)
def test_a_bare_sentence_is_found(source: str) -> None:
    assert len(list(bare(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'draft.report("a code", place, say("A sentence."))',
        'log.warning("for operators alone")',
        'parser.add_argument("--x", help=spoken("what it is"), default="a b")',
    ],
)
def test_a_sentence_of_the_catalogues_is_none(source: str) -> None:
    assert list(bare(source)) == []
