"""Lines of a record: as a table to read, and as rows of inputs to write them all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData

from admin.parts.asking import Raw, at_first, choices, given, inputs, questions
from admin.parts.columns import Column
from admin.parts.inputs import Input, Question, answers, raw_from
from admin.parts.shown import Shown, Titles, show
from admin.parts.subject import Subject, subject_of
from definitions.spec.entity import Entity, Field
from definitions.text import Text
from models.clauses import Deed
from models.errors import NotFoundError
from models.lines import MOST
from models.message import Message
from models.record import Record
from models.records import Records
from models.rules import NEVER, plain
from models.uploads import FILES

BLANK = "new"
"""The key of the row that is copied for each new line."""
SPARE = "spare"
"""The key of the row in which a line is added where no script runs."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines that a record has, as the visitor may see and write them; `name` is what the record calls them."""

    name: str
    there: Subject
    parent: Subject
    adds: bool
    asked: tuple[Question, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a table of them shows."""
        hidden = {"parent"}
        return tuple(each for each in self.there.columns(self.there.screen.columns) if each.name not in hidden)


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is written: its key in the form, the line's id ("" for a new one), and what stands in its inputs."""

    key: str
    id: str
    raw: Raw
    wrong: Mapping[str, Message | Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Editor:
    """Rows of inputs for the lines of one kind; `blank` is the row of a new line."""

    name: str
    label: str
    one: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[Filled, ...]
    blank: Filled
    spare: Filled
    adds: bool

    @property
    def wrongs(self) -> int:
        """How many fields need attention."""
        return sum(1 for row in self.rows for each in row.inputs if each.error) + sum(
            bool(row.note) for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class Filled:
    """A row as it is drawn; `stays` where the visitor may not take the line away."""

    key: str
    id: str
    inputs: tuple[Input, ...]
    stays: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Lines to read: a heading each column, and each line with its address and the words in its cells."""

    name: str
    label: str
    heads: tuple[Column, ...]
    rows: tuple[tuple[str, str, tuple[Shown, ...]], ...]
    edit: str


def lines_of(about: Subject, *, new: bool = False) -> tuple[Lines, ...]:
    """Return the kinds of lines that records have and the visitor may see (`new`: write in a new record)."""
    rights = about.visit.tenant.published.access.rights(about.visit.actor)
    found = []
    for name, entity in about.visit.network.lines(about.entity.name).items():
        deed: Deed = "begin" if new else "create"
        adds = plain(rights.row(entity.name, deed)) != NEVER
        try:
            there = subject_of(about.visit, entity)
        except NotFoundError:
            continue
        if adds or not new:
            asked = questions(there, _names(there, entity, begin=new))
            found.append(Lines(name, there, about, adds, asked))
    return tuple(found)


def _names(there: Subject, entity: Entity, *, begin: bool) -> tuple[str, ...]:
    """Return the fields of lines that the visitor may write in some; files have their place on a line's own page."""
    rights = there.visit.tenant.published.access.rights(there.visit.actor)
    own = [name for name, declared in entity.fields.items() if declared.type not in FILES]

    def written(name: str) -> bool:
        rules = [rights.new_field(entity.name, name, "begin" if begin else "create")]
        rules += [] if begin else [rights.field(entity.name, name, "write")]
        return any(plain(rule) != NEVER for rule in rules)

    return tuple(name for name in own if written(name))


def named(lines: Lines, key: str) -> tuple[Question, ...]:
    """Return the questions of a row under the names that the form has for them."""
    return tuple(replace(each, name=f"{lines.name}.{key}.{each.name}") for each in lines.asked)


def rows_from(form: FormData, lines: Lines) -> list[Row]:
    """Return the rows that were sent, in their order, without the new ones in which nothing was written.

    A form that has rows for lines says so with an empty key: one without any would take all lines away else.
    """
    keys = [key for key in form.getlist(lines.name) if isinstance(key, str) and key][: MOST + 1]
    start = at_first(lines.there, lines.asked, None)
    found = []
    for key in dict.fromkeys(keys):
        sent = raw_from(form, named(lines, key))
        raw = {each.name: sent[f"{lines.name}.{key}.{each.name}"] for each in lines.asked}
        known = form.get(f"{lines.name}.{key}.id")
        identifier = known if isinstance(known, str) else ""
        if identifier or any(raw[name] not in ((), start[name]) for name in raw):
            found.append(Row(key, identifier, raw))
    return found


def rows_of(lines: Lines, records: Sequence[Record]) -> list[Row]:
    """Return the lines of a record as rows."""
    return [
        Row(str(index), record.id, at_first(lines.there, lines.asked, record)) for index, record in enumerate(records)
    ]


def values_of(lines: Lines, rows: Iterable[Row]) -> tuple[list[dict[str, Any]], list[Row]]:
    """Return the lines that rows say, and the rows with what cannot be read in them."""
    values, told = [], []
    for row in rows:
        found, wrong = answers(row.raw, lines.asked, lines.there.reader.formats.timezone)
        values.append({"id": row.id, **found} if row.id else given(lines.asked, found, _computed_default))
        told.append(replace(row, wrong=wrong))
    return values, told


def _computed_default(field: Field) -> bool:
    return field.default is not None and field.default.expression is not None


def blamed(lines: Lines, rows: Sequence[Row], problems: Mapping[str, Message | Text]) -> list[Row]:
    """Return the rows with what was wrong with them (`lines.2.price`)."""
    found = []
    for index, row in enumerate(rows):
        begin = f"{lines.name}.{index}."
        own = {name.removeprefix(begin): said for name, said in problems.items() if name.startswith(begin)}
        found.append(replace(row, wrong={**row.wrong, **own}))
    return found


def merged(lines: Lines, rows: Sequence[Row], present: Sequence[Record]) -> list[Row]:
    """Return the rows as they were typed, over the lines as they are now: what went is new, what came is there too."""
    there = {record.id for record in present}
    typed = {row.id for row in rows}
    kept = [row if row.id in there else Row(row.key, "", row.raw, row.wrong) for row in rows]
    came = [record for record in present if record.id not in typed]
    return [*kept, *(Row(f"came{index}", row.id, row.raw) for index, row in enumerate(rows_of(lines, came)))]


def of_a_row(problem: str, every: Iterable[Lines]) -> bool:
    """Whether a problem is told beside one of the rows."""
    return any(problem.startswith(f"{lines.name}.") for lines in every)


async def editor(lines: Lines, rows: Sequence[Row], records: Records, present: Sequence[Record] = ()) -> Editor:
    """Return the rows with their inputs."""
    titles: dict[str, dict[str, str]] = {}
    for row in rows:
        for entity, found in (await choices(lines.asked, row.raw, records)).items():
            titles.setdefault(entity, {}).update(found)
    known = {record.id: record for record in present}
    start = at_first(lines.there, lines.asked, None)
    titles = titles or {entity: dict(found) for entity, found in (await choices(lines.asked, start, records)).items()}
    return Editor(
        lines.name,
        lines.there.plural,
        lines.there.label,
        tuple((each.column.label, each.required) for each in lines.asked),
        tuple(_filled(lines, row, titles, known.get(row.id)) for row in rows),
        _filled(lines, Row(BLANK, "", start), titles, None),
        _spare(_filled(lines, Row(SPARE, "", start), titles, None)),
        lines.adds,
    )


def _spare(row: Filled) -> Filled:
    return replace(row, inputs=tuple(replace(each, required=False) for each in row.inputs))


def _filled(lines: Lines, row: Row, titles: Titles, record: Record | None) -> Filled:
    asked = named(lines, row.key)
    prefix = f"{lines.name}.{row.key}."
    raw = {f"{prefix}{name}": texts for name, texts in row.raw.items()}
    wrong = {f"{prefix}{name}": said for name, said in row.wrong.items()}
    made = inputs(lines.there, asked, raw, titles, wrong)
    stray = [lines.there.reader.words(said) for name, said in wrong.items() if name not in made]
    stays = record is not None and "delete" not in record.may
    return Filled(row.key, row.id, tuple(made.values()), stays, " ".join(stray))


def table(lines: Lines, record: Record, present: Sequence[Record], titles: Titles) -> Table:
    """Return the lines to read; `edit` is where they are written, "" for who may not."""
    rows = tuple(
        (
            lines.there.url(line.id),
            line.title,
            tuple(show(each, line.values.get(each.name), lines.there.reader, titles) for each in lines.columns),
        )
        for line in present
    )
    writes = "update" in record.may and (lines.adds or any(line.may & {"update", "delete"} for line in present))
    edit = lines.parent.url(record.id, "lines", lines.name) if writes and lines.asked else ""
    return Table(lines.name, lines.there.plural, lines.columns, rows, edit)
