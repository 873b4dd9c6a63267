"""`maille check`: exit codes, and four forms of the same report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.cli.main import COMMANDS, main

BROKEN = "network: office\nlanguages: [en, fr]\nlabel: {en: Office}\nhuee: 3\n"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "network.yaml").write_text(BROKEN)
    return tmp_path


def test_a_broken_pack_is_reported_with_file_line_and_column(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(pack)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "network.yaml:3:8: warning: text.missing_language: This text has no translation for: fr.",
        "    Add it, or leave the languages out.",
        "network.yaml:4:1: schema.unknown_key: There is no key 'huee' here.",
        "    did you mean 'hue'?",
        "1 error, 1 warning",
    ]


def test_warnings_alone_are_no_failure(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "network.yaml").write_text(BROKEN.replace("huee", "hue"))
    assert main(["check", str(pack)]) == 0
    assert capsys.readouterr().out.endswith("no errors, 1 warning\n")


def test_a_pack_that_comes_with_maille_is_checked_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "suivi"]) == 0
    assert capsys.readouterr().out == "no errors, no warnings\n"


def test_the_json_is_the_list_that_the_language_promises(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(pack), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found[1] == {
        "code": "schema.unknown_key",
        "severity": "error",
        "file": "network.yaml",
        "line": 4,
        "column": 1,
        "message": "There is no key 'huee' here.",
        "hint": "did you mean 'hue'?",
    }
    assert [problem["severity"] for problem in found] == ["warning", "error"]


def test_sarif_has_a_result_for_each_problem(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(pack), "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["schema.unknown_key", "text.missing_language"]
    result = run["results"][1]
    assert result["ruleId"] == "schema.unknown_key"
    assert result["level"] == "error"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "network.yaml"},
        "region": {"startLine": 4, "startColumn": 1},
    }


def test_github_gets_a_command_for_each_problem(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(pack), "--format", "github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "::error file=network.yaml,line=4,col=1,title=schema.unknown_key::"
        "There is no key 'huee' here. did you mean 'hue'?"
    )


def test_a_folder_that_is_not_there_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "no_such_pack"]) == 2
    assert "no_such_pack" in capsys.readouterr().err


@pytest.mark.parametrize("call", [[], ["nonsense"], ["check"], ["check", "x", "--format", "xml"]])
def test_a_wrong_call_ends_with_two(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(call)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())
