"""`maille network check`: what a newer Maille says of what is published, before it takes over."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from admin.cli.main import main
from models.connections import FileLock
from models.schemas import transaction
from models.store import StoreError
from models.stored import newest_files
from models.tenant import create_tenant
from tests.homes import Homes
from tests.networks import SMALL, STRICTER, edited

UNKNOWN = edited(SMALL, ("guard: has(record.phone)", "guard: has(record.phon)"))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of networks, one of them there."""
    monkeypatch.setenv("MAILLE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    async def make() -> None:
        await (await create_tenant(tmp_path / "alba.sqlite", "alba", files=SMALL)).close()

    asyncio.run(make())
    return tmp_path


def published_by_another_maille(data: Path, files: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(data / "alba.sqlite")) as connection, connection:
        connection.execute("UPDATE _definition SET files = ?", [json.dumps(dict(files))])


def test_what_keeps_every_rule_is_fine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = FileLock(data / "alba.sqlite")  # a server has it open
    assert main(["network", "check"]) == 0
    held.release()
    assert capsys.readouterr().out == "alba: fine\n"


def test_a_new_rule_is_told_and_stops_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    published_by_another_maille(data, STRICTER)
    assert main(["network", "check", "alba"]) == 0
    out, err = capsys.readouterr()
    assert out == "alba: opens; this Maille has rules that it breaks\n"
    assert "process.unreachable_state" in err


def test_what_is_not_understood_is_told_before_it_takes_a_network_down(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published_by_another_maille(data, UNKNOWN)
    assert main(["network", "check", "--format", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["network"], found["opens"]) == ("alba", False)
    assert [problem["file"] for problem in found["problems"]] == ["recruiting.yaml"]


def test_a_network_that_is_not_there_is_a_wrong_call(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["network", "check", "../alba"]) == 2
    assert main(["network", "check", "nobody"]) == 2
    assert "There is no network 'nobody'." in capsys.readouterr().err


@pytest.mark.anyio
async def test_the_current_version_is_read_on_either_database(homes: Homes) -> None:
    home = homes("alba")
    tenant = await create_tenant(home, "alba", files=SMALL)
    try:
        assert await newest_files(home) == dict(SMALL)
        await tenant.publish(edited(SMALL, ("max: 120", "max: 130")))
        assert "max: 130" in (await newest_files(home) or {})["company.yaml"]
    finally:
        await tenant.close()


def test_what_cannot_be_looked_at_is_told_of_each_network(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "bad.sqlite").write_bytes(b"no database" * 100)
    (data / "empty.sqlite").touch()
    assert main(["network", "check"]) == 1
    fine, bad, empty = capsys.readouterr().out.splitlines()
    assert fine == "alba: fine"
    assert bad.startswith(f"bad: {data / 'bad.sqlite'} cannot be opened: ")
    assert empty == "empty: Nothing is published yet."
    assert main(["network", "check", "bad", "empty", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["opens"], one["reason"] != "") for one in found] == [(False, True), (False, True)]


@pytest.mark.parametrize("names", [[], ["alba"]])
def test_a_database_that_is_not_there_is_told(
    data: Path, names: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["network", "check", *names]) == 1
    out, err = capsys.readouterr()
    assert "The database cannot be reached" in out + err


@pytest.mark.anyio
async def test_a_schema_that_cannot_be_read_is_told(homes: Homes) -> None:
    home = homes("alba")
    await (await create_tenant(home, "alba", files=SMALL)).close()
    if isinstance(home, Path):
        await asyncio.to_thread(home.write_bytes, b"no database" * 100)
    else:
        async with transaction(home.url, home.name) as tx:
            await tx.run('ALTER TABLE "_definition" DROP COLUMN "files" CASCADE')
    with pytest.raises(StoreError, match="cannot be opened"):
        await newest_files(home)
