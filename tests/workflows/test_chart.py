from __future__ import annotations

from dataclasses import replace

import pytest

from definitions.problems import NOWHERE
from definitions.spec.process import Process, State, Transition
from definitions.text import plain
from tests.visits import care
from workflows.chart import NotTaken, Taken, automatic, by_name, decide, leaving


def transition(name: str, sources: tuple[str, ...], target: str) -> Transition:
    return Transition(name, plain(name), sources, target, NOWHERE)


PROCESS = Process(
    "recruiting",
    "lead",
    plain("Recruiting"),
    NOWHERE,
    {
        name: State(name, plain(name), NOWHERE, initial=name == "new", final=name == "signed")
        for name in ("new", "contacted", "signed", "lost")
    },
    {
        "call": transition("call", ("new", "contacted"), "contacted"),
        "sign": transition("sign", ("contacted",), "signed"),
        "lose": replace(transition("lose", ("new", "contacted"), "lost"), anywhere=True),
    },
)


@pytest.mark.parametrize(
    ("state", "name", "after"),
    [
        ("new", "call", "contacted"),
        ("contacted", "call", "contacted"),
        ("lost", "call", None),
        ("new", "sign", None),
        ("new", "lose", "lost"),
        ("lost", "lose", None),
        ("signed", "lose", None),
        ("gone", "call", None),
    ],
)
def test_a_transition_is_taken_from_its_states_only(state: str, name: str, after: str | None) -> None:
    decision = decide(PROCESS, state, name)
    if after is None:
        assert decision == NotTaken("elsewhere")
    else:
        assert decision == Taken(PROCESS.transitions[name], (state,), (after,), after, (state,), (after,))


def test_an_unknown_transition_is_not_taken() -> None:
    assert decide(PROCESS, "new", "fly") == NotTaken("unknown")


def test_the_ways_out_come_in_the_order_written() -> None:
    assert [found.name for found in leaving(PROCESS, "contacted")] == ["call", "sign", "lose"]
    assert leaving(PROCESS, "signed") == ()


def test_transitions_are_found_by_name_over_processes() -> None:
    assert by_name({"recruiting": PROCESS}, ("recruiting",), "call") == [PROCESS]
    assert by_name({"recruiting": PROCESS}, ("recruiting",), "fly") == []


def charted(states: str, *transitions: str) -> Process:
    """Return a process of a pack."""
    lines = "\n".join(f"  {line}" for line in transitions)
    return care(f"states: {states}\ntransitions:\n{lines}\n")


REGIONS = """{
  busy: {initial: true, parallel: true, states: {
    left: {states: {l1: {initial: true}, l2: {}, l3: {final: true}}},
    right: {states: {r1: {initial: true}, r2: {}, r3: {final: true}}}}},
  over: {final: true}}"""
WAYS = (
    "step: {from: l1, to: l2}",
    "turn: {from: r1, to: r2}",
    "inside: {from: left, to: l3}",
    "anew: {from: left, to: left}",
    "wherever: {from: any, to: r3}",
    "stop: {from: any, to: over}",
    "both: {from: [l2, r2], to: l1}",
    "whole: {from: busy, to: busy}",
)


@pytest.mark.parametrize(
    ("held", "name", "after"),
    [
        (("l1", "r2"), "step", ("l2", "r2")),
        (("l2", "r2"), "inside", ("l3", "r2")),
        (("l3", "r2"), "inside", ("l3", "r2")),
        (("l2", "r2"), "anew", ("l1", "r2")),
        (("l2", "r2"), "wherever", ("l2", "r3")),
        (("l2", "r3"), "wherever", None),
        (("l3", "r3"), "stop", ("over",)),
        (("l2", "r2"), "both", ("l1", "r2")),
        (("l1", "r2"), "both", ("l1", "r1")),
        (("l2", "r2"), "whole", ("l1", "r1")),
        (("over",), "stop", None),
    ],
)
def test_a_move_in_a_region_leaves_the_others_as_they_are(
    held: tuple[str, ...], name: str, after: tuple[str, ...] | None
) -> None:
    decision = decide(charted(REGIONS, *WAYS), held, name)
    assert (decision.configuration if isinstance(decision, Taken) else None) == after


def test_moves_by_themselves_in_regions_are_taken_together() -> None:
    ways = (
        "finish: {from: [l1, l2], to: l3, auto: true, guard: record.name == 'a'}",
        "close: {from: r1, to: r3, auto: true, guard: record.name == 'a'}",
        "turn: {from: r1, to: r2}",
        "step: {from: l1, to: l2}",
        "back: {from: r2, to: r1}",
        "end: {from: busy, to: over, auto: true}",
    )
    process = charted(REGIONS, *ways)
    taken = automatic(process, ("l1", "r1"), lambda _: True)
    assert [(each.transition.name, each.configuration) for each in taken] == [
        ("finish", ("l3", "r1")),
        ("close", ("l3", "r3")),
    ]
    assert [each.transition.name for each in automatic(process, ("l3", "r3"), lambda _: False)] == ["end"]
    assert automatic(process, ("l1", "r3"), lambda _: False) == ()
    assert decide(process, ("l3", "r3"), "end") == NotTaken("unknown")
