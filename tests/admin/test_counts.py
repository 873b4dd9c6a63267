"""What pages count does not cost more the more there is: beyond 500 they say so."""

from __future__ import annotations

import pytest

from admin.formats import MOST
from models.actor import SYSTEM
from models.query import Filter, Query
from models.records import Records
from models.tx import Tx
from tests.admin.office import CAMILLE, LEADER, Office

pytestmark = pytest.mark.anyio


async def leads(office: Office, count: int) -> None:
    """Give Camille so many leads."""
    tenant = office.tenant

    async def work(tx: Tx) -> None:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        given = {"first_name": "Paul", "last_name": "Roy", "country": "FR", "owner": office.members[CAMILLE]}
        for number in range(count):
            await records.create("lead", {**given, "email": f"p{number}@exemple.fr"})

    await tenant.store.write(work)


async def test_many_records_are_counted_as_many(office: Office) -> None:
    await leads(office, MOST)
    async with office.signed_in(CAMILLE) as camille:
        page = (await camille.get("e/lead/?q=roy")).text
        assert "500+" not in page
        assert "500 records" in page
        await one_more(office)
        page = (await camille.get("e/lead/?q=roy")).text
        assert page.count("500+") >= 2
        assert "More than 500 records" in page
        assert "501 records" not in page
        assert "500+" in (await camille.get("")).text
        assert 'data-count="501">500+</span>' in (await camille.get("e/lead/board/recruiting")).text


async def one_more(office: Office) -> None:
    """Give Camille one more."""
    tenant = office.tenant

    async def work(tx: Tx) -> None:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        given = {"first_name": "Ida", "last_name": "Roy", "country": "FR", "owner": office.members[CAMILLE]}
        await records.create("lead", given)

    await tenant.store.write(work)


@pytest.mark.parametrize(("most", "found"), [(None, 7), (7, 7), (10, 7), (6, 7), (3, 4), (0, 1)])
async def test_counting_ends_at_one_more_than_asked_for(office: Office, most: int | None, found: int) -> None:
    await leads(office, 7)
    tenant = office.tenant

    async def count(tx: Tx) -> list[int]:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        none = Query(filters=(Filter("country", "equals", "BE"),))
        return [await records.count("lead", most=most), await records.count("lead", none, most=most)]

    assert await tenant.store.read(count) == [found, 0]
    async with office.signed_in(LEADER) as leader:
        assert (await leader.get("e/lead/")).status_code == 200
