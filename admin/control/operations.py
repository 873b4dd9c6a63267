"""What operators can ask for. The server and the command line on its own call the same functions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.control.answers import EXPECTED, Refusal, RefusedError, plain, refusal
from admin.networks import Networks
from admin.visit import address
from definitions.problems import did_you_mean
from models import archive
from models.actor import SYSTEM
from models.errors import NotFoundError, PublishedMeanwhileError
from models.stores import NAME, Home, clear, exists, rename_store, staged
from models.tenant import Tenant
from workflows import membership, publishing
from workflows.membership import Joined
from workflows.proposal import propose
from workflows.unit import read

Given = Mapping[str, Any]
Progress = Callable[[str, int, int], None]
LOCAL_URL = "http://127.0.0.1:8000"
"""Where links go when nobody said the public address."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where an operation is done: the networks, who is told how far it is, and whether this is a running server."""

    networks: Networks
    progress: Progress
    serving: bool = False

    async def tenant(self, given: Given) -> Tenant:
        """Return the network that was asked for: the only one when none was named."""
        names = await self.networks.names()
        name = given.get("network") or (names[0] if len(names) == 1 else "")
        if not name:
            raise RefusedError(Refusal(_which(names)))
        tenant = await self.networks.get(name)
        if tenant is None and name in names:
            raise RefusedError(Refusal(f"{name} has no definitions yet."))
        if tenant is None:
            hint = did_you_mean(name, names) or "'maille network create' makes one."
            raise RefusedError(Refusal(f"There is no network '{name}': {hint}"))
        return tenant

    def link(self, tenant: Tenant, *parts: str) -> str:
        """Return an address of the network's pages as people reach it."""
        return (self.networks.settings.public_url or LOCAL_URL) + address(tenant.name, *parts)


def _which(names: list[str]) -> str:
    if names:
        return f"Say which network is meant with --network: {', '.join(names)}."
    return "There is no network here yet: 'maille network create' makes one. Is --data the right folder?"


async def ping(desk: Desk, given: Given) -> Any:  # noqa: ARG001 - all operations are called alike
    """Say who answers."""
    return {"process": os.getpid(), "serving": desk.serving}


async def plan(desk: Desk, given: Given) -> Any:
    """Return what publishing would change."""
    return await propose(await desk.tenant(given), given["files"], allow_loss=given["allow_loss"])


async def apply(desk: Desk, given: Given) -> Any:
    """Publish a version."""
    tenant = await desk.tenant(given)
    author = await _author(tenant, given)
    before = tenant.published.version
    terms = {"note": given["note"], "allow_loss": given["allow_loss"], "base": given["base"]}
    try:
        published = await publishing.publish(tenant, given["files"], author, **terms)
    except PublishedMeanwhileError as error:
        raise RefusedError(await _meanwhile(tenant, error)) from error
    return {"version": published.version, "hash": published.hash, "changed": published.version != before}


async def _author(tenant: Tenant, given: Given) -> str | None:
    """Return who publishes: the id of the member with the e-mail that was given, else what was given."""
    author: str | None = given.get("author")
    if not author or "@" not in author:
        return author
    try:
        found = await read(tenant, SYSTEM, lambda unit: membership.find(unit, author))
    except NotFoundError:
        raise RefusedError(Refusal(f"No member of {tenant.name} has the e-mail address {author}.")) from None
    return found.id


async def _meanwhile(tenant: Tenant, error: PublishedMeanwhileError) -> Refusal:
    between = await publishing.history(tenant, since=error.base)
    return Refusal(str(error), between=tuple(plain(version) for version in between))


async def history(desk: Desk, given: Given) -> Any:
    """Return the versions of a network, the newest first."""
    return await publishing.history(await desk.tenant(given), up_to=given.get("up_to"))


async def files(desk: Desk, given: Given) -> Any:
    """Return the files of a version."""
    tenant = await desk.tenant(given)
    try:
        return await publishing.files_of(tenant, given["version"])
    except NotFoundError:
        newest = tenant.published.version
        raise RefusedError(Refusal(f"{tenant.name} has versions 1 to {newest}.")) from None


async def networks(desk: Desk, given: Given) -> Any:  # noqa: ARG001 - all operations are called alike
    """Return all networks with their versions and sizes; one that cannot be opened with the reason."""
    return [await _network(desk, name) for name in await desk.networks.names()]


async def _network(desk: Desk, name: str) -> dict[str, Any]:
    home = desk.networks.tenants.home(name)
    size = home.stat().st_size if isinstance(home, Path) and home.exists() else None
    try:
        tenant = await desk.tenant({"network": name})
    except EXPECTED as error:
        return {"name": name, "version": None, "bytes": size, "url": "", "error": refusal(error).message}
    return {"name": name, "version": tenant.published.version, "bytes": size, "url": desk.link(tenant), "error": None}


