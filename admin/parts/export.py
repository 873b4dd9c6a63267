"""Lists written as files: CSV and workbooks for spreadsheets, read page by page, whatever their length."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import xlsxwriter  # type: ignore[import-untyped] # it has no types

from admin.parts.columns import NUMBERS, Column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, plain_number, write
from models.record import Record

Format = Literal["csv", "xlsx"]
TYPES: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ROWS = 1_000_000
"""Records that a workbook holds at most: a sheet has 1,048,576 rows."""
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a text a formula for spreadsheets, when a file with texts alone is opened."""
MARK = "\ufeff"
"""What tells spreadsheets that a text is UTF-8."""

Part = tuple[Sequence[Record], Titles]
"""Some records, with the titles of those that they refer to."""


async def as_csv(columns: Sequence[Column], parts: AsyncIterator[Part], reader: Reader) -> AsyncIterator[bytes]:
    """Yield the lines of a CSV file as spreadsheets in the reader's language open it; no text in it is a formula."""
    comma = reader.formats.locale.number_symbols["latn"]["decimal"] == ","
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if comma else ",", lineterminator="\r\n")
    writer.writerow([harmless(column.label) for column in columns])
    yield MARK.encode()
    async for records, titles in parts:
        for record in records:
            writer.writerow([_text(column, record, reader, titles, comma=comma) for column in columns])
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    found = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return found


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _text(column: Column, record: Record, reader: Reader, titles: Titles, *, comma: bool) -> str:
    value = record.values.get(column.name)
    if column.kind in NUMBERS and value is not None:
        return plain_number(value).replace(".", ",") if comma else plain_number(value)
    if isinstance(value, datetime):
        return value.astimezone(reader.formats.timezone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return harmless(write(column, value, reader, titles))


async def as_workbook(path: Path, columns: Sequence[Column], parts: AsyncIterator[Part], reader: Reader) -> None:
    """Write a workbook with numbers as numbers, days as days and texts as texts; each part in a thread."""
    book = _Book(path, columns, reader)
    try:
        async for records, titles in parts:
            await asyncio.to_thread(book.add, records, titles)
            if book.row > MOST_ROWS:
                break
    finally:
        await asyncio.to_thread(book.close)


class _Book:
    """A workbook with one sheet, written row by row in constant memory."""

    def __init__(self, path: Path, columns: Sequence[Column], reader: Reader) -> None:
        plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book: Any = xlsxwriter.Workbook(str(path), {"constant_memory": True, **plain})
        self._sheet: Any = self._book.add_worksheet()
        self._columns, self._reader = columns, reader
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.row = 1
        head = self._book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, max(len(columns) - 1, 0), 18)
        for place, column in enumerate(columns):
            self._sheet.write_string(0, place, column.label, head)

    def add(self, records: Iterable[Record], titles: Titles) -> None:
        """Write some records."""
        for record in records:
            for place, column in enumerate(self._columns):
                self._cell(place, column, record.values.get(column.name), titles)
            self.row += 1

    def _cell(self, place: int, column: Column, value: Any, titles: Titles) -> None:
        match value:
            case None:
                return
            case datetime():
                local = value.astimezone(self._reader.formats.timezone).replace(tzinfo=None)
                self._dated(place, local, self._moment)
            case date():
                self._dated(place, value, self._day)
            case int() | Decimal() if column.kind in NUMBERS:
                self._sheet.write_number(self.row, place, value)
            case _:
                text = write(column, value, self._reader, titles)
                self._sheet.write_string(self.row, place, text[:32767])

    def _dated(self, place: int, value: date, shown: Any) -> None:
        if value.year < 1900:  # days before spreadsheets begin
            self._sheet.write_string(self.row, place, value.isoformat())
        else:
            self._sheet.write_datetime(self.row, place, value, shown)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
