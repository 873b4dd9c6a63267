"""The command line speaks the language of the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.cli.main import COMMANDS, main
from admin.cli.tongue import language_of
from admin.i18n import catalogue, spoken_language
from tests.networks import SMALL, edited

BROKEN = edited(SMALL, ("    to: contacted", "    to: contacte"))


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "", "LC_MESSAGES": "fr_BE"}, "fr"),
        ({"LC_ALL": "en_GB.UTF-8", "MAILLE_LANGUAGE": "fr"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_language_is_taken_from_the_environment(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of a pack with a mistake, and a French terminal."""
    for name, text in BROKEN.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("MAILLE_LANGUAGE", "fr")
    monkeypatch.setenv("MAILLE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "300")
    return str(tmp_path)


def test_problems_are_written_in_french(broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", broken]) == 1
    said = capsys.readouterr().out
    assert "n’a pas d’état «\u00a0contacte\u00a0»." in said
    assert "vouliez-vous dire «\u00a0contacted\u00a0»\u202f?" in said
    assert said.endswith("1 erreur, aucun avertissement\n")
    assert spoken_language() == "en"


def test_json_for_programs_stays_english(broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", broken, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["hint"] == "did you mean 'contacted'?"
    assert main(["history", "--format", "json"]) == 1
    assert "There is no network here yet" in capsys.readouterr().out


def test_a_refusal_is_written_in_french(broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert broken
    assert main(["history"]) == 1
    assert "Il n’y a pas encore de réseau ici\u202f:" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_french_to_the_words_of_argparse(command: str, broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert broken
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = capsys.readouterr().out
    assert said.startswith(f"utilisation\u202f: maille {command}")
    assert "afficher cette aide et finir" in said
    english = [text for text in catalogue("fr").sentences if len(text) > 12 and f" {text}\n" in said]
    assert english == []
