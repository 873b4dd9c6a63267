"""Fixtures of the tests about rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.clock import SetClock
from models.tenant import create_tenant
from tests.models.office import OFFICE, Office, fill
from tests.networks import counting_ids


@pytest.fixture
async def office(tmp_path: Path, clock: SetClock) -> AsyncIterator[Office]:
    """The office on a file of its own."""
    tenant = await create_tenant(tmp_path / "office.sqlite", "office", files=OFFICE, clock=clock, new_id=counting_ids())
    yield await fill(tenant)
    await tenant.close()
