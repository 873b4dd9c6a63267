"""The network itself: languages, calendar, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast
from zoneinfo import ZoneInfo

from definitions.build.draft import CALL, NETWORK, SETTINGS, Draft, entries, mapping, number, scalars, word
from definitions.build.fields import member_of, options
from definitions.build.known import check_known, known_names
from definitions.build.values import UnfitError, literal
from definitions.expr import DATETIME, STRING, ListOf, Member
from definitions.message import say
from definitions.source import Mapping, Node, Scalar
from definitions.spec.entity import Field, FieldType
from definitions.spec.network import Calendar, Network, Setting, Weekday

_MEMBERS = {
    NETWORK: {
        **{name: Member(STRING, nullable=False, stored=False) for name in ("name", "label", "timezone", "currency")},
        **{name: Member(ListOf(STRING), nullable=False, stored=False) for name in ("languages", "countries")},
    },
    CALL: {
        **{name: Member(STRING, nullable=False, stored=False) for name in ("name", "id")},
        "at": Member(DATETIME, nullable=False, stored=False),
    },
}


def build_network(draft: Draft) -> Network | None:
    """Return the network with its settings, without the definitions; None where it can't be read."""
    source = next(iter(draft.index.of("network").values()), None)
    draft.index.declared.records |= {NETWORK: dict(_MEMBERS[NETWORK]), CALL: dict(_MEMBERS[CALL]), SETTINGS: {}}
    if source is None or source.node is None:
        return None
    draft.current = source
    node = source.node
    draft.languages = tuple(item.text for item in scalars(node.get("languages"))) or ("fr",)
    for code, key in (
        ("network.language", "languages"),
        ("network.country", "countries"),
        ("network.currency", "currency"),
    ):
        for item in scalars(node.get(key)):
            check_known(draft, code, item)
    timezone = _timezone(draft, node.get("timezone"))
    settings = dict(_settings(draft, node.get("settings"), ZoneInfo(timezone)))
    return Network(
        source.name,
        draft.text(node.get("label"), source.name),
        source.place,
        languages=draft.languages,
        timezone=timezone,
        currency=word(node.get("currency")) or "EUR",
        countries=tuple(item.text for item in scalars(node.get("countries"))),
        calendar=_calendar(draft, mapping(node.get("calendar"))),
        hue=number(node.get("hue"), 172),
        settings=settings,
    )


def _timezone(draft: Draft, node: Node | None) -> str:
    check_known(draft, "network.timezone", node)
    known = isinstance(node, Scalar) and node.text in known_names("network.timezone")
    return word(node) if known else "Europe/Paris"


def _calendar(draft: Draft, node: Mapping | None) -> Calendar:
    if node is None:
        return Calendar()
    days = tuple(cast("Weekday", item.text) for item in scalars(node.get("days")))
    opens, closes = _hours(draft, node.get("hours"))
    holidays = node.get("holidays")
    check_known(draft, "network.holidays", holidays)
    return Calendar(days or Calendar().days, opens, closes, holidays.text if isinstance(holidays, Scalar) else None)


def _hours(draft: Draft, node: Node | None) -> tuple[int, int]:
    default = Calendar()
    if not isinstance(node, Scalar):
        return default.opens, default.closes
    opens, closes = (_minutes(part) for part in node.text.split("-"))
    if opens >= closes:
        draft.report(
            "network.hours",
            node.place,
            say("The day closes before it opens."),
            say("Write the earlier hour first: 09:00-18:30."),
        )
        return default.opens, default.closes
    return opens, closes


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _settings(draft: Draft, node: Node | None, timezone: ZoneInfo) -> Iterator[tuple[str, Setting]]:
    for name, key, value in entries(node):
        body = mapping(value)
        if body is None:
            continue
        kind = cast("FieldType", word(body.get("type")))
        label = draft.text(body.get("label"), name)
        shape = Field(name, kind, label, key.place, options=dict(options(draft, body.get("options"))))
        if kind == "choice" and not shape.options:
            draft.unfit(
                "field.options",
                key.place,
                say("The choice '{name}' has no options.", name=name),
                say("Add 'options: {…}'."),
            )
        start = body.get("value")
        found = None
        if start is not None:
            try:
                found = literal(shape, start, timezone)
            except UnfitError as error:
                draft.report("value.type", start.place, error.message, error.hint)
        member = member_of(draft, shape, ("setting",))
        draft.index.declared.records[SETTINGS][name] = replace(member, nullable=True, stored=False)
        yield name, Setting(name, kind, found, label, key.place, shape.options)
