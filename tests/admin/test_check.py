"""`maille check`: exit codes, and four forms of the same report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

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
        "artifactLocation": {"uri": "network.yaml", "uriBaseId": "PACK"},
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


def run_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["runs"][0]


def test_sarif_says_where_its_files_are_and_what_its_codes_mean(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "à lire #1.yaml").write_text("entityy: lead\n", "utf-8")
    assert main(["check", str(pack), "--format", "sarif"]) == 1
    run = run_of(capsys)
    assert run["originalUriBaseIds"] == {"PACK": {"uri": pack.as_uri() + "/"}}
    places = [result["locations"][0]["physicalLocation"]["artifactLocation"] for result in run["results"]]
    assert {place["uriBaseId"] for place in places} == {"PACK"}
    assert {place["uri"] for place in places} == {"network.yaml", "%C3%A0%20lire%20%231.yaml"}
    rules = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert rules["schema.unknown_key"] == "A key is unknown, or misspelt."
    assert {result["ruleId"] for result in run["results"]} == set(rules)


def test_a_clean_pack_has_a_report_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for form in ("json", "sarif", "github"):
        assert main(["check", "suivi", "--format", form]) == 0
        said[form] = capsys.readouterr().out
    assert json.loads(said["json"]) == []
    assert json.loads(said["sarif"])["runs"][0]["results"] == []
    assert said["github"] == ""


def test_github_finds_the_files_of_a_pack_below_the_folder_it_starts_from(
    pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(pack.parent)
    assert main(["check", pack.name, "--format", "github"]) == 1
    assert f"::error file={pack.name}/network.yaml,line=4," in capsys.readouterr().out


def test_a_message_of_several_lines_stays_one_command(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "network.yaml").write_text('network: office\nlanguages: [en]\ntimezone: "a\\nb%:,c"\n')
    assert main(["check", str(pack), "--format", "github"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert "'a%0Ab%25:,c'" in line


def test_a_file_is_no_pack(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(pack / "network.yaml")]) == 2
    assert "is a file; a pack is a folder" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(
    pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied", "secret.yaml")

    monkeypatch.setattr(Path, "read_text", refused)  # tests may run as root, who may read everything
    assert main(["check", str(pack)]) == 2
    assert "secret.yaml can't be read: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_a_file_whose_name_is_no_text_is_reported_like_any_other(
    form: str, pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pack / os.fsdecode(b"caf\xe9.yaml")).write_text("nonsense: 1\n")
    assert main(["check", str(pack), "--format", form]) == 1
    assert "caf" in capsys.readouterr().out


def test_an_empty_folder_lacks_its_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith("network.yaml:1:1: network.missing: ")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda text: text.replace(b"\n", b"\r\n"), True),
        (lambda text: b"\xef\xbb\xbf" + text, True),
        (lambda text: text.rstrip(b"\n"), True),
        (lambda text: text.decode().encode("utf-16"), False),
    ],
    ids=["ends of lines of Windows", "a byte order mark", "no end of the last line", "another encoding"],
)
def test_how_a_file_is_saved_moves_nothing(
    change: Any, pack: Path, capsys: pytest.CaptureFixture[str], *, same: bool
) -> None:
    main(["check", str(pack), "--format", "json"])
    before = json.loads(capsys.readouterr().out)
    file = pack / "network.yaml"
    file.write_bytes(change(file.read_bytes()))
    assert main(["check", str(pack), "--format", "json"]) == 1
    after = json.loads(capsys.readouterr().out)
    assert (after == before) is same
    if not same:
        assert {each["code"] for each in after} == {"yaml.characters", "network.missing"}


def test_what_was_checked_is_remembered_unless_nothing_is_to_be(
    pack: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caches = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
    monkeypatch.delenv("MAILLE_CACHE")
    assert main(["check", str(pack), "--no-cache"]) == 1
    assert list(caches.iterdir()) == []
    assert main(["check", str(pack)]) == 1
    first = capsys.readouterr().out
    monkeypatch.setattr("definitions.pack.load", None)  # from here on nothing can be checked
    assert main(["check", str(pack)]) == 1
    assert capsys.readouterr().out == first[len(first) // 2 :]
    monkeypatch.setenv("MAILLE_LANGUAGE", "fr")
    assert main(["check", str(pack)]) == 1
    assert "Il n’y a pas de clé" in capsys.readouterr().out
