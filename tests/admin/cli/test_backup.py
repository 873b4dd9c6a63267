"""`maille backup` and `maille restore`: what they print, and how they end."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest

from models import envelopes
from tests.admin.cli.test_commands import Call, call, small

__all__ = ["call", "small"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and the installation's secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILLE_SECRET", "x" * 32)


@pytest.fixture
def key(tmp_path: Path, small: str, call: Call) -> str:
    """A network, a key in `k.key`, and its public part."""
    code, public, err = call("backup", "--new-key", "k.key")
    assert (code, "Keep k.key away from the server" in err) == (0, True)
    assert stat.S_IMODE((tmp_path / "k.key").stat().st_mode) == 0o600
    return public.strip()


def test_a_network_is_saved_looked_at_and_brought_back(
    tmp_path: Path, key: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = call("backup", "--to", "kept", "--key", key, "--verify")
    assert (code, "restored and compared" in out) == (0, True)
    (file,) = (tmp_path / "kept").glob("alba.*.maille.age")
    code, out, _ = call("backup", "--to", "kept", "--list")
    assert (code, file.name in out) == (0, True)
    monkeypatch.setenv("MAILLE_BACKUP_IDENTITY", "k.key")
    code, out, _ = call("restore", str(file), "--check")
    assert (code, "can be restored: alba of 20" in out) == (0, True)
    assert call("network", "delete", "alba", "--confirm", "alba")[0] == 0
    code, out, _ = call("restore", "kept")
    assert (code, "rows are in the network 'alba'" in out) == (0, True)
    code, _, err = call("restore", "kept")
    assert (code, "--replace" in err) == (1, True)
    code, out, _ = call("restore", "kept", "--replace")
    assert (code, "The one that was there is kept as" in out) == (0, True)
    code, out, _ = call("restore", "kept", "--as", "copy", "--format", "json")
    assert (code, json.loads(out)["name"]) == (0, "copy")


def test_a_backup_of_another_secret_warns(key: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("backup", "--to", "kept", "--key", key)
    monkeypatch.setenv("MAILLE_SECRET", "y" * 32)
    monkeypatch.setenv("MAILLE_DATA", "elsewhere")
    code, _, err = call("restore", "kept", "--check", "--identity", "k.key")
    assert (code, "MAILLE_SECRET_BEFORE" in err) == (0, True)


def test_the_key_comes_from_standard_input_too(key: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("backup", "--to", "kept", "--key", key)
    monkeypatch.setattr("sys.stdin", io.StringIO(Path("k.key").read_text("utf-8")))
    assert call("restore", "kept", "--check", "--identity", "-")[0] == 0


def test_the_environment_says_where_to_and_for_whom(key: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLE_BACKUPS", "kept")
    monkeypatch.setenv("MAILLE_BACKUP_KEYS", key)
    assert call("backup")[0] == 0
    code, out, _ = call("backup", "--every", "1d", "--format", "json")
    assert (code, json.loads(out)["left_out"]) == (0, 1)
    code, out, _ = call("backup", "--list", "--limit", "1", "--format", "json")
    answer = json.loads(out)
    assert (code, answer["next"], answer["backups"][0]["network"]) == (0, None, "alba")


def test_a_backup_that_fails_is_told_and_ends_with_1(key: str, call: Call) -> None:
    Path("data/bad.sqlite").write_bytes(b"no database" * 100)
    code, out, err = call("backup", "--to", "kept", "--key", key)
    assert (code, "alba: " in out, "bad: " in err) == (1, True, True)


WRONG = [
    (("backup",), 2, "--to"),
    (("backup", "--to", "kept"), 1, "--new-key FILE"),
    (("backup", "--to", "kept", "--key", "age1x"), 1, "no public key"),
    (("backup", "--to", "kept", "--key", str(envelopes.fresh())), 1, "a secret key stands"),
    (("backup", "--to", "kept", "--key", "{key}", "--keep", "2 years"), 2, "no span of time"),
    (("backup", "--to", "kept", "--key", "{key}", "--every", "soon"), 2, "no span of time"),
    (("backup", "--new-key", "k.key"), 2, "a file at k.key already"),
    (("backup", "--to", "kept", "--network", "abla", "--key", "{key}"), 1, "alba"),
    (("restore", "kept"), 2, "--identity"),
    (("restore", "kept", "--identity", "none.key"), 2, "cannot be read"),
    (("restore", "none.age", "--identity", "k.key"), 1, "none.age"),
    (("restore", "k.key", "--identity", "k.key"), 1, "damaged, or no backup"),
    (("restore", "pack", "--identity", "k.key"), 1, "whose newest backup"),
    (("restore", "kept", "--identity", "k.key", "--as", "No!"), 2, "small letters"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_is_wrong_is_said(words: tuple[str, ...], code: int, said: str, key: str, call: Call) -> None:
    found, _, err = call(*(word.replace("{key}", key) for word in words))
    assert (found, said in err) == (code, True), err
    assert "AGE-SECRET" not in err


def test_a_network_that_cannot_be_read_is_replaced_where_it_is_said(key: str, call: Call) -> None:
    assert call("backup", "--to", "kept", "--key", key)[0] == 0
    Path("data/alba.sqlite").write_bytes(b"no database" * 100)
    given = ("restore", "kept", "--identity", "k.key", "--replace")
    code, _, err = call(*given)
    assert (code, "--unread" in err) == (1, True)
    code, out, _ = call(*given, "--unread")
    assert (code, "could not be read: it is back" in out) == (0, True)
