"""Acting in somebody's office: what it lets do, what it never does, and when it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from models import sessions
from models.actor import SYSTEM, Actor
from models.delegations import KEPT, LONGEST, Delegation, Office
from models.errors import InvalidError, NotFoundError, RefusedError
from models.sessions import Session
from tests.networks import SMALL, changed
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, jobs, membership, offices, upkeep
from workflows.offices import Given
from workflows.timeline import timeline

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
MIA = "mia@exemple.fr"


@pytest.fixture
async def mia(stage: Stage, lea: Actor) -> Actor:
    """A distributor and assistant below Léa, whom Léa may read therefore."""
    return await stage.person("Mia", "distributor", "assistant", sponsor=lea.id)


async def session_of(stage: Stage, actor: Actor) -> Session:
    """Return the session of a member as it is kept now, made where there is none."""
    now, tenant = stage.clock.now(), stage.tenant
    made = Session(f"session of {actor.id}", str(actor.id), "csrf", now, now, None, "")
    if await tenant.store.read(lambda tx: sessions.find(tx, made.id)) is None:
        await tenant.store.write(lambda tx: sessions.store_session(tx, made))
    found = await tenant.store.read(lambda tx: sessions.find(tx, made.id))
    assert found is not None
    return found


async def lent(stage: Stage, member: Actor, *levels: str, begins: datetime | None = None) -> Delegation:
    """Let Mia act for a member, for a day."""
    begun = begins or stage.clock.now()
    return await offices.give(stage.tenant, member, Given(MIA, levels or member.levels, begins, begun + DAY))


async def inside(stage: Stage, actor: Actor) -> Office | None:
    """Return the office that the actor's session is in."""
    return await offices.of_session(stage.tenant, await session_of(stage, actor), "192.0.2.9")


async def entered(stage: Stage, actor: Actor, delegation: Delegation) -> Office:
    """Come into an office."""
    await offices.enter(stage.tenant, actor, await session_of(stage, actor), delegation.id)
    found = await inside(stage, actor)
    assert found is not None
    return found


async def assisting(stage: Stage, rita: Actor, member: Actor) -> Office:
    """Let Rita assist in a member's office."""
    await offices.assist(stage.tenant, rita, await session_of(stage, rita), str(member.id))
    found = await inside(stage, rita)
    assert found is not None
    return found


async def test_who_acts_is_the_member_to_every_rule_and_is_named_in_the_history(
    stage: Stage, lea: Actor, mia: Actor
) -> None:
    office = await entered(stage, mia, await lent(stage, lea))
    assert (office.actor.id, office.actor.through, office.actor.levels) == (lea.id, mia.id, ("distributor",))
    mine = await stage.lead(lea)
    await commands.update(stage.tenant, office.actor, "lead", mine.id, None, {"city": "Lyon"})
    made = await stage.lead(office.actor, email="other@exemple.fr")
    assert made.full["owner"]["id"] == lea.id
    [changed, created] = await timeline(stage.tenant, lea, "lead", mine.id)
    assert (changed.actor_name, changed.through_name, created.through_name) == ("Lea Roux", "Mia Roux", "")
    with pytest.raises(RefusedError):
        await commands.update(stage.tenant, mia, "lead", mine.id, None, {"city": "Nice"})


async def test_a_mail_of_the_office_names_both(stage: Stage, lea: Actor, mia: Actor) -> None:
    office = await entered(stage, mia, await lent(stage, lea))
    lead = await stage.lead(lea)
    await stage.call(office.actor, lead)
    stage.clock.forward(timedelta(minutes=11))
    await stage.worker.run_due()
    assert await stage.rows("_mail", "sender") == [("Mia Roux pour Lea Roux",)]


CHAIN = changed(
    SMALL,
    chain="""
automation: moves
label: {en: Moves house}
when: {created: lead}
do: [{set: {city: Lyon}}, {create: {entity: company, values: {name: Lyon}}}]
---
automation: founded
label: {en: Founded}
when: {created: company}
do: [{set: {city: Lyon}}]
""",
)


@pytest.mark.parametrize("stays", [True, False], ids=["the member stays", "the member goes meanwhile"])
async def test_what_automations_do_that_began_in_an_office_names_who_was_there(
    make_stage: MakeStage, *, stays: bool
) -> None:
    stage = await make_stage(CHAIN)
    lea = await stage.person("Lea", "distributor")
    mia = await stage.person("Mia", "distributor", "assistant", sponsor=lea.id)
    office = await entered(stage, mia, await lent(stage, lea))
    lead = await stage.lead(office.actor)
    await membership.set_active(stage.tenant, "lea@exemple.fr", active=stays)
    await stage.worker.run_due()
    rows = await stage.rows("_history", "entity", "kind", "through", where="run IS NOT NULL")
    assert sorted(rows) == [
        ("company", "created", mia.id),
        ("company", "updated", mia.id),
        ("lead", "updated", mia.id),
    ]
    kept = await stage.rows("_audit", "through", where="run IS NOT NULL")
    assert kept == [(mia.id,)] * 3
    told = {event.kind: event for event in await timeline(stage.tenant, lea, "lead", lead.id)}
    assert (told["updated"].automation, told["updated"].through_name) == ("moves", "Mia Roux")


