"""Writes that wait for each other on PostgreSQL: told, seen and refused as if each had gone by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it has no types
import pytest

from models import postgres as stores
from models.postgres import PostgresStore
from models.postgres_tx import PostgresTx
from models.store import ConstraintError, StoreBusyError, StoreUnreachableError, UnknownError
from models.tx import Row, SqlValue, Tx
from models.waiting import MOST, Waiting, together
from tests.homes import homes_of, schema_of

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

TABLES = """
CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, "name" TEXT UNIQUE, "n" BIGINT, "version" INTEGER);
CREATE TABLE "child" ("id" INTEGER PRIMARY KEY, "parent" INTEGER REFERENCES "t" ("id"));
CREATE TABLE "slow" ("n" BIGINT);
CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM pg_advisory_xact_lock(78); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON "slow" DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION waits();
INSERT INTO "t" VALUES (1, 'one', 0, 1), (2, 'two', 0, 1)
"""
NEW = 'INSERT INTO "t" ("id", "name", "n", "version") VALUES (?, ?, ?, ?)'
CHILD = 'INSERT INTO "child" ("id", "parent") VALUES (?, ?)'
ADD = 'UPDATE "t" SET "n" = "n" + ? WHERE "id" = ?'
CHANGE = 'UPDATE "t" SET "n" = ?, "version" = ? WHERE "id" = ? AND "version" = ?'
KEPT = 'SELECT "id", "name", "n", "version" FROM "t" ORDER BY "id"'
CHILDREN = 'SELECT "id", "parent" FROM "child" ORDER BY "id"'


class MissingError(Exception):
    """There was nothing to change."""


@pytest.fixture
async def store(postgres: str, tmp_path: Path) -> AsyncIterator[PostgresStore]:
    async with homes_of(tmp_path, postgres) as homes, schema_of(homes) as opened:
        await opened.write(lambda tx: tx.run(TABLES), schema=True)
        yield opened


@pytest.fixture
async def other(store: PostgresStore) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else to the same tables."""
    connection = await asyncpg.connect(store.database.url, server_settings={"search_path": store.schema})
    yield connection
    await connection.close()


async def later(tx: Tx, sql: str, *values: SqlValue) -> None:
    """Let a write wait."""
    await tx.put(sql, values)


async def at_once(tx: Tx, sql: str, *values: SqlValue) -> None:
    """Write it there and then."""
    await tx.run(sql, values)


Way = Callable[..., Awaitable[None]]
ways = pytest.mark.parametrize("way", [at_once, later])


async def number(store: PostgresStore, id: int = 1) -> int:
    row = await store.read(lambda tx: tx.row('SELECT "n" FROM "t" WHERE "id" = ?', [id]))
    assert row is not None
    return int(row[0])


async def say(tx: Tx, name: str, value: str) -> None:
    await tx.rows("SELECT set_config(?, ?, true)", [name, value])


@ways
@pytest.mark.parametrize(
    ("sql", "values", "rule"),
    [(NEW, (3, "one", 0, 1), "t_name_key"), (CHILD, (1, 99), "child_parent_fkey"), (NEW, (1, "x", 0, 1), "t_pkey")],
)
async def test_a_rule_of_a_table_refuses_after_a_second_look(
    store: PostgresStore, way: Way, sql: str, values: Sequence[SqlValue], rule: str
) -> None:
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await way(tx, ADD, 1, 2)
        await way(tx, sql, *values)

    with pytest.raises(ConstraintError, match=rule):
        await store.write(work)
    assert (len(tries), await number(store, 2)) == (2, 0)


@ways
async def test_who_changes_what_another_one_changed_begins_anew(
    store: PostgresStore, way: Way, other: asyncpg.Connection
) -> None:
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await tx.rows(KEPT)
        if len(tries) == 1:
            await other.execute('UPDATE "t" SET "n" = 10 WHERE "id" = 1')
        await way(tx, ADD, 1, 1)

    await store.write(work)
    assert (len(tries), await number(store)) == (2, 11)


@ways
async def test_of_two_that_wait_for_each_other_one_begins_anew(store: PostgresStore, way: Way) -> None:
    met, tries = asyncio.Barrier(2), []

    async def work(tx: Tx, first: int) -> None:
        tries.append(first)
        await say(tx, "deadlock_timeout", "10ms")
        await tx.run(ADD, [1, first])
        if len(tries) <= 2:
            await met.wait()
        await way(tx, ADD, 1, 3 - first)

    await asyncio.gather(*(store.write(lambda tx, first=first: work(tx, first)) for first in (1, 2)))  # type: ignore[misc] # the default binds it
    assert (len(tries) > 2, await number(store, 1), await number(store, 2)) == (True, 2, 2)


