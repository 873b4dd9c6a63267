"""Words that somebody searched for and that found a record which was erased since: they are taken out of the audit.

The row itself stays, and so does its place in the chain: a row `erased`, sealed like any other, has the digest that the
row has without these words, so that nothing else of it can be changed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

from definitions.expr.periods import start_of
from models import audit
from models.audit import SEALED, Event
from models.ddl import listed
from workflows.stored import dump, moment
from workflows.unit import Unit

BATCH = 500
"""Rows that one transaction looks at."""
_ERASED = """SELECT "record" FROM "_audit" WHERE "kind" = 'erased' AND "at" >= ? AND "entity" <> ?"""
_WORDS = f"""SELECT {listed(SEALED)} FROM "_audit" WHERE "id" > ? AND "scope" = 'reads' AND "detail" IS NOT NULL
AND "records" IS NOT NULL ORDER BY "id" LIMIT ?"""  # noqa: S608 - columns of ours
_SILENCE = 'UPDATE "_audit" SET "detail" = NULL WHERE "id" = ?'


async def silence(unit: Unit, day: str, after: str) -> str | None:
    """Go through rows behind `after` for the records that were erased since a day began; return where to go on."""
    since = moment(start_of(date.fromisoformat(day), unit.context))
    gone = {row[0] for row in await unit.tx.rows(_ERASED, [since, audit.OF_AUDIT])}
    if not gone:
        return None
    await unit.tx.lock("audit")  # nobody seals meanwhile
    rows = await unit.tx.rows(_WORDS, [after, BATCH])
    for row in rows:
        content = dict(zip(SEALED, row, strict=True))
        if gone.isdisjoint(json.loads(content["records"])):
            continue
        left = audit.digest(SEALED, tuple({**content, "detail": None}.values()))
        event = Event("erased", unit.now, unit.actor, audit.OF_AUDIT, content["id"], detail=dump({"digest": left}))
        await audit.keep(unit.tx, unit.new_id(), replace(event, total=1))
        await unit.tx.run(_SILENCE, [content["id"]])
    return rows[-1][0] if len(rows) == BATCH else None
