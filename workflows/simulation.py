"""Trying a change out: what automations and processes would have done, had these definitions held for some days."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from weakref import WeakSet

from definitions.likeness import alike
from definitions.pack import load
from definitions.problems import DefinitionError
from definitions.spec.network import Network
from definitions.text import Text
from models.actor import SYSTEM, Actor
from models.archive import Progress
from models.errors import InvalidError, RefusedError
from models.message import Message, say
from models.plan import Plan
from models.rehearsal import PAST, rehearse
from models.tenant import Tenant
from models.tx import Row, Tx
from workflows.discretion import hides
from workflows.proposal import origins_of
from workflows.reliving import Outcome, Refusal, Reliving
from workflows.stored import read_message
from workflows.unit import Unit, read

LONGEST = 366
"""Days that a simulation goes back at most."""
SHOWN = 200
"""Lines of each kind that a report has at most."""
_AT_WORK: WeakSet[Tenant] = WeakSet()
READ = 5000
"""Groups of each kind that a report is made of at most; the lines of steps count all."""
_NAMED = frozenset({"mail", "task"})
"""Kinds of lines that name people."""

Kind = Literal["run", "mail", "task", "record", "step", "move"]
HEADS: Mapping[Kind, Message] = {
    "run": say("Runs"),
    "mail": say("Mails"),
    "task": say("Tasks"),
    "record": say("Records"),
    "move": say("Moves"),
    "step": say("Steps"),
}
"""What people call the kinds of lines, in the order in which they are told."""

RESULTS: Mapping[str, Message] = {
    "running": say("running"),
    "waiting": say("waiting"),
    "done": say("done"),
    "failed": say("failed"),
    "cancelled": say("cancelled"),
    "not_fired": say("not started"),
    "skipped": say("skipped"),
    "created": say("created"),
    "updated": say("changed"),
    "moved": say("moved"),
    "deleted": say("deleted"),
    "taken": say("taken as it was"),
    "auto": say("taken by itself"),
    "state": say("refused: not from this state"),
    "right": say("refused: no right"),
    "guard": say("refused by the guard"),
    "form": say("refused: the form"),
    "gone": say("refused: no such transition"),
}
"""What people call the results that are words of ours."""

_RUNS = """SELECT "automation", "state", "error", count(*), min("entity"), min("record") FROM "_run"
GROUP BY "automation", "state", "error" ORDER BY 1, 4 DESC, 2, 3"""
_MAILS = """SELECT "template", "recipient", '', count(*), "entity", "record", "recipient_member" FROM "_mail"
WHERE "run" IS NOT NULL GROUP BY "template", "recipient", "entity", "record", "recipient_member"
ORDER BY 1, 4 DESC, 2, 6"""
_TASKS = """SELECT t."title", m."name", '', count(*), t."entity", t."record" FROM "_task" t
LEFT JOIN "member" m ON m."id" = t."member" WHERE t."run" IN (SELECT "id" FROM "_run")
GROUP BY t."title", m."name", t."entity", t."record" ORDER BY 1, 2, 6"""
_RECORDS = """SELECT "entity" || CASE WHEN "process" IS NULL THEN '' ELSE ' ' || "process" || '.' || "transition" END,
"kind", '', count(*), "entity", min("record") FROM "_history" WHERE "run" IN (SELECT "id" FROM "_run")
GROUP BY "entity", "kind", "process", "transition" ORDER BY 1, 2"""
_AUTOMATIC = f"""SELECT "process", "transition", count(*) FROM "_history" WHERE "kind" = 'moved'
AND "id" NOT IN (SELECT "id" FROM "{PAST}") AND "at" >= (SELECT min("at") FROM "{PAST}") GROUP BY 1, 2"""  # noqa: S608 - a name of ours
_STEPS = """SELECT r."automation" || ' ' || s."path" || ' ' || s."action", s."outcome", s."error", count(*),
min(r."entity"), min(r."record") FROM "_step" s JOIN "_run" r ON r."id" = s."run" WHERE s."outcome" <> 'waiting'
GROUP BY r."automation", s."path", s."action", s."outcome", s."error" ORDER BY 1, 4 DESC, 2, 3"""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that would have happened `count` times.

    `kind` says what `what` names and what `result` says of it: `run` (an automation; how its runs ended), `mail` (a
    template; who it goes to, None where its record may not be read), `task` (a title; whose), `record` (an entity, or
    an entity and a transition; created, updated, moved or deleted), `step` (an automation's step; done, skipped or
    failed), `move` (a transition; taken or why not). `about` is one of the records: entity and id.
    """

    kind: Kind
    what: str
    result: str | None
    count: int
    reason: Message | Text | str | None = None
    about: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Simulation:
    """What would have happened since `since`, out of `replayed` things that did. `unfit`: these have no place any more.

    `lost` rows of the history could not be taken back first, so that the beginning was not quite as it had been.
    """

    since: datetime
    until: datetime
    automations: tuple[str, ...]
    processes: tuple[str, ...]
    replayed: int
    unfit: Mapping[str, int]
    lost: int
    lines: tuple[Line, ...]
    totals: Mapping[Kind, int]
    """What all lines of a kind count together."""
    more: Mapping[Kind, int]
    """So many lines of a kind are left out."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tried out: one automation, one process, or (both None) every automation that is new or another one."""

    automation: str | None = None
    process: str | None = None
    days: int = 30


