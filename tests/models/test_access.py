"""Rights against a naive reference: every level (and pair of them), every relation, every action."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pytest

from models.actor import PUBLIC, SYSTEM, Actor
from models.clock import SetClock
from models.errors import InvalidError, NotFoundError, RefusedError
from models.query import Filter, Query
from models.records import Records
from models.tenant import create_tenant
from tests.models.attempts import seen, tried
from tests.models.office import LEVELS, OFFICE, TREE, Office, Recorded, fill
from tests.networks import counting_ids

pytestmark = pytest.mark.anyio

Reach = Literal["none", "mine", "downline", "all"]
REFERENCE: Mapping[str, Mapping[str, Reach]] = {
    "own": {"read": "mine", "update": "mine", "delete": "mine", "income": "none", "phone": "mine", "create": "mine",
            "member": "downline"},
    "branch": {
        "read": "downline", "update": "mine", "delete": "none", "income": "mine", "phone": "downline",
        "create": "downline", "income_write": "mine", "member": "mine",
    },
    "all_rows": {"read": "all", "update": "downline", "delete": "downline", "income": "all", "phone": "none",
                 "create": "none", "income_write": "downline"},
    "own_and_read_all": {"read": "all", "update": "all", "delete": "all", "income": "all", "phone": "all",
                         "create": "all", "income_write": "all"},
    "nothing": {},
}  # fmt: skip
"""What `tests.models.office.LEVELS` says about leads, written again by hand; a field within the row's reach."""
WIDTH: tuple[Reach, ...] = ("none", "mine", "downline", "all")
SETS = [(level,) for level in REFERENCE] + list(combinations(REFERENCE, 2))
ACTORS = ("ann", "dan")


def below(member: str) -> set[str]:
    """Return a member and everybody below it, found by walking up from each."""
    found = set()
    for name in TREE:
        above: str | None = name
        while above is not None:
            if above == member:
                found.add(name)
            above = TREE[above]
    return found


def reached(actor: str, reach: Reach) -> set[str]:
    return {"none": set[str](), "mine": {actor}, "downline": below(actor), "all": set(TREE)}[reach]


def owners(actor: str, levels: tuple[str, ...], what: str) -> set[str]:
    """Return whose leads the levels reach: the union, each level by itself."""
    return set().union(*(reached(actor, REFERENCE[level].get(what, "none")) for level in levels))


@pytest.mark.parametrize("levels", SETS, ids="+".join)
async def test_every_level_reaches_what_the_reference_says(office: Office, levels: tuple[str, ...]) -> None:
    leads = {owner: await office.lead(owner, owner, phone="0612345678", income=10) for owner in TREE}
    for name in ACTORS:
        actor = await office.actor(name, *levels)
        readable = owners(name, levels, "read")
        assert await seen(office, actor) == readable
        for owner, lead in leads.items():
            expected = expectations(name, levels, owner)
            assert await found(office, actor, lead) == expected, (name, owner)
            await check_changes(office, actor, lead, owner, levels, name)


def expectations(name: str, levels: tuple[str, ...], owner: str) -> dict[str, Any] | None:
    if owner not in owners(name, levels, "read"):
        return None
    income, phone = (owner in owners(name, levels, what) for what in ("income", "phone"))
    may = {right for right in ("read", "update", "delete") if owner in owners(name, levels, right)}
    return {"income": income, "double": income, "rich": income, "phone": phone, "may": may}


async def found(office: Office, actor: Actor, lead: str) -> dict[str, Any] | None:
    """Return what is seen of a lead, the same alone and in a list, None when it is absent."""
    try:
        record = await office.read(actor, lambda records: records.get("lead", lead))
    except NotFoundError:
        return None
    page = await office.read(actor, lambda records: records.list("lead"))
    assert record in page.records
    shown: dict[str, Any] = {name: record[name] is not None for name in ("income", "double", "rich", "phone")}
    assert {name for name, visible in shown.items() if not visible} == record.hidden
    return {**shown, "may": set(record.may)}


