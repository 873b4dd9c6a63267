"""The account: what a network holds and what others received, told so that two courses of the same events compare.

Ids are told by what they stand for, times by their hour; what differs when work is done at the second attempt (how
often it was tried, by whom, whether a run had to be asked to begin) is left out. Everything else must be the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.sheets import sheets
from models.tenant import Tenant
from models.tx import Tx
from tests.workflows.conftest import Mailbox
from tests.workflows.receiver import Receiver

LEFT_OUT: Mapping[str, frozenset[str]] = {
    "_outbox": frozenset({"attempts", "worker", "lease_until", "last_error", "done_at", "run_at"}),
    "_mail": frozenset({"attempts", "error", "sent_at"}),
    "_hook": frozenset({"attempts"}),
    "_definition": frozenset({"files"}),
    "_audit": frozenset({"salt", "proof", "ip_digest", "seq"}),
    "_seal": frozenset({"digest", "link", "mark", "seq"}),
    "_step": frozenset({"at"}),
}
"""What tells how something was done and not what: columns by their table."""
SETTLED: Mapping[str, str] = {"sent": "handed over", "unknown": "handed over"}
"""A mail whose fate is unknown stands for one that was sent; how many there are is counted."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d):\d\d(?::\d\d(?:\.\d+)?)?(?:\+00:00|Z)?")
_MADE_ANEW = re.compile(r"""sealed:[\w.-]+|[0-9a-f]{64}|size\W+\d+""")
"""Secrets that are drawn anew each time, and what a document comes to, which says when it was made."""
_ROUNDS = 3
"""So far ids are told by what they stand for: through the rows that these rows name, and so on."""

Rows = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Account:
    """What is there in the end: the rows, each as a text, and how many of them."""

    rows: Counter[str]
    unknown: int = 0
    """Messages that may have arrived or not."""
    repeated: int = 0
    """Calls that came once more, under the same id."""
    wrong: tuple[str, ...] = field(default=())
    """What contradicts itself: who received what was not sent, or twice."""

    def against(self, other: Account) -> list[str]:
        """Return in words what differs from the course of events without a death."""
        missing = [f"missing: {row}" for row in (other.rows - self.rows).elements()]
        extra = [f"extra: {row}" for row in (self.rows - other.rows).elements()]
        return [*missing, *extra, *self.wrong]


async def account(tenant: Tenant, mailbox: Mailbox, calls: Receiver, texts: Receiver) -> Account:
    """Take the account of a network, and of who received what it sent."""
    rows = await tenant.store.read(lambda tx: _rows(tenant, tx))
    letters = Counter(str(letter["Message-ID"]) for letter in mailbox.letters)
    said = Counter(call.headers["webhook-id"] for call in texts.calls)
    came = Counter(call.headers["webhook-id"] for call in calls.calls)
    mails = rows["_mail"]
    wrong = [
        *_wrong_mails((mail for mail in mails if mail["channel"] != "sms"), letters, "message_id"),
        *_wrong_mails((mail for mail in mails if mail["channel"] == "sms"), said, "id"),
        *(f"{hook['state']}, {came[hook['id']]} calls" for hook in rows["_hook"] if _wrong_call(hook, came)),
    ]
    bodies = {(call.headers["webhook-id"], call.body) for call in calls.calls}
    if len(bodies) != len(came):
        wrong.append("a call was repeated with another body")
    unknown = sum(mail["state"] == "unknown" for mail in mails)
    return Account(told(rows), unknown, came.total() - len(came), tuple(wrong))


def _wrong_mails(mails: Iterable[Mapping[str, Any]], came: Counter[str], key: str) -> list[str]:
    most = {"sent": (1,), "unknown": (0, 1)}
    return [
        f"{mail['state']}, {came[mail[key] or '']} times: {mail['recipient']}, {mail['subject']}"
        for mail in mails
        if came[mail[key] or ""] not in most.get(mail["state"], (0,))
    ]


def _wrong_call(hook: Mapping[str, Any], came: Counter[str]) -> bool:
    return (came[hook["id"]] > 0) is not bool(hook["state"] == "sent")


async def _rows(tenant: Tenant, tx: Tx) -> Rows:
    found = {}
    for sheet in sheets(tenant.published):
        names = [cell.name for cell in sheet.cells]
        pages = [row async for page in sheet.pages(tx) for row in page]
        found[sheet.name] = [dict(zip(names, row, strict=True)) for row in pages]
    return without_beginnings(_without_readings(found))


def _without_readings(rows: Rows) -> Rows:
    """Leave out who read: of that a death may take the last moment (`models.readings`)."""
    read = {row["id"] for row in rows["_audit"] if row["scope"] == "reads"}
    keys = {"_audit": "id", "_audit_of": "audit", "_seal": "audit"}
    return {
        table: [row for row in kept if table not in keys or row[keys[table]] not in read]
        for table, kept in rows.items()
    }


def without_beginnings(rows: Rows) -> Rows:
    """Leave out, of each run, the one row that asked for it to begin at the moment it was made, once that is done.

    Timers that are due together begin their runs and let them go on in one transaction; after a death each is done
    alone, and asks for its run with a row (`workflows.batches`). What a run did is compared by its steps and all it
    left; a row that is not done, a second one of the same moment and one for later (a wait) stay.
    """
    begun = {row["id"]: row["started_at"] for row in rows["_run"]}
    kept = []
    for row in rows["_outbox"]:
        run = json.loads(row["payload"])["run"] if (row["kind"], row["state"]) == ("run", "done") else None
        if run in begun and begun[run] == row["created_at"] == row["run_at"]:
            del begun[run]
        else:
            kept.append(row)
    return {**rows, "_outbox": kept}


def told(rows: Rows) -> Counter[str]:
    """Return the rows as texts that do not tell by which ids, and when exactly."""
    texts = [(table, str(next(iter(row.values()))), _text(_kept(table, row))) for table in rows for row in rows[table]]
    names = kinds = {key: table for table, key, _ in texts}
    for _ in range(_ROUNDS):
        names = _named((key, f"{table} {_plain(text, names)}") for table, key, text in texts)
    return Counter(f"{table} {_plain(text, kinds)} #{_digest(_plain(text, names))}" for table, _, text in texts)


def _text(row: Mapping[str, Any]) -> str:
    """Return a row without the minutes of its times and what is another each time."""
    return _MADE_ANEW.sub("made anew", _TIME.sub(r"\1", json.dumps(row, sort_keys=True)))


def _named(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a short name for each id: the same for what the same is said of, in however many tables it has a row."""
    of: dict[str, list[str]] = {}
    for key, text in said:
        of.setdefault(key, []).append(text)
    return {key: _digest(" ".join(sorted(texts))) for key, texts in of.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(text: str, names: Mapping[str, str]) -> str:
    return _ID.sub(lambda found: names.get(found[0], "?"), text)


def _kept(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    left_out = LEFT_OUT.get(table, frozenset())
    kept = {name: value for name, value in row.items() if name not in left_out}
    if table == "_mail":
        kept["state"] = SETTLED.get(kept["state"], kept["state"])
    return kept
