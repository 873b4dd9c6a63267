"""Records as templates see them: fields by name, choices that know their labels, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel import Locale

from definitions.spec.entity import SYSTEM_FIELDS, Field
from definitions.spec.network import Network
from models.formats import Named


@dataclass(frozen=True, slots=True)
class Eye:
    """In which network and language something is shown."""

    network: Network
    language: str
    locale: Locale


class Shown:
    """A record's values as attributes. A known field without a value is None; an unknown one does not exist."""

    __slots__ = ("_entity", "_eye", "_values")

    def __init__(self, values: Mapping[str, Any], entity: str, eye: Eye) -> None:
        """Show `values` of a record of `entity`."""
        self._values = values
        self._entity = entity
        self._eye = eye

    def __getattr__(self, name: str) -> Any:
        """Return the field's value; `AttributeError` when the entity has no such field."""
        entity = self._eye.network.entities[self._entity]
        field = entity.fields.get(name)
        if field is not None:
            return shown(self._values.get(name), field, self._eye)
        if name in entity.processes:
            return _state(self._values.get(name), name, self._eye)
        if name == "owner" and entity.owner:
            owner = self._values.get("owner")
            return None if owner is None else Shown(owner, "member", self._eye)
        if name == "parent" and entity.parent is not None:
            parent = self._values.get("parent")
            return None if parent is None else Shown(parent, entity.parent, self._eye)
        if name in (lines := self._eye.network.lines(self._entity)):
            return [Shown(line, lines[name].name, self._eye) for line in self._values.get(name, ())]
        if name in SYSTEM_FIELDS or name in self._values:
            return self._values.get(name)
        raise AttributeError(name)

    def __str__(self) -> str:
        """Return nothing: a record is shown by its fields."""
        return ""


def shown(value: Any, field: Field, eye: Eye) -> Any:
    """Return a field's value the way that templates use it."""
    if value is None:
        return None
    match field.type:
        case "choice":
            return _option(value, field, eye)
        case "choices":
            return tuple(_option(item, field, eye) for item in value)
        case "country":
            return Named(value, eye.locale.territories.get(value, value))
        case "language":
            return Named(value, eye.locale.languages.get(value, value))
        case "reference" if field.to is not None:
            return Shown(value, field.to, eye)
        case _:
            return value


def _option(name: str, field: Field, eye: Eye) -> Named:
    option = field.options.get(name)
    return Named(name, name if option is None else option.label.pick(eye.language, *eye.network.languages))


def _state(name: Any, process: str, eye: Eye) -> Any:
    if isinstance(name, tuple):
        return tuple(_state(each, process, eye) for each in name)
    state = eye.network.processes[process].states.get(name)
    return name if state is None else Named(name, state.label.pick(eye.language, *eye.network.languages))


class Bag:
    """Values by name that are no record: links, settings, the network."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Show `values`."""
        self._values = values

    def __getattr__(self, name: str) -> Any:
        """Return a value; `AttributeError` when there is none of the name."""
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None
