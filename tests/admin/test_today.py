"""Today, tasks, e-mails and the own account, through HTTP."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models.actor import Actor
from models.members import load_actor
from models.tx import Tx
from tests.admin.office import ALICE, CAMILLE, DIANE, LEADER, Office
from workflows import commands, tasks
from workflows.worker import Worker

pytestmark = pytest.mark.anyio


async def actor(office: Office, email: str) -> Actor:
    async def work(tx: Tx) -> Actor | None:
        return await load_actor(office.tenant.published, tx, office.members[email])

    found = await office.tenant.store.read(work)
    assert found is not None
    return found


async def lead(office: Office, owner: str, **values: object) -> str:
    given = {"first_name": "Ana", "last_name": "Blanc", "phone": "+33639981234", "city": "Lyon", **values}
    return (await commands.create(office.tenant, await actor(office, owner), "lead", given)).id


async def test_today_shows_the_tiles_of_the_definition_with_what_the_member_may_read(office: Office) -> None:
    await lead(office, CAMILLE)
    await lead(office, DIANE, last_name="Noir")
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get()).text
        assert "Hello Camille" in page
        assert "Monday 2 March" in page
        assert "In Lyon" in page
        assert "Ana Blanc" in page
        assert "Noir" not in page
        assert "Leads by stage" in page
        assert "Welcome <strong>all</strong>" in page
        assert re.search(r'Leads in all</span><span class="v num">1<', page)


async def test_a_level_without_a_home_gets_tasks_and_its_first_list(office: Office) -> None:
    async with office.signed_in(ALICE) as visitor:
        page = (await visitor.get()).text
        assert "To do" in page
        assert "Leads by stage" not in page


async def test_a_task_is_added_done_and_taken_back(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        await visitor.post("tasks", {"title": "Call <Ana>", "day": "2026-03-02", "hour": "15:30"}, on="tasks")
        page = (await visitor.get("tasks")).text
        assert "Call &lt;Ana&gt;" in page
        assert "15:30" in page
        task = (await tasks.mine(office.tenant, await actor(office, CAMILLE)))[0].id
        answer = await visitor.post(f"tasks/{task}/done", {"back": "/n/small/"})
        assert answer.headers["location"] == "/n/small/"
        page = (await visitor.get()).text
        assert "The task is done." in page
        assert f'action="/n/small/tasks/{task}/reopen"' in page
        assert "The task is done." not in (await visitor.get()).text, "a note is shown once"
        assert "Call" in (await visitor.get("tasks?done=1")).text
        await visitor.post(f"tasks/{task}/reopen")
        assert "Call" in (await visitor.get("tasks")).text


async def test_tasks_stand_under_late_today_and_later(office: Office) -> None:
    camille = await actor(office, CAMILLE)
    for title, days in (("one", -1), ("two", 0), ("three", 3)):
        due = office.clock.now() + timedelta(days=days)
        await commands.add_task(office.tenant, camille, title=title, due=due)
    async with office.signed_in(CAMILLE) as visitor:
        page = (await visitor.get("tasks")).text
        order = [page.index(word) for word in ("Late", ">one<", ">two<", "Later", ">three<")]
        assert order == sorted(order)
        assert "1 late task, 1 task for today" in (await visitor.get()).text


@pytest.mark.parametrize("form", [{"title": "  "}, {"title": "Call", "day": "soon"}])
async def test_a_task_that_says_too_little_is_refused_with_a_sentence(office: Office, form: dict[str, str]) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post("tasks", form, on="tasks")
        assert answer.status_code == 422
        assert "is-wrong" in answer.text or 'class="error"' in answer.text


async def test_a_task_of_somebody_else_is_not_there(office: Office) -> None:
    await commands.add_task(office.tenant, await actor(office, DIANE), title="Private")
    task = (await tasks.mine(office.tenant, await actor(office, DIANE)))[0].id
    async with office.signed_in(CAMILLE) as visitor:
        absent = await visitor.post("tasks/00000000-0000-7000-8000-999999999999/done")
        foreign = await visitor.post(f"tasks/{task}/done")
        assert (foreign.status_code, foreign.text.count("csrf")) == (absent.status_code, absent.text.count("csrf"))
        assert foreign.status_code == 404


async def _a_mail(office: Office) -> None:
    record = await lead(office, CAMILLE, email="ana@exemple.fr")
    form = {"comment": "Warm", "next_call_at": "2026-03-05T10:00"}
    await commands.move(office.tenant, await actor(office, CAMILLE), "lead", record, "call", form=form)
    await Worker(office.tenant).run_due()


async def test_mails_wait_in_sight_when_there_is_no_server_for_them(office: Office) -> None:
    await _a_mail(office)
    async with (
        office.signed_in(CAMILLE) as camille,
        office.signed_in(DIANE) as diane,
        office.signed_in(LEADER) as leader,
    ):
        page = (await camille.get("outbox")).text
        assert "No mail server is set up" in page
        assert "Waiting" in page
        mail = re.search(r'href="/n/small/outbox/([^"?]+)"', page)
        assert mail is not None
        shown = (await camille.get(f"outbox/{mail[1]}")).text
        assert "ana@exemple.fr" in shown
        assert "It leaves at 12:10" in shown
        assert '<a href="/n/small/outbox" aria-current="page">' in shown, "the menu says where one is"
        assert "ana@exemple.fr" in (await leader.get("outbox")).text
        assert "ana@exemple.fr" not in (await diane.get("outbox")).text
        assert (await diane.get(f"outbox/{mail[1]}")).status_code == 404
        assert (await diane.post(f"outbox/{mail[1]}/cancel")).status_code == 404
        await camille.post(f"outbox/{mail[1]}/cancel")
        page = (await camille.get(f"outbox/{mail[1]}")).text
        assert "Cancelled" in page
        assert "The e-mail will not be sent." in page


async def test_members_change_their_language_and_what_their_level_allows(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.post("account", {"phone": "06 39 98 12 34", "language": "fr"}, on="account")
        assert answer.status_code == 303
        page = (await visitor.get("account")).text
        assert "Mon compte" in page
        assert 'value="06 39 98 12 34"' in page
        await visitor.post("account", {"phone": "06 39 98 12 34", "language": "fr"}, on="account")
        assert 'value="06 39 98 12 34"' in (await visitor.get("account")).text, "what is sent back as shown stays"
        refused = await visitor.post("account", {"phone": "call me", "language": "fr"}, on="account")
        assert refused.status_code == 422
        assert 'value="call me"' in refused.text


async def test_a_level_that_may_not_change_members_still_chooses_its_language(office: Office) -> None:
    async with office.signed_in(ALICE) as visitor:
        assert 'name="phone"' not in (await visitor.get("account")).text
        await visitor.post("account", {"phone": "+33639981234", "language": "fr"}, on="account")
        page = (await visitor.get("account")).text
        assert "Mon compte" in page
        assert "+33639981234" not in page


async def test_other_sessions_are_ended_from_the_account(office: Office) -> None:
    async with office.signed_in(CAMILLE) as here, office.signed_in(CAMILLE) as there, office.signed_in(DIANE) as diane:
        page = (await here.get("account")).text
        assert "this device" in page
        assert page.count('name="session"') == 2
        await here.post("account/sessions", {"session": "others"})
        assert (await there.get()).status_code == 303
        assert (await here.get()).status_code == 200
        assert (await diane.get()).status_code == 200
