"""Backups are written while people work, proven, and restored beside all others or in the place of a network."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from admin.control.answers import RefusedError
from admin.control.backups import LOCK
from admin.control.client import ask
from admin.settings import Settings
from models import envelopes
from models.actor import SYSTEM
from models.clock import SetClock
from models.connections import FileLock
from models.contents import Contents
from models.schemas import schemas_like
from models.stores import exists, files_of, names_in, replaced
from models.system import FILE, MAIL, SEAL
from models.tenant import Tenant, create_tenant, open_tenant
from models.tenants import Tenants
from models.tx import Tx
from server import compose
from tests.conftest import NOON
from tests.homes import Homes, homes_of
from tests.models.rows import insert, records, select
from tests.networks import SMALL, counting_ids
from tests.prepared import prepare
from workflows import erasure
from workflows.stored import moment
from workflows.unit import write

pytestmark = pytest.mark.anyio

KEY = envelopes.fresh()
PUBLIC = str(KEY.to_public())
TIDY: dict[str, Any] = {"keys": [PUBLIC], "verify": False, "kept": 30 * 86400.0, "every": None}
PLAIN: dict[str, Any] = {"identity": str(KEY), "name": None, "replace": False, "send_waiting": False}


def settings(homes: Homes) -> Settings:
    return replace(homes.settings, secret="x" * 32)


async def told(homes: Homes, operation: str, clock: SetClock, **given: Any) -> Any:
    return await ask(settings(homes), operation, given, lambda *_: None, clock=clock)


async def refusal(homes: Homes, operation: str, clock: SetClock, **given: Any) -> str:
    with pytest.raises(RefusedError) as refused:
        await told(homes, operation, clock, **given)
    return str(refused.value)


async def back_up(homes: Homes, clock: SetClock, **given: Any) -> Path:
    """Write one backup and return its file."""
    answer = await told(homes, "back_up", clock, **{**TIDY, "folder": str(homes.folder / "kept"), **given})
    (written,) = answer["backups"]
    assert written["error"] is None
    return Path(written["file"])


@pytest.fixture
async def company(homes: Homes, clock: SetClock) -> str:
    """A network with a record, and a mail that waits, which nobody has open; the record's id."""
    prepared = await prepare(homes("small"), "small", SMALL, clock)
    tenant = await open_tenant(homes("small"), "small", clock=clock, new_id=prepared.new_ids())
    made = await insert(tenant, "company", name="Alba")
    await insert(tenant, "lead", first_name="Ève\u2028", last_name="Nul", country="BE", company={"id": made})
    await tenant.store.write(_mail)
    await tenant.close()
    return made


async def _mail(tx: Tx) -> None:
    values: dict[str, Any] = dict.fromkeys(MAIL.columns)
    values |= {
        "id": "m1",
        "at": moment(NOON),
        "recipient": "c@exemple.fr",
        "state": "waiting",
        "attempts": 0,
        "cc": "[]",
    }
    await tx.run(MAIL.insert(), list(values.values()))


async def look(homes: Homes, name: str, clock: SetClock, see: Callable[[Tenant], Awaitable[Any]]) -> Any:
    """Return what is seen in a network that nobody has open."""
    tenant = await open_tenant(homes(name), name, clock=clock)
    try:
        return await see(tenant)
    finally:
        await tenant.close()


async def contents(tenant: Tenant) -> list[Any]:
    return [await records(tenant, entity) for entity in ("company", "lead", "member")]


async def companies(tenant: Tenant) -> list[str]:
    return [record["name"] for record in await records(tenant, "company")]


