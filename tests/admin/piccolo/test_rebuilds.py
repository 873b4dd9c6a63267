"""The back office is made again for every version, language and network: what was made before is let go."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.table import TABLE_REGISTRY, Table
from piccolo_admin import endpoints
from piccolo_api.fastapi.endpoints import ANNOTATIONS
from pydantic import BaseModel

from admin.piccolo import mount
from admin.piccolo.mount import KEPT, build
from definitions.pack import load
from models.actor import SYSTEM
from tests.admin.office import FILES, LEADER, Office
from tests.networks import changed
from workflows import commands, publishing

TIMES = 100


def living() -> Counter[str]:
    """Return how many there are of what a build makes, and in the registers of the process."""
    gc.collect()
    found: Counter[str] = Counter()
    for each in gc.get_objects():
        kind = type(each)
        if isinstance(each, type):
            found["tables"] += issubclass(each, Table)
            found["models"] += issubclass(each, BaseModel)
        elif issubclass(kind, FastAPI | APIRoute):
            found[kind.__name__] += 1
    return found + Counter(
        registered=len(TABLE_REGISTRY), annotated=len(ANNOTATIONS), subclasses=len(Table.__subclasses__())
    )


def made() -> None:
    """Build the back office of a network; it needs no store, since it asks none of its tables."""
    network = load(FILES).network
    assert network is not None
    build(network, "fr", SQLiteEngine(), "/n/small/")


@pytest.mark.slow
def test_a_hundred_builds_leave_nothing_behind() -> None:
    for _ in range(2):
        made()
    before = living()
    for _ in range(TIMES):
        made()
    assert living() == before


@pytest.mark.slow
def test_a_build_that_fails_leaves_piccolo_admin_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = {seam: getattr(endpoints, seam) for seam in mount.SEAMS}
    made()
    before = living()

    def fail(**_given: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(mount, "create_admin", fail)
        with pytest.raises(RuntimeError):
            made()
    assert {seam: getattr(endpoints, seam) for seam in mount.SEAMS} == theirs
    assert living() == before


@pytest.mark.slow
@pytest.mark.anyio
async def test_only_the_latest_are_kept(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        await visitor.get("back-office/")
        few = living()["AdminRouter"]
        for number in range(KEPT + 2):
            label = f"label: {{fr: Société, en: Company {number}}}"
            text = FILES["company.yaml"].replace("label: {fr: Société, en: Company}", label)
            await publishing.publish(office.tenant, changed(FILES, company=text))
            tables = (await visitor.get("back-office/api/tables/")).json()
            assert f"Company {number}" in tables
        assert living()["AdminRouter"] - few < KEPT


@pytest.mark.anyio
async def test_it_is_made_once_however_many_ask_at_once_and_not_in_the_event_loop(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[bool] = []
    theirs: Callable[..., object] = mount.build

    def watched(*given: object) -> object:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            where.append(True)
        else:
            where.append(False)
        return theirs(*given)

    monkeypatch.setattr(mount, "build", watched)
    async with office.signed_in(LEADER) as visitor:
        answers = await asyncio.gather(*(visitor.get("back-office/api/tables/") for _ in range(6)))
        assert {answer.status_code for answer in answers} == {200}
        assert where == [True]
        await commands.update(office.tenant, SYSTEM, "member", office.members[LEADER], None, {"language": "fr"})
        assert "Membre" in str((await visitor.get("back-office/api/tables/")).json())
        assert where == [True, True]
