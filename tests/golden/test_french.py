"""What the checker says of the broken packs is a sentence of the catalogues, so that French leaders read French."""

from __future__ import annotations

import pytest

from admin.i18n import catalogue
from definitions.message import Message
from definitions.problems import Problem
from tests.golden.cases import CASES, problems_of_case


def _problems() -> list[Problem]:
    return [problem for case in CASES for problem in problems_of_case(case)]


def test_every_problem_and_every_hint_is_a_sentence_that_can_be_translated() -> None:
    texts = {text for problem in _problems() for text in (problem.message, problem.hint)} - {""}
    assert [text for text in texts if not isinstance(text, Message)] == []


def test_a_problem_is_said_in_french_to_the_last_word() -> None:
    french = catalogue("fr")
    for problem in _problems():
        assert french.words(problem.message) != problem.message, problem


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("{before} or {word}", "a ou b"),
        ("{before} and {word}", "a et b"),
    ],
)
def test_sentences_in_the_places_of_a_sentence_are_translated_too(text: str, french: str) -> None:
    joined = Message("This is {actual}, but {names} is asked for.", {"actual": "x", "names": _pair(text)})
    assert french in catalogue("fr").words(joined)


def _pair(text: str) -> Message:
    return Message(text, {"before": "a", "word": "b"})