async def simulate(
    tenant: Tenant,
    files: Mapping[str, str],
    subject: Subject,
    *,
    actor: Actor = SYSTEM,
    url: str = "",
    progress: Progress = lambda _what, _done, _total: None,
) -> Simulation:
    """Return what `files` would have done in the last days. Nothing is written or sent; nobody is kept waiting.

    `DefinitionError` when the files have errors or the records do not fit them, `InvalidError` for a subject that they
    do not have, `RefusedError` while another one of the network is under way here. `actor` reads the report: whom mails
    go to about records that it may not read is left out.
    """
    if tenant in _AT_WORK:
        raise RefusedError(say("Something is being tried out already: wait until that is over."))
    _AT_WORK.add(tenant)
    try:
        return await _simulate(tenant, files, subject, actor, url, progress)
    finally:
        _AT_WORK.discard(tenant)


async def _simulate(
    tenant: Tenant, files: Mapping[str, str], subject: Subject, actor: Actor, url: str, progress: Progress
) -> Simulation:
    loaded = await asyncio.to_thread(load, files)
    network = loaded.network
    if network is None:
        raise DefinitionError(loaded.problems)
    automations, processes = _subjects(tenant.published.network, network, subject)
    since = tenant.clock.now() - timedelta(days=subject.days)
    quiet = _only(network, automations)
    without = _origins(tenant.published.network, network, automations)
    async with rehearse(tenant, quiet, since, without=without, progress=progress) as rehearsal:
        reliving = Reliving(rehearsal, processes, url)
        store = rehearsal.tenant.store
        await store.write(reliving.begin)
        while await store.write(reliving.go_on):
            progress("simulate", reliving.place, rehearsal.rows)
        lines = await store.read(lambda tx: _lines(tx, network, reliving.outcome))
        outcome = reliving.outcome
        merged = _merged(await _readable(tenant, actor, rehearsal.planned, lines))
        return Simulation(
            rehearsal.since,
            rehearsal.until,
            tuple(sorted(automations)),
            tuple(sorted(processes)),
            outcome.replayed,
            dict(outcome.unfit.most_common(SHOWN)),
            rehearsal.lost,
            lines=tuple(_shown(merged)),
            totals={kind: sum(line.count for line in merged if line.kind == kind) for kind in HEADS},
            more=_more(merged),
        )


def _subjects(old: Network, new: Network, subject: Subject) -> tuple[frozenset[str], frozenset[str]]:
    wrong: dict[str, Message] = {}
    if subject.automation is not None and subject.automation not in new.automations:
        wrong["automation"] = say("These definitions have no automation '{name}'.", name=subject.automation)
    if subject.process is not None and subject.process not in new.processes:
        wrong["process"] = say("These definitions have no process '{name}'.", name=subject.process)
    if not 1 <= subject.days <= LONGEST:
        wrong["days"] = say("This is a number from 1 to {most}.", most=LONGEST)
    if wrong:
        raise InvalidError(wrong)
    processes = frozenset(() if subject.process is None else (subject.process,))
    if subject.automation is not None:
        return frozenset((subject.automation,)), processes
    if subject.process is not None:
        return frozenset(), processes
    origins = origins_of(old.automations, new.automations)
    others = (
        name
        for name, made in new.automations.items()
        if name not in origins or not alike(old.automations[origins[name]], made)
    )
    return frozenset(others) or frozenset(new.automations), processes


def _only(network: Network, automations: frozenset[str]) -> Network:
    """Return the network with the triggers of these automations alone; the others can still be run by them."""
    quiet = {
        name: made if name in automations else replace(made, triggers=()) for name, made in network.automations.items()
    }
    return replace(network, automations=quiet)


