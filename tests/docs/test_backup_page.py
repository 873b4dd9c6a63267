"""The commands of the page of backups are carried out, one after the other, with the key that the first one prints."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from admin.cli.main import main
from admin.settings import from_environment
from models.backups import file_name, found_in
from tests.networks import SMALL

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "backup.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ maille (.+)$", PAGE, re.M)


def test_the_page_of_backups_can_be_followed_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILLE_DATA", "data")
    (tmp_path / "pack").mkdir()
    for name, text in SMALL.items():
        (tmp_path / "pack" / name).write_text(text, "utf-8")
    assert main(["network", "create", "alba", "pack", "--leader", "claire.alba@exemple.fr"]) == 0
    key = ""
    assert len(COMMANDS) > 6
    for command in COMMANDS:
        capsys.readouterr()
        for made in found_in(tmp_path / "backups"):  # people are slower: the next one is not of the same second
            made.path.rename(made.path.with_name(file_name("alba", made.at - timedelta(minutes=1))))
        words = [key if word == "age1…" else word for word in shlex.split(command)]
        assert main(words) == 0, f"{command}: {capsys.readouterr()}"
        key = key or capsys.readouterr().out.strip()
    assert sorted(path.name for path in (tmp_path / "data").glob("*.sqlite")) == ["alba.sqlite", "alba_before.sqlite"]


def test_each_variable_of_the_page_is_one_that_is_read() -> None:
    named = set(re.findall(r"`(MAILLE_BACKUP\w*)`", PAGE))
    assert named == {
        f"MAILLE_{name}" for name in ("BACKUPS", "BACKUP_KEYS", "BACKUP_AT", "BACKUP_KEEP", "BACKUP_IDENTITY")
    }
    found = from_environment({"MAILLE_BACKUPS": "b", "MAILLE_BACKUP_KEYS": "k"})
    assert f"`{found.backup_at:%H:%M}`" in PAGE
    assert f"`{found.backup_keep.days}d`" in PAGE
