"""The contents of uploaded files on disk: in a folder beside the network's store, each under its SHA-256.

Nothing there is ever changed. A content comes before the first row that names it and goes after the last one, so that a
crash leaves contents without rows (`models.uploads.collect` removes them), never rows without contents.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from models import pictures
from models.attachment import Attachment
from models.message import say
from models.sniffing import kind_of, plain_name
from models.store import StoreError
from models.values import ValueRefusedError

CHUNK = 1 << 18
SHA = re.compile(r"[0-9a-f]{64}")
_NEW, _GONE = ".new", ".gone"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large what is uploaded may be: a file in bytes, a picture in pixels."""

    size: int = 10 * 1024 * 1024
    pixels: int = 20_000_000

    @property
    def form(self) -> int:
        """The bytes of a whole form: room for a few files of the largest size."""
        return 4 * self.size + 1024**2


@dataclass(frozen=True, slots=True)
class Taken:
    """A content that was read and looked at, and has no place yet."""

    value: Attachment
    path: Path


@dataclass(frozen=True)
class Contents:
    """The contents of one network; `folder` None: the installation has no place for files."""

    folder: Path | None
    _drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), compare=False)

    @property
    def root(self) -> Path:
        """The folder; it need not be there."""
        if self.folder is None:
            raise StoreError(say("This installation has no folder for files."))
        return self.folder

    def path(self, sha: str) -> Path:
        """Return where a content is, or would be; `ValueError` for what is no hash."""
        if not SHA.fullmatch(sha):
            raise ValueError(sha)
        return self.root / sha[:2] / sha

    @asynccontextmanager
    async def taking(self, source: AsyncIterator[bytes], name: str, limits: Limits) -> AsyncIterator[Taken]:
        """Read a file part by part to the disk and find out what it is; what is not placed inside the `with` is gone.

        `ValueRefusedError` when it is too large or not of a kind that is taken. Pictures are written anew.
        """
        new = await asyncio.to_thread(self._new)
        try:
            await _receive(source, new, limits.size)
            kept = plain_name(name)
            kind = await asyncio.to_thread(kind_of, kept, new)
            type_ = kind.type
            if type_ in pictures.FORMATS:
                async with self._drawing:  # a decoded picture is large: one at a time
                    type_ = await asyncio.to_thread(pictures.rewrite, new, kind.type, pixels=limits.pixels)
                kept = kept if type_ == kind.type else f"{kept.rpartition('.')[0]}.png"
            sha, size = await asyncio.to_thread(_sealed, new)
            yield Taken(Attachment(name=kept, type=type_, size=size, sha=sha), new)
        finally:
            await asyncio.to_thread(new.unlink, missing_ok=True)

    def _new(self) -> Path:
        folder = self.root / _NEW
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / secrets.token_hex(16)

    async def place(self, taken: Taken) -> None:
        """Let a content be found under its hash; it is on the disk when this returns."""
        await asyncio.to_thread(_link, taken.path, self.path(taken.value.sha))

    async def small(self, sha: str) -> Path:
        """Return the small form of a picture, made when it is asked for the first time."""
        found = self.path(sha)
        small = found.with_name(f"{sha}.small")
        if not await asyncio.to_thread(small.exists):
            new = await asyncio.to_thread(self._new)
            try:
                async with self._drawing:
                    await asyncio.to_thread(pictures.shrink, found, new)
                await asyncio.to_thread(_link, new, small)
            finally:
                await asyncio.to_thread(new.unlink, missing_ok=True)
        return small

    def shas(self) -> Iterator[tuple[str, float]]:
        """Yield the hash of each content and when it was written (seconds since 1970)."""
        if self.folder is not None and self.folder.is_dir():
            for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
                if SHA.fullmatch(path.name):
                    yield path.name, path.stat().st_mtime

    def unfinished(self) -> Iterator[tuple[Path, float]]:
        """Yield what an upload that was broken off left, and when it was written."""
        if self.folder is not None:
            for path in (self.folder / _NEW).glob("*"):
                with suppress(FileNotFoundError):
                    yield path, path.stat().st_mtime

    def set_aside(self, sha: str) -> None:
        """Take a content from its place, so that it can be looked whether somebody named it meanwhile."""
        gone = self.root / _GONE
        gone.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            self.path(sha).rename(gone / sha)

    def aside(self) -> list[str]:
        """Return the hashes of the contents that were set aside."""
        return [] if self.folder is None else [path.name for path in (self.folder / _GONE).glob("*")]

    def settle(self, sha: str, *, wanted: bool) -> None:
        """Put what was set aside back to its place when it is wanted, else remove it for good."""
        aside, path = self.root / _GONE / sha, self.path(sha)
        if wanted and not path.exists():
            with suppress(FileNotFoundError):
                aside.rename(path)
        aside.unlink(missing_ok=True)
        if not wanted and not path.exists():
            path.with_name(f"{sha}.small").unlink(missing_ok=True)

    def add(self, source: IO[bytes], sha: str) -> None:
        """Keep a content of which the hash is known; `ValueError` when it has another one."""
        new = self._new()
        try:
            with new.open("wb") as file:
                shutil.copyfileobj(source, file, CHUNK)
            if _sealed(new)[0] != sha:
                raise ValueError(sha)
            _link(new, self.path(sha))
        finally:
            new.unlink(missing_ok=True)


async def _receive(source: AsyncIterator[bytes], to: Path, most: int) -> None:
    """Write what comes to a new file; `ValueRefusedError` as soon as it is more than `most` bytes, or for nothing."""
    size = 0
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        async for part in source:
            size += len(part)
            if size > most:
                raise ValueRefusedError(say("This file is larger than {count} MB.", count=most // 1024**2))
            await asyncio.to_thread(file.write, part)
    if not size:
        raise ValueRefusedError(say("This file is empty."))


def _sealed(path: Path) -> tuple[str, int]:
    """Return a file's hash and size, once it is on the disk."""
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return sha, path.stat().st_size


def _link(new: Path, to: Path) -> None:
    to.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        to.hardlink_to(new)
    descriptor = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bring(source: Path, target: Path) -> None:
    """Let the contents of a folder be in another one too (contents never change: they are linked where that works)."""
    for path in source.glob("[0-9a-f][0-9a-f]/*"):
        to = target / path.parent.name / path.name
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            try:
                to.hardlink_to(path)
            except OSError as error:
                if isinstance(error, FileExistsError):
                    raise
                shutil.copy2(path, to)


def damaged(folder: Path | None, shas: Iterable[str]) -> list[str]:
    """Return those of the contents that are not in the folder, or are there with another hash."""
    contents = Contents(folder)
    return [sha for sha in shas if not _whole(contents.path(sha), sha)]


def _whole(path: Path, sha: str) -> bool:
    try:
        return _sealed(path)[0] == sha
    except FileNotFoundError:
        return False
