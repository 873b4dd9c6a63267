"""The steps of a process as a bar: the way to its goal, and where a record stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from admin.parts.reader import Reader
from definitions.spec.process import Process


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `ok` behind the record, `here`, `aside` (here, but off the way), `ahead`."""

    label: str
    standing: Literal["ok", "here", "aside", "ahead"]


@dataclass(frozen=True, slots=True)
class Steps:
    """The bar of one process; `number` counts from 1."""

    process: str
    label: str
    steps: tuple[Step, ...]
    now: str
    number: int


def way(process: Process) -> tuple[str, ...]:
    """Return the states on the way to the goal: as written, up to the first final one; the others are ways out."""
    names = [name for name, state in process.states.items() if not state.children]
    goal = next((place for place, name in enumerate(names) if process.states[name].final), len(names) - 1)
    return tuple(names[: goal + 1])


def steps(process: Process, state: str | None, reader: Reader) -> Steps | None:
    """Return the bar for a record in `state`; None when its state is hidden or unknown."""
    found = process.states.get(state or "")
    if found is None:
        return None
    names = way(process)
    off = found.name not in names
    place = len(names) if off else names.index(found.name)
    made = [
        Step(
            reader.words(process.states[name].label),
            "here" if at == place else "ok" if at < place and not off else "ahead",
        )
        for at, name in enumerate(names)
    ]
    if off:
        made.append(Step(reader.words(found.label), "aside"))
    return Steps(process.name, reader.words(process.label), tuple(made), reader.words(found.label), place + 1)
