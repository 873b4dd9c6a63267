"""Fixtures of the tests about rights."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.clock import SetClock
from models.tenant import open_tenant
from tests.homes import Homes
from tests.models.office import OFFICE, Office, hire
from tests.prepared import prepare


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """The office in a home of its own."""
    prepared = await prepare(homes("office"), "office", OFFICE, clock, hire)
    tenant = await open_tenant(homes("office"), "office", clock=clock, new_id=prepared.new_ids())
    yield Office(tenant, dict(prepared.made))
    await tenant.close()
