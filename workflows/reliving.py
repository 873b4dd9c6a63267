"""Living through the history of some days once more, on a copy, under other definitions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from definitions.spec.process import Transition
from definitions.text import Text
from models.actor import SYSTEM, Actor
from models.ddl import listed
from models.errors import InvalidError, NotFoundError, RequestError
from models.members import load_actor
from models.record import Change
from models.records import Records
from models.rehearsal import OWN, PAST, Rehearsal
from models.store import ConstraintError
from models.system import HISTORY
from models.translation import Translation
from models.tx import Tx
from workflows import chart, moves, outbox, schedules
from workflows.changes import told
from workflows.chart import NotTaken
from workflows.history import FORM, touch
from workflows.moves import Request
from workflows.outbox import KINDS
from workflows.stored import must_moment, read_answers
from workflows.triggers import Occurrence, occur
from workflows.unit import Unit
from workflows.worker import Worker

GROUP = 200
"""So many things that happened share a transaction."""
INSIDE = tuple(kind for kind in KINDS if kind not in ("mail", "sms", "hook"))
"""What a worker does here: nothing leaves the house, and documents are left out."""
STEPS = outbox.steps_of(INSIDE)

Why = Literal["state", "right", "guard", "form", "gone"]
"""Why a move would have been refused: from another state, no right, the guard, its form, or there is none any more."""

_COLUMNS = listed(HISTORY.columns)
_NEXT = f"""SELECT rowid, {_COLUMNS} FROM "{PAST}" WHERE rowid > ? AND ("run" IS NULL
OR "run" NOT IN (SELECT "run" FROM "{OWN}")) ORDER BY rowid LIMIT {GROUP}"""  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the history that is lived through again."""

    place: int
    row: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        """When it happened."""
        return must_moment(self.row["at"])

    def kept(self, name: Literal["before", "after"]) -> dict[str, Any]:
        """Return the values before or after it, in the form that they were kept in."""
        found: dict[str, Any] = json.loads(self.row[name] or "{}")
        return found


Refusal = tuple[str, str, Why, str]
"""Process, transition, why, and what more there is to say of it: the guard's sentence, the state, the questions."""


@dataclass(slots=True)
class Outcome:
    """What came of it: moves that were taken as they happened, those refused, and facts that do not fit any more.

    `automatic` are moves that happened by themselves, which nobody asks for.
    """

    replayed: int = 0
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    automatic: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[Refusal] = field(default_factory=Counter)
    examples: dict[Refusal, tuple[str, str]] = field(default_factory=dict)
    unfit: Counter[str] = field(default_factory=Counter)


