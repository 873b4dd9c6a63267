"""What the environment says about this installation."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

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


def _kept(text: str) -> timedelta:
    found = span_of(text)
    if found is None:
        raise ValueError(f"MAILLE_BACKUP_KEEP is no span of time such as 30d: {text!r}")
    return found


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `MAILLE_DATA`, `SMTP_URL`, `MAILLE_SECRET`, `MAILLE_PUBLIC_URL`, `DATABASE_URL`.

    `DATABASE_DIRECT_URL` is the database itself where the one before is PgBouncer in transaction mode.
    `MAILLE_SCHEMA_PREFIX` lets installations share a database; `MAILLE_WORKERS=off` leaves the outbox to
    `maille worker`. `MAILLE_OPEN_NETWORKS` is how many networks are kept open. `MAILLE_SECRET_BEFORE` holds
    earlier secrets, with spaces between them. `MAILLE_FILES` is where uploaded files are kept for networks on
    PostgreSQL (on SQLite they are beside them), `MAILLE_FILE_BYTES` and `MAILLE_PICTURE_PIXELS` how large they
    may be. `MAILLE_RATES` says how many requests may be made (`models.limits`),
    `MAILLE_PROCESSES` among how many servers that is divided. `MAILLE_HOSTS` are the names under
    which the server is asked for; those of a public address over TLS are known without. `MAILLE_PROVIDERS=inside` lets
    networks have providers of OpenID Connect in private networks, and over plain HTTP.
    `MAILLE_LOG` is `lines` or `json`, `MAILLE_LOG_LEVEL` what is written at least. `MAILLE_METRICS_TOKEN` opens
    `/metrics`, as do the addresses and networks of `MAILLE_METRICS_FROM`; `MAILLE_METRICS_NETWORKS=on` has each
    network's figures apart, by name.
    `MAILLE_SMS_URL` is the provider of text messages (None: they wait), `MAILLE_SMS_TOKEN` its bearer,
    `MAILLE_SMS_SECRET` (`whsec_…`) what calls are signed with, `MAILLE_SMS_FROM` who they come from.
    `MAILLE_BACKUPS` is the folder that a server writes backups into each day at `MAILLE_BACKUP_AT` (03:15, UTC), sealed
    to `MAILLE_BACKUP_KEYS` (with spaces between them), and keeps for `MAILLE_BACKUP_KEEP` (30d).
    """
    return Settings(
        data=Path(environment.get("MAILLE_DATA", "data")),
        smtp_url=environment.get("SMTP_URL") or None,
        secret=environment.get("MAILLE_SECRET", ""),
        public_url=(environment.get("MAILLE_PUBLIC_URL") or "").rstrip("/") or None,
        database_url=environment.get("DATABASE_URL") or None,
        direct_url=environment.get("DATABASE_DIRECT_URL") or None,
        schema_prefix=environment.get("MAILLE_SCHEMA_PREFIX", ""),
        works=environment.get("MAILLE_WORKERS", "on") != "off",
        open_networks=int(environment.get("MAILLE_OPEN_NETWORKS") or OPEN),
        secrets_before=tuple(environment.get("MAILLE_SECRET_BEFORE", "").split()),
        hosts=tuple(environment.get("MAILLE_HOSTS", "").split()),
        files=Path(environment["MAILLE_FILES"]) if environment.get("MAILLE_FILES") else None,
        rates=environment.get("MAILLE_RATES", ""),
        inside=environment.get("MAILLE_PROVIDERS", "") == "inside",
        sms_url=environment.get("MAILLE_SMS_URL") or None,
        sms_token=environment.get("MAILLE_SMS_TOKEN", ""),
        sms_secret=environment.get("MAILLE_SMS_SECRET", ""),
        sms_from=environment.get("MAILLE_SMS_FROM", ""),
        log=environment.get("MAILLE_LOG") or "lines",
        log_level=environment.get("MAILLE_LOG_LEVEL") or "info",
        metrics_token=environment.get("MAILLE_METRICS_TOKEN", ""),
        metrics_from=tuple(environment.get("MAILLE_METRICS_FROM", "").split()),
        metrics_networks=environment.get("MAILLE_METRICS_NETWORKS") == "on",
        processes=int(environment.get("MAILLE_PROCESSES") or 1),
        backups=Path(environment["MAILLE_BACKUPS"]) if environment.get("MAILLE_BACKUPS") else None,
        backup_keys=tuple(environment.get("MAILLE_BACKUP_KEYS", "").split()),
        backup_keep=_kept(environment.get("MAILLE_BACKUP_KEEP") or "30d"),
        backup_at=time.fromisoformat(environment.get("MAILLE_BACKUP_AT") or "03:15"),
        limits=Limits(
            size=int(environment.get("MAILLE_FILE_BYTES") or Limits().size),
            pixels=int(environment.get("MAILLE_PICTURE_PIXELS") or Limits().pixels),
        ),
    )
