"""The commands that change networks: what they print, and how they end."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from admin.cli.main import COMMANDS, main
from definitions.pack import load, read_folder
from models.connections import FileLock
from tests.networks import SMALL, edited

LEADER = "claire.alba@exemple.fr"
FEWER = edited(SMALL, ("  city: {type: text}\n", "  town: {type: text}\n"))
BROKEN = edited(SMALL, ("    to: contacted", "    to: contacte"))

Call = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def written(folder: Path, files: Any) -> str:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """What runs a command over a data folder of its own."""
    monkeypatch.setenv("MAILLE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MAILLE_PUBLIC_URL", "https://reseau.example")

    def called(*words: str) -> tuple[int, str, str]:
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return called


@pytest.fixture
def small(tmp_path: Path, call: Call) -> str:
    """A network, and the folder of its pack."""
    folder = written(tmp_path / "pack", SMALL)
    assert call("network", "create", "alba", folder, "--leader", LEADER)[0] == 0
    return folder


def test_a_network_is_made_with_its_leader_who_gets_a_link(tmp_path: Path, call: Call) -> None:
    code, out, _ = call("network", "create", "alba", written(tmp_path / "p", SMALL), "--leader", LEADER)
    assert code == 0
    assert "https://reseau.example/n/alba/join/" in out
    code, out, _ = call("member", "list", "--format", "json")
    [leader] = json.loads(out)
    assert (leader["name"], leader["levels"], leader["signs_in"]) == ("Claire Alba", ["leader"], False)


def test_a_password_can_be_given_instead(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("douze lettres et plus\n"))
    folder = written(tmp_path / "p", SMALL)
    code, out, _ = call("network", "create", "alba", folder, "--leader", LEADER, "--password", "--name", "Zoé Le Roy")
    assert code == 0
    assert "join" not in out
    _, out, _ = call("member", "list", "--format", "json")
    assert [(one["name"], one["signs_in"]) for one in json.loads(out)] == [("Zoé Le Roy", True)]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("create", "Alba", "{pack}", "--leader", LEADER), 2, "small letters"),
        (("create", "alba", "nowhere", "--leader", LEADER), 2, "There is no pack 'nowhere'"),
        (("create", "alba", "{pack}", "--leader", "claire@exemple.fr"), 2, "--name"),
        (("create", "alba", "{pack}", "--leader", LEADER, "--set", "x"), 2, "FIELD=VALUE"),
        (("create", "alba", "{pack}", "--leader", LEADER, "--set", "country=XX"), 1, "country"),
        (("create", "alba", "{broken}", "--leader", LEADER), 1, "recruiting.yaml:14:9: process.unknown_state"),
        (("import", "{pack}/lead.yaml"), 1, "no archive"),
        (("import", "{pack}/none.zip"), 1, "No such file"),
        (("delete", "alba", "--confirm", "alba"), 1, "There is no network 'alba'"),
        (("export", "x.zip"), 1, "There is no network here yet"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_nothing(
    tmp_path: Path, call: Call, words: tuple[str, ...], code: int, says: str
) -> None:
    pack, broken = written(tmp_path / "p", SMALL), written(tmp_path / "b", BROKEN)
    ended, _, err = call("network", *(word.format(pack=pack, broken=broken) for word in words))
    assert ended == code
    assert says in err
    assert list((tmp_path / "data").glob("*.sqlite*")) == []


def test_a_name_that_is_taken_is_refused(small: str, call: Call) -> None:
    code, _, err = call("network", "create", "alba", small, "--leader", LEADER)
    assert (code, "There is a network 'alba' already." in err) == (1, True)


def test_a_plan_says_what_changes_and_changes_nothing(tmp_path: Path, small: str, call: Call) -> None:
    code, out, _ = call("plan", written(tmp_path / "fewer", FEWER))
    assert code == 0
    assert out.splitlines()[0] == "From version 1 to version 2:"
    assert "  ~ company: 0 records" in out
    assert "      city goes." in out
    assert call("plan", small)[1] == "Nothing changes: these are the definitions of version 1.\n"
    assert json.loads(call("plan", small, "--format", "json")[1])["unchanged"] is True


def test_a_pack_is_tried_out_over_the_last_days(tmp_path: Path, small: str, call: Call) -> None:
    more = written(tmp_path / "more", edited(SMALL, ("entered: recruiting.contacted", "created: member")))
    assert call("check", more)[0] == 1
    more = written(tmp_path / "more", edited(SMALL, ("if: has(record.email)", "if: record.calls > 100")))
    code, out, err = call("simulate", more, "--automation", "welcome", "--days", "7")
    assert (code, "welcome, from " in out, "Nothing would have happened." in out) == (0, True, True), err
    code, out, _ = call("simulate", small, "--process", "recruiting", "--format", "json")
    assert (code, json.loads(out)["processes"]) == (0, ["recruiting"])
    code, _, err = call("simulate", small, "--automation", "nothing")
    assert (code, "automation: These definitions have no automation 'nothing'." in err) == (1, True)


def test_what_would_lose_data_is_refused_unless_it_is_said(tmp_path: Path, small: str, call: Call) -> None:
    noted = edited(
        SMALL, ("entity: company\n", "entity: member\nfields: {motto: {type: text}}\n---\nentity: company\n")
    )
    assert call("apply", written(tmp_path / "noted", noted))[0] == 0
    assert call("member", "add", "zoe.roy@exemple.fr", "--set", "motto=Carpe diem")[0] == 0
    for command in ("plan", "apply"):
        code, _, err = call(command, small)
        assert code == 1
        assert "plan.loses_values: 'member.motto' goes, and its value in 1 record with it." in err
    assert call("plan", small, "--allow-loss")[0] == 0
    assert call("apply", small, "--allow-loss")[0] == 0


def test_a_version_is_published_listed_and_taken_back(tmp_path: Path, small: str, call: Call) -> None:
    fewer = written(tmp_path / "fewer", FEWER)
    code, out, _ = call("apply", fewer, "--note", "Towns", "--author", LEADER)
    assert code == 0
    assert "Version 2 is published" in out
    code, out, _ = call("rollback", "1", "--yes")
    assert code == 0
    assert "Version 3 is published" in out
    _, out, _ = call("history", "--format", "json")
    found = json.loads(out)
    assert [(one["version"], one["note"]) for one in found] == [(3, "Back to version 1"), (2, "Towns"), (1, "")]
    assert found[1]["author"] == "Claire Alba"
    assert found[0]["hash"] == found[2]["hash"]
    lines = call("history", "--before", "3")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert "by Claire Alba: Towns  (company.yaml)" in lines[0]
    code, _, err = call("rollback", "9")
    assert (code, "alba has versions 1 to 3." in err) == (1, True)
    assert json.loads(call("apply", small, "--format", "json")[1]) == {
        "version": 3,
        "hash": found[0]["hash"],
        "changed": False,
    }


def test_a_broken_pack_is_refused_with_places_and_hints(tmp_path: Path, small: str, call: Call) -> None:
    broken = written(tmp_path / "broken", BROKEN)
    code, _, err = call("apply", broken, "--yes")
    assert code == 1
    assert "recruiting.yaml:14:9: process.unknown_state" in err
    assert "did you mean 'contacted'?" in err
    assert "nothing was changed" in err
    code, out, _ = call("apply", broken, "--yes", "--format", "json")
    assert code == 1
    problems = json.loads(out)["refused"]["problems"]
    assert [(one["file"], one["line"]) for one in problems if one["severity"] == "error"] == [("recruiting.yaml", 14)]
    assert len(json.loads(call("history", "--format", "json")[1])) == 1


def test_the_second_of_two_is_told_what_changed_in_between(tmp_path: Path, small: str, call: Call) -> None:
    call("apply", written(tmp_path / "fewer", FEWER), "--note", "Towns", "--author", LEADER)
    code, out, err = call("apply", small, "--base", "1", "--yes")
    assert code == 1
    assert "published" not in out
    assert "This was made for version 1; meanwhile version 2 was published, and changed: entity company." in err
    assert "by Claire Alba: Towns  (company.yaml)" in err
    assert call("apply", small, "--base", "2", "--yes")[0] == 0


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_it_asks(
    tmp_path: Path, small: str, call: Call, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended, out, _ = call("apply", written(tmp_path / "fewer", FEWER))
    assert ended == code
    assert "company" in out
    monkeypatch.delenv("FORCE_COLOR")
    assert len(json.loads(call("history", "--format", "json")[1])) == 2 - code


def test_an_author_who_is_no_member_is_refused(tmp_path: Path, small: str, call: Call) -> None:
    code, _, err = call("apply", written(tmp_path / "fewer", FEWER), "--author", "x@exemple.fr")
    assert (code, "No member of alba has the e-mail address x@exemple.fr." in err) == (1, True)


def test_members_are_taken_in_given_levels_and_let_go(small: str, call: Call) -> None:
    code, out, _ = call("member", "add", "zoe.roy@exemple.fr", "--level", "distributor", "--sponsor", LEADER)
    assert code == 0
    assert "https://reseau.example/n/alba/join/" in out
    words = ("member", "levels", "zoe.roy@exemple.fr")
    assert call(*words, "--add", "assistant", "--remove", "distributor")[1] == "zoe.roy@exemple.fr: assistant\n"
    assert call(*words, "distributor")[1] == "zoe.roy@exemple.fr: distributor\n"
    assert call(*words)[0] == 2
    code, _, err = call(*words, "distributer")
    assert (code, "did you mean 'distributor'?" in err) == (1, True)
    assert "join" in call("member", "invite", "zoe.roy@exemple.fr")[1]
    assert "cannot sign in any more" in call("member", "deactivate", "zoe.roy@exemple.fr")[1]
    assert "  no " in next(line for line in call("member", "list")[1].splitlines() if "zoe.roy" in line)
    assert call("member", "activate", "zoe.roy@exemple.fr")[0] == 0
    assert "by the password alone" in call("member", "forget-factors", "zoe.roy@exemple.fr")[1]
    for command in ("invite", "activate", "deactivate", "forget-factors"):
        assert call("member", command, "x@exemple.fr")[0] == 1
    assert call("member", "add", "max.roy@exemple.fr", "--sponsor", "x@exemple.fr")[0] == 1


def test_a_network_moves_as_a_file(tmp_path: Path, small: str, call: Call) -> None:
    file = str(tmp_path / "alba.zip")
    assert call("network", "export", file)[0] == 0
    code, _, err = call("network", "export", file)
    assert (code, "There is a file at" in err) == (1, True)
    assert call("network", "import", file)[0] == 1
    code, out, _ = call("network", "import", file, "--name", "copy")
    assert code == 0
    assert "https://reseau.example/n/copy/" in out
    code, _, err = call("history")
    assert (code, "--network: alba, copy." in err) == (1, True)
    assert call("history", "--network", "copi")[2] == "There is no network 'copi': did you mean 'copy'?\n"
    listed = call("network", "list")[1].splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["alba", "copy"]


def test_deleting_asks_for_the_name(small: str, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert call("network", "delete", "alba")[0] == 2
    assert call("network", "delete", "alba", "--confirm", "albe")[0] == 2
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    assert call("network", "delete", "alba")[0] == 2
    assert json.loads(call("network", "list", "--format", "json")[1])[0]["name"] == "alba"
    monkeypatch.setattr("sys.stdin", Terminal("alba\n"))
    assert call("network", "delete", "alba")[0] == 0
    assert call("network", "list")[1] == f"There is no network in {tmp_path / 'data'}.\n"


def test_a_network_that_cannot_be_opened_is_listed_with_the_reason(tmp_path: Path, small: str, call: Call) -> None:
    (tmp_path / "data" / "odd.sqlite").write_text("this is not a database, and long enough to be looked at" * 20)
    line = next(line for line in call("network", "list")[1].splitlines() if "odd" in line)
    assert "cannot be opened: file is not a database" in line


def test_a_command_that_is_interrupted_says_where_to_look(
    small: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("admin.cli.errand.asyncio.run", interrupted)
    monkeypatch.setattr("admin.cli.errand.ask", lambda *_: None)
    code, _, err = call("history")
    assert (code, "in full or not at all" in err) == (1, True)


def test_a_pack_to_start_from_is_without_problem(tmp_path: Path, call: Call) -> None:
    folder = tmp_path / "My-first network"
    assert call("new", str(folder))[0] == 0
    loaded = load(read_folder(folder))
    assert loaded.problems == ()
    assert loaded.network is not None
    assert loaded.network.name == "my_first_network"
    assert call("network", "create", "first", str(folder), "--leader", LEADER)[0] == 0
    assert call("new", str(folder))[0] == 1
    assert call("new", str(tmp_path / "1"))[0] == 2


def test_a_folder_that_another_process_serves_is_not_served_again(tmp_path: Path, small: str, call: Call) -> None:
    lock = FileLock(tmp_path / "data" / "alba.sqlite")
    code, _, err = call("serve")
    assert code == 1
    assert f"is already open by process {os.getpid()}. A network is served by one process at a time" in err
    lock.release()


def test_workers_are_in_the_server(call: Call) -> None:
    code, _, err = call("worker")
    assert (code, "inside the server" in err) == (1, True)


def commands() -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name in COMMANDS)
    yield from (("network", name) for name in ("create", "list", "export", "import", "delete"))
    yield from (
        ("member", name) for name in ("list", "add", "invite", "levels", "activate", "deactivate", "forget-factors")
    )


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert "usage: maille" in capsys.readouterr().out


WITH_COMMANDS_BELOW = frozenset({"network", "member", "token", "audit"})
SPEAKS_A_PROTOCOL = frozenset({"lsp"})


@pytest.mark.parametrize(
    "words", [words for words in commands() if words[0] not in WITH_COMMANDS_BELOW | SPEAKS_A_PROTOCOL]
)
def test_every_command_answers_programs_too(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert re.search(r"--format \{text,(.*,)?json", capsys.readouterr().out)


def test_what_is_made_without_a_server_is_told_as_json(tmp_path: Path, call: Call) -> None:
    _, out, _ = call("docs", "--format", "json")
    assert {"entity", "process", "parts"} <= set(json.loads(out))
    folder = tmp_path / "members"
    _, out, _ = call("new", str(folder), "--format", "json")
    answer = json.loads(out)
    assert answer["network"] == "members"
    assert {Path(file).parent for file in answer["files"]} == {folder}


@pytest.mark.parametrize(
    "name",
    [
        "new",
        "fmt",
        "schema",
        "lsp",
        "docs",
        "demo",
        "plan",
        "apply",
        "history",
        "rollback",
        "network",
        "member",
        "worker",
        "serve",
    ],
)
def test_help_has_examples_that_can_be_called(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    examples = capsys.readouterr().out.split("examples:\n")[1].splitlines()
    assert examples
    assert all("maille " in line for line in examples)


@pytest.mark.parametrize(
    "words",
    [("history",), ("network", "list"), ("member", "list"), ("token", "list", LEADER), ("serve", "--port", "0")],
)
@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("postgresql://nobody@/none?host=/nowhere", "cannot be reached"),
        ("postgresql://127.0.0.1:99999/none", "cannot be reached"),
        ("mysql://127.0.0.1/none", "cannot be reached"),
        ("", "is not a folder"),
    ],
)
def test_a_database_or_a_folder_that_is_not_there_is_said(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], where: str, says: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", where)
    (tmp_path / "data").write_text("no folder")
    code, _, err = call(*words)
    assert (code, says in err) == (1, True)
