"""Moving a whole network from one home to another, also from one database to another, and proving that nothing is lost.

Every table is read on one snapshot, written in one transaction, and read back: as many rows, and the same checksum over
all values in the form that is the same for every database.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from definitions.spec.network import Network
from models import ddl
from models.columns import Codec
from models.connections import connect, take
from models.contents import damaged
from models.ddl import listed, quoted
from models.message import say
from models.published import accepted
from models.shape import TableShape, shapes
from models.sqlite_tx import SqliteTx, drive
from models.store import StoreError
from models.stored import NEWEST
from models.stores import Home, Schema, bring_contents, clear, exists, files_of, partial, rename_store, set_aside
from models.system import SYSTEM_TABLES, ensure_system_tables
from models.tx import Dialect, Row, Tx, Work

T = TypeVar("T")
Run = Callable[[Work[T]], Awaitable[T]]
Side = tuple[Dialect, Run[Any]]
Tell = Callable[[str, int, int], None]
"""Is told the table, how many of its rows are done, and how many there are."""

PAGE = 1000


class TransferError(StoreError):
    """What arrived is not what was sent; nothing was moved."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that arrived: its rows, and the checksum over them that both sides have."""

    table: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A network that was moved: its tables, and where the one that it was made of is kept."""

    tables: tuple[Copied, ...]
    aside: Home


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to copy: its columns with their codecs; the first is the key."""

    name: str
    columns: dict[str, Codec]

    def page(self, after: Any) -> tuple[str, list[Any]]:
        """Return the query of the rows behind a key, in its order."""
        key = quoted(next(iter(self.columns)))
        where = "" if after is None else f" WHERE {key} > ?"
        sql = f"SELECT {listed(self.columns)} FROM {quoted(self.name)}{where} ORDER BY {key} LIMIT {PAGE}"  # noqa: S608 - names only
        return sql, [] if after is None else [after]

    @property
    def insert(self) -> str:
        """The statement that writes a row."""
        places = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {quoted(self.name)} ({listed(self.columns)}) VALUES ({places})"  # noqa: S608 - names only

    def neutral(self, rows: Iterable[Row], dialect: Dialect) -> list[list[Any]]:
        """Return the values of rows in the form that is the same for every database."""
        pairs = [(each, each.on(dialect)) for each in self.columns.values()]
        return [
            [each.encoded(here.decoded(stored)) for (each, here), stored in zip(pairs, row, strict=True)]
            for row in rows
        ]

    def stored(self, rows: Iterable[Sequence[Any]], dialect: Dialect) -> list[list[Any]]:
        """Return such values in the form that a database keeps."""
        pairs = [(each, each.on(dialect)) for each in self.columns.values()]
        return [
            [here.encoded(each.decoded(form)) for (each, here), form in zip(pairs, row, strict=True)] for row in rows
        ]


@dataclass(slots=True)
class _Sum:
    """Counts rows and digests them in order."""

    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        self.rows += len(rows)
        for row in rows:
            self.digest.update(json.dumps(row, ensure_ascii=False, default=str).encode())

    def copied(self, table: str) -> Copied:
        return Copied(table, self.rows, self.digest.hexdigest())


async def move(source: Home, target: Home, *, tell: Tell = lambda *_: None) -> Moved:
    """Move a network that nobody has open; `StoreError` when somebody has, or when there is one at `target` already.

    Processes that share a PostgreSQL database lose sight of it at once. The network that it is made of stays beside,
    under a name that no list shows; when anything fails it is where it was, and there is none at `target`.
    """
    if await exists(target):
        raise StoreError(say("There is a network at {place} already.", place=target))
    if not await exists(source):
        raise LookupError(str(source))
    making, aside = partial(target), set_aside(source)
    await clear(making)
    if isinstance(source, Schema):
        await rename_store(source, aside)
    try:
        sent = aside if isinstance(source, Schema) else source
        await bring_contents(sent, making)
        tables = await copy(sent, making, tell=tell)
        await rename_store(making, target)
    except BaseException:
        await clear(making)
        if isinstance(source, Schema):
            await rename_store(aside, source)
        raise
    if isinstance(source, Path):
        await rename_store(source, aside)
    return Moved(tables, aside)


async def copy(source: Home, target: Home, *, tell: Tell = lambda *_: None) -> tuple[Copied, ...]:
    """Copy a network to where there is none and return its tables; `TransferError` when one did not arrive whole."""
    async with _open(source) as (reading, read), _make(target) as (writing, write):
        network = await asyncio.to_thread(_network, await read(lambda tx: tx.row(NEWEST)))
        made = list(shapes(network).values())
        await write(ensure_system_tables)
        await write(lambda tx: _create(tx, made))
        sent = [await _send(table, (reading, read), (writing, write), tell) for table in _tables(made)]
        await write(lambda tx: _finish(tx, made))
        arrived = [await _summed(table, writing, write) for table in _tables(made)]
        if sent != arrived:
            lost = ", ".join(one.table for one, other in zip(sent, arrived, strict=True) if one != other)
            raise TransferError(f"What arrived is not what was sent: {lost}.")
        wrong = await asyncio.to_thread(damaged, files_of(target), [row[0] for row in await write(_files)])
        if wrong:
            raise TransferError(f"Files did not arrive as they were: {len(wrong)}.")
    return tuple(sent)