async def create_network(desk: Desk, given: Given) -> Any:
    """Make a network and its leader; nothing is left when one of the two fails."""
    name = given["name"]
    await _refuse_name(desk, name)
    tenant = await desk.networks.create(name, given["files"], given.get("author"))
    try:
        joined = await membership.join(tenant, given["leader"], password=given.get("password"))
    except BaseException:
        await desk.networks.remove(name)
        raise
    return {
        "name": name,
        "version": tenant.published.version,
        "url": desk.link(tenant),
        **_joined(desk, tenant, joined),
    }


async def _refuse_name(desk: Desk, name: str) -> None:
    if not NAME.fullmatch(name):
        raise RefusedError(Refusal("A network's name has small letters, digits and underscores."))
    if name in await desk.networks.names():
        raise RefusedError(Refusal(f"There is a network '{name}' already."))


def _joined(desk: Desk, tenant: Tenant, joined: Joined) -> dict[str, Any]:
    link = None if joined.token is None else desk.link(tenant, "join", joined.token)
    return {"member": joined.id, "link": link}


async def export_network(desk: Desk, given: Given) -> Any:
    """Write a network into an archive."""
    tenant = await desk.tenant(given)
    async with desk.networks.tenants.using(tenant.name):
        manifest = await archive.dump(tenant, Path(given["path"]), progress=desk.progress)
    return {"path": given["path"], "rows": manifest.rows, **plain(manifest)}


async def import_network(desk: Desk, given: Given) -> Any:
    """Make a network out of an archive."""
    source = Path(given["path"])
    name = given.get("name") or archive.read_manifest(source).network
    await _refuse_name(desk, name)
    waiting = staged(desk.networks.tenants.home(name))
    if isinstance(waiting, Path):
        await asyncio.to_thread(waiting.parent.mkdir, parents=True, exist_ok=True)
    await clear(waiting)
    manifest = await archive.restore(source, waiting, name, progress=desk.progress)
    async with desk.networks.apart(name) as home:
        await _place(waiting, home)
    tenant = await desk.networks.get(name)
    link = "" if tenant is None else desk.link(tenant)
    return {"name": name, "rows": manifest.rows, "url": link, "version": manifest.version}


async def _place(waiting: Home, home: Home) -> None:
    """Give an imported network its name; one that took the name meanwhile keeps it."""
    if await exists(home):
        await clear(waiting)
        raise RefusedError(Refusal("There is a network of that name already."))
    await rename_store(waiting, home)


async def delete_network(desk: Desk, given: Given) -> Any:
    """Delete a network for good."""
    tenant = await desk.tenant(given)
    await desk.networks.remove(tenant.name)
    return {"name": tenant.name}


async def members(desk: Desk, given: Given) -> Any:
    """Return the members of a network."""
    return await membership.members(await desk.tenant(given))


async def add_member(desk: Desk, given: Given) -> Any:
    """Take a member in: with a password, or with a link to choose one."""
    tenant = await desk.tenant(given)
    sponsor, password = given.get("sponsor"), given.get("password")
    try:
        joined = await membership.join(tenant, given["values"], sponsor=sponsor, password=password)
    except NotFoundError:
        raise _nobody(tenant, sponsor) from None
    return _joined(desk, tenant, joined)


async def invite_member(desk: Desk, given: Given) -> Any:
    """Give a member a link to choose a password anew."""
    tenant = await desk.tenant(given)
    try:
        return _joined(desk, tenant, await membership.invite(tenant, given["email"]))
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


async def change_levels(desk: Desk, given: Given) -> Any:
    """Set, give or take levels of a member."""
    tenant = await desk.tenant(given)
    wanted, more, less = given["levels"], given["more"], given["less"]

    def change(levels: tuple[str, ...]) -> list[str]:
        return [name for name in (*(wanted or levels), *more) if name not in less]

    try:
        return await membership.change_levels(tenant, given["email"], change)
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


async def set_active(desk: Desk, given: Given) -> Any:
    """Let a member in again, or out."""
    tenant = await desk.tenant(given)
    try:
        return await membership.set_active(tenant, given["email"], active=given["active"])
    except NotFoundError:
        raise _nobody(tenant, given["email"]) from None


def _nobody(tenant: Tenant, email: str | None) -> RefusedError:
    return RefusedError(Refusal(f"No member of {tenant.name} has the e-mail address {email}."))


OPERATIONS: Mapping[str, Callable[[Desk, Given], Awaitable[Any]]] = {
    operation.__name__: operation
    for operation in (
        ping,
        plan,
        apply,
        history,
        files,
        networks,
        create_network,
        export_network,
        import_network,
        delete_network,
        members,
        add_member,
        invite_member,
        change_levels,
        set_active,
    )
}
