"""piccolo-admin as the leader has it: behind our sign-in, through our rules, in the leader's language, read only."""

from __future__ import annotations

import gc

import pytest
from piccolo.table import TABLE_REGISTRY
from piccolo_api.fastapi.endpoints import ANNOTATIONS

from admin.piccolo.mount import build
from models.actor import SYSTEM
from tests.admin.office import CAMILLE, LEADER, PASSWORD, Office, Visitor
from workflows import commands

pytestmark = pytest.mark.anyio
LEADS = "back-office/api/tables/Lead/"


async def lead(office: Office, **values: object) -> str:
    owner = office.members[CAMILLE]
    given = {"first_name": "Élodie", "last_name": "Marchand", "owner": owner, "phone": "+33639980001", **values}
    return (await commands.create(office.tenant, SYSTEM, "lead", given)).id


async def rows(visitor: Visitor, query: str = "") -> list[dict[str, object]]:
    answer = await visitor.get(LEADS + query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["rows"]
    return found


@pytest.mark.parametrize("path", ["back-office/", LEADS, "back-office/public/meta/", "back-office/openapi.json"])
async def test_who_does_not_lead_finds_no_back_office(office: Office, path: str) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert (await visitor.get(path)).status_code == 404
    async with office.visitor() as stranger:
        assert (await stranger.get(path)).headers["location"].startswith("/n/small/sign-in")


async def test_the_leader_finds_the_network_under_its_own_name(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        page = await visitor.get("back-office/")
        assert "<title>Small network</title>" in page.text
        assert {"Company", "Lead", "Member"} <= set((await visitor.get("back-office/api/tables/")).json())
        assert (await visitor.get("back-office/api/user/")).json()["username"] == "Claire Alba"


async def test_records_come_with_titles_of_what_they_refer_to(office: Office) -> None:
    record = await lead(office)
    async with office.signed_in(LEADER) as visitor:
        (row,) = await rows(visitor, "?__readable=true")
        assert row["id"] == record
        assert (row["first_name"], row["recruiting"]) == ("Élodie", "new")
        assert (row["owner"], row["owner_readable"]) == (office.members[CAMILLE], "Camille Roux")
        one = (await visitor.get(f"{LEADS}{record}/")).json()
        assert one["last_name"] == "Marchand"


async def test_lists_are_filtered_sorted_and_cut_into_pages(office: Office) -> None:
    for name, city in (("Ana", "Lyon"), ("Bob", "Nice"), ("Cléo", "Lyon")):
        await lead(office, first_name=name, city=city)
    async with office.signed_in(LEADER) as visitor:

        async def names(query: str) -> list[object]:
            return [row["first_name"] for row in await rows(visitor, query)]

        assert await names("?city=Lyon&__order=-first_name") == ["Cléo", "Ana"]
        assert await names("?first_name=cle&first_name__match=contains") == ["Cléo"]
        assert await names("?__order=first_name&__page=2&__page_size=2") == ["Cléo"]
        assert await names("?email__operator=is_null&__order=first_name&__page_size=1") == ["Ana"]
        assert (await visitor.get(f"{LEADS}count/?city=Lyon")).json()["count"] == 2


async def test_columns_carry_the_labels_and_options_of_the_definitions(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        schema = (await visitor.get(f"{LEADS}schema/")).json()
        assert schema["properties"]["recruiting"]["title"] == "Recruiting"
        assert schema["properties"]["recruiting"]["extra"]["choices"]["lost"] == {
            "display_name": "Lost",
            "value": "lost",
        }
        assert schema["properties"]["owner"]["extra"]["foreign_key"] == {"to": "Member", "target_column": "id"}
        assert (await visitor.get("back-office/api/tables/Member/references/")).json()["references"]


@pytest.mark.parametrize("search", ["'", "') UNION SELECT password, member FROM _credential --", "%", "Marchand"])
async def test_the_picker_searches_and_nothing_of_the_search_becomes_sql(office: Office, search: str) -> None:
    record = await lead(office)
    async with office.signed_in(LEADER) as visitor:
        answer = await visitor.http.get(f"/n/small/{LEADS}ids/", params={"search": search, "limit": "5"})
        assert answer.status_code == 200
        assert answer.json() == ({record: "Élodie Marchand"} if search == "Marchand" else {})


@pytest.mark.parametrize("name", ["limit", "offset"])
async def test_a_picker_takes_nothing_but_numbers_for_where_it_begins_and_ends(office: Office, name: str) -> None:
    record = await lead(office)
    async with office.signed_in(LEADER) as visitor:
        answer = await visitor.http.get(f"/n/small/{LEADS}ids/", params={name: "0; DROP TABLE lead"})
        assert answer.json() == {record: "Élodie Marchand"}


async def test_a_record_that_is_not_there_is_not_found_and_a_bad_filter_is_said(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        assert (await visitor.get(f"{LEADS}nothing/")).status_code == 404
        assert (await visitor.get(f"{LEADS}?birth_date=yesterday")).status_code in {400, 422}


async def test_its_sign_out_ends_our_session_and_its_own_accounts_are_gone(office: Office) -> None:
    async with office.signed_in(LEADER) as visitor:
        await visitor.get("back-office/")
        headers = {"x-csrftoken": visitor.http.cookies["csrftoken"]}
        for path in ("back-office/public/login/", "back-office/api/change-password/"):
            body = {"username": LEADER, "password": PASSWORD}
            assert (await visitor.http.post(f"/n/small/{path}", json=body, headers=headers)).status_code in {404, 405}
        out = await visitor.http.post("/n/small/back-office/public/logout/", headers=headers)
        assert out.headers["location"] == "/n/small/sign-out"
        await visitor.http.post("/n/small/sign-out", headers=headers)
        assert (await visitor.get("back-office/")).headers["location"].startswith("/n/small/sign-in")


async def test_building_it_again_leaves_nothing_behind(office: Office) -> None:
    network, engine = office.tenant.published.network, office.tenant.store.engine
    build(network, "fr", engine, "/n/small/")
    tables, annotations = len(TABLE_REGISTRY), len(ANNOTATIONS)
    for _ in range(3):
        build(network, "en", engine, "/n/small/")
    gc.collect()
    assert (len(TABLE_REGISTRY), len(ANNOTATIONS)) == (tables, annotations)


@pytest.mark.parametrize("theme", ["dark", "light", "auto"])
async def test_it_is_told_which_theme_the_member_has_chosen(office: Office, theme: str) -> None:
    async with office.signed_in(LEADER) as visitor:
        await visitor.post("theme", {"theme": theme})
        page = await visitor.get("back-office/")
    assert f"theme={theme}; Path=/n/small/back-office/; SameSite=Lax" in page.headers.get_list("set-cookie")
