"""Automations that would start each other for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.automation import (
    Automation,
    Changed,
    Choose,
    Create,
    Created,
    Entered,
    Move,
    Moved,
    Run,
    SetFields,
    Step,
    Stop,
    Trigger,
    Wait,
    every_step,
)
from definitions.spec.network import Network


def check_loops(checked: Checked) -> Iterator[Problem]:
    """Yield the automations that start themselves again, alone or through others, with nothing to stop them.

    A condition anywhere on the way, a wait or a guard may end the course, so such ways are not reported.
    """
    network = checked.network
    certain = [each for each in network.automations.values() if each.condition is None]
    starts = {each.name: set(_started(network, certain, each)) for each in certain}
    for name, automation in network.automations.items():
        way = _way_back(starts, name)
        if way:
            shown = " → ".join([*way, name])
            sentence = say("This automation starts itself again without end: {shown}.", shown=shown)
            yield Problem("automation.endless", automation.place, sentence, say("Add an 'if' that stops it."))


def _way_back(starts: dict[str, set[str]], name: str) -> list[str]:
    """Return the shortest way from an automation to itself, without the return; [] for none."""
    ways = [[name]] if name in starts else []
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for following in sorted(starts.get(way[-1], ())):
            if following == name:
                return way
            if following in starts and following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def _started(network: Network, among: Iterable[Automation], automation: Automation) -> Iterator[str]:
    """Yield those of some automations that an automation certainly starts."""
    for step in _certain(automation.steps):
        for other in among:
            begun = isinstance(step, Run) and step.automation == other.name
            if begun or any(_fires(network, automation, step, trigger) for trigger in other.triggers):
                yield other.name


def check_started(checked: Checked) -> Iterator[Problem]:
    """Yield the steps that start an automation which is about something else."""
    for automation in checked.network.automations.values():
        for step in every_step(automation.steps) if checked.whole("automation", automation.name) else ():
            other = checked.network.automations.get(step.automation) if isinstance(step, Run) else None
            if isinstance(step, Run) and other is not None and other.entity not in {None, step.entity}:
                what = say("about {entity}", entity=step.entity) if step.entity else say("without a record")
                sentence = say(
                    "The automation '{name}' is about {entity}; this step is {what}.",
                    name=other.name,
                    entity=other.entity,
                    what=what,
                )
                hint = say("Say which record it is for: record: =….")
                yield Problem("automation.run_entity", step.place, sentence, hint)


def _certain(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Wait | Choose | Stop):
            return  # what follows is not certain
        if step.condition is None:
            yield step


def _fires(network: Network, automation: Automation, step: Step, trigger: Trigger) -> bool:
    if isinstance(step, Move):
        return _moves(network, step, trigger)
    if isinstance(step, Create):
        return isinstance(trigger, Created) and not trigger.deleted and trigger.entity == step.entity
    about = automation.entity if step.subject is None else None  # another record is no certain way back
    if isinstance(step, SetFields) and isinstance(trigger, Changed) and trigger.entity == about:
        # a field that is set to what it would be anyway does not change a second time
        written = ((name, value.expression) for name, value in step.values.items())
        moving = {name for name, expression in written if expression and _reads(name, expression.reads)}
        return bool(moving & set(trigger.fields)) if trigger.fields else bool(moving)
    return False


def _reads(name: str, reads: Iterable[tuple[str, ...]]) -> bool:
    return any(path[:2] == ("record", name) for path in reads)


def _moves(network: Network, step: Move, trigger: Trigger) -> bool:
    process = network.processes.get(step.process)
    transition = process.transitions.get(step.transition) if process else None
    if transition is None or transition.guard is not None:
        return False
    if isinstance(trigger, Moved):
        return (trigger.process, trigger.transition) == (step.process, step.transition)
    if isinstance(trigger, Entered) and trigger.process == step.process:
        return trigger.state in transition.sources if trigger.left else trigger.state == transition.target
    return False
