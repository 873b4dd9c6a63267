"""What would change if these definitions were published: computed from both versions and from what is in the data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from definitions.likeness import alike, plain
from definitions.pack import load
from definitions.problems import DefinitionError, Problem
from definitions.spec.entity import Field
from definitions.spec.network import Network
from models.actor import SYSTEM
from models.ddl import quoted
from models.examine import examine, in_state
from models.message import Message, say
from models.plan import AddTable, ChangeTable, DropTable, Plan, Renames, Step, origin_of, plan
from models.published import hash_files
from models.shape import TableShape
from models.tenant import Tenant
from models.tx import Tx
from workflows import keeping, migration, retiming, runs
from workflows.going_back import gone
from workflows.keeping import RetentionChange
from workflows.rights import RightChange, rights_changed
from workflows.unit import open_unit

Change = Literal["added", "changed", "removed", "renamed"]
Fate = Literal["finish", "cancel", "migrate"]
KINDS: Mapping[str, str] = {
    "entities": "entity",
    "processes": "process",
    "automations": "automation",
    "templates": "template",
    "levels": "level",
    "terms": "terms",
    "statistics": "statistic",
    "screens": "screen",
    "homes": "home",
}
"""The parts of a network, and what a document of each begins with."""


@dataclass(frozen=True, slots=True)
class DefinitionChange:
    """A definition that is another one; `was` is its old name where it is called differently."""

    kind: str
    name: str
    change: Change
    was: str | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """A table that changes, with the number of its records and what happens to it, a sentence each."""

    entity: str
    change: Change
    records: int
    details: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class StateChange:
    """A state that goes, comes or is called differently: how many records are in it, and where they go."""

    process: str
    state: str
    change: Change
    records: int = 0
    goes_to: str | None = None


@dataclass(frozen=True, slots=True)
class RunChange:
    """An automation that is another one and has runs under way: they finish as they began, go over, or end."""

    automation: str
    change: Change
    active: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class TimerChange:
    """An automation that is another one and has timers waiting: they are planned anew, or (removed) they go."""

    automation: str
    change: Change
    waiting: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What publishing would do to version `base`; `refused` is what forbids it, `warnings` what the checker remarks.

    Where these are the files of an earlier version, `gone` says what of it does not come back.
    """

    base: int
    hash: str
    unchanged: bool
    definitions: tuple[DefinitionChange, ...]
    tables: tuple[TableChange, ...]
    states: tuple[StateChange, ...]
    runs: tuple[RunChange, ...]
    timers: tuple[TimerChange, ...]
    rights: tuple[RightChange, ...]
    refused: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    gone: tuple[Message, ...] = ()
    retentions: tuple[RetentionChange, ...] = ()


_EARLIER = 'SELECT 1 FROM "_definition" WHERE "hash" = ? AND "version" < ?'


async def propose(tenant: Tenant, files: Mapping[str, str], *, allow_loss: bool = False) -> Proposal:
    """Return what publishing `files` would change; `DefinitionError` when they have errors. Nothing is written."""
    loaded = await asyncio.to_thread(load, files)
    network = loaded.network
    if network is None:
        raise DefinitionError(loaded.problems)
    digest = hash_files(loaded.files)

    async def work(tx: Tx) -> Proposal:
        current = tenant.published
        planned = plan(current.network, network)
        lost = [] if allow_loss else await migration.lost(tx, network, planned)
        kept = await keeping.changes(open_unit(tenant, tx, SYSTEM), planned)
        erased = [] if allow_loss else keeping.refused(kept, network)
        return Proposal(
            base=current.version,
            hash=digest,
            unchanged=current.hash == digest,
            definitions=tuple(definitions_changed(planned)),
            tables=tuple([await _table(tx, step) for step in planned.steps]),
            states=tuple([change for step in planned.steps for change in await _states(tx, step)]),
            runs=tuple(_runs(planned, await runs.counts(tx))),
            timers=tuple([change async for change in _timers(tx, planned)]),
            rights=rights_changed(planned),
            refused=(*await examine(tx, planned, allow_loss=allow_loss, safe=tenant.safe), *lost, *erased),
            warnings=loaded.problems,
            gone=tuple(gone(planned)) if await tx.row(_EARLIER, [digest, current.version]) else (),
            retentions=tuple(kept),
        )

    return await tenant.store.read(work)


def definitions_changed(plan: Plan) -> Iterator[DefinitionChange]:
    """Yield the definitions that are others in the new version."""
    old, new = plan.old, plan.new
    if old is None:
        return
    if _head(old) != _head(new):
        yield DefinitionChange("network", new.name, "changed")
    for part, kind in KINDS.items():
        yield from _part(kind, _written(getattr(old, part)), _written(getattr(new, part)))


