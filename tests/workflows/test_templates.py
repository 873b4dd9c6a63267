from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from definitions.pack import load
from definitions.problems import NOWHERE
from definitions.spec.network import Network
from definitions.spec.template import Template
from definitions.text import Text, plain
from models.formats import Formats, Named, locale_of
from models.shown import Bag, Shown
from tests.networks import SMALL
from workflows.templates import RenderError, TemplateSet

LEAD = {
    "id": "1",
    "first_name": "<b>Paul</b>",
    "last_name": "**Roy**",
    "phone": "+33639980001",
    "country": "BE",
    "source": "site",
    "interests": ("home", "beauty"),
    "income_goal": Decimal("1234.50"),
    "next_call_at": datetime(2026, 3, 5, 9, 30, tzinfo=UTC),
    "birth_date": date(1990, 7, 14),
    "recruiting": "contacted",
    "calls": 1200,
    "company": {"id": "9", "name": "Savons"},
    "owner": {"id": "2", "first_name": "Léa", "name": "Léa Roux"},
}


@pytest.fixture(scope="module")
def network() -> Network:
    """The small network."""
    found = load(SMALL).network
    assert found is not None
    return found


def rendered(
    network: Network, body: str, language: str = "fr", subject: str = "Sujet", record: Mapping[str, Any] = LEAD
) -> tuple[str, str]:
    """Return subject and text of a template that says `body` about a lead."""
    template = Template("it", plain("it"), "email", plain(body), NOWHERE, plain(subject), "lead")
    from dataclasses import replace  # noqa: PLC0415 - here alone

    templates = TemplateSet(replace(network, templates={"it": template}))
    names: dict[str, Any] = {
        "record": Shown(record, "lead", templates.tongue(language).eye),
        "settings": Bag({"support": "aide@exemple.fr"}),
    }
    found = templates.render("it", language, names)
    return found.subject, found.text.strip()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Bonjour {{ record.first_name }} {{ record.last_name }}", "Bonjour <b>Paul</b> **Roy**"),
        ("{{ record.phone | phone }}", "06 39 98 00 01"),
        ("{{ record.income_goal | money }}", "1 234,50 €"),
        ("{{ record.next_call_at | date }}", "jeudi 5 mars 2026"),
        ("{{ record.next_call_at | datetime }}", "jeudi 5 mars, 10:30"),
        ("{{ record.next_call_at }}", "jeudi 5 mars, 10:30"),
        ("{{ record.birth_date }}", "samedi 14 juillet 1990"),
        ("{{ record.source }} {{ record.source | label }}", "site Site"),
        ("{{ record.interests | label }}", "Maison, Beauté"),
        ("{{ record.country | label }}", "Belgique"),
        ("{{ record.recruiting | label | lower }}", "contacté"),
        ("{{ record.calls }}", "1200"),
        ("{{ record.city | default('?') }}", "?"),
        ("[{{ record.city }}]", "[]"),
        ("[{{ record.city | upper }}{{ record.city | truncate(3) | title }}{{ record.rating | round(2) }}]", "[]"),
        ("[{{ record.city | length }}{{ record.city | first }}{{ record.city | default('?') | upper }}]", "[0?]"),
        ("[{{ record.rating + 1 }}{{ record.calls - record.rating }}{{ record.rating / 2 }}]", "[]"),
        ("{% if record.rating > 3 or 3 >= record.rating or record.rating < 3 %}oui{% endif %}.", "."),
        ("{% if 1 < record.calls <= 1200 != 7 %}oui{% endif %}{% if 1 < record.calls < 5 %}non{% endif %}", "oui"),
        ("{{ record.company.name }}, {{ record.owner.name }}", "Savons, Léa Roux"),
        ("{% if record.calls > 3 and not record.city %}oui{% endif %}", "oui"),
        ("{{ settings.support | upper }}", "AIDE@EXEMPLE.FR"),
        ("{{ record.calls * 10 }}", "12 000"),
        ("{{ record.income_goal * 1.2 }} {{ 1.2 * record.income_goal }}", "1 481,4 1 481,4"),
        ("{{ record.income_goal + 0.25 }} {{ 0.5 - record.income_goal }}", "1 234,75 -1 234"),
        (
            "{{ record.income_goal / 0.5 }} {{ record.income_goal // 0.5 }} {{ record.income_goal % 0.4 }}",
            "2 469 2 469 0,1",
        ),
        ("{{ (record.income_goal * 1.1) | money }} {{ 0.5 | money }} {{ -0.5 | abs }}", "1 357,95 € 0,50 € 0,5"),
        ("{{ 2.345 | round(2) }} {{ (record.income_goal * 0.01) | round(1) }}", "2,35 12,3"),
        ("{{ 1.01 | round(1, 'ceil') }} {{ 1.09 | round(1, 'floor') }} {{ 7 | round }}", "1,1 1 7"),
        ("{{ 1250 | round(-2) }} {{ 7 / 2 }} {{ 7 // 2 }}", "1300 3,5 3"),
        (
            "{% if 0.1 + 0.2 == 0.3 and record.income_goal == 1234.5 and 1234.5 >= record.income_goal %}oui{% endif %}",
            "oui",
        ),
        ("{% if record.income_goal * 1.1 <= 1357.95 %}oui{% endif %}", "oui"),
    ],
)
def test_values_are_written_for_people(network: Network, body: str, text: str) -> None:
    assert rendered(network, body)[1].replace("\u202f", " ").replace("\xa0", " ") == text


