from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from definitions.duration import Duration
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, FieldType, Option
from definitions.text import plain
from models.values import Locality, ValueRefusedError, convert

PARIS = Locality(ZoneInfo("Europe/Paris"), "FR")
OPTIONS = {name: Option(name, plain(name), NOWHERE) for name in ("site", "direct")}


def field(kind: FieldType, scale: int = 2) -> Field:
    options = OPTIONS if kind in {"choice", "choices"} else {}
    return Field("it", kind, plain("it"), NOWHERE, scale=scale, options=options, to="lead")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "  Léa \n Martin ", "Léa Martin"),
        ("text", "   ", None),
        ("text", None, None),
        ("long_text", " a\r\nb ", "a\nb"),
        ("integer", "1 234", 1234),
        ("integer", "1\u202f234", 1234),
        ("integer", 3.0, 3),
        ("integer", Decimal(7), 7),
        ("decimal", "1 234,5", Decimal("1234.50")),
        ("decimal", "1.234,5", Decimal("1234.50")),
        ("decimal", "1,234.5", Decimal("1234.50")),
        ("decimal", "1,234,567.5", Decimal("1234567.50")),
        ("money", "0.1", Decimal("0.10")),
        ("money", 3, Decimal("3.00")),
        ("money", 0.1, Decimal("0.10")),
        ("money", Decimal(1) / 3, Decimal("0.33")),
        ("boolean", "on", True),
        ("boolean", "false", False),
        ("boolean", False, False),
        ("date", "2026-03-02", date(2026, 3, 2)),
        ("date", date(2026, 3, 2), date(2026, 3, 2)),
        ("datetime", "2026-03-02T12:00", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("datetime", "2026-07-02T12:00:00Z", datetime(2026, 7, 2, 12, tzinfo=UTC)),
        ("datetime", date(2026, 3, 2), datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("duration", "3d", Duration(exact=timedelta(days=3))),
        ("duration", "6 months", Duration(months=6)),
        ("duration", "2 years", Duration(months=24)),
        ("duration", "4 working hours", Duration(working_hours=4)),
        ("duration", timedelta(hours=1), Duration(exact=timedelta(hours=1))),
        ("email", " Lea@Example.COM ", "Lea@example.com"),
        ("phone", "06 12 34 56 78", "+33612345678"),
        ("phone", "+32 470 12 34 56", "+32470123456"),
        ("url", "https://exemple.fr/a?b=c", "https://exemple.fr/a?b=c"),
        ("country", "fr", "FR"),
        ("language", "FR", "fr"),
        ("choice", "site", "site"),
        ("choices", ["direct", "site", "site"], ("site", "direct")),
        ("choices", "direct", ("direct",)),
        ("choices", [], None),
        ("reference", "abc", {"id": "abc"}),
        ("reference", {"id": "abc", "name": "Acme"}, {"id": "abc"}),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("json", {"a": 1}, {"a": 1}),
    ],
)
def test_a_text_of_a_form_becomes_the_value_of_its_type(kind: FieldType, raw: Any, value: Any) -> None:
    assert convert(field(kind), raw, PARIS) == value


@pytest.mark.parametrize(
    ("kind", "raw", "sentence"),
    [
        ("text", 3, "This is not a text."),
        ("text", "a\x00b", "This text is too long or has characters that cannot be kept."),
        ("long_text", "a" * 100_001, "This text is too long or has characters that cannot be kept."),
        ("integer", "1.5", "This is not a whole number."),
        ("integer", 1.5, "This is not a whole number."),
        ("integer", True, "This is not a whole number."),
        ("integer", str(2**63), "This number is too big."),
        ("money", "1,234", "This number has more than 2 decimals."),
        ("money", "NaN", "This is not a number."),
        ("money", "1e30", "This number is too big."),
        ("money", True, "This is not a number."),
        ("decimal", "ten", "This is not a number."),
        ("boolean", "maybe", "This is neither yes nor no."),
        ("date", "31/12/2026", "This is not a date."),
        ("datetime", "noon", "This is not a date and time."),
        ("duration", "3 fortnights", "This is not a duration, like 3d or 6 months."),
        ("email", "lea@", "This is not an e-mail address."),
        ("phone", "12", "This is not a phone number."),
        ("phone", "call me", "This is not a phone number."),
        ("url", "javascript:alert(1)", "This is not a web address."),
        ("url", "https://[", "This is not a web address."),
        ("country", "XX", "This is not a country."),
        ("language", "klingon", "This is not a language."),
        ("choice", "mail", "This is not one of the options."),
        ("choices", ["site", "mail"], "This is not one of the options."),
        ("reference", 3, "This record does not exist, or you may not see it."),
        ("json", "{", "This is not JSON."),
        ("json", "[" * 100_000, "This is not JSON."),
        ("json", '"\\ud800"', "This is not JSON."),
        ("json", '"\\u0000"', "This is not JSON."),
        ("json", "NaN", "This is not JSON."),
        ("json", "1e999", "This is not JSON."),
        ("url", "https://a.example/\x00", "This is not a web address."),
        ("url", "https://a.example/\ud800", "This is not a web address."),
        ("datetime", "0001-01-01T00:00", "This is not a date and time."),
        ("datetime", "9999-12-31T23:59:59+00:00", "This is not a date and time."),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(kind: FieldType, raw: Any, sentence: str) -> None:
    with pytest.raises(ValueRefusedError) as refused:
        convert(field(kind), raw, PARIS)
    assert str(refused.value.message) == sentence


def test_a_phone_number_without_prefix_is_of_the_region() -> None:
    assert convert(field("phone"), "0470 12 34 56", Locality(PARIS.timezone, "BE")) == "+32470123456"


def test_without_a_region_a_phone_number_needs_its_prefix() -> None:
    with pytest.raises(ValueRefusedError):
        convert(field("phone"), "0612345678", Locality(PARIS.timezone))


LOCAL = st.text('abzAZ019.+-_ é"@', min_size=0, max_size=70)
DOMAIN = st.one_of(
    st.sampled_from(["exemple.fr", "Exemple.FR", "bücher.example", "localhost", "x.test", "", "-a.fr", "[127.0.0.1]"]),
    st.text("ab-.@é1", max_size=8).map(lambda text: f"{text}.fr"),
)


@given(LOCAL, DOMAIN)
@example("Postmaster", "exemple.fr")
@example("a" * 64, "exemple.fr")
@example("a" * 65, "exemple.fr")
@example("a", f"{'b.' * 100}fr")
@example("a@b <c", "exemple.fr>")
def test_an_address_is_what_the_library_says_whatever_way_it_takes(local: str, domain: str) -> None:
    written = f"{local}@{domain}"
    try:
        expected: str | None = validate_email(written.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        expected = None
    try:
        found = convert(field("email"), written, PARIS)
    except ValueRefusedError:
        found = None
    assert found == expected
