"""Values as people read them in a message: dates, money, telephone numbers, names of countries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.languages import get_official_languages
from babel.numbers import format_currency, format_decimal
from jinja2 import Undefined

UNGROUPED = 10_000
"""Below it whole numbers are written without separators, as years are: 2026."""


class Named(str):
    """A name of the definitions or of ISO (an option, a state, a country) that knows what people call it."""

    __slots__ = ("label",)
    label: str

    def __new__(cls, name: str, label: str) -> Named:
        """Keep the label beside the name."""
        made = super().__new__(cls, name)
        made.label = label
        return made


_FIRST = re.compile(r"(?<!\d)1 (?=[^\W\d])")


def first_of_month(text: str, locale: Locale) -> str:
    """Return a written date as French has it: the first of a month is `1er`, which CLDR's patterns do not know."""
    return _FIRST.sub("1er ", text) if locale.language == "fr" else text


@dataclass(frozen=True, slots=True)
class Formats:
    """How values are written in one language of one network."""

    locale: Locale
    timezone: ZoneInfo
    currency: str

    def date(self, value: Any) -> str:
        """Return the day, written out: `lundi 23 novembre 2026`."""
        if _missing(value):
            return ""
        day = value.astimezone(self.timezone).date() if isinstance(value, datetime) else value
        written = format_date(day, "full" if isinstance(day, date) else "medium", locale=self.locale)
        return first_of_month(written, self.locale)

    def datetime(self, value: Any) -> str:
        """Return day and time on the network's wall clock."""
        if _missing(value):
            return ""
        if not isinstance(value, datetime):
            return self.date(value)
        written = format_datetime(value, "EEEE d MMMM, H:mm", tzinfo=self.timezone, locale=self.locale)
        return first_of_month(written, self.locale)

    def money(self, value: Any) -> str:
        """Return an amount in the network's currency."""
        return "" if _missing(value) else format_currency(value, self.currency, locale=self.locale)

    def phone(self, value: Any) -> str:
        """Return a number as its own country writes it, with the country's prefix elsewhere."""
        if _missing(value):
            return ""
        try:
            number = phonenumbers.parse(str(value))
        except phonenumbers.NumberParseException:
            return str(value)
        home = phonenumbers.region_code_for_number(number) == self.locale.territory
        style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
        return phonenumbers.format_number(number, style)

    def label(self, value: Any) -> str:
        """Return what people call an option, a state, a country or a language."""
        if _missing(value):
            return ""
        if isinstance(value, tuple | list):
            return ", ".join(self.label(item) for item in value)
        return value.label if isinstance(value, Named) else self.plain(value)

    def plain(self, value: Any) -> str:
        """Return a value as it stands in a sentence when no filter says otherwise."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal | datetime | date | tuple | None):
            return str(value)
        if value is None:
            return ""
        if isinstance(value, datetime):
            return self.datetime(value)
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, tuple):
            return ", ".join(self.plain(item) for item in value)
        if isinstance(value, int) and abs(value) < UNGROUPED:
            return str(value)
        return format_decimal(value, locale=self.locale)

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """Return the filters of templates by name."""
        return {
            "date": self.date,
            "datetime": self.datetime,
            "money": self.money,
            "phone": self.phone,
            "label": self.label,
            "default": default,
        }


def default(value: Any, instead: Any = "") -> Any:
    """Return `value`, or `instead` when there is none."""
    return instead if _missing(value) or value == "" else value


def locale_of(language: str, countries: tuple[str, ...] = ()) -> Locale:
    """Return a language as the first of the countries writes it in which it is official; else plain, or English."""
    try:
        plain = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return Locale("en")
    for country in countries:
        if plain.language in get_official_languages(country, de_facto=True):
            return Locale.parse(f"{plain.language}_{country}")
    return plain


def _missing(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)
