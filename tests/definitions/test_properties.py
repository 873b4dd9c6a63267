"""Whatever somebody writes, loading answers with problems, never with an exception."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions.duration import parse_duration
from definitions.pack import load, read_folder
from definitions.source import Scalar, read_documents
from definitions.validate import kinds
from tests.running import tries

HERE = Path(__file__).parents[1] / "packs"
LANGUAGE = read_folder(HERE / "language")
LINES = [line for text in LANGUAGE.values() for line in text.splitlines()]
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "- ",
    "\n",
    "  ",
    "'",
    '"',
    "=",
    "|",
    ">",
    "&a",
    "*a",
    "!",
    "#",
    "---\n",
    "?",
    "{{",
    "}}",
]
WORDS = [*kinds(), "lead", "fields", "type", "text", "record.calls", "true", "12", "null", "any", "=now()", "é"]

scribbles = st.lists(st.sampled_from(PIECES + WORDS), max_size=40).map("".join)
any_settings = settings(max_examples=tries(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@any_settings
@given(st.text(max_size=200) | scribbles)
def test_any_text_is_read_or_explained(text: str) -> None:
    documents, problems = read_documents("a.yaml", text)
    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in problems)
    assert all(document.node is not None or problems for document in documents)


@any_settings
@given(st.sampled_from(sorted(LANGUAGE)), st.data())
def test_any_change_of_a_pack_loads_or_is_explained(name: str, data: st.DataObject) -> None:
    text = LANGUAGE[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    changed = text[:start] + data.draw(scribbles) + text[end:]
    found = load({**LANGUAGE, name: changed}, library=HERE / "library")
    assert (found.network is None) == bool(found.errors)


@any_settings
@given(st.lists(st.sampled_from(LINES), max_size=30))
def test_lines_in_any_order_load_or_are_explained(lines: list[str]) -> None:
    found = load({"a.yaml": "\n".join(lines)}, library=HERE / "library")
    assert (found.network is None) == bool(found.errors)


@pytest.mark.parametrize("kind", kinds())
@any_settings
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_any_value_behind_any_key_is_explained(kind: str, body: object) -> None:
    keys = [
        "label",
        "entity",
        "fields",
        "states",
        "transitions",
        "do",
        "when",
        "body",
        "entities",
        "tiles",
        "views",
        "list",
    ]
    chosen = random.Random(repr(body)).sample(keys, 3)  # noqa: S311 - chance for a test
    text = f"{kind}: x\n" + "".join(f"{key}: {body!r}\n".replace("None", "null") for key in chosen)
    found = load({"a.yaml": "network: office\nlanguages: [en]\n", "b.yaml": text})
    assert (found.network is None) == bool(found.errors)


@any_settings
@given(st.text(alphabet="0123456789 hdmwsyearonthikg", max_size=30))
def test_any_text_is_a_duration_or_not(text: str) -> None:
    found = parse_duration(text)
    assert found is None or text.strip()[0].isdigit()


@any_settings
@given(st.sampled_from(["{}", "'{}'", '"{}"', "|\n  {}", ">\n  {}"]), st.text(alphabet="ab '\"\\\n\t:é", max_size=30))
def test_places_inside_of_scalars_are_inside_of_the_file(style: str, text: str) -> None:
    written = "k: " + style.format(text) + "\n"
    for document in read_documents("a.yaml", written)[0]:
        node = document.node.get("k") if document.node else None
        if isinstance(node, Scalar):
            lines = written.count("\n") + 1
            assert all(node.at(offset).line <= lines for offset in range(len(node.text) + 2))
