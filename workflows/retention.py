"""What is kept long enough is erased: each day what is due soon is announced, and what was announced in time goes.

A day's work is rows of the outbox, one behind the other, each a transaction of its own: what was noted before is
looked at again (`review`), what is due is noted (`find`), whose it is is told (`tell`), what was told too late is held
(`hold`), and what is over goes (`erase`), out of what was searched for too (`silence`). After a crash it goes on with
the row that it was at. See docs/decisions/erasure.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

import structlog

from definitions.expr.periods import later
from models.actor import SYSTEM
from models.columns import encode_duration
from models.erasure import held, parts
from models.errors import RefusedError, RequestError
from models.message import Message, say
from models.system import RETENTION
from models.tenant import Tenant
from models.tx import Row
from workflows import announcing, bulk, erasure, outbox, silencing, unheard
from workflows.stored import dump_message, moment, must_moment
from workflows.terms import Term, ahead, fresh, owner, still, terms
from workflows.unit import Unit, read, write

Phase = Literal["review", "find", "tell", "hold", "erase", "silence", "report"]
BATCH = 100
"""Records that one transaction looks at."""
AT_ONCE = 20
"""Records that one transaction erases, with all that hangs on them."""
TOGETHER = 100
"""So many records that refer to each other go in one transaction; of more, those at the end go first."""
LATE = timedelta(days=2)
"""Records whose day is over for so long when they are found due were not expected to be: nobody could know of it."""
HELD = timedelta(days=7)
"""So long these stay, from when they were found, while who runs the network is told."""
LOCK = "retention"
_LOG = structlog.get_logger("maille.retention")

_PAGE = """SELECT "id", "entity", "record", "since", "told" FROM "_retention" WHERE "id" > ? ORDER BY "id" LIMIT ?"""
_OVER = """SELECT "id", "entity", "record", "since" FROM "_retention" WHERE "id" > ?
AND "erase_at" <= ? AND "warned_at" IS NOT NULL ORDER BY "id" LIMIT ?"""
_OVER_OF = """SELECT "id", "entity", "record", "since" FROM "_retention" WHERE "entity" = ?
AND "erase_at" <= ? AND "warned_at" IS NOT NULL AND "record" IN ({places})"""
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
    went: bool = False

    def then(self, phase: Phase, after: str = "", *, went: bool = False) -> Step:
        """Return the step that follows; `went`: something was erased since the phase began at the first row."""
        return Step(self.day, phase, after, self.number + 1, went)


async def begin(tenant: Tenant) -> None:
    """Have the work of this day done, in the network's time zone, once; nothing is asked for where there is none.

    Called each hour and at each start: days on which nobody ran are made up for by the next one. What fails is logged
    and tried again with the next hour: other work does not wait for it.
    """
    try:
        if await read(tenant, SYSTEM, _anything):
            await write(tenant, SYSTEM, _ask_today)
    except Exception:  # noqa: BLE001 - whatever stands in the way of this, the worker's round goes on
        _LOG.exception("what is kept long enough could not be looked for", network=tenant.name)


async def _ask_today(unit: Unit) -> None:
    await _ask(unit, Step(unit.now.astimezone(unit.published.timezone).date().isoformat()))


async def _anything(unit: Unit) -> bool:
    """Whether something was noted, or is to be: a look that keeps nobody waiting."""
    if await unit.tx.row(_ANY) is not None:
        return True
    return any([await fresh(unit, term, ahead(unit.context, term.warn), 1) for term in (await terms(unit)).values()])


async def _ask(unit: Unit, step: Step) -> None:
    payload = asdict(step)
    await outbox.enqueue(unit, "retention", payload, None, f"retention:{step.day}:{step.number}", priority=outbox.LAST)


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
    over = [row for row in rows if row[0] not in stands]
    await unit.tx.run_many(_FORGET, [(row[0],) for row in over])
    for told in dict.fromkeys(row[4] for row in over):
        await announcing.call_off(unit, told)
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
    """Return the row that notes a record; however long it is due, it is kept for the time of the warning from now.

    One that is found late is kept for `HELD` at least. Without a warning only of these somebody is told: who runs the
    network.
    """
    begins, at = term.begins(values, unit.context) or unit.now, term.due(values, unit.context) or unit.now
    late = at < unit.now - LATE
    until = unit.now if term.warn is None else later(unit.now, term.warn, unit.context)
    until = max(until, unit.now + HELD) if late else until
    warned = moment(unit.now) if term.warn is None and not late else None
    concerned = None if term.warn is None else await _concerned(unit, term.entity, values)
    key = [unit.new_id(), term.entity, values["id"], concerned]
    return [*key, moment(begins), moment(at), moment(max(at, until)), warned, None, "waiting", None]


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
    return step.then("tell", "more") if more else step.then("hold")


async def _hold(unit: Unit, step: Step) -> Step:
    """Keep what would go now although the mail that announced it left late, or has not left."""
    following = await unheard.hold(unit, await terms(unit), step.after, BATCH, HELD)
    return step.then("erase") if following is None else step.then("hold", following)


async def _erase(unit: Unit, step: Step) -> Step:
    """Erase what was announced for long enough and is still due; what cannot be is noted, and hinders nothing else.

    Once something went, what could not go before is tried again the same day.
    """
    rows = await unit.tx.rows(_OVER, [step.after, moment(unit.now), AT_ONCE])
    stands = await _standing(unit, rows, warned=True)
    due_now = [row for row in rows if row[0] in stands]
    known = await terms(unit)
    results = await bulk.each(unit, due_now, lambda row: _go(unit, known[row[1]], row))
    for row, result in zip(due_now, results, strict=True):
        if isinstance(result, RequestError):
            said = result.message if isinstance(result.message, Message) else say("{reason}", reason=result)
            await unit.tx.run(_BLOCK, [dump_message(said), row[0]])
    went = step.went or any(not isinstance(result, RequestError) for result in results)
    if len(rows) == AT_ONCE:
        return step.then("erase", rows[-1][0], went=went)
    return step.then("erase") if went else step.then("silence")


async def _go(unit: Unit, term: Term, row: Row) -> None:
    """Erase a record, with those that would keep it and are to go themselves; `RefusedError` where it cannot be."""
    why = {"why": "retention", "since": term.since, "after": encode_duration(term.after)}
    try:
        first, *also = await _together(unit, row)
        await erasure.erase(unit, first[1], first[2], why, [(each[1], each[2]) for each in also])
    except (ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise RefusedError(say("It could not be erased: {reason}", reason=type(error).__name__)) from error


async def _together(unit: Unit, row: Row) -> list[Row]:
    """Return a note and those of the records that keep its record from going, while they are due as well.

    The note alone where something keeps them that stays, or where they are too many for one transaction.
    """
    found = [row]
    while len(found) <= TOGETHER:
        going = await parts(unit.published, unit.tx, *((each[1], each[2]) for each in found))
        keeping = await held(unit.published, unit.tx, going)
        if keeping is None:
            return found
        if len(keeping.ids) > TOGETHER:
            break
        over = _OVER_OF.format(places=", ".join("?" * len(keeping.ids)))
        rows = await unit.tx.rows(over, [keeping.entity, moment(unit.now), *keeping.ids])
        if len(rows) < len(keeping.ids) or len(await _standing(unit, rows, warned=True)) < len(rows):
            break
        found += rows
    return [row]


async def _silence(unit: Unit, step: Step) -> Step:
    """Take the words out of the audit that found what was erased today."""
    following = await silencing.silence(unit, step.day, step.after)
    return step.then("report") if following is None else step.then("silence", following)


async def _report(unit: Unit, step: Step) -> None:  # noqa: ARG001 - phases are called alike
    """Tell who runs the network what could not be erased."""
    await announcing.report(unit)


_PHASES = {
    "review": _review,
    "find": _find,
    "tell": _tell,
    "hold": _hold,
    "erase": _erase,
    "silence": _silence,
    "report": _report,
}
