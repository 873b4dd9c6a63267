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
from definitions.pack import load
from definitions.problems import DefinitionError, Problem
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
    problems: tuple[Problem, ...] = ()
    """What this Maille would refuse to publish; an earlier one published it, and so it runs."""

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


@dataclass(frozen=True, slots=True)
class Accepted:
    """Definitions that were published: their network, and the rules of this Maille that they break."""

    network: Network
    problems: tuple[Problem, ...]


def accepted(files: Mapping[str, str]) -> Accepted:
    """Return what was published from its files, by this Maille or an earlier one.

    Rules that came since are told and stop nothing; `DefinitionError` when a file is not understood at all, since what
    would be left out of it may be a guard.
    """
    loaded = load(files)
    if loaded.whole is None:
        raise DefinitionError(loaded.errors)
    return Accepted(loaded.whole, loaded.errors)


def hash_files(files: Mapping[str, str]) -> str:
    """Return the hash of a pack's files, the same whatever their order."""
    text = json.dumps(files, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
