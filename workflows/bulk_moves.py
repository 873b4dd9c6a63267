"""Moves of many records at once: each is decided by itself, all are written with few statements.

What comes of it is what moving one after the other comes to. Where one move could decide about another (a guard that
looks at other records, moves that follow by themselves, unique values, lines), they are made one after the other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from definitions.expr.expression import Expression
from definitions.spec.process import Process, Transition
from models import entitling
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.gathering import Gathering
from models.published import Published
from models.record import Change, Record
from models.records import Records
from models.rewriting import Rewriting
from models.rules import bare
from models.system import AUDIT, HISTORY, RUN
from models.tree import MEMBER
from models.unique import keys
from models.uploads import FILES
from workflows import chart, forms, moves, outbox
from workflows.chart import Taken
from workflows.forms import Answers
from workflows.guards import unmet
from workflows.moves import Told
from workflows.subscriptions import expressions, reads_itself, subscriptions
from workflows.triggers import Occurrence, occur_all
from workflows.unit import Unit

INSERTIONS = (HISTORY.insert(), AUDIT.insert(), RUN.insert(), outbox.INSERTION)
"""What moves write beside the records: rows that nobody reads before the end."""


@lru_cache(maxsize=2048)
def together(published: Published, process: str, name: str) -> bool:
    """Whether moves of many records can be decided before the first is written, whatever they do."""
    network = published.network
    found = network.processes[process]
    transition, entity = found.transitions[name], network.entities[found.entity]
    if transition.approval is not None or entity.name == MEMBER or entity.parent is not None:
        return False
    if any(network.processes[each].automatic for each in entity.processes):
        return False
    if any(question.field.type in FILES for question in transition.form.values()):
        return False
    computes = [field for field in entity.fields.values() if field.compute is not None]
    edits = {question.edits for question in transition.form.values()} | transition.set.keys()
    if not {name for key in keys(entity) for name in key}.isdisjoint(edits | {field.name for field in computes}):
        return False
    fields = [*entity.fields.values(), *(question.field for question in transition.form.values())]
    bounds = [part for field in fields for part in (field.min, field.max, field.required_if, field.compute)]
    defaults = [question.field.default for question in transition.form.values()]
    read = [*expressions(transition.guard, *transition.set.values(), *bounds, *defaults), *_asked(published, found)]
    return all(reads_itself(each, network.lines(entity.name)) for each in read)


def _asked(published: Published, process: Process) -> Iterable[Expression]:
    """Return what automations ask that moves of a process may start."""
    known = subscriptions(published)
    started = [
        *(each for name in process.transitions for each in known.of(("moved", process.name, name))),
        *(
            each
            for name in process.states
            for way in ("entered", "left")
            for each in known.of((way, process.name, name))
        ),
        *known.of_change(process.entity, frozenset(published.network.entities[process.entity].fields)),
    ]
    return [part for each in started for part in expressions(each.condition, each.key)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A move that is asked for, of any record: with one form for all."""

    entity: str
    process: str
    transition: str
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A move that was decided and checked, and not written yet."""

    taken: Taken
    told: Told
    change: Change


class Moves:
    """Moves of one kind in a transaction; what is the same for many records is found once."""

    def __init__(self, unit: Unit, asked: Asked) -> None:
        """Move over `unit`."""
        self.tx = Gathering(unit.tx, INSERTIONS)
        records = Records(unit.published, self.tx, unit.actor, unit.context, new_id=unit.new_id)
        self.unit = replace(unit, tx=self.tx, records=records)
        self.asked = asked
        self.process: Process = unit.network.processes[asked.process]
        self.transition: Transition = self.process.transitions[asked.transition]
        self.wanted = expressions(self.transition.guard, *self.transition.set.values())
        self.rewriting = Rewriting(records.system, asked.entity)
        self.shared: Mapping[str, Any] = {}
        self._answers: dict[Hashable, tuple[Answers, Told]] = {}

    async def make(self, ids: Sequence[str]) -> list[str | RequestError]:
        """Make the moves of different records; return the history row of each, or what it was refused with."""
        unit, asked = self.unit, self.asked
        self.shared = await unit.records.names_for(*self.wanted) if self.wanted else {}
        names = unit.records.sight(asked.entity).names
        found = {record.id: record for record in await entitling.some(unit.records, asked.entity, ids, names)}
        ready = [await self._tried(found.get(each)) for each in ids]
        moved = [each for each in ready if isinstance(each, _Ready)]
        await self.rewriting.write([each.change for each in moved])
        events = [await self._keep(each) for each in moved]
        await occur_all(unit, asked.entity, events)
        await self.tx.flush()
        rows = iter(events)
        return [next(rows).history if isinstance(each, _Ready) else each for each in ready]

    async def _tried(self, record: Record | None) -> _Ready | RequestError:
        try:
            return await self._decided(record)
        except RequestError as error:
            return error

    async def _decided(self, record: Record | None) -> _Ready:
        """Check rights, state, form, guard and values, as a single move does."""
        if record is None:
            raise NotFoundError
        unit, asked = self.unit, self.asked
        taken = chart.decide(self.process, record.full[asked.process], asked.transition)
        if not isinstance(taken, Taken):
            raise RefusedError(moves.elsewhere(unit, self.process, record))
        if not await self._granted(record):
            raise RefusedError(moves.NOT_YOURS)
        answers, told = await self._answered(record)
        names = {**self.shared, "record": record.full, "before": record.full, "form": answers.values}
        guard = self.transition.guard
        if guard is not None and guard.evaluate(names, unit.context) is not True:
            raise await unmet(unit, record, self.transition, guard, names)
        made = {name: value.compute(names, unit.context) for name, value in self.transition.set.items()}
        beside: dict[str, Any] = {asked.process: taken.configuration}
        if unit.actor.kind != "system":
            beside["last_activity_at"] = unit.now
        try:
            change = await self.rewriting.check(record, answers.edits, made, beside)
        except InvalidError as error:
            raise InvalidError(moves.as_asked(self.transition, error.fields)) from error
        return _Ready(taken, told, change)

    async def _granted(self, record: Record) -> bool:
        """Whether the actor's levels grant the move: what they grant of all that the actor reads needs no look."""
        records, asked = self.unit.records, self.asked
        rule = bare(records.rights.transition(asked.process, asked.transition))
        if rule == records.sight(asked.entity).known:
            return True
        return await records.may_move(record, asked.process, asked.transition)

    async def _answered(self, record: Record) -> tuple[Answers, Told]:
        """Return the answers to the form, which many records share."""
        unit, asked = self.unit, self.asked
        key = forms.depends_on(unit, record, asked.process, self.transition, asked.form)
        found = None if key is None else self._answers.get(key)
        if found is None:
            answers = await forms.answers(unit, record, asked.process, self.transition, asked.form)
            found = answers, moves.told_of(unit, self.transition, answers)
            if key is not None:
                self._answers[key] = found
        return found

    async def _keep(self, ready: _Ready) -> Occurrence:
        return await moves.keep(self.unit, self.process, ready.taken, ready.told, ready.change)


async def move_all(unit: Unit, asked: Asked, ids: Sequence[str]) -> list[str | RequestError] | None:
    """Move records at once; None where they have to be moved one after the other."""
    if len(set(ids)) < len(ids) or not together(unit.published, asked.process, asked.transition):
        return None
    return await Moves(unit, asked).make(ids)
