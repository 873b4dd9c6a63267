"""Piccolo tables of a network's entities, made at run time from the definitions."""

from __future__ import annotations

import keyword
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any

from piccolo.columns import Column, ForeignKey, Text
from piccolo.columns.base import OnDelete as PiccoloOnDelete
from piccolo.engine.base import Engine
from piccolo.table import TABLE_REGISTRY, Table, create_table_class
from pydantic import BaseModel

from definitions.expr.template import SqlTemplate
from definitions.expr.types import Type
from definitions.spec.entity import Entity, Field
from definitions.spec.network import Network
from models.columns import Codec, Convert, encode_type
from models.connections import fold
from models.ddl import listed, quoted
from models.sealed import Safe
from models.shape import FOLD, ColumnShape, OnDelete, TableShape, shapes
from models.tx import Dialect

_ON_DELETE: Mapping[OnDelete, PiccoloOnDelete] = {
    "restrict": PiccoloOnDelete.restrict,
    "clear": PiccoloOnDelete.set_null,
    "delete": PiccoloOnDelete.cascade,
}
_REGISTRY = threading.Lock()


@cache
def _taken() -> frozenset[str]:
    """Return the attributes that a column may not hide: those of Piccolo's tables and columns, and of their models."""
    return frozenset((*dir(Table), *dir(ForeignKey), *vars(Text()), *dir(BaseModel), *keyword.kwlist, "user"))


def attribute(column: str) -> str:
    """Return the name of a column's attribute on the Piccolo table: its own, or a capitalised one where that is taken.

    Names in definitions have no capitals, so the two never meet. (Piccolo overlooks attributes that begin with `_`.)
    """
    if column.startswith("_"):
        return f"X{column}"
    return column.capitalize() if column in _taken() else column


class _Classes:
    """The Piccolo classes of entities: most of what opening a network costs, and only Piccolo's own doors need them."""

    def __init__(self, wanted: Mapping[str, TableShape], engine: Engine[Any], dialect: Dialect) -> None:
        self._make = partial(_make, wanted, engine, dialect)
        self._made: dict[str, type[Table]] | None = None
        self._making = threading.Lock()

    def __call__(self) -> dict[str, type[Table]]:
        """Return the classes by entity; on whichever threads they are asked for, they are the same."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made


class EntityTable:
    """The table of an entity: its Piccolo class, its columns in order, and the way of a row into memory and back."""

    def __init__(self, shape: TableShape, classes: _Classes, dialect: Dialect, safe: Safe) -> None:
        """Compile the codecs of `shape`."""
        self._safe = safe
        self._sealed = {name: shape.entity.fields[name] for name, column in shape.columns.items() if column.sealed}
        self._classes = classes
        self.shape = shape
        self.entity: Entity = shape.entity
        self.name = shape.name
        self.quoted = quoted(shape.name)
        self.columns: tuple[str, ...] = tuple(shape.columns)
        self._codecs: Mapping[str, Codec] = {name: column.codec.on(dialect) for name, column in shape.columns.items()}
        self._encoders: Mapping[str, Convert | None] = {name: codec.encode for name, codec in self._codecs.items()}
        self._keepers: Mapping[str, Convert | None] = {n: column.codec.encode for n, column in shape.columns.items()}
        self.values: tuple[str, ...] = tuple(name for name in self.columns if not name.startswith(FOLD))
        """The columns of a record's values: all but those that are searched in."""
        self._folded = tuple((name.removeprefix(FOLD), name) for name in self.columns if name.startswith(FOLD))
        self.select = f"SELECT {listed(self.values)} FROM {self.quoted}"  # noqa: S608 - names of the definitions only
        """The statement that reads `values` of all rows, and `decode_values` what it returns."""
        self.decode_values = self.decoder(self.values)

    @property
    def table(self) -> type[Table]:
        """The Piccolo class, made with those of the other entities when one of them is first asked for."""
        return self._classes()[self.name]

    def column(self, name: str) -> Column:
        """Return the Piccolo column of a field, a system field, a process or `_path`."""
        found: Column = getattr(self.table, attribute(name))
        return found

    def decode(self, row: Sequence[Any], columns: Sequence[str] | None = None) -> dict[str, Any]:
        """Return a row as values of memory by name; `columns` are those of the row, all of them in order by default."""
        return self.decoder(self.columns if columns is None else columns)(row)

    def decoder(self, columns: Sequence[str]) -> Callable[[Sequence[Any]], dict[str, Any]]:
        """Return what `decode` does for rows that begin with these columns, prepared once for many rows."""
        names = tuple(columns)
        converts = tuple((name, convert) for name in names if (convert := self._codecs[name].decode) is not None)
        sealed = tuple(self._sealed[name] for name in names if name in self._sealed)
        if sealed:
            return self._opening(names, converts, sealed)

        def decode(row: Sequence[Any]) -> dict[str, Any]:
            values = dict(zip(names, row, strict=False))
            for name, convert in converts:
                stored = values[name]
                if stored is not None:
                    values[name] = convert(stored)
            return values

        return decode

    def _opening(
        self, names: tuple[str, ...], converts: tuple[tuple[str, Convert], ...], sealed: tuple[Field, ...]
    ) -> Callable[[Sequence[Any]], dict[str, Any]]:
        """Return what decodes rows with encrypted values; the id is one of the columns."""

        def decode(row: Sequence[Any]) -> dict[str, Any]:
            values = dict(zip(names, row, strict=False))
            for name, convert in converts:
                if values[name] is not None:
                    values[name] = convert(values[name])
            for field in sealed:
                if values[field.name] is not None:
                    values[field.name] = self._safe.open(field, values["id"], values[field.name])
            return values

        return decode

    def stored_row(self, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """Return the stored forms of values of a record (sealed ones for it), with the columns that are searched."""
        found: dict[str, Any] = {}
        for name in names:
            value = found[name] = values[name]
            if value is None:
                continue
            if name in self._sealed:
                found[name] = self._safe.seal(self._sealed[name], values["id"], value)
            elif (encode := self._encoders[name]) is not None:
                found[name] = encode(value)
        for name, folded in self._folded:
            if name in found:
                found[folded] = fold(values[name])
        return found

    def encode(self, name: str, value: Any) -> Any:
        """Return the stored form of a column's value."""
        encode = self._encoders[name]
        return value if value is None or encode is None else encode(value)

    def keep(self, name: str, value: Any) -> Any:
        """Return what stands for a column's value in JSON (history, runs, exports): the same for every database."""
        if value is None:
            return None
        if name in self._sealed:
            return self._safe.keep(self._sealed[name], value)
        encode = self._keepers[name]
        return value if encode is None else encode(value)

    def kept(self, forms: Mapping[str, Any]) -> dict[str, Any]:
        """Return as values of memory what `keep` made of them, by column."""
        found = {name: self.shape.columns[name].codec.decoded(form) for name, form in forms.items()}
        for name in self._sealed.keys() & found.keys():
            if found[name] is not None:
                found[name] = self._safe.kept(self._sealed[name], found[name])
        return found


class Tables(Mapping[str, EntityTable]):
    """The tables of one version of a network, by entity. It also answers what SQL of expressions asks (`Columns`)."""

    def __init__(self, network: Network, engine: Engine[Any], safe: Safe | None = None) -> None:
        """Make the tables; their queries run over `engine`. `safe` has the keys of what is encrypted."""
        self.network = network
        self.safe = safe or Safe()
        self.dialect: Dialect = "postgres" if engine.engine_type == "postgres" else "sqlite"
        wanted = shapes(network)
        classes = _Classes(wanted, engine, self.dialect)
        self._tables = {name: EntityTable(shape, classes, self.dialect, self.safe) for name, shape in wanted.items()}

    def __getitem__(self, entity: str) -> EntityTable:
        """Return the table of an entity."""
        return self._tables[entity]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the entities' names."""
        return iter(self._tables)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tables)

    def table(self, entity: str) -> str:
        """Return the table's name, quoted, for a FROM."""
        return self._tables[entity].quoted

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        """Return the stored value of a column of the row `alias`."""
        column = self._tables[entity].shape.columns[field]
        declared = column.codec.on(self.dialect).declared
        scale = int(declared.removeprefix("INT_SCALE_")) if declared.startswith("INT_SCALE_") else None
        return SqlTemplate(f"{quoted(alias)}.{quoted(field)}", scale=scale)

    def row(self, entity: str, alias: str) -> SqlTemplate:  # noqa: ARG002 - the others' way to ask
        """Return that every row counts."""
        return SqlTemplate("TRUE")

    def encode(self, value: Any, kind: Type) -> Any:
        """Return the stored form of a value (not None) of an expression's type."""
        return encode_type(value, kind, self.dialect)


