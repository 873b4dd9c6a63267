"""What the world has names for: languages, countries, currencies, holidays, icons. Read once, when one is asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from functools import cache

from definitions.build.draft import Draft
from definitions.message import Message, say
from definitions.problems import did_you_mean
from definitions.source import Scalar


@cache
def _languages() -> Collection[str]:
    from babel.localedata import locale_identifiers  # noqa: PLC0415 - it takes long, and few commands need it

    return frozenset(name.replace("_", "-") for name in locale_identifiers())


@cache
def _locale() -> tuple[Collection[str], Collection[str]]:
    """Return the codes of countries and of currencies."""
    from babel import Locale  # noqa: PLC0415 - the same

    english = Locale("en")
    territories = (str(code) for code in english.territories)
    return frozenset(code for code in territories if len(code) == 2), frozenset(map(str, english.currencies))


@cache
def _holidays() -> Collection[str]:
    from holidays import list_supported_countries  # noqa: PLC0415 - the same

    return frozenset(list_supported_countries())


@cache
def _timezones() -> Collection[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - the same

    return frozenset(available_timezones())


@cache
def _icons() -> Collection[str]:
    from lucide import get_default_db_path  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; the same

    connection = sqlite3.connect(f"file:{get_default_db_path()}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT name FROM icons UNION SELECT alias FROM icon_aliases").fetchall()
    finally:
        connection.close()
    return frozenset(name for (name,) in rows)


KNOWN: Mapping[str, tuple[Callable[[], Collection[str]], Message]] = {
    "network.language": (_languages, say("There is no language '{written}'.")),
    "network.country": (lambda: _locale()[0], say("There is no country '{written}'.")),
    "network.currency": (lambda: _locale()[1], say("There is no currency '{written}'.")),
    "network.holidays": (_holidays, say("Nothing is known of the holidays of '{written}'.")),
    "network.timezone": (_timezones, say("There is no time zone '{written}'.")),
    "entity.icon": (_icons, say("Lucide has no icon '{written}'.")),
}


def known_names(code: str) -> Collection[str]:
    """Return the names that the world has for what a code is about."""
    return KNOWN[code][0]()


def check_known(draft: Draft, code: str, item: object) -> None:
    """Report a name that the world does not have, under its code."""
    if not isinstance(item, Scalar):
        return
    names = known_names(code)
    if item.text not in names:
        message = Message(KNOWN[code][1].text, {"written": item.text})
        draft.report(code, item.place, message, did_you_mean(item.text, sorted(names)))
