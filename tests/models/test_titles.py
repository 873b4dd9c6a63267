from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from definitions.problems import NOWHERE
from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from definitions.text import plain
from models.titles import compile_title, title_fields
from tests.workflows.test_templates import ABSENT

NETWORK = Network("net", plain("Net"), NOWHERE, languages=("fr", "en"), countries=("FR",))


def entity(title: str, *fields: str) -> Entity:
    return Entity(
        "it", plain("It"), NOWHERE, {name: Field(name, "text", plain(name), NOWHERE) for name in fields}, title=title
    )


def called(definition: Entity, values: dict[str, object]) -> str:
    network = replace(NETWORK, entities={"it": definition})
    return compile_title(network, definition, "fr")(values)


@pytest.mark.parametrize(
    ("title", "values", "expected"),
    [
        ("{{ record.first }} {{ record.last }}", {"first": "Léa", "last": "Roy"}, "Léa Roy"),
        ("{{ record.first }} {{ record.last }}", {"first": None, "last": "Roy"}, "Roy"),
        ("{{ record.first }}", {"first": None}, "7"),
        ("No. {{ record.number }}", {"number": 3}, "No. 3"),
        ("{{ record.first | upper }}", {"first": "léa"}, "LÉA"),
        ("{{ record.first }}{% if record.last %} ({{ record.last }}){% endif %}", {"first": "A", "last": "B"}, "A (B)"),
        ("{{ record.first | default('nobody') }}", {"first": None}, "nobody"),
        ("{{ record.amount | money }}", {"amount": Decimal("12.5")}, "12,50\u00a0€"),
        ("{{ record.amount * 1.2 }}", {"amount": Decimal("12.5")}, "15.00"),
        ("{{ record.company.name }} {{ record.first | upper }}", {"first": "a", "company": None}, "A"),
        ("{{ record.first }}", {"first": "{{ record.id }}"}, "{{ record.id }}"),
        ("", {"first": "Léa"}, "Léa"),
        ("{{ record.first }}", {"first": "x" * 300}, "x" * 200),
    ],
)
def test_a_title_is_filled_with_what_is_seen(title: str, values: dict[str, object], expected: str) -> None:
    assert called(entity(title, "first"), {"id": "7", **values}) == expected


@pytest.mark.parametrize(
    "title",
    [
        "{{ 'a' * 1000000000 }}{{ record.first | upper }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% for a in record.first %}" * 6 + "x" + "{% endfor %}" * 6,
        "{{ record.first | center(1000000000) | replace(' ', record.first) }}",
        "{{ record.first / 0 }}",
        "{{ record.first | nonsense }}",
        "{{ " + "(" * 500 + "record.first" + ")" * 500 + " }}",
        "{% for a in record.first %}" * 60 + "{% endfor %}" * 60,
    ],
)
def test_a_title_that_costs_too_much_or_makes_no_sense_is_none(title: str) -> None:
    assert called(entity(title, "first"), {"id": "7", "first": "x" * 80}) == "7"


@pytest.mark.parametrize(("body", "text"), ABSENT)
def test_an_absent_value_makes_no_title_fail(body: str, text: str) -> None:
    fields = ("first_name", "city", "rating", "company", "interests")
    values = {"id": "7", **dict.fromkeys(fields), "first_name": "Paul", "interests": ("home",)}
    assert called(entity(f".{body}.", *fields), values) == f".{text}."


def test_an_entity_without_any_text_is_titled_by_its_ids() -> None:
    assert called(entity(""), {"id": "7"}) == "7"


def test_the_fields_of_a_title_are_known() -> None:
    assert title_fields(entity("{{ record.first }} {{ record.last | upper }}")) == {"first", "last"}
