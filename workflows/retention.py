"""What is kept long enough is erased: each day what is due soon is announced, and what was announced in time goes.

A day's work is rows of the outbox, one behind the other, each a transaction of its own: what was noted before is
looked at again (`review`), what is due is noted (`find`), whose it is is told (`tell`), and what is over goes
(`erase`), out of what was searched for too (`silence`). After a crash it goes on with the row that it was at. See
docs/decisions/erasure.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from definitions.expr.periods import later
from models.actor import SYSTEM
from models.columns import encode_duration
from models.errors import RefusedError, RequestError
from models.message import Message, say
from models.system import RETENTION
from models.tenant import Tenant
from models.tx import Row
from workflows import announcing, bulk, erasure, outbox, silencing
from workflows.stored import dump_message, moment, must_moment
from workflows.terms import Term, ahead, fresh, owner, still, terms
from workflows.unit import Unit, read, write

Phase = Literal["review", "find", "tell", "erase", "silence", "report"]
BATCH = 100
"""Records that one transaction looks at."""
AT_ONCE = 20
"""Records that one transaction erases, with all that hangs on them."""
LOCK = "retention"

_PAGE = """SELECT "id", "entity", "record", "since" FROM "_retention" WHERE "id" > ? ORDER BY "id" LIMIT ?"""
_OVER = """SELECT "id", "entity", "record", "since", "told" FROM "_retention" WHERE "id" > ?
AND "erase_at" <= ? AND "warned_at" IS NOT NULL ORDER BY "id" LIMIT ?"""
_FORGET = 'DELETE FROM "_retention" WHERE "id" = ?'
_BLOCK = """UPDATE "_retention" SET "reason" = ?, "state" = CASE WHEN "state" = 'waiting' THEN 'blocked'
ELSE "state" END WHERE "id" = ?"""
_ANY = 'SELECT 1 FROM "_retention" LIMIT 1'


@dataclass(frozen=True, slots=True)
class Step:
    """Where a day's work is: its phase, behind which row or name it goes on, and how many steps came before."""

    day: str
    phase: Phase = "review"
    after: str = ""
    number: int = 0

    def then(self, phase: Phase, after: str = "") -> Step:
        """Return the step that follows."""
        return Step(self.day, phase, after, self.number + 1)


async def begin(tenant: Tenant) -> None:
    """Have the work of this day done, in the network's time zone, once; nothing is asked for where there is none.

    Called each hour and at each start: days on which nobody ran are made up for by the next one.
    """
    if not await read(tenant, SYSTEM, _anything):
        return

    async def work(unit: Unit) -> None:
        day = unit.now.astimezone(unit.published.timezone).date().isoformat()
        await _ask(unit, Step(day))

    await write(tenant, SYSTEM, work)


async def _anything(unit: Unit) -> bool:
    """Whether something was noted, or is to be: a look that keeps nobody waiting."""
    if await unit.tx.row(_ANY) is not None:
        return True
    return any([await fresh(unit, term, ahead(unit.context, term.warn), 1) for term in (await terms(unit)).values()])


async def _ask(unit: Unit, step: Step) -> None:
    payload = {"day": step.day, "phase": step.phase, "after": step.after, "number": step.number}
    await outbox.enqueue(unit, "retention", payload, None, f"retention:{step.day}:{step.number}", priority=5)


async def go_on(unit: Unit, payload: Mapping[str, Any]) -> None:
    """Do a step of a day's work, and ask for the next: what the worker calls."""
    await unit.tx.lock(LOCK)
    step = Step(**payload)
    following = await _PHASES[step.phase](unit, step)
    if following is not None:
        await _ask(unit, following)


async def _review(unit: Unit, step: Step) -> Step:
    """Forget what was noted and is not due any more: somebody did something with it, it went, it shall be kept."""
    rows = await unit.tx.rows(_PAGE, [step.after, BATCH])
    stands = await _standing(unit, rows, warned=False)
    await unit.tx.run_many(_FORGET, [(row[0],) for row in rows if row[0] not in stands])
    return step.then("review", rows[-1][0]) if len(rows) == BATCH else step.then("find")


