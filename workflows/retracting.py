"""What followed from a move that is taken back: runs, what they made and nobody touched, and what that started."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from models.errors import NotFoundError, RequestError
from models.message import say
from models.record import LineChange, Record
from workflows import approvals, history, hooks, notices, outbox, runs, triggers
from workflows.history import LINES
from workflows.runs import Run
from workflows.stored import moment
from workflows.unit import Unit

_ROW = 'SELECT "entity", "record", "at" FROM "_history" WHERE "id" = ?'
_FOLLOWED = """SELECT "id" FROM "_history" WHERE "entity" = ? AND "record" = ? AND "cause" = ? ORDER BY "at", "id" """
_TOLD = """SELECT "id", "after" FROM "_history" WHERE "entity" = ? AND "record" = ? AND "at" >= ? AND "kind" = 'updated'
ORDER BY "at", "id" """
_OF_RECORD = 'SELECT "id" FROM "_history" WHERE "entity" = ? AND "record" = ? ORDER BY "at", "id"'
_TOUCHED = """SELECT 1 FROM "_history" WHERE "entity" = ? AND "record" = ? AND "actor_kind" <> 'system' LIMIT 1"""
_MAILS = """SELECT "id" FROM "_mail" WHERE "run" = ? AND "state" = 'waiting'"""
_LEFT = """SELECT (SELECT count(*) FROM "_mail" WHERE "run" = ? AND "state" IN ('sending', 'sent', 'unknown')) +
(SELECT count(*) FROM "_hook" WHERE "run" = ? AND "state" = 'sent')"""
_RESULTS = 'SELECT "result" FROM "_step" WHERE "run" = ? ORDER BY "seq" DESC'
_TAKEN_BACK = say("The move that caused this was taken back.")


async def retract(unit: Unit, cause: str) -> int:
    """Take back what followed from a history row: runs that it started, those that what they did started, and so on.

    Runs end; mails, calls, notifications and tasks that wait go, so do records that they made, unless somebody touched
    them. Return how many messages had left the house before: nothing brings these back.
    """
    found = _Retreat(unit)
    await found.cause(cause)
    return found.left


class _Retreat:
    """One taking back: what was looked at already, and what had left."""

    def __init__(self, unit: Unit) -> None:
        """Take back over `unit`."""
        self.unit = unit
        self.left = 0
        self._known: set[str] = set()

    async def cause(self, cause: str) -> None:
        """Take back what a history row or a run caused, the latest first."""
        if cause in self._known:
            return
        self._known.add(cause)
        for row in reversed(await self._following(cause)):
            await self.cause(row)
        for run in await runs.caused(self.unit.tx, cause):
            await self._run(run)

    async def _following(self, row_id: str) -> list[str]:
        """Return the rows of what followed by itself: automatic moves, and the changes of what a line is a line of."""
        row = await self.unit.tx.row(_ROW, [row_id])
        if row is None or row[0] not in self.unit.network.entities:
            return []
        found = [each[0] for each in await self.unit.tx.rows(_FOLLOWED, [row[0], row[1], row_id])]
        parent = self.unit.network.entities[row[0]].parent
        line = await self._record(row[0], row[1]) if parent else None
        if parent is None or line is None:
            return found
        told = await self.unit.tx.rows(_TOLD, [parent, line.full["parent"]["id"], row[2]])
        return found + [each for each, after in told if row_id in json.loads(after or "{}").get(LINES, ())]

    async def _run(self, run: Run) -> None:
        if run.id in self._known:
            return
        unit = self.unit
        self.left += await outbox.under_way(unit.tx, f"hook:{run.id}:", unit.now)
        if run.state in ("running", "waiting"):
            await runs.end(unit, run, "cancelled", _TAKEN_BACK)
        for (mail,) in await unit.tx.rows(_MAILS, [run.id]):
            await unit.tx.run("""UPDATE "_mail" SET "state" = 'cancelled' WHERE "id" = ?""", [mail])
            await outbox.cancel(unit.tx, f"mail:{mail}:", unit.now)
        await hooks.call_off(unit, run.id)
        await notices.call_off(unit, run.id)
        await approvals.call_off(unit, run.id)
        await unit.tx.run('DELETE FROM "_task" WHERE "run" = ? AND "done_at" IS NULL', [run.id])
        left = await unit.tx.row(_LEFT, [run.id, run.id])
        self.left += 0 if left is None else int(left[0])
        await self.cause(run.id)
        for (result,) in await unit.tx.rows(_RESULTS, [run.id]):
            done = json.loads(result or "{}")
            if done.get("history") is not None:
                await self.cause(done["history"])
            if "created" in done:
                await self._remove(*done["created"])

    async def _remove(self, entity: str, record_id: str) -> None:
        """Remove a record that a run created, with what it started; not where somebody changed it or wrote about it,
        nor where something refers to it.
        """
        unit = self.unit
        if entity not in unit.network.entities or await self._is_touched(entity, record_id):
            return
        record = await self._record(entity, record_id)
        if record is None:
            return
        known, left = set(self._known), self.left
        await unit.tx.run("SAVEPOINT removed")
        if not await self._strip(record):
            await unit.tx.run("ROLLBACK TO SAVEPOINT removed")
            self._known, self.left = known, left
        await unit.tx.run("RELEASE SAVEPOINT removed")

    async def _strip(self, record: Record) -> bool:
        """Take back what a record started and remove it; return whether it may go: if not, nothing of that counts."""
        unit, entity, record_id = self.unit, record.entity, record.id
        for each in (*await self._lines(entity, record_id), (entity, record_id)):
            for (row,) in reversed(await unit.tx.rows(_OF_RECORD, list(each))):
                await self.cause(row)
            for run in await runs.about(unit.tx, *each):
                await self._run(run)
        try:
            await unit.records.system.delete(entity, record_id, record.version)
        except RequestError:
            return False
        before = {"created_at": moment(record.full["created_at"])}
        row = await history.keep(unit, "deleted", entity, record_id, before=before)
        await triggers.settle(unit, record, (row,))
        return True

    async def _is_touched(self, entity: str, record_id: str) -> bool:
        found = [(entity, record_id), *await self._lines(entity, record_id)]
        return any([await self.unit.tx.row(_TOUCHED, list(each)) for each in found])

    async def _lines(self, entity: str, record_id: str) -> list[tuple[str, str]]:
        return list(_flat(await self.unit.records.parts(entity, record_id)))

    async def _record(self, entity: str, record_id: str) -> Record | None:
        try:
            return await self.unit.records.system.get(entity, record_id)
        except NotFoundError:
            return None


def _flat(lines: Iterable[LineChange]) -> Iterator[tuple[str, str]]:
    """Yield the entities and ids of lines and of theirs, the innermost first."""
    for line in lines:
        yield from _flat(line.lines)
        if line.after is not None:
            yield line.after.entity, line.after.id
