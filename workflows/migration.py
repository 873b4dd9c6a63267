"""Runs that go on in a new version: each at the step with the id that its own had, or else at the same place."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Any

from definitions.problems import Problem
from definitions.spec.automation import Action, Automation, ForEach
from definitions.spec.network import Network
from models import renames
from models.message import say
from models.plan import Plan
from models.renames import Renames
from models.tx import Tx
from workflows import runs, turns
from workflows.actions import name_of
from workflows.program import Program, compile_program
from workflows.runs import Run
from workflows.unit import Unit

BATCH = 500
GONE = say("The new version has no such step.")


async def lost(tx: Tx, network: Network, before: Plan | None = None) -> list[Problem]:
    """Return which steps runs stand at that are to go on in `network` and find no such step there.

    `before`: the network is not published yet, and the runs have the automations' old names.
    """
    found = []
    for automation in _migrating(network):
        counts: Counter[str] = Counter()
        program = compile_program(automation.steps)
        async for run in _under_way(tx, _called(automation, before)):
            if run.state != "failed" and _moved(run, program) is None:
                counts[run.cursor.get("id") or run.cursor["at"]] += 1
        found += [_problem(automation, step, count) for step, count in sorted(counts.items())]
    return found


def _problem(automation: Automation, step: str, count: int) -> Problem:
    sentence = say(
        "Runs of {automation} stand at the step {step}, which the new version does not have: {count}.",
        count=count,
        automation=automation.name,
        step=step,
    )
    hint = say("Give the step its 'id' again, or say 'runs: finish' or 'runs: cancel'.")
    return Problem("plan.run_step", automation.place, sentence, hint)


def _called(automation: Automation, before: Plan | None) -> str:
    if before is None:
        return automation.name
    return {new: old for old, new in before.automations.items()}.get(automation.name, automation.name)


async def migrate(unit: Unit) -> None:
    """Let the runs of all automations that say so follow the version of the unit; one without its step ends."""
    for automation in _migrating(unit.network):
        program = compile_program(automation.steps)
        known: dict[int, Renames] = {}
        batch = []
        async for run in _under_way(unit.tx, automation.name):
            moved = _moved(run, program)
            if moved is None:
                if run.state != "failed":
                    await runs.end(unit, run, "cancelled", GONE)
                continue
            if run.definition not in known:
                known[run.definition] = await renames.since(unit.tx, run.definition, unit.published.version)
            batch.append(_renamed(moved, known[run.definition], unit.published.version))
            if len(batch) == BATCH:
                await runs.go_over(unit, batch)
                batch = []
        await runs.go_over(unit, batch)


def _migrating(network: Network) -> Iterable[Automation]:
    return (automation for automation in network.automations.values() if automation.runs == "migrate")


async def _under_way(tx: Tx, automation: str) -> AsyncIterator[Run]:
    after = ""
    while found := await runs.part(tx, automation, after, BATCH):
        after = found[-1].id
        for run in found:
            yield run


def _moved(run: Run, program: Program) -> Run | None:
    """Return the run at its step of another program, None where that has none: of its kind, and in the same loops."""
    cursor = run.cursor
    if "at" not in cursor:
        return run  # nothing was done yet
    step = _step(program, cursor, cursor.get("action") if _stays(cursor) else None)
    if step is None:
        return None
    frames = turns.frames(run)
    loops = _loops(program, step)
    if len(frames) == len(loops) - 1 and isinstance(step, ForEach):
        loops.pop()  # it is to begin
    if [frame.get("id") for frame in frames] != [loop.id for loop in loops]:
        return None
    over = [{**frame, "path": loop.path, "name": loop.name} for frame, loop in zip(frames, loops, strict=True)]
    return turns.within(replace(run, cursor={**cursor, "at": step.path}), over)


def _stays(cursor: Mapping[str, Any]) -> bool:
    """Whether the run is in the middle of its step: it waits there, or the step is to be tried again."""
    return bool(cursor.get("waiting") or cursor.get("awaits") or cursor.get("tries"))


def _step(program: Program, cursor: Mapping[str, Any], action: str | None) -> Action | None:
    name, at = cursor.get("id"), cursor["at"]
    found = next((step for step in program.steps.values() if name and step.id == name), None)
    if found is None and not name:
        found = program.steps.get(at)
    return found if found is not None and (action is None or name_of(found) == action) else None


def _loops(program: Program, step: Action) -> list[ForEach]:
    """Return the loops that a step is in or is itself, the outermost first."""
    found: list[ForEach] = []
    at: str | None = step.path
    while at is not None:
        around = program.steps[at]
        if isinstance(around, ForEach):
            found.insert(0, around)
        at = program.around.get(at)
    return found


def _renamed(run: Run, names: Renames, version: int) -> Run:
    """Return the run with what it keeps under the names of the version that it follows from now on."""
    entities = {new: old for old, new in names.entities.items()}
    own = entities.get(run.entity or "", run.entity or "")
    frames = [{**frame, "item": _item(frame["item"], names)} for frame in turns.frames(run)]
    return turns.within(
        replace(
            run,
            definition=version,
            began=run.automation,
            before=_kept(names, own, run.before),
            gone=None if run.gone is None else _kept(names, own, run.gone),
            made={name: (names.entity(entity), record) for name, (entity, record) in run.made.items()},
        ),
        frames,
    )


def _item(item: Mapping[str, Any], names: Renames) -> Mapping[str, Any]:
    return {**item, "entity": names.entity(item["entity"])} if "entity" in item else item


def _kept(names: Renames, entity: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    return {names.field(entity, name): names.value(entity, name, value) for name, value in kept.items()}
