"""`maille fmt`: which files it writes, and how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.cli.main import main

CARELESS = "network: office\nlabel:\n    en: Office\n"
FORMED = "network: office\nlabel:\n  en: Office\n"
BROKEN = "entity: {\n"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    (folder / "deeper").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "a.yaml").write_text(CARELESS, "utf-8")
    (folder / "b.yml").write_text(FORMED, "utf-8")
    (folder / "deeper" / "c.yaml").write_text(CARELESS, "utf-8")
    (folder / ".hidden" / "d.yaml").write_text(CARELESS, "utf-8")
    (folder / "notes.txt").write_text(CARELESS, "utf-8")
    return folder


def test_the_files_of_a_pack_are_written_in_their_form(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", str(pack)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(pack / "a.yaml"), str(pack / "deeper" / "c.yaml")]
    assert (pack / "a.yaml").read_text("utf-8") == FORMED == (pack / "deeper" / "c.yaml").read_text("utf-8")
    assert (pack / ".hidden" / "d.yaml").read_text("utf-8") == CARELESS == (pack / "notes.txt").read_text("utf-8")
    assert sorted(path.name for path in pack.iterdir()) == [".hidden", "a.yaml", "b.yml", "deeper", "notes.txt"]
    assert main(["fmt", str(pack)]) == 0
    assert capsys.readouterr().out == ""


def test_check_writes_nothing_and_ends_with_one(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", str(pack)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert (pack / "a.yaml").read_text("utf-8") == CARELESS
    assert main(["fmt", "--check", str(pack / "b.yml")]) == 0


def test_a_broken_file_is_left_alone_and_hides_no_other(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pack / "a.yaml").write_text(BROKEN, "utf-8")
    (pack / "0.yaml").write_bytes(b"\xff\xfe")
    assert main(["fmt", str(pack), "--format", "json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "changed": [str(pack / "deeper" / "c.yaml")],
        "broken": [str(pack / "0.yaml"), str(pack / "a.yaml")],
    }
    assert f"{pack / 'a.yaml'}:2:1: yaml.syntax: " in said.err
    assert "0.yaml can't be read" in said.err
    assert (pack / "a.yaml").read_text("utf-8") == BROKEN


def test_what_is_not_there_is_a_wrong_call(pack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", str(pack), str(pack / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
    assert (pack / "a.yaml").read_text("utf-8") == CARELESS


def test_ends_of_lines_rights_and_links_stay(pack: Path) -> None:
    file = pack / "a.yaml"
    file.write_bytes(CARELESS.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = pack / "link.yaml"
    link.symlink_to(file)
    assert main(["fmt", str(link)]) == 0
    assert file.read_bytes() == FORMED.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()


def test_where_a_file_cannot_be_written_it_stays_whole(
    pack: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["fmt", str(pack / "a.yaml")]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert (pack / "a.yaml").read_text("utf-8") == CARELESS
    assert sorted(path.name for path in pack.iterdir()) == [".hidden", "a.yaml", "b.yml", "deeper", "notes.txt"]
