"""The manual in the browser: leaders read it among the definitions, in their own language."""

from __future__ import annotations

import pytest

from tests.admin.office import CAMILLE, LEADER, Office

pytestmark = pytest.mark.anyio


async def test_leaders_read_the_manual_of_what_is_published(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert "/definitions/manual" in (await visitor.get("definitions")).text
        answer = await visitor.get("definitions/manual")
        assert answer.status_code == 200
        names = office.tenant.published.network.processes
        assert [name for name in names if f'id="picture-{name}-down-title"' not in answer.text] == []
        assert answer.text.count("<main") == 1
        assert " style=" not in answer.text, "pages have no styles of their own"


async def test_for_others_there_is_no_manual(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert (await visitor.get("definitions/manual")).status_code == 404
