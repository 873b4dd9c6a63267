"""Backups in a folder: sealed archives of networks, one file each, called like the network and the moment it is of."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from models.archive import PARTIAL, Manifest, Progress, dump, silent
from models.envelopes import Recipient, sealing
from models.stores import NAME
from models.tenant import Tenant

SUFFIX = ".maille.age"
MOST_KEPT = timedelta(days=365)
"""So long a backup is kept at most: it holds what was erased since."""
_MOMENT = "%Y%m%dT%H%M%SZ"
_FILE = re.compile(rf"({NAME.pattern})\.(\d{{8}}T\d{{6}}Z){re.escape(SUFFIX)}")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of a network as it was at a moment (UTC, whole seconds), `size` bytes large."""

    network: str
    at: datetime
    path: Path
    size: int


def file_name(network: str, at: datetime) -> str:
    """Return what the file of a backup is called."""
    return f"{network}.{at.astimezone(UTC).strftime(_MOMENT)}{SUFFIX}"


def found_in(folder: Path) -> list[Backup]:
    """Return the backups in a folder, by network and then the oldest first; a folder that is not there has none."""
    return sorted(_found(folder), key=lambda backup: backup.path.name) if folder.is_dir() else []


def _found(folder: Path) -> Iterator[Backup]:
    for path in folder.iterdir():
        named = _FILE.fullmatch(path.name)
        if named is None:
            continue
        with suppress(ValueError, FileNotFoundError):  # called like no moment that there is, or removed meanwhile
            at = datetime.strptime(named[2], _MOMENT).replace(tzinfo=UTC)
            yield Backup(named[1], at, path, path.stat().st_size)


def newest(backups: Iterable[Backup]) -> dict[str, Backup]:
    """Return the newest backup of each network."""
    found: dict[str, Backup] = {}
    for backup in sorted(backups, key=lambda each: each.at):
        found[backup.network] = backup
    return found


def outlived(backups: Sequence[Backup], now: datetime, kept: timedelta, networks: Collection[str]) -> list[Backup]:
    """Return the backups that are older than `kept` (`MOST_KEPT` at most).

    The newest one of a network that is still there is none of them, as long as it is younger than `MOST_KEPT`.
    """
    last = {backup.path for name, backup in newest(backups).items() if name in networks}
    within = min(kept, MOST_KEPT)
    return [backup for backup in backups if now - backup.at > (MOST_KEPT if backup.path in last else within)]


def sweep(folder: Path) -> None:
    """Remove what attempts that were broken off left in a folder in which nobody writes just now."""
    for path in folder.glob(f"*{SUFFIX}{PARTIAL}"):
        path.unlink(missing_ok=True)


async def write(
    tenant: Tenant, folder: Path, recipients: Sequence[Recipient], *, progress: Progress = silent
) -> tuple[Backup, Manifest]:
    """Write a backup of the network, as it is at one moment, into a folder that is made for its owner alone.

    It appears there when it is whole and on the disk.
    """
    at = tenant.clock.now().replace(microsecond=0)
    path = folder / file_name(tenant.name, at)
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    manifest = await dump(tenant, path, progress=progress, opening=partial(sealing, recipients=recipients))
    size = (await asyncio.to_thread(path.stat)).st_size
    return Backup(tenant.name, at, path, size), manifest
