"""A network is moved whole, there and back, from every database to every other, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from definitions.duration import Duration
from models import transfer
from models.clock import SetClock
from models.store import StoreBusyError, StoreClosedError, StoreError
from models.stores import Home, exists, names_in
from models.tenant import create_tenant, open_tenant
from models.transfer import TransferError, move
from models.tx import Tx
from tests.homes import Homes, homes_of
from tests.models.rows import insert, records, select
from tests.networks import SMALL, counting_ids

pytestmark = pytest.mark.anyio

VALUES: Mapping[str, Any] = {
    "first_name": "Élodie",
    "last_name": "O'Roux?",
    "email": "elodie@exemple.fr",
    "country": "FR",
    "birth_date": date(1990, 7, 14),
    "source": "site",
    "interests": ("home", "beauty"),
    "income_goal": Decimal("1234.50"),
    "rating": Decimal("-0.1250"),
    "newsletter": True,
    "next_call_at": datetime(2026, 3, 9, 8, 30, 0, 5, tzinfo=UTC),
    "pause": Duration(exact=timedelta(days=3)),
    "calls": 2**40,
    "hot": True,
}


async def fill(home: Home, clock: SetClock) -> list[dict[str, Any]]:
    """Make a network with records of every kind of value, more than a page, and return its leads."""
    tenant = await create_tenant(home, "small", files=SMALL, clock=clock, new_id=counting_ids())
    company = await insert(tenant, "company", name="Alba")
    first = await insert(tenant, "member", first_name="Ann", last_name="A", email="a@b.fr", levels=("leader",))
    second = await insert(tenant, "member", first_name="Bob", last_name="B", email="b@b.fr", sponsor={"id": first})
    await insert(tenant, "lead", **VALUES, owner=second, company=company)
    await insert(tenant, "lead", first_name="Z", last_name="Z", country="BE", pause=Duration(months=2), owner=first)

    async def history(tx: Tx) -> None:
        rows = [[f"h{number:05}", f"note {number}"] for number in range(2500)]
        await tx.run_many(
            'INSERT INTO "_history" ("id", "at", "entity", "record", "kind", "actor_kind", "text") '
            "VALUES (?, '2026-03-02 11:00:00.000000+00:00', 'lead', 'x', 'note', 'member', ?)",
            rows,
        )

    await tenant.store.write(history)
    found = await records(tenant, "lead")
    await tenant.close()
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Homes beside the ones of the test, on either database."""
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    (tmp_path / "elsewhere").mkdir()
    async with homes_of(tmp_path / "elsewhere", url) as found:
        yield found


async def test_a_network_arrives_whole(homes: Homes, elsewhere: Homes, clock: SetClock) -> None:
    leads = await fill(homes("small"), clock)
    told: list[tuple[str, int, int]] = []
    moved = await move(homes("small"), elsewhere("small"), tell=lambda *what: told.append(what))
    rows = {copied.table: copied.rows for copied in moved.tables}
    assert (rows["lead"], rows["member"], rows["_history"], rows["_definition"]) == (2, 2, 2500, 1)
    assert ("_history", 2500, 2500) in told
    assert (await names_in(homes.all), await names_in(elsewhere.all)) == ([], ["small"])
    assert await exists(moved.aside)
    tenant = await open_tenant(elsewhere("small"), "small", clock=clock)
    assert await records(tenant, "lead") == leads
    assert await select(tenant, "SELECT count(*) FROM _history") == [(2500,)]
    await tenant.publish({**SMALL, "more.yaml": "entity: extra\nlabel: {fr: E, en: E}\nfields: {n: {type: text}}\n"})
    assert tenant.published.version == 2
    await tenant.close()


async def test_there_and_back_nothing_has_changed(homes: Homes, elsewhere: Homes, clock: SetClock) -> None:
    await fill(homes("small"), clock)
    there = await move(homes("small"), elsewhere("small"))
    back = await move(elsewhere("small"), homes("small"))
    assert there.tables == back.tables


async def test_where_a_network_is_none_arrives(homes: Homes, clock: SetClock) -> None:
    await fill(homes("small"), clock)
    await (await create_tenant(homes("other"), "other", files=SMALL)).close()
    with pytest.raises(StoreError, match="already"):
        await move(homes("small"), homes("other"))
    with pytest.raises(LookupError):
        await move(homes("nowhere"), homes("third"))


async def test_what_did_not_arrive_whole_stays_where_it_was(
    homes: Homes, elsewhere: Homes, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = await fill(homes("small"), clock)
    finish = transfer._finish

    async def loses(tx: Tx, made: Any) -> None:
        await finish(tx, made)
        await tx.run("""UPDATE "lead" SET "city" = 'Lyon' WHERE "first_name" = 'Z'""")

    monkeypatch.setattr(transfer, "_finish", loses)
    with pytest.raises(TransferError, match="lead"):
        await move(homes("small"), elsewhere("small"))
    assert await names_in(elsewhere.all) == []
    tenant = await open_tenant(homes("small"), "small")
    assert await records(tenant, "lead") == leads
    await tenant.close()


async def test_who_has_it_open_is_in_the_way_or_finds_it_gone(homes: Homes, elsewhere: Homes, clock: SetClock) -> None:
    await fill(homes("small"), clock)
    tenant = await open_tenant(homes("small"), "small")
    if homes.dialect == "sqlite":
        with pytest.raises(StoreBusyError):
            await move(homes("small"), elsewhere("small"))
        assert len(await records(tenant, "lead")) == 2
    else:
        await move(homes("small"), elsewhere("small"))
        with pytest.raises(StoreClosedError, match="gone"):
            await records(tenant, "lead")
    await tenant.close()
