"""What the environment says about this installation."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from admin.variables import Variable, fields_of
from definitions.duration import Duration, parse_duration
from models.address import Pooled
from models.contents import Limits
from models.stores import Homes, Schemas

LOCAL = ("localhost", "127.0.0.1", "::1")
"""What the machine itself calls the server."""
OPEN = 256
"""So many networks are kept open: less than a megabyte each."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The folder of networks, the way out for mail (None: mails wait), the signing secret and the public address.

    With `database_url` the networks are schemas of that PostgreSQL database instead of files in the folder, each called
    like the network with `schema_prefix` before it; `direct_url` is the database itself where that is a pooler.
    `works` False leaves what is due to processes of its own (`maille worker`). Of more than `open_networks` those rest
    that were used least lately. `secrets_before` still open what they sealed, since `secret` took their place.
    """

    data: Path
    smtp_url: str | None = None
    secret: str = ""
    public_url: str | None = None
    database_url: str | None = None
    direct_url: str | None = None
    schema_prefix: str = ""
    works: bool = True
    open_networks: int = OPEN
    secrets_before: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    files: Path | None = None
    limits: Limits = field(default_factory=Limits)
    rates: str = ""
    processes: int = 1
    inside: bool = False
    sms_url: str | None = None
    sms_token: str = field(default="", repr=False)
    sms_secret: str = field(default="", repr=False)
    sms_from: str = ""
    log: str = "lines"
    log_level: str = "info"
    metrics_token: str = field(default="", repr=False)
    metrics_from: tuple[str, ...] = ()
    metrics_networks: bool = False
    backups: Path | None = None
    backup_keys: tuple[str, ...] = ()
    backup_keep: timedelta = timedelta(days=30)
    backup_at: time = time(3, 15)

    @property
    def homes(self) -> Homes:
        """Where the networks live."""
        if self.database_url is None:
            return self.data
        address = self.database_url if self.direct_url is None else Pooled(self.database_url, self.direct_url)
        return Schemas(address, self.schema_prefix, self.files or self.data)

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """What requests may call this server: `hosts`, or the host of a public address over TLS; () for anything."""
        if self.hosts or self.public_url is None or not self.public_url.startswith("https://"):
            return self.hosts
        return (urlsplit(self.public_url).hostname or "", *LOCAL)

    def sealing_keys(self) -> tuple[bytes, ...]:
        """Return the secrets that the networks' vaults are made of: the present one, then those before it."""
        return (self.signing_key(), *(secret.encode() for secret in self.secrets_before))

    @property
    def has_key(self) -> bool:
        """Whether there is a secret, so that asking for it draws none."""
        path = self.data / ".secret"
        return bool(self.secret) or (path.exists() and path.stat().st_size > 0)

    def signing_key(self) -> bytes:
        """Return the secret; without `MAILLE_SECRET` one is drawn once and kept beside the networks, readable by us."""
        if self.secret:
            return self.secret.encode()
        self.data.mkdir(parents=True, exist_ok=True)
        path = self.data / ".secret"
        if not path.exists() or not path.read_bytes():
            _draw(path)
        return path.read_bytes()


def _draw(path: Path) -> None:
    """Draw a secret into a file, which is there in full or not at all; the first of several wins."""
    with NamedTemporaryFile("w", encoding="ascii", dir=path.parent, prefix=".secret-") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
        if path.exists() and not path.read_bytes():
            path.unlink()
        with suppress(FileExistsError):
            path.hardlink_to(file.name)


def span_of(text: str) -> timedelta | None:
    """Return the span of time that a text says in days, hours, weeks and the like; None for none."""
    found = parse_duration(text)
    return None if found is None or found != Duration(exact=found.exact) else found.exact


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _flag(word: str) -> Callable[[str], bool]:
    return lambda text: text == word


def _kept(text: str) -> timedelta:
    found = span_of(text)
    if found is None:
        raise ValueError(text)
    return found


VARIABLES = (
    Variable("MAILLE_DATA", "data", Path),
    Variable("SMTP_URL", "smtp_url"),
    Variable("MAILLE_SECRET", "secret"),
    Variable("MAILLE_SECRET_BEFORE", "secrets_before", _words),
    Variable("MAILLE_PUBLIC_URL", "public_url", lambda text: text.rstrip("/")),
    Variable("DATABASE_URL", "database_url"),
    Variable("DATABASE_DIRECT_URL", "direct_url"),
    Variable("MAILLE_SCHEMA_PREFIX", "schema_prefix"),
    Variable("MAILLE_WORKERS", "works", lambda text: text != "off"),
    Variable("MAILLE_OPEN_NETWORKS", "open_networks", int, "256"),
    Variable("MAILLE_PROCESSES", "processes", int, "2"),
    Variable("MAILLE_HOSTS", "hosts", _words),
    Variable("MAILLE_FILES", "files", Path),
    Variable("MAILLE_RATES", "rates"),
    Variable("MAILLE_PROVIDERS", "inside", _flag("inside")),
    Variable("MAILLE_SMS_URL", "sms_url"),
    Variable("MAILLE_SMS_TOKEN", "sms_token"),
    Variable("MAILLE_SMS_SECRET", "sms_secret"),
    Variable("MAILLE_SMS_FROM", "sms_from"),
    Variable("MAILLE_LOG", "log"),
    Variable("MAILLE_LOG_LEVEL", "log_level"),
    Variable("MAILLE_METRICS_TOKEN", "metrics_token"),
    Variable("MAILLE_METRICS_FROM", "metrics_from", _words),
    Variable("MAILLE_METRICS_NETWORKS", "metrics_networks", _flag("on")),
    Variable("MAILLE_BACKUPS", "backups", Path),
    Variable("MAILLE_BACKUP_KEYS", "backup_keys", _words),
    Variable("MAILLE_BACKUP_KEEP", "backup_keep", _kept, "30d"),
    Variable("MAILLE_BACKUP_AT", "backup_at", time.fromisoformat, "03:15"),
)
"""What each says is told in docs/operations.md and docs/operations/; one that is missing or empty says nothing."""

LIMITS = (
    Variable("MAILLE_FILE_BYTES", "size", int, "20000000"),
    Variable("MAILLE_PICTURE_PIXELS", "pixels", int, "40000000"),
)
"""Those of `models.contents.Limits`."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that an environment says in `VARIABLES` and `LIMITS`; raises `SettingError`."""
    said = {"data": Path("data"), **fields_of(VARIABLES, environment)}
    return Settings(**said, limits=Limits(**fields_of(LIMITS, environment)))
