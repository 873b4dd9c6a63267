"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.clock import SetClock
from models.tenant import Tenant, open_tenant
from tests.browser.chromium import leave_out, pytest_terminal_summary
from tests.homes import Homes, homes_of, pytest_configure, pytest_unconfigure, start_postgres
from tests.networks import SMALL
from tests.prepared import prepare
from tests.running import longest_first, pytest_collection_finish

__all__ = [
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_terminal_summary",
    "pytest_unconfigure",
]

os.environ["MAILLE_LANGUAGE"] = "en"  # the command line speaks English to the tests, whoever runs them
os.environ["MAILLE_CACHE"] = "off"  # what is checked by tests is checked

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
"""A Monday, noon in Paris."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what runs, and in which order."""
    leave_out(config, items)
    longest_first(items)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One process more than there are processors: a test waits for its browser, its database or a server of its own."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at noon of a Monday in Paris."""
    return SetClock(NOON)


@pytest.fixture(scope="session")
def postgres() -> str:
    """The address of a PostgreSQL that all workers of the test session share."""
    return start_postgres()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def homes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Homes]:
    """Where the networks of a test live; a test that asks for it runs on both databases (`make quick`: on SQLite)."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    async with homes_of(tmp_path, url) as found:
        yield found


@pytest.fixture
async def tenant(homes: Homes, clock: SetClock) -> AsyncIterator[Tenant]:
    """The network `tests.networks.SMALL` in a home of its own, with ids that count."""
    prepared = await prepare(homes("small"), "small", SMALL, clock)
    opened = await open_tenant(homes("small"), "small", clock=clock, new_id=prepared.new_ids())
    yield opened
    await opened.close()
