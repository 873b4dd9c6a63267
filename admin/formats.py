"""Values written for people: dates, money, numbers, phones, countries in a language and a time zone."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale, UnknownLocaleError, dates, numbers

from admin.i18n import Catalogue, catalogue
from models.formats import UNGROUPED, first_of_month

MOST = 500
"""So many records are counted for a page; beyond it says `500+`: pages must not cost as much as there are records."""


WRITTEN = 8192
"""So many written values of a kind are kept: pages repeat days, hours, amounts and countries again and again."""


@cache
def locale_of(language: str) -> Locale:
    """Return Babel's locale of a language (British English: this is Europe)."""
    try:
        return Locale.parse("en_GB" if language == "en" else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


def own_name(language: str) -> str:
    """Return what a language calls itself: `Français`."""
    locale = locale_of(language)
    return capital(locale.languages.get(language, language))


def capital(text: str) -> str:
    """Return the text with its first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def within(text: str) -> str:
    """Return a label as it stands inside of a sentence: `prospect` for Prospect, but `SIM card`."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


@dataclass(frozen=True, slots=True)
class Formats:
    """How one visitor reads values: `now` is aware, `currency` an ISO code. None is written as nothing."""

    language: str
    timezone: ZoneInfo
    currency: str
    now: dt.datetime

    @property
    def locale(self) -> Locale:
        """The Babel locale."""
        return locale_of(self.language)

    @property
    def catalogue(self) -> Catalogue:
        """The product's sentences in this language."""
        return catalogue(self.language)

    @property
    def most(self) -> int:
        """As far as records are counted."""
        return MOST

    @property
    def today(self) -> dt.date:
        """The day that it is where the network is."""
        return self.now.astimezone(self.timezone).date()

    def day_of(self, moment: dt.date | dt.datetime) -> dt.date:
        """Return the local day of a moment."""
        return moment.astimezone(self.timezone).date() if isinstance(moment, dt.datetime) else moment

    def date(self, value: dt.date | dt.datetime | None) -> str:
        """Write a day: `20 nov. 2026`."""
        return "" if value is None else self._written(self.day_of(value), "medium")

    def time(self, value: dt.datetime | None) -> str:
        """Write the time of a moment: `10:00`."""
        if value is None:
            return ""
        local = value.astimezone(self.timezone)
        return _hour(local.hour, local.minute, self.language)

    def datetime(self, value: dt.datetime | None) -> str:
        """Write a moment: `20 nov. 2026, 10:00`."""
        return "" if value is None else f"{self.date(value)}, {self.time(value)}"

    def day(self, value: dt.date | dt.datetime | None) -> str:
        """Write a day as a heading: `Aujourd’hui`, `Hier`, `Samedi 21 novembre`, with the year when it is another."""
        if value is None:
            return ""
        day, gettext = self.day_of(value), self.catalogue.gettext
        near = {0: gettext("Today"), -1: gettext("Yesterday"), 1: gettext("Tomorrow")}.get((day - self.today).days)
        if near is not None:
            return near
        return self.long_day(day)

    def long_day(self, day: dt.date) -> str:
        """Write a day in full: `Samedi 21 novembre`, with the year when it is another."""
        pattern = "EEEE d MMMM" if day.year == self.today.year else "EEEE d MMMM y"
        return capital(self._written(day, pattern))

    def short_day(self, value: dt.date | dt.datetime | None) -> str:
        """Write a day in little room: `ven. 20` within a week, `20 nov.` within the year, else with the year."""
        if value is None:
            return ""
        day, today = self.day_of(value), self.today
        if day == today:
            return self.catalogue.gettext("today")
        if abs(day - today) < dt.timedelta(days=7):
            return self._written(day, "EEE d")
        return self._written(day, "d MMM" if day.year == today.year else "d MMM y")

    def _written(self, day: dt.date, pattern: str) -> str:
        return _day(day, pattern, self.language)

    def due(self, value: dt.date | dt.datetime | None) -> str:
        """Write when something is due: the time today (`10:00`), else the day (`ven. 20`)."""
        if isinstance(value, dt.datetime) and self.day_of(value) == self.today:
            return self.time(value)
        return self.short_day(value)

    def ago(self, value: dt.datetime | None) -> str:
        """Write how long ago a moment is, or how far ahead: `il y a 3 jours`."""
        if value is None:
            return ""
        if abs(value - self.now) < dt.timedelta(minutes=1):
            return self.catalogue.gettext("just now")
        return dates.format_timedelta(value - self.now, add_direction=True, threshold=1.2, locale=self.locale)

    def number(self, value: Decimal | float | None) -> str:
        """Write a number with the language's separators."""
        return "" if value is None else _number(value or 0, self.language)

    def upto(self, count: int) -> str:
        """Write how many there are, as far as they were counted: `500+`."""
        return self.number(count) if count <= MOST else f"{self.number(MOST)}+"

    def percent(self, value: Decimal | float | None) -> str:
        """Write a share of one: `12,5 %`."""
        if value is None:
            return ""
        return numbers.format_percent(value, format=_percent_pattern(self.locale), locale=self.locale)

    def money(self, value: Decimal | float | None, currency: str | None = None) -> str:
        """Write an amount in the network's currency; whole amounts without decimals."""
        return "" if value is None else _money(value or 0, currency or self.currency, self.language)

    def phone(self, value: str | None) -> str:
        """Write an E.164 number: a French one for the French in its national form, else international."""
        return _phone(value, self.language) if value else ""

    def country(self, code: str | None) -> str:
        """Write the name of a country."""
        return "" if not code else _country(code, self.language)

    def language_name(self, code: str | None) -> str:
        """Write the name of a language, in this one."""
        return "" if not code else capital(self.locale.languages.get(code, code))

    def boolean(self, value: bool | None) -> str:  # noqa: FBT001 - it is the value to be written
        """Write yes or no."""
        if value is None:
            return ""
        return self.catalogue.gettext("Yes") if value else self.catalogue.gettext("No")


@lru_cache(maxsize=WRITTEN)
def _day(day: dt.date, pattern: str, language: str) -> str:
    locale = locale_of(language)
    return first_of_month(dates.format_date(day, pattern, locale=locale), locale)


@lru_cache(maxsize=WRITTEN)
def _hour(hour: int, minute: int, language: str) -> str:
    return dates.format_time(dt.time(hour, minute), "short", locale=locale_of(language))


@lru_cache(maxsize=WRITTEN, typed=True)
def _number(value: Decimal | float, language: str) -> str:
    if isinstance(value, int) and abs(value) < UNGROUPED:
        return str(value)
    return numbers.format_decimal(value, locale=locale_of(language))


@lru_cache(maxsize=WRITTEN, typed=True)
def _money(value: Decimal | float, currency: str, language: str) -> str:
    locale, whole = locale_of(language), value == int(value)
    pattern = _whole_currency_pattern(locale) if whole else None
    return numbers.format_currency(value, currency, format=pattern, currency_digits=not whole, locale=locale)


@lru_cache(maxsize=WRITTEN)
def _phone(value: str, language: str) -> str:
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    national = language == "fr" and number.country_code == 33
    form = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


@lru_cache(maxsize=WRITTEN)
def _country(code: str, language: str) -> str:
    return str(locale_of(language).territories.get(code, code))


def _percent_pattern(locale: Locale) -> str:
    return re.sub(r"0(?=\s?%)", "0.#", str(locale.percent_formats[None].pattern))


def _whole_currency_pattern(locale: Locale) -> str:
    return str(locale.currency_formats["standard"].pattern).partition(";")[0].replace(".00", "")
