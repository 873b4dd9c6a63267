"""Processes of any shape, for drawing: states inside of states, side by side, with moves between all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from definitions.problems import Place
from definitions.spec.process import Process, State, Transition
from definitions.text import plain

HERE = Place("process.yaml", 1, 1)
WORDS = ("Signed up", "Lost", "A preferred customer who came back to us", "Nouveau", "契約済み", "W" * 40, "<b>&")


@st.composite
def processes(draw: st.DrawFn) -> Process:
    """Draw a process; a later state may stand in an earlier one, up to three deep."""
    count = draw(st.integers(1, 9))
    parents: list[int | None] = [None]
    depth = [0]
    for number in range(1, count):
        chosen = draw(st.integers(-3, number - 1))
        parents.append(chosen if chosen >= 0 and depth[chosen] < 3 else None)
        depth.append(0 if parents[-1] is None else depth[chosen] + 1)
    children = {number: [child for child in range(count) if parents[child] == number] for number in range(count)}
    parallel = {number: len(inner) > 1 and bool(draw(st.integers(0, 1))) for number, inner in children.items()}
    states = {}
    for number, above in enumerate(parents):
        beside = [child for child in range(count) if parents[child] == above]
        initial = beside[0] == number and not (above is not None and parallel[above])
        label = plain(WORDS[draw(st.integers(0, len(WORDS) - 1))])
        inside = tuple(f"s{child}" for child in children[number])
        parent = None if above is None else f"s{above}"
        final = not inside and draw(st.integers(0, 3)) == 0
        states[f"s{number}"] = State(
            f"s{number}", label, HERE, initial, final, parent=parent, children=inside, parallel=parallel[number]
        )
    moves = (_move(draw, number, tuple(states)) for number in range(draw(st.integers(0, 14))))
    return Process("process", "lead", plain("Process"), HERE, states, {move.name: move for move in moves})


def _move(draw: st.DrawFn, number: int, states: tuple[str, ...]) -> Transition:
    sources = {states[draw(st.integers(0, len(states) - 1))] for _ in range(draw(st.integers(1, 3)))}
    target, anywhere = states[draw(st.integers(0, len(states) - 1))], draw(st.integers(0, 5)) == 0
    label = plain(WORDS[draw(st.integers(0, len(WORDS) - 1))])
    auto = draw(st.integers(0, 3)) == 0
    return Transition(f"t{number}", label, tuple(sorted(sources)), target, HERE, auto=auto, anywhere=anywhere)
