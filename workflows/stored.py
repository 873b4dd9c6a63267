"""What the runtime keeps beside the records (moments, sentences, values of fields), as the system's tables have it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.spec.entity import Field, FieldType
from models.columns import MOMENT, codec
from models.json_text import written
from models.message import Message
from models.sealed import Safe
from models.tables import EntityTable

_OTHERWISE = object()
_KINDS: Mapping[FieldType, type | tuple[type, ...]] = {
    "integer": int, "decimal": Decimal, "money": Decimal, "boolean": bool, "date": date, "datetime": datetime,
    "duration": Duration, "choices": tuple, "reference": Mapping, "file": Mapping, "image": Mapping, "json": object,
}  # fmt: skip
"""What answers are in memory; those of other kinds are texts."""


def moment(value: datetime) -> Any:
    """Return the stored form of a moment."""
    return MOMENT.encode(value) if MOMENT.encode else value


def maybe_moment(value: datetime | None) -> Any:
    """Return the stored form of a moment, None for none."""
    return None if value is None else moment(value)


def read_moment(stored: Any) -> datetime | None:
    """Return the moment of a stored form, None for none."""
    if stored is None or isinstance(stored, datetime):
        return stored
    return datetime.fromisoformat(stored)


def must_moment(stored: Any) -> datetime:
    """Return the moment of a column that is always filled."""
    found = read_moment(stored)
    if found is None:
        raise ValueError("A moment is missing.")
    return found


def dump(value: Any) -> str:
    """Return JSON text."""
    return written(value)


def dump_message(message: Message | None) -> str | None:
    """Return a sentence of the product in a form that can still be translated when it is shown."""
    return None if message is None else dump([message.text, dict(message.values)])


def read_message(stored: str | None) -> Message | None:
    """Return the sentence that was kept; a text that is not one of ours stays as it is."""
    if not stored:
        return None
    try:
        text, values = json.loads(stored)
    except ValueError:
        text, values = "{reason}", {"reason": stored}
    return Message(text, values)


def dump_values(table: EntityTable, values: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return JSON text of some columns of a record, each in its stored form."""
    return dump({name: table.keep(name, values.get(name)) for name in names})


def read_values(table: EntityTable, stored: str | None) -> dict[str, Any]:
    """Return the values that `dump_values` kept; columns that the table has no longer are left out."""
    if not stored:
        return {}
    kept = json.loads(stored)
    return table.kept({name: form for name, form in kept.items() if name in table.shape.columns})


def dump_answers(fields: Mapping[str, Field], answers: Mapping[str, Any], safe: Safe) -> dict[str, Any]:
    """Return the answers of a form in the stored form of their fields; those to encrypted ones are sealed."""
    return {name: _encode(fields[name], value, safe) for name, value in answers.items() if name in fields}


def read_answers(fields: Mapping[str, Field], kept: Mapping[str, Any], safe: Safe) -> dict[str, Any]:
    """Return the answers that `dump_answers` kept.

    Questions that the form has no longer are left out, and answers of a kind that they had in another version.
    """
    found = {name: _decode(fields[name], value, safe) for name, value in kept.items() if name in fields}
    return {name: value for name, value in found.items() if value is not _OTHERWISE}


def _encode(field: Field, value: Any, safe: Safe) -> Any:
    if value is None:
        return None
    return safe.keep(field, value) if field.encrypted else codec(field).encoded(value)


def _decode(field: Field, stored: Any, safe: Safe) -> Any:
    if stored is None:
        return None
    try:
        if field.encrypted:
            return safe.kept(field, stored)
        form = codec(field)
        value = form.decoded(stored)
        same = form.encoded(value) == stored
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return _OTHERWISE
    return value if same and isinstance(value, _KINDS.get(field.type, str)) else _OTHERWISE
