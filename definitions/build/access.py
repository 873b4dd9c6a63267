"""Levels of access, and terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from definitions.build.draft import Draft, entries, mapping, scalars, word
from definitions.build.fields import note_field
from definitions.build.member import MEMBER
from definitions.build.processes import IMPLIED_LEVELS
from definitions.documents import Source
from definitions.expr import Type
from definitions.message import say
from definitions.problems import NOWHERE, Place, did_you_mean
from definitions.source import Mapping, Node, Scalar
from definitions.spec.access import EVERYDAY, EntityAccess, FieldRule, Function, Level, Reach, Rule, Terms
from definitions.text import Text

REACHES: tuple[Reach, ...] = ("all", "mine", "downline", "none")
LEADER, PUBLIC = IMPLIED_LEVELS
LABELS = {LEADER: Text({"fr": "Responsable", "en": "Leader"}), PUBLIC: Text({"fr": "Public", "en": "Public"})}


def level_labels(draft: Draft) -> dict[str, Text]:
    """Return the labels of the levels that members can have."""
    quiet = Draft(draft.index)
    labels = {
        name: quiet.text(s.node.get("label") if s.node else None, name) for name, s in draft.index.of("level").items()
    }
    return {name: label for name, label in ({LEADER: LABELS[LEADER]} | labels).items() if name != PUBLIC}


def build_levels(draft: Draft) -> dict[str, Level]:
    """Return every level, `leader` and `public` among them."""
    built = draft.each("level", _level)
    if LEADER not in draft.index.of("level"):
        built[LEADER] = Level(LEADER, LABELS[LEADER], NOWHERE, {}, administration=True, everything=True)
    if PUBLIC not in draft.index.of("level"):
        built[PUBLIC] = Level(PUBLIC, LABELS[PUBLIC], NOWHERE, {})
    return built


def _level(draft: Draft, source: Source, node: Mapping) -> Level:
    label = draft.text(node.get("label"), source.name) if node.get("label") else LABELS.get(source.name)
    return Level(
        source.name,
        label or draft.text(None, source.name),
        source.place,
        dict(_entities(draft, node.get("entities"))),
        functions=_functions(node.get("functions")),
        administration=source.name == LEADER,
    )


def _functions(node: Node | None) -> frozenset[Function]:
    """Return the functions of a level; one that says nothing of them has those of every day."""
    return EVERYDAY if node is None else frozenset(cast("Function", item.text) for item in scalars(node))


def _entities(draft: Draft, node: Node | None) -> Iterator[tuple[str, EntityAccess]]:
    for name, key, value in entries(node):
        body = mapping(value)
        if body is not None and draft.known("entity", key, extra=[MEMBER]):
            yield name, _access(draft, name, key.place, body)


def _access(draft: Draft, entity: str, place: Place, body: Mapping) -> EntityAccess:
    unsaid: Reach = "all" if "parent" in draft.records.get(entity, {}) else "none"  # lines: as their parent

    def rule(key: str) -> Rule:
        return _rule(draft, entity, body.get(key)) or Rule(place, unsaid)

    transitions = body.get("transitions")
    return EntityAccess(
        entity,
        place,
        rule("read"),
        rule("create"),
        rule("update"),
        rule("delete"),
        dict(_fields(draft, entity, body.get("fields"))),
        None if transitions is None else _transitions(draft, entity, transitions),
    )


def _rule(draft: Draft, entity: str, node: Node | None) -> Rule | None:
    if not isinstance(node, Scalar):
        return None
    if isinstance(node.value, bool):
        return Rule(node.place, "all" if node.value else "none")
    reach = next((known for known in REACHES if known == node.text), None)
    if reach is not None:
        _check_reach(draft, entity, node)
        return Rule(node.place, reach)
    if node.text.isidentifier():
        sentence = say("'{written}' is neither a reach nor a condition.", written=node.text)
        draft.unfit("level.reach", node.place, sentence, did_you_mean(node.text, REACHES))
        return None
    names: dict[str, Type] = draft.base({"record": draft.record_type(entity)})
    found = draft.condition(node, names, query=True)
    return None if found is None else Rule(node.place, None, found)


def _check_reach(draft: Draft, entity: str, node: Scalar) -> None:
    owned = "owner" in draft.records.get(entity, {}) or "parent" in draft.records.get(entity, {}) or entity == MEMBER
    if node.text in {"mine", "downline"} and not owned and entity in draft.records:
        sentence = say(
            "Records of {entity} belong to nobody, so none are '{written}'.", entity=entity, written=node.text
        )
        draft.unfit(
            "level.no_owner",
            node.place,
            sentence,
            say("Say 'owner: true' in the entity {entity}, or 'all'.", entity=entity),
        )


def _fields(draft: Draft, entity: str, node: Node | None) -> Iterator[tuple[str, FieldRule]]:
    known = draft.records.get(entity, {})
    for name, key, value in entries(node):
        body = mapping(value)
        if not known:
            continue  # the entity can't be read: reported there
        if name not in known:
            sentence = say("The entity {entity} has no field '{name}'.", entity=entity, name=name)
            draft.unfit("field.unknown", key.place, sentence, did_you_mean(name, known))
        elif body is not None:
            note_field(draft, entity, key)
            read, write = (_rule(draft, entity, body.get(part)) for part in ("read", "write"))
            yield name, FieldRule(read, write, key.place)


def _transitions(draft: Draft, entity: str, node: Node) -> tuple[str, ...]:
    processes = draft.index.processes_of(entity)
    known: dict[str, tuple[str, str]] = {}
    for process in processes:
        for name in draft.index.part_names(process, "transitions"):
            known |= {name: (process, name), f"{process}.{name}": (process, name)}
    found = []
    for item in scalars(node):
        if item.text in known:
            found.append(item.text)
            process, name = known[item.text]
            draft.notes.name(("transition", process, name), item, len(item.text) - len(name))
        elif not draft.index.holes("process"):
            sentence = say("No process of {entity} has a transition '{written}'.", entity=entity, written=item.text)
            draft.unfit("process.unknown_transition", item.place, sentence, did_you_mean(item.text, known))
    return tuple(found)


def build_terms(draft: Draft) -> dict[str, Terms]:
    """Return every text of terms."""
    return draft.each("terms", _terms)


def _terms(draft: Draft, source: Source, node: Mapping) -> Terms:
    return Terms(
        source.name,
        draft.text(node.get("label"), source.name),
        draft.text(node.get("body")),
        word(node.get("version")),
        source.place,
        draft.names("level", node.get("for"), extra=IMPLIED_LEVELS),
    )
