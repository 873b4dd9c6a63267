"""The leader's news of the pack `suivi`: who sees which, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from definitions.pack import PACKS, read_folder
from models.actor import SYSTEM
from models.clock import SetClock
from models.members import load_actor
from models.query import Query
from models.records import Records
from models.tenant import Tenant, create_tenant, uuid7
from models.tx import Tx
from tests.conftest import NOON
from tests.homes import Homes
from workflows import commands

pytestmark = pytest.mark.anyio

NEWS: dict[str, dict[str, Any]] = {
    "everybody": {},
    "belgium": {"countries": ["be"]},
    "assistants": {"levels": ["assistant"]},
    "tomorrow": {"shown_from": NOON + timedelta(days=1)},
    "today": {"shown_until": NOON + timedelta(hours=6)},
}


async def seen(tenant: Tenant, member: str) -> set[str]:
    async def work(tx: Tx) -> set[str]:
        actor = await load_actor(tenant.published, tx, member)
        assert actor is not None
        records = Records(tenant.published, tx, actor, tenant.context(), new_id=tenant.new_id)
        return {str(each.values["title"]) for each in (await records.list("news", Query(limit=50))).records}

    return await tenant.store.read(work)


async def test_news_are_read_by_the_countries_and_levels_they_are_for_between_their_days(homes: Homes) -> None:
    clock = SetClock(NOON)
    files = read_folder(PACKS / "suivi")
    tenant = await create_tenant(homes("alba"), "alba", files=files, clock=clock, new_id=uuid7)
    try:
        people = {}
        for level, country in (("distributor", "FR"), ("distributor", "BE"), ("assistant", "FR"), ("leader", "FR")):
            values = {"first_name": "A", "last_name": "B", "email": f"{level}.{country}@alba.example"}
            made = await commands.create(
                tenant, SYSTEM, "member", {**values, "levels": [level], "country": country, "language": "fr"}
            )
            people[level, country] = made.id
        for title, values in NEWS.items():
            await commands.create(tenant, SYSTEM, "news", {"title": title, "body": "…", **values})
        assert await seen(tenant, people["distributor", "FR"]) == {"everybody", "today"}
        assert await seen(tenant, people["distributor", "BE"]) == {"everybody", "today", "belgium"}
        assert await seen(tenant, people["assistant", "FR"]) == {"everybody", "today", "assistants"}
        assert await seen(tenant, people["leader", "FR"]) == set(NEWS)
        clock.forward(timedelta(days=1))
        assert await seen(tenant, people["distributor", "FR"]) == {"everybody", "tomorrow"}
    finally:
        await tenant.close()
