"""The one schema for editors takes every pack that there is, and refuses those that are wrong by their shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from definitions.editor_schema import DRAFT, editor_schema
from definitions.pack import PACKS, read_folder
from definitions.source import Document, data, read_documents
from definitions.validate import kinds, validate
from tests.golden.cases import CASES

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft7Validator(editor_schema())
FOLDERS = sorted({
    *PACKS.iterdir(),
    *(ROOT / "docs" / "examples").glob("*/"),
    ROOT / "tests" / "packs",
    ROOT / "admin" / "cli" / "starter",
})  # fmt: skip


def documents(folder: Path) -> Iterator[Document]:
    for name, text in read_folder(folder).items():
        yield from read_documents(name, text)[0]


def below(node: Any) -> Iterator[dict[str, Any]]:
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from below(each)
    if isinstance(node, dict):
        yield node


def test_it_is_a_schema_of_draft_7_whose_references_lead_somewhere() -> None:
    schema = editor_schema()
    assert schema["$schema"] == DRAFT
    Draft7Validator.check_schema(schema)
    named = {part["$ref"] for part in below(schema) if "$ref" in part}
    assert named <= {f"#/definitions/{name}" for name in schema["definitions"]}


def test_nothing_in_it_is_for_us_alone() -> None:
    keys = {key for part in below(editor_schema()) for key in part}
    assert not {key for key in keys if key.startswith(("x-", "$defs", "dependentRequired"))}


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.is_dir()], ids=lambda path: path.name)
def test_it_takes_every_pack(folder: Path) -> None:
    found = [error.message for document in documents(folder) for error in VALIDATOR.iter_errors(data(document.node))]  # type: ignore[arg-type] # each was read
    assert found == []


def shaped(document: Document) -> bool:
    kind = next(iter(document.node.entries)) if document.node else ""
    return kind in kinds() and bool(validate(document, kind)[0])


WRONG = [
    (case.name, document)
    for case in CASES
    for document in documents(case)
    if document.node is not None and shaped(document)
]


@pytest.mark.parametrize(("name", "document"), WRONG, ids=[name for name, _ in WRONG])
def test_it_refuses_what_is_wrong_by_its_shape(name: str, document: Document) -> None:
    assert document.node is not None
    assert not VALIDATOR.is_valid(data(document.node)), name


def test_there_are_such_documents() -> None:
    assert len(WRONG) > 10


@pytest.mark.parametrize(
    ("document", "fits"),
    [
        ({"entity": "lead"}, True),
        ({"process": "p", "entity": "lead", "states": {"a": {"initial": True}}}, True),
        ({"entity": "lead", "states": {}}, False),
        ({"entitty": "lead"}, False),
        ({}, False),
        (None, True),
    ],
)
def test_the_kind_shows_in_the_keys(document: Any, *, fits: bool) -> None:
    assert VALIDATOR.is_valid(document) is fits


def test_a_document_that_has_no_kind_yet_is_offered_all_of_them_with_what_they_are_for() -> None:
    schema = editor_schema()
    while "else" in schema:
        schema = schema["else"]
    assert set(schema["properties"]) == set(kinds())
    assert all(part["description"] for part in schema["properties"].values())
