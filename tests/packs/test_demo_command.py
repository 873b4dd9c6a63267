"""`maille demo` makes a network once, and says who can sign in."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.cli.main import main
from tests.networks import SMALL
from tests.workflows.test_demo import PACK


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return written(tmp_path / "pack", PACK)


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def demo(pack: object, data: Path, *more: str) -> int:
    return main(["demo", str(pack), "--data", str(data), *more])


def test_the_network_is_made_once_and_the_sign_ins_are_printed_each_time(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo(pack, tmp_path / "data") == 0
    first = capsys.readouterr().out
    made = (tmp_path / "data" / "demo.sqlite").stat()
    assert demo(pack, tmp_path / "data") == 0
    second = capsys.readouterr().out
    assert (tmp_path / "data" / "demo.sqlite").stat().st_mtime_ns == made.st_mtime_ns
    assert "is there already" in second
    for text in ("anne@exemple.fr", "bruno@exemple.fr", "only-for-the-demo", "Distributor"):
        assert text in first
        assert text in second


def test_the_sign_ins_are_whole_on_a_narrow_terminal(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert demo(pack, tmp_path / "data") == 0
    printed = capsys.readouterr().out
    assert "only-for-the-demo" in printed
    assert "…" not in printed


def test_the_network_has_the_name_that_is_given(pack: Path, tmp_path: Path) -> None:
    assert demo(pack, tmp_path / "data", "--name", "essai") == 0
    assert [path.name for path in (tmp_path / "data").glob("*.sqlite")] == ["essai.sqlite"]


def test_a_pack_with_errors_is_reported_with_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = written(
        tmp_path / "pack", {**PACK, "demo.yaml": PACK["demo.yaml"].replace("pick: places.city", "pick: x.y")}
    )
    assert demo(broken, tmp_path / "data") == 1
    assert "demo.yaml:21:57: demo.list" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "more", "code", "says"),
    [
        ("nowhere", (), 2, "There is no pack 'nowhere'"),
        ("suivi", ("--name", "../elsewhere"), 2, "small letters"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    name: str, more: tuple[str, ...], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo(name, tmp_path, *more) == code
    assert says in capsys.readouterr().err


def test_a_pack_without_a_demo_says_how_to_write_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(written(tmp_path / "pack", dict(SMALL)), tmp_path / "data") == 1
    assert "has no demo" in capsys.readouterr().err
