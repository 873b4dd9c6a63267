"""What the environment says about this installation."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """The folder of networks, the way out for mail (None: mails wait), the signing secret and the public address."""

    data: Path
    smtp_url: str | None = None
    secret: str = ""
    public_url: str | None = None

    def signing_key(self) -> bytes:
        """Return the secret; without `MAILLE_SECRET` one is drawn once and kept beside the networks, readable by us."""
        if self.secret:
            return self.secret.encode()
        self.data.mkdir(parents=True, exist_ok=True)
        path = self.data / ".secret"
        try:
            with path.open("x", encoding="ascii") as file:
                path.chmod(0o600)
                file.write(secrets.token_hex(32))
        except FileExistsError:
            pass
        return path.read_bytes()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `MAILLE_DATA`, `SMTP_URL`, `MAILLE_SECRET` and `MAILLE_PUBLIC_URL`."""
    return Settings(
        data=Path(environment.get("MAILLE_DATA", "data")),
        smtp_url=environment.get("SMTP_URL") or None,
        secret=environment.get("MAILLE_SECRET", ""),
        public_url=(environment.get("MAILLE_PUBLIC_URL") or "").rstrip("/") or None,
    )
