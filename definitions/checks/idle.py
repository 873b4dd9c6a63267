"""What is written and has no effect: names that nothing uses, messages never said, rights that give nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from definitions.checks.checked import Checked
from definitions.checks.rights import takes
from definitions.expr import Expression
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.access import EntityAccess, Level
from definitions.spec.automation import Automation, Create, ForEach, Step, Stop, every_step, inside
from definitions.spec.process import Process


def check_idle(checked: Checked) -> Iterator[Problem]:
    """Yield a warning for each thing of the pack itself that has no effect; none while the pack has holes."""
    if checked.damaged:
        return
    found: list[Problem] = []
    found += checked.each("automation", checked.network.automations, _names)
    found += checked.each("automation", checked.network.automations, _stops)
    found += checked.each("process", checked.network.processes, _messages)
    for level in checked.network.levels.values():
        for access in level.entities.values():
            found += _transitions(checked, level, access)
    found += _plurals(checked)
    yield from (problem for problem in found if problem.place.file and not problem.place.file.startswith("@"))


def _names(automation: Automation) -> Iterator[Problem]:
    """Yield the names of new records, and of the items of loops, that no other step names."""
    named = {path[0] for found in _expressions(automation.steps) for path in found.reads}
    for step in every_step(automation.steps):
        match step:
            case Create(as_name=str(name)) if name not in named:
                sentence = say("No step uses the new record '{name}'.", name=name)
                yield Problem("automation.unused_name", step.place, sentence, say("Leave 'as' out."), "warning")
            case ForEach(name=name, entity=str()) if name not in named:
                sentence = say("The steps of this loop do nothing with its item '{name}'.", name=name)
                yield Problem("automation.unused_name", step.place, sentence, say("Name it in a step."), "warning")
            case _:
                pass


def _expressions(node: Any) -> Iterator[Expression]:
    """Yield every expression below a definition."""
    if isinstance(node, Expression):
        yield node
    elif isinstance(node, Mapping):
        for each in node.values():
            yield from _expressions(each)
    elif isinstance(node, tuple):
        for each in node:
            yield from _expressions(each)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield from _expressions(getattr(node, field.name))


def _stops(automation: Automation) -> Iterator[Problem]:
    yield from _after_stop(automation.steps)


def _after_stop(steps: Iterable[Step]) -> Iterator[Problem]:
    ended = False
    for step in steps:
        if ended:
            sentence = say("This step is never done: the run ends before it.")
            yield Problem("automation.after_stop", step.place, sentence, say("Put 'stop' last."), "warning")
            return
        ended = isinstance(step, Stop) and step.condition is None
        for within in inside(step):
            yield from _after_stop(within)


def _messages(process: Process) -> Iterator[Problem]:
    for transition in process.transitions.values():
        if transition.message is not None and transition.guard is None and not transition.auto:
            sentence = say("The message of '{name}' is never said: it has no guard.", name=transition.name)
            hint = say("Add 'guard', or leave 'message' out.")
            yield Problem("process.unused_message", transition.place, sentence, hint, "warning")


def _transitions(checked: Checked, level: Level, access: EntityAccess) -> Iterator[Problem]:
    """Yield the transitions that a level lists and may not take: its list narrows `by`, and gives nothing."""
    entity, processes = checked.network.entities.get(access.entity), checked.network.processes
    known = [processes[name] for name in (entity.processes if entity else ()) if name in processes]
    for name in access.transitions or ():
        of, _, short = name.rpartition(".")
        meant = [
            (process, process.transitions[short])
            for process in known
            if short in process.transitions and of in {"", process.name}
        ]
        if meant and not any(takes(checked.network, level, *each) and not each[1].auto for each in meant):
            sentence = say("The level {level} lists '{name}', which it may not take.", level=level.name, name=name)
            hint = say("Name the level in 'by' of the transition: the list narrows it.")
            yield Problem("level.unused_transition", access.place, sentence, hint, "warning")


def _plurals(checked: Checked) -> Iterator[Problem]:
    """Yield the entities that do not say what several records are called, where others of the pack do."""
    entities = [each for each in checked.network.entities.values() if "" not in each.label.values]
    if any(each.plural is not None for each in entities):
        for entity in entities:
            if entity.plural is None and entity.name != "member":
                sentence = say("Several records of {name} are called like one of them.", name=entity.name)
                hint = say("Add 'plural:', as other entities have it.")
                yield Problem("entity.no_plural", entity.place, sentence, hint, "warning")
