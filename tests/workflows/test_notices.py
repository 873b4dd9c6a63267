"""Notifications: for members alone, what they may read, taken back with the move, as mails too for who wants that."""

from __future__ import annotations

import pytest

from definitions.pack import load
from models.actor import SYSTEM, Actor
from models.errors import NotFoundError
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands, notices, preferences
from workflows.notices import Notice, Notices
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

CALLED = """
template: called
channel: notification
about: lead
subject: {fr: "{{ record.first_name }} attend", en: "{{ record.first_name }} waits"}
body: {fr: "**Appelez** {{ record.phone | default('-') }}", en: "**Call** {{ record.phone | default('-') }}"}
"""


def telling(to: str, when: str = "{created: lead}") -> dict[str, str]:
    """Return a network that tells somebody about leads."""
    return {**automation(when, f"  - notify: {{template: called, to: {to}}}"), "called.yaml": CALLED}


async def of(stage: Stage, actor: Actor) -> list[Notice]:
    """Return what a member is told, newest first."""
    return list((await read(stage.tenant, actor, notices.page)).notices)


async def unread(stage: Stage, actor: Actor) -> int:
    """Return how much a member has not read."""
    return await stage.tenant.store.read(lambda tx: notices.unread(tx, str(actor.id)))


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("=record.owner", {"lea"}),
        ("=record.owner.sponsor", set()),
        ("{level: distributor}", {"lea"}),
        ("[=record.owner, =actor]", {"lea"}),
    ],
)
async def test_members_who_may_read_the_record_are_told_once(make_stage: MakeStage, to: str, told: set[str]) -> None:
    stage, lea = await staged(make_stage, telling(to))
    people = {
        "lea": lea,
        "ida": await stage.person("Ida", "distributor"),
        "noe": await stage.person("Noe", "assistant"),
    }
    gone = await stage.person("Ugo", "distributor")
    await commands.update(stage.tenant, SYSTEM, "member", str(gone.id), None, {"active": False})
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    assert {name for name, actor in people.items() if await of(stage, actor)} == told
    for name in told:
        (notice,) = await of(stage, people[name])
        assert (notice.subject, notice.entity, notice.record) == ("Paul attend", "lead", lead.id)
        assert notice.text == "Appelez +33639980001"
        assert "<strong>Appelez</strong>" in notice.html
        assert notice.read_at is None
    assert not stage.mailbox.letters


def test_a_level_that_may_not_read_what_is_told_is_found_before() -> None:
    assert "automation.unreadable" in [problem.code for problem in load(telling("{level: assistant}")).problems]


async def test_what_a_member_may_no_longer_read_is_not_told_any_more(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, telling("=record.owner"))
    ida = await stage.person("Ida", "distributor")
    lead = await stage.lead(lea)
    await stage.worker.run_due()
    await commands.update(stage.tenant, SYSTEM, "lead", lead.id, None, {"owner": ida.id})
    (notice,) = await of(stage, lea)
    assert (notice.subject, notice.body, notice.record, notice.title) == ("", "", None, "")
    await commands.delete(stage.tenant, SYSTEM, "lead", lead.id, None)
    (notice,) = await of(stage, lea)
    assert (notice.subject, notice.body, notice.record) == ("", "", None)


async def test_a_text_that_shows_what_was_hidden_since_is_hidden(make_stage: MakeStage) -> None:
    hidden = (
        "fields: {income_goal: {read: mine, write: none}}",
        'fields: {phone: {read: record.city == "Lyon", write: mine}}',
    )
    stage, lea = await staged(make_stage, edited(telling("=record.owner"), hidden))
    lead = await stage.lead(lea, city="Lyon")
    await stage.worker.run_due()
    assert [notice.subject for notice in await of(stage, lea)] == ["Paul attend"]
    await commands.update(stage.tenant, SYSTEM, "lead", lead.id, None, {"city": "Paris"})
    (notice,) = await of(stage, lea)
    assert (notice.subject, notice.body, notice.record) == ("", "", lead.id)


async def test_notifications_are_read_one_by_one_or_all_and_by_nobody_else(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, telling("=record.owner"))
    ida = await stage.person("Ida", "distributor")
    for name in ("paul", "ines", "hugo"):
        await stage.lead(lea, email=f"{name}@exemple.fr")
    await stage.worker.run_due()
    assert (await unread(stage, lea), await unread(stage, ida)) == (3, 0)
    first = (await of(stage, lea))[-1]
    with pytest.raises(NotFoundError):
        await write(stage.tenant, ida, lambda unit: notices.mark(unit, first.id))
    await write(stage.tenant, lea, lambda unit: notices.mark(unit, first.id))
    assert await unread(stage, lea) == 2
    await write(stage.tenant, ida, notices.mark)
    await write(stage.tenant, lea, notices.mark)
    assert await unread(stage, lea) == 0


async def test_pages_go_on_where_the_one_before_ended(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, telling("=record.owner"))
    for name in ("paul", "ines", "hugo"):
        await stage.lead(lea, email=f"{name}@exemple.fr")
    await stage.worker.run_due()

    async def page(before: str | None) -> Notices:
        return await read(stage.tenant, lea, lambda unit: notices.page(unit, before=before, limit=2))

    first = await page(None)
    second = await page(first.next)
    assert [len(first.notices), len(second.notices), second.next] == [2, 1, None]
    assert len({each.id for each in (*first.notices, *second.notices)}) == 3


async def test_who_wants_them_by_mail_too_gets_a_mail(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, telling("{level: distributor}"))
    await stage.person("Ida", "distributor")
    await write(stage.tenant, lea, lambda unit: preferences.choose(unit, str(lea.id), "notices_by_mail", wanted=True))
    await stage.lead(lea)
    await stage.worker.run_due()
    (letter,) = stage.mailbox.letters
    assert (letter["To"], letter["Subject"]) == ("lea@exemple.fr", "Paul attend")
    await write(stage.tenant, lea, lambda unit: preferences.choose(unit, str(lea.id), "notices_by_mail", wanted=False))
    await stage.lead(lea, email="ines@exemple.fr")
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 1


async def test_a_move_that_is_taken_back_takes_what_nobody_read_with_it(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, telling("{level: distributor}", "{moved: recruiting.call}"))
    ida = await stage.person("Ida", "distributor", sponsor=lea.id)
    moved = await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    assert [await unread(stage, actor) for actor in (lea, ida)] == [1, 0]
    await commands.undo(stage.tenant, lea, moved.history)
    assert await of(stage, lea) == []