@ways
@pytest.mark.parametrize(
    ("name", "error"), [("lock_timeout", StoreBusyError), ("statement_timeout", asyncpg.QueryCanceledError)]
)
async def test_who_waits_too_long_for_a_row_is_told_so(
    store: PostgresStore, way: Way, other: asyncpg.Connection, name: str, error: type[Exception]
) -> None:
    async def work(tx: Tx) -> None:
        await say(tx, name, "20ms")
        await way(tx, ADD, 1, 1)

    await other.execute('BEGIN; UPDATE "t" SET "n" = 5 WHERE "id" = 1')
    with pytest.raises(error):
        await store.write(work)
    await other.execute("ROLLBACK")
    await store.write(work)
    assert await number(store) == 1


@ways
async def test_what_is_lost_with_its_connection_is_done_once_and_by_the_next_one(
    store: PostgresStore, way: Way, other: asyncpg.Connection
) -> None:
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        row = await tx.row("SELECT pg_backend_pid()")
        await way(tx, ADD, 1, 1)
        if len(tries) == 1:
            await other.execute("SELECT pg_terminate_backend($1, 5000)", *(row or ()))
            await way(tx, ADD, 0, 2)

    await store.write(work)
    assert (await number(store), len(tries)) == (1, 2)


@ways
async def test_a_connection_that_is_known_to_be_lost_takes_no_commit(store: PostgresStore, way: Way) -> None:
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        assert isinstance(tx, PostgresTx)
        tries.append(1)
        await way(tx, ADD, 1, 1)
        if len(tries) == 1:
            tx.connection.terminate()

    await store.write(work)
    assert (await number(store), len(tries)) == (1, 2)


@ways
async def test_a_server_that_takes_no_changes_is_not_there(store: PostgresStore, way: Way) -> None:
    async def work(tx: Tx) -> None:
        await say(tx, "transaction_read_only", "on")
        await way(tx, ADD, 1, 1)

    with pytest.raises(StoreUnreachableError, match="read-only"):
        await store.write(work)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await store.read(lambda tx: way(tx, ADD, 1, 1))


@ways
async def test_a_commit_that_nobody_answers_may_have_happened(
    store: PostgresStore, way: Way, other: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "ACKNOWLEDGE", 0.05)
    tries: list[int] = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await say(tx, "lock_timeout", "0")
        await way(tx, 'INSERT INTO "slow" ("n") VALUES (?)', 1)

    await other.execute("SELECT pg_advisory_lock(78)")
    with pytest.raises(UnknownError):
        await store.write(work)
    assert tries == [1], "it is not done twice"


async def test_what_is_missing_is_told_until_a_savepoint_forgets_it(store: PostgresStore) -> None:
    async def overlooks(tx: Tx) -> None:
        await tx.put(CHANGE, [7, 8, 1, 77], MissingError())
        with pytest.raises(MissingError):
            await tx.rows(KEPT)
        await tx.put(ADD, [1, 2])

    async def forgets(tx: Tx) -> None:
        await tx.run("SAVEPOINT a")
        await tx.put(CHANGE, [7, 8, 1, 77], MissingError())
        with pytest.raises(MissingError):
            await tx.run("RELEASE SAVEPOINT a")
        await tx.run("ROLLBACK TO SAVEPOINT a")
        await tx.put(ADD, [10, 1])
        await tx.run("ROLLBACK TO SAVEPOINT a")
        await tx.put(ADD, [1, 2])

    with pytest.raises(MissingError):
        await store.write(overlooks)
    assert await number(store, 2) == 0
    await store.write(forgets)
    assert (await number(store, 1), await number(store, 2)) == (0, 1)


class AtOnce:
    """A transaction in which nothing waits."""

    def __init__(self, tx: Tx) -> None:
        self.rows, self.run, self.run_many = tx.rows, tx.run, tx.run_many

    async def put(self, sql: str, values: Sequence[SqlValue], missing: Exception | None = None) -> None:
        if not await self.run(sql, values) and missing is not None:
            raise missing


class Back(Exception):  # noqa: N818 - it is no error
    """Nothing of it is to stay."""


Step = tuple[str, tuple[SqlValue, ...]]


