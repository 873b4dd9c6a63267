"""The interpreter of statecharts: the cases that others wrote, and what they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from definitions.charts.chart import ROOT, Chart
from definitions.charts.machine import EndlessError, Machine, matches
from tests import conformance, scxml


def machine(*states: dict[str, Any], start: list[str] | None = None) -> Machine:
    tree: dict[str, Any] = {"kind": "scxml", "states": list(states)}
    return Machine(scxml.chart_of(tree if start is None else {**tree, "initial": start}))


def way(target: str | None = None, *events: str, **more: Any) -> dict[str, Any]:
    return {"event": list(events), "target": [] if target is None else [target], **more}


def state(name: str, *ways: dict[str, Any], inside: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "state", "transitions": list(ways), "states": inside or [], **more}


def test_the_cases_of_scxml_come_out_as_written() -> None:
    found = conformance.folder()
    if found is None:
        pytest.skip("the conformance cases are not beside this folder: set CONFORMANCE_DIR to score them")
    cases = scxml.read(found)
    assert scxml.score(cases) == (len(cases), [])


def test_a_case_that_comes_out_otherwise_is_told_with_the_reason() -> None:
    tree = {"kind": "scxml", "states": [state("a", way("b", "go")), state("b")]}
    case = {"id": "one", "chart": tree, "initial": ["a"], "events": [{"event": "go", "next": ["a"]}]}
    assert scxml.score([case]) == (0, [("one", "after go: b instead of a")])


def test_a_chart_that_never_comes_to_rest_is_told() -> None:
    tree = {"kind": "scxml", "states": [state("a", way("b")), state("b", way("a"))]}
    with pytest.raises(EndlessError):
        Machine(scxml.chart_of(tree))
    assert scxml.miss({"id": "round", "chart": tree, "initial": ["a"], "events": []}) == "it never comes to rest"


def test_an_inner_arc_comes_before_an_outer_one() -> None:
    found = machine(state("a", way("out", "go"), inside=[state("b", way("c", "go")), state("c")]), state("out"))
    courses = []
    for event in ("go", "go"):
        found.send(event)
        courses.append(found.active)
    assert courses == [("c",), ("out",)]


@pytest.mark.parametrize(("kind", "raised"), [("internal", ["inner"]), ("external", ["left", "inner"])])
def test_an_internal_arc_does_not_leave_its_state(kind: str, raised: list[str]) -> None:
    """What is left and entered shows in what it raises."""
    inside = [state("b"), state("c", onentry=[{"raise": "inner"}])]
    chart = machine(state("a", way("c", "go", type=kind), inside=inside, onexit=[{"raise": "left"}])).chart
    found = _Told(chart)
    found.send("go")
    assert found.told == raised


class _Told(Machine):
    """A machine that says what it raised."""

    def __init__(self, chart: Chart) -> None:
        self.told: list[str] = []
        super().__init__(chart)

    def _react(self, event: str) -> None:
        if event != "go":
            self.told.append(event)
        super()._react(event)


def test_a_parallel_state_is_done_when_each_region_is() -> None:
    regions = [
        state(name, inside=[state(f"{name}1", way(f"{name}2", name)), {"id": f"{name}2", "kind": "final"}])
        for name in ("x", "y")
    ]
    both = {"id": "p", "kind": "parallel", "states": regions, "transitions": [way("end", "done.state.p")]}
    found = machine(both, state("end"))
    courses = []
    for event in ("x", "y"):
        found.send(event)
        courses.append(found.active)
    assert courses == [("x2", "y1"), ("end",)]


def test_both_regions_that_end_in_one_step_say_once_that_all_is_done() -> None:
    regions = [
        state(name, inside=[state(f"{name}1", way(f"{name}2", "go")), {"id": f"{name}2", "kind": "final"}])
        for name in ("x", "y")
    ]
    found = _Told(machine({"id": "p", "kind": "parallel", "states": regions}).chart)
    found.send("go")
    assert found.told == ["done.state.x", "done.state.y", "done.state.p"]


def test_a_deep_history_remembers_what_was_inside_a_shallow_one_where_it_was() -> None:
    inner = state("in", inside=[state("i1", way("i2", "on")), state("i2")])
    for deep, active in ((True, "i2"), (False, "i1")):
        history = {"id": "h", "kind": "history", "deep": deep, "transitions": [way("first")]}
        outer = state("outer", way("aside", "leave"), inside=[history, state("first", way("in", "on")), inner])
        found = machine(outer, state("aside", way("h", "back")))
        for event in ("on", "on", "leave", "back"):
            found.send(event)
        assert found.active == (active,)


def test_a_history_begins_where_it_says_when_nothing_is_remembered() -> None:
    history = {"id": "h", "kind": "history", "transitions": [way("b", do=[{"raise": "first"}])]}
    found = machine(
        state("a", way("h", "go")),
        state("outer", inside=[history, state("b0"), state("b", way("c", "first")), state("c")]),
    )
    found.send("go")
    assert found.active == ("c",)


def test_an_arc_without_target_raises_without_moving() -> None:
    found = machine(state("a", way(None, "go", do=[{"raise": "next"}]), way("b", "next")), state("b"))
    found.send("go")
    assert found.active == ("b",)


@pytest.mark.parametrize(
    ("descriptor", "event", "named"),
    [("*", "a.b", True), ("a", "a.b", True), ("a.*", "a.b", True), ("a.", "a", True), ("a", "ab", False)],
)
def test_a_descriptor_names_events_by_their_beginning(descriptor: str, event: str, named: bool) -> None:
    assert matches(descriptor, event) is named


def test_states_around_and_between_are_found() -> None:
    chart = machine(state("a", inside=[state("b"), state("c", inside=[state("d")])])).chart
    assert chart.common(("b", "d")) == "a"
    assert chart.common(("a", "d")) == ROOT
    assert chart.around(("d",)) == {"a", "c", "d"}