Ended = Callable[[Stage, Actor, Actor, Delegation], Awaitable[object]]
ENDS: dict[str, Ended] = {
    "its member ends it": lambda stage, lea, _, given: offices.revoke(stage.tenant, lea, given.id),
    "it is given up": lambda stage, _, mia, given: offices.revoke(stage.tenant, mia, given.id),
    "the day is over": lambda stage, *_: _later(stage),
    "its member goes": lambda stage, *_: membership.set_active(stage.tenant, "lea@exemple.fr", active=False),
    "who acts goes": lambda stage, *_: commands.update(
        stage.tenant, SYSTEM, "member", str(_[1].id), None, {"active": False}
    ),
    "the level goes": lambda stage, *_: membership.change_levels(stage.tenant, "lea@exemple.fr", lambda _: ()),
}


async def _later(stage: Stage) -> None:
    stage.clock.forward(DAY)


@pytest.mark.parametrize("end", ENDS)
async def test_the_rights_are_over_with_the_next_request_when(stage: Stage, lea: Actor, mia: Actor, end: str) -> None:
    given = await lent(stage, lea)
    await entered(stage, mia, given)
    await ENDS[end](stage, lea, mia, given)
    assert await inside(stage, mia) is None
    with pytest.raises((NotFoundError, RefusedError)):
        await offices.enter(stage.tenant, mia, await session_of(stage, mia), given.id)


async def test_it_does_not_begin_before_its_day(stage: Stage, lea: Actor, mia: Actor) -> None:
    given = await lent(stage, lea, begins=stage.clock.now() + DAY)
    with pytest.raises(RefusedError):
        await entered(stage, mia, given)
    stage.clock.forward(DAY)
    assert (await entered(stage, mia, given)).actor.id == lea.id


async def test_only_the_levels_that_were_lent_are_there_today(stage: Stage, mia: Actor) -> None:
    zoe = await stage.person("Zoe", "distributor", "assistant", sponsor=mia.id)
    given = await offices.give(stage.tenant, mia, Given("zoe@exemple.fr", ["assistant"], None, stage.clock.now() + DAY))
    office = await entered(stage, zoe, given)
    assert office.actor.levels == ("assistant",)
    assert office.actor.member is not None
    assert office.actor.member["levels"] == ("assistant",)
    with pytest.raises(RefusedError):
        await stage.lead(office.actor)
    await membership.change_levels(stage.tenant, MIA, lambda _: ["distributor"])
    assert await inside(stage, zoe) is None


@pytest.mark.parametrize("values", [{"phone": "0639980002"}, {"email": "mine@exemple.fr"}])
async def test_nobody_changes_members_in_the_office_of_another(
    stage: Stage, lea: Actor, mia: Actor, values: dict[str, str]
) -> None:
    office = await entered(stage, mia, await lent(stage, lea))
    with pytest.raises(RefusedError):
        await commands.update(stage.tenant, office.actor, "member", str(lea.id), None, values)
    await commands.update(stage.tenant, lea, "member", str(lea.id), None, {"phone": "0639980002"})


async def test_what_is_the_members_own_is_refused_in_words(stage: Stage, lea: Actor, mia: Actor) -> None:
    given = await lent(stage, lea)
    actor = (await entered(stage, mia, given)).actor
    for forbidden in (
        offices.listed(stage.tenant, actor),
        offices.give(stage.tenant, actor, Given(MIA, actor.levels, None, stage.clock.now() + DAY)),
        offices.revoke(stage.tenant, actor, given.id),
        offices.close(stage.tenant, actor, closed=False),
        offices.enter(stage.tenant, actor, await session_of(stage, lea), given.id),
        offices.assist(stage.tenant, actor, await session_of(stage, mia), str(lea.id)),
    ):
        with pytest.raises(RefusedError):
            await forbidden


async def test_who_runs_the_network_assists_with_the_members_rights_and_no_administration(
    stage: Stage, lea: Actor, rita: Actor
) -> None:
    office = await assisting(stage, rita, lea)
    access = stage.tenant.published.access
    assert (office.actor.levels, office.actor.through) == (("distributor",), rita.id)
    assert not access.administers(office.actor)
    zoe = await stage.person("Zoe", "distributor")
    theirs = await stage.lead(zoe)
    with pytest.raises(NotFoundError):
        await commands.update(stage.tenant, office.actor, "lead", theirs.id, None, {"city": "Lyon"})
    listed = await offices.listed(stage.tenant, lea)
    assert [(each.kind, listed.names[each.delegate]) for each in listed.mine] == [("assistance", "Rita Roux")]
    await offices.leave(stage.tenant, await session_of(stage, rita))
    assert await inside(stage, rita) is None
    assert [each.over(stage.clock.now()) for each in (await offices.listed(stage.tenant, lea)).mine] == [True]


