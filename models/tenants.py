"""The networks of an installation, opened when they are needed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from models.clock import Clock, SystemClock
from models.message import say
from models.secrets import Vault
from models.store import StoreBusyError
from models.stores import Home, Homes, home_of, names_in
from models.tenant import Files, Tenant, create_tenant, open_tenant, uuid7


@dataclass(slots=True)
class _Opened:
    tenant: Tenant
    users: int = 0


@dataclass(slots=True)
class _Visit:
    """What was asked for in a visit, and whether it is over: what it began may outlive it."""

    opened: list[_Opened] = field(default_factory=list)
    over: bool = False

    def take(self, opened: _Opened) -> None:
        if not self.over:
            opened.users += 1
            self.opened.append(opened)

    def end(self) -> None:
        self.over = True
        for opened in self.opened:
            opened.users -= 1
        self.opened.clear()


_VISIT: ContextVar[_Visit | None] = ContextVar("maille_visit", default=None)


@contextmanager
def visiting() -> Iterator[None]:
    """Keep the networks that are asked for inside the `with` open until its end; visits may stand inside of others."""
    visit = _Visit()
    token = _VISIT.set(visit)
    try:
        yield
    finally:
        _VISIT.reset(token)
        visit.end()


@dataclass(slots=True)
class Tenants:
    """Opens networks by name and keeps those used last; one that somebody uses is never closed."""

    homes: Homes
    capacity: int = 64
    clock: Clock = field(default_factory=SystemClock)
    new_id: Callable[[], str] = uuid7
    vault: Vault | None = None
    _opened: OrderedDict[str, _Opened] = field(default_factory=OrderedDict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _apart: set[str] = field(default_factory=set)

    async def names(self) -> list[str]:
        """Return the names of all networks, sorted."""
        return await names_in(self.homes)

    def home(self, name: str) -> Home:
        """Return where a network lives; `LookupError` for what cannot be a name."""
        return home_of(self.homes, name)

    def opened(self) -> dict[str, Tenant]:
        """Return the networks that are open now, by name, those used least lately first."""
        return {name: each.tenant for name, each in self._opened.items()}

    async def open(self, name: str) -> Tenant:
        """Return a network, opened; `LookupError` when there is none.

        Outside of a visit (`visiting`) it may be closed once others were used since.
        """
        return (await self._get(name)).tenant

    @asynccontextmanager
    async def using(self, name: str) -> AsyncIterator[Tenant]:
        """Open a network that stays open inside the `with`."""
        opened = await self._get(name, users=1)
        try:
            yield opened.tenant
        finally:
            opened.users -= 1

    def hold(self, name: str) -> Callable[[], None]:
        """Keep an open network open until what is returned is called, once; `LookupError` when it is closed."""
        opened = self._opened[name]
        opened.users += 1

        def release() -> None:
            opened.users -= 1

        return release

    def users(self, name: str) -> int:
        """Return by how many a network is used now: visits and those that hold it."""
        opened = self._opened.get(name)
        return 0 if opened is None else opened.users

    async def shut(self, name: str, unless: Callable[[], bool] = lambda: False) -> bool:
        """Close a network that nobody uses, unless something speaks against it by then; return whether it is closed."""
        async with self._lock:
            opened = self._opened.get(name)
            if opened is not None and (opened.users or unless()):
                return False
            if opened is not None:
                del self._opened[name]
                await opened.tenant.close()
            return True

    async def create(self, name: str, files: Files, author: str | None = None) -> Tenant:
        """Make a network; `DefinitionError` when its definitions have errors, and then nothing is left of it."""
        home = self.home(name)
        if isinstance(self.homes, Path):
            await asyncio.to_thread(self.homes.mkdir, parents=True, exist_ok=True)
        async with self._lock:
            self._refuse_apart(name)
            tenant = await create_tenant(home, name, files=files, author=author, clock=self.clock, new_id=self.new_id)
            self._opened[name] = self._kept(tenant)
            await self._shrink()
        return tenant

    @asynccontextmanager
    async def apart(self, name: str) -> AsyncIterator[Home]:
        """Close a network, and let nobody open it inside the `with`: its store may come, go or be replaced there.

        Who asks for it meanwhile is told so (`StoreBusyError`), and other networks go on: it may take long.
        """
        home = self.home(name)
        if isinstance(self.homes, Path):
            await asyncio.to_thread(self.homes.mkdir, parents=True, exist_ok=True)
        async with self._lock:
            self._refuse_apart(name)
            self._apart.add(name)
        try:
            opened = self._opened.pop(name, None)
            if opened is not None:
                await opened.tenant.close()
            yield home
        finally:
            self._apart.discard(name)

    def _refuse_apart(self, name: str) -> None:
        if name in self._apart:
            raise StoreBusyError(
                say("The network '{name}' is being worked on as a whole: try again in a while.", name=name)
            )

    async def close(self) -> None:
        """Close all networks."""
        async with self._lock:
            while self._opened:
                _, opened = self._opened.popitem()
                await opened.tenant.close()

    async def _get(self, name: str, *, users: int = 0) -> _Opened:
        found = self._opened.get(name)
        if found is not None and found.tenant.store.gone:
            await self._forget(name, found)
            found = None
        if found is None:
            home = self.home(name)
            async with self._lock:
                self._refuse_apart(name)
                found = self._opened.get(name) or await self._open(home, name)
                self._use(found, users)
                await self._shrink(keep=name)
        else:
            self._use(found, users)
            self._opened.move_to_end(name)
        return found

    def _use(self, opened: _Opened, users: int) -> None:
        opened.users += users
        visit = _VISIT.get()
        if visit is not None:
            visit.take(opened)

    async def _open(self, home: Home, name: str) -> _Opened:
        try:
            tenant = await open_tenant(home, name, clock=self.clock, new_id=self.new_id)
        except FileNotFoundError:
            raise LookupError(name) from None
        if not tenant.has_definitions:  # whoever was making it stopped in the middle
            await tenant.close()
            raise LookupError(name)
        self._opened[name] = opened = self._kept(tenant)
        return opened

    def _kept(self, tenant: Tenant) -> _Opened:
        tenant.vault = self.vault or tenant.vault
        return _Opened(tenant)

    async def _forget(self, name: str, opened: _Opened) -> None:
        """Close a network that another process took away."""
        async with self._lock:
            if self._opened.get(name) is opened:
                del self._opened[name]
                await opened.tenant.close()

    async def _shrink(self, keep: str = "") -> None:
        """Close the networks used least lately that nobody uses, down to the capacity."""
        idle = [name for name, opened in self._opened.items() if not opened.users and name != keep]
        for name in idle[: max(len(self._opened) - self.capacity, 0)]:
            await self._opened.pop(name).tenant.close()
