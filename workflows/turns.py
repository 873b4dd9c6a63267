"""The loops that a run is in, outermost first: which item it is at, as its cursor keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from definitions.spec.automation import Create, ForEach, every_step
from models.tx import Tx
from workflows import items
from workflows.runs import Run

MOST = 50_000
"""So many items a loop goes through at most, and so many turns a run takes in all of its loops."""

Frame = Mapping[str, Any]
"""A loop under way: `path`, `name` (of the item), `number` of the turn (0 before the first), `of` so many, `item`."""


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


def prefix(run: Run, path: str) -> str:
    """Return what the keys of a loop's items begin with."""
    return f"{run.id}:{path}:"


def enter(run: Run, path: str, name: str, count: int) -> Run:
    """Return the run before the first turn of the loop at `path`, whose items are called `name`."""
    frame = {"path": path, "name": name, "number": 0, "of": count, "item": {}}
    return _with(run, (*frames(run), frame))


async def next_turn(tx: Tx, run: Run, step: ForEach) -> Run | None:
    """Return the run at the next turn of its innermost loop; None when it has been through all of them."""
    *outer, frame = frames(run)
    number = frame["number"] + 1
    if number > frame["of"]:
        return None
    item = await items.take(tx, prefix(run, step.path), number)
    names = set(_made_inside(step))
    made = {name: made for name, made in run.made.items() if name not in names}
    taken = int(run.cursor.get("turns", 0)) + 1
    moved = _with(replace(run, made=made), (*outer, {**frame, "number": number, "item": item}))
    return replace(moved, cursor={**moved.cursor, "turns": taken})


async def leave(tx: Tx, run: Run, step: ForEach) -> Run:
    """Return the run behind its innermost loop, whose items are forgotten."""
    await items.forget(tx, prefix(run, step.path))
    return _with(run, frames(run)[:-1])


def back_to(run: Run, path: str) -> Run:
    """Return the run as it is at the step `path`: out of the loops that this step is not in, nor is itself."""
    return _with(run, tuple(frame for frame in frames(run) if f"{path}/".startswith(f"{frame['path']}/")))


def _made_inside(step: ForEach) -> Iterator[str]:
    """Yield the names of the records that a turn makes: they are those of its own turn alone."""
    for inner in every_step(step.steps):
        if isinstance(inner, Create) and inner.as_name is not None:
            yield inner.as_name


def _with(run: Run, loops: tuple[Frame, ...]) -> Run:
    others = {name: value for name, value in run.cursor.items() if name != "loops"}
    return replace(run, cursor={**others, "loops": list(loops)} if loops else others)
