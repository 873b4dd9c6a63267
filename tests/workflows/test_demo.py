"""A demo gives what its description promises, each time the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from definitions.problems import DefinitionError
from definitions.spec.demo import Maker, Number, Pattern, Pick
from definitions.spec.network import Calendar
from models.accounts import SignedIn, sign_in
from models.calendar import OfficeCalendar
from models.clock import SetClock
from models.tenant import Tenant, open_tenant
from models.terms import open_terms
from models.tx import Row, Tx
from tests.networks import SMALL, changed, edited
from workflows.course import Created, Moved, course, moments, stories
from workflows.demo import SignIn, create_demo, read_demo, sign_ins
from workflows.made_up import Making, World, apportion, counting_ids, in_office, slug
from workflows.stage import DemoError

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
OFFICE = OfficeCalendar(Calendar(holidays="FR"), ZoneInfo("Europe/Paris"))
DEMO = """
demo: tiny
label: {fr: Tout petit, en: Tiny}
seed: 7
password: only-for-the-demo
recent: 3d
lists:
  places: [{city: Lyon, country: FR}, {city: Liège, country: BE}]
members:
  anne: {levels: [leader], values: {first_name: Anne, last_name: Roy, email: anne@exemple.fr}}
  bruno: {levels: [distributor], sponsor: anne, values: {first_name: Bruno, last_name: Sy, email: bruno@exemple.fr}}
  chloe:
    levels: [distributor]
    sponsor: bruno
    weight: 2
    values: {first_name: Chloé, last_name: Le Goff, email: chloe@exemple.fr, joined_at: 2020-05-04}
records:
  company:
    count: 3
    owners: [distributor]
    values: {name: {text: "Atelier ####"}, city: {pick: places.city}}
  lead:
    count: 40
    owners: [distributor]
    values:
      first_name: {pick: [Zoé, Éric]}
      last_name: Martin
      email: {text: "{first_name|slug}.martin{again}@exemple.fr"}
      phone: {text: "+33 6 39 98 ## ##"}
      city: {pick: places.city}
      country: {pick: places.country}
      birth_date: {ago: [20 years, 60 years]}
      source: {pick: {site: 3, direct: 1}}
      interests: {pick: [home, beauty], many: 2}
      rating: {number: [1, 5], step: 0.5, empty: 0.5}
      newsletter: {chance: 0.5}
      company: {reference: company, empty: 0.5}
    processes:
      recruiting:
        pace: [1d, 4d]
        journeys:
          - {share: 3, within: 3d}
          - {share: 4, moves: [call], within: 2d}
          - {share: 2, moves: [call, sign], within: 60d}
          - {share: 1, moves: [call, lose], within: 60d, values: {first_name: Perdu}}
        forms:
          call: {comment: {pick: [Bonne conversation.]}, next_call_at: {ahead: [1d, 5d]}}
    notes: {share: 1, text: {pick: [Une note.]}}
    tasks: {share: 1, title: À faire, due: {ahead: [1d, 2d]}, done: 0.5}
"""
BESIDE = """
automation: think
when: {entered: recruiting.contacted}
do:
  - task: {title: {fr: Réfléchir, en: Think}, for: =record.owner}
