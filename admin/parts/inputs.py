"""Inputs of forms, made from fields; and what people typed, read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from admin.formats import Formats
from admin.parts.columns import NUMBERS, Column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, plain_number, reference_id, write
from definitions.duration import Duration
from models.attachment import Attachment
from models.message import Message, say
from models.sniffing import KINDS
from models.uploads import FILES, STAYS

Widget = Literal["line", "area", "select", "radios", "checks", "tick", "picker", "span", "upload"]
FEW = 4
"""Up to so many options of a required choice are shown at once, as radio buttons."""
NAMED = "/"
"""Stands between what names an upload, or the file that stays, and what it is called."""
NO_FILE = "none"
"""What a form says for a file that is to go."""


UNITS: Mapping[str, Message] = {
    "m": say("minutes"),
    "h": say("hours"),
    "d": say("days"),
    "w": say("weeks"),
    "months": say("months"),
    "years": say("years"),
    "working hours": say("working hours"),
    "working days": say("working days"),
}
"""What a length of time is counted in."""
_SPAN = re.compile(r"(\d{1,6}) ?([a-z ]+)")


@dataclass(frozen=True, slots=True)
class Input:
    """One question of a form. `raw` is what stands in it, as text; `attributes` go onto the control."""

    name: str
    label: str
    widget: Widget
    raw: tuple[str, ...] = ()
    type: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    wide: bool = False
    help: str = ""
    unit: str = ""
    error: str = ""
    source: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> str:
        """The text of an input that holds one."""
        return self.raw[0] if self.raw else ""

    @property
    def file_name(self) -> str:
        """What the file is called that an input of a file holds."""
        return _file_name(self.value)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a column under the name that the form gives it, and whether an answer is needed."""

    name: str
    column: Column
    required: bool


def build(question: Question, raw: Sequence[str], reader: Reader, titles: Titles, *, base: str = "") -> Input:
    """Return the input of a question with `raw` in it; references find their records below `base` (`/n/demo/e`)."""
    column = question.column
    given = column.field
    made = Input(
        name=question.name,
        label=column.label,
        widget=_widget(question),
        raw=tuple(raw),
        required=question.required,
        wide=column.kind in ("long_text", "json", "choices"),
        help=reader.words(given.help) if given and given.help else "",
        unit=_unit(column, reader),
        attributes=_attributes(column),
        type=_TYPES.get(column.kind, "text"),
    )
    match made.widget:
        case "select" | "radios" | "checks":
            return replace(made, options=_options(column, reader))
        case "picker":
            known = titles.get(column.to or "", {})
            offered = {**{each: "…" for each in raw if each not in known}, **known}
            return replace(made, options=tuple(offered.items()), source=f"{base}/{column.to}/options")
        case "span":
            return _span(made, reader)
        case _:
            return made


def raw_of(column: Column, value: Any, formats: Formats) -> tuple[str, ...]:  # noqa: C901, PLR0911, PLR0912 - one line a type
    """Return the text that an input holds for a value."""
    match value:
        case None:
            return ()
        case bool():
            return ("true",) if value else ("false",)
        case int() | Decimal():
            return (plain_number(value),)
        case datetime():
            return (value.astimezone(formats.timezone).strftime("%Y-%m-%dT%H:%M"),)
        case date():
            return (value.isoformat(),)
        case Duration():
            return (_duration_text(value),)
        case tuple() | list():
            return tuple(str(each) for each in value)
        case Attachment():
            return (f"{STAYS}{value.sha}{NAMED}{value.name}",)
        case str() if column.kind == "phone":
            return (formats.phone(value),)
        case Mapping() if column.kind == "reference":
            return (reference_id(value),)
        case _:
            return (str(value),)


def raw_from(form: FormData, questions: Iterable[Question]) -> dict[str, tuple[str, ...]]:
    """Return the texts of a submitted form by question."""
    return {question.name: _sent(form, question) for question in questions}


def _sent(form: FormData, question: Question) -> tuple[str, ...]:
    texts = tuple(text for text in form.getlist(question.name) if isinstance(text, str) and text != "")
    if question.column.kind in FILES:  # what stays, then what goes, then what is new: the last one counts
        return () if texts[-1:] == (NO_FILE,) else texts[-1:]
    if question.column.kind != "duration":
        return texts
    # A length of time comes as a number and a unit; a unit alone is nothing.
    number, unit = (*texts, "", "")[:2]
    if number in UNITS:
        return ()
    return texts if len(texts) < 2 else (f"{number.strip()}{unit}" if len(unit) == 1 else f"{number.strip()} {unit}",)


