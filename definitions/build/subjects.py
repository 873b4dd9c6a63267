"""Which record a step is about: the automation's, the one that is named beside the action, or the item of a loop."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from typing import TYPE_CHECKING

from definitions.build.draft import Draft, mapping, word
from definitions.build.values import computed, is_expression
from definitions.expr import DYN, RecordOf, Scope, Type, compile_expression
from definitions.message import say
from definitions.problems import Place
from definitions.source import Mapping, Node
from definitions.spec.value import Value

if TYPE_CHECKING:
    from definitions.build.steps import Steps

ABOUT = ("set", "email", "sms", "notify", "document", "assign", "run", "move", "task")
"""The actions that are about a record."""
_TEMPLATES = frozenset({"email", "sms", "notify", "document"})
Subject = tuple[str | None, Value | None]


def subject(steps: Steps, body: Mapping, action: str, names: MappingType[str, Type]) -> Subject:
    """Return the entity of the record that a step is about, and what computes it (None: it is the automation's own).

    Without `record` beside the action it is the automation's record; where there is none, or the action is about
    another entity, it is the item of the innermost loop through records of the right one.
    """
    node = body.get("record")
    if node is not None:
        return _named(steps, body, action, names)
    wanted = _wanted(steps.draft, body, action)
    if action not in ABOUT or (steps.entity is not None and wanted in {None, steps.entity}):
        return steps.entity, None
    for name, entity in reversed(steps.items):
        if wanted in {None, entity}:
            return entity, _item(steps.draft, body.entries[action].key.place, name, entity)
    return steps.entity, None


def _named(steps: Steps, body: Mapping, action: str, names: MappingType[str, Type]) -> Subject:
    entry = body.entries["record"]
    if action not in ABOUT:
        sentence = say("'{action}' is not about a record.", action=action)
        steps.draft.report("automation.subject", entry.key.place, sentence, say("Leave 'record' out."))
        return steps.entity, None
    if not is_expression(entry.value):
        hint = say("Write: ={node}.", node=word(entry.value))
        steps.draft.report("value.type", entry.value.place, say("Here stands an expression."), hint)
        return steps.entity, None
    value = computed(steps.draft, entry.value, steps.around(names), None)
    kind = None if value is None or value.expression is None else value.expression.type
    if isinstance(kind, RecordOf) and kind.entity in steps.draft.records:
        return kind.entity, value
    if kind is not None and kind != DYN:
        sentence = say("This is no record: {type}.", type=kind)
        steps.draft.unfit("automation.subject", entry.value.place, sentence, say("Name a record, as =record.company."))
    return steps.entity, None


def _item(draft: Draft, place: Place, name: str, entity: str) -> Value:
    scope = Scope({name: RecordOf(entity)}, {entity: draft.records.get(entity, {})}, name)
    return Value(place, expression=compile_expression(name, place, scope))


def _wanted(draft: Draft, body: Mapping, action: str) -> str | None:
    """Return the entity that an action is about by what it names, None where it may be any."""
    written = body.get(action)
    if action in _TEMPLATES:
        return _about(draft, written)
    return _moved(draft, written) if action == "move" else None


def _about(draft: Draft, node: Node | None) -> str | None:
    inner = mapping(node)
    source = draft.source("template", word(inner.get("template"))) if inner else None
    return (word(source.raw.get("about")) or None) if source and source.raw else None


def _moved(draft: Draft, node: Node | None) -> str | None:
    """Return the entity of a transition where it is one's alone."""
    inner = mapping(node)
    process, _, name = word(node if inner is None else inner.get("transition")).rpartition(".")
    holders = [process] if process else draft.index.holders("transitions", name)
    sources = (draft.source("process", each) for each in holders)
    found = {word(source.raw.get("entity")) for source in sources if source and source.raw}
    return found.pop() if len(found) == 1 else None
