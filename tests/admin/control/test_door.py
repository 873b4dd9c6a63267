"""The control door: the same answers through a server and without one, for nobody but the server's own user."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from admin.control import operations
from admin.control.answers import RefusedError
from admin.control.client import GONE, ask
from admin.control.wire import LONGEST_PATH, SOCKET, read_message, short_path, written
from admin.networks import Networks
from admin.settings import Settings
from models.clock import SetClock
from models.tenant import create_empty, create_tenant
from server import compose
from tests.networks import SMALL, counting_ids, edited

pytestmark = pytest.mark.anyio

LEADER = {"email": "claire@exemple.fr", "first_name": "Claire", "last_name": "Alba", "levels": ["leader"]}
CITY = "  city: {type: text}\n"
WEB = edited(SMALL, (CITY, CITY + "  web: {type: url}\n"))


@asynccontextmanager
async def serving(folder: Path, clock: SetClock) -> AsyncIterator[Starlette]:
    app = compose(Settings(data=folder, secret="x"), clock=clock, new_id=counting_ids(), works=False)
    async with app.router.lifespan_context(app):
        yield app


async def told(folder: Path, operation: str, clock: SetClock, **given: Any) -> Any:
    return await ask(Settings(data=folder, secret="x"), operation, given, lambda *_: None, clock=clock)


async def refusal(folder: Path, operation: str, clock: SetClock, **given: Any) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        await told(folder, operation, clock, **given)
    return refused.value


async def life(folder: Path, clock: SetClock) -> list[Any]:
    """Go through the life of a network and return what was answered, ids and links left out."""
    found: list[Any] = []
    made = await told(folder, "create_network", clock, name="alba", files=dict(SMALL), author="ops", leader=LEADER)
    found.append({**made, "member": "", "link": bool(made["link"])})
    plan = await told(folder, "plan", clock, files=WEB, allow_loss=False)
    applied = {"files": WEB, "author": "claire@exemple.fr", "note": "n", "allow_loss": False, "base": plan["base"]}
    found += [plan, await told(folder, "apply", clock, **applied)]
    broken = edited(SMALL, ("entity: company\n", "entity: company\nowned: true\n"))
    for given in (applied, {**applied, "base": 2, "author": "x@exemple.fr"}, {**applied, "files": broken, "base": 2}):
        found.append((await refusal(folder, "apply", clock, **given)).refusal)
    found.append(await told(folder, "history", clock))
    person = {"email": "zoe@exemple.fr", "first_name": "Zoé", "last_name": "Roy"}
    joined = await told(folder, "add_member", clock, values=person, password="douze lettres et plus")
    found.append({**joined, "member": ""})
    found.append((await refusal(folder, "add_member", clock, values=person)).refusal)
    levels = {"email": "zoe@exemple.fr", "levels": [], "more": ["distributor"], "less": []}
    found.append({**await told(folder, "change_levels", clock, **levels), "id": ""})
    found += await tokens(folder, clock)
    exported = await told(folder, "export_network", clock, path=str(folder / "alba.zip"))
    found.append({**exported, "path": "", "tables": sorted(exported["tables"])})
    found.append(await told(folder, "import_network", clock, path=str(folder / "alba.zip"), name="copy"))
    found.append([one["name"] for one in await told(folder, "networks", clock)])
    found.append((await refusal(folder, "history", clock)).refusal)
    found.append(await told(folder, "delete_network", clock, network="alba"))
    found.append((await refusal(folder, "history", clock, network="alba")).refusal)
    return found


async def tokens(folder: Path, clock: SetClock) -> list[Any]:
    """Make, list and revoke a token of Zoé and return what was answered, its secret left out."""
    zoe = {"email": "Zoe@exemple.fr"}
    made = await told(folder, "create_token", clock, **zoe, name="import", days=5, levels=["distributor"])
    found: list[Any] = [made["token"][:7], made["name"], made["levels"], made["expires_at"]]
    (listed,) = await told(folder, "list_tokens", clock, **zoe)
    assert listed == {name: value for name, value in made.items() if name != "token"}
    found.append((await refusal(folder, "create_token", clock, **zoe, name="x", days=0, levels=[])).refusal)
    found.append((await refusal(folder, "list_tokens", clock, email="nobody@exemple.fr")).refusal)
    revoked = await told(folder, "revoke_token", clock, **zoe, token=made["id"])
    assert revoked == {"revoked": made["id"]}
    again = await refusal(folder, "revoke_token", clock, **zoe, token=made["id"])
    return [*found, str(again).replace(made["id"], ""), await told(folder, "list_tokens", clock, **zoe)]


async def test_a_server_and_the_command_line_alone_answer_alike(tmp_path: Path, clock: SetClock) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "served").mkdir()
    alone = await life(tmp_path / "alone", clock)
    async with serving(tmp_path / "served", clock) as app:
        assert (await told(tmp_path / "served", "ping", clock))["serving"] is True
        served = await life(tmp_path / "served", clock)
        networks: Networks = app.state.networks
        assert await networks.names() == ["copy"]
    for one, other in zip(alone, served, strict=True):
        assert one == other
    assert (await told(tmp_path / "served", "ping", clock))["serving"] is False
    assert sorted(name for name in os.listdir(tmp_path / "served") if name.startswith("alba")) == ["alba.zip"]  # noqa: PTH208 - nobody else waits


async def test_a_publication_over_the_door_is_there_at_once(tmp_path: Path, clock: SetClock) -> None:
    async with serving(tmp_path, clock) as app:
        networks: Networks = app.state.networks
        tenant = await networks.create("small", SMALL)
        given = {"files": WEB, "author": "ops", "note": "", "allow_loss": False, "base": 1}
        assert (await told(tmp_path, "apply", clock, **given))["version"] == 2
        assert "web" in tenant.published.network.entities["company"].fields


async def test_nobody_else_may_open_it(tmp_path: Path, clock: SetClock) -> None:
    async with serving(tmp_path, clock):
        assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600
    assert not (tmp_path / SOCKET).exists()


async def test_the_socket_of_a_server_that_was_killed_is_in_nobodys_way(tmp_path: Path, clock: SetClock) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / SOCKET))
    dead.close()
    assert (await told(tmp_path, "ping", clock))["serving"] is False
    async with serving(tmp_path, clock):
        assert (await told(tmp_path, "ping", clock))["serving"] is True


async def test_the_first_of_two_servers_keeps_the_door(tmp_path: Path, clock: SetClock) -> None:
    async with serving(tmp_path, clock) as first:
        async with serving(tmp_path, clock):
            pass
        await first.state.networks.create("small", SMALL)
        assert [one["name"] for one in await told(tmp_path, "networks", clock)] == ["small"]


async def test_a_folder_far_down_has_a_door_too(tmp_path: Path, clock: SetClock) -> None:
    folder = tmp_path / ("far" * 30) / ("down" * 30)
    folder.mkdir(parents=True)
    assert len(str(folder)) > LONGEST_PATH
    async with serving(folder, clock):
        assert (await told(folder, "ping", clock))["serving"] is True


async def test_a_network_that_another_process_has_open_is_said(tmp_path: Path, clock: SetClock) -> None:
    networks = Networks(Settings(tmp_path), clock=clock, new_id=counting_ids(), works=False)
    await networks.create("small", SMALL)
    refused = await refusal(tmp_path, "history", clock)
    assert f"is already open by process {os.getpid()}" in str(refused)
    assert "Is a server running" in str(refused)
    await networks.close()


async def test_a_file_that_cannot_be_opened_is_said_and_hides_no_other(tmp_path: Path, clock: SetClock) -> None:
    (tmp_path / "odd.sqlite").write_text("this is not a database, and long enough to be looked at" * 20)
    await (await create_empty(tmp_path / "empty.sqlite", "empty", clock=clock)).close()
    await (await create_tenant(tmp_path / "small.sqlite", "small", files=SMALL, clock=clock)).close()
    assert "cannot be opened: file is not a database" in str(await refusal(tmp_path, "history", clock, network="odd"))
    assert str(await refusal(tmp_path, "history", clock, network="empty")).startswith("empty has no definitions yet")
    found = {one["name"]: one for one in await told(tmp_path, "networks", clock)}
    assert [found[name]["version"] for name in ("small", "odd", "empty")] == [1, None, None]
    assert "cannot be opened" in found["odd"]["error"]


async def test_a_network_that_is_deleted_is_made_again_and_worked_in(tmp_path: Path, clock: SetClock) -> None:
    networks = Networks(Settings(tmp_path), clock=clock, new_id=counting_ids())
    await networks.create("small", SMALL)
    with pytest.raises(LookupError):
        await networks.remove("none")
    await networks.remove("small")
    assert await networks.get("small") is None
    tenant = await networks.create("small", SMALL)
    assert tenant.published.version == 1
    await networks.close()


@pytest.mark.parametrize("name", ["../small", "Small", ""])
async def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, clock: SetClock, name: str) -> None:
    given = {"name": name, "files": dict(SMALL), "leader": LEADER}
    assert "small letters" in str(await refusal(tmp_path, "create_network", clock, **given))
    await (await create_tenant(tmp_path / "small.sqlite", "small", files=SMALL, clock=clock)).close()
    await told(tmp_path, "export_network", clock, path=str(tmp_path / "small.zip"))
    refused = await refusal(tmp_path, "import_network", clock, path=str(tmp_path / "small.zip"), name=name or "1")
    assert "small letters" in str(refused)


async def test_a_folder_without_networks_says_what_to_do(tmp_path: Path, clock: SetClock) -> None:
    assert "'maille network create' makes one" in str(await refusal(tmp_path, "history", clock))
    assert "one of: " not in str(await refusal(tmp_path, "history", clock, network="x"))


async def test_a_server_that_goes_away_in_the_middle_is_said(tmp_path: Path, clock: SetClock) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    with short_path(tmp_path) as path:
        server = await asyncio.start_unix_server(hang_up, path)
    assert str(await refusal(tmp_path, "history", clock)) == GONE
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("line", [b"no JSON\n", b"[]\n", b"half a line", b""])
async def test_nonsense_is_hung_up_on_and_the_door_stays(tmp_path: Path, clock: SetClock, line: bytes) -> None:
    async with serving(tmp_path, clock):
        with short_path(tmp_path) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert (await told(tmp_path, "ping", clock))["serving"] is True


async def test_an_operation_that_nobody_knows_is_refused(tmp_path: Path, clock: SetClock) -> None:
    async with serving(tmp_path, clock):
        with short_path(tmp_path) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        writer.write(written({"operation": "fly"}))
        answer = await read_message(reader)
        writer.close()
        assert answer is not None
        assert "another version" in answer["failed"]


async def test_a_mistake_of_ours_reaches_who_asked_and_the_server_goes_on(
    tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, clock):
        assert "The server failed: KeyError" in str(await refusal(tmp_path, "import_network", clock))
        assert (await told(tmp_path, "ping", clock))["serving"] is True


async def test_progress_comes_over_the_door(tmp_path: Path, clock: SetClock) -> None:
    said: list[tuple[str, int, int]] = []
    async with serving(tmp_path, clock) as app:
        await app.state.networks.create("small", SMALL)
        settings, given = Settings(tmp_path), {"path": str(tmp_path / "small.zip")}
        await ask(settings, "export_network", given, lambda *one: said.append(one))
    assert {what for what, _, _ in said} == {"rows"}
    assert all(done <= total for _, done, total in said)


def test_every_operation_says_what_it_does() -> None:
    assert all(operation.__doc__ for operation in operations.OPERATIONS.values())
