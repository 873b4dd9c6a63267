"""What does not come back with an earlier version of the definitions: it went when they were changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from definitions.spec.network import Network
from models.message import Message, say
from models.plan import AddTable, ChangeTable, Plan


def gone(plan: Plan) -> Iterator[Message]:
    """Yield what a plan that goes back to an earlier version cannot bring back, a sentence each."""
    for step in plan.steps:
        if isinstance(step, AddTable):
            yield say("The records that {entity} had do not come back.", entity=step.shape.name)
        elif isinstance(step, ChangeTable):
            yield from _values(step)
    if plan.old is not None:
        yield from _options(plan.old, plan)
        yield from _states(plan.old, plan)


def _values(step: ChangeTable) -> Iterator[Message]:
    fields = step.new.entity.fields
    for column in step.added:
        name = f"{step.new.name}.{column.name}"
        if column.kind == "state":
            yield say("The states that records had in {process} do not come back.", process=name)
        elif column.kind == "owner" or (column.kind == "field" and fields[column.source].compute is None):
            yield say("What {field} held does not come back: it is empty, or has its default.", field=name)
    for retyped in sorted(step.retyped):
        name = f"{step.new.name}.{retyped}"
        yield say("What {field} lost when its type changed does not come back.", field=name)


def _options(old: Network, plan: Plan) -> Iterator[Message]:
    origins = {new: was for was, new in plan.entities.items()}
    for entity in plan.new.entities.values():
        before = old.entities.get(origins.get(entity.name, entity.name))
        known = {} if before is None else before.fields
        for name, field in entity.fields.items():
            was = known.get(name) or known.get(field.was or "")
            for option in _new(was.options, field.options) if was is not None and was.options else ():
                about = f"{entity.name}.{name}"
                yield say("Who had the option {option} of {field} does not get it back.", option=option, field=about)


def _states(old: Network, plan: Plan) -> Iterator[Message]:
    origins = {new: was for was, new in plan.processes.items()}
    for process in plan.new.processes.values():
        was = old.processes.get(origins.get(process.name, process.name))
        for state in _new(was.states, process.states) if was is not None else ():
            name = f"{process.name}.{state}"
            yield say("Records that left the state {state} when it went do not go back to it.", state=name)


def _new(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the names of what was not there, under no name."""
    return sorted(name for name, made in now.items() if name not in was and made.was not in was)
