"""The product's own sentences in other languages: catalogues are `admin/locale/<language>.po`, read once at start."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import UnknownLocaleError, numbers
from babel.messages.pofile import read_po

from definitions.text import Text
from models.message import Message

LOCALE = Path(__file__).parent / "locale"
SOURCE_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language by their English text; `plural` chooses among the forms of a counted one."""

    language: str
    sentences: Mapping[str, str]
    counted: Mapping[str, Sequence[str]]
    plural: Callable[[int], int]

    def gettext(self, text: str, /, **values: object) -> str:
        """Return the sentence, its `{name}` places filled; the English one where it has no translation."""
        found = self.sentences.get(text, text)
        return found.format(**values) if values else found

    def ngettext(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Return the form for `n` of a counted sentence; `{n}` is the number as the language writes it."""
        forms = self.counted.get(one, (one, many))
        return forms[min(self.plural(n), len(forms) - 1)].format(**{"n": self.grouped(n), **values})

    def grouped(self, n: int) -> str:
        """Return a whole number as the language writes it: `1 234`."""
        try:
            return str(n) if abs(n) < 1000 else numbers.format_decimal(n, locale=self.language)
        except (UnknownLocaleError, ValueError):
            return str(n)

    def words(self, message: Message | Text | str, *fallbacks: str) -> str:
        """Return a sentence of the product (translated, those in its places too) or a text of the pack (picked)."""
        if isinstance(message, Text):
            return message.pick(self.language, *fallbacks)
        if isinstance(message, Message):
            return self.gettext(message.text, **{name: self.words(value) for name, value in message.values.items()})
        return message


@cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language; one without a file speaks English."""
    path = LOCALE / f"{language}.po"
    if not path.is_file():
        return Catalogue(language, {}, {}, lambda n: int(n != 1))
    with path.open("rb") as file:
        read = read_po(file, locale=language)
    sentences: dict[str, str] = {}
    counted: dict[str, Sequence[str]] = {}
    for entry in read:
        if not entry.id or not entry.string or entry.fuzzy:
            continue
        if isinstance(entry.id, str):
            sentences[entry.id] = str(entry.string)
        else:
            counted[entry.id[0]] = tuple(entry.string)
    return Catalogue(language, sentences, counted, gettext.c2py(read.plural_expr))


def in_language(language: str, message: Message) -> str:
    """Return a sentence of the product in a language, for what leaves without a door."""
    return catalogue(language).words(message)


_SPOKEN: ContextVar[str] = ContextVar("spoken", default=SOURCE_LANGUAGE)
"""The language of the command line and of the control door: there nobody has signed in."""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have `spoken` speak a language inside."""
    before = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken_language() -> str:
    """Return the language that is spoken at the terminal, or on its behalf."""
    return _SPOKEN.get()


def spoken(message: Message | Text | str, /, **values: object) -> str:
    """Return a sentence in the language that is spoken; `values` go into the places of an English one."""
    there = catalogue(_SPOKEN.get())
    return there.words(message) if isinstance(message, Message | Text) else there.gettext(message, **values)


def spoken_number(one: str, many: str, n: int, /) -> str:
    """Return a counted sentence in the language that is spoken."""
    return catalogue(_SPOKEN.get()).ngettext(one, many, n)


def languages() -> tuple[str, ...]:
    """Return the languages that the product itself speaks."""
    return (SOURCE_LANGUAGE, *sorted(path.stem for path in LOCALE.glob("*.po") if path.stem != SOURCE_LANGUAGE))


def preferred(header: str, among: Sequence[str]) -> str | None:
    """Return the language of an `Accept-Language` header that is best liked and among those offered."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";q=")
        try:
            liked = float(weight) if weight else 1.0
        except ValueError:
            continue
        ranked.append((-liked, place, tag.split("-")[0].lower()))
    return next((tag for liked, _, tag in sorted(ranked) if liked < 0 and tag in among), None)
