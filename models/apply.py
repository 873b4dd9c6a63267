"""Carry out a plan, in the transaction that publishes the version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from definitions.expr.expression import Context
from definitions.message import say
from definitions.problems import DefinitionError, Problem
from definitions.spec.entity import Field
from models import ddl
from models.catalog import indexes_of, references_of
from models.computed import defaults_in_order
from models.connections import fold
from models.ddl import listed, quoted
from models.examine import duplicate, examine
from models.placement import Placement
from models.plan import AddTable, ChangeTable, DropTable, Plan
from models.recast import Recast
from models.recompute import BATCH, Recompute
from models.sealed import Safe
from models.shape import FOLD, LONGEST, ColumnShape, IndexShape, shapes
from models.store import ConstraintError
from models.tx import Tx

ASIDE = "_old_"
"""What stands before the name of a column or table that is in the way of a new one."""

ABOUT = ("_history", "_task", "_mail", "_run", "_approval", "_hook", "_notice", "_document", "_retention")
"""System tables that name an entity."""
OF_PROCESSES = ("_history", "_approval")
OF_AUTOMATIONS = ("_run", "_assigned")
"""Those that name an automation."""


async def apply(tx: Tx, plan: Plan, context: Context, *, allow_loss: bool = False, safe: Safe | None = None) -> None:
    """Make the changes of `plan`; foreign keys are off meanwhile and checked at the end: `write(…, schema=True)`.

    `DefinitionError` with everything that forbids the plan. `context` is for defaults and computed fields, `safe` has
    the keys of encrypted fields.
    """
    safe = safe or Safe()
    problems = await examine(tx, plan, allow_loss=allow_loss, safe=safe)
    if problems:
        raise DefinitionError(tuple(problems))
    _refuse_long_names(tx, plan)
    changes = [step for step in plan.steps if isinstance(step, ChangeTable)]
    changes.sort(key=lambda step: -plan.new.depth(step.new.name))  # what is computed of lines comes after them
    for step in plan.steps:
        if isinstance(step, DropTable):
            await tx.run(ddl.drop_table(step.shape.name, tx.dialect))
    await _rename_tables(tx, changes)
    for step in plan.steps:
        if isinstance(step, AddTable):
            await tx.run(ddl.create_table(step.shape, tx.dialect))
            await _create_indexes(tx, step.shape.indexes, step.shape.entity.fields)
    change_of = _PostgresChange if tx.dialect == "postgres" else _TableChange
    under_way = [change_of(tx, plan, change, context, safe) for change in changes]
    for change in under_way:
        await change.run()
    if tx.dialect == "postgres":
        await _add_references(tx, plan)
    await _rename_in_system_tables(tx, plan)


async def _rename_tables(tx: Tx, changes: Iterable[ChangeTable]) -> None:
    moved = [change for change in changes if change.old.name != change.new.name]
    for change in moved:
        await tx.run(ddl.rename_table(change.old.name, ASIDE + change.old.name))
    for change in moved:
        await tx.run(ddl.rename_table(ASIDE + change.old.name, change.new.name))


async def _create_indexes(tx: Tx, indexes: Iterable[IndexShape], fields: Mapping[str, Field]) -> None:
    for index in indexes:
        try:
            await tx.run(ddl.create_index(index))
        except ConstraintError as error:
            raise DefinitionError((duplicate(fields[index.columns[0]], index),)) from error


async def _rename_in_system_tables(tx: Tx, plan: Plan) -> None:
    """Let history, tasks, mails and runs follow; in one statement, since names may be exchanged."""
    for table in ABOUT if plan.entities else ():
        await _rename_values(tx, table, "entity", plan.entities)
    if plan.processes:
        for table in OF_PROCESSES:
            await _rename_values(tx, table, "process", plan.processes)
    if plan.automations:
        for table in OF_AUTOMATIONS:
            await _rename_values(tx, table, "automation", plan.automations)


async def _rename_values(tx: Tx, table: str, column: str, names: Mapping[str, str | None]) -> None:
    name = quoted(column)
    cases = " ".join("WHEN ? THEN ?" for _ in names)
    places = ", ".join("?" * len(names))
    sql = f"UPDATE {quoted(table)} SET {name} = CASE {name} {cases} END WHERE {name} IN ({places})"  # noqa: S608 - quoted names
    await tx.run(sql, [part for pair in names.items() for part in pair] + list(names))


class _TableChange:
    """One table on its way: columns renamed and added, values filled and converted, then it is rebuilt if needed."""

    def __init__(self, tx: Tx, plan: Plan, change: ChangeTable, context: Context, safe: Safe) -> None:
        self.safe = safe
        self.tx = tx
        self.plan = plan
        self.change = change
        self.context = context
        self.name = change.new.name
        self.fields = change.new.entity.fields

    async def run(self) -> None:
        for index in self.change.old.indexes:
            if index not in self.change.new.indexes or self.change.rebuilds or self.change.renamed:
                await self.tx.run(ddl.drop_index(index))
        await self._move_columns()
        await self._convert()
        await self._replace_values()
        await self._fill()
        await self._recompute()
        await self._check_written()
        if self.change.rebuilds:
            await self._rebuild()
        present = await indexes_of(self.tx, self.name)
        missing = [index for index in self.change.new.indexes if index.name not in present]
        await _create_indexes(self.tx, missing, self.fields)

    async def _check_written(self) -> None:
        """Check what was written against the references, where the database cannot alter the table before."""

    async def _move_columns(self) -> None:
        """Put aside what goes, is converted or is renamed; then give everything new its place."""
        change = self.change
        for column in change.dropped:
            await self.tx.run(ddl.rename_column(self.name, column.name, ASIDE + column.name))
        for name in change.retyped:
            await self.tx.run(ddl.rename_column(self.name, change.sources[name], ASIDE + change.sources[name]))
        renamed = {old: new for old, new in change.renamed.items() if new not in change.retyped}
        for old in renamed:
            await self.tx.run(ddl.rename_column(self.name, old, ASIDE + old))
        for old, new in renamed.items():
            await self.tx.run(ddl.rename_column(self.name, ASIDE + old, new))
        for column in change.added:
            await self._add(column)
        for name in change.retyped:
            await self._add(change.new.columns[name])

    async def _add(self, column: ColumnShape) -> None:
        """Add a column that may be null as long as it has no values."""
        await self.tx.run(ddl.add_column(self.name, replace(column, null=True), self.tx.dialect))

    async def _convert(self) -> None:
        for name in self.change.retyped:
            source = self.change.sources[name]
            recast = Recast(
                self.change.old.entity.fields[source], self.fields[name], self.context.timezone, self.tx.dialect
            )
            aside = quoted(ASIDE + source)
            if recast.was.encrypted or recast.now.encrypted:
                await self._reseal(recast, aside)
                continue
            found = await self.tx.rows(
                f"SELECT DISTINCT {aside} FROM {quoted(self.name)} WHERE {aside} IS NOT NULL"  # noqa: S608 - quoted names
            )
            update = f"UPDATE {quoted(self.name)} SET {quoted(name)} = ? WHERE {aside} = ?"  # noqa: S608 - the same
            await self.tx.run_many(update, [(recast(row[0])[0], row[0]) for row in found])

    async def _reseal(self, recast: Recast, aside: str) -> None:
        """Convert values that are encrypted, or will be: each for its own row."""
        update = f'UPDATE {quoted(self.name)} SET {quoted(recast.now.name)} = ? WHERE "id" = ?'  # noqa: S608 - quoted names
        after = ""
        while True:
            rows = await self.tx.rows(
                f'SELECT "id", {aside} FROM {quoted(self.name)} WHERE {aside} IS NOT NULL AND "id" > ? '  # noqa: S608 - the same
                f'ORDER BY "id" LIMIT {BATCH}',
                [after],
            )
            if not rows:
                return
            await self.tx.run_many(update, [(recast.sealed(self.safe, *row), row[0]) for row in rows])
            after = rows[-1][0]

    async def _replace_values(self) -> None:
        """Give records whose option or state is gone the one that takes its place."""
        for name, placed in self.change.states.items():
            await self._place(name, placed)
        for name, moves in self.change.options.items():
            if not moves or name in self.change.retyped:
                continue
            if self.fields[name].type == "choices":
                await self._replace_in_lists(name, moves)
            else:
                await _rename_values(self.tx, self.name, name, moves)

    async def _place(self, name: str, placed: Placement) -> None:
        """Let records go where their states went."""
        found = await self.tx.rows(f"SELECT DISTINCT {quoted(name)} FROM {quoted(self.name)}")  # noqa: S608 - quoted names
        moves = {stored: placed.stored(stored) for (stored,) in found}
        changed = {stored: fresh for stored, fresh in moves.items() if stored != fresh}
        if changed:
            await _rename_values(self.tx, self.name, name, changed)

    async def _replace_in_lists(self, name: str, moves: Mapping[str, str | None]) -> None:
        column = quoted(name)
        found = await self.tx.rows(
            f"SELECT DISTINCT {column} FROM {quoted(self.name)} WHERE {column} IS NOT NULL"  # noqa: S608 - quoted names
        )
        for (stored,) in found:
            moved = [moves.get(option, option) for option in json.loads(stored)]
            kept = list(dict.fromkeys(option for option in moved if option is not None))
            fresh = json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None
            await self.tx.run(
                f"UPDATE {quoted(self.name)} SET {column} = ? WHERE {column} = ?",  # noqa: S608 - the same
                [fresh, stored],
            )

    async def _fill(self) -> None:
        """Give new columns their first values, and required ones their default where there is none."""
        for column in self.change.added:
            await self._fill_column(column)
        for name in self.change.sources:
            column = self.change.new.columns[name]
            if column.kind == "field" and not column.null:
                await self._fill_default(name)
            elif column.kind == "fold" and (self.change.retyped & {column.source}):
                await self._fill_fold(column)

    async def _fill_column(self, column: ColumnShape) -> None:
        match column.kind:
            case "field":
                await self._fill_default(column.name)
            case "state":
                await self._set_all(column.name, column.codec.encoded(self.plan.new.processes[column.source].initial))
            case "fold":
                await self._fill_fold(column)
            case "owner":
                await self.tx.run(f'UPDATE {quoted(self.name)} SET "owner" = "created_by"')  # noqa: S608 - quoted names
            case "system" | "path" | "parent" | "position":
                return  # every table has had these from the beginning; what becomes lines has no records

    async def _fill_fold(self, column: ColumnShape) -> None:
        target, source = quoted(column.name), quoted(column.source)
        found = await self.tx.rows(f"SELECT DISTINCT {source} FROM {quoted(self.name)} WHERE {source} IS NOT NULL")  # noqa: S608 - quoted names
        await self.tx.run(f"UPDATE {quoted(self.name)} SET {target} = NULL WHERE {source} IS NULL")  # noqa: S608 - the same
        update = f"UPDATE {quoted(self.name)} SET {target} = ? WHERE {source} = ?"  # noqa: S608 - the same
        await self.tx.run_many(update, [(fold(text), text) for (text,) in found])

    async def _set_all(self, name: str, stored: Any) -> None:
        column = quoted(name)
        await self.tx.run(f"UPDATE {quoted(self.name)} SET {column} = ? WHERE {column} IS NULL", [stored])  # noqa: S608 - quoted names

    async def _fill_default(self, name: str) -> None:
        default = self.fields[name].default
        if default is None or self.fields[name].follows:
            return
        value = default.compute({}, self.context)
        if not self.fields[name].encrypted:
            await self._set_all(name, self._encoded(name, value))
        elif value is not None:
            column = quoted(name)
            rows = await self.tx.rows(f'SELECT "id" FROM {quoted(self.name)} WHERE {column} IS NULL')  # noqa: S608 - quoted names
            update = f'UPDATE {quoted(self.name)} SET {column} = ? WHERE "id" = ?'  # noqa: S608 - the same
            await self.tx.run_many(update, [(self.safe.seal(self.fields[name], id, value), id) for (id,) in rows])

    def _encoded(self, name: str, value: Any) -> Any:
        return self.change.new.columns[name].codec.on(self.tx.dialect).encoded(value)

    async def _recompute(self) -> None:
        """Compute fields again, each after those that it reads; new ones get the defaults that read other values."""
        added = {column.name for column in self.change.added if column.kind == "field"}
        following = [field.name for field in defaults_in_order(self.change.new.entity) if field.name in added]
        tables = shapes(self.plan.new) if self.change.recomputed or following else {}
        again = Recompute(self.tx, tables, self.context, self.safe)
        await again(self.change.new, self.change.recomputed)
        if following:
            await replace(again, way=attrgetter("default"))(self.change.new, following)
            await again(self.change.new, self.change.recomputed)

    async def _rebuild(self) -> None:
        """Write the table anew in its final form: the twelve steps that SQLite's documentation recommends."""
        fresh = ASIDE + self.name
        columns = listed(self.change.new.columns)
        await self.tx.run(ddl.create_table(self.change.new, self.tx.dialect, fresh))
        await self.tx.run(
            f"INSERT INTO {quoted(fresh)} ({columns}) SELECT {columns} FROM {quoted(self.name)} ORDER BY rowid"  # noqa: S608 - quoted names
        )
        await self.tx.run(ddl.drop_table(self.name, self.tx.dialect))
        await self.tx.run(ddl.rename_table(fresh, self.name))


