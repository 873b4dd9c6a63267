"""Contents stay no longer than they are named, no record is without its content, archives and moves carry them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from models.actor import Actor
from models.archive import ArchiveError, dump, restore
from models.attachment import Attachment
from models.clock import SetClock
from models.connections import stored_datetime
from models.contents import Limits
from models.errors import RefusedError
from models.records import Records
from models.stores import Home, clear, files_of, home_of
from models.system import UPLOAD
from models.tenant import Tenant, create_tenant, open_tenant
from models.transfer import TransferError, move
from models.tx import Tx
from models.uploads import KEPT, MOST_A_DAY, OPEN, Upload, collect, take
from tests.homes import Homes, homes_of
from tests.models.rows import insert, records, select
from tests.networks import SMALL, counting_ids, edited

pytestmark = pytest.mark.anyio

FILES = edited(
    SMALL, ("  city: {type: text}\nsearch: [name]", "  city: {type: text}\n  deed: {type: file}\nsearch: [name]")
)
DAY = timedelta(days=1)


@pytest.fixture
async def tenant(homes: Homes, clock: SetClock) -> AsyncIterator[Tenant]:
    made = await create_tenant(homes("small"), "small", files=FILES, clock=clock, new_id=counting_ids())
    yield made
    await made.close()


async def uploaded(tenant: Tenant, text: bytes = b"Bonjour", *, name: str = "a.txt") -> Upload:
    return await take(tenant, await leader(tenant), _of(text), name, Limits())


async def _of(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def leader(tenant: Tenant) -> Actor:
    found = await records(tenant, "member")
    values = {"first_name": "Claire", "last_name": "A", "email": "c@exemple.fr", "levels": ("leader",), "active": True}
    known = found[0]["id"] if found else await insert(tenant, "member", **values)
    return Actor("member", member={"id": known}, levels=("leader",))


async def filed(tenant: Tenant, text: bytes = b"Bonjour") -> tuple[str, Attachment]:
    """Make a company with a file and return its id and the file."""
    upload = await uploaded(tenant, text)
    made = await change(tenant, lambda door: door.create("company", {"name": "Alba", "deed": upload.id}))
    return made.id, upload.value


async def change(tenant: Tenant, work: Any) -> Any:
    actor = await leader(tenant)

    async def within(tx: Tx) -> Any:
        return await work(Records(tenant.published, tx, actor, tenant.context(), new_id=tenant.new_id))

    return await tenant.store.write(within)


def contents(tenant: Tenant) -> list[str]:
    return sorted(sha for sha, _ in tenant.contents.shas())


def aged(path: Path, clock: SetClock, age: timedelta) -> None:
    """Let a file be written so long ago."""
    moment = (clock.now() - age).timestamp()
    os.utime(path, (moment, moment))


async def test_a_content_is_kept_once_however_often_it_comes(tenant: Tenant) -> None:
    first, second = await uploaded(tenant), await uploaded(tenant, name="b.txt")
    assert first.value.sha == second.value.sha
    assert contents(tenant) == [first.value.sha]
    path = tenant.contents.path(first.value.sha)
    assert path.read_bytes() == b"Bonjour"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_content_goes_when_no_record_names_it_for_thirty_days(tenant: Tenant, clock: SetClock) -> None:
    company, value = await filed(tenant)
    clock.forward(DAY * 400)
    assert await collect(tenant) == 0
    await change(tenant, lambda door: door.update("company", company, None, {"deed": None}))
    assert await collect(tenant) == 0
    clock.forward(KEPT - DAY)
    assert await collect(tenant) == 0
    assert contents(tenant) == [value.sha]
    clock.forward(DAY)
    assert await collect(tenant) == 1
    assert contents(tenant) == []
    assert await select(tenant, 'SELECT count(*) FROM "_file"') == [(0,)]


async def test_a_content_that_is_named_again_stays(tenant: Tenant, clock: SetClock) -> None:
    company, value = await filed(tenant)
    await change(tenant, lambda door: door.update("company", company, None, {"deed": None}))
    await collect(tenant)
    clock.forward(KEPT - DAY)
    again = await uploaded(tenant)
    await change(tenant, lambda door: door.update("company", company, None, {"deed": again.id}))
    clock.forward(KEPT + DAY)
    assert await collect(tenant) == 0
    assert contents(tenant) == [value.sha]


async def test_erasing_takes_what_no_record_names_at_once(tenant: Tenant, clock: SetClock) -> None:
    company, _ = await filed(tenant)
    await change(tenant, lambda door: door.delete("company", company))
    clock.forward(OPEN)
    assert await collect(tenant, kept=timedelta(0)) == 1
    assert contents(tenant) == []


async def test_an_upload_can_be_named_for_a_day(tenant: Tenant, clock: SetClock) -> None:
    upload = await uploaded(tenant)
    clock.forward(OPEN)
    with pytest.raises(Exception, match="need your attention"):
        await change(tenant, lambda door: door.create("company", {"name": "Alba", "deed": upload.id}))
    await collect(tenant)
    assert await select(tenant, 'SELECT count(*) FROM "_upload"') == [(0,)]


async def test_what_a_crash_leaves_is_swept_up(tenant: Tenant, clock: SetClock) -> None:
    _, value = await filed(tenant)
    stray = tenant.contents.path("0" * 64)
    unfinished = tenant.contents.root / ".new" / "x"
    stray.parent.mkdir()
    for path, age in ((stray, DAY * 2), (unfinished, DAY * 2), (tenant.contents.path(value.sha), DAY * 2)):
        if path != tenant.contents.path(value.sha):
            path.write_bytes(b"half")
        aged(path, clock, age)
    assert await collect(tenant) == 1
    assert (contents(tenant), unfinished.exists()) == ([value.sha], False)


async def test_what_was_set_aside_when_the_power_went_is_put_back_if_it_is_wanted(tenant: Tenant) -> None:
    _, value = await filed(tenant)
    tenant.contents.set_aside(value.sha)
    (tenant.contents.root / ".gone" / ("1" * 64)).write_bytes(b"gone")
    assert contents(tenant) == []
    await collect(tenant)
    assert contents(tenant) == [value.sha]
    assert tenant.contents.aside() == []


async def test_a_member_uploads_so_many_files_a_day(tenant: Tenant, clock: SetClock) -> None:
    await uploaded(tenant)
    row = [(await leader(tenant)).id, "a", "b", 1, "c", stored_datetime(clock.now())]
    rows = [[f"u{number}", *row] for number in range(MOST_A_DAY)]
    await tenant.store.write(lambda tx: tx.run_many(UPLOAD.insert(), rows))
    with pytest.raises(RefusedError):
        await uploaded(tenant)
    clock.forward(OPEN)
    await uploaded(tenant)


async def test_an_archive_has_the_files_and_gives_them_back(tenant: Tenant, tmp_path: Path, homes: Homes) -> None:
    _, value = await filed(tenant)
    manifest = await dump(tenant, tmp_path / "small.zip")
    assert manifest.files == {value.sha: 7}
    await restore(tmp_path / "small.zip", homes("other"), "other")
    other = await open_tenant(homes("other"), "other")
    try:
        assert (await records(other, "company"))[0]["deed"] == value
        assert other.contents.path(value.sha).read_bytes() == b"Bonjour"
    finally:
        await other.close()


async def test_an_archive_with_a_damaged_file_is_refused_and_leaves_nothing(
    tenant: Tenant, tmp_path: Path, homes: Homes
) -> None:
    _, value = await filed(tenant)
    await dump(tenant, tmp_path / "small.zip")
    with zipfile.ZipFile(tmp_path / "small.zip") as good, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, b"Bonsoir" if name.endswith(value.sha) else good.read(name))
    with pytest.raises(ArchiveError, match="damaged"):
        await restore(tmp_path / "bad.zip", homes("other"), "other")
    assert not _folder(homes("other")).exists()


async def test_no_archive_is_made_of_a_network_that_lost_a_file(tenant: Tenant, tmp_path: Path) -> None:
    _, value = await filed(tenant)
    tenant.contents.path(value.sha).unlink()
    with pytest.raises(ArchiveError, match="missing"):
        await dump(tenant, tmp_path / "small.zip")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Homes]:
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    (tmp_path / "elsewhere").mkdir()
    async with homes_of(tmp_path / "elsewhere", url) as found:
        yield found


async def test_a_network_moves_with_its_files(homes: Homes, elsewhere: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=FILES, clock=clock, new_id=counting_ids())
    _, value = await filed(tenant)
    await tenant.close()
    moved = await move(homes("small"), elsewhere("small"))
    assert (_folder(elsewhere("small")) / value.sha[:2] / value.sha).read_bytes() == b"Bonjour"
    assert not _folder(homes("small")).exists()
    assert (_folder(moved.aside) / value.sha[:2] / value.sha).exists()


async def test_a_network_that_lost_a_file_does_not_move(homes: Homes, elsewhere: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=FILES, clock=clock, new_id=counting_ids())
    _, value = await filed(tenant)
    await tenant.close()
    tenant.contents.path(value.sha).write_bytes(b"Bonsoir")
    with pytest.raises(TransferError, match="Files did not arrive"):
        await move(homes("small"), elsewhere("small"))
    assert _folder(homes("small")).exists()


def _folder(home: Home) -> Path:
    found = files_of(home)
    assert found is not None
    return found


async def test_a_network_that_is_removed_takes_its_files_with_it(homes: Homes, clock: SetClock) -> None:
    tenant = await create_tenant(homes("small"), "small", files=FILES, clock=clock, new_id=counting_ids())
    await filed(tenant)
    await tenant.close()
    await clear(home_of(homes.all, "small"))
    assert not _folder(homes("small")).exists()