ABSENT = [
    ("{{ -record.rating }}{{ +record.rating }}", ""),
    ("{{ record.rating * 1.2 }}{{ 1.2 % record.rating }}{{ 2 // record.rating }}", ""),
    ("{% if 'x' in record.city %}oui{% endif %}", ""),
    ("{% if 'x' not in record.city %}oui{% endif %}", "oui"),
    ("{% if record.city not in record.city and not ('x' in record.city) %}oui{% endif %}", "oui"),
    ("{{ 3 / 0 }}{{ 3 // 0 }}{{ 3 % 0 }}{{ 1 / (3 - 3) }}{{ record.rating % 0 }}", ""),
    ("{{ 1.5 / 0 }}{{ 1.5 // 0 }}{{ 0 / 0 }}{{ (1 / 0) + 1 }}{% if 1 / 0 > 0 %}x{% endif %}", ""),
    ("{% if record.city in 'xyz' %}oui{% endif %}", ""),
    ("{% if record.city in ['x'] or record.city not in ['x'] %}oui{% endif %}", "oui"),
    ("{% if 'home' in record.interests and record.city in record.city %}oui{% endif %}", ""),
    ("{{ record.city[:3] }}{{ record.city[1:] }}{{ record.city[::2] }}", ""),
    ("{{ record.first_name[record.rating:][:2] }}", "Pa"),
    ("{{ record.company.name }}{{ record.company.owner.name }}", ""),
    ("{{ record.city[0] }}{{ record.first_name[99] }}{{ record.interests[9] }}{{ [][0] }}", ""),
    ("{{ {'a': 1}[record.city] }}{{ {'a': 1}['b'] }}{{ record.company['name'] }}", ""),
    ("{{ record.city ~ '.' ~ record.rating }}{{ [record.city, 'x'] | join }}", ".x"),
    ("{{ 'x' if record.city }}{{ (1 if record.city) + 1 }}", ""),
    ("{{ record.first_name[record.rating] }}{{ [1][record.rating] }}", ""),
    ("{{ [] | first }}{{ [] | last }}{{ ([] | first) | upper }}", ""),
    ("{{ record.first_name | replace(record.city, 'x') | truncate(record.rating) }}", "Paul"),
    ("{{ record.first_name | replace('l', record.city) }}", "Pau"),
    ("{{ 1.5 | round(record.rating) }}", "2"),
    ("{% for x in record.city %}x{% endfor %}", ""),
    ("{% for x in [1] %}{{ loop.previtem.name }}{{ loop.nextitem }}{% endfor %}", ""),
    ("{{ record.rating is even }}{{ record.rating is gt(2) }}{{ 2 is divisibleby(record.rating) }}", "False" * 3),
    ("{% with x = record.city %}{{ x[0] }}{% endwith %}{% set y %}{{ record.city }}{% endset %}{{ y }}", ""),
]
"""What is said of a record that lacks a city, a rating and a company: each form that may meet what is absent."""


