"""Automations: what starts them, and on which record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingType
from datetime import UTC, datetime
from typing import Literal, cast

from cronsim import CronSim, CronSimError

from definitions.build.draft import CALL, Around, Draft, entries, mapping, optional_word, word
from definitions.build.fields import field_names, note_field
from definitions.build.member import MEMBER
from definitions.build.references import process_part
from definitions.build.steps import Steps
from definitions.build.values import computed, is_expression
from definitions.documents import Source
from definitions.expr import DATE, DATETIME, DYN, INT, STRING, RecordOf, Type
from definitions.message import both, say
from definitions.problems import Place, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence
from definitions.spec.automation import (
    Automation,
    Called,
    Changed,
    Created,
    Due,
    Entered,
    Every,
    Mode,
    Moved,
    Stays,
    Step,
    Trigger,
    every_step,
)
from definitions.spec.value import Value

WITH_BEFORE = (Entered, Moved, Changed)
_HINTS = {
    "form": say("'form' is known in a transition only; fields of the record keep what was asked."),
    "before": say("'before' is known where the start is a change: entered, left, moved, changed."),
    "record": say("This automation has no record: use 'every' with 'for_each'."),
    "payload": say("'payload' is known where the start is a call of another system: webhook."),
    "webhook": say("'webhook' is known where the start is a call of another system: webhook."),
}
Found = tuple[Trigger, str | None]


def build_automations(draft: Draft) -> dict[str, Automation]:
    """Return every automation that can be built."""
    return draft.each("automation", _automation)


def _automation(draft: Draft, source: Source, node: Mapping) -> Automation:
    found = list(_triggers(draft, node.get("when")))
    about = _of_run(draft, source, node)
    entity = _entity(draft, found) or about
    names: dict[str, Type] = draft.base()
    if entity is not None:
        names["record"] = draft.record_type(entity)
        if any(isinstance(trigger, WITH_BEFORE) for trigger, _ in found):
            names["before"] = names["record"]
    elif source.damaged:
        names |= {"record": DYN, "before": DYN}
    if any(isinstance(trigger, Called) for trigger, _ in found):
        names |= {"webhook": RecordOf(CALL), "payload": DYN}
    hints = {name: hint for name, hint in _HINTS.items() if name not in names}
    steps = Steps(draft, entity, hints).each(node.get("do"), names, "do")
    _check_ids(draft, steps)
    return Automation(
        source.name,
        draft.text(node.get("label"), source.name),
        source.place,
        tuple(trigger for trigger, _ in found),
        steps,
        entity=entity,
        condition=draft.condition(node.get("if"), Around(names, hints=hints)),
        mode=cast("Mode", word(node.get("mode")) or "single"),
        key=_key(draft, node.get("key"), names),
        runs=cast("Literal['finish', 'cancel', 'migrate']", word(node.get("runs")) or "finish"),
        was=optional_word(node.get("was")),
    )


def _check_ids(draft: Draft, steps: tuple[Step, ...]) -> None:
    """Report steps that are called the same: a run that goes on in another version looks for its step by this name."""
    known: set[str] = set()
    for step in every_step(steps):
        if step.id in known:
            sentence = say("Two steps have the id '{id}'.", id=step.id)
            draft.report("automation.same_id", step.place, sentence, say("Give each an id of its own."))
        elif step.id is not None:
            known.add(step.id)


def _key(draft: Draft, node: Node | None, names: MappingType[str, Type]) -> Value | None:
    if node is None:
        return None
    if is_expression(node):
        return computed(draft, node, names, (STRING, INT, DATE))
    return Value(node.place, word(node))


def _entity(draft: Draft, found: list[Found]) -> str | None:
    """Return the entity that all triggers are about."""
    entities = list(dict.fromkeys(entity for _, entity in found))
    if len(entities) > 1:
        place = found[-1][0].place
        shown = both(entity or say("no record") for entity in entities)
        draft.unfit(
            "automation.mixed",
            place,
            say("These triggers are about different things: {shown}.", shown=shown),
            say("Write an automation for each."),
        )
    return entities[0] if len(entities) == 1 else None


def _of_run(draft: Draft, source: Source, node: Mapping) -> str | None:
    """Return the entity of an automation that nothing but `run` starts."""
    written, triggers = node.get("entity"), source.raw.get("when") if source.raw else None
    if triggers is not None:
        if written is not None:
            sentence = say("'when' says what this automation is about.")
            place = node.entries["entity"].key.place
            draft.report("automation.entity", place, sentence, say("Leave 'entity' out."))
        return None
    if isinstance(written, Scalar):
        return written.text if draft.known("entity", written, extra=[MEMBER]) else None
    if not source.damaged:
        hint = say("Write 'when', or 'entity' where 'run' alone starts it.")
        draft.unfit("automation.no_trigger", source.place, say("Nothing starts this automation."), hint)
    return None


def _triggers(draft: Draft, node: Node | None) -> Iterator[Found]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        body = mapping(item)
        if body is None:
            continue
        if len(body.entries) != 1:
            sentence = say("A trigger is exactly one key, as 'entered: process.state'.")
            draft.unfit("automation.trigger", body.place, sentence, say("Several triggers are a list."))
            continue
        for name, key, value in entries(body):
            build = TRIGGERS.get(name)
            found = build(draft, key.place, value) if build else None
            if found is not None:
                yield found


def _entered(*, left: bool) -> Callable[[Draft, Place, Node], Found | None]:
    def build(draft: Draft, place: Place, node: Node) -> Found | None:
        found = process_part(draft, node, "states") if isinstance(node, Scalar) else None
        return None if found is None else (Entered(found[0], found[1], place, left), found[2])

    return build


def _moved(draft: Draft, place: Place, node: Node) -> Found | None:
    found = process_part(draft, node, "transitions") if isinstance(node, Scalar) else None
    return None if found is None else (Moved(found[0], found[1], place), found[2])


def _stays(draft: Draft, place: Place, node: Node) -> Found | None:
    body = mapping(node)
    state = body.get("state") if body else None
    duration = draft.duration(body.get("for")) if body else None
    found = process_part(draft, state, "states") if isinstance(state, Scalar) else None
    if found is None or duration is None:
        return None
    return Stays(found[0], found[1], duration, place), found[2]


def _created(*, deleted: bool) -> Callable[[Draft, Place, Node], Found | None]:
    def build(draft: Draft, place: Place, node: Node) -> Found | None:
        if isinstance(node, Scalar) and draft.known("entity", node, extra=[MEMBER]):
            return Created(node.text, place, deleted), node.text
        return None

    return build


def _named_entity(draft: Draft, body: Mapping | None) -> str | None:
    node = body.get("entity") if body else None
    if isinstance(node, Scalar) and draft.known("entity", node, extra=[MEMBER]):
        return node.text
    return None


def _changed(draft: Draft, place: Place, node: Node) -> Found | None:
    body = mapping(node)
    entity = _named_entity(draft, body)
    if body is None or entity is None:
        return None
    members = draft.records.get(entity)
    if members is None:
        return None  # the entity can't be read: reported there
    return Changed(entity, field_names(draft, body.get("fields"), members, entity), place), entity


def _due(draft: Draft, place: Place, node: Node) -> Found | None:
    body = mapping(node)
    entity = _named_entity(draft, body)
    at = body.get("at") if body else None
    if body is None or entity is None or not isinstance(at, Scalar):
        return None
    dates = [name for name, member in draft.records.get(entity, {}).items() if member.type in (DATE, DATETIME, DYN)]
    if at.text not in dates and entity in draft.records:
        sentence = say("The entity {entity} has no date '{name}'.", entity=entity, name=at.text)
        draft.unfit("automation.due_at", at.place, sentence, did_you_mean(at.text, dates))
        return None
    note_field(draft, entity, at)
    if "before" in body.entries and "after" in body.entries:
        draft.report(
            "automation.due_both", body.entries["after"].key.place, say("Either 'before' or 'after', not both.")
        )
    return Due(entity, at.text, place, draft.duration(body.get("before")), draft.duration(body.get("after"))), entity


def _every(draft: Draft, place: Place, node: Node) -> Found | None:
    body = mapping(node)
    if body is None:
        return None
    cron = body.get("cron")
    if isinstance(cron, Scalar):
        _check_cron(draft, cron)
    each = mapping(body.get("for_each"))
    entity = _named_entity(draft, each)
    where = None
    if each is not None and entity is not None:
        names = draft.base({"record": draft.record_type(entity)}, without=["actor"])
        where = draft.condition(each.get("where"), names, query=True)
    catch_up = cast("Literal['all', 'last', 'none']", word(body.get("catch_up")) or "last")
    return Every(word(cron), place, entity, where, catch_up), entity


def _check_cron(draft: Draft, node: Scalar) -> None:
    try:
        CronSim(node.text, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        hint = say(
            "Five parts: minute, hour, day of month, month, day of week; 0 8 * * 1-5 is 8:00 from Monday to Friday."
        )
        draft.report("automation.cron", node.place, say("'{written}' is not a schedule.", written=node.text), hint)


def _called(draft: Draft, place: Place, node: Node) -> Found | None:
    del draft
    return (Called(node.text, place), None) if isinstance(node, Scalar) else None


TRIGGERS: dict[str, Callable[[Draft, Place, Node], Found | None]] = {
    "entered": _entered(left=False),
    "left": _entered(left=True),
    "moved": _moved,
    "stays": _stays,
    "created": _created(deleted=False),
    "deleted": _created(deleted=True),
    "changed": _changed,
    "due": _due,
    "every": _every,
    "webhook": _called,
}
