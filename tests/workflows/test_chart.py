from __future__ import annotations

from dataclasses import replace

import pytest

from definitions.problems import NOWHERE
from definitions.spec.process import Process, State, Transition
from definitions.text import plain
from workflows.chart import NotTaken, Taken, by_name, decide, leaving


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
