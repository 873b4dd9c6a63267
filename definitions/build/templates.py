"""Templates of messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from definitions.build.draft import NETWORK, SETTINGS, Draft, word
from definitions.build.jinja import LINKS, Paths, check_template
from definitions.build.member import MEMBER
from definitions.documents import Source
from definitions.expr import RecordOf, Type
from definitions.message import say
from definitions.source import Mapping, Node, Scalar
from definitions.spec.template import Template

Channel = Literal["email", "sms", "notification", "document"]


def build_templates(draft: Draft) -> dict[str, Template]:
    """Return every template that can be built."""
    return draft.each("template", _template)


def _template(draft: Draft, source: Source, node: Mapping) -> Template:
    channel = cast("Channel", word(node.get("channel")))
    about = node.get("about")
    entity = None
    if isinstance(about, Scalar):
        entity = about.text if draft.known("entity", about, extra=[MEMBER]) else None
    _check_subject(draft, node, channel)
    names = _names(draft, entity, has_about=about is not None)
    shown: dict[str, Paths] = {}
    for part in (node.get("subject"), node.get("body")):
        for language, scalar in _languages(part):
            shown.setdefault(language, {}).update(check_template(draft, scalar, names))
    _compare(draft, shown)
    reads = frozenset(tuple(path.split(".")) for each in shown.values() for path in each)
    draft.used |= {("setting", path[1]) for path in reads if path[0] == "settings"}
    return Template(
        source.name,
        draft.text(node.get("label"), source.name),
        channel,
        draft.text(node.get("body")),
        source.place,
        subject=draft.optional_text(node.get("subject")),
        about=entity,
        reads=reads,
    )


def _names(draft: Draft, entity: str | None, *, has_about: bool) -> dict[str, Type]:
    member = RecordOf(MEMBER)
    names: dict[str, Type] = {
        "member": member,
        "recipient": member,
        "actor": member,
        "network": RecordOf(NETWORK),
        "settings": RecordOf(SETTINGS),
        "links": RecordOf(LINKS),
    }
    if has_about:
        names["record"] = draft.record_type(entity)
    return names


def _check_subject(draft: Draft, node: Mapping, channel: Channel) -> None:
    subject = node.entries.get("subject")
    if channel == "sms" and subject is not None:
        draft.report("template.subject", subject.key.place, say("An SMS has no subject."), say("Leave 'subject' out."))
    elif channel != "sms" and subject is None:
        draft.unfit("template.subject", node.place, say("This template has no subject."), say("Add 'subject:'."))


def _languages(node: Node | None) -> Iterator[tuple[str, Scalar]]:
    if isinstance(node, Scalar):
        yield "", node
    elif isinstance(node, Mapping):
        for language, entry in node.entries.items():
            if isinstance(entry.value, Scalar):
                yield language, entry.value


def _compare(draft: Draft, shown: dict[str, Paths]) -> None:
    """Warn of a variable that one language shows and another does not."""
    languages = {name: paths for name, paths in shown.items() if name}
    for language, paths in languages.items():
        for path, place in paths.items():
            without = [
                other for other, others in languages.items() if path not in others and path not in shown.get("", {})
            ]
            if without:
                sentence = say(
                    "'{path}' is shown in {language}, but not in {without}.",
                    path=path,
                    language=language,
                    without=", ".join(without),
                )
                draft.report(
                    "template.one_language", place, sentence, say("Say the same in each language."), severity="warning"
                )
