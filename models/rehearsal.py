"""A network as it was some days ago, in a store of its own that is thrown away: where a change is tried out.

It holds the records, the settings and the history of that time, and nothing that opens an account or leaves the house.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from definitions.spec.network import Network
from models.apply import apply
from models.archive import Progress
from models.clock import SetClock
from models.columns import MOMENT
from models.connections import FileLock, connect, fold
from models.ddl import listed, quoted
from models.errors import PublishedMeanwhileError
from models.plan import Plan, plan
from models.published import Published, make_published
from models.shape import FOLD
from models.sheets import PAGE, Sheet, sheets
from models.sqlite import SqliteStore
from models.store import ConstraintError, StoreError
from models.system import HISTORY, ensure_system_tables
from models.tables import EntityTable
from models.tenant import Tenant
from models.tx import Row, Tx

GROUP = 500
"""Rows of the past that one transaction takes back."""
FOLDER, FILE = "maille-rehearsal-", "rehearsal.sqlite"
KEPT = frozenset({"_setting", "_closed", "_task", "_file"})
"""System tables that go along, beside the history."""
PAST, OWN = "_past", "_own"
"""The history since then, and the runs whose doings are left out of it."""
HAPPENED = frozenset({"created", "updated", "moved", "undone", "deleted"})

_COLUMNS = listed(HISTORY.columns)
_TOLD = frozenset({"before", "after", "text", "ip"})
"""What the history of before is not asked for: it says only when what happened."""
_AFTER = f"""SELECT {_COLUMNS} FROM "_history" WHERE "at" > ? OR "at" = ? AND "id" > ?
ORDER BY "at", "id" LIMIT {PAGE}"""  # noqa: S608 - columns of ours
_OLDER = f"""SELECT {listed(name for name in HISTORY.columns if name not in _TOLD)} FROM "_history" WHERE "at" < ?
AND ("at" > ? OR "at" = ? AND "id" > ?) ORDER BY "at", "id" LIMIT {PAGE}"""  # noqa: S608 - the same
_BACK = """SELECT rowid, "at", "entity", "record", "kind", "before" FROM "_past" WHERE rowid < ?
ORDER BY rowid DESC LIMIT ?"""
_ACTIVE = """UPDATE {table} SET "last_activity_at" = coalesce((SELECT max(h."at") FROM "_history" h
WHERE h."entity" = ? AND h."record" = {table}."id" AND h."actor_kind" <> 'system'), "created_at")
WHERE "id" IN (SELECT "record" FROM "_past" WHERE "entity" = ?)"""
_MADE = 'SELECT min("at") FROM "_history" WHERE "entity" = ? AND "record" = ?'
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A copy of a network as it was at `since`, on which the definitions of `planned` hold.

    `base` is the version that its history was written with; `lost` rows of the history could not be taken back.
    """

    tenant: Tenant
    clock: SetClock
    planned: Plan
    base: Published
    since: datetime
    until: datetime
    rows: int
    lost: int


@asynccontextmanager
async def rehearse(
    tenant: Tenant, network: Network, since: datetime, *, without: Iterable[str], progress: Progress
) -> AsyncIterator[Rehearsal]:
    """Lend a copy of a network as it was at `since`, with the definitions of `network`.

    What runs of the automations `without` (by their present names) did since then is no part of its history. The
    network itself is read once, on one snapshot, without its writer; `DefinitionError` when its records of then do not
    fit the definitions.
    """
    await asyncio.to_thread(sweep)
    with await asyncio.to_thread(tempfile.TemporaryDirectory, prefix=FOLDER) as folder:
        path = Path(folder) / FILE
        store = await asyncio.to_thread(SqliteStore, path)
        clock = SetClock(since)
        copy = Tenant(tenant.name, store, clock=clock, new_id=tenant.new_id, files=Path(folder) / "files")
        copy.vault = tenant.vault
        try:
            current = tenant.published
            base = make_published(current.version, current.hash, current.network, store.engine, safe=tenant.safe)
            await store.write(lambda tx: _prepare(tx, base, since), schema=True)
            copying = _Copying(tenant, path, base, since, frozenset(without), progress)
            rows = await tenant.store.read(copying.work, long=True)
            lost = await _Rewinding(copy, base, progress, rows).run()
            planned = plan(base.network, network)
            fresh = make_published(base.version + 1, "", network, store.engine, safe=tenant.safe)
            done = fresh.context(since)
            await store.write(lambda tx: apply(tx, planned, done, allow_loss=True, safe=tenant.safe), schema=True)
            copy.take_up(fresh)
            yield Rehearsal(copy, clock, planned, base, since, tenant.clock.now(), rows, lost)
        finally:
            await copy.close()


