"""Networks that are told about, and how what is told is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

from admin.formats import Formats
from admin.manual.book import manual
from admin.manual.telling import Telling
from admin.parts.reader import Reader
from definitions.pack import load, read_folder
from definitions.spec.network import Network

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PACKS = ("definitions/packs/suivi", "docs/examples/toolshed", "docs/examples/workshop", "tests/packs/joining")


@cache
def network(pack: str) -> Network:
    """Return the network of a pack of the repository."""
    found = load(read_folder(ROOT / pack)).network
    assert found is not None
    return found


def written(files: Mapping[str, str]) -> Network:
    """Return the network of files."""
    loaded = load(files)
    assert loaded.network is not None, loaded.problems
    return loaded.network


def telling(of: Network, language: str = "en") -> Telling:
    """Return who tells of a network."""
    return Telling(Reader(of, Formats(language, ZoneInfo(of.timezone), of.currency, NOW)))


def book(of: Network, language: str = "en") -> str:
    """Return the manual of a network."""
    return manual(of, language, now=NOW)


def plain(html: str) -> str:
    """Return HTML as it is read: names between stars, quotations in quotation marks, code in backticks."""
    marks = {"em": "*", "q": '"', "code": "`"}
    text = re.sub(r"</?(em|q|code)>", lambda found: marks[found[1]], html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())
