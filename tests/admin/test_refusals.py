"""What is refused stands in the server's log, with who and from where, and without what was sent."""

from __future__ import annotations

import httpx
import pytest
from structlog.testing import capture_logs

from models.actor import SYSTEM
from tests.admin.office import ALICE, CAMILLE, DIANE, Office
from workflows import commands

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-a-mail-zq77"


async def test_a_refusal_is_a_line_with_who_what_and_from_where(office: Office) -> None:
    given = {"first_name": "Zulma", "last_name": "Q", "country": "FR", "owner": office.members[DIANE]}
    lead = (await commands.create(office.tenant, SYSTEM, "lead", given)).id
    async with office.signed_in(CAMILLE) as camille, office.signed_in(ALICE) as alice:
        with capture_logs() as logged:
            assert (await camille.get(f"e/lead/{lead}")).status_code == 404
            assert (await alice.get("e/lead/new")).status_code == 403
            assert (await camille.http.post("/n/small/tasks", data={"title": "x"})).status_code == 403
            assert (await camille.get("api/v1/entities/lead", authorization="Bearer maille_x")).status_code == 401
            assert (await camille.get("tasks")).status_code == 200
    told = [
        (each["status"], each["entity"], each["member"], each["ip"]) for each in logged if each["event"] == "refused"
    ]
    who, from_where = (office.members[CAMILLE], office.members[ALICE]), "203.0.113.7"
    assert told[:3] == [
        (404, "lead", who[0], from_where),
        (403, "lead", who[1], from_where),
        (403, "", who[0], from_where),
    ]
    assert [each[0] for each in told] == [404, 403, 403, 401]
    assert "Zulma" not in str(logged)


@pytest.mark.parametrize("link", ["join", "sign-in/reset", "account/email", "no-such-page"])
async def test_no_link_of_a_mail_is_written_down(office: Office, link: str) -> None:
    async with office.signed_in(CAMILLE) as camille:
        with capture_logs() as logged:
            assert (await camille.get(f"{link}/{SECRET}?token={SECRET}")).status_code == 404
    assert [each["event"] for each in logged] == ["refused", "request"]
    assert SECRET not in str(logged)


async def test_nobody_is_shown_what_was_sent_to_the_server(office: Office) -> None:
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        answers = [
            await http.request("TRACE", path, headers={"x-secret": SECRET}) for path in ("/", "/n/small/sign-in")
        ]
    assert [answer.status_code for answer in answers] == [405, 403]
    assert not any(SECRET in answer.text for answer in answers)
