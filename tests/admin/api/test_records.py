from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from models.clock import SetClock
from models.sqlite_tx import SqliteTx
from models.tx import Row
from tests.admin.api.living import IMPORTING
from tests.admin.api.program import BASE, lead, made, names, problem, program
from tests.admin.office import ALICE, CAMILLE, DIANE, Office, office_of
from tests.homes import Homes
from tests.networks import edited

pytestmark = pytest.mark.anyio


async def test_a_record_goes_in_and_comes_out_as_json(camille: httpx.AsyncClient, office: Office) -> None:
    company = (await camille.post("/entities/company", json={"name": "Savons"})).json()
    given = lead(
        rating="1.5",
        interests=["beauty", "home"],
        next_call_at="2026-03-05T10:00:00+01:00",
        pause="3d",
        birth_date="1990-05-17",
        company=company["id"],
        newsletter=True,
    )
    answer = await camille.post("/entities/lead", json=given)
    record = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{BASE}/entities/lead/{record['id']}"
    assert answer.headers["etag"] == '"1"'
    assert record == (await camille.get(f"/entities/lead/{record['id']}")).json()
    wanted = {
        **given,
        "rating": "1.5000",
        "interests": ["home", "beauty"],
        "next_call_at": "2026-03-05T09:00:00Z",
        "company": {"id": company["id"], "title": "Savons"},
        "owner": {"id": office.members[CAMILLE], "title": "Camille Roux"},
        "recruiting": "new",
        "country": "FR",
        "calls": 0,
        "hot": False,
        "created_at": "2026-03-02T11:00:00Z",
        "_title": "Zoé Marchand",
        "_may": ["delete", "read", "update"],
        "_hidden": [],
    }
    assert {name: record[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, {"first_name", "last_name"}),
        (lead(first_name=1), {"first_name"}),
        (lead(newsletter="true"), {"newsletter"}),
        (lead(calls="1"), {"calls"}),
        (lead(calls=True), {"calls"}),
        (lead(rating="1,5"), {"rating"}),
        (lead(birth_date="17/05/1990"), {"birth_date"}),
        (lead(next_call_at="tomorrow"), {"next_call_at"}),
        (lead(interests="home"), {"interests"}),
        (lead(interests=["garden"]), {"interests"}),
        (lead(company={"name": "x"}), {"company"}),
        (lead(company="unknown"), {"company"}),
        (lead(pause="soon"), {"pause"}),
        (lead(country="DE"), {"country"}),
        (lead(hot=True), {"hot"}),
        (lead(recruiting="signed"), {"recruiting"}),
        (lead(id="1", version=3, created_at="2020-01-01T00:00:00Z"), {"id", "version", "created_at"}),
        (lead(colour="red"), {"colour"}),
    ],
)
async def test_what_does_not_fit_is_said_by_field(
    camille: httpx.AsyncClient, values: dict[str, Any], wrong: set[str]
) -> None:
    problem(await camille.post("/entities/lead", json=values), 422, wrong)
    assert names(await camille.get("/entities/lead")) == []


