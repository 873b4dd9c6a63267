"""Who is next: members to whom automations give records, in turn or by what they have."""

from __future__ import annotations

from dataclasses import dataclass

from definitions.expr import Names, SqlTemplate
from definitions.spec.process import Process
from models.columns import state_codec
from models.ddl import quoted
from models.message import say
from models.statement import Statement
from models.visible import ROOT
from workflows.scene import StepError
from workflows.unit import Unit

_NOTE = """INSERT INTO "_assigned" ("id", "automation", "step", "member", "seq")
VALUES (?, ?, ?, ?, (SELECT coalesce(max("seq"), 0) + 1 FROM "_assigned" WHERE "automation" = ? AND "step" = ?))
ON CONFLICT ("automation", "step", "member") DO UPDATE SET "seq" = excluded."seq" """


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is given away (a record of `entity`), by which step of which automation, among which members."""

    automation: str
    step: str
    entity: str
    among: SqlTemplate


async def pick(unit: Unit, wanted: Wanted, names: Names, *, least_busy: bool) -> str:
    """Return the active member whose turn it is, and keep that it was; `StepError` when there is nobody.

    Its turn has who was picked by this step the longest ago, or never; with `least_busy` who owns the fewest records of
    the entity that are not in a final state, and among equals whose turn it is.
    """
    await unit.tx.lock(f"assign:{wanted.entity if least_busy else wanted.automation}")
    statement = Statement(names, unit.context)
    statement.add(f'SELECT "{ROOT}"."id" FROM "member" AS "{ROOT}" LEFT JOIN "_assigned" AS "turn" ')  # noqa: S608 (names only)
    statement.add(f'ON "turn"."member" = "{ROOT}"."id" AND "turn"."automation" = ').value(wanted.automation)
    statement.add(' AND "turn"."step" = ').value(wanted.step)
    statement.add(f' WHERE "{ROOT}"."active"')
    statement.add(" AND ", wanted.among)
    statement.add(" ORDER BY ")
    if least_busy:
        statement.add("(", _open(unit, wanted.entity), "), ")
    statement.add(f'"turn"."seq" NULLS FIRST, "{ROOT}"."created_at", "{ROOT}"."id" LIMIT 1')
    row = await unit.tx.row(statement.text, statement.values)
    if row is None:
        raise StepError(say("There is no active member to give it to."))
    key = [wanted.automation, wanted.step]
    await unit.tx.run(_NOTE, [unit.new_id(), *key, row[0], *key])
    return str(row[0])


def _ends(process: Process) -> list[str]:
    """Return what records hold that are at the end of a process; a final state inside another one is no end of it."""
    stored = state_codec(process)
    found = (state.name for state in process.states.values() if state.final and state.parent is None)
    return [str(stored.encoded((name,) if process.parallel else name)) for name in found]


def _open(unit: Unit, entity: str) -> SqlTemplate:
    """Return how many records of the entity a member owns that are not at their end in any of its processes."""
    table = unit.published.tables[entity].quoted
    over: list[str] = []
    values: list[str] = []
    for name in unit.network.entities[entity].processes:
        final = _ends(unit.network.processes[name])
        if final:
            over.append(f' AND "mine".{quoted(name)} NOT IN ({", ".join("?" * len(final))})')
            values += final
    text = f'SELECT count(*) FROM {table} AS "mine" WHERE "mine"."owner" = "{ROOT}"."id"{"".join(over)}'  # noqa: S608 (names only)
    return SqlTemplate(text, lambda _names, _context: tuple(values))
