"""Records as piccolo-admin shows them: in its lists, in its forms, and in the sheets that it exports."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from admin.parts.columns import NUMBERS, WRITTEN, Column, column
from admin.parts.inputs import raw_of
from admin.parts.reader import Reader
from admin.parts.shown import Titles, plain_number, reference_id, write
from admin.piccolo.descriptors import Descriptor
from definitions.spec.entity import Entity
from models.attachment import Attachment
from models.record import Record

Values = Mapping[str, Any]
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s.,()/]*$)")
"""What a spreadsheet would compute instead of showing it; a phone number is none."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What one reader sees of an entity's records: the columns `names`, titles of what they refer to."""

    descriptor: Descriptor
    reader: Reader
    names: tuple[str, ...]
    titles: Titles

    @property
    def _entity(self) -> Entity:
        return self.reader.network.entities[self.descriptor.entity]

    def _columns(self) -> list[Column]:
        found = (column(self.reader, self._entity, name) for name in self.names)
        return [each for each in found if each is not None]

    def listed(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Return rows of a list, values written out as far as its page does not do it itself."""
        columns = self._columns()
        return [self._row(record.values, columns, self._listed) for record in records]

    def plain(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Return rows whose values are those of JSON."""
        columns = self._columns()
        return [self._row(record.values, columns, self._plain) for record in records]

    def form(self, values: Values) -> dict[str, Any]:
        """Return what stands in a form: of a record, or of a new one."""
        return self._row(values, self._columns(), self._plain)

    def sheet(self, records: Sequence[Record]) -> list[dict[str, str]]:
        """Return rows of a sheet: everything as people read it, below the columns' labels."""
        columns = self._columns()
        labels = _distinct([(each.name, self.descriptor.columns[each.name].label) for each in columns])
        return [{labels[each.name]: self._cell(each, record) for each in columns} for record in records]

    def _cell(self, each: Column, record: Record) -> str:
        text = write(each, record.values.get(each.name), self.reader, self.titles)
        return text if each.kind in NUMBERS else harmless(text)

    def _row(self, values: Values, columns: Sequence[Column], told: Any) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for each in columns:
            value = values.get(each.name)
            row[each.name] = told(each, value)
            if each.kind == "reference":
                row[f"{each.name}_readable"] = self._title(each, value)
        return row

    def _title(self, each: Column, value: Any) -> str:
        return "" if value is None else self.titles.get(each.to or "", {}).get(reference_id(value), "")

    def _listed(self, each: Column, value: Any) -> Any:
        """Return a value of a list: piccolo-admin itself finds labels of options, marks for booleans and links."""
        if each.kind in {"boolean", "choices", "reference", "json"} or self.descriptor.columns[each.name].choices:
            return self._plain(each, value)
        text = write(each, value, self.reader, self.titles)
        return text or ("" if each.kind in WRITTEN else None)

    def _plain(self, each: Column, value: Any) -> Any:  # noqa: C901, PLR0911 - one line a type
        match value:
            case None:
                return [] if each.kind == "choices" else None
            case Decimal():
                return plain_number(value)
            case datetime():
                return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
            case date():
                return value.isoformat()
            case _ if each.kind == "reference":
                return reference_id(value)
            case Attachment():
                return value.name
            case _ if each.kind == "json":
                return json.dumps(value, ensure_ascii=False)
            case _ if each.kind == "duration":
                return raw_of(each, value, self.reader.formats)[0]
            case tuple() | set() | frozenset():
                return sorted(value) if not isinstance(value, tuple) else list(value)
            case _:
                return value


def harmless(text: str) -> str:
    """Return a text of a sheet so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _distinct(labels: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return a heading for each name: its label, with the name behind it where two labels are the same."""
    given = [label for _, label in labels]
    return {name: label if given.count(label) == 1 else f"{label} ({name})" for name, label in labels}
