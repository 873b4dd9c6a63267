"""The members' pages and the sponsor tree."""

from __future__ import annotations

import html
import re

import pytest

from models.tx import Tx
from tests.admin.office import ALICE, CAMILLE, DIANE, LEADER, Office, Visitor

pytestmark = pytest.mark.anyio

ZOE = {
    "first_name": "Zoé",
    "last_name": "Ward",
    "email": "zoe@exemple.fr",
    "country": "FR",
    "language": "en",
    "sponsor": DIANE,
    "levels": "distributor",
}


async def do(visitor: Visitor, member: str, what: str, **given: str) -> int:
    """Press a button of a member's page; return the status."""
    page = f"members/{member}"
    return (await visitor.post(page, {"do": what, **given}, on=page)).status_code


async def test_who_runs_the_network_finds_and_invites(office: Office) -> None:
    async with office.signed_in(LEADER) as leader:
        page = (await leader.get("members")).text
        assert "4 members" in page
        assert 'href="/n/small/members"' in (await leader.get("")).text
        found = (await leader.get("members?q=diane")).text
        assert "Diane Petit" in found
        assert "Alice Martin" not in found
        invited = await leader.post("members/invite", ZOE, on="members/invite")
        assert invited.status_code == 303
        shown = (await leader.get(invited.headers["location"])).text
        assert "Sponsor: Diane Petit" in shown
        assert "Withdraw the invitation" in shown
        again = await leader.post("members/invite", ZOE, on="members/invite")
        assert again.status_code == 422
        assert "This is taken already." in again.text
        abroad = await leader.post("members/invite", {**ZOE, "country": "US"}, on="members/invite")
        assert "The network is not open in this country" in abroad.text


async def test_the_buttons_of_a_member(office: Office) -> None:
    member = office.members[DIANE]
    async with office.signed_in(LEADER) as leader, office.signed_in(DIANE) as diane:
        assert await do(leader, member, "levels", levels="assistant") == 303
        assert "Assistant" in (await diane.get("account")).text
        assert await do(leader, member, "reset") == 303
        assert await do(leader, member, "sign-out") == 303
        assert (await diane.get("")).status_code == 303
        assert await do(leader, member, "suspend") == 422
        assert await do(leader, member, "suspend", reason="not paid") == 303
        page = (await leader.get(f"members/{member}")).text
        assert "Suspended" in page
        assert "not paid" in page
        async with office.visitor() as visitor:
            assert (await visitor.sign_in(DIANE)).status_code == 422
        assert await do(leader, member, "resume") == 303
        async with office.visitor() as visitor:
            assert (await visitor.sign_in(DIANE)).status_code == 303
        assert await do(leader, member, "nonsense") == 404
        assert await do(leader, member, "withdraw") == 404


async def test_the_leader_assists_and_the_member_sees_it(office: Office) -> None:
    async with office.signed_in(LEADER) as leader, office.signed_in(CAMILLE) as camille:
        page = f"members/{office.members[CAMILLE]}"
        assert (await leader.post(f"{page}/office", on=page)).status_code == 303
        assert "Claire Alba, you act for Camille Roux." in (await leader.get("e/lead/")).text
        await leader.post("e/lead/new", {"first_name": "Zulma", "last_name": "Q", "country": "FR"}, on="e/lead/new")
        account = (await camille.get("account/offices")).text
        assert "Claire Alba" in account
        assert "Assistance by who runs the network" in account
        [(lead,)] = await office.tenant.store.read(lambda tx: tx.rows('SELECT "id" FROM "lead"'))
        assert "Claire Alba for Camille Roux" in (await camille.get(f"e/lead/{lead}")).text
        await camille.post("account/closed", {"closed": "true"}, on="account")
        assert (await leader.get("e/lead/")).headers["location"] == "/n/small/"
        assert (await leader.post(f"{page}/office", on=page)).status_code == 403
        assert "has closed the own data" in (await leader.get(page)).text


@pytest.mark.parametrize("path", ["members", "members/invite", "members/{member}"])
async def test_nobody_else_finds_these_pages(office: Office, path: str) -> None:
    member = office.members[LEADER]
    async with office.signed_in(CAMILLE) as camille:
        path = path.format(member=member)
        assert (await camille.get(path)).status_code == 404
        assert (await camille.post(f"members/{member}", {"do": "sign-out"})).status_code == 404
        assert (await camille.post(f"members/{member}/office")).status_code == 404
        assert (await camille.post("members/invite", ZOE)).status_code == 404


def told(page: str) -> str:
    """Return the text of a page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_the_tree_is_seen_as_far_as_one_reads(office: Office) -> None:
    async with office.signed_in(LEADER) as leader:
        assert "Claire Alba 3 below" in told((await leader.get("tree")).text)
        below = told((await leader.get(f"tree?at={office.members[LEADER]}")).text)
        assert "Camille Roux 1 below" in below
        assert "Alice Martin 0 below" in below
        assert "Diane Petit" in told((await leader.get("tree?q=petit")).text)
    async with office.signed_in(CAMILLE) as camille:
        page = told((await camille.get("tree")).text)
        assert "Diane Petit 0 below" in page
        assert "Claire" not in page
        assert "Claire" not in told((await camille.get("tree?q=claire")).text).replace("Search", "")
        assert (await camille.get(f"tree?at={office.members[LEADER]}")).status_code == 404
        assert (await camille.get(f"tree?at={office.members[ALICE]}")).status_code == 404
    async with office.signed_in(ALICE) as alice:
        assert (await alice.get("tree")).status_code == 404
        assert 'href="/n/small/tree"' not in (await alice.get("")).text


async def sponsor_of(office: Office, email: str) -> str | None:
    """Return who sponsors a member."""

    async def work(tx: Tx) -> str | None:
        row = await tx.row('SELECT "sponsor" FROM "member" WHERE "id" = ?', [office.members[email]])
        return None if row is None or row[0] is None else str(row[0])

    return await office.tenant.store.read(work)


async def test_a_branch_moves_when_it_is_confirmed_and_never_below_itself(office: Office) -> None:
    member = office.members[CAMILLE]
    page = f"tree?at={member}"
    async with office.signed_in(LEADER) as leader:
        form = {"member": member, "sponsor": ALICE, "sure": "true"}
        assert (await leader.post("tree", {"member": member, "sponsor": ALICE}, on=page)).status_code == 422
        cycle = await leader.post("tree", {**form, "sponsor": DIANE}, on=page)
        assert cycle.status_code == 422
        assert "cannot be below itself" in cycle.text
        assert await sponsor_of(office, CAMILLE) == office.members[LEADER]
        assert (await leader.post("tree", form, on=page)).status_code == 303
        assert "Alice Martin 2 below" in told((await leader.get(f"tree?at={office.members[LEADER]}")).text)
        nobody = await leader.post("tree", {**form, "sponsor": "nobody@exemple.fr"}, on=page)
        assert "Nobody whom you may see" in nobody.text
    async with office.signed_in(CAMILLE) as camille:
        assert "Move this branch" in (await camille.get("tree")).text
        moved = await camille.post("tree", {"member": office.members[DIANE], "sponsor": "", "sure": "true"}, on="tree")
        assert moved.status_code == 403
