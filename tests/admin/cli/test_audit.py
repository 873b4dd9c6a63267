"""`maille audit`, and that operators' own commands stand in the audit."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.admin.cli.test_commands import LEADER, Call, call, small

__all__ = ["call", "small"]

pytestmark = pytest.mark.usefixtures("small")


def database(tmp_path: Path, *statements: str) -> list[Any]:
    """Do something to the network's file, as somebody does who has it; return the rows of the last statement."""
    rows: list[Any] = []
    with closing(sqlite3.connect(tmp_path / "data" / "alba.sqlite")) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        connection.commit()
    return rows


def test_a_chain_that_holds_says_so_with_its_head(call: Call) -> None:
    code, out, _ = call("audit", "verify", "alba")
    assert code == 0
    assert "links hold." in out
    head = call("audit", "head", "alba")[1].strip()
    assert f"Head: {head}" in out
    assert call("audit", "verify", "--head", head)[0] == 0
    assert json.loads(call("audit", "head", "--format", "json")[1])["head"] == head


def test_the_first_broken_place_is_said_and_the_exit_code_with_it(tmp_path: Path, call: Call) -> None:
    call("member", "list")
    head = call("audit", "head")[1].strip()
    database(
        tmp_path, 'DROP TRIGGER "_audit_update"', 'UPDATE "_audit" SET "kind" = \'read\' WHERE "kind" = \'command\''
    )
    code, _, err = call("audit", "verify")
    assert code == 1
    assert "the row was changed." in err
    found = json.loads(call("audit", "verify", "--format", "json", "--head", head)[1])
    assert found["holds"] is False
    assert found["broken"]["why"] == "the row was changed"
    assert found["broken"]["seq"] == int(head.partition(":")[0])


def test_a_head_that_is_none_is_refused(call: Call) -> None:
    code, _, err = call("audit", "verify", "--head", "yesterday")
    assert code == 1
    assert "This is no head of an audit" in err


def test_another_installation_did_not_make_this_chain(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("audit", "head")
    monkeypatch.setenv("MAILLE_SECRET", "a secret that this installation never had")
    code, _, err = call("audit", "verify")
    assert code == 1
    assert "the link was not made by this installation" in err


def test_what_operators_do_to_members_data_is_in_the_audit_before_it_is_done(tmp_path: Path, call: Call) -> None:
    call("member", "list")
    call("member", "invite", LEADER)
    call("network", "export", str(tmp_path / "alba.zip"))
    found = database(
        tmp_path,
        'SELECT a."detail", a."entry", o."member" FROM "_audit" a JOIN "_audit_of" o ON o."audit" = a."id" '
        'WHERE a."kind" = \'command\' ORDER BY a."at", a."id"',
    )
    [[leader]] = database(tmp_path, 'SELECT "id" FROM "member"')
    assert found == [
        ("members", "operator", "*"),
        ("invite_member", "operator", leader),
        ("export_network", "operator", "*"),
    ]


def test_an_imported_network_says_that_it_came_from_elsewhere(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = int(call("audit", "head")[1].partition(":")[0])
    call("network", "export", str(tmp_path / "alba.zip"))
    monkeypatch.setenv("MAILLE_SECRET", "the secret of the other installation")
    assert call("network", "import", str(tmp_path / "alba.zip"), "--name", "copy")[0] == 0
    code, out, err = call("audit", "verify", "copy", "--format", "json")
    found = json.loads(out)
    assert (code, found["broken"]) == (0, None), err
    assert found["elsewhere"] == before
    assert found["rows"] > before
