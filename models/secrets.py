"""What only the system may know, sealed before it is stored: a copy of the store alone opens none of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.errors import RefusedError
from models.message import say

SHORTEST = 16
"""So many bytes a secret has at least to seal with: a shorter one could be guessed."""
_NONCE = 12


class SealedError(Exception):
    """What was sealed cannot be opened: by a key that is gone, for something else, or it was changed."""


class Vault:
    """Seals and opens texts (AES-256-GCM) with keys made of the installation's secrets.

    The first secret seals; the others, which came before it, still open. What is sealed begins with its key's id and
    holds for one purpose only.
    """

    def __init__(self, secrets: Callable[[], Sequence[bytes]]) -> None:
        """Keep where the secrets come from; they are asked for once, when the first is needed."""
        self._secrets = secrets

    @cached_property
    def _keys(self) -> dict[str, AESGCM]:
        """The keys by id, the one that seals first."""
        return {_derived(secret, b"key id", 4).hex(): AESGCM(_derived(secret, b"seal", 32)) for secret in self._all}

    @cached_property
    def _all(self) -> tuple[bytes, ...]:
        return tuple(self._secrets())

    @property
    def key(self) -> str:
        """The id of the key that seals: what is sealed begins with it, and it tells nothing of the key."""
        return next(iter(self._keys))

    def has(self, key: str) -> bool:
        """Whether it opens what was sealed with the key of that id."""
        return key in self._keys

    def seal(self, text: str, purpose: str) -> str:
        """Return the text, sealed for `purpose`; `RefusedError` when the installation's secret is too short."""
        if len(self._all[0]) < SHORTEST:
            raise RefusedError(
                say("The server's secret is too short to keep this safe: {n} characters at least.", n=SHORTEST)
            )
        name, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE)
        body = nonce + key.encrypt(nonce, text.encode(), purpose.encode())
        return f"{name}.{base64.urlsafe_b64encode(body).decode()}"

    def open(self, sealed: str, purpose: str) -> str:
        """Return the text that was sealed for `purpose`; `SealedError`."""
        name, _, body = sealed.partition(".")
        key = self._keys.get(name)
        if key is None:
            raise SealedError(f"sealed with the key {name}, which is not known")
        try:
            raw = base64.urlsafe_b64decode(body)
            return key.decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealedError(f"not sealed for {purpose}, or changed since") from None

    def mark(self, text: str, purpose: str) -> str:
        """Return what shows that this installation wrote the text, for one purpose."""
        return _mark(self._marking[0], text, purpose)

    def marked(self, text: str, purpose: str, mark: str | None, *, length: int | None = None) -> bool:
        """Whether one of the installation's secrets made the mark, of which `length` letters are shown (all)."""
        given = (mark or "").encode("utf-8", "replace")
        return any(hmac.compare_digest(_mark(key, text, purpose)[:length].encode(), given) for key in self._marking)

    @cached_property
    def _marking(self) -> tuple[bytes, ...]:
        return tuple(_derived(secret, b"mark", 32) for secret in self._all)


CLOSED = Vault(lambda: (b"",))
"""What stands in for a vault where nobody gave the installation's secrets: it seals nothing and opens nothing."""


def _derived(secret: bytes, what: bytes, length: int) -> bytes:
    """Return `length` bytes made of the secret for one use; nothing of the secret or of other uses follows from it."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"maille " + what).derive(secret)


def _mark(key: bytes, text: str, purpose: str) -> str:
    return hmac.new(key, f"{purpose}\x1f{text}".encode(), hashlib.sha256).hexdigest()
