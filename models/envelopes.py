"""Files that only the owners of a key can read (age's format): written in one go, never in the clear on a disk.

A file is sealed to public keys (`age1…`), so that who writes it need not be able to read it. Its pieces of 64 KB are
authenticated each; nothing is believed before the whole file was found to be as it was written.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

import pyrage  # type: ignore[import-untyped] # it has no types

from models.message import say
from models.store import StoreError

Recipient = Any
"""A public key; the library has no types."""
Identity = Any
"""A secret key."""

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - how the line of a key begins
_NOT_FOR_US = "No matching keys"
"""How the library says that a file was sealed to other keys; a test reads it."""


class EnvelopeError(StoreError):
    """A sealed file or a key of one cannot be used: it is another's, damaged, or none at all."""


def recipients_of(texts: Iterable[str]) -> tuple[Recipient, ...]:
    """Return the public keys that were written down; `EnvelopeError` for what is none."""
    return tuple(map(_recipient, texts))


def _recipient(text: str) -> Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        hint = say("a secret key stands where a public one belongs") if text.startswith(_SECRET) else text[:70]
        raise EnvelopeError(say("This is no public key (age1…): {text}.", text=hint)) from error


def identities_of(text: str) -> tuple[Identity, ...]:
    """Return the secret keys of a file of keys (a line each, `#` begins a remark); `EnvelopeError` without one."""
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    try:
        keys = tuple(map(pyrage.x25519.Identity.from_str, found))
    except pyrage.IdentityError as error:
        raise EnvelopeError(say("This is no file of secret keys: a line is no AGE-SECRET-KEY-1….")) from error
    if not keys:
        raise EnvelopeError(say("There is no secret key in this file."))
    return keys


def fresh() -> Identity:
    """Return a new secret key; `to_public()` is what to seal to, its text what opens it."""
    return pyrage.x25519.Identity.generate()


@asynccontextmanager
async def sealing(path: Path, recipients: Sequence[Recipient]) -> AsyncIterator[IO[bytes]]:
    """Yield what is written to from any thread; the sealed file is on the disk when the `with` has ended well.

    It is new and its owner's alone; `FileExistsError` where there is one. When the `with` ends badly, what lies there
    is no whole file; whoever made it removes it.
    """
    with _new(path) as target:  # at once: a thread would go on when nobody waits for it any more
        cipher = _Cipher(target, recipients)
        try:
            yield cipher.pipe
        except BaseException:
            await asyncio.to_thread(cipher.end)
            if cipher.error is not None:  # it says more than that nobody reads the pipe any more
                raise cipher.error from None
            raise
        await asyncio.to_thread(cipher.finish)


def _new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


class _Cipher:
    """Seals what is written into `pipe`, in a thread of its own, and keeps what went wrong there."""

    def __init__(self, target: IO[bytes], recipients: Sequence[Recipient]) -> None:
        reading, writing = os.pipe()
        self.pipe: IO[bytes] = os.fdopen(writing, "wb")
        self.target = target
        self.error: Exception | None = None
        self._thread = Thread(target=self._run, args=(reading, list(recipients)), name="sealing")
        self._thread.start()

    def _run(self, reading: int, recipients: list[Recipient]) -> None:
        try:
            with os.fdopen(reading, "rb") as source:
                pyrage.encrypt_io(source, self, recipients)
        except Exception as error:  # noqa: BLE001 - it is raised again where the file was asked for
            self.error = self.error or error

    def write(self, part: bytes) -> int:
        """Write a sealed part; what the disk says is kept as it is."""
        try:
            return self.target.write(part)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Write what waits."""
        self.target.flush()

    def end(self) -> None:
        """Take no more, and wait until the thread is over."""
        with suppress(BrokenPipeError):
            self.pipe.close()
        self._thread.join()

    def finish(self) -> None:
        """Wait until everything is sealed and on the disk; raise what went wrong."""
        self.end()
        if self.error is not None:
            raise self.error
        self.target.flush()
        os.fsync(self.target.fileno())


@asynccontextmanager
async def opened(path: Path, identities: Sequence[Identity], folder: Path) -> AsyncIterator[IO[bytes]]:
    """Yield what is in a sealed file, in full, out of a file without a name in `folder` (whatever happens, it goes).

    `EnvelopeError` when none of the keys opens it, or when it is not in every byte as it was written.
    """
    with tempfile.TemporaryFile(dir=folder) as plain:
        await asyncio.to_thread(_open, path, list(identities), plain)
        yield plain


def _open(path: Path, identities: list[Identity], plain: IO[bytes]) -> None:
    try:
        with path.open("rb") as source:
            pyrage.decrypt_io(source, plain, identities)
    except (pyrage.DecryptError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's, not the cipher's
            raise
        said = say("{path} is damaged, or no backup: nothing was read from it.", path=path)
        if _NOT_FOR_US in str(error):
            said = say("{path} was sealed to other keys than the one that was given.", path=path)
        raise EnvelopeError(said) from error
    plain.flush()
    plain.seek(0)
