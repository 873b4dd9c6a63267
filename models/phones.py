"""Phone numbers in the one form that is kept: `+33639980001` (E.164)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{4,14}")
_CODES = (1, 2, 3)
"""How many digits the code of a country has; none begins with another one."""


@dataclass(frozen=True, slots=True)
class _Numbering:
    """What the numbers behind a country's code look like: their lengths, and what is dialled before them at home."""

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


def kept(text: str, region: str | None) -> str | None:
    """Return a number as it is kept, None for what is none; one without `+` and code is of the country `region`.

    Possible ones are numbers, valid or not: lists of valid ranges lag behind what operators hand out.
    """
    if _is_kept(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_kept(text: str) -> bool:
    """Whether it certainly is a number in its final form: most of those that programs send are, and reading costs."""
    if not _INTERNATIONAL.fullmatch(text):
        return False
    for digits in _CODES:
        numbering = _numbering(int(text[1 : 1 + digits]))
        if numbering is not None:
            rest = text[1 + digits :]
            begun = rest[0] == "0" or (numbering.prefix is not None and numbering.prefix.match(rest) is not None)
            return len(rest) in numbering.lengths and not begun
    return False


@cache
def _numbering(code: int) -> _Numbering | None:
    region = phonenumbers.region_code_for_country_code(code)
    if region == phonenumbers.UNKNOWN_REGION:
        return None
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    general = None if metadata is None else metadata.general_desc
    if metadata is None or general is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    lengths = frozenset(general.possible_length or ()) - frozenset(general.possible_length_local_only or ())
    return _Numbering(lengths, re.compile(prefix) if prefix else None)