def create_table(name: str, columns: Mapping[str, Column], engine: Engine[Any] | None) -> type[Table]:
    """Return a Piccolo table that no registry keeps alive."""
    with _REGISTRY:
        table = create_table_class(
            "".join(word.capitalize() for word in name.split("_")) or "Table",
            class_kwargs={"tablename": "unnamed", "db": engine},  # named below: Piccolo warns of names like "user"
            class_members=dict(columns),
        )
        TABLE_REGISTRY.remove(table)
    table._meta.tablename = name  # noqa: SLF001 - Piccolo keeps what it knows of a table there
    return table


def _make(wanted: Mapping[str, TableShape], engine: Engine[Any], dialect: Dialect) -> dict[str, type[Table]]:
    made = {
        name: create_table(
            name, {attribute(column.name): _column(column, dialect) for column in shape.columns.values()}, engine
        )
        for name, shape in wanted.items()
    }
    for name, shape in wanted.items():
        for column in shape.columns.values():
            if column.references in made:
                _refer(made[name], column, made[column.references])
    return made


def _column(shape: ColumnShape, dialect: Dialect) -> Column:
    column = Text(primary_key=True) if shape.name == "id" else shape.codec.on(dialect).piccolo()
    column._meta.null = shape.null  # noqa: SLF001 - Piccolo keeps what it knows of a column there
    column._meta.db_column_name = shape.name  # noqa: SLF001 - the same
    return column


def _refer(table: type[Table], shape: ColumnShape, target: type[Table]) -> None:
    """Make a column a foreign key once its target exists: entities refer to each other in circles.

    This is what Piccolo's metaclass does with foreign keys; its lazy references would stay in a global list for ever.
    """
    name = attribute(shape.name)
    key: ForeignKey[Any] = ForeignKey(target, null=shape.null, on_delete=_ON_DELETE[shape.on_delete])
    about, meta = key._meta, table._meta  # noqa: SLF001 - Piccolo keeps what it knows of columns and tables there
    about.name = name
    about.db_column_name = shape.name
    about.table = table
    setattr(table, name, key)
    for columns in (meta.columns, meta.non_default_columns):
        columns[[column._meta.name for column in columns].index(name)] = key  # noqa: SLF001 - the same
    meta.foreign_key_columns.append(key)
    key._setup(table)  # noqa: SLF001 - the step of the metaclass that needs the table
