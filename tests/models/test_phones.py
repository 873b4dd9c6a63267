"""Phone numbers are kept in one form, whatever the way they are read."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat

from models import phones

CODES = sorted(COUNTRY_CODE_TO_REGION_CODE)
NUMBERS = st.builds(
    lambda code, rest: f"+{code}{rest}", st.sampled_from(CODES), st.text("0123456789", min_size=2, max_size=13)
)


def read(text: str, region: str | None) -> str | None:
    """Return a number as the library alone reads and writes it."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if possible else None


@given(text=NUMBERS, region=st.sampled_from([None, "FR", "US", "IT"]))
@example(text="+330639980001", region=None)
@example(text="+390639980001", region="FR")
@example(text="+12025550100", region="FR")
@example(text="+5491123456789", region=None)
@example(text="+112025550100", region=None)
def test_what_looks_complete_is_read_as_the_library_reads_it(text: str, region: str | None) -> None:
    assert phones.kept(text, region) == read(text, region)


@pytest.mark.parametrize("code", CODES)
def test_every_country_has_numbers_that_are_kept_as_they_are_written(code: int) -> None:
    region = phonenumbers.region_code_for_country_code(code)
    number = phonenumbers.example_number(region) or phonenumbers.example_number_for_non_geo_entity(code)
    assert number is not None
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    assert phones.kept(written, None) == written


def test_the_country_decides_about_a_number_without_its_code() -> None:
    assert phones.kept("06 39 98 00 01", "FR") == "+33639980001"
    assert phones.kept("06 39 98 00 01", None) is None
    assert phones.kept("nobody", "FR") is None
    assert phones.kept("+331", "FR") is None
