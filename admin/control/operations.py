"""What operators can ask for. The server and the command line on its own call the same functions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from admin.control import backups, bounced, people, service, trail
from admin.control.answers import Refusal, RefusedError, plain, why
from admin.control.desk import Desk, Given
from admin.control.people import joined_as
from models import archive
from models.actor import SYSTEM
from models.errors import NotFoundError, PublishedMeanwhileError
from models.message import Message, say
from models.store import StoreError
from models.stores import (
    DATABASES,
    NAME,
    Home,
    Homes,
    Schemas,
    clear,
    discard_unfinished,
    exists,
    home_of,
    remove_store,
    rename_store,
    staged,
)
from models.tenant import Tenant
from models.transfer import move
from workflows import auditing, membership, publishing, simulation
from workflows.proposal import propose
from workflows.simulation import Subject
from workflows.unit import read


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
        raise RefusedError(
            Refusal(say("No member of {name} has the e-mail address {author}.", name=tenant.name, author=author))
        ) from None
    return found.id


async def _meanwhile(tenant: Tenant, error: PublishedMeanwhileError) -> Refusal:
    between = await publishing.history(tenant, since=error.base)
    said = error.message if isinstance(error.message, Message) else str(error)
    return Refusal(said, between=tuple(plain(version) for version in between))


async def simulate(desk: Desk, given: Given) -> Any:
    """Return what a pack would have done in the last days; nothing is written or sent."""
    tenant = await desk.tenant(given)
    subject = Subject(given.get("automation"), given.get("process"), given["days"])
    return await simulation.simulate(tenant, given["files"], subject, url=desk.link(tenant), progress=desk.progress)


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
        raise RefusedError(
            Refusal(say("{name} has versions 1 to {newest}.", name=tenant.name, newest=newest))
        ) from None


async def networks(desk: Desk, given: Given) -> Any:  # noqa: ARG001 - all operations are called alike
    """Return all networks with their versions and sizes; one that cannot be opened with the reason."""
    return [await _network(desk, name) for name in await desk.networks.names()]


async def _network(desk: Desk, name: str) -> dict[str, Any]:
    home = desk.networks.tenants.home(name)
    size = home.stat().st_size if isinstance(home, Path) and home.exists() else None
    try:
        tenant = await desk.tenant({"network": name})
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one network, the others are told of
        return {"name": name, "version": None, "bytes": size, "url": "", "error": why(error, name)}
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
        **joined_as(desk, tenant, joined),
    }


async def _refuse_name(desk: Desk, name: str) -> None:
    if not NAME.fullmatch(name):
        raise RefusedError(Refusal(say("A network's name has small letters, digits and underscores.")))
    try:
        home = desk.networks.tenants.home(name)
    except LookupError:
        sentence = say(
            "The database cannot have a network '{name}': its schema would be a reserved one, or too long.", name=name
        )
        raise RefusedError(Refusal(sentence)) from None
    there = name in await desk.networks.names()
    if (there and await _opens(desk, name)) or (not await discard_unfinished(home) and there):
        raise RefusedError(Refusal(say("There is a network '{name}' already.", name=name)))


async def _opens(desk: Desk, name: str) -> bool:
    """Whether there is a network that was made to its end, also one that cannot be opened now."""
    try:
        return await desk.networks.get(name) is not None
    except StoreError:
        return True


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
    if tenant is not None:
        await auditing.imported(tenant, manifest.network)
    link = "" if tenant is None else desk.link(tenant)
    return {"name": name, "rows": manifest.rows, "url": link, "version": manifest.version}


async def _place(waiting: Home, home: Home) -> None:
    """Give an imported network its name; one that took the name meanwhile keeps it."""
    if await exists(home):
        await clear(waiting)
        raise RefusedError(Refusal(say("There is a network of that name already.")))
    await rename_store(waiting, home)


async def delete_network(desk: Desk, given: Given) -> Any:
    """Delete a network for good, also one that cannot be opened or was never finished."""
    name = given["network"]
    found = name in await desk.networks.names()
    if not found and not (_possible(desk, name) and await discard_unfinished(desk.networks.tenants.home(name))):
        await desk.tenant(given)
    if found:
        await desk.networks.remove(name)
    return {"name": name}


def _possible(desk: Desk, name: str) -> bool:
    try:
        return desk.networks.tenants.home(name) is not None
    except LookupError:
        return False


def _files(desk: Desk) -> Path:
    """Return where files of networks on PostgreSQL are kept."""
    return desk.networks.settings.files or desk.networks.settings.data


async def move_network(desk: Desk, given: Given) -> Any:
    """Take a network to another folder or database (`to`); with `remove` nothing stays of it here."""
    name, to = given["network"], given["to"]
    if name not in await desk.networks.names():
        await desk.tenant(given)
    there: Homes = Schemas(to, given["prefix"], _files(desk)) if to.startswith(DATABASES) else Path(to)
    target = home_of(there, name)
    if isinstance(target, Path):
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    async with desk.networks.apart(name) as home:
        moved = await move(home, target, tell=desk.progress)
    if given["remove"]:
        await remove_store(moved.aside)
    tables = [{"table": each.table, "rows": each.rows, "checksum": each.checksum} for each in moved.tables]
    return {"tables": tables, "aside": None if given["remove"] else str(moved.aside)}


Operation = Callable[[Desk, Given], Awaitable[Any]]


def _audited(operation: Operation) -> Operation:
    """Return an operation on a network's data that is in the audit before it is done."""

    @wraps(operation)
    async def done(desk: Desk, given: Given) -> Any:
        tenant = await desk.tenant(given)
        name = operation.__name__
        member = await people.whose(tenant, given)
        await auditing.commanded(tenant, name, member, everybody=name in OF_EVERYBODY)
        return await operation(desk, given)

    return done


OF_EVERYBODY = frozenset({"export_network", "members"})
"""Operations that show or take away the data of all members."""

OPERATIONS: Mapping[str, Operation] = {
    operation.__name__: operation
    for operation in (
        ping,
        service.status,
        plan,
        apply,
        _audited(simulate),
        history,
        files,
        networks,
        create_network,
        _audited(export_network),
        import_network,
        delete_network,
        move_network,
        _audited(people.members),
        _audited(people.add_member),
        _audited(people.invite_member),
        _audited(people.change_levels),
        _audited(people.set_active),
        _audited(people.forget_factors),
        _audited(people.create_token),
        _audited(people.list_tokens),
        _audited(people.revoke_token),
        backups.back_up,
        backups.list_backups,
        backups.check_backup,
        backups.restore_network,
        trail.verify_audit,
        trail.audit_head,
        bounced.take_bounce,
    )
}
