"""What was found in a pack is found again without checking, and nothing but that is ever believed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from definitions import verdicts
from definitions.message import Message
from definitions.pack import load
from definitions.verdicts import KEPT, Verdicts, key_of, usual_folder

FILES = {"a.yaml": "network: office\nlanguages: [en]\n", "b.yaml": "entity: note\nfields: {a: {type: txt}}\n"}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    return folder


def kept(cache: Path, files: dict[str, str] = FILES) -> Path:
    """Keep what is wrong with the files and return the file that it is in."""
    Verdicts(cache).keep(files, load(files).problems)
    return cache / key_of(files)


def test_problems_are_recalled_with_all_that_their_sentences_were_made_of(cache: Path) -> None:
    kept(cache)
    found, known = load(FILES).problems, Verdicts(cache).recall(FILES)
    assert known == found
    assert known is not None
    said = [[each.message for each in problems if isinstance(each.message, Message)] for problems in (known, found)]
    assert len(said[0]) == len(found) > 0
    assert [(each.text, each.values) for each in said[0]] == [(each.text, each.values) for each in said[1]]


@pytest.mark.parametrize(
    "other",
    [
        {**FILES, "b.yaml": FILES["b.yaml"] + "\n"},
        {**FILES, "c.yaml": ""},
        {"a.yaml": FILES["a.yaml"]},
        {"a.yam": "l" + FILES["a.yaml"], "b.yaml": FILES["b.yaml"]},
        {"a.yaml": FILES["b.yaml"], "b.yaml": FILES["a.yaml"]},
        {**FILES, "b\udcff.yaml": "\udcff"},
    ],
)
def test_other_files_are_not_known(cache: Path, other: dict[str, str]) -> None:
    kept(cache)
    assert Verdicts(cache).recall(other) is None


def test_another_version_of_the_checker_knows_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(cache)
    monkeypatch.setattr(verdicts, "_MADE_WITH", ("pytest",))
    assert Verdicts(cache).recall(FILES) is None


@pytest.mark.parametrize("number", range(6))
def test_what_was_damaged_is_not_believed(cache: Path, number: int) -> None:
    path = kept(cache)
    whole = path.read_text("utf-8")
    digest, _, body = whole.partition("\n")
    path.write_text([whole[:-3], "", digest, body, whole.replace("txt", "text"), f"{digest}\n[]"][number], "utf-8")
    assert Verdicts(cache).recall(FILES) is None


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_what_others_may_have_put_there_is_not_believed(cache: Path, mode: int) -> None:
    path = kept(cache)
    cache.chmod(mode)
    assert Verdicts(cache).recall(FILES) is None
    path.unlink()
    Verdicts(cache).keep(FILES, ())
    assert list(cache.iterdir()) == []


def test_a_folder_is_made_for_oneself_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    kept(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert Verdicts(folder).recall(FILES) is not None


def test_where_nothing_can_be_kept_nothing_is_known(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("", "utf-8")
    Verdicts(taken / "cache").keep(FILES, ())
    assert Verdicts(taken / "cache").recall(FILES) is None


def test_what_was_asked_for_longest_ago_goes(cache: Path) -> None:
    for number in range(KEPT):
        path = cache / str(number)
        path.write_text("", "utf-8")
        os.utime(path, (number, number))
    assert kept(cache).exists()
    assert not (cache / "0").exists()
    assert len(list(cache.iterdir())) == KEPT


def test_no_file_of_the_cache_is_more_than_json(cache: Path) -> None:
    body = kept(cache).read_text("utf-8").partition("\n")[2]
    assert [code for code, *_ in json.loads(body)] == [problem.code for problem in load(FILES).problems]


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/caches", "HOME": "/me"}, Path("/caches/maille/check")),
        ({"XDG_CACHE_HOME": "caches", "HOME": "/me"}, Path("/me/.cache/maille/check")),
        ({"HOME": "/me"}, Path("/me/.cache/maille/check")),
        ({}, None),
        ({"XDG_CACHE_HOME": "/caches", "MAILLE_CACHE": "off"}, None),
    ],
)
def test_the_cache_is_where_caches_are(environment: dict[str, str], folder: Path | None) -> None:
    assert usual_folder(environment) == folder
