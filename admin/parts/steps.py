"""The steps of a process as a bar: the way to its goal, and where a record stands on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from admin.parts.reader import Reader
from definitions.charts.chart import ROOT
from definitions.charts.process import leaves_of
from definitions.spec.process import Configuration, Process


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `ok` behind the record, `here`, `aside` (here, but off the way), `ahead`."""

    label: str
    standing: Literal["ok", "here", "aside", "ahead"]


@dataclass(frozen=True, slots=True)
class Steps:
    """The bar of one process, or of one region of states side by side; `number` counts from 1."""

    process: str
    label: str
    steps: tuple[Step, ...]
    now: str
    number: int


def way(process: Process, within: str = ROOT) -> tuple[str, ...]:
    """Return the states on the way to the goal: as written, up to the first final one; the others are ways out.

    States side by side are one step. `within` a region it is the way to its own end.
    """
    names = tuple(_stations(process, within))
    ends = (at for at, name in enumerate(names) if process.states[name].final and _ends(process, name, within))
    return names[: next(ends, len(names) - 1) + 1]


def _stations(process: Process, within: str) -> Iterator[str]:
    for name in process.chart.nodes[within].children:
        if process.chart.nodes[name].kind == "compound":
            yield from _stations(process, name)
        else:
            yield name


def _ends(process: Process, name: str, within: str) -> bool:
    return (process.states[name].parent or ROOT) == within


def forward(process: Process, within: str = ROOT) -> frozenset[str]:
    """Return the states on the way, with those around and side by side in them."""
    found = set()
    for name in way(process, within):
        found |= {name, *process.chart.above[name]}
        if process.states[name].parallel:
            found |= {each for region in process.states[name].children for each in forward(process, region)}
    return frozenset(found - {ROOT})


def bars(process: Process, held: Configuration | None, reader: Reader) -> tuple[Steps, ...]:
    """Return the bars for a record in these states: of the process, and of the regions that it is in."""
    if not all(name in process.states for name in leaves_of(held)):
        return ()
    return tuple(_bars(process, process.active(held), ROOT, reader))


def _bars(process: Process, active: frozenset[str], within: str, reader: Reader) -> Iterator[Steps]:
    here = next((name for name in _stations(process, within) if name in active), None)
    if here is None:
        return
    label = process.states[within].label if within else process.label
    yield _bar(process, here, way(process, within), reader.words(label), reader)
    if process.states[here].parallel:
        for region in process.states[here].children:
            yield from _bars(process, active, region, reader)


def _bar(process: Process, here: str, names: tuple[str, ...], label: str, reader: Reader) -> Steps:
    off = here not in names
    place = len(names) if off else names.index(here)
    made = [
        Step(
            reader.words(process.states[name].label),
            "here" if at == place else "ok" if at < place and not off else "ahead",
        )
        for at, name in enumerate(names)
    ]
    now = reader.words(process.states[here].label)
    if off:
        made.append(Step(now, "aside"))
    return Steps(process.name, label, tuple(made), now, place + 1)
