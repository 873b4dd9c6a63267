"""Values as JSON has them, and records made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from definitions.duration import Duration
from definitions.text import Text
from models.record import Record
from models.records import Records

Titles = Mapping[str, Mapping[str, str]]


def plain(value: Any) -> Any:
    """Return a value that JSON lacks: a decimal as text, a moment as ISO 8601 in UTC, a duration as people write it."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Duration():
            return duration(value)
        case Mapping():
            return dict(value)
        case frozenset() | set():
            return sorted(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON.")


def moment(value: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, without the parts of a second that are nought."""
    text = value.astimezone(UTC).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


def duration(value: Duration) -> str:
    """Return a duration as the language writes it: `6 months`, `72h`, `3 working days`."""
    parts = [f"{value.months} months"] if value.months else []
    seconds = int(value.exact.total_seconds())
    if seconds or not (parts or value.working_hours or value.working_days):
        unit, length = next(each for each in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)) if seconds % each[1] == 0)
        parts.append(f"{seconds // length}{unit}")
    if value.working_days:
        parts.append(f"{value.working_days} working days")
    if value.working_hours:
        parts.append(f"{value.working_hours} working hours")
    return " ".join(parts)


def dump(body: Any) -> str:
    """Return JSON text."""
    return _encode(body)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain).encode


@lru_cache(maxsize=1024)
def _in_order(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def texts(text: Text, languages: Sequence[str]) -> dict[str, str]:
    """Return a text in each of the languages."""
    return {language: text.pick(language, *languages) for language in languages}


async def titles_of(records: Records, found: Iterable[Record], references: Mapping[str, str]) -> Titles:
    """Return the titles of what the named fields of records refer to, by entity and id: one query an entity."""
    wanted: dict[str, set[str]] = {}
    for record in found:
        for name, target in references.items():
            value = record.values.get(name)
            if value is not None:
                wanted.setdefault(target, set()).add(value["id"])
    return {entity: await records.labels(entity, ids) for entity, ids in wanted.items()}


def shown(record: Record, names: Sequence[str], references: Mapping[str, str], titles: Titles) -> dict[str, Any]:
    """Return a record as JSON: the named fields, and beside them (below `_`) what is known of the whole."""
    get = record.values.get
    found: dict[str, Any] = {
        "id": record.id,
        "version": record.version,
        "_title": record.title,
        "_may": _in_order(record.may),
        "_hidden": _in_order(record.hidden.intersection(names)) if record.hidden else (),
    }
    for name in names:
        found[name] = get(name)
    for name, target in references.items():
        value = found[name]
        if value is not None:
            found[name] = {"id": value["id"], "title": titles[target].get(value["id"])}
    return found
