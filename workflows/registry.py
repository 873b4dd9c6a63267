"""The registers there are, and what is taken out of their rows for who may not see it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from models.query import Filter, Query
from models.record import Record
from workflows import unfired
from workflows.discretion import ADDRESSES, TEXTS, discreet
from workflows.field_changes import changes_of
from workflows.registers import MEMBER, Entry, Kept, Register
from workflows.unfired import Begun
from workflows.unit import Unit

AT_ONCE = 200
"""So many records are asked for with one statement."""
_BEGUN = 'SELECT "id", "automation", "definition", "actor" FROM "_run" WHERE "id" IN ({places})'
SHORT = 12
"""So many letters of a session's or an invitation's id name it here: all of them are the hash of what opens it."""


def _about(unit: Unit, entry: Entry) -> tuple[str, str] | None:
    entity, record = entry["entity"], entry["record"]
    return (entity, record) if entity in unit.network.entities and record else None


async def _records(unit: Unit, entries: Iterable[Entry]) -> Mapping[tuple[str, str], Record]:
    """Return the records that rows are about, as their reader sees them; deleted ones are missing."""
    wanted: dict[str, list[str]] = {}
    for entity, record in dict.fromkeys(about for entry in entries if (about := _about(unit, entry)) is not None):
        wanted.setdefault(entity, []).append(record)
    found: dict[tuple[str, str], Record] = {}
    for entity, ids in wanted.items():
        for begin in range(0, len(ids), AT_ONCE):
            some = Filter("id", "any_of", ids[begin : begin + AT_ONCE])
            page = await unit.records.list(entity, Query(filters=(some,), limit=AT_ONCE))
            found |= {(entity, record.id): record for record in page.records}
    return found


def _hidden(unit: Unit, entry: Entry, records: Mapping[tuple[str, str], Record]) -> frozenset[str]:
    """Return the fields that the reader may not see of a record; of a deleted one, those hidden in any of its kind."""
    about = _about(unit, entry)
    if about is None:
        return frozenset()
    if about in records:
        return records[about].hidden
    sight = unit.records.sight(about[0])
    return frozenset(name for name in sight.names if sight.hides(name))


def _titled(entry: Entry, unit: Unit, records: Mapping[tuple[str, str], Record]) -> Entry:
    about = _about(unit, entry)
    found = None if about is None else records.get(about)
    return {**entry, "title": "" if found is None else found.title}


async def _entitled(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Add the titles of the records that rows are about."""
    records = await _records(unit, entries)
    return [_titled(entry, unit, records) for entry in entries]


