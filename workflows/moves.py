"""Taking a transition: rights, state, guard and form; then record, history and what follows, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from definitions.charts.process import leaves_of
from definitions.expr.expression import Expression
from definitions.expr.periods import later
from definitions.spec.process import FormField, Process, Transition
from definitions.text import Text
from models.changes import see
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.record import Change, Record
from workflows import approvals, chart, forms, history
from workflows.approvals import Pending
from workflows.chart import NotTaken, Taken
from workflows.forms import Answers
from workflows.guards import UNMET, UnmetError, Weighed, unmet
from workflows.history import FORM, Step, stored, told
from workflows.stored import dump_answers
from workflows.subscriptions import expressions
from workflows.triggers import Occurrence, occur
from workflows.unit import Unit

NOT_YOURS = say("Your access level does not have this transition.")


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: the record as its actor sees it now (None when the move took it out of the actor's sight),
    the history row (for `undo`) and until when the move can be taken back (None: it can't). `asked`: nothing moved yet,
    others must agree. `left`: so many messages that a move which was taken back had caused were gone already.
    """

    record: Record | None
    history: str
    undo_until: datetime | None
    asked: bool = False
    left: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """A way out of the record's present state. `reason` says why it is not allowed; `form` is asked before it.

    `asked`: it was asked for, and waits for others to agree. `parts`: what its guard asks for, where that refuses it.
    """

    process: str
    transition: Transition
    allowed: bool
    reason: Message | Text | None
    form: tuple[FormField, ...]
    asked: Pending | None = None
    parts: tuple[Weighed, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A move that is asked for; `process` tells apart transitions of one name, `version` is the one that was read.

    `granted`: those who must agree to it have.
    """

    entity: str
    record: str
    transition: str
    process: str | None = None
    form: Mapping[str, Any] | None = None
    version: int | None = None
    granted: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the history keeps of a form: its comment, and the stored forms of the other answers by question."""

    text: str
    answers: Mapping[str, Any]


async def move(unit: Unit, request: Request) -> Moved:
    """Take the transition; see `commands.move`."""
    record = await unit.records.get(request.entity, request.record)
    process = _process(unit, request)
    if request.version is not None and request.version != record.version:
        raise ConflictError(record.version)
    taken = chart.decide(process, record.full[process.name], request.transition)
    if isinstance(taken, NotTaken):
        raise RefusedError(elsewhere(unit, process, record))
    if not await unit.records.may_move(record, process.name, request.transition):
        raise RefusedError(NOT_YOURS)
    answers = await forms.answers(unit, record, process.name, taken.transition, request.form or {})
    values = await _values(unit, record, taken, answers)
    if taken.transition.approval is not None and not request.granted:
        return await _ask(unit, record, process, taken, answers, request.form or {})
    change = await _write(unit, record, process, taken, values)
    return await _follow(unit, process, taken, answers, change)


async def _ask(
    unit: Unit, record: Record, process: Process, taken: Taken, answers: Answers, given: Mapping[str, Any]
) -> Moved:
    """Ask for a move that others must agree to, with the form as it was given."""
    form = taken.transition.form
    text, _ = _said({name: found for name, found in form.items() if found.edits is None}, answers)
    said = {name: answers.values[name] for name in given if name in answers.values}
    kept = dump_answers({name: found.field for name, found in form.items()}, said, unit.published.tables.safe)
    row = await approvals.ask(unit, record, process, taken, kept, text)
    return Moved(await seen(unit, record), row, None, asked=True)


def _process(unit: Unit, request: Request) -> Process:
    """Return the process that the transition is of."""
    names = unit.network.entities[request.entity].processes
    found = chart.by_name(unit.network.processes, names, request.transition)
    if request.process is not None:
        found = [process for process in found if process.name == request.process]
    if not found:
        raise NotFoundError
    if len(found) > 1:
        raise RefusedError(say("Several processes have this transition: say which."))
    return found[0]


def elsewhere(unit: Unit, process: Process, record: Record) -> Message:
    """Return why a step cannot be taken from where the record is."""
    if process.name in record.hidden:
        return UNMET
    held = leaves_of(record.full[process.name])
    known = (process.states[name].label for name in held if name in process.states)
    labels = [label.pick(unit.actor.language, *unit.network.languages) for label in known]
    return say("This cannot be done in the state “{state}”.", state=", ".join(labels or held))


async def _values(unit: Unit, record: Record, taken: Taken, answers: Answers) -> dict[str, Any]:
    """Check the guard and return what `set` computes, both over the values before the move and the form."""
    transition = taken.transition
    wanted = expressions(transition.guard, *transition.set.values())
    if not wanted and not transition.set:
        return dict(answers.edits)
    names = await unit.records.env(record, wanted, form=answers.values, before=record.full)
    if transition.guard is not None and looks_around(transition.guard):
        await _hold(unit, record)
    if transition.guard is not None and transition.guard.evaluate(names, unit.context) is not True:
        raise await unmet(unit, record, transition, transition.guard, names)
    computed = {name: value.compute(names, unit.context) for name, value in transition.set.items()}
    return {**answers.edits, **computed}


def looks_around(guard: Expression) -> bool:
    """Whether what a guard says depends on other records; who they are, and the sponsor line, are of the record."""
    return any(len(path) > 2 and path[-1] not in {"id", "_path"} for path in guard.reads)


async def _hold(unit: Unit, record: Record) -> None:
    """Be alone with the record and those that the guard looked at until the commit.

    Of two moves each of whose guards looks at the record of the other, the second sees what the first did.
    """
    for key in sorted({f"{entity}:{id}" for entity, id in ((record.entity, record.id), *unit.records.loader.loaded)}):
        await unit.tx.lock(key)


async def _write(unit: Unit, record: Record, process: Process, taken: Taken, values: Mapping[str, Any]) -> Change:
    """Write the move's values: what a move changes is the definition's business, not the actor's right to update."""
    written: dict[str, Any] = {**values, process.name: taken.configuration}
    if unit.actor.kind != "system":
        written["last_activity_at"] = unit.now
    try:
        return await unit.records.system.rewrite(record, written)
    except InvalidError as error:
        raise InvalidError(as_asked(taken.transition, error.fields)) from error


def as_asked(transition: Transition, problems: Mapping[str, Message | Text]) -> dict[str, Message | Text]:
    """Return problems of fields by the names of the questions that fill them."""
    names = {question.edits: name for name, question in transition.form.items() if question.edits is not None}
    return {names.get(field, field): problem for field, problem in problems.items()}


async def _follow(unit: Unit, process: Process, taken: Taken, answers: Answers, change: Change) -> Moved:
    event = await keep(unit, process, taken, told_of(unit, taken.transition, answers), change)
    last = await occur(unit, event)
    return Moved(await seen(unit, last or change.after), event.history, event.hold_until)


def told_of(unit: Unit, transition: Transition, answers: Answers) -> Told:
    """Return what the history keeps of the answers to a form."""
    own = {name: found for name, found in transition.form.items() if found.edits is None}
    text, asked = _said(own, answers)
    kept = dump_answers({name: found.field for name, found in own.items()}, asked, unit.published.tables.safe)
    return Told(text, {FORM + name: value for name, value in kept.items()})


async def keep(unit: Unit, process: Process, taken: Taken, said: Told, change: Change) -> Occurrence:
    """Write the history of a move that was written, and return what happened."""
    record, fields = change.after, told(change.fields)
    undo_until = later(unit.now, taken.transition.undo, unit.context) if taken.transition.undo else None
    row = await history.keep(
        unit,
        "moved",
        record.entity,
        record.id,
        before=stored(unit, record.entity, change.before.full, fields),
        after={**stored(unit, record.entity, record.full, fields), **said.answers},
        text=said.text,
        step=Step.of(process.name, taken, undo_until),
    )
    before = change.before.full
    return Occurrence("moved", record, row, before, frozenset(fields), process.name, taken, undo_until)


async def seen(unit: Unit, record: Record) -> Record | None:
    """Return a record that was written without rules as the actor sees it, None when it may not."""
    if unit.actor.kind == "system":
        return record
    found = await see(unit.records, unit.records.sight(record.entity), record.full)
    return found if "read" in found.may else None


def _said(own: Mapping[str, FormField], answers: Answers) -> tuple[str, dict[str, Any]]:
    """Return the comment (the first long text that was asked) and the other answers that were given."""
    text = ""
    others: dict[str, Any] = {}
    for name, question in own.items():
        value = answers.values.get(name)
        if value is None:
            continue
        if question.field.type == "long_text" and not question.field.encrypted and not text:
            text = value
        else:
            others[name] = value
    return text, others


async def offers(unit: Unit, record: Record) -> list[Offer]:
    """Return the ways out of the record's present states; see `commands.offers`."""
    found: list[Offer] = []
    pending = await approvals.pending(unit, record)
    for name in unit.network.entities[record.entity].processes:
        process = unit.network.processes[name]
        if name in record.hidden:
            continue
        for transition in chart.leaving(process, record.full[name]):
            asked = pending.get((name, transition.name))
            refused = RefusedError(approvals.ALREADY) if asked else await _refusal(unit, record, name, transition)
            reason = None if refused is None else refused.message
            parts = refused.parts if isinstance(refused, UnmetError) else ()
            form = tuple(transition.form.values())
            found.append(Offer(name, transition, reason is None, reason, form, asked, parts))
    return found


async def _refusal(unit: Unit, record: Record, process: str, transition: Transition) -> RefusedError | None:
    """Return why the actor can't take the transition now; a guard that reads the form is asked with the move only."""
    if not await unit.records.may_move(record, process, transition.name):
        return RefusedError(NOT_YOURS)
    if transition.guard is None or transition.guard_uses_form:
        return None
    names = await unit.records.env(record, [transition.guard], before=record.full)
    if transition.guard.evaluate(names, unit.context) is True:
        return None
    return await unmet(unit, record, transition, transition.guard, names)
