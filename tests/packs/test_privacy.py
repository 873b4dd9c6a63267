"""The pack `privacy`, which others take in with `extends: [privacy]`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.duration import Duration
from definitions.pack import PACKS, load, read_folder
from models.actor import Actor
from models.errors import RefusedError
from models.record import Record
from tests.workflows.conftest import MakeStage, Stage, mailbox, make_stage
from workflows import commands, notices
from workflows.unit import read

__all__ = ["mailbox", "make_stage"]
pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NETWORK = {
    "network.yaml": """
network: demo
label: {fr: Réseau Démo, en: Demo network}
extends: [privacy]
languages: [fr, en]
timezone: Europe/Paris
currency: EUR
countries: [FR, BE]
calendar: {days: [mon, tue, wed, thu, fri], hours: 09:00-18:30, holidays: FR}
settings:
  privacy_file_kept: {type: duration, value: 3 years, label: {fr: Conservation, en: Kept}}
---
level: leader
label: {fr: Responsable, en: Leader}
functions: [consult]
entities:
  member: {read: all}
"""
}


@pytest.mark.parametrize("files", [read_folder(PACKS / "privacy"), NETWORK], ids=["alone", "taken in"])
def test_it_is_without_problem(files: dict[str, str]) -> None:
    assert [f"{each.place} {each.code}: {each.message}" for each in load(files).problems] == []


def test_who_takes_it_in_has_the_own_settings_beside_its() -> None:
    network = load(NETWORK).network
    assert network is not None
    said = {name: setting.value for name, setting in network.settings.items()}
    assert said == {
        "privacy_answer_within": Duration(exact=timedelta(days=30)),
        "privacy_file_kept": Duration(months=36),
    }


async def told(stage: Stage, member: Actor) -> list[str | None]:
    """Return the records of which somebody was notified."""
    return [notice.record for notice in (await read(stage.tenant, member, notices.page)).notices]


async def test_a_request_is_acknowledged_recalled_and_answered_with_its_proof(make_stage: MakeStage) -> None:
    stage = await make_stage(NETWORK)
    officer = await stage.person("Odile", "privacy_officer")
    given = {"last_name": "Roy", "right": "access", "email": "roy@exemple.fr", "language": "en"}

    request = await commands.create(stage.tenant, officer, "privacy_request", given)
    await stage.worker.run_due()

    assert request["due_on"] - request["received_on"] == timedelta(days=30)
    [letter] = stage.mailbox.letters
    assert (letter["To"], letter["Subject"]) == ("roy@exemple.fr", "Your request")
    stage.clock.forward(timedelta(days=24))
    await stage.worker.run_due()
    assert await told(stage, officer) == [request.id]
    await commands.move(stage.tenant, officer, "privacy_request", request.id, "accept")
    await commands.move(stage.tenant, officer, "privacy_request", request.id, "answer", form={"answer": "Here it is."})
    assert (await stage.get(request))["privacy_answering"] == "answered"


async def test_a_breach_is_told_at_once_and_again_while_the_authority_was_not_told(make_stage: MakeStage) -> None:
    stage = await make_stage(NETWORK)
    officer = await stage.person("Odile", "privacy_officer")
    breach = await commands.create(stage.tenant, officer, "privacy_breach", {"nature": "A lost telephone"})

    await stage.worker.run_due()
    assert await told(stage, officer) == [breach.id]
    stage.clock.forward(timedelta(hours=49))
    await stage.worker.run_due()
    assert await told(stage, officer) == [breach.id] * 2
    with pytest.raises(RefusedError, match="concern"):
        await commands.move(stage.tenant, officer, "privacy_breach", breach.id, "tell", form={"told_on": "2026-03-04"})
    details = {"people": 3, "consequences": "None is likely", "measures": "The telephone was locked"}
    await commands.update(stage.tenant, officer, "privacy_breach", breach.id, None, details)
    await commands.move(stage.tenant, officer, "privacy_breach", breach.id, "tell", form={"told_on": "2026-03-04"})
    now: Record = await stage.get(breach)
    assert now["privacy_notifying"] == "told"
