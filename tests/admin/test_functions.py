"""What a level's functions open, at every door: with all of them it is there, without one it is not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from definitions.spec.access import FUNCTIONS
from models.clock import SetClock
from tests.admin.api.program import lead as sent
from tests.admin.api.program import program
from tests.admin.office import CAMILLE, FILES, Office, office_of
from tests.admin.screens.leads import actor, lead
from tests.homes import Homes
from tests.networks import edited
from workflows import commands

pytestmark = pytest.mark.anyio

HAD = "functions: [consult, communicate, analyse]"
PAGES = {
    "consult": ("e/lead/", "e/lead/board/recruiting", "e/lead/options?q=Ana", "e/lead/{id}", "e/lead/{id}/edit"),
    "export": ("e/lead/export?format=csv", "e/lead/export?format=xlsx"),
}
"""Pages that are there with a function, and refused or absent without it."""
DATA = {
    "consult": ("/entities/lead", "/entities/lead/{id}", "/entities/lead/{id}/history", "/entities/lead/{id}/tasks"),
    "analyse": ("/statistics/by_state", "/statistics/leads_in_all"),
}
"""The same of the API."""
LANGUAGE = Path(__file__).parents[2] / "docs" / "language" / "functions.md"


DEPUTY = "level: deputy\nentities: {lead: {read: all, create: true, update: all}}\n"
"""Somebody who may take the steps, so that none is nobody's when distributors read nothing."""


def allowing(functions: Iterable[str]) -> dict[str, str]:
    files = edited(FILES, (HAD, f"functions: [{', '.join(functions)}]"))
    found = {name: text.replace("by: [distributor]", "by: [distributor, deputy]") for name, text in files.items()}
    return {**found, "deputy.yaml": DEPUTY}


async def opened(office: Office, identifier: str, mail: str) -> dict[str, set[str]]:
    """Return the doors of each function that answer Camille."""
    found: dict[str, set[str]] = {function: set() for function in FUNCTIONS}
    async with office.signed_in(CAMILLE) as camille, program(office, CAMILLE) as client:
        for function, addresses in PAGES.items():
            for address in addresses:
                answer = await camille.get(address.format(id=identifier))
                assert answer.status_code in {200, 403, 404, 405}, address
                found[function] |= {address} if answer.status_code == 200 else set()
        for function, addresses in DATA.items():
            for address in addresses:
                answer = await client.get(address.format(id=identifier))
                assert answer.status_code in {200, 403, 404, 405}, address
                found[function] |= {address} if answer.status_code == 200 else set()
        found["consult"] |= {"search"} if "Anastasia" in (await camille.get("search?q=Anastasia")).text else set()
        figures = json.loads((await client.get("/statistics")).text)["items"]
        found["analyse"] |= {"statistics"} if figures else set()
        found["analyse"] |= {"home"} if "Leads in all" in (await camille.get("")).text else set()
        bulk = await client.post("/entities/lead/bulk", json={"items": [sent(email="new@exemple.fr")]})
        found["import"] |= {"bulk"} if bulk.status_code == 200 else set()
        cancelled = await camille.post(f"outbox/{mail}/cancel", on="account")
        found["communicate"] |= {"cancel"} if cancelled.status_code == 303 else set()
    return found


async def doors(homes: Homes, clock: SetClock, functions: Iterable[str]) -> dict[str, set[str]]:
    async with office_of(homes, clock, allowing(FUNCTIONS)) as office:
        made = await lead(office, CAMILLE, "Anastasia", phone="0639980001", email="a@exemple.fr")
        form = {"next_call_at": "2026-03-04T10:00"}
        await commands.move(
            office.tenant, await actor(office, CAMILLE), "lead", made.id, "call", form=form, version=made.version
        )
        await office.networks.worker(office.tenant).run_due()
        [(mail,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "_mail"'))
        if set(functions) != set(FUNCTIONS):
            await office.tenant.publish(allowing(functions))
        return await opened(office, made.id, mail)


async def test_each_function_opens_its_doors_and_no_other(homes: Homes, clock: SetClock) -> None:
    found = await doors(homes, clock, FUNCTIONS)
    assert {function: len(addresses) for function, addresses in found.items()} == {
        "consult": 10, "communicate": 1, "import": 1, "export": 2, "analyse": 4,
    }  # fmt: skip


@pytest.mark.parametrize("missing", FUNCTIONS)
async def test_without_a_function_its_doors_are_shut(homes: Homes, clock: SetClock, missing: str) -> None:
    found = await doors(homes, clock, [function for function in FUNCTIONS if function != missing])
    assert found[missing] == set()
    if missing != "consult":  # who reads nothing exports and analyses nothing either
        assert all(found[function] for function in FUNCTIONS if function != missing)


def test_each_function_is_explained() -> None:
    rows = [line.split("|")[1].strip() for line in LANGUAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"`{function}`" for function in FUNCTIONS]