async def add(homes: Homes, clock: SetClock, name: str) -> str:
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    made = await insert(tenant, "company", name=name)
    await tenant.close()
    return made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Homes]:
    """Homes beside the ones of the test, on either database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    (tmp_path / "elsewhere").mkdir()
    async with homes_of(tmp_path / "elsewhere", url) as found:
        yield found


async def test_a_backup_is_restored_on_either_database(
    homes: Homes, elsewhere: Homes, company: str, clock: SetClock
) -> None:
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    content = b"%PDF-1.7 a contract"
    sha = hashlib.sha256(content).hexdigest()
    tenant.contents.add(io.BytesIO(content), sha)
    await tenant.store.write(lambda tx: tx.run(FILE.insert(), [sha, len(content), moment(NOON), None]))
    before = await contents(tenant)
    await tenant.close()
    file = await back_up(homes, clock, verify=True)
    assert b"Alba" not in file.read_bytes()
    restored = await told(elsewhere, "restore_network", clock, **{**PLAIN, "path": str(file)})
    assert (restored["name"], restored["sealed_here"], restored["aside"]) == ("small", True, None)

    assert await look(elsewhere, "small", clock, contents) == before
    assert [sha for sha, _ in Contents(files_of(elsewhere("small"))).shas()] == [sha]


async def test_one_network_comes_back_beside_the_others(homes: Homes, company: str, clock: SetClock) -> None:
    await (await create_tenant(homes("other"), "other", files=SMALL, clock=clock)).close()
    file = await back_up(homes, clock, network="small", verify=True)
    assert "--as NAME" in await refusal(homes, "restore_network", clock, **{**PLAIN, "path": str(file)})
    wrong = {**PLAIN, "path": str(file), "name": "other", "replace": True}
    assert "a backup of another one" in await refusal(homes, "restore_network", clock, **wrong)
    restored = await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "name": "again"})
    assert (restored["name"], restored["network"], restored["held"]) == ("again", "small", 1)
    assert await names_in(homes.all) == ["again", "other", "small"]
    assert await look(homes, "again", clock, companies) == await look(homes, "small", clock, companies)


async def test_a_network_takes_the_place_of_one_that_is_kept_aside(homes: Homes, company: str, clock: SetClock) -> None:
    file = await back_up(homes, clock)
    await add(homes, clock, "Later")
    others = Tenants(homes.all, clock=clock)  # a process that has it open all the time, where there can be several
    met = await others.open("small") if homes.url is not None else None
    if met is not None:
        assert await companies(met) == ["Alba", "Later"]
    answer = await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "replace": True})
    assert await exists(replaced(homes("small")))
    assert str(replaced(homes("small"))) == answer["aside"]
    if met is not None:
        assert await companies(met) == ["Alba"]
        assert met.published.version == 2
        await others.close()
    assert await look(homes, "small", clock, companies) == ["Alba"]
    versions = await look(homes, "small", clock, lambda tenant: select(tenant, 'SELECT "version" FROM "_definition"'))
    assert [row[0] for row in versions] == [1, 2]
    again = await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "replace": True})
    assert again["version"] == 1


async def test_mails_that_waited_are_sent_only_where_it_is_said(homes: Homes, company: str, clock: SetClock) -> None:
    file = await back_up(homes, clock)
    states = []
    for name, send in (("held", False), ("sent", True)):
        given = {**PLAIN, "path": str(file), "name": name, "send_waiting": send}
        await told(homes, "restore_network", clock, **given)
        rows = await look(homes, name, clock, lambda tenant: select(tenant, 'SELECT "state" FROM "_mail"'))
        states.append(rows[0][0])
    assert states == ["unknown", "waiting"]


async def test_what_was_erased_since_is_erased_again(homes: Homes, company: str, clock: SetClock) -> None:
    file = await back_up(homes, clock)
    clock.forward(timedelta(days=2))
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    lead = (await records(tenant, "lead"))[0]["id"]
    await write(tenant, SYSTEM, lambda unit: erasure.erase(unit, "lead", lead, {"cause": "asked"}))
    await tenant.close()
    answer = await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "replace": True})
    assert (answer["erased_again"], answer["erased_left"]) == (1, [])
    assert await look(homes, "small", clock, lambda tenant: records(tenant, "lead")) == []
    assert await look(homes, "small", clock, companies) == ["Alba"]


async def trials(homes: Homes) -> list[str]:
    """Return what is left of trials of the network."""
    home = homes("small")
    if isinstance(home, Path):
        return [path.name for path in homes.folder.iterdir() if ".trial." in path.name]
    return [name for name in await schemas_like(home.url, f".{home.name}") if ".trial." in name]


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder but those of locks, with what is in them."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path): path.read_bytes() for path in found}


SPOILT: dict[str, tuple[Callable[[bytes], bytes], Any, str]] = {
    "another key": (lambda whole: whole, envelopes.fresh(), "other keys"),
    "no key": (lambda whole: whole, "x", "no file of secret keys"),
    "its end": (lambda whole: whole[:-1], KEY, "damaged"),
    "a half": (lambda whole: whole[: len(whole) // 2], KEY, "damaged"),
    "a bit": (lambda whole: whole[:-900] + bytes([whole[-900] ^ 1]) + whole[-899:], KEY, "damaged"),
    "everything": (lambda _: b"", KEY, "damaged"),
}


async def test_a_file_that_is_not_right_changes_nothing(homes: Homes, company: str, clock: SetClock) -> None:
    file = await back_up(homes, clock)
    whole = await asyncio.to_thread(file.read_bytes)
    networks = await names_in(homes.all)
    for change, key, said in SPOILT.values():
        await asyncio.to_thread(file.write_bytes, change(whole))
        before = everything(homes.folder)
        for operation in ("restore_network", "check_backup"):
            given = {**PLAIN, "path": str(file), "identity": str(key), "replace": True}
            assert said in await refusal(homes, operation, clock, **given)
        assert everything(homes.folder) == before
    assert await names_in(homes.all) == networks
    assert await look(homes, "small", clock, companies) == ["Alba"]


async def test_a_check_compares_everything_and_leaves_nothing(homes: Homes, company: str, clock: SetClock) -> None:
    file = await back_up(homes, clock)
    found = await told(homes, "check_backup", clock, path=str(file), identity=str(KEY))
    assert (found["network"], found["error"], found["sealed_here"]) == ("small", None, True)
    assert found["links"] > 0
    assert await trials(homes) == []
    strange = replace(settings(homes), secret="y" * 32)
    there = await ask(strange, "check_backup", {"path": str(file), "identity": str(KEY)}, lambda *_: None, clock=clock)
    assert (there["error"], there["sealed_here"], there["links"]) == (None, False, found["links"])


async def test_a_check_finds_an_audit_that_somebody_wrote_into(homes: Homes, company: str, clock: SetClock) -> None:
    tenant = await open_tenant(homes("small"), "small", clock=clock)
    forged = [1, "x", moment(NOON), "reads", "0" * 64, "0" * 64, "0" * 64]
    await tenant.store.write(lambda tx: tx.run(SEAL.insert(), forged))
    await tenant.close()
    answer = await told(homes, "back_up", clock, **{**TIDY, "folder": str(homes.folder / "kept"), "verify": True})
    (written,) = answer["backups"]
    assert not written["verified"]
    assert "Its audit does not hold at 1" in written["error"]
    found = await told(homes, "check_backup", clock, path=written["file"], identity=str(KEY))
    assert found["error"] == written["error"]


async def test_what_fails_with_one_network_keeps_no_other_from_being_written(
    homes: Homes, company: str, clock: SetClock
) -> None:
    broken = await create_tenant(homes("broken"), "broken", files=SMALL, clock=clock)
    await broken.store.write(
        lambda tx: tx.run(FILE.insert(), ["0" * 64, 5, moment(NOON), None])
    )  # a content that is not there
    await broken.close()
    folder = homes.folder / "kept"
    answer = await told(homes, "back_up", clock, **{**TIDY, "folder": str(folder)})
    assert [(one["network"], one["error"] is None) for one in answer["backups"]] == [("broken", False), ("small", True)]
    assert "missing" in answer["backups"][0]["error"]
    assert [path.name[:6] for path in folder.iterdir() if path.suffix != ".lock"] == ["small."]


async def test_an_interrupted_round_goes_on_where_it_stood(homes: Homes, company: str, clock: SetClock) -> None:
    await back_up(homes, clock)
    await (await create_tenant(homes("new"), "new", files=SMALL, clock=clock)).close()
    given = {**TIDY, "folder": str(homes.folder / "kept"), "every": 3600.0}
    clock.forward(timedelta(minutes=59))
    answer = await told(homes, "back_up", clock, **given)
    assert ([one["network"] for one in answer["backups"]], answer["left_out"]) == (["new"], 1)
    clock.forward(timedelta(minutes=2))
    answer = await told(homes, "back_up", clock, **given)
    assert ([one["network"] for one in answer["backups"]], answer["left_out"]) == (["small"], 1)


async def test_old_backups_go_and_a_list_goes_on_where_it_ended(homes: Homes, company: str, clock: SetClock) -> None:
    first = await back_up(homes, clock)
    clock.forward(timedelta(days=20))
    second = await back_up(homes, clock)
    clock.forward(timedelta(days=11))
    answer = await told(homes, "back_up", clock, **{**TIDY, "folder": str(first.parent)})
    assert answer["removed"] == [str(first)]
    page = await told(homes, "list_backups", clock, folder=str(first.parent), limit=1)
    assert [one["file"] for one in page["backups"]] == [second.name]
    assert page["next"] == second.name
    rest = await told(homes, "list_backups", clock, folder=str(first.parent), after=page["next"], limit=5)
    assert [one["file"] for one in rest["backups"]] == [Path(answer["backups"][0]["file"]).name]
    assert rest["next"] is None


async def test_two_do_not_write_into_a_folder_at_once(homes: Homes, company: str, clock: SetClock) -> None:
    folder = homes.folder / "kept"
    folder.mkdir()
    lock = FileLock(folder / LOCK)
    given = {**TIDY, "folder": str(folder)}
    assert "already" in await refusal(homes, "back_up", clock, **given)
    lock.release()
    assert "--key" in await refusal(homes, "back_up", clock, **{**given, "keys": []})
    left = folder / "small.20260101T000000Z.maille.age.partial"  # by one that was killed
    left.touch()
    await back_up(homes, clock)
    assert not left.exists()


async def test_the_newest_backup_of_a_folder_is_meant(homes: Homes, company: str, clock: SetClock) -> None:
    folder = (await back_up(homes, clock)).parent
    await add(homes, clock, "Later")
    clock.forward(timedelta(days=1))
    await back_up(homes, clock)
    await told(homes, "restore_network", clock, **{**PLAIN, "path": str(folder), "name": "again"})
    assert await look(homes, "again", clock, companies) == ["Alba", "Later"]
    given = {**PLAIN, "path": str(folder), "network": "other", "name": "more"}
    assert "whose newest backup" in await refusal(homes, "restore_network", clock, **given)


async def test_people_go_on_while_a_server_writes_a_backup_and_restores_one(homes: Homes, clock: SetClock) -> None:
    app = compose(settings(homes), clock=clock, new_id=counting_ids(), works=False)
    async with app.router.lifespan_context(app):
        tenant = await app.state.networks.create("small", SMALL)
        for number in range(5):
            await insert(tenant, "company", name=f"before {number}")
        over = asyncio.Event()

        async def work() -> int:
            done = 0
            while not over.is_set():
                await insert(tenant, "company", name=f"while {done}")
                done += 1
            return done

        working = asyncio.create_task(work())
        file = await back_up(homes, clock, verify=True)
        await told(homes, "restore_network", clock, **{**PLAIN, "path": str(file), "name": "again"})
        over.set()
        assert await working > 0
        restored = await companies(await app.state.networks.get("again"))
        assert restored[:5] == [f"before {number}" for number in range(5)]
        assert restored[5:] == [f"while {number}" for number in range(len(restored) - 5)]
