"""`maille network move` takes a network elsewhere and says what arrived; `maille worker` says where it has no work."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from admin.cli.main import main
from models.stores import home_of
from models.tenant import create_tenant
from tests.homes import Homes
from tests.networks import SMALL


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small network."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    async def make() -> None:
        await (await create_tenant(home_of(tmp_path, "small"), "small", files=SMALL)).close()

    asyncio.run(make())
    return tmp_path


def move(data: Path, to: object, *more: str, name: str = "small") -> int:
    return main(["network", "move", name, "--data", str(data), "--to", str(to), *more])


def test_a_network_goes_to_postgres_and_comes_back(
    data: Path, postgres: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Homes(data, postgres)
    monkeypatch.setenv("MAILLE_SCHEMA_PREFIX", there.prefix)
    assert move(data, postgres, "--format", "json") == 0
    sent = json.loads(capsys.readouterr().out)
    assert {each["table"]: each["rows"] for each in sent["tables"]}["_definition"] == 1
    assert sent["aside"] == str(data / ".small.sqlite.moved")
    monkeypatch.setenv("DATABASE_URL", postgres)
    assert main(["network", "move", "small", "--to", str(data / "back"), "--remove", "--format", "json"]) == 0
    back = json.loads(capsys.readouterr().out)
    assert back == {"tables": sent["tables"], "aside": None}
    assert (data / "back" / "small.sqlite").is_file()
    assert main(["network", "move", "small", "--to", str(data / "again")]) == 1


def test_what_arrived_is_said_for_people(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert move(data, data / "else") == 0
    said = capsys.readouterr().out
    assert "_definition" in said
    assert ".small.sqlite.moved" in said.replace("\n", "")


def test_what_cannot_be_moved_stays_and_says_why(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert move(data, data) == 1
    assert "already" in capsys.readouterr().err
    assert move(data, data / "else", name="other") == 1
    assert "There is no network 'other'" in capsys.readouterr().err
    assert move(data, "postgresql://nobody@/none?host=/nowhere") == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert (data / "small.sqlite").is_file()


def test_on_sqlite_workers_are_inside_the_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["worker"]) == 1
    assert "inside the server" in capsys.readouterr().err


def test_a_worker_whose_database_is_not_there_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/none?host=/nowhere")
    assert main(["worker"]) == 1
    assert "cannot be reached" in capsys.readouterr().err