async def test_a_change_says_which_version_it_is_of(camille: httpx.AsyncClient) -> None:
    path = f"/entities/lead/{(await made(camille))['id']}"
    problem(await camille.patch(path, json={"city": "Lyon"}), 428)
    changed = await camille.patch(path, json={"city": "Lyon"}, headers={"if-match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["city"]) == (200, '"2"', "Lyon")
    for tags in ('"1"', '"1", "7"', "2", 'W/"2"', "x"):
        refused = await camille.patch(path, json={"city": "Nice"}, headers={"if-match": tags})
        assert problem(refused, 412)["version"] == 2
        assert refused.headers["etag"] == '"2"'
    again = await camille.patch(path, json={"city": None}, headers={"if-match": '"1", "2"'})
    assert again.json()["city"] is None
    anyhow = await camille.patch(path, json={"city": "Nice"}, headers={"if-match": "*"})
    assert anyhow.json()["version"] == 4
    problem(await camille.patch(path, json={"income_goal": "1"}, headers={"if-match": "*"}), 422, ["income_goal"])


async def test_a_record_is_deleted_by_who_may(camille: httpx.AsyncClient, claire: httpx.AsyncClient) -> None:
    path = f"/entities/lead/{(await made(camille))['id']}"
    problem(await camille.delete(path), 428)
    problem(await camille.delete(path, headers={"if-match": '"2"'}), 412)
    gone = await camille.delete(path, headers={"if-match": '"1"'})
    assert (gone.status_code, gone.content) == (204, b"")
    problem(await camille.get(path), 404)
    company = (await camille.post("/entities/company", json={"name": "Savons"})).json()
    path = f"/entities/company/{company['id']}"
    refused = await camille.delete(path, headers={"if-match": "*"})
    assert problem(refused, 405)["type"] == "urn:maille:problem:not_allowed"
    assert refused.headers["allow"] == "GET, PATCH"
    assert (await claire.delete(path, headers={"if-match": "*"})).status_code == 204


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('record.city == "Lyon"', ["Anna", "Zoé"]),
        ('record.city != "Lyon" && record.calls < 2', ["Paul"]),
        ('record.rating > 1.25 || record.city == "Paris"', ["Paul", "Zoé"]),
        ("has(record.email)", ["Paul"]),
        ('record.recruiting == "new" && "home" in record.interests', ["Anna"]),
        ("record.owner == actor", ["Anna", "Paul", "Zoé"]),
        ("record.owner.id == actor.id", ["Anna", "Paul", "Zoé"]),
        ('record.owner.first_name == "Camille"', ["Anna", "Paul", "Zoé"]),
        ("actor.is_upline_of(record.owner)", []),
        ('record.company.city == "Nice"', ["Paul"]),
        ('record.created_at <= now() && record.first_name.startsWith("Z")', ["Zoé"]),
        ("record.birth_date < date(now())", []),
        ("", ["Anna", "Paul", "Zoé"]),
    ],
)
async def test_a_list_is_filtered_by_an_expression(
    camille: httpx.AsyncClient, condition: str, found: list[str]
) -> None:
    company = (await camille.post("/entities/company", json={"name": "Savons", "city": "Nice"})).json()
    await made(camille, first_name="Anna", city="Lyon", interests=["home"])
    await made(camille, first_name="Zoé", city="Lyon", rating="1.5")
    await made(camille, first_name="Paul", city="Paris", email="paul@exemple.fr", company=company["id"])
    answer = await camille.get("/entities/lead", params={"filter": condition, "sort": "first_name", "count": "true"})
    assert names(answer) == found
    assert answer.json()["count"] == len(found)


@pytest.mark.parametrize(
    "condition",
    [
        "record.colour == 1",
        "record.city ==",
        "record.city",
        "record.city + 1 == 2",
        "settings.support == 'aide@exemple.fr'",
        "network.name == 'small'",
        'actor.email == "camille@exemple.fr"',
        'actor.sponsor.email == "claire@exemple.fr"',
        "before.city == 'x'",
        "member.id == 'x'",
        'record.city.matches("(a+)+")',
        'record.recruiting == "nowhere"',
        "(" * 500 + "true" + ")" * 500,
        "x" * 2001,
    ],
)
async def test_a_filter_that_is_wrong_says_why(camille: httpx.AsyncClient, condition: str) -> None:
    said = problem(await camille.get("/entities/lead", params={"filter": condition}), 422, ["filter"])
    assert said["fields"]["filter"]


async def test_a_filter_finds_nothing_behind_what_may_not_be_seen(office: Office, camille: httpx.AsyncClient) -> None:
    await made(camille, first_name="Anna", phone="+33639980077")
    async with program(office, ALICE) as alice:
        record = (await alice.get("/entities/lead")).json()["items"][0]
        assert "phone" not in record
        problem(await alice.get("/entities/lead", params={"filter": "has(record.phone)"}), 422, ["filter"])
        problem(await alice.get("/entities/lead", params={"sort": "phone"}), 422, ["sort"])
        problem(await alice.get("/entities/lead", params={"fields": "phone"}), 422, ["fields"])
        hint = await alice.get("/entities/lead", params={"filter": 'record.phon == ""'})
        assert "phone" not in problem(hint, 422, ["filter"])["fields"]["filter"]
        assert names(await alice.get("/entities/lead", params={"q": "77"})) == []
        owner = record["owner"]
        assert owner == {"id": office.members[CAMILLE], "title": None}
        problem(await alice.get("/entities/member"), 404)
        assert "member" not in (await alice.get("/definitions")).json()["entities"]
        hidden = await alice.get("/entities/lead", params={"filter": 'record.owner.first_name == "Camille"'})
        problem(hidden, 422, ["filter"])


