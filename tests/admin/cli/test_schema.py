"""`maille schema` writes what editors complete with, and `maille new` puts it where they find it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from admin.cli.main import main
from admin.cli.schema import MODELINE, SCHEMA, schema_text
from definitions.editor_schema import editor_schema
from definitions.pack import load, read_folder


def test_the_schema_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == editor_schema()
    assert main(["schema", "--out", str(tmp_path / "s.json")]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "s.json").read_text("utf-8") == schema_text()


def test_where_it_cannot_be_written_the_reason_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--out", str(tmp_path / "nowhere" / "s.json")]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_first_line_of_every_file_of_a_new_pack_leads_editors_to_the_schema_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "alba"
    assert main(["new", str(folder)]) == 0
    files = read_folder(folder)
    assert len(files) > 1
    assert all(text.startswith(MODELINE) for text in files.values())
    assert load(files).problems == ()
    named = MODELINE.strip().rpartition("$schema=")[2]
    assert named == SCHEMA
    Draft7Validator.check_schema(json.loads((folder / named).read_text("utf-8")))