def answers(
    raw: Mapping[str, Sequence[str]], questions: Iterable[Question], zone: ZoneInfo
) -> tuple[dict[str, Any], dict[str, Message]]:
    """Return the values that the texts stand for, and a sentence for each that cannot be read.

    Numbers may have the separators of any language; times are in `zone`. What is left as text, the records check.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, Message] = {}
    for question in questions:
        try:
            values[question.name] = _answer(question, tuple(raw.get(question.name, ())), zone)
        except ValueError:
            wrong[question.name] = _UNREADABLE.get(question.column.kind, say("This value can't be read."))
    return values, wrong


def _answer(question: Question, raw: tuple[str, ...], zone: ZoneInfo) -> Any:  # noqa: C901, PLR0911 - one line a type
    kind = question.column.kind
    if kind == "choices":
        return raw
    if _widget(question) == "tick":
        return raw == ("true",)
    text = raw[0].strip() if raw else ""
    if not text:
        return None
    match kind:
        case "integer" | "decimal" | "money":
            return read_number(text)
        case "datetime":
            return read_datetime(text, zone)
        case "date":
            return date.fromisoformat(text)
        case "boolean":
            return text == "true"
        case "file" | "image":
            return text.partition(NAMED)[0]
        case _:
            return text.replace("\r\n", "\n")


def read_number(text: str) -> str:
    """Return a number as typed in any European way (`1 234,50`, `1.234,50`, `1,234.50`) in plain digits.

    `ValueError` when it is none.
    """
    bare = re.sub(r"[\s\u00a0\u202f'’]", "", text)
    last = max(bare.rfind(","), bare.rfind("."))
    if last >= 0:
        # The last separator is the decimal one, unless its kind occurs several times: then it groups.
        whole, fraction = re.sub(r"[.,]", "", bare[:last]), bare[last + 1 :]
        grouped = bare.count(bare[last]) > 1
        bare = f"{whole}{fraction}" if grouped else f"{whole}.{fraction}"
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?|[+-]?\.[0-9]+", bare):
        raise ValueError(text)
    return bare


def read_datetime(text: str, zone: ZoneInfo) -> datetime:
    """Return the moment of a browser's local time; a date alone is its midnight. `ValueError` when it is neither."""
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def typed(question: Question, raw: Sequence[str], reader: Reader, titles: Titles) -> str:
    """Return what somebody typed as it would be shown (for a conflict, beside what stands there now)."""
    if question.column.kind in FILES:
        return _file_name(raw[0]) if raw else ""
    values, wrong = answers({question.name: raw}, (question,), reader.formats.timezone)
    if wrong:
        return ", ".join(raw)
    value = values[question.name]
    if question.column.kind in NUMBERS and value is not None:
        value = Decimal(value)
    return write(question.column, value, reader, titles)


def _widget(question: Question) -> Widget:  # noqa: C901, PLR0911 - one line a type
    column = question.column
    match column.kind:
        case "long_text" | "json":
            return "area"
        case "choice" if question.required and len(column.options) <= FEW:
            return "radios"
        case "choice" | "country" | "language" | "state":
            return "select"
        case "choices":
            return "checks"
        case "boolean":
            field = column.field
            settled = field is not None and not field.follows and (field.required or field.default is not None)
            return "tick" if settled else "select"
        case "reference":
            return "picker"
        case "duration":
            return "span"
        case "file" | "image":
            return "upload"
        case _:
            return "line"


_TYPES: Mapping[str, str] = {
    "email": "email", "phone": "tel", "url": "url", "date": "date", "datetime": "datetime-local",
}  # fmt: skip
_UNREADABLE: Mapping[str, Message] = {
    "integer": say("Write a whole number."),
    "decimal": say("Write a number."),
    "money": say("Write an amount, for example 1234.50."),
    "date": say("Write a date."),
    "datetime": say("Write a date and a time."),
}


def _span(made: Input, reader: Reader) -> Input:
    """Return the input of a length of time as a number and a unit; one of several parts stays a line of text."""
    found = _SPAN.fullmatch(made.value) if made.raw else None
    if made.raw and (found is None or found[2] not in UNITS):
        return replace(made, widget="line")
    units = tuple((name, reader.words(label)) for name, label in UNITS.items())
    return replace(made, raw=(found[1], found[2]) if found else ("", "d"), options=units)


def _options(column: Column, reader: Reader) -> tuple[tuple[str, str], ...]:
    if column.kind == "boolean":
        return (("true", reader.formats.boolean(value=True)), ("false", reader.formats.boolean(value=False)))
    return tuple((option.name, option.label) for option in column.options)


def _unit(column: Column, reader: Reader) -> str:
    given = column.field
    if given is not None and given.unit is not None:
        return reader.words(given.unit)
    return currency_sign(reader) if column.kind == "money" else ""


def currency_sign(reader: Reader) -> str:
    """Return the sign of the network's currency: `€`."""
    return str(reader.formats.locale.currency_symbols.get(reader.formats.currency, reader.formats.currency))


def _attributes(column: Column) -> dict[str, str]:
    given = column.field
    found: dict[str, str] = {}
    if column.kind in NUMBERS:
        found["inputmode"] = "numeric" if column.kind == "integer" else "decimal"
    if column.kind in ("email", "phone", "url"):
        found["autocomplete"] = "off"
    if column.kind in FILES:
        pictures = column.kind == "image"
        found["accept"] = ",".join(
            f".{end}" for end, kind in KINDS.items() if kind.type.startswith("image/") or not pictures
        )
    if given is not None and given.max is not None and column.kind in ("text", "long_text") and given.max.literal:
        found["maxlength"] = str(given.max.literal)
    return found


def _file_name(raw: str) -> str:
    return raw.partition(NAMED)[2]


def _duration_text(value: Duration) -> str:
    parts = []
    if value.months:
        years, months = divmod(value.months, 12)
        parts.append(f"{value.months} months" if months else f"{years} years")
    if value.exact:
        minutes = int(value.exact.total_seconds() // 60)
        length, unit = next(
            (each for each in ((10080, "w"), (1440, "d"), (60, "h")) if not minutes % each[0]), (1, "m")
        )
        parts.append(f"{minutes // length}{unit}")
    if value.working_days:
        parts.append(f"{value.working_days} working days")
    if value.working_hours:
        parts.append(f"{value.working_hours} working hours")
    return " ".join(parts)
