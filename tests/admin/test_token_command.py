"""`maille token`, over a folder of networks."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from admin.cli.main import main
from models.connections import FileLock
from tests.admin.api.living import ROOT, prepare

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two networks."""
    prepare(tmp_path)
    return tmp_path


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return what calls the command: the exit code, and what it writes."""

    def called(*words: str, network: str = "small") -> tuple[int, str, str]:
        code = main(["token", *words, "--data", str(folder), *(["--network", network] if network else [])])
        written = capsys.readouterr()
        return code, written.out, written.err

    return called


def test_a_token_is_made_listed_and_revoked(say: Say) -> None:
    lea = "Distributor@exemple.fr"
    code, out, _ = say("create", lea, "--name", "import", "--days", "5", "--level", "distributor", "--format", "json")
    made: dict[str, Any] = json.loads(out)
    assert code == 0
    assert made["token"].startswith("maille_")
    assert made["levels"] == ["distributor"]
    code, out, _ = say("list", lea)
    assert (code, made["id"] in out, "import" in out, "never" in out) == (0, True, True, True)
    assert json.loads(say("list", lea, "--format", "json")[1])[0]["name"] == "import"
    assert say("revoke", lea, made["id"]) == (0, f"The token {made['id']} is revoked.\n", "")
    code, _, err = say("revoke", lea, made["id"])
    assert (code, "has no token" in err) == (1, True)
    code, out, _ = say("create", lea, "--name", "other")
    assert (code, out.startswith("maille_"), len(out.split())) == (0, True, 1)


def test_its_member_is_mailed_before_a_token_ends(say: Say, folder: Path) -> None:
    made = json.loads(say("create", "distributor@exemple.fr", "--name", "import", "--format", "json")[1])
    with closing(sqlite3.connect(folder / "small.sqlite")) as database:
        rows = database.execute("SELECT payload, run_at FROM _outbox WHERE kind = 'token'").fetchall()
    [(payload, run_at)] = rows
    assert json.loads(payload)["token"] == made["id"]
    assert "import" in json.loads(payload)["wording"]["body"]
    ends = datetime.fromisoformat(made["expires_at"])
    assert (ends - datetime.fromisoformat(run_at)).days == 7


@pytest.mark.parametrize(
    ("words", "network", "said"),
    [
        (("list", "nobody@exemple.fr"), "small", "No member of small has the e-mail address nobody@exemple.fr."),
        (("list", "leader@exemple.fr"), "other", "There is no network 'other'"),
        (("list", "leader@exemple.fr"), "", "--network: alba, small."),
        (("create", "leader@exemple.fr", "--name", "x", "--days", "0"), "small", "days: A token is valid for 1 to 365"),
        (("create", "leader@exemple.fr", "--name", "x", "--level", "assistant"), "small", "levels: You may only give"),
    ],
)
def test_what_is_refused_says_why(say: Say, words: tuple[str, ...], network: str, said: str) -> None:
    code, out, err = say(*words, network=network)
    assert (code, out) == (1, "")
    assert said in " ".join(err.split())


def test_a_network_that_a_server_has_open_is_said(say: Say, folder: Path) -> None:
    held = FileLock(folder / "small.sqlite")
    code, _, err = say("list", "leader@exemple.fr")
    held.release()
    assert (code, "Is a server running" in err) == (1, True)


def test_the_commands_of_the_page_are_those(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    create, listed, revoke = (
        shlex.split(line.replace("camille@example.org", "leader@exemple.fr").replace("demo", "small"))[1:]
        for line in page.partition("```sh\n")[2].partition("```")[0].splitlines()
    )
    where = ["--data", str(folder)]
    assert main([*create, *where]) == main([*listed, *where]) == 0
    capsys.readouterr()
    main([*listed, "--format", "json", *where])
    (identifier,) = (each["id"] for each in json.loads(capsys.readouterr().out) if each["name"] == "import")
    assert main([*(identifier if word.startswith("0192") else word for word in revoke), *where]) == 0


def test_called_wrongly_it_says_how(say: Say) -> None:
    with pytest.raises(SystemExit) as wrongly:
        say("create", "leader@exemple.fr")
    assert wrongly.value.code == 2
