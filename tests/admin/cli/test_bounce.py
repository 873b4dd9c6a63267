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
from tests.admin.cli.test_commands import Call, call, small
from tests.workflows.test_bounces import REPORT
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


def test_where_it_was_delivered_to_can_be_said(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    address = sent(tmp_path)
    given(monkeypatch, report("postmaster@reseau.example"))
    assert "about no mail of ours" in call("bounce")[1]
    given(monkeypatch, report("postmaster@reseau.example"))
    assert f"mail {MAIL} of alba" in call("bounce", "--to", address)[1]


def test_a_letter_is_left_alone(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "From: a@b.example\nSubject: Hello\n\nHow are you?\n")
    code, out, _ = call("bounce")
    assert (code, "no report" in out) == (0, True)


def test_the_mail_server_tries_again_while_it_cannot_be_kept(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RefusedError(Refusal(say("The server failed: {reason}", reason="busy")))

    monkeypatch.setattr("admin.cli.errand.ask", refused)
    given(monkeypatch, report("bounces+1@reseau.example"))
    code, _, err = call("bounce")
    assert (code, "busy" in err) == (bounce.LATER, True)
