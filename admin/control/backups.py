"""What operators can ask for about backups: writing, proving, listing and removing them, and restoring a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from admin.control import asides
from admin.control.answers import Refusal, RefusedError, sentence, text, why
from admin.control.desk import Desk, Given
from definitions.problems import DefinitionError
from models import archive, backups, envelopes
from models.archive import ArchiveError, Manifest
from models.connections import FileLock
from models.envelopes import EnvelopeError, Identity, Recipient
from models.message import say
from models.store import StoreBusyError, StoreError, StoreUnreachableError
from models.stores import NAME, Home, clear, exists, rename_store, replace_store, replaced, staged
from models.tenant import Tenant
from models.tx import Tx
from workflows import auditing, restoring
from workflows.restoring import Following, Opening, Tried

LOCK = ".backups"
"""What is locked in a folder while backups are written there."""


class UnderWayError(RefusedError):
    """Somebody writes backups into the folder already."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which backups are to be written: where to, for whom to read, proven or not, and what to keep.

    Networks that have one `since` then are left out; `kept` is for how long backups stay.
    """

    folder: Path
    keys: tuple[str, ...]
    verify: bool
    kept: timedelta
    since: datetime | None = None


async def back_up(desk: Desk, given: Given) -> Any:
    """Write a backup of a network, or of all; what fails with one is told and keeps no other one from being written."""
    now, every = desk.networks.tenants.clock.now(), given["every"]
    since = None if every is None else now - timedelta(seconds=every)
    kept = timedelta(seconds=given["kept"])
    order = Order(Path(given["folder"]), tuple(given["keys"]), verify=given["verify"], kept=kept, since=since)
    names = await desk.networks.names()
    wanted = [(await desk.tenant(given)).name] if given.get("network") else names
    return await carry_out(desk, order, wanted, names)


async def carry_out(desk: Desk, order: Order, wanted: list[str], names: list[str]) -> dict[str, Any]:
    """Write the backups that an order asks for, then remove those that are old enough."""
    recipients = envelopes.recipients_of(order.keys)
    if not recipients:
        raise RefusedError(
            Refusal(say("Say with --key whose backups these are: 'maille backup --new-key FILE' draws one."))
        )
    await asyncio.to_thread(order.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    try:
        lock = await asyncio.to_thread(FileLock, order.folder / LOCK)
    except StoreBusyError:
        said = say("Backups are being written into {folder} already.", folder=order.folder)
        raise UnderWayError(Refusal(said)) from None
    try:
        await asyncio.to_thread(backups.sweep, order.folder)
        due = await asyncio.to_thread(_due, order, wanted)
        written = [await _one(desk, order, name, recipients) for name in due]
        removed = await asyncio.to_thread(_remove, order, desk.networks.tenants.clock.now(), names)
    finally:
        lock.release()
    return {"backups": written, "removed": removed, "left_out": len(wanted) - len(due)}


def _due(order: Order, wanted: list[str]) -> list[str]:
    there = backups.newest(backups.found_in(order.folder))
    return [name for name in wanted if order.since is None or name not in there or there[name].at < order.since]


async def _one(desk: Desk, order: Order, name: str, recipients: tuple[Recipient, ...]) -> dict[str, Any]:
    """Write one backup and prove it, when that is wanted."""
    try:
        tenant = await desk.tenant({"network": name})
        async with desk.networks.tenants.using(name):
            return await _write(desk, order, tenant, recipients)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one network, the others have their backups
        return {"network": name, "file": None, "error": why(error, name)}


async def _write(desk: Desk, order: Order, tenant: Tenant, recipients: tuple[Recipient, ...]) -> dict[str, Any]:
    await tenant.readings.flush()
    await auditing.commanded(tenant, "back_up")
    await auditing.seal(tenant)
    once = envelopes.fresh() if order.verify else None  # opens this file alone, and is forgotten with this call
    readers = recipients if once is None else (*recipients, once.to_public())
    backup, manifest = await backups.write(tenant, order.folder, readers, progress=desk.progress)
    written: dict[str, Any] = {
        "network": backup.network,
        "file": str(backup.path),
        "bytes": backup.size,
        "rows": manifest.rows,
        "files": len(manifest.files),
        "version": manifest.version,
        "verified": False,
        "error": None,
    }
    if once is not None:
        written |= await _proven(desk, backup.path, once, tenant.name)
    return written


async def _proven(desk: Desk, path: Path, key: Identity, name: str) -> dict[str, Any]:
    """Try a backup out that was just written; one that cannot be restored is none, and goes."""
    try:
        tried = await _tried(desk, path, (key,), desk.networks.tenants.home(name))
    except (ArchiveError, EnvelopeError, DefinitionError):
        await asyncio.to_thread(path.unlink)
        raise
    except Exception as error:  # noqa: BLE001 - of whatever kind: it says nothing of the file
        return {"error": text(say("It was written, and could not be tried out: {reason}", reason=why(error, name)))}
    return {"verified": tried.broken is None, "links": tried.links, "error": _why(tried)}


def _remove(order: Order, now: datetime, names: list[str]) -> list[str]:
    old = backups.outlived(backups.found_in(order.folder), now, order.kept, names)
    for backup in old:
        backup.path.unlink(missing_ok=True)
    return [str(backup.path) for backup in old]


async def list_backups(desk: Desk, given: Given) -> Any:  # noqa: ARG001 - all operations are called alike
    """Return the backups in a folder: those behind `after`, at most `limit`, and the name to go on behind."""
    found = await asyncio.to_thread(backups.found_in, Path(given["folder"]))
    wanted = [each for each in found if given.get("network") in (None, each.network)]
    rest = [each for each in wanted if each.path.name > (given.get("after") or "")]
    page = rest[: given["limit"]] if given.get("limit") else rest
    told = [{"network": each.network, "at": each.at, "file": each.path.name, "bytes": each.size} for each in page]
    return {"backups": told, "next": page[-1].path.name if len(page) < len(rest) else None}


# Restoring ------------------------------------------------------------------------------------------------------------


async def check_backup(desk: Desk, given: Given) -> Any:
    """Restore a backup on trial, say what it holds, and leave nothing of it."""
    path = await _path(given)
    keys = envelopes.identities_of(given["identity"])
    tried = await _tried(desk, path, keys, None)
    return {**_said(path, tried.manifest), "links": tried.links, "sealed_here": tried.sealed_here, "error": _why(tried)}


async def _tried(desk: Desk, path: Path, keys: tuple[Identity, ...], home: Home | None) -> Tried:
    async with envelopes.opened(path, keys, await _room(desk)) as plain:
        beside = home or _home(desk, (await asyncio.to_thread(archive.read_manifest, plain)).network)
        return await restoring.try_out(plain, beside, _opening(desk), desk.progress)


def _why(tried: Tried) -> str | None:
    broken = tried.broken
    if broken is None or broken.why is None:
        return None
    return text(say("Its audit does not hold at {seq}: {why}.", seq=broken.broken, why=broken.why))


def _said(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "file": str(path),
        "network": manifest.network,
        "at": manifest.at,
        "version": manifest.version,
        "rows": manifest.rows,
        "files": len(manifest.files),
    }


def _opening(desk: Desk) -> Opening:
    tenants = desk.networks.tenants
    if tenants.vault is None:
        raise StoreError("Networks without a vault restore nothing.")
    return Opening(tenants.vault, tenants.clock, tenants.new_id)


async def _room(desk: Desk) -> Path:
    """Return the folder in which a backup is opened: that of the networks."""
    folder = desk.networks.settings.data
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    return folder


async def _path(given: Given) -> Path:
    """Return the file that is meant: it was named, or is the newest of a network in a folder."""
    path = Path(given["path"])
    if not await asyncio.to_thread(path.is_dir):
        return path
    found = backups.newest(await asyncio.to_thread(backups.found_in, path))
    name = given.get("network") or (next(iter(found)) if len(found) == 1 else "")
    if name not in found:
        known = ", ".join(sorted(found)) or "–"
        raise RefusedError(
            Refusal(
                say("Say with --network whose newest backup in {folder} is meant: {names}.", folder=path, names=known)
            )
        )
    return found[name].path


def _home(desk: Desk, name: str) -> Home:
    if not NAME.fullmatch(name):
        raise RefusedError(Refusal(say("A network's name has small letters, digits and underscores.")))
    return desk.networks.tenants.home(name)


async def restore_network(desk: Desk, given: Given) -> Any:
    """Make a network of a backup: under its name or another one, in the place of one that is there when asked to."""
    path = await _path(given)
    keys = envelopes.identities_of(given["identity"])
    async with envelopes.opened(path, keys, await _room(desk)) as plain:
        manifest = await asyncio.to_thread(archive.read_manifest, plain)
        if given.get("network") not in (None, manifest.network):
            raise RefusedError(Refusal(say("This is a backup of {network}.", network=manifest.network)))
        name = given.get("name") or manifest.network
        home = _home(desk, name)
        if name in await desk.networks.names():
            _refuse_replacing(given, name, manifest)
        made = await _restored(desk, given, plain, home, name)
    return {**_said(path, manifest), "name": name, **made}


def _refuse_replacing(given: Given, name: str, manifest: Manifest) -> None:
    if manifest.network != name:
        raise RefusedError(
            Refusal(
                say(
                    "There is a network '{name}', and this is a backup of another one: {network}.",
                    name=name,
                    network=manifest.network,
                )
            )
        )
    if not given["replace"]:
        raise RefusedError(
            Refusal(
                say(
                    "There is a network '{name}': restore beside it with --as NAME, or in its place with --replace.",
                    name=name,
                )
            )
        )


async def _restored(desk: Desk, given: Given, plain: IO[bytes], home: Home, name: str) -> dict[str, Any]:
    waiting = staged(home)
    if isinstance(waiting, Path):
        await asyncio.to_thread(waiting.parent.mkdir, parents=True, exist_ok=True)
    await clear(waiting)
    try:
        manifest = await archive.restore(plain, waiting, name, progress=desk.progress)
        following = Following(_opening(desk), waiting, manifest.network, datetime.fromisoformat(manifest.at))
        ours = following.opening.vault.has(manifest.key)
        held = await _begin(following, given, ours=ours)
        unread = await _catch_up(following, home, given, name)
        async with desk.networks.apart(name) as place:
            aside = await _put(following, place, given, unread=unread)
    except BaseException:
        await clear(waiting)
        raise
    tenant = await desk.networks.get(name)
    link = "" if tenant is None else desk.link(tenant)
    return {
        "erased_again": following.erased,
        "erased_left": [list(each) for each in following.left],
        "unread": unread,
        "held": held,
        "sealed_here": ours,
        "aside": None if aside is None else str(aside),
        "url": link,
    }


async def _catch_up(following: Following, home: Home, given: Given, name: str) -> bool:
    """Bring what was restored up to what happened since in the network that is there, if one is.

    Return whether that could not be read, and was not to be.
    """
    if not await exists(home):
        return False
    try:
        since = await restoring.happened(home, following.at)
    except StoreError as error:
        if given.get("unread") and not isinstance(error, StoreUnreachableError):
            return True
        said = say(
            "What was erased in the network '{name}' since the backup cannot be read, and would come back: {reason} "
            "--unread replaces it all the same.",
            name=name,
            reason=sentence(error),
        )
        raise RefusedError(Refusal(said)) from error
    await following.follow(since)
    return False


async def _begin(following: Following, given: Given, *, ours: bool) -> int:
    """Tell the audit of what was restored where it came from, and hold its mails; return how many."""
    tenant = await following.opening.open(following.home, following.name)
    try:
        if not ours:
            await auditing.imported(tenant, following.name)
        await auditing.commanded(tenant, asides.COMMAND)
        return 0 if given["send_waiting"] else await restoring.hold_mails(tenant)
    finally:
        await tenant.close()


async def _put(following: Following, home: Home, given: Given, *, unread: bool) -> Home | None:
    """Give the restored network its place; return where the one is kept that was there."""
    if not await exists(home):
        await rename_store(following.home, home)
        return None
    if not given["replace"]:
        raise RefusedError(Refusal(say("There is a network of that name already.")))

    async def last(tx: Tx | None) -> None:
        if not unread:
            await following.follow(await restoring.happened(home, following.at, tx))

    aside = replaced(home)
    await replace_store(home, following.home, aside, last)
    return aside