class Reliving:
    """Goes through the past of a rehearsal, step by step; moves of `processes` are asked for, all else just happens."""

    def __init__(self, rehearsal: Rehearsal, processes: frozenset[str], url: str) -> None:
        """Begin at the rehearsal's first moment; `url` is the address of the network's pages."""
        self.rehearsal = rehearsal
        self.processes = processes
        self.outcome = Outcome()
        self.place = 0
        self._worker = Worker(rehearsal.tenant, url=url, name="rehearsal")
        self._published = rehearsal.tenant.published
        self._translation = Translation(rehearsal.planned, rehearsal.base.tables, self._published.tables)
        self._waiting: list[Fact] = []

    async def begin(self, tx: Tx) -> None:
        """Set the timers and schedules of the definitions, as their publication would have."""
        await schedules.adopt(self._unit(tx, SYSTEM))

    async def go_on(self, tx: Tx) -> bool:
        """Do the next things that are due or happened; return whether there are more."""
        for _ in range(GROUP):
            fact = await self._next(tx)
            end = self.rehearsal.until if fact is None else fact.at
            due = await outbox.next_due(tx, INSIDE)
            if due is not None and due <= end:
                await self._work(tx, due)
            elif fact is None:
                return False
            else:
                self._waiting.pop(0)
                self.place = fact.place
                await self._live(tx, fact)
        return True

    async def _next(self, tx: Tx) -> Fact | None:
        if not self._waiting:
            rows = await tx.rows(_NEXT, [self.place])
            self._waiting = [Fact(row[0], dict(zip(HISTORY.columns, row[1:], strict=True))) for row in rows]
        return self._waiting[0] if self._waiting else None

    async def _work(self, tx: Tx, due: datetime) -> None:
        """Do what is due, at its time."""
        clock = self.rehearsal.clock
        clock.moment = max(clock.moment, due)
        token = self.rehearsal.tenant.new_id()
        for row in await outbox.claim(tx, worker=token, now=clock.moment, limit=GROUP, steps=STEPS):
            await self._worker.work_within(tx, row)

    async def _live(self, tx: Tx, fact: Fact) -> None:
        """Let a thing happen again, at its time; what the definitions have no place for is counted."""
        clock = self.rehearsal.clock
        clock.moment = max(clock.moment, fact.at)
        entity = self._translation.entity(fact.row["entity"])
        if entity is None or await self._is_undone(tx, fact):
            return
        await tx.run("SAVEPOINT fact")
        try:
            await self._happen(tx, fact, entity)
            await tx.run("RELEASE SAVEPOINT fact")
            self.outcome.replayed += 1
        except (RequestError, ConstraintError) as error:
            await tx.run("ROLLBACK TO SAVEPOINT fact")
            await tx.run("RELEASE SAVEPOINT fact")
            self.outcome.unfit[_told(error)] += 1

    async def _is_undone(self, tx: Tx, fact: Fact) -> bool:
        """Whether this was taken back since, or takes back what happened since: both are as if they had not been."""
        if fact.row["kind"] == "undone":
            return await tx.row(f'SELECT 1 FROM "{PAST}" WHERE "undone_by" = ?', [fact.row["id"]]) is not None  # noqa: S608 - a name of ours
        return fact.row["undone_by"] is not None

    async def _happen(self, tx: Tx, fact: Fact, entity: str) -> None:
        unit = self._unit(tx, await self._actor(tx, fact), fact.row["record"])
        match fact.row["kind"]:
            case "created":
                values = self._translation.values(fact.row["entity"], fact.kept("after"))
                record = await unit.records.system.create(entity, values)
                await self._keep(tx, fact, entity)
                await self._touch(unit, fact, entity)
                await occur(unit, Occurrence("created", record, fact.row["id"]))
            case "moved":
                await self._moved(unit, fact, entity)
            case "updated" | "undone":
                await self._changed(unit, fact, entity, None)
            case "deleted":
                gone = await unit.records.system.delete(entity, fact.row["record"])
                await self._keep(tx, fact, entity)
                await occur(unit, Occurrence("deleted", gone, fact.row["id"], gone.full))
            case _:
                await self._touch(unit, fact, entity)

    async def _moved(self, unit: Unit, fact: Fact, entity: str) -> None:
        process = self._translation.process(fact.row["process"])
        transition = self._transition(process, fact.row["transition"])
        if fact.row["cause"] is not None:  # it followed by itself, and does so again where the definitions say so
            self.outcome.automatic[process, fact.row["transition"] if transition is None else transition.name] += 1
            return
        if process in self.processes and await self._asked(unit, fact, entity, process, transition):
            return
        await self._changed(unit, fact, entity, None if transition is None else (process, transition))

    def _transition(self, process: str, was: str) -> Transition | None:
        """Return the transition as it is now."""
        found = self._published.network.processes.get(process)
        known = {} if found is None else found.transitions
        return known.get(was) or next((each for each in known.values() if each.was == was), None)

    async def _changed(self, unit: Unit, fact: Fact, entity: str, step: tuple[str, Transition] | None) -> None:
        """Let the values become what they became, and start what that starts."""
        values = self._translation.values(fact.row["entity"], fact.kept("after"))
        record = await unit.records.system.find(entity, fact.row["record"])
        change = await unit.records.system.rewrite(record, values)
        await self._keep(unit.tx, fact, entity)
        await self._touch(unit, fact, entity)
        if fact.row["kind"] != "undone":
            await self._occur(unit, fact, change, step)

    async def _occur(self, unit: Unit, fact: Fact, change: Change, step: tuple[str, Transition] | None) -> None:
        fields, before, row = frozenset(told(change.fields)), change.before.full, fact.row["id"]
        if step is not None:
            process, transition = self._published.network.processes[step[0]], step[1]
            state = self._translation.values(fact.row["entity"], fact.kept("before")).get(step[0])
            taken = chart.decide(process, state or fact.row["from_state"], transition.name)
            if not isinstance(taken, NotTaken):
                await occur(unit, Occurrence("moved", change.after, row, before, fields, step[0], taken))
                return
        if fields:
            await occur(unit, Occurrence("updated", change.after, row, before, fields))

    # Asking for moves ---------------------------------------------------------------------------------------------

    async def _asked(self, unit: Unit, fact: Fact, entity: str, process: str, transition: Transition | None) -> bool:
        """Take the move as it was asked for, through its guard; return False, and note why, when it is refused."""
        about = (entity, fact.row["record"])
        if transition is None:
            return self._refuse(process, fact.row["transition"], "gone", "", about)
        await unit.tx.run("SAVEPOINT move")
        try:
            refused = await self._obstacle(unit, about, process, transition)
            if refused is None:
                form = self._form(fact, transition)
                await moves.move(unit, Request(entity, fact.row["record"], transition.name, process, form))
                await unit.tx.run("RELEASE SAVEPOINT move")
        except InvalidError as error:
            refused = ("form", ", ".join(sorted(error.fields)))
        except RequestError as error:
            refused = ("guard", _told(error))
        if refused is None:
            self.outcome.taken[process, transition.name] += 1
        else:
            await unit.tx.run("ROLLBACK TO SAVEPOINT move")
            await unit.tx.run("RELEASE SAVEPOINT move")
            self._refuse(process, transition.name, *refused, about)
        return refused is None

    async def _obstacle(
        self, unit: Unit, about: tuple[str, str], process: str, transition: Transition
    ) -> tuple[Why, str] | None:
        """Return what stands against a move before its guard is asked."""
        record = await unit.records.system.find(*about)
        state = record.full[process]
        if isinstance(chart.decide(self._published.network.processes[process], state, transition.name), NotTaken):
            return "state", str(state)
        try:
            seen = await unit.records.find(*about)
        except NotFoundError:
            return "right", ""
        return None if await unit.records.may_move(seen, process, transition.name) else ("right", "")

    def _form(self, fact: Fact, transition: Transition) -> dict[str, Any]:
        """Return the answers that were given, as far as the form still asks for them."""
        after = fact.kept("after")
        values = self._translation.values(fact.row["entity"], after)
        own = {name: found.field for name, found in transition.form.items() if found.edits is None}
        given = {name.removeprefix(FORM): value for name, value in after.items() if name.startswith(FORM)}
        answers = read_answers(own, given, self._published.tables.safe)
        for name, found in transition.form.items():
            if found.edits is not None and found.edits in values:
                answers[name] = values[found.edits]
        told_as = next((name for name, found in own.items() if found.type == "long_text" and name not in answers), None)
        if told_as is not None and fact.row["text"]:
            answers[told_as] = fact.row["text"]
        return answers

    def _refuse(self, process: str, transition: str, why: Why, reason: str, about: tuple[str, str]) -> bool:
        key = (process, transition, why, reason)
        self.outcome.refused[key] += 1
        self.outcome.examples.setdefault(key, about)
        return False

    # What is the same for every fact ------------------------------------------------------------------------------

    def _unit(self, tx: Tx, actor: Actor, record: str | None = None) -> Unit:
        """Return a unit at the time of the clock; what it creates first is called `record`."""
        tenant, context = self.rehearsal.tenant, self.rehearsal.tenant.context()
        new_id: Callable[[], str] = tenant.new_id if record is None else lambda: record
        records = Records(self._published, tx, actor, context, new_id=new_id)
        house = self._worker.house
        return Unit(self._published, tx, actor, context, tenant.new_id, records, house=house, vault=tenant.vault)

    async def _actor(self, tx: Tx, fact: Fact) -> Actor:
        """Return who did it, with the rights of today; the system where that is nobody any more."""
        member: str | None = fact.row["actor"]
        if member is None:
            return SYSTEM
        found = await load_actor(self._published, tx, member)
        if found is None or fact.row["actor_kind"] != "system":
            return found or SYSTEM
        return Actor("system", member=found.member, levels=(), language=found.language)

    async def _keep(self, tx: Tx, fact: Fact, entity: str) -> None:
        """Keep that it happened, for timers that ask since when; its values are left out."""
        process = fact.row["process"] and self._translation.process(fact.row["process"])
        row = {**fact.row, "entity": entity, "process": process, "before": None, "after": None, "run": None}
        await tx.run(HISTORY.insert(), [row[name] for name in HISTORY.columns])

    async def _touch(self, unit: Unit, fact: Fact, entity: str) -> None:
        if fact.row["actor_kind"] != "system":
            await touch(unit, entity, fact.row["record"])


def _told(error: Exception) -> str:
    """Return in a few words why something does not fit."""
    match error:
        case InvalidError(fields=fields):
            return ", ".join(sorted(fields))
        case RequestError(message=Text() as text):
            return text.pick("en")
        case _:
            return str(error)
