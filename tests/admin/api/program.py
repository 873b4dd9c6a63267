"""Programs: clients of the API with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import httpx

from models import tokens
from tests.admin.office import NETWORK, Office

BASE = f"/n/{NETWORK}/api/v1"


@asynccontextmanager
async def program(office: Office, email: str, *levels: str) -> AsyncIterator[httpx.AsyncClient]:
    """A program with a token of the member (narrowed to `levels`)."""
    made = await tokens.create(office.tenant, office.members[email], name="test", days=30, levels=levels)
    async with bare(office, {"authorization": f"Bearer {made.secret}"}) as client:
        yield client


@asynccontextmanager
async def bare(office: Office, headers: dict[str, str] | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with these headers."""
    transport = httpx.ASGITransport(app=office.app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://testserver{BASE}", headers=headers) as client:
        yield client


def lead(**more: Any) -> dict[str, Any]:
    """Return what a lead is made of."""
    return {"first_name": "Zoé", "last_name": "Marchand", "phone": "+33639980001", **more}


async def made(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """Create a lead and return it."""
    answer = await client.post("/entities/lead", json=lead(**more))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(answer: httpx.Response) -> list[str]:
    """Return the first names of a list."""
    assert answer.status_code == 200, answer.text
    return [item["first_name"] for item in answer.json()["items"]]


def problem(answer: httpx.Response, status: int, fields: Collection[str] = ()) -> dict[str, Any]:
    """Return the problem that an answer is, after a look at its form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["type"].startswith("urn:maille:problem:")
    assert found["title"]
    assert set(found.get("fields", {})) == set(fields)
    return found