def made_up(chance: random.Random) -> list[Step]:
    """Return writes of two tables, questions and savepoints, many of them about the same rows."""
    steps: list[Step] = []
    for number in range(100, 100 + chance.randint(3, 40)):
        id, known = chance.randint(1, 4), (CHANGE, (number, 2, chance.randint(1, 4), chance.randint(1, 2)))
        new = (NEW, (number, f"n{number}", id, 1))
        child = (CHILD, (number, chance.choice((1, 2, number - 1))))
        rest: list[Step] = [(ADD, (id, id)), (KEPT, ()), (CHILDREN, ()), ("SAVEPOINT s", ()), ("many", (number,))]
        steps.append(chance.choice([new, new, known, known, child, child, *rest]))
    return steps


async def lived(tx: Tx | AtOnce, steps: Sequence[Step]) -> list[Sequence[Row] | str]:
    """Take the steps, each in a savepoint of those before it; return what was seen on the way."""
    seen: list[Sequence[Row] | str] = []
    await tx.run("SAVEPOINT s")
    for sql, values in steps:
        try:
            if sql == "many":
                await tx.run_many(NEW, [(values[0] * 100 + each, f"m{values[0]}{each}", 0, 1) for each in range(3)])
            elif sql.startswith("SELECT"):
                seen.append(await tx.rows(sql))
            elif sql.startswith("SAVEPOINT"):
                await tx.run("RELEASE SAVEPOINT s")
                await tx.run(sql)
            else:
                await tx.put(sql, values)
        except ConstraintError:
            await tx.run("ROLLBACK TO SAVEPOINT s")
            seen.append("refused")
    return [*seen, await tx.rows(KEPT), await tx.rows(CHILDREN)]


async def test_everybody_sees_what_they_would_see_if_nothing_waited(store: PostgresStore) -> None:
    def allowed(steps: list[Step]) -> list[Step]:
        """Leave out what a table would refuse: that is told later, and a savepoint takes more or less back."""
        known = {1, 2}
        found = []
        for sql, values in steps:
            if sql == CHILD and values[1] not in known:
                continue
            known |= {values[0]} if sql == NEW else set()
            found.append((sql, values))
        return found

    async def same(tx: Tx, steps: Sequence[Step]) -> None:
        results = []
        for each in (tx, AtOnce(tx)):
            await tx.run("SAVEPOINT whole")
            results.append(await lived(each, steps))
            await tx.run("ROLLBACK TO SAVEPOINT whole")
        assert results[0] == results[1]
        raise Back

    for seed in range(40):
        steps = allowed(made_up(random.Random(seed)))  # noqa: S311 - cases of a test
        with pytest.raises(Back):
            await store.write(lambda tx, steps=steps: same(tx, steps))  # type: ignore[misc] # the default binds it


async def test_what_waits_is_one_statement_and_never_too_much(store: PostgresStore) -> None:
    waiting = Waiting()
    waiting.insert(NEW, [(3, "c", 0, 1), (4, "d", 0, 1)])
    assert waiting.has_room(CHILD)
    assert not waiting.has_room(ADD), "its row may be one of the new ones"
    assert not waiting.has_room(NEW, MOST - 1)
    waiting.insert(CHILD, [(1, 3)])
    sql, values = waiting.statement()
    assert sql == f'WITH "waited_0" AS ({NEW}, (?, ?, ?, ?)) {CHILD}'
    assert list(values) == [3, "c", 0, 1, 4, "d", 0, 1, 1, 3]
    assert together((), ADD) == ADD
    assert waiting.shows_in('SELECT 1 FROM "child"')
    assert waiting.shows_in('DELETE FROM "slow"')
    assert not waiting.shows_in('SELECT 1 FROM "slow"')


async def test_what_waits_is_written_before_somebody_is_alone_with_a_key(
    store: PostgresStore, other: asyncpg.Connection
) -> None:
    async def work(tx: Tx) -> None:
        await tx.put(ADD, [1, 1])
        await tx.lock("a key")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("""SELECT 1 FROM "t" WHERE "id" = 1 FOR UPDATE NOWAIT""")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.execute("""SELECT 1 FROM "_lock" FOR UPDATE NOWAIT""")

    await store.write(lambda tx: tx.lock("a key"))
    await store.write(work)
    assert await number(store) == 1


async def test_word_goes_out_only_of_what_was_written(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(store.database, "tell", told.append)
    once = NEW + " ON CONFLICT DO NOTHING"
    await store.write(lambda tx: tx.put(once, [1, "one", 0, 1]))
    assert told == []
    await store.write(lambda tx: tx.put(once, [3, "three", 0, 1]))
    assert told == [store.schema]

    async def two(tx: Tx) -> None:
        await tx.put(NEW, [4, "four", 0, 1])
        await tx.put(CHILD + " ON CONFLICT DO NOTHING", [1, 2])

    await store.write(lambda tx: tx.put(CHILD, [1, 1]))
    await store.write(two)
    assert told == [store.schema] * 3