async def test_a_leader_in_the_office_of_a_leader_administers_nothing(stage: Stage, rita: Actor) -> None:
    boss = await stage.person("Boss", "leader")
    office = await assisting(stage, rita, boss)
    assert not stage.tenant.published.access.administers(office.actor)
    with pytest.raises(RefusedError):
        await commands.update(stage.tenant, office.actor, "member", str(rita.id), None, {"levels": ()})


async def test_a_member_that_closes_the_own_data_is_alone_at_once(stage: Stage, lea: Actor, rita: Actor) -> None:
    await assisting(stage, rita, lea)
    await offices.close(stage.tenant, lea, closed=True)
    assert await offices.is_closed(stage.tenant, lea)
    assert await inside(stage, rita) is None
    with pytest.raises(RefusedError):
        await assisting(stage, rita, lea)
    await offices.close(stage.tenant, lea, closed=False)
    assert (await assisting(stage, rita, lea)).actor.id == lea.id


async def test_assistance_is_for_who_runs_the_network_and_ends_with_that(stage: Stage, lea: Actor, rita: Actor) -> None:
    with pytest.raises(NotFoundError):
        await offices.assist(stage.tenant, lea, await session_of(stage, lea), str(rita.id))
    await assisting(stage, rita, lea)
    await membership.change_levels(stage.tenant, "rita@exemple.fr", lambda _: ["distributor"])
    assert await inside(stage, rita) is None


async def test_a_job_that_was_begun_in_an_office_ends_with_the_delegation(
    stage: Stage, lea: Actor, mia: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 1)
    given = await lent(stage, lea)
    office = await entered(stage, mia, given)
    leads = [(await stage.lead(lea, email=f"{n}@exemple.fr")).id for n in range(3)]
    job = await jobs.begin(stage.tenant, office.actor, "lead", "delete", {}, leads)
    await offices.revoke(stage.tenant, lea, given.id)
    await stage.worker.run_due()
    found, _ = await jobs.seen(stage.tenant, lea, job.id)
    assert (found.state, found.done) == ("failed", 1)


@pytest.mark.parametrize(
    ("email", "levels", "days", "wrong"),
    [
        ("nobody@exemple.fr", ("distributor",), (None, DAY), {"email"}),
        ("rita@exemple.fr", ("distributor",), (None, DAY), {"email"}),
        ("lea@exemple.fr", ("distributor",), (None, DAY), {"email"}),
        (MIA, ("leader",), (None, DAY), {"levels"}),
        (MIA, (), (None, DAY), {"levels"}),
        (MIA, ("distributor",), (None, None), {"ends"}),
        (MIA, ("distributor",), (None, -DAY), {"ends"}),
        (MIA, ("distributor",), (2 * DAY, DAY), {"ends"}),
        (MIA, ("distributor",), (None, LONGEST + DAY), {"ends"}),
    ],
)
@pytest.mark.usefixtures("mia")
async def test_what_is_not_lent(
    stage: Stage,
    lea: Actor,
    email: str,
    levels: tuple[str, ...],
    days: tuple[timedelta | None, timedelta | None],
    wrong: set[str],
) -> None:
    begins, ends = days
    now = stage.clock.now()
    first, last = (None if span is None else now + span for span in (begins, ends))
    given = Given(email, levels, first, last)
    with pytest.raises(InvalidError) as refused:
        await offices.give(stage.tenant, lea, given)
    assert refused.value.fields.keys() == wrong
    assert await stage.rows("_delegation", "id") == []


async def test_whom_one_may_not_see_is_as_unknown_as_nobody(stage: Stage, lea: Actor) -> None:
    said = []
    for email in ("rita@exemple.fr", "nobody@exemple.fr"):
        with pytest.raises(InvalidError) as refused:
            await offices.give(stage.tenant, lea, Given(email, lea.levels, None, stage.clock.now() + DAY))
        said.append(str(refused.value.fields["email"]))
    assert said[0] == said[1]


async def test_who_was_where_is_forgotten_after_a_year(stage: Stage, lea: Actor, mia: Actor) -> None:
    given = await lent(stage, lea)
    stage.clock.forward(DAY + KEPT - timedelta(seconds=1))
    await upkeep.purge(stage.tenant)
    assert [each.id for each in (await offices.listed(stage.tenant, mia)).others] == [given.id]
    stage.clock.forward(timedelta(seconds=1))
    assert (await offices.listed(stage.tenant, mia)).others == []
    await upkeep.purge(stage.tenant)
    assert await stage.rows("_delegation", "id") == []
