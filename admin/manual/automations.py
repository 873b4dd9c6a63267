"""What an automation does, in words: its steps as a list, with lists inside for choices and loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from admin.manual.acts import act
from admin.manual.conditions import condition, value
from admin.manual.telling import Telling
from admin.manual.triggers import begins
from definitions.spec.automation import Automation, Choose, ForEach, Selection, Step, Wait
from definitions.spec.value import Value
from models.message import say

CAUSE = say("who caused it")
IF, AND_IF, ELSE = say("If {condition}:"), say("Else, if {condition}:"), say("Else:")
ONLY_IF = say("Only if {condition}.")
BEGUN = say("When another automation begins it")
ONE_WAY = say("Depending on the case:")
FOR_EACH, FOR_EACH_OF, FOR_EACH_WHERE = (
    say("For each of {list}:"),
    say("For each {entity}:"),
    say("For each {entity} where {condition}:"),
)
AT_MOST = say("{count} at most")
GOES_ON = say("If this fails, it goes on with what follows.")
AGAIN = say("If this fails, it is tried {times} times more.")
WAITS, UNTIL, MEANWHILE = (
    say("Wait {span}."),
    say("Wait until {time}."),
    say("If meanwhile {condition}, it ends here."),
)
IN_TURN = {
    "restart": say("What happens again meanwhile has it begin anew."),
    "queued": say("What happens again meanwhile waits until it is over."),
    "parallel": say("What happens again meanwhile has it run beside itself."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A step: what it does, what is to be said of it, and the steps inside (`ways`: one of these is gone)."""

    says: Markup
    notes: tuple[Markup, ...] = ()
    inside: tuple[Line, ...] = ()
    ways: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """An automation in words."""

    name: str
    label: str
    begins: tuple[Markup, ...]
    only_if: Markup | None
    lines: tuple[Line, ...]
    notes: tuple[Markup, ...]


def story(tell: Telling, automation: Automation) -> Story:
    """Return what an automation does."""
    about = Telling(tell.reader, CAUSE)
    only_if = None
    if automation.condition is not None:
        only_if = about.said(ONLY_IF, condition=condition(about, automation.condition))
    mode = IN_TURN.get(automation.mode)
    return Story(
        automation.name,
        tell.words(automation.label),
        tuple(begins(about, trigger) for trigger in automation.triggers) or (about.html(BEGUN),),
        only_if,
        tuple(_lines(about, automation, automation.steps)),
        () if mode is None else (about.html(mode),),
    )


def _lines(tell: Telling, automation: Automation, steps: tuple[Step, ...]) -> Iterator[Line]:
    for step in steps:
        match step:
            case Choose():
                ways = tuple(_ways(tell, automation, step))
                notes = tuple(_notes(tell, step))
                yield Line(tell.html(ONE_WAY), notes, ways, ways=True) if len(ways) > 1 or notes else ways[0]
            case ForEach():
                says, notes = _through(tell, step.items)
                inside = tuple(_lines(tell, automation, step.steps))
                yield Line(says, (*notes, *_notes(tell, step)), inside)
            case Wait():
                yield Line(_waits(tell, step), tuple(_notes(tell, step)))
            case _:
                yield Line(act(tell, automation, step), tuple(_notes(tell, step)))


def _ways(tell: Telling, automation: Automation, step: Choose) -> Iterator[Line]:
    for number, branch in enumerate(step.branches):
        says = tell.said(AND_IF if number else IF, condition=condition(tell, branch.condition))
        yield Line(says, (), tuple(_lines(tell, automation, branch.steps)))
    if step.otherwise:
        yield Line(tell.html(ELSE), (), tuple(_lines(tell, automation, step.otherwise)))


def _through(tell: Telling, items: Selection | Value) -> tuple[Markup, tuple[Markup, ...]]:
    """Return what a loop goes through."""
    if not isinstance(items, Selection):
        return tell.said(FOR_EACH, list=value(tell, items)), ()
    entity = tell.entity(items.entity)
    most = () if items.limit is None else (tell.said(AT_MOST, count=Markup("{}").format(items.limit)),)
    if items.where is None:
        return tell.said(FOR_EACH_OF, entity=entity), most
    return tell.said(FOR_EACH_WHERE, entity=entity, condition=condition(tell, items.where)), most


def _waits(tell: Telling, step: Wait) -> Markup:
    says = (
        tell.said(WAITS, span=value(tell, step.duration))
        if step.until is None
        else tell.said(UNTIL, time=value(tell, step.until))
    )
    if step.cancel_if is None:
        return says
    return Markup("{} {}").format(says, tell.said(MEANWHILE, condition=condition(tell, step.cancel_if)))


def _notes(tell: Telling, step: Step) -> Iterator[Markup]:
    """Yield what holds of any step."""
    if step.condition is not None:
        yield tell.said(ONLY_IF, condition=condition(tell, step.condition))
    if step.retry is not None:
        yield tell.said(AGAIN, times=Markup("{}").format(step.retry.times))
    if step.on_error == "continue":
        yield tell.html(GOES_ON)
