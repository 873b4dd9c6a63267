"""The JSON Schemas, the builders and the types list the same things, and every key is described."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from jsonschema import Draft202012Validator

from definitions.build.automations import TRIGGERS
from definitions.build.jinja import FILTERS
from definitions.build.steps import ACTIONS, BESIDE
from definitions.checks.not_yet import LATER, LATER_KINDS
from definitions.spec import access, automation, entity, process, screen, template
from definitions.spec.network import Network
from definitions.validate import every_key, kinds, schema
from models.titles import TEXT_FILTERS

PARTS = schema("parts")["$defs"]
STEP_ACTIONS = set(PARTS["step"]["properties"]) - BESIDE


def literal(kind: Any) -> set[str]:
    return set(typing.get_args(kind))


def test_every_schema_is_one() -> None:
    for name in ("parts", *kinds()):
        Draft202012Validator.check_schema(schema(name))


def test_every_kind_has_its_place_in_a_network() -> None:
    plural = {"entity": "entities", "process": "processes", "terms": "terms", "demo": "demo"}
    held = {plural.get(kind, f"{kind}s") for kind in kinds() if kind != "network"}
    assert held <= {field.name for field in fields(Network)}
    assert not LATER_KINDS & set(kinds())


def test_the_first_key_of_every_kind_is_its_name() -> None:
    for kind in kinds():
        assert next(every_key(kind)) == kind
        assert kind in schema(kind)["required"]


def described(node: Any, path: str, own: dict[str, Any]) -> Iterator[str]:
    """Yield the paths of keys that have no description, neither where they stand nor in the part they refer to."""
    if not isinstance(node, dict):
        return
    for name, value in node.get("properties", {}).items():
        part = (own | PARTS).get(str(value.get("$ref", "")).rpartition("/")[2], {})
        if not value.get("description") and not part.get("description"):
            yield f"{path}/{name}"
    for name, value in node.items():
        below = value.items() if name in {"properties", "$defs"} else [(name, value)]
        for key, each in below:
            yield from described(each, f"{path}/{key}", own)


def test_every_key_is_described() -> None:
    found = [
        path for name in ("parts", *kinds()) for path in described(schema(name), name, schema(name).get("$defs", {}))
    ]
    assert found == []


def test_the_fields_of_the_schema_are_those_of_the_types() -> None:
    declared = {field.name for field in fields(entity.Field)} - {"name", "place", "built_in", "required_if"}
    assert set(PARTS["field"]["properties"]) == declared
    assert set(PARTS["formField"]["properties"]) == declared | {"field"}
    assert set(PARTS["fieldType"]["enum"]) == literal(entity.FieldType)
    assert set(PARTS["field"]["properties"]["personal"]["enum"]) == literal(entity.Personal)
    assert set(PARTS["field"]["properties"]["on_delete"]["enum"]) == literal(entity.OnDelete)


def test_the_choices_of_the_schema_are_those_of_the_types() -> None:
    properties = {kind: schema(kind)["properties"] for kind in kinds()}
    assert set(properties["entity"]["privacy"]["properties"]["basis"]["enum"]) == literal(entity.Basis)
    assert set(schema("process")["$defs"]["state"]["properties"]["colour"]["enum"]) == literal(process.Colour)
    assert set(properties["automation"]["mode"]["enum"]) == literal(automation.Mode)
    assert set(properties["level"]["functions"]["items"]["enum"]) == literal(access.Function) == set(access.FUNCTIONS)
    assert set(properties["statistic"]["chart"]["enum"]) == literal(screen.Chart)
    channels = typing.get_type_hints(template.Template)["channel"]
    assert set(properties["template"]["channel"]["enum"]) == literal(channels)


def test_the_keys_of_states_and_transitions_are_those_of_the_types() -> None:
    parts = schema("process")["$defs"]
    state = {field.name for field in fields(process.State)} - {"name", "place", "parent", "children"} | {"states"}
    assert set(parts["state"]["properties"]) == state
    made = {"name", "place", "sources", "target", "guard_uses_form", "anywhere"}
    transition = {field.name for field in fields(process.Transition)} - made | {"from", "to"}
    assert set(parts["transition"]["properties"]) == transition


def test_every_action_is_built_or_refused() -> None:
    later = {
        path.removeprefix("**/") for path in LATER["automation"] if path.startswith("**/") and path.count("/") == 1
    }
    assert set(ACTIONS) | later == STEP_ACTIONS
    assert not set(ACTIONS) & later


def test_every_action_that_is_built_has_a_type() -> None:
    names = {"SetFields": "set", "ForEach": "for_each"}
    types = {names.get(each.__name__, each.__name__.lower()) for each in typing.get_args(automation.Action)}
    assert types == set(ACTIONS)


def test_every_trigger_is_built_or_refused() -> None:
    later = {path.rpartition("/")[2] for path in LATER["automation"] if path.startswith("when/")}
    assert set(TRIGGERS) | later == set(schema("automation")["properties"]["when"]["properties"])
    assert (
        schema("automation")["properties"]["when"]["properties"]
        == schema("automation")["$defs"]["trigger"]["properties"]
    )


def test_the_filters_that_templates_may_use_are_those_that_messages_have() -> None:
    assert {*TEXT_FILTERS, "phone", "date", "datetime", "money", "label", "default"} == FILTERS