async def test_a_list_goes_on_from_page_to_page(camille: httpx.AsyncClient) -> None:
    for number in range(5):
        await made(camille, first_name=f"N{number}", calls=number // 2)
    seen: list[str] = []
    params = {"sort": "-calls", "limit": "2", "fields": "first_name"}
    answer = await camille.get("/entities/lead", params=params)
    while True:
        seen += names(answer)
        cursor = answer.json()["next"]
        if cursor is None:
            break
        answer = await camille.get(f"http://testserver{answer.links['next']['url']}")
    assert sorted(seen) == [f"N{number}" for number in range(5)]
    assert seen[0] == "N4"
    assert "link" not in answer.headers
    keys = {"id", "version", "_title", "_may", "_hidden", "first_name"}
    assert set(answer.json()["items"][0]) == keys
    problem(await camille.get("/entities/lead", params={"cursor": "nonsense"}), 422, ["cursor"])


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "1" * 30}, "limit"),
        ({"count": "yes"}, "count"),
        ({"sort": "nothing"}, "sort"),
        ({"sort": "interests"}, ""),
        ({"fields": "first_name,nothing"}, "fields"),
        ({"fitler": "true"}, "fitler"),
    ],
)
async def test_a_parameter_that_is_wrong_is_never_ignored(
    camille: httpx.AsyncClient, params: dict[str, str], wrong: str
) -> None:
    answer = await camille.get("/entities/lead", params=params)
    if wrong:
        problem(answer, 422, [wrong])
    else:
        assert answer.status_code == 200
    problem(await camille.get("/entities/lead?q=a&q=b"), 422, ["q"])


async def test_words_are_searched_where_the_entity_says(camille: httpx.AsyncClient) -> None:
    await made(camille, first_name="Élodie")
    await made(camille, first_name="Paul", city="Elodie")
    assert names(await camille.get("/entities/lead", params={"q": "elodie"})) == ["Élodie"]


async def test_a_list_asks_the_database_a_bounded_number_of_times(
    camille: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = (await camille.post("/entities/company", json={"name": "Savons"})).json()
    asked: list[str] = []
    rows, row = SqliteTx.rows, SqliteTx.row

    async def counted_rows(tx: SqliteTx, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        asked.append(sql)
        return await rows(tx, sql, values)

    async def counted_row(tx: SqliteTx, sql: str, values: Sequence[Any] = ()) -> Row | None:
        asked.append(sql)
        return await row(tx, sql, values)

    async def statements() -> int:
        asked.clear()
        with monkeypatch.context() as patched:
            patched.setattr(SqliteTx, "rows", counted_rows)
            patched.setattr(SqliteTx, "row", counted_row)
            assert (await camille.get("/entities/lead")).status_code == 200
        return len(asked)

    await made(camille, company=company["id"])
    await camille.get("/me")
    one = await statements()
    for number in range(20):
        await made(camille, first_name=f"N{number}", company=company["id"])
    assert one == await statements() <= 6


async def test_a_sponsor_sees_the_line_and_its_leads_only_as_the_level_says(
    office: Office, camille: httpx.AsyncClient, diane: httpx.AsyncClient
) -> None:
    await made(diane, first_name="Hers")
    assert names(await camille.get("/entities/lead")) == []
    line = (await camille.get("/entities/member", params={"sort": "first_name"})).json()["items"]
    assert [member["id"] for member in line] == [office.members[CAMILLE], office.members[DIANE]]


async def test_a_field_that_is_hidden_in_some_records_is_said_to_be(homes: Homes, clock: SetClock) -> None:
    files = edited(IMPORTING, ("phone: {read: none, write: none}", 'phone: {read: record.city == "Lyon", write: none}'))
    async with (
        office_of(homes, clock, files) as office,
        program(office, CAMILLE) as camille,
        program(office, ALICE) as alice,
    ):
        for city in ("Lyon", "Nice"):
            await made(camille, city=city)
        listed = (await alice.get("/entities/lead", params={"sort": "city"})).json()["items"]
        assert [(each["phone"], each["_hidden"]) for each in listed] == [("+33639980001", []), (None, ["phone"])]
        assert (await alice.get(f"/entities/lead/{listed[1]['id']}")).json() == listed[1]