def _origins(old: Network, new: Network, automations: Iterable[str]) -> list[str]:
    """Return what the automations are called in the present version."""
    origins = origins_of(old.automations, new.automations)
    return [origins[name] for name in automations if name in origins]


async def _lines(tx: Tx, network: Network, outcome: Outcome) -> list[Line]:
    found = [_line(kind, row) for kind, sql in _QUERIES.items() for row in await tx.rows(f"{sql} LIMIT {READ}")]
    taken = [Line("move", ".".join(move), "taken", count) for move, count in sorted(outcome.taken.items())]
    refused = [
        Line("move", f"{process}.{transition}", why, count, _why(network, key), outcome.examples[key])
        for key, count in sorted(outcome.refused.items())
        for process, transition, why, _ in [key]
    ]
    return [*found, *taken, *await _automatic(tx, network, outcome), *refused]


async def _automatic(tx: Tx, network: Network, outcome: Outcome) -> list[Line]:
    """Return the moves that happen by themselves, with how often they did."""
    found = {(process, transition): int(count) for process, transition, count in await tx.rows(_AUTOMATIC)}
    autos = [
        (process.name, move.name)
        for process in network.processes.values()
        for move in process.transitions.values()
        if move.auto and (found.get((process.name, move.name)) or outcome.automatic[process.name, move.name])
    ]
    return [
        Line("move", ".".join(key), "auto", found.get(key, 0), say("It was {n}.", n=outcome.automatic[key]))
        for key in autos
    ]


_QUERIES: Mapping[Kind, str] = {"run": _RUNS, "mail": _MAILS, "task": _TASKS, "record": _RECORDS, "step": _STEPS}


def _line(kind: Kind, row: Row) -> Line:
    what, result, error, count, entity, record = row[:6]
    about = None if entity is None or record is None else (entity, record)
    return Line(kind, what or "", result, count, read_message(error), about)


def _why(network: Network, refusal: Refusal) -> Message | Text | str | None:
    """Return why a move would have been refused, as a sentence."""
    process, transition, why, reason = refusal
    match why:
        case "state":
            return say("It was in the state {state}, which this does not leave from.", state=reason)
        case "right":
            return say("Who did it has no right to.")
        case "form":
            return say("The form lacks or refuses: {names}.", names=reason)
        case "gone":
            return say("There is no such transition any more.")
        case "guard":
            return network.processes[process].transitions[transition].message or reason


async def _readable(tenant: Tenant, actor: Actor, planned: Plan, lines: list[Line]) -> list[Line]:
    """Leave out whom mails would go to, and which record a line is about, where the reader may not read the record.

    Records are named as they are called today.
    """
    names = {new: old for old, new in planned.entities.items()}
    today = [
        line if line.about is None else replace(line, about=(names.get(line.about[0], line.about[0]), line.about[1]))
        for line in lines
    ]
    if actor.kind == "system":
        return today
    wanted: dict[str, set[str]] = {}
    for line in today:
        if line.about is not None:
            wanted.setdefault(line.about[0], set()).add(line.about[1])

    async def work(unit: Unit) -> dict[str, set[str]]:
        known = {entity: ids for entity, ids in wanted.items() if entity in unit.network.entities}
        return {
            entity: set() if hides(unit, entity) else set(await unit.records.labels(entity, ids))
            for entity, ids in known.items()
        }

    seen = await read(tenant, actor, work)
    return [_seen(line, seen) for line in today]


def _seen(line: Line, seen: Mapping[str, set[str]]) -> Line:
    if line.about is None or line.about[1] in seen.get(line.about[0], ()):
        return line
    return replace(line, about=None, result=None if line.kind in _NAMED else line.result)


def _merged(lines: Iterable[Line]) -> list[Line]:
    """Return one line for all that say the same."""
    found: dict[tuple[object, ...], Line] = {}
    for line in lines:
        key = (line.kind, line.what, line.result, str(line.reason))
        known = found.get(key)
        found[key] = line if known is None else replace(known, count=known.count + line.count)
    return list(found.values())


def _more(lines: Iterable[Line]) -> dict[Kind, int]:
    counts = Counter(line.kind for line in lines)
    return {kind: count - SHOWN for kind, count in counts.items() if count > SHOWN}


def _shown(lines: Iterable[Line]) -> Iterator[Line]:
    shown: Counter[str] = Counter()
    for line in lines:
        shown[line.kind] += 1
        if shown[line.kind] <= SHOWN:
            yield line
