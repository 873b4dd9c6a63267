"""The loops that a run is in, outermost first: which item it is at, as its cursor keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from definitions.spec.automation import Create, ForEach, Step, every_step
from models.tx import Tx
from workflows import items
from workflows.runs import Run

MOST = 50_000
"""So many items a loop goes through at most, and so many turns a run takes in all of its loops."""

Frame = Mapping[str, Any]
"""A loop under way: `path`, its step's `id`, `key` (of its items), `name` (of the item), `number` of the turn (0 before
the first), `of` so many, `item`.
"""


def frames(run: Run) -> tuple[Frame, ...]:
    """Return the loops that the run is in."""
    return tuple(run.cursor.get("loops", ()))


def is_in(run: Run, path: str) -> bool:
    """Whether the loop at `path` is the innermost one under way."""
    found = frames(run)
    return bool(found) and found[-1]["path"] == path


def turn(run: Run) -> str | None:
    """Return which turn of its loops the run is at, `2.15` in a loop inside a loop; None outside of loops."""
    return ".".join(str(frame["number"]) for frame in frames(run)) or None


def prefix(run: Run) -> str:
    """Return what the keys of the items of a loop begin with that the run's next step begins."""
    return _prefix(run, int(run.cursor.get("seq", 0)) + 1)


def _prefix(run: Run, key: int) -> str:
    return f"{run.id}:{key}:"


def enter(run: Run, step: Step, name: str, count: int) -> Run:
    """Return the run before the first turn of a loop that its last step began, whose items are called `name`."""
    place = {"path": step.path, "id": step.id, "key": int(run.cursor["seq"])}
    return within(run, (*frames(run), {**place, "name": name, "number": 0, "of": count, "item": {}}))


async def next_turn(tx: Tx, run: Run, step: ForEach) -> Run | None:
    """Return the run at the next turn of its innermost loop; None when it has been through all of them."""
    *outer, frame = frames(run)
    number = frame["number"] + 1
    if number > frame["of"]:
        return None
    item = await items.take(tx, _prefix(run, frame["key"]), number)
    names = set(_made_inside(step))
    made = {name: made for name, made in run.made.items() if name not in names}
    taken = int(run.cursor.get("turns", 0)) + 1
    moved = within(replace(run, made=made), (*outer, {**frame, "number": number, "item": item}))
    return replace(moved, cursor={**moved.cursor, "turns": taken})


async def leave(tx: Tx, run: Run) -> Run:
    """Return the run behind its innermost loop, whose items are forgotten."""
    *outer, frame = frames(run)
    await items.forget(tx, _prefix(run, frame["key"]))
    return within(run, outer)


def back_to(run: Run, path: str) -> Run:
    """Return the run as it is at the step `path`: out of the loops that this step is not in, nor is itself."""
    return within(run, tuple(frame for frame in frames(run) if f"{path}/".startswith(f"{frame['path']}/")))


def _made_inside(step: ForEach) -> Iterator[str]:
    """Yield the names of the records that a turn makes: they are those of its own turn alone."""
    for inner in every_step(step.steps):
        if isinstance(inner, Create) and inner.as_name is not None:
            yield inner.as_name


def within(run: Run, loops: Sequence[Frame]) -> Run:
    """Return the run in these loops."""
    others = {name: value for name, value in run.cursor.items() if name != "loops"}
    return replace(run, cursor={**others, "loops": list(loops)} if loops else others)
