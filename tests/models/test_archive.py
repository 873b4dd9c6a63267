"""A network goes into one file and comes out of it as it was, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from definitions.duration import Duration
from models.archive import ArchiveError, dump, read_manifest, restore
from models.clock import SetClock
from models.settings import save_setting
from models.sheets import PAGE
from models.tenant import Tenant, open_tenant
from models.tx import Tx
from tests.homes import Homes
from tests.models.rows import insert, records, select
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio

LEAD: dict[str, Any] = {
    "first_name": "Zoé\u2028\U0001f600",
    "last_name": 'O"Hara\n',
    "email": "zoe@exemple.fr",
    "country": "FR",
    "birth_date": date(1990, 2, 28),
    "source": "site",
    "interests": ("home", "beauty"),
    "income_goal": Decimal("12345678901.25"),
    "rating": Decimal("0.0001"),
    "newsletter": True,
    "next_call_at": datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC),
    "pause": Duration(months=2, working_days=3),
    "calls": -(2**53),
}


async def filled(tenant: Tenant) -> None:
    """Put a bit of everything into a network."""
    company = await insert(tenant, "company", name="Alba")
    await insert(tenant, "lead", **LEAD, company={"id": company})
    await insert(tenant, "lead", first_name="Ève", last_name="Nul", country="BE", pause=Duration(exact=timedelta(1)))
    network, now = tenant.published.network, tenant.clock.now()
    await tenant.store.write(lambda tx: save_setting(tx, network, "support", "x@exemple.fr", now=now))


async def test_everything_comes_back_as_it_was(tenant: Tenant, tmp_path: Path, homes: Homes, clock: SetClock) -> None:
    await filled(tenant)
    await tenant.publish(edited(SMALL, ("entity: company\n", "entity: company\nicon: house\n")), "ops", note="Houses")
    file = tmp_path / "small.zip"
    manifest = await dump(tenant, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (manifest.network, manifest.version, manifest.tables["lead"].rows) == ("small", 2, 2)
    assert await restore(file, homes("copy"), "copy") == manifest
    copy = await open_tenant(homes("copy"), "copy", clock=clock)
    for entity in ("company", "lead", "member"):
        assert await records(copy, entity) == await records(tenant, entity)
    assert (copy.published.version, copy.published.hash) == (2, tenant.published.hash)
    assert (await copy.version(1)).network.entities["company"].icon != "house"
    assert (await copy.store.read(copy.settings))["support"] == "x@exemple.fr"
    again = await dump(copy, tmp_path / "again.zip")
    assert again.tables == manifest.tables
    await copy.publish(edited(SMALL, ("  city: {type: text}\n", "  town: {type: text, was: city}\n")))
    await copy.close()
    assert [name for name in os.listdir(tmp_path) if "partial" in name] == []  # noqa: PTH208 - nobody else waits


async def test_rows_go_page_by_page(tenant: Tenant, tmp_path: Path, homes: Homes, clock: SetClock) -> None:
    for number in range(PAGE + 5):
        await insert(tenant, "company", name=f"Alba {number}")
    told: list[tuple[str, int, int]] = []
    manifest = await dump(tenant, tmp_path / "small.zip", progress=lambda *said: told.append(said))
    assert manifest.tables["company"].rows == PAGE + 5
    assert ("rows", manifest.rows, manifest.rows) in told
    assert len({done for _, done, _ in told}) > 2
    told.clear()
    await restore(tmp_path / "small.zip", homes("copy"), "copy", progress=lambda *said: told.append(said))
    assert told[-1] == ("verify", manifest.rows, manifest.rows)
    copy = await open_tenant(homes("copy"), "copy", clock=clock)
    assert len(await records(copy, "company")) == PAGE + 5
    await copy.close()


async def test_what_takes_long_is_done_aside_of_the_event_loop(tenant: Tenant) -> None:
    async def work(tx: Tx) -> tuple[int, str]:
        return await tx.aside(threading.get_ident), await tx.aside(lambda: "done")

    thread, said = await tenant.store.read(work)
    assert thread != threading.get_ident()
    assert said == "done"


async def test_what_lets_somebody_in_stays_behind(tenant: Tenant, tmp_path: Path) -> None:
    manifest = await dump(tenant, tmp_path / "small.zip")
    assert not {"_session", "_invitation", "_token"} & manifest.tables.keys()
    assert "_credential" in manifest.tables


async def test_tokens_of_an_older_archive_stay_behind(
    tenant: Tenant, tmp_path: Path, homes: Homes, clock: SetClock
) -> None:
    row = b'{"id":"t1","hash":"h","member":"m","name":"n","expires_at":"2026-03-29T00:00:00+00:00"}\n'
    await dump(tenant, tmp_path / "small.zip")
    rewritten(
        tmp_path / "small.zip",
        tmp_path / "old.zip",
        lambda name, old: resummed(old, "_token", row) if name == "manifest.json" else old,
    )
    with zipfile.ZipFile(tmp_path / "old.zip", "a") as archive:
        archive.writestr("rows/_token.jsonl", row)
    await restore(tmp_path / "old.zip", homes("copy"), "copy")
    copy = await open_tenant(homes("copy"), "copy", clock=clock)
    assert await select(copy, 'SELECT "id" FROM "_token"') == []
    await copy.close()


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Copy an archive with its members changed (None: left out)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


def manifest_with(content: bytes, **said: Any) -> bytes:
    return json.dumps({**json.loads(content), **said}).encode()


def resummed(content: bytes, table: str, rows: bytes) -> bytes:
    """Return a manifest that has the sum of other rows."""
    said = json.loads(content)
    said["tables"][table] = {"rows": rows.count(b"\n"), "sha256": hashlib.sha256(rows).hexdigest()}
    return json.dumps(said).encode()


NO_COLUMN = b'{"id":"1","town":"Lyon"}\n'
DAMAGES: dict[str, tuple[Callable[[str, bytes], bytes | None], str]] = {
    "a value": (lambda name, old: old.replace(b"Alba", b"Elba") if name == "rows/company.jsonl" else old, "company"),
    "a line less": (lambda name, old: b"" if name == "rows/company.jsonl" else old, "company"),
    "no line at all": (lambda name, old: None if name == "rows/company.jsonl" else old, "company"),
    "a line more": (lambda name, old: old * 2 if name == "rows/_setting.jsonl" else old, "_setting"),
    "a column": (
        lambda name, old: {
            "rows/company.jsonl": NO_COLUMN,
            "manifest.json": resummed(old, "company", NO_COLUMN) if name == "manifest.json" else b"",
        }.get(name, old),
        "does not fit its table: 'town'",
    ),
    "a format": (lambda name, old: manifest_with(old, format="x") if name == "manifest.json" else old, "version"),
    "no manifest": (lambda name, old: None if name == "manifest.json" else old, "no archive"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_archive_makes_no_network(tenant: Tenant, tmp_path: Path, damage: str) -> None:
    await filled(tenant)
    await dump(tenant, tmp_path / "small.zip")
    change, said = DAMAGES[damage]
    rewritten(tmp_path / "small.zip", tmp_path / "damaged.zip", change)
    folder = tmp_path / "data"
    folder.mkdir()
    with pytest.raises(ArchiveError, match=said):
        await restore(tmp_path / "damaged.zip", folder / "copy.sqlite", "copy")
    assert os.listdir(folder) == []  # noqa: PTH208 - nobody else waits


async def test_a_file_that_is_something_else_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(ArchiveError, match="no archive"):
        read_manifest(tmp_path / "x.zip")


async def test_nothing_that_is_there_is_overwritten(tenant: Tenant, tmp_path: Path, homes: Homes) -> None:
    file = tmp_path / "small.zip"
    await dump(tenant, file)
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        await dump(tenant, file)
    assert file.read_bytes() == before
    with pytest.raises(FileExistsError):
        await restore(file, homes("small"), "small")