def sweep() -> None:
    """Remove what processes that were killed have left: at each start of a server, and before the next trial."""
    for lock in Path(tempfile.gettempdir()).glob(f"{FOLDER}*/{FILE}.lock"):
        if lock.is_symlink() or lock.parent.is_symlink() or lock.parent.lstat().st_uid != os.geteuid():
            continue  # it is not one of ours
        try:
            FileLock(lock.with_suffix("")).release()
        except StoreError:  # somebody is at work there
            continue
        shutil.rmtree(lock.parent, ignore_errors=True)


async def _prepare(tx: Tx, base: Published, now: datetime) -> None:
    await ensure_system_tables(tx)
    await apply(tx, plan(None, base.network), base.context(now))
    columns = ", ".join(f"{quoted(name)} TEXT" for name in HISTORY.columns)
    await tx.run(f'CREATE TABLE "{PAST}" ({columns})')
    await tx.run(f'CREATE TABLE "{OWN}" ("run" TEXT PRIMARY KEY)')


class _Copying:
    """Copies what a rehearsal needs, page by page, from a snapshot of one store into the file of another."""

    def __init__(
        self, tenant: Tenant, path: Path, base: Published, since: datetime, without: frozenset[str], progress: Progress
    ) -> None:
        self.tenant = tenant
        self.path = path
        self.base = base
        self.since = since
        self.without = without
        self.progress = progress
        self.done = 0

    async def work(self, tx: Tx) -> int:
        """Copy everything, from the beginning when this runs again; return how many rows of the past there are."""
        current = self.tenant.published
        if current.version != self.base.version:
            raise PublishedMeanwhileError(self.base.version, current.version)
        self.done = 0
        with closing(connect(self.path, "write")) as target:
            for setting in ("foreign_keys", "synchronous"):
                target.execute(f"PRAGMA {setting} = OFF")
            target.execute("BEGIN IMMEDIATE")
            there = {sheet.name: sheet for sheet in sheets(self.base)}
            for sheet in sheets(current):
                if sheet.name in KEPT or not sheet.name.startswith("_"):
                    await self._copy(tx, target, sheet, there[sheet.name])
            await self._own_runs(tx, target)
            here = next(sheet for sheet in sheets(current) if sheet.name == HISTORY.name)
            rows = await self._history(tx, target, here, there[HISTORY.name])
            target.execute("COMMIT")
        return rows

    async def _copy(self, tx: Tx, target: Connection, here: Sheet, there: Sheet) -> None:
        target.execute(f"DELETE FROM {quoted(here.name)}")  # noqa: S608 - quoted names
        async for page in here.pages(tx):
            await self._put(tx, target, there.insert(), (here, there), page)

    async def _put(
        self, tx: Tx, target: Connection, insert: str, pair: tuple[Sheet, Sheet], page: Sequence[Row]
    ) -> None:
        here, there = pair
        alike = tx.dialect == "sqlite"

        def put() -> None:
            rows = page if alike else [there.stored(here.plain(row)) for row in page]
            target.executemany(insert, rows)

        await tx.aside(put)
        self.done += len(page)
        self.progress("rows", self.done, 0)

    async def _own_runs(self, tx: Tx, target: Connection) -> None:
        target.execute(f'DELETE FROM "{OWN}"')  # noqa: S608 - a name of ours
        places = ", ".join("?" * len(self.without))
        sql = f'SELECT "id" FROM "_run" WHERE "automation" IN ({places}) AND "id" > ? ORDER BY "id" LIMIT {PAGE}'  # noqa: S608 - the same
        last = ""
        while found := await tx.rows(sql, [*sorted(self.without), last]) if self.without else []:
            target.executemany(f'INSERT INTO "{OWN}" VALUES (?)', [tuple(row) for row in found])  # noqa: S608 - the same
            last = found[-1][0]

    async def _history(self, tx: Tx, target: Connection, here: Sheet, there: Sheet) -> int:
        """Take the rows since then to `PAST`, and those of before, without their values, to the history."""
        moment = MOMENT.on(tx.dialect).encoded
        for name in (PAST, HISTORY.name):
            target.execute(f"DELETE FROM {quoted(name)}")  # noqa: S608 - quoted names
        short = tuple(_without(sheet, _TOLD) for sheet in (here, there))
        at, last = moment(_LONG_AGO), ""
        while page := await tx.rows(_OLDER, [moment(self.since), at, at, last]):
            await self._put(tx, target, short[1].insert(), (short[0], short[1]), page)
            at, last = _place(short[0], page[-1])
        rows, insert = 0, replace(there, name=PAST).insert()
        at, last = moment(self.since), ""
        while page := await tx.rows(_AFTER, [at, at, last]):
            await self._put(tx, target, insert, (here, there), page)
            at, last = _place(here, page[-1])
            rows += len(page)
        return rows