async def _standing(unit: Unit, rows: Sequence[Row], *, warned: bool) -> set[str]:
    """Return the notes that still hold: their records are due now (or within the warning), since the same time."""
    known, found = await terms(unit), set()
    for entity in {row[1] for row in rows} & known.keys():
        term = known[entity]
        at = unit.context if warned else ahead(unit.context, term.warn)
        of_it = [row for row in rows if row[1] == entity]
        values = await still(unit, term, [row[2] for row in of_it], at)
        for row in of_it:
            begins = term.begins(values[row[2]], unit.context) if row[2] in values else None
            if begins is not None and begins == must_moment(row[3]):
                found.add(row[0])
    return found


async def _find(unit: Unit, step: Step) -> Step:
    """Note what is due, or will be after the time of the warning, kind by kind."""
    for name, term in sorted((await terms(unit)).items()):
        if name < step.after:
            continue
        found = await fresh(unit, term, ahead(unit.context, term.warn), BATCH)
        await unit.tx.run_many(RETENTION.insert(), [await _note(unit, term, values) for values in found])
        if found:
            return step.then("find", name)
    return step.then("tell")


async def _note(unit: Unit, term: Term, values: Mapping[str, Any]) -> list[Any]:
    """Return the row that notes a record; however long it is due, it is kept for the time of the warning from now."""
    begins, at = term.begins(values, unit.context) or unit.now, term.due(values, unit.context) or unit.now
    held = unit.now if term.warn is None else later(unit.now, term.warn, unit.context)
    warned = moment(unit.now) if term.warn is None else None
    key = [unit.new_id(), term.entity, values["id"], await _concerned(unit, term.entity, values)]
    return [*key, moment(begins), moment(at), moment(max(at, held)), warned, None, "waiting", None]


async def _concerned(unit: Unit, entity: str, values: Mapping[str, Any]) -> str | None:
    """Return who is told of a record: whose it is, None (who runs the network) where that is nobody who works here."""
    whose = owner(values, entity)
    if whose is None or entity == announcing.MEMBER:
        return whose
    member = await unit.records.system.loader.load(announcing.MEMBER, whose)
    return whose if member is not None and member.get("active") else None


async def _tell(unit: Unit, step: Step) -> Step:
    """Tell members of what is due: who runs the network first, of what is nobody's too."""
    more = await announcing.announce(unit, first=step.after == "")
    return step.then("tell", "more") if more else step.then("erase")


async def _erase(unit: Unit, step: Step) -> Step:
    """Erase what was announced for long enough and is still due; what cannot be is noted, and hinders nothing else."""
    rows = await unit.tx.rows(_OVER, [step.after, moment(unit.now), AT_ONCE])
    stands = await _standing(unit, rows, warned=True)
    due_now = [row for row in rows if row[0] in stands]
    known = await terms(unit)

    async def one(row: Row) -> None:
        term = known[row[1]]
        why = {"why": "retention", "since": term.since, "after": encode_duration(term.after)}
        try:
            await announcing.call_off(unit, row[4])
            await erasure.erase(unit, row[1], row[2], why)
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:
            raise RefusedError(say("It could not be erased: {reason}", reason=type(error).__name__)) from error

    results = await bulk.each(unit, due_now, one)
    for row, result in zip(due_now, results, strict=True):
        if isinstance(result, RequestError):
            said = result.message if isinstance(result.message, Message) else say("{reason}", reason=result)
            await unit.tx.run(_BLOCK, [dump_message(said), row[0]])
    return step.then("erase", rows[-1][0]) if len(rows) == AT_ONCE else step.then("silence")


async def _silence(unit: Unit, step: Step) -> Step:
    """Take the words out of the audit that found what was erased today."""
    following = await silencing.silence(unit, step.day, step.after)
    return step.then("report") if following is None else step.then("silence", following)


async def _report(unit: Unit, step: Step) -> None:  # noqa: ARG001 - phases are called alike
    """Tell who runs the network what could not be erased."""
    await announcing.report(unit)


_PHASES = {"review": _review, "find": _find, "tell": _tell, "erase": _erase, "silence": _silence, "report": _report}
