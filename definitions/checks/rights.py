"""Rights: what nobody may do, and what the screens and forms of a level ask in vain."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import NOWHERE, Problem
from definitions.spec.access import Level, Rule
from definitions.spec.network import Network
from definitions.spec.process import Process, Transition
from definitions.spec.screen import Screen


def check_rights(checked: Checked) -> Iterator[Problem]:
    """Yield what nobody may read, take, fill in or see. Nothing while a level has holes."""
    if not checked.all_whole("level"):
        return
    yield from _entities(checked)
    for process in checked.network.processes.values():
        if checked.whole("entity", process.entity):
            for transition in process.transitions.values():
                yield from _transition(checked, process, transition)
    for screen in checked.network.screens.values():
        if not screen.generated and checked.whole("entity", screen.entity):
            yield from _columns(checked, screen)


def never(rule: Rule | None) -> bool:
    """Whether a rule grants no record."""
    return rule is not None and rule.reach == "none"


def reads(network: Network, level: Level, entity: str) -> bool:
    """Whether a level may read records of an entity; lines only with their parent."""
    access = level.entities.get(entity)
    parent = _parent(network, entity)
    if parent is not None:
        return reads(network, level, parent) and not (access is not None and never(access.read))
    consults = access is not None and "consult" in level.functions
    return level.everything or (consults and access is not None and not never(access.read))


def updates(network: Network, level: Level, entity: str) -> bool:
    """Whether a level may change records of an entity."""
    access = level.entities.get(entity)
    parent = _parent(network, entity)
    if parent is not None:
        return updates(network, level, parent) and not (access is not None and never(access.update))
    return level.everything or (access is not None and not never(access.update))


def _parent(network: Network, entity: str) -> str | None:
    found = network.entities.get(entity)
    return None if found is None else found.parent


def reads_field(network: Network, level: Level, entity: str, field: str) -> bool:
    """Whether a level may read a field of some record."""
    access = level.entities.get(entity)
    rule = None if access is None else access.fields.get(field)
    return level.everything or (reads(network, level, entity) and not (rule is not None and never(rule.read)))


def writes_field(network: Network, level: Level, entity: str, field: str) -> bool:
    """Whether a level may write a field of some record."""
    access = level.entities.get(entity)
    rule = None if access is None else access.fields.get(field)
    if rule is not None and rule.write is not None:
        return not never(rule.write)
    return updates(network, level, entity)


def takes(network: Network, level: Level, process: Process, transition: Transition) -> bool:
    """Whether a level may take a transition: `by` grants, the level's `transitions` narrow it."""
    if transition.by is None:
        granted = updates(network, level, process.entity)
    else:
        granted = level.name in transition.by and reads(network, level, process.entity)
    access = level.entities.get(process.entity)
    if access is None or access.transitions is None:
        return granted
    return granted and bool({transition.name, f"{process.name}.{transition.name}"} & set(access.transitions))


def _entities(checked: Checked) -> Iterator[Problem]:
    levels = sorted(checked.network.levels.values(), key=lambda level: not level.everything)  # who reads all, first
    for entity in checked.network.entities.values():
        if entity.place == NOWHERE or _of_nothing(checked, entity.name):
            continue
        if not any(reads(checked.network, level, entity.name) for level in levels):
            sentence = say("No level may read the entity {name}.", name=entity.name)
            yield Problem("entity.unreadable", entity.place, sentence, say("Give a level 'read' of it."))


def _of_nothing(checked: Checked, entity: str) -> bool:
    """Whether records are lines of what is not known: who may read that can't be told."""
    parent = _parent(checked.network, entity)
    if parent is not None:
        return _of_nothing(checked, parent)
    source = checked.sources.get("entity", {}).get(entity)
    return source is not None and source.word("parent") != ""


def _transition(checked: Checked, process: Process, transition: Transition) -> Iterator[Problem]:
    if transition.by == () or transition.auto:
        return  # an empty 'by' was reported where it is written
    known = checked.network.levels
    named = known.values() if transition.by is None else [known[name] for name in transition.by if name in known]
    levels = [level for level in named if takes(checked.network, level, process, transition)]
    yield from _agreeing(checked, process, transition)
    if not levels:
        sentence = say("No level may take the transition '{name}'.", name=transition.name)
        hint = say("Look at its 'by', and at 'read' and 'transitions' of these levels.")
        yield Problem("process.nobody", transition.place, sentence, hint)
    for question in transition.form.values():
        field = question.edits
        blocked = [
            level.name for level in levels if field and not writes_field(checked.network, level, process.entity, field)
        ]
        if blocked:
            sentence = say(
                "The form asks for '{field}', which may not be written by: {blocked}.",
                field=field,
                blocked=", ".join(blocked),
            )
            yield Problem(
                "process.form_field", question.place, sentence, say("Let the level write it, or take the question out.")
            )


def _agreeing(checked: Checked, process: Process, transition: Transition) -> Iterator[Problem]:
    """Yield that those who must agree to a transition see no record that it could be asked for of."""
    rule = transition.approval
    known = checked.network.levels
    if rule is None or any(name in known and reads(checked.network, known[name], process.entity) for name in rule.by):
        return
    sentence = say("Nobody can agree to the transition '{name}'.", name=transition.name)
    hint = say("Name levels in 'approval' that may read the entity {entity}.", entity=process.entity)
    yield Problem("process.nobody_agrees", rule.place, sentence, hint)


def _columns(checked: Checked, screen: Screen) -> Iterator[Problem]:
    levels = [
        level
        for level in checked.network.levels.values()
        if (level.name in screen.levels or not screen.levels) and reads(checked.network, level, screen.entity)
    ]
    for column in screen.columns:
        place = screen.column_places.get(column, screen.place)
        blind = [level.name for level in levels if not reads_field(checked.network, level, screen.entity, column)]
        if levels and len(blind) == len(levels):
            sentence = say("No level that has this screen may read the column '{column}'.", column=column)
            yield Problem(
                "screen.unreadable_column", place, sentence, say("Take the column out, or let a level read it.")
            )
        elif blind:
            sentence = say("The column '{column}' is empty for: {blind}.", column=column, blind=", ".join(blind))
            yield Problem("screen.hidden_column", place, sentence, say("They may not read it."), "warning")
