"""Fixtures of the tests about rights."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from models.tenant import create_tenant
from tests.homes import Homes
from tests.models.office import OFFICE, Office, fill
from tests.networks import counting_ids


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The office in a home of its own."""
    tenant = await create_tenant(homes("office"), "office", files=OFFICE, clock=clock, new_id=counting_ids())
    yield await fill(tenant)
    await tenant.close()
