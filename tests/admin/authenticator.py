"""An authenticator made of software: what a phone does with passkeys, and what a forger would like to."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def _new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@dataclass
class Authenticator:
    """One passkey, made by `create`; `counter` goes up with each use."""

    id: bytes = b"a passkey of the tests"
    key: EllipticCurvePrivateKey = field(default_factory=_new_key)
    counter: int = 0

    def create(self, options: Mapping[str, Any], origin: str) -> str:
        """Return the answer to the question for a new passkey."""
        self.id = hashlib.sha256(options["challenge"].encode()).digest()[:20]
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(options["rp"]["id"], PRESENT | VERIFIED | ATTESTED) + attested
        said = _client_data("webauthn.create", options["challenge"], origin)
        return self._answer(
            clientDataJSON=said, attestationObject=cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        )

    def get(
        self,
        options: Mapping[str, Any],
        origin: str,
        *,
        verified: bool = True,
        counter: int | None = None,
        challenge: str | None = None,
        host: str | None = None,
        forged: bool = False,
    ) -> str:
        """Return the answer to a question at sign-in, or one that is wrong in one way."""
        self.counter = self.counter + 1 if counter is None else counter
        data = self._data(host or options["rpId"], PRESENT | (VERIFIED if verified else 0))
        said = _client_data("webauthn.get", challenge or options["challenge"], origin)
        key = _new_key() if forged else self.key
        signature = key.sign(data + hashlib.sha256(said).digest(), ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=data, signature=signature)

    def _data(self, host: str, flags: int) -> bytes:
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.id)
        parts = {key: bytes_to_base64url(value) for key, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": parts})


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()
