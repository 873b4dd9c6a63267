"""The beginning of a run: whether the automation's condition holds, and what the run takes along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from definitions.expr.expression import Expression, Names
from definitions.spec.automation import Automation
from models.record import Record
from workflows import called, runs, unfired
from workflows.called import Called
from workflows.runs import Go, Origin, Run
from workflows.subscriptions import expressions, reads_itself, subscriptions
from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an automation is started with; `record` is None without one; `call` is that of another system."""

    cause: str
    what: str
    record: Record | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False
    hold_until: datetime | None = None
    call: Called | None = None


async def begin(unit: Unit, automation: Automation, beginning: Beginning, go: Go | None = None) -> Run:
    """Start a run where the automation's condition holds; where it does not, keep why. Return it as it is kept.

    `go`: see `runs.admit`.
    """
    names = await _names(unit, automation, beginning)
    key = None if automation.key is None else automation.key.compute(names, unit.context)
    run = _run(unit, automation, beginning, key)
    if automation.condition is not None and automation.condition.evaluate(names, unit.context) is not True:
        return await _keep_unfired(unit, automation.condition, run, names)
    return await runs.admit(unit, automation, run, go=go)


async def _names(unit: Unit, automation: Automation, beginning: Beginning) -> Names:
    wanted = expressions(automation.condition, automation.key)
    if not wanted:
        return {}
    said = {} if beginning.call is None else beginning.call.names
    return await unit.records.system.env(beginning.record, wanted, before=beginning.before, **said)


def _run(unit: Unit, automation: Automation, beginning: Beginning, key: Any) -> Run:
    record = beginning.record
    cause = unit.cause
    by_default = beginning.cause if record is None else record.id  # each tick of a schedule is its own
    return Run(
        id=unit.new_id(),
        automation=automation.name,
        definition=unit.published.version,
        key=by_default if key is None else str(key),
        entity=None if record is None else record.entity,
        record=None if record is None else record.id,
        state="running",
        cause=beginning.cause,
        actor=unit.actor.id,
        hold_until=unit.hold(beginning.hold_until),
        cursor={},
        origin=Origin(
            beginning.what, cause.depth + 1 if cause else 0, cause.run if cause else None, unit.actor.through
        ),
        before=_kept_before(unit, automation, beginning),
        gone=_kept_record(unit, beginning) if beginning.gone else None,
        call=called.seal(unit, beginning.call),
    )


def _kept_before(unit: Unit, automation: Automation, beginning: Beginning) -> dict[str, Any]:
    if beginning.record is None or not beginning.before:
        return {}
    table = unit.published.tables[beginning.record.entity]
    wanted = subscriptions(unit.published).reads[automation.name]
    return {name: table.keep(name, beginning.before.get(name)) for name in wanted if name in table.shape.columns}


def _kept_record(unit: Unit, beginning: Beginning) -> dict[str, Any] | None:
    record = beginning.record
    if record is None:
        return None
    table = unit.published.tables[record.entity]
    return {name: table.keep(name, record.full.get(name)) for name in table.columns if name in record.full}


def apart(unit: Unit, automation: Automation, entity: str) -> bool:
    """Whether what an automation asks before it begins is in the record of an entity itself."""
    lines = unit.network.lines(entity)
    return all(reads_itself(each, lines) for each in expressions(automation.condition, automation.key))


async def begin_all(unit: Unit, automation: Automation, beginnings: Sequence[Beginning], go: Go | None = None) -> None:
    """Do `begin` for many records, where what the automation asks is in the record itself (`apart`).

    Which keys are taken is looked up at once; runs of one that is, or that several of these share, are admitted singly.
    """
    wanted = expressions(automation.condition, automation.key)
    shared = await unit.records.system.names_for(*wanted) if wanted else {}
    found: list[tuple[Run, Names, bool]] = []
    for each in beginnings:
        names = {**shared, "record": each.record and each.record.full, "before": each.before}
        key = None if automation.key is None else automation.key.compute(names, unit.context)
        holds = automation.condition is None or automation.condition.evaluate(names, unit.context) is True
        found.append((_run(unit, automation, each, key), names, holds))
    keys = Counter(run.key for run, _, holds in found if holds and run.key)
    asks = automation.mode != "parallel" and bool(keys)
    taken = await runs.taken_keys(unit.tx, automation.name, list(keys)) if asks else frozenset()
    for run, known, holds in found:
        if holds or automation.condition is None:
            alone = run.key is not None and keys[run.key] == 1 and run.key not in taken
            await runs.admit(unit, automation, run, alone=alone, go=go)
        else:
            await _keep_unfired(unit, automation.condition, run, known)


async def _keep_unfired(unit: Unit, condition: Expression, run: Run, names: Names) -> Run:
    """Keep that a run was not begun, and why."""
    cursor = unfired.unmet(condition, names, unit.context)
    not_begun = replace(run, state="not_fired", cursor=cursor, before={}, gone=None)
    return await runs.insert(unit, not_begun, unfired.unfired(condition))