class _PostgresChange(_TableChange):
    """The same where tables can be altered in place; references are dropped here and added once all tables stand."""

    async def _move_columns(self) -> None:
        for name, source in self.change.sources.items():
            was, now = self.change.old.columns[source], self.change.new.columns[name]
            if was.stored != now.stored:
                await self._drop_references(source)
        await super()._move_columns()
        for name, source in self.change.sources.items():
            was, now = self.change.old.columns[source], self.change.new.columns[name]
            if name not in self.change.retyped and was.codec.declared != now.codec.declared:
                await self.tx.run(ddl.drop_column(self.name, name))  # it is computed, and will be again
                await self._add(now)

    async def _check_written(self) -> None:
        await self.tx.run("SET CONSTRAINTS ALL IMMEDIATE")  # a row that was written twice has its checks pending
        await self.tx.run("SET CONSTRAINTS ALL DEFERRED")

    async def _drop_references(self, column: str) -> None:
        for rule in await references_of(self.tx, self.name, column):
            await self.tx.run(f"ALTER TABLE {quoted(self.name)} DROP CONSTRAINT {quoted(rule)}")

    async def _rebuild(self) -> None:
        """Let go of what was put aside, and let the columns be null or not as they shall."""
        change = self.change
        for name in (*(column.name for column in change.dropped), *(change.sources[each] for each in change.retyped)):
            await self.tx.run(ddl.drop_column(self.name, ASIDE + name))
        for name, column in change.new.columns.items():
            source = change.sources.get(name)
            was_null = source is None or name in change.retyped or change.old.columns[source].null
            if was_null != column.null:
                await self.tx.run(ddl.set_null(self.name, column))


