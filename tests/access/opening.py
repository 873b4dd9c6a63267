"""Opens a server over two networks of a pack, for one member of the first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import httpx
from starlette.applications import Starlette

from admin.networks import Networks
from models import terms, tokens
from models.clock import SetClock
from models.members import load_actor
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from server import compose
from tests.access.filling import fill
from tests.access.world import NAME, OTHER, Undone, World
from tests.admin.office import PASSWORD, token
from tests.homes import Homes
from tests.networks import counting_ids


@asynccontextmanager
async def world_of(homes: Homes, clock: SetClock, files: Mapping[str, str]) -> AsyncIterator[World]:
    """Open a server over the two networks; from then on every change that is tried is taken back."""
    ids = counting_ids()
    for name in (NAME, OTHER):
        tenant = await create_tenant(homes(name), name, files=files, clock=clock, new_id=ids)
        await tenant.close()
    settings = replace(homes.settings, secret="a secret of the tests")
    app = compose(settings, clock=clock, new_id=ids, works=False)
    async with app.router.lifespan_context(app):
        numbers = count()
        await _filled(app, OTHER, clock, numbers)
        world = await _filled(app, NAME, clock, numbers)
        async with _client(app) as world.program, _client(app) as world.browser:
            await _enter(world)
            _rehearse(world.tenant)
            yield world


async def _filled(app: Starlette, name: str, clock: SetClock, numbers: Iterator[int]) -> World:
    networks: Networks = app.state.networks
    tenant = await networks.get(name)
    assert tenant is not None
    world = World(app, tenant, clock, numbers=numbers)
    await fill(world)
    await networks.worker(tenant).run_due()
    return world


def _client(app: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", headers={"accept-language": "en"})


def _rehearse(tenant: Tenant) -> None:
    store = tenant.store
    write = store.write

    async def rehearsed(work: Callable[[Tx], Awaitable[Any]], **_: Any) -> Any:
        async def undone(tx: Tx) -> None:
            raise Undone(await work(tx))

        try:
            await write(undone)
        except Undone as done:
            return done.args[0]

    store.write = rehearsed  # type: ignore[method-assign] # each attempt is taken back, so that none depends on another


async def _enter(world: World) -> None:
    """Let `me` accept all terms, and give it a token and a session."""
    tenant, me = world.tenant, world.members["me"]
    levels = tuple(name for name in world.network.levels if name != "public")
    await world.become(*levels)
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, me))
    assert actor is not None
    for each in await terms.open_terms(tenant, actor):
        await terms.accept(tenant, actor, each.name, each.version)
    made = await tokens.create(tenant, me, name="test", days=300)
    world.program.headers["authorization"] = f"Bearer {made.secret}"
    page = await world.browser.get(f"/n/{NAME}/sign-in")
    sent = {"_csrf": token(page.text), "email": "me@example.com", "password": PASSWORD}
    answer = await world.browser.post(f"/n/{NAME}/sign-in", data=sent)
    assert answer.status_code == 303, answer.text
    world.csrf = token((await world.browser.get(f"/n/{NAME}/menu")).text)
    world.cookies = dict(world.browser.cookies)
