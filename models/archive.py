"""A whole network in one file: a ZIP with its definitions, every row as a line of JSON, and sums to check them by.

Nothing is held in memory as a whole, neither on the way out nor on the way in.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from definitions.spec.network import Network
from models.apply import apply
from models.contents import Contents
from models.ddl import quoted
from models.message import say
from models.plan import plan
from models.published import accepted, make_published
from models.sheets import LEFT_OUT, PAGE, Sheet, sheets
from models.stores import Home, clear, exists, rename_store
from models.stores import partial as place
from models.tenant import Tenant, create_empty
from models.tx import Row, Tx

FORMAT = "maille-network-1"
MANIFEST = "manifest.json"
DEFINITIONS = "definitions/"
ROWS = "rows/"
FILES = "files/"
PARTIAL = ".partial"

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many rows are done, and how many there are."""
Opening = Callable[[Path], AbstractAsyncContextManager[IO[bytes]]]
"""Makes a new file, which is on the disk when the `with` has ended well."""
Source = Path | IO[bytes]
"""Where an archive is read: by its path, or out of a file that is open already."""


class ArchiveError(Exception):
    """A file that is no archive of a network, or is damaged; nothing came of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table in the archive: its number of rows, and the SHA-256 of its lines."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds: which network in which version, from when, and its tables."""

    network: str
    version: int
    hash: str
    at: str
    tables: Mapping[str, Part]
    files: Mapping[str, int] = field(default_factory=dict)
    """The contents of uploaded files: their bytes by SHA-256."""
    key: str = ""
    """Which key its sealed values need (`Vault.key`); the key itself is in no archive."""

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(part.rows for part in self.tables.values())


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@asynccontextmanager
async def new_file(path: Path) -> AsyncIterator[IO[bytes]]:
    """Make a file that only its owner reads; it is on the disk when the `with` has ended well."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        await asyncio.to_thread(_settle, file)


def _settle(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


async def dump(tenant: Tenant, path: Path, *, progress: Progress = silent, opening: Opening = new_file) -> Manifest:
    """Write the network, as it is at one moment, into a new file at `path`, which `opening` makes.

    The file appears when everything is in it; `FileExistsError` when there is one.
    """
    unfinished = path.with_name(path.name + PARTIAL)
    await asyncio.to_thread(_refuse_existing, path)
    await asyncio.to_thread(unfinished.unlink, missing_ok=True)
    try:
        async with opening(unfinished) as file:
            manifest = await tenant.store.read(lambda tx: _zip(tx, tenant, file, progress), long=True)
        await asyncio.to_thread(_let_appear, unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return manifest


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise FileExistsError(say("There is a file at {path} already.", path=path))


def _let_appear(unfinished: Path, path: Path) -> None:
    unfinished.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _zip(tx: Tx, tenant: Tenant, file: IO[bytes], progress: Progress) -> Manifest:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        return await _write(tx, tenant, archive, progress)


async def _write(tx: Tx, tenant: Tenant, archive: zipfile.ZipFile, progress: Progress) -> Manifest:
    published, at = tenant.published, tenant.clock.now().isoformat()
    found = sheets(published)
    total = sum([await _count(tx, sheet.name) for sheet in found])
    parts: dict[str, Part] = {}
    tally = _Tally(progress, "rows", total)
    for sheet in found:
        with archive.open(f"{ROWS}{sheet.name}.jsonl", "w", force_zip64=True) as file:
            parts[sheet.name] = await _summed(tx, sheet, tally, file)
    row = await tx.row('SELECT "files" FROM "_definition" WHERE "version" = ?', [published.version])
    for name, text in json.loads(row[0] if row else "{}").items():
        archive.writestr(DEFINITIONS + name, text.encode("utf-8", "surrogateescape"))
    files = {row[0]: int(row[1]) for row in await tx.rows('SELECT "sha", "size" FROM "_file" ORDER BY "sha"')}
    for sha in files:
        await tx.aside(partial(_put, archive, tenant.contents.path(sha), sha))
    manifest = Manifest(tenant.name, published.version, published.hash, at, parts, files, tenant.vault.key)
    archive.writestr(MANIFEST, json.dumps({"format": FORMAT, **asdict(manifest)}, indent=2))
    return manifest


def _put(archive: zipfile.ZipFile, path: Path, sha: str) -> None:
    try:
        archive.write(path, FILES + sha, zipfile.ZIP_STORED)
    except FileNotFoundError as error:
        raise ArchiveError(say("A file is missing on the disk: {sha}.", sha=sha)) from error


async def _count(tx: Tx, table: str) -> int:
    row = await tx.row(f"SELECT count(*) FROM {quoted(table)}")  # noqa: S608 - a quoted name
    return int(row[0]) if row else 0


@dataclass(slots=True)
class _Tally:
    """Counts rows and tells how many there are."""

    progress: Progress
    what: str
    total: int
    done: int = 0

    def add(self, rows: int) -> None:
        self.done += rows
        self.progress(self.what, self.done, self.total)


async def _summed(tx: Tx, sheet: Sheet, tally: _Tally, file: IO[bytes] | None = None) -> Part:
    """Write a sheet's lines (None: only count and sum them up)."""
    digest, rows = hashlib.sha256(), 0

    def take(page: Sequence[Row]) -> None:
        lines = b"".join(_line(sheet.plain(row)) for row in page)
        digest.update(lines)
        if file is not None:
            file.write(lines)

    async for page in sheet.pages(tx):
        await tx.aside(partial(take, page))
        rows += len(page)
        tally.add(len(page))
    return Part(rows, digest.hexdigest())


