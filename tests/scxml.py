"""The cases of SCXML that others wrote, run by the interpreter of processes (`tests.conformance` finds them)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from definitions.charts.chart import ROOT, Arc, Chart, Kind, Node
from definitions.charts.machine import EndlessError, Machine

Case = Mapping[str, Any]


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the cases of a folder, none where it has none."""
    found = folder / "scxml" / "cases.json"
    return json.loads(found.read_text("utf-8")) if found.is_file() else []


def score(cases: Sequence[Case]) -> tuple[int, list[tuple[str, str]]]:
    """Return how many cases come out as they should, and of each other one its id and the reason."""
    misses = [(str(case["id"]), reason) for case in cases if (reason := miss(case)) is not None]
    return len(cases) - len(misses), misses


def miss(case: Case) -> str | None:
    """Return in what a case comes out otherwise than it should, None when it is right."""
    try:
        machine = Machine(chart_of(case["chart"]))
        wanted = [("the beginning", case["initial"]), *((each["event"], each["next"]) for each in case["events"])]
        for place, (event, states) in enumerate(wanted):
            if place:
                machine.send(event)
            if set(machine.active) != set(states):
                return f"after {event}: {' '.join(machine.active)} instead of {' '.join(states)}"
    except EndlessError:
        return "it never comes to rest"
    return None


def chart_of(tree: Mapping[str, Any]) -> Chart:
    """Return the chart that a case describes; states without an id get one."""
    return Chart({node.name: node for node in _nodes(tree, None, ROOT)})


def _nodes(tree: Mapping[str, Any], parent: str | None, name: str) -> Iterator[Node]:
    inner = [(each.get("id") or f"{name}/{place}", each) for place, each in enumerate(tree.get("states", ()))]
    states = tuple(key for key, each in inner if each["kind"] != "history")
    ways = tuple(_arc(name, each) for each in tree.get("transitions", ()))
    history = tree["kind"] == "history"
    yield Node(
        name,
        _kind(tree, states),
        parent,
        states,
        next(iter(ways), None) if history else _start(tree, name, states),
        () if history else ways,
        tuple(key for key, each in inner if each["kind"] == "history"),
        deep=bool(tree.get("deep")),
        entering=_raised(tree.get("onentry")),
        leaving=_raised(tree.get("onexit")),
    )
    for key, each in inner:
        yield from _nodes(each, name, key)


def _kind(tree: Mapping[str, Any], states: Sequence[str]) -> Kind:
    match tree["kind"]:
        case "parallel" | "final" | "history" as kind:
            found: Kind = kind
            return found
        case _:
            return "compound" if states else "atomic"


def _start(tree: Mapping[str, Any], name: str, states: Sequence[str]) -> Arc | None:
    if not states or tree["kind"] == "parallel":
        return None
    if "initial_transition" in tree:
        return _arc(name, tree["initial_transition"])
    return Arc(name, tuple(tree.get("initial") or states[:1]))


def _arc(source: str, written: Mapping[str, Any]) -> Arc:
    return Arc(
        source,
        tuple(written.get("target", ())),
        tuple(written.get("event", ())),
        written.get("type") == "internal",
        inside=written.get("in"),
        raises=_raised(written.get("do")),
    )


def _raised(actions: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...]:
    return tuple(each["raise"] for each in actions or () if "raise" in each)
