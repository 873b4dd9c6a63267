"""Values written for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from babel import dates

from admin.parts.columns import NUMBERS, Column
from admin.parts.reader import Reader
from definitions.charts.process import leaves_of
from definitions.duration import Duration
from models.attachment import Attachment

Titles = Mapping[str, Mapping[str, str]]
"""Titles of records by entity and id: those that the reader may see."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a page shows it. `text` is empty when there is nothing to show.

    `kind` says how: `state` (a pill in `colour`), `states` (a pill for each of `parts`), `link` (to `href`),
    `number`, `long`, `file` and `picture` (where `href` says it is), else plain text.
    """

    text: str = ""
    kind: str = "plain"
    colour: str = ""
    href: str = ""
    parts: tuple[Shown, ...] = ()


NOTHING = Shown()
LONG_AGO = timedelta(days=300)


def show(column: Column, value: Any, reader: Reader, titles: Titles, *, base: str = "") -> Shown:  # noqa: C901, PLR0911 - one line a kind
    """Return the value of a column for its reader; references link below `base` (`/n/demo/e`)."""
    if value is None or value in ("", ()):
        return NOTHING
    match column.kind:
        case "state":
            parts = tuple(_state(column, name) for name in leaves_of(value))
            return parts[0] if len(parts) == 1 else Shown(", ".join(each.text for each in parts), "states", parts=parts)
        case "reference":
            return _reference(column, value, titles, base)
        case "email":
            return Shown(str(value), "link", href=f"mailto:{quote(str(value), safe='@')}")
        case "phone":
            return Shown(reader.formats.phone(value), "link", href=f"tel:{value}")
        case "url":
            safe = str(value).startswith(("https://", "http://"))
            return Shown(str(value), "link", href=str(value)) if safe else Shown(str(value))
        case "long_text":
            return Shown(str(value), "long")
        case "file" | "image" if isinstance(value, Attachment):
            return Shown(value.name, "picture" if value.is_picture else "file")
        case kind:
            return Shown(write(column, value, reader, titles), "number" if kind in NUMBERS else "plain")


def _state(column: Column, name: str) -> Shown:
    option = column.option(name)
    return Shown(option.label if option else name, "state", option.colour if option else "grey")


def write(column: Column, value: Any, reader: Reader, titles: Titles) -> str:  # noqa: C901, PLR0911, PLR0912 - one line a kind
    """Return the value as plain text: for cards, chips and histories."""
    formats = reader.formats
    match column.kind:
        case _ if value is None or value in ("", ()):
            return ""
        case "state":
            return ", ".join(write_option(column, each) for each in leaves_of(value))
        case "choice":
            return write_option(column, value)
        case "choices":
            return ", ".join(write_option(column, each) for each in value)
        case "country":
            return formats.country(value)
        case "language":
            return formats.language_name(value)
        case "boolean":
            return formats.boolean(value)
        case "date":
            return formats.date(value)
        case "datetime":
            return formats.datetime(value)
        case "money":
            return formats.money(value)
        case "integer" | "decimal":
            return _with_unit(formats.number(value), column, reader)
        case "phone":
            return formats.phone(value)
        case "duration":
            return duration(value, reader)
        case "reference":
            return titles.get(column.to or "", {}).get(reference_id(value), "")
        case "file" | "image":
            return value.name if isinstance(value, Attachment) else ""
        case "json":
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def brief(column: Column, value: Any, reader: Reader, titles: Titles) -> Shown:
    """Return a value for a list: like `show`, but a moment is written short, one long ago without its hour."""
    if column.kind == "datetime" and value is not None:
        if reader.formats.now - value > LONG_AGO:
            return Shown(reader.formats.date(value))
        return Shown(f"{reader.formats.short_day(value)}, {reader.formats.time(value)}")
    return show(column, value, reader, titles)


def write_option(column: Column, name: object) -> str:
    """Return the label of an option, the name itself when there is no such option."""
    option = column.option(name)
    return option.label if option else str(name)


def reference_id(value: Any) -> str:
    """Return the id that a reference holds, however it is held."""
    return str(value["id"]) if isinstance(value, Mapping) else str(value)


def duration(value: Any, reader: Reader) -> str:
    """Write a span: `3 days`, `2 months`, `4 working hours`."""
    if not isinstance(value, Duration):
        return str(value)
    parts = []
    if value.months:
        years, months = divmod(value.months, 12)
        if months:
            parts.append(reader.count("{n} month", "{n} months", value.months))
        else:
            parts.append(reader.count("{n} year", "{n} years", years))
    if value.exact:
        parts.append(_exact(value.exact, reader))
    if value.working_days:
        parts.append(reader.count("{n} working day", "{n} working days", value.working_days))
    if value.working_hours:
        parts.append(reader.count("{n} working hour", "{n} working hours", value.working_hours))
    return " ".join(parts)


def _reference(column: Column, value: Any, titles: Titles, base: str) -> Shown:
    record_id = reference_id(value)
    title = titles.get(column.to or "", {}).get(record_id)
    if title is None:
        return NOTHING
    return Shown(title, "link", href=f"{base}/{column.to}/{record_id}") if base else Shown(title)


def _with_unit(text: str, column: Column, reader: Reader) -> str:
    unit = column.field.unit if column.field else None
    return f"{text}\u00a0{reader.words(unit)}" if unit else text


def _exact(span: timedelta, reader: Reader) -> str:
    locale = reader.formats.locale
    if not span % timedelta(days=1):
        return dates.format_timedelta(span, granularity="day", threshold=1000, locale=locale)
    if not span % timedelta(hours=1):
        return dates.format_timedelta(span, granularity="hour", threshold=1000, locale=locale)
    return dates.format_timedelta(span, granularity="minute", threshold=1000, locale=locale)


def plain_number(value: Decimal | int) -> str:
    """Return a number as an input of the browser wants it: a dot, no separators, no exponent."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
