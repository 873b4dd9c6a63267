"""The page of runs: what failed is counted, seen and decided about by who administers the network."""

from __future__ import annotations

import re

import pytest

from models.actor import SYSTEM
from tests.admin.api.program import problem, program
from tests.admin.office import CAMILLE, FILES, LEADER, Office
from tests.networks import changed
from workflows import commands
from workflows.publishing import publish

pytestmark = pytest.mark.anyio

FAILS = """
automation: fails
label: {fr: Trop tôt, en: Too early}
when: {created: lead}
do:
  - for_each: {in: "=['a', 'b']", do: [{set: {city: =item}}]}
  - {move: sign, id: signing}
  - set: {city: Lyon}
"""


@pytest.fixture
async def run(office: Office) -> str:
    """A run that failed: its id."""
    await publish(office.tenant, changed(FILES, fails=FAILS))
    given = {"first_name": "Paul", "last_name": "Roy", "owner": office.members[CAMILLE]}
    await commands.create(office.tenant, SYSTEM, "lead", given)
    await office.networks.worker(office.tenant).run_due()
    [(found,)] = await office.tenant.store.read(
        lambda tx: tx.rows("""SELECT "id" FROM "_run" WHERE "state" = 'failed'""")
    )
    return str(found)


async def city(office: Office) -> str:
    await office.networks.worker(office.tenant).run_due()
    [(found,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "city" FROM "lead"'))
    return str(found)


async def test_the_menu_counts_what_failed_and_the_list_leads_to_it(office: Office, run: str) -> None:
    async with office.signed_in(LEADER) as leader:
        menu = (await leader.get("menu")).text
        link = re.search(r'<a[^>]*href="/n/small/runs"[^>]*>.*?</a>', menu, re.DOTALL)
        assert link is not None
        assert ">1<" in link[0]
        page = (await leader.get("runs?state=failed")).text
        assert "Too early" in page
        assert "Paul Roy" in page
        assert f'href="/n/small/runs/{run}"' in page
        assert run not in (await leader.get("runs?state=done")).text
        assert run in (await leader.get("runs?offset=nonsense")).text


async def test_the_runs_of_one_automation_are_listed_and_counted(office: Office, run: str) -> None:
    async with office.signed_in(LEADER) as leader, program(office, LEADER) as client:
        assert run in (await leader.get("runs?automation=fails")).text
        other = (await leader.get("runs?automation=welcome&state=failed")).text
        assert run not in other
        assert 'href="/n/small/runs?state=waiting&amp;automation=welcome"' in other
        assert run in (await leader.get("runs?automation=nonsense")).text
        found = (await client.get("/runs", params={"automation": "fails"})).json()
        assert ([each["id"] for each in found["items"]], found["counts"]["failed"]) == ([run], 1)
        none = (await client.get("/runs", params={"automation": "welcome"})).json()
        assert (none["items"], none["counts"]["failed"], none["lost"]) == ([], 0, 0)
        problem(await client.get("/runs", params={"automation": "x"}), 422, ["automation"])


async def test_other_work_that_failed_for_good_is_told_of(office: Office, run: str) -> None:
    lost = """UPDATE "_outbox" SET "state" = 'dead', "kind" = 'stays' WHERE "payload" LIKE ?"""
    await office.tenant.store.write(lambda tx: tx.run(lost, [f"%{run}%"]))
    async with office.signed_in(LEADER) as leader:
        assert "1 other piece of work failed for good" in (await leader.get("runs")).text


async def test_a_run_is_shown_step_by_step(office: Office, run: str) -> None:
    async with office.signed_in(LEADER) as leader:
        page = (await leader.get(f"runs/{run}")).text
        for told in ("Too early", "do/0/do/0 · 2", "Step of a process", "signing", "Paul Roy", "Try again"):
            assert told in page


@pytest.mark.parametrize(
    ("act", "said", "becomes"),
    [("retry", "in a moment", "b"), ("skip", "behind the step", "Lyon"), ("cancel", "ended", "b")],
)
async def test_a_failed_run_is_decided_about(office: Office, run: str, act: str, said: str, becomes: str) -> None:
    async with office.signed_in(LEADER) as leader:
        answer = await leader.post(f"runs/{run}/{act}", on=f"runs/{run}")
        assert answer.status_code == 303
        assert said in (await leader.get(f"runs/{run}")).text
        assert await city(office) == becomes
        again = await leader.post(f"runs/{run}/{act}", on=f"runs/{run}")
        assert (again.status_code == 303) == (act == "retry")


async def test_to_others_there_are_no_runs(office: Office, run: str) -> None:
    async with office.signed_in(CAMILLE) as camille:
        assert 'href="/n/small/runs"' not in (await camille.get("menu")).text
        for path in ("runs", f"runs/{run}"):
            assert (await camille.get(path)).status_code == 404
        for act in ("retry", "skip", "cancel"):
            assert (await camille.post(f"runs/{run}/{act}", on="account")).status_code == 404
        assert await city(office) == "b"


async def test_the_record_leads_to_its_runs(office: Office, run: str) -> None:
    [(lead,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "lead"'))
    async with office.signed_in(LEADER) as leader, office.signed_in(CAMILLE) as camille:
        link = f'href="/n/small/runs/{run}"'
        assert link in (await leader.get(f"e/lead/{lead}")).text
        assert link not in (await camille.get(f"e/lead/{lead}")).text