async def check_changes(
    office: Office, actor: Actor, lead: str, owner: str, levels: tuple[str, ...], name: str
) -> None:
    readable, updatable, deletable = (owner in owners(name, levels, what) for what in ("read", "update", "delete"))
    creatable = owner in owners(name, levels, "create")
    writable = owner in owners(name, levels, "income_write")
    updated = "absent" if not readable else "done" if updatable else "refused"
    assert await tried(office, actor, lambda records: records.update("lead", lead, 1, {"calls": 3})) == updated
    income = updated if updated != "done" or writable else "invalid ['income']"
    assert await tried(office, actor, lambda records: records.update("lead", lead, 1, {"income": 3})) == income
    deleted = "absent" if not readable else "done" if deletable else "refused"
    assert await tried(office, actor, lambda records: records.delete("lead", lead)) == deleted
    new = {"first_name": "New", "owner": office.ids[owner]}
    if creatable:
        named = owner == name or owner in owners(name, levels, "member")
        created = "done" if named else "invalid ['owner']"
    else:
        created = "refused" if owners(name, levels, "create") or owners(name, levels, "read") else "absent"
    assert await tried(office, actor, lambda records: records.create("lead", new)) == created


async def test_nobody_gives_levels_that_they_do_not_have(office: Office) -> None:
    ann = await office.actor("ann", "own")
    for levels, came in ((["own", "leader"], "invalid ['levels']"), (["own"], "done"), ([], "done")):
        changes = {"levels": levels}
        assert await tried(office, ann, lambda r, c=changes: r.update("member", office.ids["ann"], 1, c)) == came  # type: ignore[misc] # the loop's value is bound early
    root = await office.actor("root", "leader")
    changes = {"levels": ["branch"]}
    assert await tried(office, root, lambda records: records.update("member", office.ids["ann"], 1, changes)) == "done"


async def test_a_search_does_not_find_what_is_hidden(office: Office) -> None:
    await office.lead("ann", phone="0612345678")
    query = Query(q="06 12 34")
    for level, found in (("own", 1), ("all_rows", 0)):
        actor = await office.actor("ann", level)
        assert await office.read(actor, lambda records: records.count("lead", query)) == found


async def test_giving_a_record_away_is_refused_when_it_leaves_the_reach(office: Office) -> None:
    lead = await office.lead("ann")
    ann = await office.actor("ann", "own")
    to_bob = {"owner": office.ids["bob"]}
    assert await tried(office, ann, lambda records: records.update("lead", lead, 1, to_bob)) == "refused"


async def test_a_foreign_record_and_an_absent_one_are_the_same(office: Office) -> None:
    foreign = await office.lead("dan", "Secret", phone="0612345678")
    ann = await office.actor("ann", "own")

    async def asked(lead: str) -> tuple[list[str], list[str]]:
        async def work(tx: Any) -> tuple[list[str], list[str]]:
            recorded = Recorded(tx)
            records = office.records(recorded, ann)
            ways: list[Callable[[], Awaitable[Any]]] = [
                lambda: records.get("lead", lead),
                lambda: records.update("lead", lead, 1, {"first_name": "x"}),
                lambda: records.update("lead", lead, None, {"nonsense": "x"}),
                lambda: records.delete("lead", lead),
                lambda: records.create("lead", {"first_name": "x", "friend": lead}),
            ]
            answers = []
            for way in ways:
                try:
                    await way()
                except (NotFoundError, InvalidError, RefusedError) as error:
                    answers.append(f"{type(error).__name__} {error} {getattr(error, 'fields', '')}")
            answers.append(str(await records.labels("lead", [lead])))
            answers.append(str(await records.count("lead", Query(filters=(Filter("id", "equals", lead),)))))
            answers.append(str(await records.count("lead", Query(filters=(Filter("friend", "equals", lead),)))))
            return answers, recorded.statements

        result: tuple[list[str], list[str]] = await office.tenant.store.write(work)
        return result

    assert await asked(foreign) == await asked("no-such-id")


