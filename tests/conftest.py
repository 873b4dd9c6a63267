"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.clock import SetClock
from models.tenant import Tenant, create_tenant
from tests.browser.chromium import pytest_collection_modifyitems, pytest_terminal_summary
from tests.networks import SMALL, counting_ids

__all__ = ["pytest_collection_modifyitems", "pytest_terminal_summary"]

NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
"""A Monday, noon in Paris."""


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at noon of a Monday in Paris."""
    return SetClock(NOON)


@pytest.fixture
async def tenant(tmp_path: Path, clock: SetClock) -> AsyncIterator[Tenant]:
    """The network `tests.networks.SMALL` on a file of its own, with ids that count."""
    opened = await create_tenant(tmp_path / "small.sqlite", "small", files=SMALL, clock=clock, new_id=counting_ids())
    yield opened
    await opened.close()
