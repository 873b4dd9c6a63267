"""A store takes the place of another one at once: whenever it is broken off, there is the one or the other."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from models.clock import SetClock
from models.contents import Contents
from models.database import Database
from models.stored import look as look_at
from models.stores import Home, Schema, clear, exists, files_of, replace_store, replaced, staged
from models.tenant import create_tenant, open_tenant
from models.tx import Tx
from tests.homes import Homes, homes_of
from tests.models.rows import column, insert
from tests.networks import SMALL

pytestmark = pytest.mark.anyio

WAITING = """SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
AND relation = to_regclass('"_definition"')"""


class BrokenOffError(BaseException):
    """The machine stopped here."""


class Disk:
    """Lets so many changes of folders happen; from then on none does."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 10_000
        for where, name in (
            (Path, "rename"),
            (Path, "unlink"),
            (Path, "hardlink_to"),
            (Path, "mkdir"),
            (shutil, "rmtree"),
        ):
            patch.setattr(where, name, self._counted(getattr(where, name)))

    def _counted(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise BrokenOffError
            return change(*given, **more)

        return counted


async def make(home: Home, name: str, clock: SetClock) -> None:
    await clear(home)
    tenant = await create_tenant(home, "small", files=SMALL, clock=clock)
    await insert(tenant, "company", name=name)
    content = name.encode()
    tenant.contents.add(io.BytesIO(content), sha256(content).hexdigest())
    await tenant.close()


async def nothing(_: Tx | None) -> None:
    """Have nothing to do last."""


async def look(home: Home, clock: SetClock) -> str:
    """Return which network is there, with its file."""
    tenant = await open_tenant(home, "small", clock=clock)
    (name,) = await column(tenant, "company", "name")
    await tenant.close()
    shas = {sha for sha, _ in Contents(files_of(home)).shas()}
    assert sha256(name.encode()).hexdigest() in shas
    return str(name)


async def test_wherever_it_is_broken_off_there_is_the_one_or_the_other(
    homes: Homes, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, by, aside = homes("small"), staged(homes("small")), replaced(homes("small"))
    await make(home, "old", clock)
    disk = Disk(monkeypatch)
    found = []
    for step in range(10_000):
        await make(by, "new", clock)
        disk.left = step
        try:
            await replace_store(home, by, aside, nothing)
            broken = False
        except BrokenOffError:
            broken = True
        disk.left = 10_000
        found.append(await look(home, clock))
        if not broken:
            break
        if found[-1] == "new":
            await make(by, "old", clock)
            await replace_store(home, by, aside, nothing)
    assert {"old", "new"} == set(found)
    assert found[-1] == "new"
    assert len(found) > 5
    assert await look(aside, clock) == "old"
    assert not await exists(by)


async def killed(home: Path, name: str, clock: SetClock) -> None:
    """Make a network as a server leaves it that is killed: its last changes stand beside its file."""
    living = home.with_name("living.sqlite")
    tenant = await create_tenant(living, "small", files=SMALL, clock=clock)
    await insert(tenant, "company", name=name)
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{living}{suffix}", f"{home}{suffix}")
    await tenant.close()
    await clear(living)


async def test_what_a_killed_server_had_not_put_into_its_file_goes_aside_with_it(
    tmp_path: Path, clock: SetClock
) -> None:
    home = tmp_path / "small.sqlite"
    await killed(home, "old", clock)
    await make(staged(home), "new", clock)
    await replace_store(home, staged(home), replaced(home), nothing)
    for place, name in ((home, "new"), (replaced(home), "old")):
        tenant = await open_tenant(place, "small", clock=clock)
        assert await column(tenant, "company", "name") == [name]
        await tenant.close()


async def test_a_damaged_file_goes_aside_as_it_is(tmp_path: Path, clock: SetClock) -> None:
    home, aside = tmp_path / "small.sqlite", tmp_path / ".small.sqlite.before"
    assert replaced(home) == aside
    home.write_bytes(b"no database" * 100)
    home.with_name("small.sqlite-wal").write_bytes(b"nor this" * 100)
    await make(staged(home), "new", clock)
    await replace_store(home, staged(home), aside, nothing)
    assert not home.with_name("small.sqlite-wal").exists()
    assert aside.with_name(".small.sqlite.before-wal").read_bytes() == b"nor this" * 100
    assert await look(home, clock) == "new"
    assert aside.read_bytes() == b"no database" * 100


@pytest.mark.postgres
async def test_what_is_saved_while_a_schema_is_waited_for_is_seen_last(
    tmp_path: Path, postgres: str, clock: SetClock
) -> None:
    async with homes_of(tmp_path, postgres) as homes:
        home, by = homes("small"), staged(homes("small"))
        assert isinstance(home, Schema)
        await make(by, "new", clock)
        await make(home, "old", clock)
        seen: list[Any] = []

        async def last(tx: Tx | None) -> None:
            seen.extend(await look_at(home, 'SELECT "name" FROM "company"', tx=tx))

        tenant = await open_tenant(home, "small", clock=clock)
        database = await Database.lease(home.url)
        async with database.connection() as connection:  # somebody who writes, and holds the definitions as writers do
            await connection.execute(f'SET LOCAL search_path TO "{home.name}"; LOCK "_definition" IN ACCESS SHARE MODE')
            await connection.execute("""UPDATE "company" SET "name" = 'changed'""")
            replacing = asyncio.create_task(replace_store(home, by, replaced(home), last))
            async with asyncio.timeout(60):
                while not await connection.fetchval(WAITING):
                    assert not replacing.done()
        await replacing
        await tenant.close()
        await database.release()
        assert [name for (name,) in seen] == ["changed"]
        assert await look(home, clock) == "new"