@pytest.mark.parametrize(("body", "text"), ABSENT)
def test_an_absent_value_makes_no_message_fail(network: Network, body: str, text: str) -> None:
    assert rendered(network, f".{body}.", record={**LEAD, "first_name": "Paul", "company": None})[1] == f".{text}."


def test_a_language_writes_its_own_way(network: Network) -> None:
    body = "{{ record.next_call_at | date }} {{ record.source | label }} {{ record.income_goal | money }}"
    assert rendered(network, body, "en")[1] == "Thursday, March 5, 2026 Web site €1,234.50"


def test_a_subject_is_one_line_without_marks(network: Network) -> None:
    assert rendered(network, "x", subject="A {{ record.last_name }}\n  b")[0] == "A **Roy** b"


@pytest.mark.parametrize(
    "body",
    [
        "{{ record.nothing }}",
        "{{ nothing }}",
        "{{ record._values }}",
        "{{ record.__class__ }}",
        "{{ settings.nothing }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{% for i in range(10) %}{% endfor %}",
        "{{ record.first_name.format('x') }}{{ record.x }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', a) %}" * 10 + "{{ a }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | join(a) %}" * 10 + "{{ a }}",
        "{% set a = 999 %}" + "{% set a = a * a %}" * 60 + "{{ a }}",
        "{% set a = 9.5 %}" + "{% set a = a * a %}" * 12 + "{{ a > 1 }}",
        "{{ 1.5 | round(1, 'up') }}",
        "{{ {'a': 1}.__class__ }}",
        "{{ 1 | round(1000000000, 'ceil') }}",
        "{{ '%1000000000d' % 1 }}",
        "{% for a in 'aaaaaaaaaa' %}" * 9 + "x" + "{% endfor %}" * 9,
        "{% for a in 'aaaaaaaaaa' %}{% for b in 'aaaaaaaaaa' %}{% for c in 'aaaaaaaaaa' %}"
        + "x" * 300
        + "{% endfor %}" * 3,
    ],
)
def test_what_is_not_there_or_costs_too_much_is_refused(network: Network, body: str) -> None:
    with pytest.raises(RenderError):
        rendered(network, body)


def test_a_template_in_one_language_serves_all(network: Network) -> None:
    templates = TemplateSet(network)
    assert templates.language("en") == "en"
    assert templates.language("de") == templates.language(None) == "fr"
    assert ("record", "first_name") in templates.reads("welcome")
    assert Text({"en": "x"}).pick("fr", "en") == "x"


def test_formats_leave_what_they_do_not_know() -> None:
    formats = Formats(locale_of("fr", ("FR",)), ZoneInfo("Europe/Paris"), "EUR")
    assert formats.phone("hello") == "hello"
    assert formats.phone("+3225551234") == "+32 2 555 12 34"
    assert formats.plain(True) == "True"
    assert formats.plain(("a", 2)) == "a, 2"
    assert formats.datetime(date(2026, 3, 5)) == "jeudi 5 mars 2026"
    assert [formats.date(None), formats.datetime(None), formats.money(None), formats.phone(None)] == [""] * 4
    assert formats.label(None) == ""
    assert formats.label(3) == "3"
    assert Named("site", "Site") == "site"
    assert str(locale_of("xx")) == "en"
    assert str(locale_of("fr", ("US", "BE"))) == "fr_BE"
    assert str(locale_of("en", ("FR",))) == "en"
