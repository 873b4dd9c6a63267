"""One published version of a network, ready to use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from piccolo.engine.base import Engine

from definitions.expr.expression import Context
from definitions.spec.network import Network
from models.access import Access
from models.calendar import OfficeCalendar
from models.readings import Readings
from models.sealed import Safe
from models.tables import Tables


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """A version: its number (from 1), the hash of its files, and what was made of them."""

    version: int
    hash: str
    network: Network
    tables: Tables
    access: Access
    timezone: ZoneInfo
    calendar: OfficeCalendar
    readings: Readings | None = None
    """Where is noted who reads personal data; None where nobody does (a version that is only looked at)."""

    def context(self, now: datetime) -> Context:
        """Return what expressions take from outside the record, at this time."""
        return Context(now, self.timezone, self.calendar)


def make_published(
    version: int,
    digest: str,
    network: Network,
    engine: Engine[Any],
    readings: Readings | None = None,
    safe: Safe | None = None,
) -> Published:
    """Return a network as a published version; with `readings`, what is read of it is noted there.

    `safe` has the keys of what is encrypted.
    """
    timezone = ZoneInfo(network.timezone)
    tables = Tables(network, engine, safe)
    calendar = OfficeCalendar(network.calendar, timezone)
    return Published(version, digest, network, tables, Access(network), timezone, calendar, readings)


def hash_files(files: Mapping[str, str]) -> str:
    """Return the hash of a pack's files, the same whatever their order."""
    text = json.dumps(files, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
