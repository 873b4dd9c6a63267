"""The steps that tell people something: e-mails, text messages, notifications, and documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from definitions.build.draft import mapping, scalars, word
from definitions.build.fields import note_field
from definitions.build.member import MEMBER
from definitions.build.processes import IMPLIED_LEVELS
from definitions.build.values import UnfitError, computed, is_expression, literal
from definitions.documents import Source
from definitions.expr import STRING, ListOf, RecordOf, Type
from definitions.message import say
from definitions.problems import Place, did_you_mean
from definitions.source import Mapping, Node, Scalar
from definitions.spec.automation import Document, Email, Notify, Sms
from definitions.spec.entity import Field
from definitions.spec.value import Value
from definitions.text import plain

if TYPE_CHECKING:
    from definitions.build.steps import Shared, Steps

_MEMBERS: tuple[Type, ...] = (RecordOf(MEMBER), ListOf(RecordOf(MEMBER)))
_PEOPLE: tuple[Type, ...] = (STRING, RecordOf(MEMBER), ListOf(STRING), ListOf(RecordOf(MEMBER)))
_NOWHERE = Place("", 1, 1)
FILES = frozenset({"file", "image"})
"""Types of fields whose files can go along with an e-mail."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to people: the channel of its templates, the types of its recipients, and what a literal one is."""

    name: str
    types: tuple[Type, ...]
    literal: Field | None


_EMAIL = Channel("email", _PEOPLE, Field("to", "email", plain(""), _NOWHERE))
_SMS = Channel("sms", _PEOPLE, Field("to", "phone", plain(""), _NOWHERE))
_NOTIFICATION = Channel("notification", _MEMBERS, None)


def email(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Email | None:
    """Build `email`."""
    inner = mapping(body.get("email"))
    template = _template(steps, inner, _EMAIL.name)
    if inner is None or template is None:
        return None
    to, to_level = _people(steps, inner.get("to"), names, _EMAIL)
    cc, cc_level = _people(steps, inner.get("cc"), names, _EMAIL)
    return Email(
        **shared,
        template=template,
        to=to,
        to_level=to_level,
        cc=cc,
        cc_level=cc_level,
        sender=cast("Literal['owner', 'network']", word(inner.get("from")) or "network"),
        attach=_attached(steps, body, inner),
    )


def sms(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Sms | None:
    """Build `sms`."""
    inner = mapping(body.get("sms"))
    template = _template(steps, inner, _SMS.name)
    if inner is None or template is None:
        return None
    to, to_level = _people(steps, inner.get("to"), names, _SMS)
    return Sms(**shared, template=template, to=to, to_level=to_level)


def notify(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Notify | None:
    """Build `notify`."""
    inner = mapping(body.get("notify"))
    template = _template(steps, inner, _NOTIFICATION.name)
    if inner is None or template is None:
        return None
    to, to_level = _people(steps, inner.get("to"), names, _NOTIFICATION)
    return Notify(**shared, template=template, to=to, to_level=to_level)


def document(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Document | None:
    """Build `document`."""
    del names
    inner = mapping(body.get("document"))
    template = _template(steps, inner, "document")
    field = inner.get("to_field") if inner else None
    if template is None or not isinstance(field, Scalar) or not steps.needs_record(body, "document"):
        return None
    fits = _file_field(steps, field, frozenset({"file"}))
    return Document(**shared, template=template, to_field=field.text) if fits else None


def _template(steps: Steps, inner: Mapping | None, channel: str) -> str | None:
    """Return the template that is named, when it is one of the channel."""
    node = inner.get("template") if inner else None
    if not isinstance(node, Scalar) or not steps.draft.known("template", node):
        return None
    source = cast("Source", steps.draft.source("template", node.text))
    written = source.raw
    found = word(written.get("channel")) if written else channel
    if found != channel:
        sentence = say(
            "The template '{written}' is of the channel {channel}, not {wanted}.",
            written=node.text,
            channel=found,
            wanted=channel,
        )
        hint = say("Name a template with 'channel: {wanted}'.", wanted=channel)
        steps.draft.unfit("automation.channel", node.place, sentence, hint)
    about = word(written.get("about")) if written else ""
    if about and about != steps.entity and not (steps.entity is None and steps.damaged()):
        what = say("is about {entity}", entity=steps.entity) if steps.entity else say("has no record")
        sentence = say(
            "The template '{written}' is about {about}; this automation {what}.",
            written=node.text,
            about=about,
            what=what,
        )
        steps.draft.unfit("automation.about", node.place, sentence, say("Use a template about the same entity."))
    return node.text if found == channel else None


def _people(
    steps: Steps, node: Node | None, names: dict[str, Type], channel: Channel
) -> tuple[tuple[Value, ...], str | None]:
    body = mapping(node)
    if body is not None:
        level = body.get("level")
        if isinstance(level, Scalar) and steps.draft.known("level", level, extra=IMPLIED_LEVELS):
            return (), level.text
        return (), None
    found = (_recipient(steps, item, names, channel) for item in scalars(node))
    return tuple(value for value in found if value is not None), None


def _recipient(steps: Steps, node: Scalar, names: dict[str, Type], channel: Channel) -> Value | None:
    if is_expression(node):
        return computed(steps.draft, node, steps.around(names), channel.types)
    try:
        if channel.literal is not None:
            return Value(node.place, literal(channel.literal, node))
        message: str = say("'{text}' is not {what}.", text=node.text, what=say("a member"))
        hint = say("Write a member: =record.owner, or a level.")
    except UnfitError as error:
        message, hint = error.message, say("An expression begins with '=': ={written}.", written=node.text)
    steps.draft.report("value.type", node.place, message, hint)
    return None


def _attached(steps: Steps, body: Mapping, inner: Mapping) -> tuple[str, ...]:
    fields = list(scalars(inner.get("attach")))
    if not fields or not steps.needs_record(body, "email"):
        return ()
    return tuple(field.text for field in fields if _file_field(steps, field, FILES))


def _file_field(steps: Steps, node: Scalar, types: frozenset[str]) -> bool:
    """Whether a field of the record that holds files is named here; reports it when not."""
    entity = steps.entity or ""
    shapes = steps.draft.shapes.get(entity)
    if shapes is None:
        return False  # the entity can't be read: reported there
    shape = shapes.get(node.text)
    if shape is None and node.text in steps.draft.records.get(entity, {}):
        shape = Field(node.text, "text", plain(""), node.place)
    if shape is None:
        sentence = say("{entity} has no field '{name}'.", entity=entity, name=node.text)
        steps.draft.unfit("automation.file_field", node.place, sentence, did_you_mean(node.text, list(_files(steps))))
        return False
    if shape.type not in types:
        sentence = say("The field '{name}' holds no file.", name=node.text)
        hint = say("Name a field of the type {types}.", types=say("file") if len(types) == 1 else say("file or image"))
        steps.draft.unfit("automation.file_field", node.place, sentence, hint)
        return False
    note_field(steps.draft, entity, node)
    return True


def _files(steps: Steps) -> Iterator[str]:
    for name, shape in steps.draft.shapes.get(steps.entity or "", {}).items():
        if shape.type in FILES:
            yield name
