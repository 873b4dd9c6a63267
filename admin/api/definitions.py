"""The network as JSON: what the caller's levels may see of its definitions."""

from __future__ import annotations

from typing import Any

from admin.api.call import Answer, Call
from admin.api.figures import described
from admin.api.horizon import Horizon, Seen
from admin.api.values import texts
from definitions.spec.entity import Field
from definitions.spec.process import Process
from workflows.unit import Unit


async def definitions(call: Call) -> Answer:
    """Return the definitions that hold now."""

    async def work(unit: Unit) -> Answer:
        return Answer(network_json(call.horizon(unit), call.tenant.name))

    return await call.read(work)


def network_json(horizon: Horizon, name: str) -> dict[str, Any]:
    """Return the network as the levels of `horizon` see it."""
    network, languages = horizon.network, horizon.network.languages
    return {
        "network": name,
        "version": horizon.published.version,
        "label": texts(network.label, languages),
        "languages": list(languages),
        "timezone": network.timezone,
        "currency": network.currency,
        "countries": list(network.countries),
        "entities": {each: _entity(horizon, seen) for each, seen in horizon.entities.items()},
        "processes": {
            process: _process(seen, network.processes[process], languages)
            for seen in horizon.entities.values()
            for process in seen.entity.processes
            if process in seen.fields
        },
        "statistics": [described(each, languages) for each in horizon.statistics.values()],
    }


def _entity(horizon: Horizon, seen: Seen) -> dict[str, Any]:
    languages = horizon.network.languages
    entity = seen.entity
    named = {**seen.fields, **seen.new}
    may = {"read": seen.reads, "create": seen.creates, "update": seen.updates, "delete": seen.deletes}
    return {
        "label": texts(entity.label, languages),
        "plural": texts(entity.many, languages),
        "owner": entity.owner,
        "may": [right for right, granted in may.items() if granted],
        "search": [name for name in entity.search if name in seen.fields],
        "processes": [name for name in entity.processes if name in seen.fields],
        "fields": {name: _field(seen, name, field, languages) for name, field in named.items()},
    }


def _field(seen: Seen, name: str, field: Field, languages: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": field.type,
        "label": texts(field.label, languages),
        "required": field.required,
        "readable": name in seen.fields,
        "in_new": name in seen.new,
        "writable": name in seen.writes,
        "computed": field.compute is not None,
    }
    if field.required_if is not None:
        found["sometimes_required"] = True
    if field.help is not None:
        found["help"] = texts(field.help, languages)
    if field.type in {"decimal", "money"}:
        found["scale"] = field.scale
    if field.options:
        found["options"] = {option: texts(each.label, languages) for option, each in field.options.items()}
    if field.to is not None:
        found["to"] = field.to
    return found


def _process(seen: Seen, process: Process, languages: tuple[str, ...]) -> dict[str, Any]:
    """Return a process with the transitions that the levels may take."""
    return {
        "entity": process.entity,
        "label": texts(process.label, languages),
        "states": {
            name: {
                "label": texts(state.label, languages),
                "initial": state.initial,
                "final": state.final,
                "colour": state.colour,
                "parent": state.parent,
                "parallel": state.parallel,
            }
            for name, state in process.states.items()
        },
        "transitions": {
            transition.name: {
                "label": texts(transition.label, languages),
                "from": list(transition.sources),
                "to": transition.target,
                "bulk": transition.bulk,
                "confirm": transition.confirm,
            }
            for holder, transition in seen.moves
            if holder is process
        },
    }
