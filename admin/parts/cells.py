"""The cells of a list as HTML: what is the same in each line is prepared once, so that a line costs little."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from admin.icons import icon
from admin.marks import value as marked
from admin.parts.columns import DAYS, NUMBERS, Column, Kind
from admin.parts.hints import Hint
from admin.parts.shown import Titles, brief, show
from admin.parts.subject import Subject
from models.record import Record
from models.uploads import FILES

Cells = Callable[[Record, Hint | None], Markup]
"""Writes the cells of a record; a hint stands in the cell of the planned date."""
NAMED = NUMBERS | DAYS | {"boolean", "duration"}
"""Kinds of values that need their column's label where there are no headings (phones)."""
FEW: frozenset[Kind] = frozenset({"boolean", "choice", "state", "country", "language"})
"""Kinds with so few values that each cell is written once."""


def cells(about: Subject, columns: Iterable[Column], titles: Titles, plan: str | None) -> Cells:
    """Return what writes the cells of these columns; `plan` is the name of the planned date's, if it is one of them."""
    made = tuple((column.name, _cell(about, column, titles)) for column in columns)
    files = {column.name: _file(about, column) for column in columns if column.kind in FILES}
    hinted = next((_hinted(about, column, titles) for column in columns if column.name == plan), None)

    def write(record: Record, hint: Hint | None) -> Markup:
        get = record.values.get
        found = [
            files[name](record)
            if name in files
            else hinted(hint, get(name))
            if hint is not None and hinted is not None and name == plan
            else cell(get(name))
            for name, cell in made
        ]
        return Markup("".join(found))  # noqa: S704 - each cell is escaped

    return write


def _cell(about: Subject, column: Column, titles: Titles) -> Callable[[Any], str]:
    filled, blank = about.once(f"cell of {column.name}", lambda: _tags(column))
    reader = about.reader

    def cell(value: Any) -> str:
        shown = brief(column, value, reader, titles)
        return f"{filled}{marked(shown)}</td>" if shown.text else blank

    if column.kind not in FEW:
        return cell
    written: dict[Any, str] = about.once(f"cells of {column.name}", dict)

    def one_of_few(value: Any) -> str:
        found = written.get(value)
        if found is None:
            found = cell(value)
            if column.kind == "boolean" or column.option(value) is not None:  # what is in no list has no end
                written[value] = found
        return found

    return one_of_few


def _file(about: Subject, column: Column) -> Callable[[Record], str]:
    filled, blank = _tags(column)

    def cell(record: Record) -> str:
        shown = show(column, record.values.get(column.name), about.reader, {})
        if not shown.text:
            return blank
        return f"{filled}{marked(replace(shown, href=about.url(record.id, 'files', column.name)))}</td>"

    return cell


def _hinted(about: Subject, column: Column, titles: Titles) -> Callable[[Hint, Any], str]:
    filled, _ = _tags(column)

    def cell(hint: Hint, value: Any) -> str:
        text, said = escape(brief(column, value, about.reader, titles).text), escape(hint.text)
        inside = f'{icon(hint.icon)}{text}<span class="sr"> {said}</span>'
        return f'{filled}<span class="hint {hint.kind}" title="{said}">{inside}</span></td>'

    return cell


def _tags(column: Column) -> tuple[str, str]:
    """Return how a cell with a value begins, and the whole of a cell without one."""
    label, named = escape(column.label), ["named"] if column.kind in NAMED else []
    filled = " ".join([*(["number"] if column.kind in NUMBERS else []), *named])
    blank = " ".join(["blank", *named])
    return (
        f'<td data-label="{label}" class="{filled}">' if filled else f'<td data-label="{label}">',
        f'<td data-label="{label}" class="{blank}"></td>',
    )
