"""What was announced by a mail that left late: nothing goes before the time of the warning has passed since it left.

A mail leaves within minutes. Where it did not (the server was down, the mail server out of reach, a limit reached), who
it is for could not know, whatever day it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from definitions.expr.periods import later
from workflows.stored import moment, must_moment, read_moment
from workflows.terms import Term
from workflows.unit import Unit

SOON = timedelta(days=1)
"""A mail that left within this time after its announcement was kept did not leave late."""

_TOLD = """SELECT DISTINCT "told", "warned_at" FROM "_retention" WHERE "erase_at" <= ? AND "told" > ?
ORDER BY "told", "warned_at" LIMIT ?"""
_LEFT = """SELECT max("sent_at"), max(CASE WHEN "state" IN ('waiting', 'sending') THEN 1 ELSE 0 END)
FROM "_mail" WHERE "id" IN ({places})"""
_HOLD = 'UPDATE "_retention" SET "erase_at" = ? WHERE "told" = ? AND "entity" = ? AND "erase_at" < ?'


async def hold(unit: Unit, known: Mapping[str, Term], after: str, most: int, otherwise: timedelta) -> str | None:
    """Hold what is over and was told too late, by announcement; return behind which one it goes on, None at the end.

    It stays for the time of its warning (`otherwise`, where there is none) since the last of its mails left, or from
    now on while one still waits. A mail that can never leave ends as *failed*, and holds nothing.
    """
    rows = await unit.tx.rows(_TOLD, [moment(unit.now), after, most])
    for told, warned_at in rows:
        since = await _heard(unit, json.loads(told).get("mails", ()))
        if since is None or since <= must_moment(warned_at) + SOON:
            continue
        for entity, term in known.items():
            until = since + otherwise if term.warn is None else later(since, term.warn, unit.context)
            await unit.tx.run(_HOLD, [moment(until), told, entity, moment(until)])
    return str(rows[-1][0]) if len(rows) == most else None


async def _heard(unit: Unit, mails: Iterable[str]) -> datetime | None:
    """Return when the last of these mails left, now while one waits; None where none left and none will."""
    ids = list(mails)
    row = await unit.tx.row(_LEFT.format(places=", ".join("?" * len(ids))), ids) if ids else None
    if row is None:
        return None
    return unit.now if row[1] else read_moment(row[0])
