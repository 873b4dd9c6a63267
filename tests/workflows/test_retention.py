"""What is kept long enough is announced to whom it belongs to, and erased when nobody took it up again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from definitions.problems import DefinitionError
from models import chain
from models.actor import SYSTEM, Actor
from models.errors import NotFoundError
from models.query import Query
from models.record import Record
from models.secrets import Vault
from models.store import ConstraintError
from models.system import SETTING, SYSTEM_TABLES
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import auditing, commands, publishing
from workflows.changes import update
from workflows.keeping import RetentionChange
from workflows.proposal import propose
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

VAULT = Vault(lambda: (b"a secret of this installation",))
KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
WARNED = "retention: {after: 100d, since: last_activity_at, unless: record.newsletter, warn: 14d, then: erase}"
PACK = edited(SMALL, (KEPT, WARNED))
DAY = timedelta(days=1)


@pytest.fixture
async def house(make_stage: MakeStage) -> Stage:
    """A network that keeps leads for 100 days and warns 14 days before, with Lea and Rita, who runs it."""
    made = await make_stage(PACK)
    made.tenant.vault = VAULT
    made.people["lea"] = await made.person("Lea", "distributor")
    made.people["rita"] = await made.person("Rita", "leader")
    return made


@pytest.fixture
def lea(house: Stage) -> Actor:
    """Who owns the leads."""
    return house.people["lea"]


async def later(house: Stage, days: float) -> None:
    house.clock.forward(timedelta(days=days))
    await house.worker.run_due()


async def there(house: Stage, record: Record) -> bool:
    try:
        await house.get(record)
    except NotFoundError:
        return False
    return True


def letters(house: Stage, to: str) -> list[str]:
    """Return the texts of the mails that somebody got about records that go."""
    found = zip(house.mailbox.letters, house.mailbox.recipients, strict=True)
    parts = (letter.get_body(("plain",)) for letter, people in found if people == [to])
    texts = [part.get_content() for part in parts if part is not None]
    return [text for text in texts if "effac" in text]


async def test_a_lead_that_nobody_touches_is_announced_in_time_and_then_erased(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea)
    await later(house, 85)
    assert not letters(house, "lea@exemple.fr")
    await later(house, 1.5)
    [told] = letters(house, "lea@exemple.fr")
    assert "Paul Roy" in told
    assert f"/e/lead/{lead.id}" in told
    await later(house, 13)
    assert await there(house, lead)
    await later(house, 2)
    assert not await there(house, lead)
    assert len(letters(house, "lea@exemple.fr")) == 1
    assert await house.rows("_retention", "id") == []


async def test_who_works_with_it_again_keeps_it(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea)
    await later(house, 90)
    assert await house.rows("_retention", "record") == [(lead.id,)]
    await house.call(lea, lead, next_call_at="2026-09-05T10:00")
    await later(house, 30)
    assert await there(house, lead)
    assert await house.rows("_retention", "record") == []


async def test_what_is_kept_all_the_same_stays_and_goes_when_that_is_over(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea, newsletter=True)
    await later(house, 300)
    assert await there(house, lead)
    await write(house.tenant, SYSTEM, lambda unit: update(unit, "lead", lead.id, None, {"newsletter": False}))
    await later(house, 1)
    assert await there(house, lead)
    [told] = letters(house, "lea@exemple.fr")
    assert "Paul Roy" in told
    await later(house, 15)
    assert not await there(house, lead)


async def test_nothing_of_it_is_left_anywhere(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea, first_name="Zebulon", phone="06 39 98 00 77", email="zebulon@exemple.fr")
    await house.call(lea, lead, comment="Zebulon veut bien")
    await commands.note(house.tenant, lea, "lead", lead.id, "Zebulon rappelle")
    await commands.add_task(house.tenant, lea, title="Appeler Zebulon", about=("lead", lead.id))
    await later(house, 1)
    assert any("zebulon@exemple.fr" in people for people in house.mailbox.recipients)
    await later(house, 90)
    await later(house, 20)
    assert not await there(house, lead)
    await auditing.seal(house.tenant)
    assert not await holding(house, "Zebulon", "zebulon", "0639980077", "639980077")


async def holding(house: Stage, *texts: str) -> list[str]:
    """Return where one of the texts stands in any table."""
    tables = [*house.tenant.published.tables, *SYSTEM_TABLES]
    found = []
    for table in tables:
        for row in await house.tenant.store.read(lambda tx, table=table: tx.rows(f'SELECT * FROM "{table}"')):  # type: ignore[misc] # noqa: S608 - the round's table
            found += [f"{table}: {row}" for text in texts if any(text in str(value) for value in row)]
    return found


async def test_that_it_was_erased_is_proven_and_the_chain_still_holds(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea)
    await auditing.seal(house.tenant)
    await later(house, 90)
    await later(house, 20)
    await auditing.seal(house.tenant)
    [(entity, record, detail)] = await house.rows("_audit", "entity", "record", "detail", where="\"kind\" = 'erased'")
    assert (entity, record) == ("lead", lead.id)
    assert '"why":"retention"' in detail
    found = await chain.verify(house.tenant.store, VAULT)
    assert (found.broken, found.why) == (None, None)


async def test_a_shorter_time_is_told_in_the_plan_and_begins_with_another_warning(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea)
    await later(house, 90)
    shorter = edited(PACK, ("after: 100d", "after: 50d"))
    [change] = (await propose(house.tenant, shorter)).retentions
    assert change == RetentionChange("lead", "changed", 1)
    await publishing.publish(house.tenant, shorter)
    assert await house.rows("_retention", "id") == []
    await later(house, 13)
    assert await there(house, lead)
    assert len(letters(house, "lea@exemple.fr")) == 2
    await later(house, 15)
    assert not await there(house, lead)


async def test_what_would_go_at_once_and_unannounced_is_refused_unless_that_is_said(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea)
    await later(house, 60)
    sudden = edited(PACK, ("after: 100d", "after: 50d"), ("warn: 14d, ", ""))
    assert [problem.code for problem in (await propose(house.tenant, sudden)).refused] == ["plan.erases"]
    with pytest.raises(DefinitionError):
        await publishing.publish(house.tenant, sudden)
    assert (await propose(house.tenant, sudden, allow_loss=True)).refused == ()
    await publishing.publish(house.tenant, sudden, allow_loss=True)
    await later(house, 1)
    assert await there(house, lead)
    await later(house, 7)
    assert not await there(house, lead)


async def test_a_plan_counts_at_most_what_it_cannot_know_yet(house: Stage, lea: Actor) -> None:
    await house.lead(lea, newsletter=True)
    await later(house, 60)
    field = "  calls:        {type: integer, default: 0}\n"
    other = edited(
        PACK,
        ("after: 100d", "after: 50d"),
        ("unless: record.newsletter", "unless: record.listed"),
        (field, f"{field}  listed: {{type: boolean}}\n"),
    )
    [change] = (await propose(house.tenant, other)).retentions
    assert (change.due, change.at_most) == (1, True)


async def test_what_somebody_searched_for_goes_out_of_the_audit_and_nothing_else_can(house: Stage, lea: Actor) -> None:
    lead = await house.lead(lea, first_name="Zebulon")
    kept = await house.lead(lea, first_name="Anna", email="anna@exemple.fr", newsletter=True)
    for words in ("Zebulon", "Anna"):
        await read(house.tenant, house.people["rita"], lambda unit, q=words: unit.records.list("lead", Query(q=q)))  # type: ignore[misc] # the round's words
    await house.tenant.readings.flush()
    await auditing.seal(house.tenant)
    await later(house, 90)
    await later(house, 20)
    assert (await there(house, lead), await there(house, kept)) == (False, True)
    await auditing.seal(house.tenant)
    searched = await house.rows("_audit", "detail", where="\"kind\" = 'searched'")
    assert searched == [(None,), ('"Anna"',)]
    assert (await chain.verify(house.tenant.store, VAULT)).broken is None
    for change in ('"detail" = NULL', "\"detail\" = 'x'"):
        with pytest.raises(ConstraintError):
            await house.tenant.store.write(
                lambda tx, change=change: tx.run(f'UPDATE "_audit" SET {change} WHERE "detail" LIKE \'%Anna%\'')  # type: ignore[misc] # noqa: S608 - the round's change
            )


BORN = edited(SMALL, (KEPT, "retention: {after: 1 months, since: birth_date}"))


async def test_a_date_counts_from_its_day_and_one_that_is_empty_does_not_count(make_stage: MakeStage) -> None:
    stage = await make_stage(BORN)
    lea = await stage.person("Lea", "distributor")
    born, unborn = await stage.lead(lea, birth_date="2026-03-10"), await stage.lead(lea, email="b@exemple.fr")
    await later(stage, 38.4)  # the 9th of April, 20:36 in UTC
    assert await there(stage, born)
    await later(stage, 0.1)  # the 10th in Paris
    assert not await there(stage, born)
    await later(stage, 3000)
    assert await there(stage, unborn)


@pytest.mark.parametrize("wait", ["0", '"[-1, 0, 0, 0]"', "null"], ids=["no time", "the past", "nothing"])
async def test_a_time_that_is_none_keeps_for_ever(make_stage: MakeStage, wait: str) -> None:
    files = edited(SMALL, (KEPT, "retention: {after: =settings.lead_retention}"))
    stage = await make_stage(files)
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    kept = ["lead_retention", wait, "2026-03-02 11:00:00.000000+00:00", None]
    await stage.tenant.store.write(lambda tx: tx.run(SETTING.insert(), kept))
    await later(stage, 5000)
    assert await there(stage, lead)


async def test_a_plan_tells_of_times_that_come_and_go_and_not_of_names(make_stage: MakeStage) -> None:
    stage = await make_stage(BORN)
    named = edited(BORN, ("birth_date:   {", "born: {was: birth_date, "), ("since: birth_date", "since: born"))
    assert (await propose(stage.tenant, named)).retentions == ()
    timed = edited(BORN, ("search: [name]\n", "search: [name]\nretention: {after: 2 years, warn: 1w}\n"))
    assert (await propose(stage.tenant, timed)).retentions == (RetentionChange("company", "added"),)
    await publishing.publish(stage.tenant, timed)
    assert (await propose(stage.tenant, BORN)).retentions == (RetentionChange("company", "removed"),)


WAITING = """
automation: waits
when: {entered: recruiting.contacted}
do: [{wait: {for: 200d}}]
---
automation: stays
when: {stays: {state: recruiting.contacted, for: 300d}}
do: [{task: {title: {fr: A, en: A}}}]
---
automation: comes
when: {due: {entity: lead, at: next_call_at, before: 1d}}
do: [{task: {title: {fr: A, en: A}}}]
"""


async def test_what_waits_over_it_ends_with_it(make_stage: MakeStage) -> None:
    stage = await make_stage({**PACK, "waiting.yaml": WAITING})
    lea = await stage.person("Lea", "distributor")
    lead = await stage.lead(lea)
    await stage.call(lea, lead, next_call_at="2027-03-05T10:00")
    await stage.worker.run_due()
    owed = f"\"payload\" LIKE '%{lead.id}%' AND \"state\" = 'ready'"
    assert sorted(await stage.rows("_outbox", "kind", where=owed)) == [("due",), ("stays",)]
    await later(stage, 90)
    await later(stage, 20)
    assert not await there(stage, lead)
    assert await stage.rows("_run", "id") == []
    assert await stage.rows("_outbox", "kind", where=f"\"payload\" LIKE '%{lead.id}%'") == []
