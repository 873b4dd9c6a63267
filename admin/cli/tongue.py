"""The language of the terminal, and the words of argparse in it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from decimal import Decimal

from babel import numbers

from admin.formats import locale_of
from admin.i18n import SOURCE_LANGUAGE, languages, spoken, spoken_language
from models.message import say

VARIABLES = ("MAILLE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where the language is said, the strongest first."""

ARGPARSE = (
    say("usage: "),
    say("options"),
    say("positional arguments"),
    say("show this help message and exit"),
    say("%(prog)s: error: %(message)s\n"),
    say("argument %(argument_name)s: %(message)s"),
    say("the following arguments are required: %s"),
    say("unrecognized arguments: %s"),
    say("invalid choice: %(value)r (choose from %(choices)s)"),
    say("invalid %(type)s value: %(value)r"),
    say("expected one argument"),
    say("expected at least one argument"),
    say("ambiguous option: %(option)s could match %(matches)s"),
    say("ignored explicit argument %r"),
)
"""What argparse says of its own."""


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal; English where Maille does not speak it."""
    said = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    tag = said[:2].lower()
    return tag if tag in languages() else SOURCE_LANGUAGE


def number(value: Decimal | float) -> str:
    """Write a number as the language of the terminal does."""
    return numbers.format_decimal(value, locale=locale_of(spoken_language()))


def teach_argparse() -> None:
    """Let argparse say its own words as we do; it asks a function of its module, and has no other way."""
    vars(argparse)["_"] = spoken