def _line(row: Mapping[str, Any]) -> bytes:
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass") + b"\n"


def read_manifest(source: Source) -> Manifest:
    """Return what an archive says of itself; `ArchiveError` when it is none."""
    try:
        with zipfile.ZipFile(source) as archive:
            said = json.loads(archive.read(MANIFEST))
        if said.pop("format") != FORMAT:
            raise ArchiveError(say("{path} is an archive of another version of Maille.", path=_called(source)))
        parts = {name: Part(**part) for name, part in said.pop("tables").items()}
        return Manifest(**said, tables=parts)
    except (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError) as error:
        raise ArchiveError(say("{path} is no archive of a network.", path=_called(source))) from error


def _called(source: Source) -> str:
    """Return what a source is called where people read it."""
    return str(source) if isinstance(source, Path) else say("This file")


async def restore(source: Source, target: Home, name: str, *, progress: Progress = silent) -> Manifest:
    """Make the network of an archive at `target`; it appears there when all is in it and the sums agree.

    `ArchiveError` for a damaged archive, `DefinitionError` when this Maille does not understand its definitions any
    more, `FileExistsError` when there is a network already.
    """
    manifest = await asyncio.to_thread(read_manifest, source)
    if await exists(target):
        raise FileExistsError(say("There is a network at {place} already.", place=target))
    await asyncio.to_thread(_check, source, manifest)
    making = place(target)
    await clear(making)
    tenant = await create_empty(making, name)
    try:
        await asyncio.to_thread(_take_files, tenant.contents, source, manifest)
        await _fill(tenant, source, manifest, progress)
    except BaseException:
        await tenant.close()
        await clear(making)
        raise
    await tenant.close()
    await rename_store(making, target)
    return manifest


async def _fill(tenant: Tenant, source: Source, manifest: Manifest, progress: Progress) -> None:
    network = await asyncio.to_thread(_network, source)
    published = make_published(manifest.version, manifest.hash, network, tenant.store.engine)
    found = sheets(published)
    unknown = manifest.tables.keys() - {sheet.name for sheet in found} - LEFT_OUT  # older archives have tokens
    if unknown:
        raise ArchiveError(
            say("{path} has a table that this Maille does not know: {table}.", path=_called(source), table=min(unknown))
        )

    async def work(tx: Tx) -> None:
        await apply(tx, plan(None, network), published.context(tenant.clock.now()))
        tally = _Tally(progress, "rows", manifest.rows)
        with zipfile.ZipFile(source) as archive:
            for sheet in (one for one in found if one.name in manifest.tables):
                with closing(_rows(archive, sheet)) as rows:
                    while page := await tx.aside(partial(list[list[Any]], islice(rows, PAGE))):
                        await tx.run_many(sheet.insert(), page)
                        tally.add(len(page))

    await tenant.store.write(work, schema=True)
    await _verify(tenant, found, manifest, progress)


def _take_files(contents: Contents, source: Source, manifest: Manifest) -> None:
    """Keep the archive's files; each is what its hash says, or `ArchiveError`."""
    with zipfile.ZipFile(source) as archive:
        for sha in manifest.files:
            try:
                with archive.open(FILES + sha) as file:
                    contents.add(file, sha)
            except (KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
                raise ArchiveError(say("A file is not what was written: the archive is damaged.")) from error


def _network(source: Source) -> Network:
    with zipfile.ZipFile(source) as archive:
        texts = {name: archive.read(name) for name in archive.namelist() if name.startswith(DEFINITIONS)}
    files = {name.removeprefix(DEFINITIONS): text.decode("utf-8", "surrogateescape") for name, text in texts.items()}
    return accepted(files).network


def _check(source: Source, manifest: Manifest) -> None:
    """Raise `ArchiveError` unless every table has as many lines as were written, with the same sum."""
    with zipfile.ZipFile(source) as archive:
        for name, part in manifest.tables.items():
            digest, rows = hashlib.sha256(), 0
            try:
                with archive.open(f"{ROWS}{name}.jsonl") as file:
                    for line in file:
                        digest.update(line)
                        rows += 1
            except (KeyError, zipfile.BadZipFile, zlib.error) as error:
                raise ArchiveError(
                    say("The rows of {name} cannot be read: the archive is damaged.", name=name)
                ) from error
            if Part(rows, digest.hexdigest()) != part:
                raise ArchiveError(
                    say("The rows of {name} are not those that were written: the archive is damaged.", name=name)
                )


def _rows(archive: zipfile.ZipFile, sheet: Sheet) -> Generator[list[Any], None, None]:
    """Yield the rows of a sheet in stored forms."""
    with archive.open(f"{ROWS}{sheet.name}.jsonl") as file:
        for line in file:
            try:
                yield sheet.stored(json.loads(line.decode("utf-8", "surrogatepass")))
            except (KeyError, ValueError, TypeError) as error:
                raise ArchiveError(
                    say("A row of {name} does not fit its table: {reason}.", name=sheet.name, reason=error)
                ) from error


async def _verify(tenant: Tenant, found: list[Sheet], manifest: Manifest, progress: Progress) -> None:
    """Read back what was written: the same rows with the same sums, or it is not kept."""

    async def work(tx: Tx) -> None:
        tally = _Tally(progress, "verify", manifest.rows)
        for sheet in (one for one in found if one.name in manifest.tables):
            if await _summed(tx, sheet, tally) != manifest.tables[sheet.name]:
                raise ArchiveError(say("The rows of {name} did not come through as they were.", name=sheet.name))

    await tenant.store.read(work, long=True)
