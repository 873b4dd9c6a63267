"""The SQLite store keeps its promises: durable groups, work alone in its savepoint, snapshots, one process."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event

import pytest

from models.connections import FileLock
from models.sqlite import SqliteStore
from models.store import ConstraintError, StoreBusyError, StoreClosedError, StoreError, WorkError
from models.tx import Tx

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "net.sqlite")
    await store.write(_create, schema=True)
    yield store
    await store.close()


async def _create(tx: Tx) -> None:
    await tx.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    await tx.run("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t (id))")


async def _insert(store: SqliteStore, name: str) -> int:
    async def work(tx: Tx) -> int:
        return await tx.run("INSERT INTO t (name) VALUES (?)", [name])

    return await store.write(work)


async def _names(store: SqliteStore) -> list[str]:
    async def work(tx: Tx) -> list[str]:
        return [row[0] for row in await tx.rows("SELECT name FROM t ORDER BY id")]

    return await store.read(work)


def others_rights(folder: Path) -> dict[str, int]:
    return {path.suffix: path.stat().st_mode & 0o077 for path in folder.glob("net.sqlite*")}


async def test_what_was_written_is_read(store: SqliteStore) -> None:
    assert await _insert(store, "one") == 1
    assert await _names(store) == ["one"]


async def test_files_are_their_owners_alone(store: SqliteStore, tmp_path: Path) -> None:
    await _insert(store, "one")
    assert others_rights(tmp_path) == {".sqlite": 0, ".sqlite-wal": 0, ".sqlite-shm": 0, ".lock": 0}


async def test_failing_work_is_undone_alone(store: SqliteStore) -> None:
    async def fails(tx: Tx) -> None:
        await tx.run("INSERT INTO t (name) VALUES ('lost')")
        raise LookupError("no")

    results = await asyncio.gather(
        _insert(store, "before"), store.write(fails), _insert(store, "after"), return_exceptions=True
    )
    assert isinstance(results[1], LookupError)
    assert sorted(await _names(store)) == ["after", "before"]


async def test_waiting_work_shares_a_commit(store: SqliteStore) -> None:
    commits: list[str] = []
    store._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    await _held(store, *(_insert(store, str(n)) for n in range(50)))
    assert len(commits) == 2  # what held the writer, then all fifty
    assert len(await _names(store)) == 50


async def _held(store: SqliteStore, *waiting: object) -> list[object]:
    """Keep the writer busy until all of `waiting` stand in its queue."""
    begun, go = Event(), Event()

    async def hold(tx: Tx) -> None:
        begun.set()
        go.wait(10)

    tasks = [asyncio.ensure_future(store.write(hold))]
    await asyncio.to_thread(begun.wait, 10)
    tasks += [asyncio.ensure_future(one) for one in waiting]  # type: ignore[call-overload] # coroutines
    await asyncio.sleep(0)
    go.set()
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_a_commit_that_fails_fails_all_work_in_it(store: SqliteStore) -> None:
    async def dangling(tx: Tx) -> None:
        await tx.run("PRAGMA defer_foreign_keys = ON")
        await tx.run("INSERT INTO child (parent) VALUES (99)")

    results = await _held(store, _insert(store, "x"), store.write(dangling), _insert(store, "y"))
    assert [type(one) for one in results[1:]] == [StoreError] * 3
    assert await _names(store) == []
    assert await _insert(store, "z") == 1


async def test_a_cancelled_caller_takes_waiting_work_back(store: SqliteStore) -> None:
    async def cancelled() -> None:
        waiting = asyncio.ensure_future(_insert(store, "never"))
        asyncio.get_running_loop().call_soon(waiting.cancel)
        await waiting

    results = await _held(store, cancelled())
    assert isinstance(results[1], asyncio.CancelledError)
    assert await _names(store) == []


async def test_begun_work_ends_though_its_caller_was_cancelled(store: SqliteStore) -> None:
    begun, go = Event(), Event()

    async def work(tx: Tx) -> None:
        begun.set()
        go.wait(10)
        await tx.run("INSERT INTO t (name) VALUES ('kept')")

    task = asyncio.ensure_future(store.write(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await _insert(store, "next")
    assert await _names(store) == ["kept", "next"]


async def test_a_reader_sees_one_snapshot(store: SqliteStore) -> None:
    seen, written = Event(), Event()

    def waits() -> None:
        seen.set()
        written.wait(10)

    async def twice(tx: Tx) -> tuple[int, int]:
        first = len(await tx.rows("SELECT 1 FROM t"))
        await tx.aside(waits)
        return first, len(await tx.rows("SELECT 1 FROM t"))

    reading = asyncio.ensure_future(store.read(twice))
    await asyncio.to_thread(seen.wait, 10)
    await _insert(store, "meanwhile")
    written.set()
    assert await reading == (0, 0)
    assert await _names(store) == ["meanwhile"]


async def test_a_reader_cannot_write(store: SqliteStore) -> None:
    async def work(tx: Tx) -> None:
        await tx.run("INSERT INTO t (name) VALUES ('no')")

    with pytest.raises(StoreError, match=r"readonly|read-only"):
        await store.read(work)


async def test_work_awaits_only_its_transaction(store: SqliteStore) -> None:
    async def sleeps(tx: Tx) -> None:
        await tx.rows("INSERT INTO t (name) VALUES ('lost')" if ask == store.write else "SELECT 1")
        await asyncio.sleep(0)

    async def nests(tx: Tx) -> None:
        await _insert(store, "nested")

    async def looks(tx: Tx) -> None:
        await _names(store)

    for ask in (store.write, store.read):
        with pytest.raises(WorkError, match="awaits only its transaction"):
            await ask(sleeps)
        for asks in (nests, looks):
            with pytest.raises(WorkError, match="another one"):
                await ask(asks)
    assert await _names(store) == []


async def test_stop_iteration_reaches_the_caller_as_an_error(store: SqliteStore) -> None:
    def work(connection: sqlite3.Connection) -> None:
        raise StopIteration

    with pytest.raises(StoreError, match="StopIteration"):
        await store.write_with(work)


async def test_a_commit_that_changed_rows_is_told(store: SqliteStore) -> None:
    store.changed.clear()

    async def nothing(tx: Tx) -> None:
        await tx.run("UPDATE t SET name = 'x' WHERE id = 0")

    await store.write(nothing)
    assert not store.changed.is_set()
    await _insert(store, "one")
    assert store.changed.is_set()


async def test_what_follows_a_commit_comes_before_other_work(store: SqliteStore) -> None:
    seen: list[str] = []

    async def work(tx: Tx) -> None:
        seen.append("work")

    def fails() -> None:
        raise LookupError("after the commit")

    await _held(store, store.write(work, schema=True, then=lambda: seen.append("then")), store.write(work))
    assert seen == ["work", "then", "work"]

    async def keep(tx: Tx) -> int:
        return await tx.run("INSERT INTO t (name) VALUES ('kept')")

    with pytest.raises(LookupError):
        await store.write(keep, then=fails)
    assert await _names(store) == ["kept"]


async def test_schema_changes_check_foreign_keys_at_their_end(store: SqliteStore) -> None:
    async def parent_last(tx: Tx) -> None:
        await tx.run("INSERT INTO child (parent) VALUES (7)")
        await tx.run("INSERT INTO t (id, name) VALUES (7, 'seven')")

    async def dangling(tx: Tx) -> None:
        await tx.run("INSERT INTO child (parent) VALUES (8)")

    await store.write(parent_last, schema=True)
    with pytest.raises(StoreError, match="child would point to a record of t"):
        await store.write(dangling, schema=True)
    with pytest.raises(ConstraintError):
        await store.write(dangling)
    assert await _names(store) == ["seven"]


async def test_a_failing_schema_change_leaves_nothing(store: SqliteStore) -> None:
    async def fails(tx: Tx) -> None:
        await tx.run("CREATE TABLE half (id INTEGER)")
        raise LookupError("half way")

    with pytest.raises(LookupError):
        await store.write(fails, schema=True)

    async def tables(tx: Tx) -> list[str]:
        return [row[0] for row in await tx.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    assert "half" not in await store.read(tables)


async def test_the_file_is_durable_and_checked(store: SqliteStore) -> None:
    async def settings(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [(await tx.rows(f"PRAGMA {name}"))[0][0] for name in names]

    assert await store.write(settings) == ["wal", 2, 1]


async def test_one_store_opens_a_file_and_says_who_has_it(store: SqliteStore) -> None:
    with pytest.raises(StoreBusyError, match=r"already open by process \d+"):
        SqliteStore(store.path)
    script = f"from pathlib import Path; from models.sqlite import SqliteStore; SqliteStore(Path({str(store.path)!r}))"
    other = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "StoreBusyError" in other.stderr


async def test_a_closed_store_refuses_and_opens_again(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "again.sqlite")
    await store.write(_create, schema=True)
    kept = asyncio.ensure_future(_insert(store, "accepted"))
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert await kept == 1
    with pytest.raises(StoreClosedError):
        await _names(store)
    assert not (tmp_path / "again.sqlite-wal").exists()
    again = SqliteStore(tmp_path / "again.sqlite")
    assert await _names(again) == ["accepted"]
    await again.close()


async def test_text_is_folded_for_searching(store: SqliteStore) -> None:
    async def work(tx: Tx) -> object:
        return await tx.row("SELECT maille_fold('Élodie Œuvre ß ﬁn'), maille_fold(NULL)")

    assert await store.read(work) == ("elodie œuvre ss fin", None)


async def test_a_store_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path / "gone.sqlite")
    with monkeypatch.context() as patched:
        patched.setattr(store._here, "_path", tmp_path / "elsewhere.sqlite")
        with pytest.raises(StoreError, match="unable to open"):
            await _names(store)
    await store.write(_create, schema=True)
    assert await _names(store) == []
    await store.close()


async def test_work_cannot_end_the_transaction_it_is_in(store: SqliteStore) -> None:
    async def commits(tx: Tx) -> None:
        await tx.run("COMMIT")

    with pytest.raises(sqlite3.OperationalError, match="no transaction"):
        await store.read(commits)
    with pytest.raises(StoreError, match="could not be saved"):
        await store.write(commits)
    assert await _insert(store, "one") == 1


async def test_a_schema_change_has_its_transaction_alone(store: SqliteStore) -> None:
    seen: list[str] = []
    store._writer.set_trace_callback(lambda sql: seen.append(sql) if sql in ("COMMIT", "ROLLBACK") else None)

    async def column(tx: Tx) -> None:
        await tx.run("ALTER TABLE t ADD COLUMN extra TEXT")

    await _held(store, _insert(store, "a"), store.write(column, schema=True), _insert(store, "b"))
    assert seen == ["COMMIT"] * 4
    assert await _names(store) == ["a", "b"]


async def test_a_loop_that_is_gone_is_not_waited_for(store: SqliteStore) -> None:
    def abandons() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(_insert(store, "kept"))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    await asyncio.to_thread(abandons)
    assert await _insert(store, "next") == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from models.connections import FileLock
from models.sqlite import SqliteStore

async def caller(store, number):
    for step in range(10_000):
        async def work(tx, name=f"{number}-{step}"):
            await tx.run("INSERT INTO t (name) VALUES (?)", [name + " first"])
            await tx.run("INSERT INTO t (name) VALUES (?)", [name + " second"])
        await store.write(work)
        print(f"{number}-{step}", flush=True)

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await asyncio.gather(*(caller(store, number) for number in range(8)))

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9_and_work_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    store = SqliteStore(path)
    await store.write(_create, schema=True)
    await store.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [(await process.stdout.readline()).decode().strip() for _ in range(200)]
    process.kill()
    acknowledged += (await process.stdout.read()).decode().split("\n")[:-1]
    await process.wait()
    again = SqliteStore(path)
    names = set(await _names(again))
    assert {f"{name} first" for name in acknowledged} <= names
    firsts = {name.removesuffix(" first") for name in names if name.endswith("first")}
    assert firsts == {name.removesuffix(" second") for name in names if name.endswith("second")}
    await again.close()


async def test_many_callers_neither_lose_nor_double(store: SqliteStore) -> None:
    await asyncio.gather(*(_insert(store, str(n)) for n in range(300)), *(_names(store) for _ in range(20)))
    assert sorted(map(int, await _names(store))) == list(range(300))


def test_the_lock_of_a_store_is_no_link_to_something_else(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "store.sqlite.lock"
    victim.write_text("kept", encoding="utf-8")
    link.symlink_to(victim)
    with pytest.raises(StoreError):
        FileLock(tmp_path / "store.sqlite")
    assert victim.read_text(encoding="utf-8") == "kept"