async def _runs(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Tell why runs went no further as their reader may know it."""
    begun = {entry["id"]: Begun(entry["automation"], entry["definition"], entry["actor"]) for entry in entries}
    return await _reasoned(unit, [(entry, begun[entry["id"]]) for entry in entries])


async def _steps(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Tell why steps of runs were not done as their reader may know it."""
    ids = {entry["run"] for entry in entries}
    rows = await unit.tx.rows(_BEGUN.format(places=", ".join("?" * len(ids))), [*ids]) if ids else []
    begun = {row[0]: Begun(*row[1:]) for row in rows}
    return await _reasoned(unit, [(entry, begun[entry["run"]]) for entry in entries])


async def _reasoned(unit: Unit, entries: list[tuple[Entry, Begun]]) -> list[Entry]:
    records = await _records(unit, [entry for entry, _ in entries])
    found = []
    for entry, begun in entries:
        about = _about(unit, entry)
        record = None if about is None else records.get(about)
        error = await unfired.told(unit, record, begun, entry["error"])
        found.append(_titled({**entry, "error": error}, unit, records))
    return found


async def _past(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Make the changes of history rows, without what is hidden."""
    records = await _records(unit, entries)
    made = []
    for entry in entries:
        hidden, before, after = _hidden(unit, entry, records), entry.pop("before"), entry.pop("after")
        known = entry["entity"] in unit.network.entities
        changes = changes_of(unit, entry["entity"], hidden, before, after) if known else ()
        made.append(_titled({**entry, "changes": changes}, unit, records))
    return made


async def _mails(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Take out the texts and addresses that show what the reader may not see."""
    records = await _records(unit, entries)
    return [_titled(await _told(unit, entry, records), unit, records) for entry in entries]


async def _told(unit: Unit, entry: Entry, records: Mapping[tuple[str, str], Record]) -> Entry:
    mine = entry["recipient_member"] is not None and entry["recipient_member"] == unit.actor.id
    if not mine and _about(unit, entry) not in records and _hidden(unit, entry, records):
        seen = entry | {name: empty for name, empty in {**TEXTS, **ADDRESSES}.items() if name in entry}
    else:
        seen = {name: value for name, value in (await discreet(unit, entry)).items() if name in entry}
    return {**seen, "cc": ", ".join(json.loads(seen["cc"] or "[]"))}


async def _versions(unit: Unit, entries: list[Entry]) -> list[Entry]:
    """Write who published a version as a member is called, and name its files instead of holding them."""
    names = await unit.records.system.labels(MEMBER, {entry["author"] for entry in entries if entry["author"]})
    return [
        {
            **entry,
            "author": names.get(entry["author"] or "", entry["author"]),
            **({"files": "\n".join(sorted(json.loads(entry["files"])))} if "files" in entry else {}),
        }
        for entry in entries
    ]


async def _tokens(_unit: Unit, entries: list[Entry]) -> list[Entry]:
    return [{**entry, "levels": json.loads(entry["levels"] or "[]")} for entry in entries]


def _kept(name: str, text: str = "", **more: Any) -> Kept:
    """Return a column; its type is what its name says, as in `models.system`."""
    return Kept(name, **{"type": TYPES.get(name, "text"), "sql": text, **more})


TYPES: Mapping[str, Any] = {
    **dict.fromkeys(
        (
            *("at", "sent_at", "hold_until", "run_at", "lease_until", "created_at", "done_at", "expires_at", "seen_at"),
            *("last_used_at", "started_at", "ended_at", "wake_at", "due_at", "erase_at", "warned_at"),
        ),
        "datetime",
    ),
    **dict.fromkeys(
        ("number", "definition", "priority", "attempts", "max_attempts", "seq", "status", "size", "runs"), "integer"
    ),
}


def _columns(*given: str | Kept) -> tuple[Kept, ...]:
    """Return columns, those without anything special from one text of names."""
    found: list[Kept] = []
    for each in given:
        found += [each] if isinstance(each, Kept) else [_kept(name) for name in each.split()]
    return tuple(found)


def _entry_sql(name: str) -> str:
    return f'"entry"."{name}"'


_ABOUT: Mapping[str, str] = {"entity": _entry_sql("entity"), "record": _entry_sql("record")}
_OF_MEMBER: Mapping[str, str] = {"record": _entry_sql("member")}
_SHORT_ID = _kept("id", f'substr("entry"."id", 1, {SHORT})')
_ERROR = _kept("error", asked=False)


def _made(name: str, columns: tuple[Kept, ...], order: str, **more: Any) -> Register:
    return Register(name, f'"_{name}" AS "entry"', columns, f'"entry"."{order}"', **more)


REGISTERS: Mapping[str, Register] = {
    register.name: register
    for register in (
        _made(
            "definition",
            _columns(
                _kept("number", '"entry"."version"'),
                "at",
                _kept("author", asked=False),
                "note",
                _kept("files", long=True, asked=False),
            ),
            "version",
            finish=_versions,
        ),
        _made(
            "history",
            _columns(
                "id at entity record kind process transition from_state to_state actor actor_kind through ip text",
                _kept("before", asked=False),
                _kept("after", asked=False),
                "run",
            ),
            "at",
            finish=_past,
            process=_entry_sql("process"),
            **_ABOUT,
        ),
        _made(
            "mail",
            _columns(
                "id at state channel template language recipient_member entity record",
                _kept("recipient", asked=False),
                _kept("cc", asked=False),
                _kept("subject", asked=False),
                _kept("text", asked=False, long=True),
                "sender hold_until attempts sent_at",
                _ERROR,
                "run",
            ),
            "at",
            finish=_mails,
            own=_entry_sql("recipient_member"),
            **_ABOUT,
        ),
        _made(
            "run",
            _columns(
                "id automation state entity record definition actor started_at wake_at ended_at hold_until", _ERROR
            ),
            "started_at",
            finish=_runs,
            **_ABOUT,
        ),
        Register(
            "step",
            '"_step" AS "entry" JOIN "_run" AS "of" ON "of"."id" = "entry"."run"',
            _columns(
                "id at",
                _kept("automation", '"of"."automation"'),
                "run seq path turn action outcome",
                _kept("entity", '"of"."entity"'),
                _kept("record", '"of"."record"'),
                _ERROR,
            ),
            '"entry"."at"',
            entity='"of"."entity"',
            record='"of"."record"',
            finish=_steps,
        ),
        _made(
            "outbox",
            _columns(
                "id kind state run_at priority attempts max_attempts lease_until created_at done_at",
                _kept("last_error", asked=False),
            ),
            "run_at",
        ),
        _made(
            "hook",
            _columns("id at state url entity record attempts status sent_at", _ERROR, "run"),
            "at",
            finish=_entitled,
            **_ABOUT,
        ),
        _made(
            "retention",
            _columns(
                "id entity record due_at warned_at erase_at state", _kept("error", '"entry"."reason"', asked=False)
            ),
            "erase_at",
            finish=_entitled,
            **_ABOUT,
        ),
        _made("inbound", _columns("id at inlet message size runs"), "at"),
        _made(
            "acceptance",
            _columns("id at member terms", _kept("edition", '"entry"."version"'), "ip"),
            "at",
            **_OF_MEMBER,
        ),
        _made("sign_in", _columns("id at", _kept("email", of="email"), "member ip outcome agent"), "at", **_OF_MEMBER),
        _made("session", _columns(_SHORT_ID, "member created_at seen_at ip agent"), "seen_at", **_OF_MEMBER),
        _made("invitation", _columns(_SHORT_ID, "member created_at expires_at"), "created_at", **_OF_MEMBER),
        _made(
            "token",
            _columns("id member name", _kept("levels", asked=False), "created_at expires_at last_used_at"),
            "created_at",
            finish=_tokens,
            **_OF_MEMBER,
        ),
    )
}
"""By name, the system's tables without the `_` that their names begin with."""
