"""One step of an automation in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import singledispatch

from markupsafe import Markup

from admin.manual.conditions import condition, value
from admin.manual.telling import OWNER, Telling
from definitions.spec import automation as spec
from definitions.spec.automation import Automation, Step
from definitions.spec.value import Value
from models.message import say

EMAIL, SMS, NOTIFY = (
    say("Send the e-mail {template} to {to}"),
    say("Send the text message {template} to {to}"),
    say("Tell {to} in the product: {template}"),
)
COPY, FILES, OWN_NAME = say("with a copy to {to}"), say("with {files} attached"), say("in the name of who follows it")
EVERYBODY = say("every member of the level {level}")
DOCUMENT = say("Write the document {template} into {field}")
SET, BECOMES = say("Change: {values}"), say("{field}: {value}")
CREATE, SAME = say("Create {entity}: {values}"), say("with the same {fields}")
MOVE, MOVE_OTHER = say("Take the step {move}"), say("Take the step {move} of {record}")
TASK, TASK_DUE = say("Task for {member}: {title}"), say("Task for {member}: {title} (due: {due})")
WEBHOOK = say("Call another system: {url}")
ASSIGN, TURN, LEAST, ANYONE = (
    say("Have {member} follow it"),
    say("Have it followed in turn by the members for whom {condition}"),
    say("Have it followed by who has least to do, of the members for whom {condition}"),
    say("they are active"),
)
RUN, STOP = say("Begin {automation}"), say("End here")
OTHER = say("{act} (about {record})")


def act(tell: Telling, automation: Automation, step: Step) -> Markup:
    """Return what a step does; one that is about another record than the automation's says which."""
    says = _act(step, tell, automation)
    if step.subject is None:
        return says
    return tell.said(OTHER, act=says, record=value(tell, step.subject))


@singledispatch
def _act(step: object, tell: Telling, automation: Automation) -> Markup:
    raise TypeError(step, tell, automation)


def _template(tell: Telling, name: str) -> Markup:
    label = tell.words(tell.network.templates[name].label)
    return Markup('<a href="#template-{}">{}</a>').format(name, label)


def _to(tell: Telling, given: tuple[Value, ...], level: str | None) -> Markup:
    found = [value(tell, each) for each in given]
    if level is not None:
        found.append(tell.said(EVERYBODY, level=tell.name(tell.network.levels[level].label)))
    return tell.all_of(found)


def _values(tell: Telling, entity: str | None, given: Mapping[str, Value]) -> Markup:
    return Markup(" · ").join(_becoming(tell, entity, given))


def _becoming(tell: Telling, entity: str | None, given: Mapping[str, Value]) -> Iterator[Markup]:
    for name, each in given.items():
        about = tell.column(entity or "", name)
        shown = tell.field(entity or "", name)
        yield tell.said(BECOMES, field=shown, value=value(tell, each, about))


def becoming(tell: Telling, entity: str, given: Mapping[str, Value]) -> tuple[Markup, ...]:
    """Return what fields of an entity become."""
    return tuple(_becoming(tell, entity, given))


@_act.register
def _(step: spec.Email, tell: Telling, automation: Automation) -> Markup:
    del automation
    parts = [tell.said(EMAIL, template=_template(tell, step.template), to=_to(tell, step.to, step.to_level))]
    if step.cc or step.cc_level:
        parts.append(tell.said(COPY, to=_to(tell, step.cc, step.cc_level)))
    about = tell.network.templates[step.template].about or ""
    if step.attach:
        parts.append(tell.said(FILES, files=tell.all_of([tell.field(about, name) for name in step.attach])))
    if step.sender == "owner":
        parts.append(tell.html(OWN_NAME))
    return Markup(", ").join(parts)


@_act.register
def _(step: spec.Sms, tell: Telling, automation: Automation) -> Markup:
    del automation
    return tell.said(SMS, template=_template(tell, step.template), to=_to(tell, step.to, step.to_level))


@_act.register
def _(step: spec.Notify, tell: Telling, automation: Automation) -> Markup:
    del automation
    return tell.said(NOTIFY, template=_template(tell, step.template), to=_to(tell, step.to, step.to_level))


@_act.register
def _(step: spec.Document, tell: Telling, automation: Automation) -> Markup:
    about = tell.network.templates[step.template].about or automation.entity or ""
    return tell.said(DOCUMENT, template=_template(tell, step.template), field=tell.field(about, step.to_field))


@_act.register
def _(step: spec.SetFields, tell: Telling, automation: Automation) -> Markup:
    return tell.said(SET, values=_values(tell, _entity(step, automation), step.values))


def _entity(step: Step, automation: Automation) -> str | None:
    """Return the entity of the record that a step is about."""
    kind = None if step.subject is None or step.subject.expression is None else step.subject.expression.type
    return getattr(kind, "entity", automation.entity)


@_act.register
def _(step: spec.Create, tell: Telling, automation: Automation) -> Markup:
    del automation
    shown = {name: value(tell, each, tell.column(step.entity, name)) for name, each in step.values.items()}
    same = [name for name, said in shown.items() if said == tell.field(step.entity, name)]
    others = {name: each for name, each in step.values.items() if name not in same}
    values = [*_becoming(tell, step.entity, others)]
    if same:
        values.append(tell.said(SAME, fields=tell.all_of([shown[name] for name in same])))
    return tell.said(CREATE, entity=tell.entity(step.entity), values=Markup(" · ").join(values))


@_act.register
def _(step: spec.Move, tell: Telling, automation: Automation) -> Markup:
    del automation
    move = tell.name(tell.network.processes[step.process].transitions[step.transition].label)
    if step.record is None:
        return tell.said(MOVE, move=move)
    return tell.said(MOVE_OTHER, move=move, record=value(tell, step.record))


@_act.register
def _(step: spec.Task, tell: Telling, automation: Automation) -> Markup:
    del automation
    member = tell.html(OWNER) if step.for_member is None else value(tell, step.for_member)
    if step.due is None:
        return tell.said(TASK, member=member, title=tell.name(step.title))
    return tell.said(TASK_DUE, member=member, title=tell.name(step.title), due=value(tell, step.due))


@_act.register
def _(step: spec.Webhook, tell: Telling, automation: Automation) -> Markup:
    del automation
    return tell.said(WEBHOOK, url=value(tell, step.url))


@_act.register
def _(step: spec.Assign, tell: Telling, automation: Automation) -> Markup:
    del automation
    if step.to is not None:
        return tell.said(ASSIGN, member=value(tell, step.to))
    among = tell.html(ANYONE) if step.among is None else condition(tell, step.among)
    return tell.said(TURN if step.pick == "round_robin" else LEAST, condition=among)


@_act.register
def _(step: spec.Run, tell: Telling, automation: Automation) -> Markup:
    del automation
    label = tell.words(tell.network.automations[step.automation].label)
    link = Markup('<a href="#automation-{}">{}</a>').format(step.automation, label)
    return tell.said(RUN, automation=link)


@_act.register
def _(step: spec.Stop, tell: Telling, automation: Automation) -> Markup:
    del step, automation
    return tell.html(STOP)
