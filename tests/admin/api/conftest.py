"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from models.clock import SetClock
from tests.admin.api.living import IMPORTING
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, DIANE, LEADER, Office, office_of
from tests.homes import Homes


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    """A server over the small network, whose distributors may import."""
    async with office_of(homes, clock, IMPORTING) as opened:
        yield opened


@pytest.fixture
async def camille(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A program of a distributor."""
    async with program(office, CAMILLE) as client:
        yield client


@pytest.fixture
async def diane(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A program of another distributor."""
    async with program(office, DIANE) as client:
        yield client


@pytest.fixture
async def claire(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A program of the leader."""
    async with program(office, LEADER) as client:
        yield client
