"""The words of the version that a run began with: what it reads is said in them, what it writes in those of today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.expr import Columns, Expression, SqlTemplate, Type
from definitions.spec.network import Network
from models.references import target
from models.renames import Names, Renames, reverse

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier version of a network, and what is called differently since.

    Where nothing is, everything is given back as it came.
    """

    network: Network
    renames: Renames

    def entity(self, today: str) -> str:
        """Return what an entity was called."""
        return reverse(self.renames.entities).get(today, today)

    def paths(self, entity: str, paths: Iterable[Path]) -> set[Path]:
        """Return the paths of then, over an entity (by its name of today), as they are now."""
        if not self.renames:
            return set(paths)
        return {self._path(self.entity(entity), path) for path in paths}

    def _path(self, entity: str | None, path: Path) -> Path:
        if not path or entity is None or entity not in self.network.entities:
            return path
        to = target(self.network.entities[entity], path[0])
        return (self.renames.field(entity, path[0]), *self._path(to, path[1:]))

    def view(self, entity: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a record (of an entity of today) under the names of then, what it refers to included."""
        if not self.renames:
            return values
        return self._view(self.entity(entity), values)

    def _view(self, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
        definition = self.network.entities.get(entity)
        if definition is None:
            return dict(values)
        own = (*definition.fields, *definition.processes)
        names = reverse({name: self.renames.field(entity, name) for name in own})
        found = {}
        for today, value in values.items():
            name = names.get(today, today)
            to = target(definition, name)
            if isinstance(value, Mapping) and to is not None:
                found[name] = self._view(to, value)
            else:
                found[name] = self._said(entity, name, value)
        return found

    def _said(self, entity: str, name: str, value: Any) -> Any:
        """Return a choice or a state as it was called; what was called so already stays."""
        choices = self.renames.choices(entity, name)
        if not choices:
            return value
        known = self._choices(entity, name)
        return _named({new: old for old, new in choices.items() if new not in known}, value)

    def _choices(self, entity: str, name: str) -> frozenset[str]:
        field = self.network.entities[entity].fields.get(name)
        process = self.network.processes.get(name)
        return frozenset(field.options if field is not None else process.states if process is not None else ())

    def written(self, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a step writes to an entity (by its name of today), by the names of today."""
        if not self.renames:
            return dict(values)
        was = self.entity(entity)
        return {self.renames.field(was, name): self.renames.value(was, name, value) for name, value in values.items()}

    def sort(self, entity: str, name: str) -> str:
        """Return what a list of an entity (by its name of today) is sorted by, with its sign."""
        plain = name.removeprefix("-")
        return name[: len(name) - len(plain)] + self.renames.field(self.entity(entity), plain)

    def compares_renamed(self, condition: Expression) -> bool:
        """Whether a condition reads fields or processes whose options or states are called differently now."""
        others = {path.rpartition(".")[2] for path in self.renames.options} | set(self.renames.states)
        return any(others & set(path) for path in condition.reads)

    def columns(self, today: Columns) -> Columns:
        """Return the columns of today by the names of then, for conditions in the database."""
        return _Columns(self, today) if self.renames else today


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns by earlier names."""

    earlier: Earlier
    today: Columns

    def table(self, entity: str) -> str:
        return self.today.table(self.earlier.renames.entity(entity))

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        renames = self.earlier.renames
        return self.today.value(renames.entity(entity), alias, renames.field(entity, field))

    def row(self, entity: str, alias: str) -> SqlTemplate:
        return self.today.row(self.earlier.renames.entity(entity), alias)

    def encode(self, value: Any, kind: Type) -> Any:
        return self.today.encode(value, kind)


def _named(names: Names, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_named(names, each) for each in value)
    return names.get(value, value) if isinstance(value, str) else value