def _without(sheet: Sheet, names: frozenset[str]) -> Sheet:
    return replace(sheet, cells=tuple(cell for cell in sheet.cells if cell.name not in names))


def _place(sheet: Sheet, row: Row) -> tuple[Any, Any]:
    """Return where a row of the history stands: its time and its id."""
    names = [cell.name for cell in sheet.cells]
    return row[names.index("at")], row[names.index("id")]


class _Rewinding:
    """Takes back what happened since then, the latest first, as far as the history tells."""

    def __init__(self, copy: Tenant, base: Published, progress: Progress, rows: int) -> None:
        self.copy = copy
        self.base = base
        self.progress = progress
        self.rows = rows
        self.lost = 0

    async def run(self) -> int:
        """Take everything back; return how many rows could not be."""
        before = self.rows + 1
        while before > 1:
            before = await self.copy.store.write(partial(self._group, before))
            self.progress("rewind", self.rows + 1 - before, self.rows)
        await self.copy.store.write(self._activity)
        return self.lost

    async def _group(self, before: int, tx: Tx) -> int:
        found = await tx.rows(_BACK, [before, GROUP])
        for row in found:
            await tx.run("SAVEPOINT back")
            try:
                await self._take_back(tx, row)
            except ConstraintError:
                await tx.run("ROLLBACK TO SAVEPOINT back")
                self.lost += 1
            await tx.run("RELEASE SAVEPOINT back")
        return int(found[-1][0]) if found else 1

    async def _take_back(self, tx: Tx, row: Row) -> None:
        _, at, entity, record, kind, kept = row
        table = self.base.tables.get(entity)
        if table is None or kind not in HAPPENED:
            return
        values = _stored(table, kept)
        if kind == "created":
            await tx.run(f'DELETE FROM {table.quoted} WHERE "id" = ?', [record])  # noqa: S608 - quoted names
        elif kind == "deleted":
            made = await tx.row(_MADE, [entity, record])
            created = made[0] if made and made[0] else at
            fixed = {"id": record, "created_at": created, "updated_at": created, "version": 1}
            await _insert(tx, table, {**_initial(self.base, entity), **values, **fixed})
        elif values:
            places = ", ".join(f"{quoted(name)} = ?" for name in values)
            sql = f'UPDATE {table.quoted} SET {places} WHERE "id" = ?'  # noqa: S608 - the same
            await tx.run(sql, [*values.values(), record])

    async def _activity(self, tx: Tx) -> None:
        for table in self.base.tables.values():
            await tx.run(_ACTIVE.format(table=table.quoted), [table.name, table.name])


def _stored(table: EntityTable, kept: str | None) -> dict[str, Any]:
    """Return the columns of what a history row kept, in stored forms, with those that are searched in."""
    forms: Mapping[str, Any] = json.loads(kept or "{}")
    known = table.shape.columns
    values = table.kept({name: form for name, form in forms.items() if name in known})
    stored = {name: table.encode(name, value) for name, value in values.items()}
    folds = {f"{FOLD}{name}": fold(value) for name, value in values.items() if f"{FOLD}{name}" in known}
    return {**stored, **folds}


def _initial(base: Published, entity: str) -> dict[str, Any]:
    """Return the states of a new record."""
    return {name: base.network.processes[name].initial for name in base.network.entities[entity].processes}


async def _insert(tx: Tx, table: EntityTable, values: Mapping[str, Any]) -> None:
    places = ", ".join("?" * len(values))
    await tx.run(f"INSERT INTO {table.quoted} ({listed(values)}) VALUES ({places})", list(values.values()))  # noqa: S608 - quoted names
