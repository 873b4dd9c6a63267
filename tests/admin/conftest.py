"""Fixtures of the tests through HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from tests.admin.office import Office, office_of
from tests.homes import Homes


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the small network."""
    async with office_of(homes, clock) as opened:
        yield opened
