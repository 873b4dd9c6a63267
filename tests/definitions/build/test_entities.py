"""Entities: fields with typed values, and what goes without saying."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.duration import Duration
from definitions.pack import load
from definitions.text import Text
from tests.definitions.build.office import built, codes


def field(written: str) -> Any:
    return built(f"entity: thing\nfields:\n  it: {written}\n").entities["thing"].fields["it"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{type: text, default: abc}", "abc"),
        ("{type: text, default: '12'}", "12"),
        ("{type: integer, default: 3}", 3),
        ("{type: money, default: 10.50}", Decimal("10.50")),
        ("{type: decimal, scale: 3, default: 1.125}", Decimal("1.125")),
        ("{type: decimal, default: 2}", Decimal(2)),
        ("{type: boolean, default: false}", False),
        ("{type: date, default: 2026-11-23}", date(2026, 11, 23)),
        ("{type: datetime, default: 2026-11-23 09:30}", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("{type: datetime, default: '2026-11-23T09:30+02:00'}", datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
        ("{type: duration, default: 3d}", Duration(exact=timedelta(days=3))),
        ("{type: email, default: a@exemple.fr}", "a@exemple.fr"),
        ("{type: url, default: 'https://exemple.fr'}", "https://exemple.fr"),
        ("{type: country, default: FR}", "FR"),
        ("{type: language, default: fr}", "fr"),
        ("{type: choice, options: {a: A}, default: a}", "a"),
        ("{type: choices, options: {a: A, b: B}, default: [a, b]}", ("a", "b")),
        ("{type: json, default: {a: [1, x]}}", {"a": [1, "x"]}),
        ("{type: text, default: null}", None),
    ],
)
def test_a_literal_becomes_a_value_of_the_fields_type(written: str, value: object) -> None:
    found = field(written).default.literal
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "written",
    [
        "{type: text, default: 12}",
        "{type: text, default: [a]}",
        "{type: text, default: {a: b}}",
        "{type: integer, default: 1.5}",
        "{type: integer, default: true}",
        "{type: money, default: 1.125}",
        "{type: money, default: true}",
        "{type: money, default: cheap}",
        "{type: money, default: .inf}",
        "{type: boolean, default: no}",
        "{type: date, default: 2026-02-30}",
        "{type: date, default: 23/11/2026}",
        "{type: datetime, default: soon}",
        "{type: duration, default: long}",
        "{type: email, default: nobody}",
        "{type: url, default: exemple.fr}",
        "{type: country, default: France}",
        "{type: language, default: French}",
        "{type: choice, options: {a: A}, default: b}",
        "{type: choices, options: {a: A}, default: a}",
        "{type: choices, options: {a: A}, default: [b]}",
        "{type: reference, to: company, default: Alba}",
        "{type: text, max: long}",
    ],
)
def test_a_literal_of_another_type_is_refused(written: str) -> None:
    assert codes(f"entity: thing\nfields:\n  it: {written}\n") == ["value.type"]


def test_bounds_of_texts_count_characters() -> None:
    found = field("{type: text, min: 2, max: 80}")
    assert (found.min.literal, found.max.literal) == (2, 80)


def test_options_have_labels_and_former_names() -> None:
    found = field("{type: choice, options: {a: First, b: {label: Second, was: z}, c_d: , e: {en: Fifth}}}").options
    assert [option.label.pick("en") for option in found.values()] == ["First", "Second", "C d", "Fifth"]
    assert found["b"].was == "z"


@pytest.mark.parametrize(
    ("written", "together"),
    [("true", ()), ("false", None), ("owner", ("owner",)), ("[other, owner]", ("other", "owner"))],
)
def test_unique_alone_or_together(written: str, together: tuple[str, ...] | None) -> None:
    text = f"entity: thing\nowner: true\nfields:\n  other: {{type: text}}\n  it: {{type: text, unique: {written}}}\n"
    assert built(text).entities["thing"].fields["it"].unique == together


def test_unique_together_with_what_is_not_there() -> None:
    assert codes("entity: thing\nfields:\n  it: {type: text, unique: [owner, ohter]}\n") == ["field.unknown"] * 2


def test_labels_and_titles_are_made_from_names() -> None:
    thing = built("entity: new_thing\nfields:\n  first_name: {type: text}\n").entities["new_thing"]
    assert thing.label == Text({"": "New thing"})
    assert thing.fields["first_name"].label == Text({"": "First name"})
    assert thing.title == "{{ record.first_name }}"
    assert built("entity: bare\n").entities["bare"].title == "{{ record.id }}"


def test_a_pack_adds_fields_to_members() -> None:
    network = built(
        "level: helper\nlabel: Helper\n---\nentity: member\nlabel: Colleague\nfields:\n  team: {type: text}\n"
    )
    member = network.entities["member"]
    assert list(member.fields)[-2:] == ["name", "team"]
    assert member.fields["levels"].options.keys() == {"leader", "agent", "helper"}
    assert member.title == "{{ record.name }}"
    assert not member.owner


def test_members_belong_to_nobody() -> None:
    assert codes("entity: member\nowner: true\n") == ["entity.member_owner"]


def test_a_computed_field_reads_its_record() -> None:
    found = field("{type: boolean, compute: '=has(record.created_at)'}").compute
    assert found.expression.reads == {("record", "created_at")}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{type: boolean, compute: '=record.created_by.active'}", "field.compute_reads"),
        ("{type: boolean, compute: '=record.version > 1', default: true}", "field.computed"),
        ("{type: boolean, compute: maybe}", "value.type"),
    ],
)
def test_a_computed_field_that_cannot_be(written: str, code: str) -> None:
    assert codes(f"entity: thing\nfields:\n  it: {written}\n") == [code]


def test_a_computed_field_may_be_the_same_for_all() -> None:
    assert field("{type: integer, compute: 3}").compute.literal == 3


def test_duplicates_and_search_name_fields() -> None:
    text = "entity: thing\nowner: true\nfields: {a: {type: text}, b: {type: text}}\nsearch: a\n"
    text += "duplicates: [[a, b], [owner]]\n"
    thing = built(text).entities["thing"]
    assert thing.search == ("a",)
    assert thing.duplicates == (("a", "b"), ("owner",))


def test_retention_counts_from_the_last_activity_by_default() -> None:
    retention = built().entities["lead"].retention
    assert retention is not None
    assert retention.since == "last_activity_at"
    assert retention.after.expression is not None
    assert retention.unless is None


def test_default_values_know_the_actor() -> None:
    default = field("{type: country, default: =actor.country}").default
    assert default.expression.reads == {("actor", "country")}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("entity: sqlite_master\nfields: {a: {type: text}}\n", "entity.reserved"),
        ("entity: wide\nfields:\n" + "".join(f"  f{number}: {{type: text}}\n" for number in range(401)),
         "entity.too_many_fields"),
    ],
)  # fmt: skip
def test_an_entity_is_a_table_that_databases_make(document: str, code: str) -> None:
    assert code in codes(document)


LINES = """
entity: order
fields: {name: {type: text, personal: identity, purpose: Selling}}
RETENTION
---
entity: part
parent: order
as: parts
fields: {who: {type: text, personal: identity, purpose: Selling}}
---
level: clerk
entities: {order: {read: all, create: true}}
"""


@pytest.mark.parametrize(("said", "found"), [("retention: {after: 1 years}", set()), ("", {"privacy.no_retention"})])
def test_lines_are_kept_as_long_as_what_they_are_lines_of(said: str, found: set[str]) -> None:
    pack = "network: shop\nlanguages: [en]\n---" + LINES.replace("RETENTION", said)
    assert {problem.code for problem in load({"pack.yaml": pack}).problems} == found
