"""Moves that nobody takes: what their guards may read, which exclude each other, and whether they come to an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from definitions.charts.chart import ROOT, Arc
from definitions.charts.steps import Situation, domain, entered, exits, fitted, is_done
from definitions.checks.checked import Checked
from definitions.expr.expression import Expression
from definitions.expr.nodes import Call, Node, children, place_at
from definitions.expr.outcomes import disjoint
from definitions.message import say
from definitions.problems import Problem, Severity
from definitions.spec.automation import Move, every_step
from definitions.spec.process import Process, Transition

LONGEST = 8
"""Moves in a circle; longer ones are left to the runtime, which refuses what does not end."""

_ASKED: Mapping[str, Severity] = {
    "form": "error",
    "approval": "error",
    **dict.fromkeys(("by", "message", "confirm", "bulk", "undo"), "warning"),
}
"""What needs somebody who takes the move; the rest has no effect."""
_NOWHERE = Situation(frozenset())


def check_automatic(checked: Checked) -> Iterator[Problem]:
    """Yield what is wrong with the automatic moves of each process."""
    for process in checked.network.processes.values():
        if process.automatic and checked.whole("process", process.name):
            for transition in process.automatic:
                yield from _means_nothing(transition)
                yield from _reads(checked, process, transition)
                yield from _left_at_once(process, transition)
            yield from _conflicts(process)
            yield from _circles(checked, process)
    yield from _taken_by_automations(checked)


def _means_nothing(transition: Transition) -> Iterator[Problem]:
    for key, severity in _ASKED.items():
        if getattr(transition, key):
            sentence = say(
                "Nobody takes the automatic move '{name}': '{key}' means nothing.", name=transition.name, key=key
            )
            yield Problem("auto.key", transition.place, sentence, say("Leave it out, or 'auto'."), severity)


def _reads(checked: Checked, process: Process, transition: Transition) -> Iterator[Problem]:
    guard = transition.guard
    if guard is None:
        return
    hint = say("Let an automation with 'stays' or 'due' take the move.")
    for call in _clocks(guard, guard.tree):
        sentence = say("Nothing happens to the record when '{name}()' changes.", name=call.name)
        yield Problem("auto.clock", place_at(guard.text, guard.place, call.start), sentence, hint)
    for path in sorted(guard.reads):
        if path[0] == "actor":
            sentence = say("Nobody takes the automatic move '{name}': there is no actor.", name=transition.name)
            yield Problem("auto.actor", guard.place, sentence, say("Ask what the record says."))
        elif path[0] == "record" and _leads_away(checked, process.entity, path[1:]):
            sentence = say("Nothing happens to the record when {path} changes.", path=".".join(path))
            yield Problem("auto.other_record", guard.place, sentence, say("Ask what the record and its lines say."))


def _clocks(guard: Expression, node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        overload = guard.typing.overloads.get(node)
        if overload is not None and not overload.pure:
            yield node
    for child in children(node):
        yield from _clocks(guard, child)


def _leads_away(checked: Checked, entity: str, path: tuple[str, ...]) -> bool:
    """Whether a path leads from the record and its lines to another record; who that is, is of the record."""
    found = checked.network.entities.get(entity)
    if found is None or len(path) < 2:
        return False
    field = found.fields.get(path[0])
    if field is None:
        return path[0] in {"owner", "created_by", "parent"} and path[1] != "id"
    return field.type == "reference" and path[1] != "id"


def _left_at_once(process: Process, transition: Transition) -> Iterator[Problem]:
    """Yield the states that a move without a guard leaves at once, and those that never come to their end."""
    chart = process.chart
    for name in transition.sources if transition.guard is None else ():
        if chart.is_leaf(name):
            sentence = say(
                "No record stays in '{state}': '{name}' leaves it at once.", state=name, name=transition.name
            )
            yield Problem("auto.at_once", transition.place, sentence, say("Give it a guard."), "warning")
        elif not is_done(chart, _ends(process, name), name):
            sentence = say(
                "'{state}' never comes to its end: '{name}' does not happen.", state=name, name=transition.name
            )
            hint = say("Say 'final: true' of a state inside, in each region, or give the move a guard.")
            yield Problem("auto.never_done", transition.place, sentence, hint)


def _ends(process: Process, name: str) -> frozenset[str]:
    """Return the final states inside of a state: in them it is done."""
    return frozenset(leaf for leaf in process.below[name] if process.states[leaf].final)


# Two at once ------------------------------------------------------------------------------------------------------


def _conflicts(process: Process) -> Iterator[Problem]:
    for one, other in combinations(process.automatic, 2):
        where = _where_both(process, one, other)
        if where is not None and not _exclude(one, other):
            sentence = say(
                "'{one}' and '{other}' can both happen by themselves in '{state}'.",
                one=one.name,
                other=other.name,
                state=where,
            )
            hint = say("Let their guards exclude each other.")
            yield Problem("auto.conflict", other.place, sentence, hint)


def _exclude(one: Transition, other: Transition) -> bool:
    return one.guard is not None and other.guard is not None and disjoint(one.guard, other.guard)


def _where_both(process: Process, one: Transition, other: Transition) -> str | None:
    """Return a state in which both moves would leave the same; moves in different regions hinder each other not."""
    chart = process.chart
    arcs = [
        [arc for node in chart.nodes.values() for arc in node.arcs if arc.name == each.name] for each in (one, other)
    ]
    for first in arcs[0]:
        for second in arcs[1]:
            active = chart.around(fitted(chart, (*_when(process, one, first), *_when(process, other, second))))
            both = {first.source, second.source} <= active and all(
                _possible(process, each, arc, active) for each, arc in ((one, first), (other, second))
            )
            now = Situation(active)
            if both and exits(chart, now, (first,)) & exits(chart, now, (second,)):
                return second.source
    return None


def _when(process: Process, transition: Transition, arc: Arc) -> tuple[str, ...]:
    """Return states in which an arc is possible: the ends of a state that is left when it is done."""
    if transition.guard is not None or process.chart.is_leaf(arc.source):
        return (arc.source,)
    return process.chart.sort(_ends(process, arc.source))


def _possible(process: Process, transition: Transition, arc: Arc, active: frozenset[str]) -> bool:
    over = transition.guard is not None or process.chart.is_leaf(arc.source)
    return (over or is_done(process.chart, active, arc.source)) and active.isdisjoint(arc.outside)


# Without end ------------------------------------------------------------------------------------------------------


def _circles(checked: Checked, process: Process) -> Iterator[Problem]:
    told: set[frozenset[str]] = set()
    for transition in process.automatic:
        circle = _circle(checked, process, [transition])
        names = frozenset(each.name for each in circle)
        if circle and names not in told:
            told.add(names)
            shown = " → ".join(each.name for each in (*circle, circle[0]))
            sentence = say("These moves follow each other by themselves without end: {shown}.", shown=shown)
            yield Problem("auto.endless", transition.place, sentence, say("Let their guards exclude each other."))


def _circle(checked: Checked, process: Process, way: list[Transition]) -> list[Transition]:
    """Return the first way back to where a way began, [] for none; a move that changes what a guard asks may end it."""
    for following in process.automatic:
        if not _leads_to(process, way[-1], following):
            continue
        if following is way[0] and not _changes_its_mind(way):
            return way
        if following in way or len(way) == LONGEST:
            continue
        if any(_end_each_other(checked, process, each, following) for each in way):
            continue
        found = _circle(checked, process, [*way, following])
        if found:
            return found
    return []


def _leads_to(process: Process, one: Transition, other: Transition) -> bool:
    """Whether a move comes to where another is possible, or to the end of what that leaves."""
    chart = process.chart
    ways = [arc for node in chart.nodes.values() for arc in node.arcs]
    for first in (arc for arc in ways if arc.name == one.name):
        news = entered(chart, _NOWHERE, first, domain(chart, _NOWHERE, first) or ROOT)
        active = chart.around(chart.leaves(news))
        after = (arc for arc in ways if arc.name == other.name and arc.source in active)
        if any(active.isdisjoint(arc.outside) and _follows(process, other, arc, active) for arc in after):
            return True
    return False


def _follows(process: Process, transition: Transition, arc: Arc, active: frozenset[str]) -> bool:
    if transition.guard is not None or process.chart.is_leaf(arc.source):
        return True
    return not active.isdisjoint(_ends(process, arc.source))


def _changes_its_mind(way: list[Transition]) -> bool:
    """Whether a move of a way sets a field that a guard on it asks."""
    asked = _asked(way)
    return any(asked & each.set.keys() for each in way)


def _end_each_other(checked: Checked, process: Process, one: Transition, other: Transition) -> bool:
    """Whether two guards never hold both, whatever moves by itself meanwhile."""
    if one.guard is None or other.guard is None:
        return False
    asked = _asked([one, other])
    return not asked & _moving(checked, process) and disjoint(one.guard, other.guard)


def _moving(checked: Checked, process: Process) -> set[str]:
    """Return what changes by itself when the process does: it, those whose moves look at it, and what these set."""
    others = [each for each in checked.network.processes.values() if each.automatic and each.entity == process.entity]
    found = {process.name}
    while True:
        news = [each for each in others if each.name not in found and _asked(each.automatic) & found]
        if not news:
            return found
        found |= {name for each in news for name in (each.name, *(key for way in each.automatic for key in way.set))}


def _asked(transitions: Iterable[Transition]) -> set[str]:
    """Return the fields and processes of the record that guards ask."""
    paths = (path for each in transitions if each.guard is not None for path in each.guard.reads)
    return {path[1] for path in paths if path[0] == "record" and len(path) > 1}


def _taken_by_automations(checked: Checked) -> Iterator[Problem]:
    for automation in checked.network.automations.values():
        for step in every_step(automation.steps):
            process = checked.network.processes.get(step.process) if isinstance(step, Move) else None
            found = process.transitions.get(step.transition) if process and isinstance(step, Move) else None
            if found is not None and found.auto:
                sentence = say("The move '{name}' happens by itself: nothing else takes it.", name=found.name)
                yield Problem("auto.taken", step.place, sentence, say("Take 'auto' out, or this step."))
    yield from _taken_by_the_demo(checked)


def _taken_by_the_demo(checked: Checked) -> Iterator[Problem]:
    demo = checked.network.demo
    found = [records.journeys for records in demo.records.values() if records.journeys] if demo else []
    for journeys in found:
        process = checked.network.processes.get(journeys.process)
        automatic = {each.name for each in process.automatic} if process else set()
        for way in journeys.ways:
            for name in sorted(automatic.intersection(way.moves)):
                sentence = say("The move '{name}' happens by itself: nothing else takes it.", name=name)
                yield Problem("auto.taken", way.place, sentence, say("Take 'auto' out, or this step."))
