"""The manual as one page of HTML: it needs nothing beside itself, no script, and prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from babel import dates
from markupsafe import Markup

from admin.formats import Formats, capital
from admin.manual import pages
from admin.manual.automations import Story, story
from admin.manual.moves import Way, way
from admin.manual.previews import preview
from admin.manual.records import Kept, Personals, kept, personal
from admin.manual.telling import Telling
from admin.markdown import to_html
from admin.parts.reader import Reader
from admin.web import environment
from definitions.spec.network import Network, Weekday
from definitions.spec.template import Template
from definitions.text import Text
from models.access import Access

STATIC = Path(__file__).parents[1] / "static"
STYLES = ("tokens.css", "diagram.css", "manual.css")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it will look."""

    name: str
    label: str
    channel: str
    about: Markup
    subject: Markup
    body: Markup


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the index: what something is called, where it stands, and in which chapter."""

    label: str
    anchor: str
    chapter: str


@dataclass(frozen=True, slots=True)
class Book:
    """Everything that the manual tells."""

    kept: tuple[Kept, ...]
    ways: tuple[Way, ...]
    stories: tuple[Story, ...]
    letters: tuple[Letter, ...]
    sheets: tuple[pages.Sheet, ...]
    homes: tuple[tuple[Markup, tuple[Markup, ...]], ...]
    figures: tuple[pages.Figure, ...]
    groups: tuple[pages.Group, ...]
    settings: tuple[tuple[str, str, Markup], ...]
    personal: tuple[Personals, ...]
    terms: tuple[tuple[str, str, str, Markup], ...]


def manual(network: Network, language: str, *, now: datetime) -> str:
    """Return the manual of a network in a language: a whole page."""
    reader = Reader(network, Formats(language, ZoneInfo(network.timezone), network.currency, now))
    style = "\n".join((STATIC / name).read_text("utf-8") for name in STYLES)
    return environment.get_template("manual/book.html").render(
        language=language, style=Markup(style), inside=False, **told(reader)  # noqa: S704 - our own files
    )  # fmt: skip


def told(reader: Reader) -> dict[str, Any]:
    """Return what the templates of the manual ask for."""
    tell, catalogue = Telling(reader), reader.formats.catalogue
    book = book_of(tell)
    return {
        "network": reader.network,
        "book": book,
        "index": index(book),
        "words": reader.words,
        "fmt": reader.formats,
        "weekdays": [_weekday(reader, day) for day in reader.network.calendar.days],
        "hours": [_hour(minute) for minute in (reader.network.calendar.opens, reader.network.calendar.closes)],
        "_": catalogue.gettext,
        "_n": catalogue.ngettext,
    }


def _weekday(reader: Reader, day: Weekday) -> str:
    names = dates.get_day_names("abbreviated", locale=reader.formats.locale)
    return str(names[get_args(Weekday).index(day)])


def _hour(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def book_of(tell: Telling) -> Book:
    """Return everything that the manual tells of a network."""
    network = tell.network
    access = Access(network)
    return Book(
        tuple(kept(tell, entity) for entity in network.entities.values()),
        tuple(way(tell, process, access) for process in network.processes.values()),
        tuple(story(tell, automation) for automation in network.automations.values()),
        tuple(_letter(tell, template) for template in network.templates.values()),
        tuple(pages.sheets(tell)),
        tuple(pages.homes(tell)),
        tuple(pages.figures(tell)),
        tuple(pages.groups(tell)),
        tuple(pages.settings(tell)),
        personal(tell),
        tuple(
            (each.name, tell.words(each.label), each.version, to_html(tell.words(each.body)))
            for each in network.terms.values()
        ),
    )


def _letter(tell: Telling, template: Template) -> Letter:
    def shown(text: Text, *, long: bool) -> Markup:
        return preview(tell, tell.words(text), template.about, long=long)

    about = tell.entity(template.about) if template.about else Markup("")
    subject = Markup("") if template.subject is None else shown(template.subject, long=False)
    label = tell.words(template.label)
    return Letter(template.name, label, template.channel, about, subject, shown(template.body, long=True))


def index(book: Book) -> list[Entry]:
    """Return what stands in the manual, by the alphabet."""
    return sorted(_entries(book), key=lambda entry: (_folded(entry.label), entry.anchor))


def _entries(book: Book) -> Iterator[Entry]:
    for each in book.kept:
        yield Entry(capital(each.many), f"entity-{each.entity.name}", "entities")
    for way_ in book.ways:
        yield Entry(way_.label, f"process-{way_.process.name}", "processes")
    for kind, named in (
        ("automation", book.stories),
        ("template", book.letters),
        ("statistic", book.figures),
        ("level", book.groups),
    ):
        yield from (Entry(one.label, f"{kind}-{one.name}", f"{kind}s") for one in named)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
