"""YAML becomes nodes with places, by YAML 1.2's rules."""

from __future__ import annotations

import pytest

from definitions.problems import Place
from definitions.source import Mapping, Node, Plain, Scalar, Sequence, core_value, data, read_documents


def read(text: str) -> Mapping:
    documents, problems = read_documents("a.yaml", text)
    assert problems == []
    node = documents[0].node
    assert node is not None
    return node


def scalar(node: Node | None) -> Scalar:
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("no", "no"),
        ("10:30", "10:30"),
        ("2026-01-02", "2026-01-02"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("null", None),
        ("~", None),
        ("", None),
        ("=now()", "=now()"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_plain_scalar_is_what_the_core_schema_says(written: str, meant: Plain) -> None:
    found = core_value(written)
    assert found == meant
    assert type(found) is type(meant)


def test_not_a_number_is_a_number() -> None:
    assert core_value(".nan") != core_value(".nan")


def test_quoted_scalars_are_texts() -> None:
    assert data(read("a: '12'\nb: \"true\"\nc: |\n  3\n")) == {"a": "12", "b": "true", "c": "3\n"}


def test_nodes_know_their_place() -> None:
    node = read("one: 1\nlist:\n  - a\n  - {b: c}\n")
    assert node.entries["list"].key.place == Place("a.yaml", 2, 1)
    items = node.get("list")
    assert isinstance(items, Sequence)
    assert items.items[0].place == Place("a.yaml", 3, 5)
    inner = items.items[1]
    assert isinstance(inner, Mapping)
    assert inner.flow
    assert scalar(inner.get("b")).place == Place("a.yaml", 4, 9)
    assert node.get("absent") is None


def test_columns_count_characters_not_bytes() -> None:
    assert scalar(read("é: [ü]\nà: {ö: ß}\n").entries["à"].key).place == Place("a.yaml", 2, 1)
    inner = read("k: {é: {ö: ß}}\n").get("k")
    assert isinstance(inner, Mapping)
    assert inner.entries["é"].value.place == Place("a.yaml", 1, 8)


@pytest.mark.parametrize(
    ("text", "marker", "line", "column"),
    [
        ("k: abc X\n", "X", 1, 8),
        ("k: 'it''s X'\n", "X", 1, 11),
        ('k: "a\\tb \\u00e9 X"\n', "X", 1, 17),
        ("k: |\n  one\n\n    two X\n", "X", 4, 9),
        ("k: |2\n  one\n  X\n", "X", 3, 3),
        ("k: >\n  one\n  two X\n", "X", 3, 7),
        ("k: one\n  two X\n", "X", 2, 7),
        ("k: 'one\n\n  two X'\n", "X", 3, 7),
        ('k: "one \\\n  two X"\n', "X", 2, 7),
        ("k: one\r\n  two X\r\n", "X", 2, 7),
    ],
)
def test_a_character_of_a_scalar_is_found_in_the_file(text: str, marker: str, line: int, column: int) -> None:
    node = scalar(read(text).get("k"))
    assert node.at(node.text.index(marker)) == Place("a.yaml", line, column)


def test_a_place_beyond_the_end_is_the_end() -> None:
    assert scalar(read("k: ab\n").get("k")).at(99) == Place("a.yaml", 1, 6)


def test_several_documents_have_places_in_their_file() -> None:
    documents, problems = read_documents("a.yaml", "%YAML 1.2\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n")
    assert problems == []
    assert [document.node.entries for document in documents if document.node] != []
    places = [entry.key.place for document in documents if document.node for entry in document.node.entries.values()]
    assert places == [Place("a.yaml", 3, 1), Place("a.yaml", 7, 1)]


def test_a_mark_of_byte_order_is_no_character() -> None:
    assert data(read("\ufeffa: 1\n")) == {"a": 1}


def test_a_plain_alias_is_what_it_names() -> None:
    assert data(read("a: &x [1, 2]\nb: *x\n")) == {"a": [1, 2], "b": [1, 2]}


def codes(text: str) -> list[str]:
    return [problem.code for problem in read_documents("a.yaml", text)[1]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "yaml.duplicate_key"),
        ("a: !!python/none x\n", "yaml.tag"),
        ("a: !x y\n", "yaml.tag"),
        ("a: *b\n", "yaml.alias"),
        ("a: &a [*a]\n", "yaml.alias"),
        ("? [a]\n: 1\n", "yaml.key"),
        ("- a\n", "yaml.not_a_mapping"),
        ("just text\n", "yaml.not_a_mapping"),
        ("a: [1\n", "yaml.syntax"),
        ("a: \x00\n", "yaml.characters"),
        ("a: \udc80\n", "yaml.characters"),
        ("a: " + "[" * 70 + "]" * 70, "yaml.depth"),
    ],
)
def test_what_is_not_allowed_is_reported(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_aliases_may_expand_to_ten_thousand_nodes_and_no_more() -> None:
    tens = (
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b ["
        + ", ".join(["*a"] * 100)
        + "]\nc: ["
        + ", ".join(["*b"] * 8)
        + "]\n"
    )
    assert codes(tens) == []
    assert codes(tens.replace("c: [", "c: [*b, *b, *b, ")) == ["yaml.alias_budget"]


def test_a_broken_document_says_what_it_seems_to_define() -> None:
    documents, problems = read_documents("a.yaml", "entity: lead # who\nfields: [\n---\nentity: company\n")
    assert [problem.code for problem in problems] == ["yaml.syntax"]
    assert documents[0].head == ("entity", "lead")
    assert documents[1].node is not None


def test_an_empty_file_has_no_documents() -> None:
    assert read_documents("a.yaml", "# only a remark\n\n") == ([], [])