async def test_a_hidden_value_cannot_be_found_out(office: Office) -> None:
    await office.lead("ann", "Rich", income=1000)
    await office.lead("ann", "Poor", income=1)
    ann = await office.actor("ann", "own")

    async def work(records: Records) -> None:
        for operator, value in (("at_least", 500), ("equals", 1000), ("filled", None), ("differs", None)):
            wanted = Query(filters=(Filter("income", operator, value),))  # type: ignore[arg-type] # one of them each
            assert await records.count("lead", wanted) == 0
        by_income = [record.title for record in (await records.list("lead", Query(sort="-income"))).records]
        by_double = [record.title for record in (await records.list("lead", Query(sort="-double"))).records]
        by_id = [record.title for record in (await records.list("lead", Query(sort="-id"))).records]
        assert by_income == by_double == by_id
        page = await records.list("lead", Query(sort="-income", limit=1))
        assert (await records.list("lead", Query(sort="-income", limit=1, cursor=page.next))).records[0].title == "Rich"

    await office.read(ann, work)


async def test_a_filter_through_a_reference_sees_what_the_actor_sees_there(office: Office) -> None:
    await office.lead("bob")
    all_rows = await office.actor("ann", "all_rows")
    own = await office.actor("ann", "own", "all_rows")
    wanted = Query(filters=(Filter("owner.first_name", "equals", "Bob"),))
    hidden = Query(filters=(Filter("owner.phone", "filled"),))
    assert await office.read(all_rows, lambda records: records.count("lead", wanted)) == 0
    assert await office.read(own, lambda records: records.count("lead", wanted)) == 1
    assert await office.read(own, lambda records: records.count("lead", hidden)) == 0


async def test_a_title_names_only_what_may_be_read(office: Office) -> None:
    ids = list(office.ids.values())
    ann = await office.actor("ann", "own")
    labels = await office.read(ann, lambda records: records.labels("member", [*ids, "no-such-id"]))
    assert set(labels.values()) == {"Ann Durand", "Bob Durand", "Cid Durand"}


@pytest.mark.parametrize(
    ("levels", "owner", "granted"),
    [
        (("own",), "ann", {"call", "sign", "lose"}),
        (("own_and_read_all",), "dan", {"call", "sign"}),
        (("branch",), "bob", {"lose", "revive"}),
        (("branch",), "ann", {"lose", "revive", "sign"}),
        (("all_rows",), "dan", {"lose"}),
        (("all_rows",), "bob", {"lose"}),
        (("own", "all_rows"), "dan", {"lose"}),
        (("own", "all_rows"), "ann", {"call", "sign", "lose"}),
        (("leader",), "dan", {"call", "sign", "lose", "revive"}),
    ],
)
async def test_a_move_is_granted_on_what_the_granting_level_reaches(
    office: Office, levels: tuple[str, ...], owner: str, granted: set[str]
) -> None:
    lead = await office.lead(owner)
    ann = await office.actor("ann", *levels)

    async def work(records: Records) -> set[str]:
        record = await records.get("lead", lead)
        moves = ("call", "sign", "lose", "revive")
        return {move for move in moves if await records.may_move(record, "recruiting", move)}

    assert await office.read(ann, work) == granted


async def test_an_undeclared_leader_and_the_system_may_do_everything(office: Office) -> None:
    lead = await office.lead("dan", income=5)
    for actor in (SYSTEM, await office.actor("root", "leader")):
        record = await office.read(actor, lambda records: records.get("lead", lead))
        assert (record["income"], record.hidden, record.may) == (5, frozenset(), {"read", "update", "delete"})
        assert "income" in record.writable
        assert await tried(office, actor, lambda records: records.delete("lead", lead)) == "done"
        assert office.tenant.published.access.administers(actor)


async def test_the_public_has_its_own_level_and_members_do_not_share_it(office: Office) -> None:
    await office.company("Acme")
    branch = await office.actor("ann", "branch", "public")
    assert await office.read(PUBLIC, lambda records: records.count("company")) == 1
    assert await office.read(branch, lambda records: records.count("company")) == 0
    assert await office.read(PUBLIC, lambda records: records.count("lead")) == 0


async def test_a_level_that_is_defined_no_more_grants_nothing(office: Office) -> None:
    await office.lead("ann")
    ann = await office.actor("ann", "gone")
    assert await office.read(ann, lambda records: records.count("lead")) == 0


