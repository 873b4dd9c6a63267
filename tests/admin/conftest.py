"""Fixtures of the tests through HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.clock import SetClock
from tests.admin.office import Office, office_of


@pytest.fixture
async def office(tmp_path: Path, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the small network."""
    async with office_of(tmp_path, clock) as opened:
        yield opened
