"""A record that cannot be deleted, since another one refers to it: nothing tells which, not even of what kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from models import tokens
from models.actor import SYSTEM
from models.clock import SetClock
from tests.admin.office import CAMILLE, DIANE, FILES, Office, Visitor, office_of, token
from tests.admin.test_access_doors import Statements, statements
from tests.homes import Homes
from tests.networks import changed, edited
from workflows import commands

__all__ = ["statements"]
pytestmark = pytest.mark.anyio

KEEPERS = changed(
    edited(
        FILES,
        ("company:      {type: reference, to: company, on_delete: clear}", "company: {type: reference, to: company}"),
        ("company: {read: all, create: true, update: all, delete: none}", "company: {read: all, delete: all}"),
    ),
    visit="entity: visit\nfields: {company: {type: reference, to: company}}\n",
)
USES = ("my lead", "a foreign lead", "a record of a kind that I may not know")


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, KEEPERS) as opened:
        yield opened


@pytest.fixture
async def companies(office: Office) -> dict[str, str]:
    """Return a company for each use that is made of one."""
    made = {}
    for use in USES:
        company = made[use] = (await commands.create(office.tenant, SYSTEM, "company", {"name": "Same"})).id
        if use == USES[2]:
            await commands.create(office.tenant, SYSTEM, "visit", {"company": company})
        else:
            owner = office.members[CAMILLE if use == USES[0] else DIANE]
            lead = {"first_name": "Paul", "last_name": "Roy", "owner": owner, "company": company}
            await commands.create(office.tenant, SYSTEM, "lead", lead)
    return made


async def test_it_is_in_use_whoever_uses_it_through_the_api(
    office: Office, companies: dict[str, str], statements: Statements
) -> None:
    made = await tokens.create(office.tenant, office.members[CAMILLE], name="x", days=9)
    bearer = {"authorization": f"Bearer {made.secret}"}
    told = []
    async with office.visitor() as visitor:
        await visitor.http.get("/n/small/api/v1/me", headers=bearer)
        for company in companies.values():
            statements.take()
            headers = {**bearer, "if-match": "*"}
            answer = await visitor.http.delete(f"/n/small/api/v1/entities/company/{company}", headers=headers)
            assert "Other records refer to this one" in answer.text
            told.append(outside(answer, company, statements))
    assert told[1:] == told[:-1]


async def test_it_is_in_use_whoever_uses_it_on_the_pages(
    office: Office, companies: dict[str, str], statements: Statements
) -> None:
    told = []
    async with office.signed_in(CAMILLE) as visitor:
        csrf = token((await visitor.get()).text)
        for company in companies.values():
            statements.take()
            told.append(outside(await deleted(visitor, company, csrf), company, statements))
    assert told[1:] == told[:-1]


async def deleted(visitor: Visitor, company: str, csrf: str) -> httpx.Response:
    answer = await visitor.http.post(f"/n/small/e/company/{company}/delete", data={"_csrf": csrf, "version": "1"})
    assert "Other records refer to this one" in answer.text
    return answer


def outside(answer: httpx.Response, company: str, statements: Statements) -> tuple[int, str, list[str], list[str]]:
    """Return all that an answer tells, and what the store was asked for it."""
    text = answer.text.replace(company, "")
    return answer.status_code, text, sorted(answer.headers), statements.take()