async def test_buttons_and_columns_know_what_may_ever_be_done(office: Office) -> None:
    access = office.tenant.published.access
    own, nothing = await office.actor("ann", "own"), await office.actor("ann", "nothing")
    assert access.may(own, "create", "lead")
    assert not access.may(own, "create", "company")
    assert not access.may(nothing, "read", "lead")
    assert not access.may_field(own, "lead", "income", "read")
    assert access.may_field(own, "lead", "phone", "write")
    assert not access.may_new_field(own, "lead", "income")
    assert access.functions(await office.actor("root", "leader")) == {
        "consult", "communicate", "import", "export", "analyse",
    }  # fmt: skip
    assert access.functions(own) == {"consult", "analyse"}


async def test_a_new_record_takes_only_what_its_creator_may_write(office: Office) -> None:
    ann = await office.actor("ann", "own")
    given = {"first_name": "New", "income": 3}
    assert await tried(office, ann, lambda records: records.create("lead", given)) == "invalid ['income']"


async def test_a_change_may_take_a_record_out_of_the_sight_of_its_actor(office: Office) -> None:
    lead = await office.lead("bob", phone="0612345678")
    ann = await office.actor("ann", "compatriots")
    change = await office.write(ann, lambda records: records.update("lead", lead, 1, {"country": "BE"}))
    assert change.after.may == frozenset()
    assert (change.after["country"], change.after.full["country"]) == (None, "BE")
    with pytest.raises(NotFoundError):
        await office.read(ann, lambda records: records.get("lead", lead))


async def test_a_record_that_leaves_the_sight_shows_nothing_more(office: Office) -> None:
    lead = await office.lead("ann", phone="0612345678")
    ann = await office.actor("ann", "branch")

    async def work(records: Records) -> Any:
        sight = records.sight("lead")
        full = (await records.system.get("lead", lead)).full
        return sight.out_of_sight(full)

    gone = await office.read(ann, work)
    assert gone.may == frozenset()
    assert {name for name, value in gone.values.items() if value is not None} == {"id", "version"}
    assert gone.title == lead


@asynccontextmanager
async def create_office(folder: Path, clock: SetClock, files: Mapping[str, str]) -> AsyncIterator[Office]:
    tenant = await create_tenant(folder / "office.sqlite", "office", files=files, clock=clock, new_id=counting_ids())
    yield await fill(tenant)
    await tenant.close()


@pytest.mark.parametrize(
    "rule",
    [
        "record.owner == actor",
        "record.owner.sponsor == actor.sponsor",
        "!has(actor.phone)",
        'record.country == "FR" || record.owner == actor',
        "mine",
        "downline",
    ],
)
async def test_who_is_nobody_owns_nothing(tmp_path: Path, clock: SetClock, rule: str) -> None:
    level = f"level: public\nentities:\n  lead: {{read: '{rule}', create: true}}\n  company: {{read: all}}\n"
    files = {**OFFICE, "public.yaml": level, "levels.yaml": LEVELS.partition("---\nlevel: public")[0]}
    async with create_office(tmp_path, clock, files) as office:
        await office.write(SYSTEM, lambda records: records.create("lead", {"first_name": "Nobody's", "owner": None}))
        await office.lead("root")
        assert await office.read(SYSTEM, lambda records: records.count("lead")) == 2
        assert await office.read(PUBLIC, lambda records: records.count("lead")) == 0
        assert await tried(office, PUBLIC, lambda records: records.create("lead", {"first_name": "x"})) != "done"


async def test_an_ownerless_record_is_no_members_own(office: Office) -> None:
    lead = await office.write(SYSTEM, lambda records: records.create("lead", {"first_name": "x", "owner": None}))
    for levels in (("own",), ("branch",), ("own", "branch")):
        for name in ("root", "ann"):
            actor = await office.actor(name, *levels)
            assert await office.read(actor, lambda records: records.count("lead")) == 0
            with pytest.raises(NotFoundError):
                await office.read(actor, lambda records: records.get("lead", lead.id))


@pytest.mark.parametrize("email", ["ROOT@example.com", "Root@example.com"])
async def test_nobody_takes_the_name_that_another_signs_in_with(office: Office, email: str) -> None:
    ann = await office.actor("ann", "own")
    change = {"email": email}
    came = await tried(office, ann, lambda records: records.update("member", office.ids["ann"], None, change))
    assert came == "invalid ['email']"
    own = {"email": "ANN@example.com"}
    assert await tried(office, ann, lambda records: records.update("member", office.ids["ann"], None, own)) == "done"