def _written(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions that somebody wrote, without the screens that are made of others."""
    return {name: made for name, made in definitions.items() if not getattr(made, "generated", False)}


def _head(network: Network) -> tuple[Any, ...]:
    return tuple(pair for pair in plain(network)[1] if pair[0] not in KINDS and pair[0] != "demo")


def _part(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[DefinitionChange]:
    origins = origins_of(old, new)
    for name, made in new.items():
        origin = origins.get(name)
        if origin is None:
            yield DefinitionChange(kind, name, "added")
        elif origin != name:
            yield DefinitionChange(kind, name, "renamed", origin)
        elif not alike(old[name], made):
            yield DefinitionChange(kind, name, "changed")
    for name in old:
        if name not in origins.values():
            yield DefinitionChange(kind, name, "removed")


def origins_of(old: Mapping[str, Any], new: Mapping[str, Any]) -> Renames:
    """Return the old names of what is defined now and was there before, by its new name."""
    origins = ((name, origin_of(name, old, new)) for name in new)
    return {name: origin for name, origin in origins if origin is not None}


async def _count(tx: Tx, table: str, column: str = "", value: str = "") -> int:
    where = f" WHERE {quoted(column)} = ?" if column else ""
    sql = f"SELECT count(*) FROM {quoted(table)}{where}"  # noqa: S608 - quoted names, values bound
    row = await tx.row(sql, [value] if column else [])
    return int(row[0]) if row is not None else 0


async def _table(tx: Tx, step: Step) -> TableChange:
    match step:
        case AddTable(shape):
            return TableChange(shape.name, "added", 0)
        case DropTable(shape):
            return TableChange(shape.name, "removed", await _count(tx, shape.name))
        case ChangeTable(old, new):
            change: Change = "changed" if old.name == new.name else "renamed"
            return TableChange(new.name, change, await _count(tx, old.name), tuple(_details(step)))


def _details(step: ChangeTable) -> Iterator[Message]:
    if step.old.name != step.new.name:
        yield say("It was called {was}.", was=step.old.name)
    yield from (say("{name} is new.", name=column.name) for column in step.added if column.kind != "fold")
    yield from (say("{name} goes.", name=column.name) for column in step.dropped if column.kind != "fold")
    for was, name in step.renamed.items():
        if step.new.columns[name].kind != "fold":
            yield say("{was} is called {name}.", was=was, name=name)
    for name in sorted(step.retyped):
        yield _retyped(name, step.new.entity.fields[name])
    yield from _rules(step)
    yield from (_option(name, *move) for name, moves in step.options.items() for move in moves.items())
    if step.recomputed:
        yield say("Computed again: {names}.", names=", ".join(step.recomputed))


def _retyped(name: str, now: Field) -> Message:
    if now.type == "reference":
        return say("{name} refers to {entity}.", name=name, entity=now.to)
    return say("{name} becomes {type}.", name=name, type=now.type)


def _rules(step: ChangeTable) -> Iterator[Message]:
    """Yield what becomes of the rules of columns that stay, and of the indexes that somebody asked for."""
    for name, source in step.sources.items():
        was, now = step.old.columns[source], step.new.columns[name]
        if now.kind != "field" or name in step.retyped:
            continue
        if was.null != now.null:
            yield (
                say("{name} may be left empty.", name=name) if now.null else say("{name} becomes required.", name=name)
            )
        if was.references and was.on_delete != now.on_delete:
            yield say("{name} follows '{rule}' when what it refers to is deleted.", name=name, rule=now.on_delete)
    was_indexed = {(tuple(step.renamed.get(each, each) for each in of), unique) for of, unique in _asked_for(step.old)}
    now_indexed = set(_asked_for(step.new))
    for of, unique in sorted(now_indexed - was_indexed):
        yield _index(of, "become unique" if unique else "an index")
    for of, unique in sorted(was_indexed - now_indexed):
        yield _index(of, "unique no more" if unique else "no index")


_INDEX: Mapping[str, Message] = {
    "become unique": say("From now on unique: {names}."),
    "unique no more": say("Unique no more: {names}."),
    "an index": say("An index comes: {names}."),
    "no index": say("An index goes: {names}."),
}


def _index(of: tuple[str, ...], what: str) -> Message:
    return say(_INDEX[what].text, names=", ".join(of))


def _asked_for(table: TableShape) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the fields that are indexed or unique because their definition says so."""
    for index in table.indexes:
        if index.unique or all(name in table.entity.fields for name in index.columns):
            yield index.columns, index.unique


def _option(name: str, option: str, target: str | None) -> Message:
    if target is None:
        return say("The option {option} of {name} goes.", option=option, name=name)
    return say("The option {option} of {name} becomes {target}.", option=option, name=name, target=target)


async def _states(tx: Tx, step: Step) -> list[StateChange]:
    if not isinstance(step, ChangeTable):
        return []
    found = []
    for process, placed in step.states.items():
        for state, target in placed.moves.items():
            count = await in_state(tx, step, process, state)
            found.append(StateChange(process, state, "removed", count, target))
    return found


def _runs(plan: Plan, active: Mapping[str, int]) -> Iterator[RunChange]:
    for name, (change, fate) in fates(plan).items():
        if active.get(name):
            yield RunChange(name, change, active[name], fate)


async def _timers(tx: Tx, plan: Plan) -> AsyncIterator[TimerChange]:
    for name, (change, _) in fates(plan).items():
        waiting = await retiming.waiting(tx, name)
        if waiting:
            yield TimerChange(name, change, waiting)


def fates(plan: Plan) -> dict[str, tuple[Change, Fate]]:
    """Return what becomes of the runs of the automations that are other ones now, by their old names."""
    if plan.old is None:
        return {}
    found: dict[str, tuple[Change, Fate]] = {}
    by_origin = {origin: name for name, origin in origins_of(plan.old.automations, plan.new.automations).items()}
    for name, was in plan.old.automations.items():
        now = plan.new.automations[by_origin[name]] if name in by_origin else None
        if now is None:
            found[name] = ("removed", "cancel" if was.runs == "cancel" else "finish")
        elif not alike(was, now):
            found[name] = ("changed", now.runs)
        elif now.name != name:
            found[name] = ("renamed", "migrate" if now.runs == "migrate" else "finish")
    return found
