"""Processes in words: their states, and who takes which step when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from admin.diagrams.svg import diagram
from admin.manual.acts import becoming
from admin.manual.conditions import condition
from admin.manual.telling import Telling
from definitions.spec.process import Approval, Process, State, Transition
from models.access import Access
from models.actor import Actor
from models.message import say
from models.rules import NEVER, plain

ITSELF, NOBODY = say("by itself"), say("nobody")
IF, SAID, ASKS, SETS = (
    say("Only if {condition}."),
    say("Otherwise it says: {message}"),
    say("It asks for {fields}."),
    say("It sets: {values}."),
)
UNDO, BULK, CONFIRM = (
    say("Can be taken back for {span}."),
    say("For many records at once."),
    say("It asks whether that is meant."),
)
AGREED, FOUR_EYES = (
    say("Happens once agreed to by {levels} ({count})."),
    say("Nobody agrees to what they asked for themselves."),
)
OPTIONAL = say("{field} (if wanted)")
INITIAL, FINAL, INSIDE, STALE, BESIDE = (
    say("the first"),
    say("final"),
    say("inside of {state}"),
    say("marked after {span} without a change"),
    say("what is inside runs side by side"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A state: what it is called, its colour, and what is to be known of it."""

    name: str
    label: str
    colour: str
    notes: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A transition: from where (None: from anywhere) to where, who takes it, and what is to be known of it."""

    name: str
    label: str
    sources: Markup | None
    target: Markup
    who: Markup
    notes: tuple[Markup, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A process in words, and as a picture."""

    process: Process
    label: str
    entity: Markup
    picture: Markup
    states: tuple[Place, ...]
    steps: tuple[Step, ...]


def way(tell: Telling, process: Process, access: Access) -> Way:
    """Return a process in words."""
    return Way(
        process,
        tell.words(process.label),
        tell.entity(process.entity),
        diagram(process, tell.words, key=f"picture-{process.name}"),
        tuple(_place(tell, process, state) for state in process.states.values()),
        tuple(_step(tell, process, transition, access) for transition in process.transitions.values()),
    )


def _place(tell: Telling, process: Process, state: State) -> Place:
    return Place(state.name, tell.words(state.label), state.colour, tuple(_about(tell, process, state)))


def _about(tell: Telling, process: Process, state: State) -> Iterator[Markup]:
    if state.parent is not None:
        yield tell.said(INSIDE, state=tell.state(process.name, state.parent))
    if state.initial:
        yield tell.html(INITIAL)
    if state.final:
        yield tell.html(FINAL)
    if state.parallel:
        yield tell.html(BESIDE)
    if state.stale_after is not None:
        yield tell.said(STALE, span=tell.span(state.stale_after))


def _step(tell: Telling, process: Process, transition: Transition, access: Access) -> Step:
    sources = None
    if not transition.anywhere:
        sources = tell.one_of([tell.state(process.name, name) for name in transition.sources])
    form = {name: each.field for name, each in transition.form.items()}
    return Step(
        transition.name,
        tell.words(transition.label),
        sources,
        tell.state(process.name, transition.target),
        tell.html(ITSELF) if transition.auto else _who(tell, process, transition, access),
        tuple(_notes(tell.asked(form), process, transition)),
    )


def _who(tell: Telling, process: Process, transition: Transition, access: Access) -> Markup:
    """Return the levels that may take a step, of some records at least."""
    levels = [name for name in tell.network.levels if name != "public" and _may(access, name, process, transition)]
    return tell.levels(levels) if levels else tell.html(NOBODY)


def _may(access: Access, level: str, process: Process, transition: Transition) -> bool:
    rights = access.rights(Actor("member", levels=(level,)))
    return plain(rights.transition(process.name, transition.name)) != NEVER


def _notes(tell: Telling, process: Process, transition: Transition) -> Iterator[Markup]:
    yield from _guarded(tell, transition)
    if transition.form:
        yield tell.said(ASKS, fields=tell.all_of([*_questions(tell, transition)]))
    if transition.set:
        yield tell.said(SETS, values=Markup(" · ").join(becoming(tell, process.entity, transition.set)))
    if transition.approval is not None:
        yield from _agreed(tell, transition.approval)
    if transition.undo is not None:
        yield tell.said(UNDO, span=tell.span(transition.undo))
    for holds, message in ((transition.bulk, BULK), (transition.confirm, CONFIRM)):
        if holds:
            yield tell.html(message)


def _guarded(tell: Telling, transition: Transition) -> Iterator[Markup]:
    if transition.guard is not None:
        yield tell.said(IF, condition=condition(tell, transition.guard))
        if transition.message is not None:
            yield tell.said(SAID, message=Markup("<q>{}</q>").format(tell.words(transition.message)))


def _questions(tell: Telling, transition: Transition) -> Iterator[Markup]:
    for question in transition.form.values():
        label = tell.name(question.field.label)
        yield label if question.required else tell.said(OPTIONAL, field=label)


def _agreed(tell: Telling, approval: Approval) -> Iterator[Markup]:
    yield tell.said(AGREED, levels=tell.levels(approval.by), count=Markup("{}").format(approval.quorum))
    if approval.four_eyes:
        yield tell.html(FOUR_EYES)