async def _add_references(tx: Tx, plan: Plan) -> None:
    """Let the columns that are new, or refer otherwise than before, refer to their tables."""
    for step in plan.steps:
        if isinstance(step, DropTable):
            continue
        table = step.shape if isinstance(step, AddTable) else step.new
        for name, column in table.columns.items():
            if column.references is not None and _refers_anew(step, name):
                await tx.run(ddl.add_reference(table.name, column))


def _refers_anew(step: AddTable | ChangeTable, name: str) -> bool:
    source = step.sources.get(name) if isinstance(step, ChangeTable) else None
    if source is None or isinstance(step, AddTable) or name in step.retyped:
        return True
    return step.old.columns[source].stored != step.new.columns[name].stored


def _refuse_long_names(tx: Tx, plan: Plan) -> None:
    """Refuse names that PostgreSQL would cut, what is put before them included."""
    if tx.dialect == "sqlite":
        return
    longest = LONGEST - len(ASIDE) - len(FOLD)
    tables = [
        step.shape if isinstance(step, AddTable) else step.new for step in plan.steps if not isinstance(step, DropTable)
    ]
    problems = [
        Problem(
            "plan.long_name",
            table.entity.place,
            say("'{name}' is too long a name for PostgreSQL.", name=name),
            say("{longest} letters are enough.", longest=longest),
        )
        for table in tables
        for name in (table.name, *(column.source or column.name for column in table.columns.values()))
        if len(name) > longest
    ]
    if problems:
        raise DefinitionError(tuple(problems))
