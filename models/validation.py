"""Check values against what the entity says of its fields; every problem at once, by field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import re2  # type: ignore[import-untyped] # it has no types

from definitions.expr.expression import Context, Names
from definitions.problems import NOWHERE
from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from definitions.text import plain
from models.message import Message, say
from models.values import Locality, ValueRefusedError, convert

NO_SUCH_RECORD = say("This record does not exist, or you may not see it.")
TAKEN = say("This is taken already.")
_LENGTHS = frozenset({"text", "long_text", "email", "url"})


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Values of memory, and what is wrong with those that could not be converted."""

    values: Mapping[str, Any]
    problems: Mapping[str, Message] = field(default_factory=dict)


@cache
def owner_field() -> Field:
    """Return the field that `owner: true` stands for."""
    return Field("owner", "reference", plain("owner"), NOWHERE, required=False, to="member", built_in=True)


@cache
def parent_field(parent: str) -> Field:
    """Return the field that `parent: …` stands for: the record that a line is a line of."""
    return Field(
        "parent", "reference", plain("parent"), NOWHERE, required=True, to=parent, on_delete="delete", built_in=True
    )


def all_fields(entity: Entity) -> Mapping[str, Field]:
    """Return the declared fields of the entity with `parent` before them and `owner` after them."""
    found = entity.fields
    if entity.parent is not None:
        found = {"parent": parent_field(entity.parent), **found}
    if entity.owner and "owner" not in found:
        found = {**found, "owner": owner_field()}
    return found


def converted(network: Network, fields: Mapping[str, Field], raw: Mapping[str, Any]) -> Cleaned:
    """Convert values that are no record's by their fields, and check that none is missing or of a closed country."""
    locality = Locality(ZoneInfo(network.timezone), _network_region(network))
    values: dict[str, Any] = {}
    problems: dict[str, Message] = {}
    for name, value in raw.items():
        try:
            values[name] = convert(fields[name], value, locality)
        except ValueRefusedError as problem:
            problems[name] = problem.message
            continue
        wrong = _filled(network, fields[name], values[name])
        if wrong is not None:
            problems[name] = wrong
    return Cleaned(values, problems)


def _network_region(network: Network) -> str | None:
    if network.countries:
        return network.countries[0]
    return network.calendar.holidays


@dataclass(frozen=True, slots=True)
class Measure:
    """What fields have to fit: the names of their conditions and bounds, and the time.

    `untold` says whether a field's bounds may not be named. Those `waiting` have to fit values that are not known yet:
    they are looked at by themselves alone.
    """

    names: Names
    context: Context
    untold: Callable[[Field], bool] = lambda _: False
    waiting: Collection[str] = ()


class Declared:
    """The fields of an entity or of a form, ready to convert and check the values of many records."""

    def __init__(self, network: Network, entity: Entity) -> None:
        """Take what is the same for all of them."""
        self.fields = all_fields(entity)
        self._network = network
        self._checked = {name: field for name, field in self.fields.items() if _asks(network, field)}
        self._countries = [name for name, field in entity.fields.items() if field.type == "country"]
        self._timezone = ZoneInfo(network.timezone)
        self._at_home = Locality(self._timezone, _network_region(network))

    def clean(self, raw: Mapping[str, Any], current: Mapping[str, Any]) -> Cleaned:
        """Convert `raw` by the types of the fields; `current` is the record before, for the country of a number."""
        locality = self._locality(raw, current)
        values: dict[str, Any] = {}
        problems: dict[str, Message] = {}
        for name, value in raw.items():
            declared = self.fields.get(name)
            if declared is None:
                problems[name] = say("There is no such field.")
                continue
            if declared.compute is not None:
                problems[name] = say("This is computed, it cannot be set.")
                continue
            try:
                values[name] = convert(declared, value, locality)
            except ValueRefusedError as problem:
                problems[name] = problem.message
        return Cleaned(values, problems)

    def _locality(self, raw: Mapping[str, Any], current: Mapping[str, Any]) -> Locality:
        """Return the country that a phone number without prefix is of: the record's, else the network's first."""
        for name in self._countries:
            value = raw[name] if name in raw else current.get(name)
            if isinstance(value, str) and value:
                return Locality(self._timezone, value.upper())
        return self._at_home

    def check(self, values: Mapping[str, Any], changed: Collection[str], measure: Measure) -> dict[str, Message]:
        """Return what is wrong with the changed fields of a whole record."""
        problems: dict[str, Message] = {}
        for name in changed:
            declared = self._checked.get(name)
            if declared is None:
                continue
            if name in measure.waiting:
                declared = replace(declared, required_if=None, min=None, max=None)
            found = _problem(self._network, declared, values.get(name), measure)
            if found is not None:
                problems[name] = found
        return problems


def clean(network: Network, entity: Entity, raw: Mapping[str, Any], current: Mapping[str, Any]) -> Cleaned:
    """Do `Declared.clean` once."""
    return Declared(network, entity).clean(raw, current)


def _asks(network: Network, field: Field) -> bool:
    """Whether a field asks anything of its values beyond their type."""
    asked = (field.required_if, field.pattern, field.min, field.max)
    closed = field.type == "country" and bool(network.countries)
    return field.required or closed or any(each is not None for each in asked)


def _problem(network: Network, declared: Field, value: Any, measure: Measure) -> Message | None:
    names, context = measure.names, measure.context
    needed = declared.required_if is not None and declared.required_if.compute(names, context) is True
    missing = _filled(network, declared, value, needed=needed)
    if missing is not None or value is None:
        return missing
    if declared.pattern is not None and not _pattern(declared.pattern).fullmatch(str(value)):
        return say("This does not have the expected form.")
    least = None if declared.min is None else declared.min.compute(names, context)
    most = None if declared.max is None else declared.max.compute(names, context)
    found = _bounds(declared, value, least, most)
    if found is not None and measure.untold(declared):
        return say("This does not fit the other values.")
    return found


def _filled(network: Network, declared: Field, value: Any, *, needed: bool = False) -> Message | None:
    if value is None:
        return say("This is needed.") if declared.required or needed else None
    if declared.type == "country" and network.countries and value not in network.countries:
        return say("The network is not open in this country: {countries}.", countries=", ".join(network.countries))
    return None


def _bounds(declared: Field, value: Any, least: Any, most: Any) -> Message | None:
    if declared.type in _LENGTHS:
        if most is not None and len(value) > most:
            return say("At most {count} characters.", count=most)
        if least is not None and len(value) < least:
            return say("At least {count} characters.", count=least)
        return None
    if least is not None and value < least:
        return say("At least {bound}.", bound=least)
    if most is not None and value > most:
        return say("At most {bound}.", bound=most)
    return None


@cache
def _pattern(text: str) -> Any:
    """Compile a field's pattern with the engine whose time is linear in the text."""
    return re2.compile(text)