async def _files(tx: Tx) -> list[Row]:
    return list(await tx.rows('SELECT "sha" FROM "_file"'))


def _network(row: Row | None) -> Network:
    if row is None:
        raise StoreError(say("There are no definitions to move."))
    return accepted(json.loads(row[0])).network


def _tables(made: Sequence[TableShape]) -> Iterator[_Table]:
    for table in SYSTEM_TABLES.values():
        yield _Table(table.name, {name: table.codec(name) for name in table.columns})
    for shape in made:
        yield _Table(shape.name, {column.name: column.codec for column in shape.columns.values()})


async def _create(tx: Tx, made: Sequence[TableShape]) -> None:
    for shape in made:
        await tx.run(ddl.create_table(shape, tx.dialect))


async def _finish(tx: Tx, made: Sequence[TableShape]) -> None:
    """Add what is better made once the rows are there: indexes, and on PostgreSQL references."""
    for shape in made:
        for index in shape.indexes:
            await tx.run(ddl.create_index(index))
        for column in shape.columns.values():
            if column.references and tx.dialect == "postgres":
                await tx.run(ddl.add_reference(shape.name, column))


async def _send(
    table: _Table, source: tuple[Dialect, Run[Any]], target: tuple[Dialect, Run[Any]], tell: Tell
) -> Copied:
    (reading, read), (writing, write) = source, target
    count = f"SELECT count(*) FROM {quoted(table.name)}"  # noqa: S608 - a name only
    whole = (await read(lambda tx: tx.row(count)))[0]
    found = _Sum()
    async for rows in _pages(table, reading, read):
        await asyncio.to_thread(found.add, rows)
        stored = await asyncio.to_thread(table.stored, rows, writing)
        await write(lambda tx, stored=stored: tx.run_many(table.insert, stored))  # type: ignore[misc] # the default binds the page
        tell(table.name, found.rows, whole)
    return found.copied(table.name)


async def _summed(table: _Table, dialect: Dialect, run: Run[Any]) -> Copied:
    found = _Sum()
    async for rows in _pages(table, dialect, run):
        await asyncio.to_thread(found.add, rows)
    return found.copied(table.name)


async def _pages(table: _Table, dialect: Dialect, run: Run[Any]) -> AsyncIterator[list[list[Any]]]:
    after = None
    while True:
        sql, values = table.page(after)
        rows = await run(lambda tx, sql=sql, values=values: tx.rows(sql, values))  # type: ignore[misc] # the same
        if rows:
            yield await asyncio.to_thread(table.neutral, rows, dialect)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


# One transaction that is given its work piece by piece --------------------------------------------------------------


@asynccontextmanager
async def _open(home: Home) -> AsyncIterator[tuple[Dialect, Run[Any]]]:
    """Read a network on one snapshot; nobody else has it meanwhile."""
    if isinstance(home, Schema):
        from models.schemas import transaction  # noqa: PLC0415 - a network on SQLite needs no PostgreSQL driver

        async with transaction(home.url, home.name) as tx:
            yield "postgres", _runner(tx)
        return
    lock, writer = await asyncio.to_thread(take, home)
    try:
        async with _sqlite(home, "read") as run:
            yield "sqlite", run
    finally:
        writer.close()
        lock.release()


@asynccontextmanager
async def _make(home: Home) -> AsyncIterator[tuple[Dialect, Run[Any]]]:
    """Write a new network in one transaction, which is committed when nothing went wrong."""
    if isinstance(home, Schema):
        from models.schemas import transaction  # noqa: PLC0415 - the same

        async with transaction(home.url, home.name, create=True) as tx:
            yield "postgres", _runner(tx)
        return
    lock, writer = await asyncio.to_thread(take, home)
    writer.close()
    try:
        async with _sqlite(home, "write") as run:
            yield "sqlite", run
            dangling = await run(_dangling)
            if dangling is not None:
                raise TransferError(f"A record of {dangling[0]} points to a record of {dangling[2]} that is gone.")
    finally:
        lock.release()


@asynccontextmanager
async def _sqlite(path: Path, use: Any) -> AsyncIterator[Run[Any]]:
    connection = await asyncio.to_thread(connect, path, use)

    async def run(work: Work[Any]) -> Any:
        return await asyncio.to_thread(drive, work, SqliteTx(connection))

    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN")
        yield run
        connection.execute("COMMIT")
    finally:
        connection.close()


async def _dangling(tx: Tx) -> Row | None:
    return await tx.row("PRAGMA foreign_key_check")


def _runner(tx: Tx) -> Run[Any]:
    async def run(work: Work[Any]) -> Any:
        return await work(tx)

    return run