---
terms: rules
version: "1"
body: {fr: Soyez polis., en: Be polite.}
"""
PAYING = """
process: paying
entity: company
states: {open: {initial: true}, paid: {final: true}}
transitions: {pay: {from: open, to: paid, by: [distributor]}}
"""
PACK = changed(SMALL, demo=DEMO, beside=BESIDE)


async def rows(tenant: Tenant, sql: str) -> list[Row]:
    async def work(tx: Tx) -> list[Row]:
        return await tx.rows(sql)

    return await tenant.store.read(work)


def counts(found: list[Row]) -> dict[str, int]:
    return {row[0]: row[1] for row in found}


async def made(folder: Path, pack: Any = PACK) -> Tenant:
    await create_demo(folder / "tiny.sqlite", "tiny", pack, now=NOW)
    return await open_tenant(folder / "tiny.sqlite", "tiny", clock=SetClock(NOW))


async def test_every_count_and_share_of_the_description_is_kept(tmp_path: Path) -> None:
    tenant = await made(tmp_path)
    try:
        states = counts(await rows(tenant, 'SELECT "recruiting", count(*) FROM "lead" GROUP BY 1'))
        assert states == {"new": 12, "contacted": 16, "signed": 8, "lost": 4}
        assert await rows(tenant, 'SELECT count(*), count(DISTINCT "email") FROM "lead"') == [(40, 40)]
        assert await rows(tenant, 'SELECT count(*) FROM "company"') == [(3,)]
        assert await rows(tenant, """SELECT count(*) FROM "lead" WHERE "first_name" = 'Perdu'""") == [(4,)]
        assert await rows(tenant, """SELECT DISTINCT "city", "country" FROM "lead" ORDER BY 1""") == [
            ("Liège", "BE"),
            ("Lyon", "FR"),
        ]
    finally:
        await tenant.close()


async def test_the_records_described_one_by_one_come_first_at_their_time(tmp_path: Path) -> None:
    shops = "    each: [{ago: 10d, values: {name: Chez Zoé}}, {values: {city: Metz}}]\n    owners: [distributor]"
    tenant = await made(tmp_path, changed(PACK, demo=DEMO.replace("    owners: [distributor]", shops, 1)))
    try:
        found = await rows(tenant, 'SELECT "name", "city", "created_at" FROM "company"')
        assert len(found) == 3, "the others are made as the rest is"
        (zoe,) = (each for each in found if each[0] == "Chez Zoé")
        (metz,) = (each for each in found if each[1] == "Metz")
        assert metz[0].startswith("Atelier ")
        assert timedelta(days=8) < NOW - datetime.fromisoformat(zoe[2]) < timedelta(days=12)
    finally:
        await tenant.close()


async def test_the_history_was_lived_by_the_owners_with_forms_and_values_before_and_after(tmp_path: Path) -> None:
    tenant = await made(tmp_path)
    try:
        found = await rows(
            tenant,
            """SELECT h."before", h."after", h."text", h."actor" = l."owner", h."ip", h."at"
            FROM "_history" h JOIN "lead" l ON l."id" = h."record" WHERE h."transition" = 'call'""",
        )
        assert len(found) == 28
        for before, after, text, own, ip, at in found:
            assert json.loads(before)["recruiting"] == "new"
            assert json.loads(after)["recruiting"] == "contacted"
            assert json.loads(after)["calls"] == 1
            assert (text, bool(own)) == ("Bonne conversation.", True)
            assert ip.startswith("203.0.113.")
            assert datetime.fromisoformat(at) < NOW
        kinds = counts(
            await rows(tenant, 'SELECT "kind", count(*) FROM "_history" WHERE "entity" = \'lead\' GROUP BY 1')
        )
        assert (kinds["created"], kinds["note"]) == (40, 40)
    finally:
        await tenant.close()


async def test_what_is_recent_ran_its_automations_and_what_is_older_sent_nothing(tmp_path: Path) -> None:
    tenant = await made(tmp_path)
    try:
        mails = await rows(tenant, 'SELECT "at", "state" FROM "_mail"')
        since = NOW - timedelta(days=3)
        assert mails
        assert all(datetime.fromisoformat(at) >= since for at, _ in mails)
        assert {state for _, state in mails} == {"sent", "waiting"}
        recent = await rows(tenant, """SELECT "at" FROM "_history" WHERE "transition" = 'call'""")
        assert len(mails) == sum(datetime.fromisoformat(at) >= since for (at,) in recent)
    finally:
        await tenant.close()


async def test_a_helper_takes_a_share_of_the_moves_that_its_levels_may_take(tmp_path: Path) -> None:
    member = "entity: member\nfields:\n  mate: {type: reference, to: member, on_delete: clear}\n"
    demo = DEMO.replace("joined_at: 2020-05-04", "mate: bruno").replace(
        "pace: [1d, 4d]", "helper: {field: mate, share: 1}"
    )
    everyone = (
        "    read: mine\n    create: true\n    update: mine\n    delete: mine",
        "    read: all\n    create: true\n    update: all\n    delete: mine",
    )
    tenant = await made(tmp_path, edited(changed(PACK, demo=demo, member=member), everyone))
    try:
        found = await rows(
            tenant,
            """SELECT DISTINCT "kind", m."first_name" FROM "_history" h JOIN "member" m ON m."id" = h."actor"
            WHERE h."entity" = 'lead' AND "kind" IN ('created', 'moved') ORDER BY 1, 2""",
        )
        assert found == [("created", "Bruno"), ("created", "Chloé"), ("moved", "Bruno")]
    finally:
        await tenant.close()


async def test_members_do_a_share_of_what_automations_give_them_and_accept_the_terms(tmp_path: Path) -> None:
    tenant = await made(tmp_path)
    try:
        given = await rows(
            tenant,
            """SELECT t."done_at" > t."created_at", t."done_by" = t."member" FROM "_task" t
            WHERE t."run" IS NOT NULL""",
        )
        assert {row[0] for row in given} == {None, 1}
        assert {row[1] for row in given} == {None, 1}
        assert await rows(tenant, 'SELECT count(*) FROM "_acceptance"') == [(3,)]
    finally:
        await tenant.close()


async def test_a_member_that_is_not_active_can_do_nothing_in_a_demo(tmp_path: Path) -> None:
    demo = DEMO.replace("joined_at: 2020-05-04", "active: false")
    with pytest.raises(DemoError, match="'chloe' is not active"):
        await made(tmp_path, changed(PACK, demo=demo))


async def test_members_stand_in_their_tree_and_sign_in_with_the_password_that_is_printed(tmp_path: Path) -> None:
    tenant = await made(tmp_path)
    try:
        depths = await rows(tenant, 'SELECT "first_name", length("_path") FROM "member" ORDER BY 2')
        assert [name for name, _ in depths] == ["Anne", "Bruno", "Chloé"]
        signed = await sign_in(tenant, "chloe@exemple.fr", "only-for-the-demo", ip="203.0.113.9")
        assert isinstance(signed, SignedIn)
        assert signed.actor.levels == ("distributor",)
        assert await open_terms(tenant, signed.actor) == ()
    finally:
        await tenant.close()


async def test_the_same_description_and_time_make_the_same_network(tmp_path: Path) -> None:
    whole = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tenant = await made(tmp_path / name)
        try:
            tables = ("member", "company", "lead", "_history", "_task", "_mail", "_run")
            whole.append([await rows(tenant, f'SELECT * FROM "{table}" ORDER BY "id"') for table in tables])  # noqa: S608
        finally:
            await tenant.close()
    assert whole[0] == whole[1]


async def test_what_a_broken_off_attempt_left_behind_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".tiny.sqlite.partial").write_bytes(b"half a network")
    tenant = await made(tmp_path)
    await tenant.close()
    assert list(tmp_path.glob("*partial*")) == []  # noqa: ASYNC240 - a glance at a folder of the test's


async def test_a_move_that_the_network_refuses_is_told_with_its_record_and_reason(tmp_path: Path) -> None:
    pack = changed(PACK, demo=DEMO.replace('phone: {text: "+33 6 39 98 ## ##"}', "pause: 3d"))
    with pytest.raises(DemoError, match=r"lead \d+ \(call, (bruno|chloe)\)"):
        await made(tmp_path, pack)
    assert not (tmp_path / "tiny.sqlite").exists()


def test_one_sign_in_a_level_is_found_in_the_data() -> None:
    network, demo = read_demo(PACK)
    people = sign_ins(network, demo, "en")
    assert [(person.name, person.email) for person in people] == [
        ("Anne Roy", "anne@exemple.fr"),
        ("Bruno Sy", "bruno@exemple.fr"),
    ]
    assert people[1] == SignIn("Distributor", "Bruno Sy", "bruno@exemple.fr")


def test_a_pack_has_one_demo() -> None:
    with pytest.raises(DefinitionError, match=r"second.yaml:1:7: demo.several"):
        read_demo(changed(PACK, second=DEMO.lstrip().replace("demo: tiny", "demo: other")))


def test_a_pack_without_a_demo_says_so() -> None:
    with pytest.raises(DemoError, match="no demo"):
        read_demo(SMALL)


@pytest.mark.parametrize("now", [NOW, NOW - timedelta(hours=8), NOW - timedelta(days=2)])
def test_events_are_in_order_in_opening_hours_and_before_now(now: datetime) -> None:
    _, demo = read_demo(PACK)
    events = course(demo, OFFICE, now)
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert max(event.at for event in events) <= now
    for event in events:
        if isinstance(event, Created):
            local = event.at.astimezone(OFFICE.timezone)
            assert OFFICE.works_on(local.date())
            assert 9 <= local.hour < 19
    for story in {id(event.story): event.story for event in events}.values():
        lived = [event for event in events if event.story is story and isinstance(event, Created | Moved)]
        assert isinstance(lived[0], Created)
        assert all(earlier.at < later.at for earlier, later in pairwise(lived))


def test_what_happens_close_together_stays_in_order_and_before_now() -> None:
    _, demo = read_demo(changed(PACK, demo=DEMO.replace("pace: [1d, 4d]", "pace: [1m, 2m]")))
    two_minutes = OfficeCalendar(Calendar(opens=540, closes=542), ZoneInfo("Europe/Paris"))
    now = datetime(2026, 3, 3, 8, 2, tzinfo=UTC)
    for story in stories(demo, demo.records["lead"]):
        times = moments(story, 3, two_minutes, now)
        assert now > times[2] > times[1] > times[0]


def test_an_office_without_working_days_still_has_hours() -> None:
    never = OfficeCalendar(Calendar(days=()), ZoneInfo("Europe/Paris"))
    found = in_office(NOW, never, Random(1), minutes=15)  # noqa: S311 - made-up data, no secrets
    assert 9 <= found.astimezone(never.timezone).hour < 18
    assert found.minute % 15 == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("sponsor: anne", "sponsor: anna", "demo.sponsor"),
        ("share: 4, moves: [call]", "share: 4, moves: [cal]", "transition.unknown"),
        ("next_call_at: {ahead: [1d, 5d]}", "next_cal_at: {ahead: [1d, 5d]}", "demo.form"),
        ("city: {pick: places.city}", "city: {pick: placs.city}", "demo.list"),
        ("country: {pick: places.country}", "country: {pick: places.land}", "demo.list"),
        ("country: {pick: places.country}", "country: {pick: places}", "demo.list"),
        ("source: {pick: {site: 3, direct: 1}}", "source: {pick: {sit: 3}}", "value.type"),
        ("newsletter: {chance: 0.5}", "newsletter: maybe", "value.type"),
        ("newsletter: {chance: 0.5}", "newsletter: {empty: 0.5}", "demo.value"),
        ("company: {reference: company", "company: {reference: compagny", "entity.unknown"),
        ("levels: [leader]", "levels: [leder]", "level.unknown"),
        ("email: anne@exemple.fr", "mail: anne@exemple.fr", "field.unknown"),
        ("email: anne@exemple.fr", "email: anne", "value.type"),
        ("email: anne@exemple.fr", "sponsor: ann, email: anne@exemple.fr", "demo.member"),
        ("      recruiting:\n        pace", "      paying:\n        pace", "demo.process"),
        ("city: {pick: places.city}\n      country", 'city: {text: "{placs.city}"}\n      country', "demo.list"),
        ("birth_date: {ago: [20 years, 60 years]}", "birth_date: {ago: [20 years, 60 yeers]}", "duration.syntax"),
        ("last_name: Martin", "lastname: Martin", "field.unknown"),
        ("pace: [1d, 4d]", "helper: {field: last_name, share: 0.5}", "demo.helper"),
        ("title: À faire", "title: {empty: 1}", "demo.value"),
        ("comment: {pick: [Bonne conversation.]}", "comment: {empty: 1}", "demo.value"),
        ("within: 3d", "within: 3 working days", "demo.working_time"),
        ("      recruiting:\n        pace", "      recruting:\n        pace", "process.unknown"),
    ],
)
def test_what_is_misspelt_in_a_demo_is_found_where_it_stands(old: str, new: str, code: str) -> None:
    assert old in DEMO
    with pytest.raises(DefinitionError) as caught:
        read_demo(changed(SMALL, demo=DEMO.replace(old, new), paying=PAYING))
    found = [problem for problem in caught.value.problems if problem.severity == "error"]
    line = DEMO[: DEMO.index(old)].count("\n") + 1
    assert code in {problem.code for problem in found}
    assert any(problem.place.file == "demo.yaml" and line <= problem.place.line <= line + 1 for problem in found)


@pytest.mark.parametrize(
    ("count", "shares", "whole"),
    [(10, (1, 1, 1), [4, 3, 3]), (2000, (14, 86), [280, 1720]), (1, (1, 3), [0, 1]), (7, (2.5, 2.5), [4, 3])],
)
def test_shares_are_whole_and_add_up(count: int, shares: tuple[float, ...], whole: list[int]) -> None:
    assert apportion(count, shares) == whole


@pytest.mark.parametrize(
    ("text", "plain"), [("Élodie", "elodie"), ("Le Gall", "le-gall"), ("D’Œuvre & fils", "d-oeuvre-fils"), ("--", "")]
)
def test_a_slug_has_plain_letters_only(text: str, plain: str) -> None:
    assert slug(text) == plain


def test_texts_that_must_differ_are_numbered_and_lists_that_belong_together_agree() -> None:
    _, demo = read_demo(PACK)
    place = demo.place
    world = World(OFFICE)
    places = (({"city": "Lyon", "country": "FR"}, 1.0), ({"city": "Liège", "country": "BE"}, 1.0))
    makers = {
        "mail": Maker(Pattern("a{again}@b.fr"), place),
        "name": Maker(Pattern("Chez {places.city}", {"places.city": Pick(places, shared="places", key="city")}), place),
        "country": Maker(Pick(places, shared="places", key="country"), place),
        "count": Maker(Number(2, 4, 0.5), place),
        "none": Maker(Pattern("never"), place, empty=1.0),
    }
    chances = [Random(number) for number in range(30)]  # noqa: S311 - made-up data, no secrets
    all_made = [Making(world, chance, NOW).values(makers, {}) for chance in chances]
    assert [each["mail"] for each in all_made[:3]] == ["a@b.fr", "a2@b.fr", "a3@b.fr"]
    assert {(each["name"], each["country"]) for each in all_made} == {("Chez Lyon", "FR"), ("Chez Liège", "BE")}
    assert {float(each["count"]) for each in all_made} == {2, 2.5, 3, 3.5, 4}
    assert {each["none"] for each in all_made} == {None}


def test_ids_are_version_seven_and_depend_on_seed_and_time_alone() -> None:
    one, two, other = (counting_ids(seed, lambda: NOW) for seed in (1, 1, 2))
    first = one()
    assert (first, first[14]) == (two(), "7")
    assert first[19] in "89ab"
    assert first != other()
    assert first[:13] == other()[:13]
