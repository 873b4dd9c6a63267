"""A condition taken apart says what it asks, and about what."""

from __future__ import annotations

from typing import Any

import pytest

from definitions.expr.parts import parts
from tests.definitions.expr.world import CONTEXT, MEMBERS, compiled


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            'record.calls > 2 && (record.country == actor.country || !has(record.name))',
            [
                ("record.calls > 2", {"record.calls": 1}, False),
                ("record.country == actor.country", {"record.country": "FR", "actor.country": "FR"}, True),
                ("has(record.name)", {"record.name": None}, False),
            ],
        ),
        ("record.owner == actor", [("record.owner == actor", {"record.owner": "m2", "actor": "m1"}, False)]),
        (
            "actor.is_upline_of(record.owner)",
            [("actor.is_upline_of(record.owner)", {"actor": "m1", "record.owner": "m2"}, True)],
        ),
        (
            'record.tags.exists(tag, tag == "red")',
            [('record.tags.exists(tag, tag == "red")', {"record.tags": ("red",)}, True)],
        ),
        ("record.owner.country == null", [("record.owner.country == null", {"record.owner.country": None}, True)]),
        ("true", [("true", {}, True)]),
    ],
)  # fmt: skip
def test_a_condition_is_taken_apart(text: str, asked: list[tuple[str, dict[str, Any], bool]]) -> None:
    record = {"calls": 1, "country": "FR", "name": None, "owner": MEMBERS["m2"], "tags": ("red",)}
    names = {"record": record, "actor": MEMBERS["m1"]}
    found = []
    for part in parts(compiled(text)):
        values = {value.text: value.evaluate(names, CONTEXT) for value in part.values}
        told = {name: value["id"] if isinstance(value, dict) else value for name, value in values.items()}
        found.append((part.text, told, part.evaluate(names, CONTEXT)))
    assert found == asked


def test_values_that_are_records_say_of_which_entity() -> None:
    (part,) = parts(compiled("record.company.owner == actor"))
    assert [(value.text, value.entity) for value in part.values] == [
        ("record.company.owner", "member"), ("actor", "member"),
    ]  # fmt: skip
    (part,) = parts(compiled("record.company.id == actor.sponsor.id"))
    assert [(value.text, value.entity) for value in part.values] == [
        ("record.company.id", "company"), ("actor.sponsor.id", "member"),
    ]  # fmt: skip
