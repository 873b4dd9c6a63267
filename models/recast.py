"""Values of a field whose type changed: what each becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from definitions.duration import Duration
from definitions.spec.entity import Field
from models.columns import codec
from models.sealed import Safe
from models.tx import Dialect
from models.values import Locality, ValueRefusedError, convert


@dataclass(frozen=True, slots=True)
class Recast:
    """Converts stored values of `was` into stored values of `now`."""

    was: Field
    now: Field
    timezone: ZoneInfo
    dialect: Dialect = "sqlite"

    def __call__(self, stored: Any) -> tuple[Any, bool]:
        """Return the new stored form (None where there is none), and whether nothing of the value was lost."""
        if self.was.type == "reference" or self.now.type == "reference":
            return None, False
        fresh, whole = self.value(codec(self.was).on(self.dialect).decoded(stored))
        return codec(self.now).on(self.dialect).encoded(fresh), whole

    def value(self, value: Any) -> tuple[Any, bool]:
        """Return what a value (not None) becomes, None where there is none, and whether nothing of it was lost."""
        if (self.was.type, self.was.scale) == (self.now.type, self.now.scale):
            return value, True
        try:
            fresh = convert(self.now, self._raw(value), Locality(self.timezone))
        except (ValueRefusedError, ValueError, ArithmeticError):
            return None, False
        if fresh is None:
            return None, value in ("", ())
        return fresh, self._is_whole(value, fresh)

    def sealed(self, safe: Safe, record: str, stored: Any) -> Any:
        """Return the new stored form of a record's value where one of the fields, or both, are encrypted."""
        fresh, _ = self.value_of(safe, record, stored)
        if fresh is None:
            return None
        return (
            safe.seal(self.now, record, fresh)
            if self.now.encrypted
            else codec(self.now).on(self.dialect).encoded(fresh)
        )

    def value_of(self, safe: Safe, record: str, stored: Any) -> tuple[Any, bool]:
        """Return what a record's value becomes, and whether nothing of it was lost."""
        plain = codec(self.was).on(self.dialect)
        value = safe.open(self.was, record, stored) if self.was.encrypted else plain.decoded(stored)
        return (None, False) if value is None else self.value(value)

    def _raw(self, value: Any) -> Any:
        """Return what the new type converts from: numbers, days and lists as they are, else text."""
        match self.now.type, value:
            case "json", _:
                return json.dumps(value, default=str)
            case "choices", str():
                return (value,)
            case "date", datetime():
                return value.astimezone(self.timezone).date()
            case (("text" | "long_text" | "choice"), _):
                return _words(value)
            case (("integer" | "decimal" | "money"), str()):
                return value
            case (("integer" | "decimal" | "money"), (bool() | date() | Duration() | Sequence() | Mapping())):
                return "?"
            case (("boolean" | "duration"), int()):
                return str(value)
            case _:
                return value

    def _is_whole(self, value: Any, fresh: Any) -> bool:
        """Whether the old value could be told from the new one."""
        if isinstance(value, Decimal | int) and isinstance(fresh, Decimal | int):
            return value == fresh
        return not (isinstance(value, datetime) and type(fresh) is date)


def _words(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(timespec="seconds")
        case Duration():
            return _span(value)
        case str():
            return value
        case tuple():
            return ", ".join(map(str, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _span(value: Duration) -> str:
    parts = (
        (value.months, "months"),
        (value.exact.total_seconds() / 60, "minutes"),
        (value.working_days, "working days"),
        (value.working_hours, "working hours"),
    )
    return " ".join(f"{count:g} {unit}" for count, unit in parts if count)
