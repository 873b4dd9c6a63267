"""`maille bounce`: what a mail server's pipe gives it."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from admin.cli import bounce
from admin.control.answers import Refusal, RefusedError
from admin.settings import from_environment
from models.message import say
from models.secrets import Vault
from tests.admin.cli.test_commands import LEADER, Call, call, small
from tests.workflows.test_bounces import REPORT
from workflows import bounces
from workflows.bounces import PURPOSE, _tag

__all__ = ["call", "small"]

pytestmark = pytest.mark.usefixtures("small")

MAIL = "0199f3a0-1111-7222-8333-444455556666"


def sent(tmp_path: Path) -> str:
    """Let a mail stand as sent; return the address that it comes back to."""
    with closing(sqlite3.connect(tmp_path / "data" / "alba.sqlite")) as connection:
        connection.execute(
            """INSERT INTO "_mail" ("id", "at", "recipient", "state", "attempts", "cc")
            VALUES (?, '2026-03-02 10:00:00.000000+00:00', 'paul@exemple.fr', 'sent', 1, '[]')""",
            [MAIL],
        )
        connection.commit()
    named = _tag("alba") + MAIL.replace("-", "")
    mark = Vault(from_environment().sealing_keys).mark(named, PURPOSE)[:12]
    return f"bounces+{named}{mark}@reseau.example"


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let a mail come in."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False))


def report(to: str) -> str:
    """Return a report that there is no such address."""
    return REPORT.format(to=to, about="paul@exemple.fr", action="failed", status="5.1.1", said="550 nobody")


def test_a_report_is_kept_with_its_mail(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, report(sent(tmp_path)))
    code, out, _ = call("bounce", "--format", "json")
    assert (code, json.loads(out)) == (0, {"network": "alba", "mail": MAIL})
    with closing(sqlite3.connect(tmp_path / "data" / "alba.sqlite")) as connection:
        assert connection.execute('SELECT "state" FROM "_mail"').fetchall() == [("failed",)]
        assert connection.execute('SELECT "address" FROM "_bounced"').fetchall() == [("paul@exemple.fr",)]


@pytest.mark.parametrize("other", ["aaa", "zzz"])
def test_a_report_finds_its_mail_where_networks_share_what_an_address_says_of_them(
    tmp_path: Path, small: str, call: Call, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    assert call("network", "create", other, small, "--leader", LEADER)[0] == 0
    monkeypatch.setattr(bounces, "_TAG", 0)  # no room for any digit of a name
    given(monkeypatch, report(sent(tmp_path)))
    code, out, _ = call("bounce", "--format", "json")
    assert (code, json.loads(out)) == (0, {"network": "alba", "mail": MAIL})


def test_where_it_was_delivered_to_can_be_said(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sent(tmp_path)
    given(monkeypatch, report("postmaster@reseau.example"))
    assert "about no mail of ours" in call("bounce")[1]
    given(monkeypatch, report("postmaster@reseau.example"))
    assert f"mail {MAIL} of alba" in call("bounce", "--to", address)[1]


def test_all_that_a_report_is_about_is_kept(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    both, end = report(sent(tmp_path)), "Diagnostic-Code: smtp; 550 nobody\n"
    copy = "\nFinal-Recipient: rfc822; ida@exemple.fr\nAction: failed\nStatus: 5.1.1\n"
    with closing(sqlite3.connect(tmp_path / "data" / "alba.sqlite")) as connection:
        connection.execute("""UPDATE "_mail" SET "cc" = '["ida@exemple.fr"]'""")
        connection.commit()
        given(monkeypatch, both.replace(end, end + copy))
        assert call("bounce")[0] == 0
        found = connection.execute('SELECT "address" FROM "_bounced" ORDER BY 1').fetchall()
    assert found == [("ida@exemple.fr",), ("paul@exemple.fr",)]


def test_a_command_that_does_not_find_what_the_server_finds_has_it_tried_again_and_makes_nothing(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sent(tmp_path)
    given(monkeypatch, report(address))
    monkeypatch.setenv("MAILLE_SECRET", "another secret than the server's")
    code, _, err = call("bounce")
    assert (code, "written like ours" in err) == (bounce.LATER, True)
    monkeypatch.delenv("MAILLE_SECRET")
    (tmp_path / "data" / ".secret").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for data in (str(tmp_path / "data"), "data", ""):
        given(monkeypatch, report(address))
        code, _, err = call("bounce", *(("--data", data) if data else ()))
        assert (code, "cannot be told" in err) == (bounce.LATER, True)
        monkeypatch.delenv("MAILLE_DATA", raising=False)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "data" / ".secret").exists()


def test_a_letter_is_left_alone(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "From: a@b.example\nSubject: Hello\n\nHow are you?\n")
    code, out, _ = call("bounce")
    assert (code, "no report" in out) == (0, True)


def test_the_mail_server_tries_again_while_it_cannot_be_kept(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RefusedError(Refusal(say("The server failed: {reason}", reason="busy")))

    def failed(*_: object, **__: object) -> None:
        raise RuntimeError("busy")

    for ask in (refused, failed):
        monkeypatch.setattr("admin.cli.errand.ask", ask)
        given(monkeypatch, report("bounces+1@reseau.example"))
        code, _, err = call("bounce")
        assert (code, "busy" in err) == (bounce.LATER, True)
