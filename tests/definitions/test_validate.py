"""JSON Schema's verdicts become problems with places and hints; what is wrong is left out of what is built."""

from __future__ import annotations

import pytest

from definitions.problems import Problem
from definitions.source import QUOTE_HINT, Mapping, data, read_documents
from definitions.validate import validate


def judged(text: str) -> tuple[list[Problem], Mapping | None]:
    documents, problems = read_documents("a.yaml", text)
    assert problems == []
    node = documents[0].node
    assert node is not None
    return validate(documents[0], next(iter(node.entries)))


@pytest.mark.parametrize(
    ("text", "code", "place", "hint"),
    [
        ("entity: Lead\n", "schema.name", "1:9", "Names are small letters"),
        ("network: n\nhuee: 3\n", "schema.unknown_key", "2:1", "did you mean 'hue'?"),
        ("network: n\nhue: -1\n", "schema.out_of_range", "2:6", ""),
        ("network: n\nhue: 999\n", "schema.out_of_range", "2:6", ""),
        ("network: n\nhue: {a: 1}\n", "schema.wrong_type", "2:6", ""),
        ("network: n\nlanguages:\n", "schema.wrong_type", "2:1", ""),
        ("network: n\nlanguages:\n  a: b\n", "schema.wrong_type", "2:1", ""),
        ("network: n\nlanguages: []\n", "schema.empty", "2:12", ""),
        ("network: n\nlabel: 3\n", "schema.wrong_type", "2:8", "Put it in quotes: '3'."),
        ("network: n\nlabel:\n", "schema.wrong_type", "2:1", "Write something behind the colon."),
        ("network: n\ntimezone: [a]\n", "schema.wrong_type", "2:11", "Write one word or sentence."),
        ("network: n\ncurrency: euro\n", "schema.form", "2:11", "The currency, as EUR."),
        ("entity: a\nowner: on\n", "schema.wrong_type", "2:8", "Write true."),
        ("entity: a\nowner: off\n", "schema.wrong_type", "2:8", "Write false."),
        ("entity: a\nowner: maybe\n", "schema.wrong_type", "2:8", ""),
        ("entity: a\nlabel: {English: A}\n", "schema.language", "2:9", "Write the language's code"),
        ("entity: a\nfields: {A: {type: text}}\n", "schema.name", "2:10", "Names are small letters"),
        ("process: p\nmoved: {A-1: b}\n", "schema.name", "2:9", "Names are small letters"),
        ("entity: a\nfields: {b: {}}\n", "schema.missing_key", "2:13", "Add 'type:'."),
        ("entity: a\nfields: {b: {typ: text}}\n", "schema.missing_key", "2:13", "'typ' may be meant to be 'type'."),
        ("entity: a\nfields: {b: text}\n", "schema.wrong_type", "2:13", ""),
        ("entity: a\nfields: {b: {type: txt}}\n", "schema.choice", "2:20", "did you mean 'text'?"),
        ("entity: a\nfields: {b: {type: {a: b}}}\n", "schema.choice", "2:20", "one of: text"),
        ("entity: a\nfields: {b: {type: 3}}\n", "schema.choice", "2:20", "one of: text"),
        ("entity: a\nretention: {after: 3d, unless: {a: b}}\n", "schema.wrong_type", "2:32", QUOTE_HINT),
        ("home: a\ntiles: [{tasks: mine, view: x}]\n", "schema.missing_key", "2:23", "Add 'screen:'."),
        ("automation: a\nwhen: {created: b}\ndo: [{stop: yes}]\n", "schema.choice", "3:13", "Write true."),
        ("statistic: a\nentity: b\nmeasure: count()\nby: [a, b, c, d]\n", "schema.too_many", "4:5", ""),
        ("network: n\ncountries: [FR, BE, FR]\n", "schema.repeated", "2:12", "Keep one of them."),
    ],
)
def test_a_verdict_is_explained(text: str, code: str, place: str, hint: str) -> None:
    found = next(problem for problem in judged(text)[0] if problem.code == code)
    assert str(found.place) == f"a.yaml:{place}"
    assert found.hint.startswith(hint)
    assert bool(found.hint) == bool(hint)


def test_what_is_wrong_is_left_out() -> None:
    text = "entity: a\nowner: maybe\nicn: x\nfields:\n  b: {type: text, max: 3, colour: red}\n  c: {typ: text}\n"
    problems, node = judged(text)
    assert len(problems) == 5
    assert node is not None
    assert data(node) == {"entity": "a", "fields": {"b": {"type": "text", "max": 3}}}


def test_an_item_of_a_list_is_left_out_alone() -> None:
    node = judged("automation: a\nwhen: {created: b}\ndo: [{stop: true}, {stp: true}, {stop: 3}]\n")[1]
    assert node is not None
    assert data(node)["do"] == [{"stop": True}, {}, {}]


def test_nothing_is_left_of_a_document_without_what_it_needs() -> None:
    problems, node = judged("process: a\nlabel: A\n")
    assert node is None
    assert [problem.message for problem in problems] == [
        "The key 'entity' is missing here.",
        "The key 'states' is missing here.",
    ]


def test_a_document_that_was_not_read_has_no_verdict() -> None:
    broken = read_documents("a.yaml", "entity: [\n")[0][0]
    assert validate(broken, "entity") == ([], None)
