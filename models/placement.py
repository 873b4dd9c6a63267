"""Where records go when the states of their process change: those that are gone, move or come to have states inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from definitions.charts.process import leaves_of
from definitions.charts.steps import fitted
from definitions.spec.process import Configuration, Process
from models.columns import state_codec


@dataclass(frozen=True, slots=True)
class Placement:
    """The way from the states of an old process to those of a new one.

    `moves` maps the innermost states that are gone to what takes their place (None: nothing does).
    """

    was: Process
    now: Process
    moves: Mapping[str, str | None]

    def __call__(self, held: Configuration) -> Configuration:
        """Return what a record holds that held this before; the states that are still there come first."""
        stay = [name for name in leaves_of(held) if name in self.now.states]
        moved = (self.moves.get(name) for name in leaves_of(held))
        known = (*stay, *(name for name in moved if name is not None and name in self.now.states))
        return self.now.configured(fitted(self.now.chart, known))

    def stored(self, stored: str) -> str:
        """Do the same for stored forms."""
        return str(state_codec(self.now).encoded(self(state_codec(self.was).decoded(stored))))

    def loses(self, held: Configuration) -> tuple[str, ...]:
        """Return the states of a record that are still there and have no place beside its others."""
        active = self.now.active(self(held))
        stay = (name for name in leaves_of(held) if name in self.now.states)
        return tuple(name for name in stay if name not in active)


def placement(was: Process, now: Process) -> Placement | None:
    """Return where records go, None where each stays where it is."""
    moves = _moves(was, now)
    inside = any(now.states[name].children for name in was.innermost if name in now.states)
    if moves or inside or was.parallel != now.parallel:
        return Placement(was, now, moves)
    return Placement(was, now, moves) if now.parallel and _tree(was) != _tree(now) else None


def _tree(process: Process) -> dict[str, tuple[object, ...]]:
    return {name: (each.parent, each.parallel, each.initial) for name, each in process.states.items()}


def _moves(was: Process, now: Process) -> dict[str, str | None]:
    """Return where the innermost states that are gone go; what is said of a state holds for those inside of it."""
    places = {state.was: name for name, state in now.states.items() if state.was is not None}
    found: dict[str, str | None] = {}
    for name in was.innermost:
        if name not in now.states:
            around = [each for each in (name, *was.chart.above[name]) if each not in now.states]
            targets = (places.get(each) or now.moved.get(each) for each in around)
            found[name] = next((target for target in targets if target is not None), None)
    return found
