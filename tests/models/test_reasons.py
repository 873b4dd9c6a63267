"""Whoever administers the network is told why a member may do something or not, and told the truth."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

import pytest

from models.actor import SYSTEM, Actor
from models.errors import NotFoundError
from models.reasons import Explanation, Piece, Question, explain
from models.records import Records
from tests.models.office import OFFICE, Office

pytestmark = pytest.mark.anyio

LEVELS = ("own", "branch", "all_rows", "own_and_read_all", "nothing", "compatriots", "leader")
MOVES = ("call", "sign", "lose", "revive")
FIELDS = ("income", "double", "rich", "phone", "recruiting", "owner")


async def give(office: Office, name: str, *levels: str) -> Actor:
    """Give a member other levels."""
    await office.write(
        SYSTEM, lambda records: records.update("member", office.ids[name], None, {"levels": list(levels)})
    )
    return await office.actor(name, *levels)


async def asked(office: Office, **question: Any) -> Explanation:
    root = await office.actor("root", "leader")
    found: Explanation = await office.read(root, lambda records: explain(records, Question(**question)))
    return found


async def truth(lead: str, records: Records) -> dict[str, bool]:
    """Return what a member may do with a lead, as the door to data has it."""
    try:
        record = await records.get("lead", lead)
    except NotFoundError:
        return {}
    found = {f"read {name}": name not in record.hidden for name in FIELDS}
    found |= {f"write {name}": name in record.writable for name in ("income", "phone")}
    found |= {move: await records.may_move(record, "recruiting", move) for move in MOVES}
    return {**found, **{right: right in record.may for right in ("read", "update", "delete")}}


def questions() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {right: {"action": right} for right in ("read", "update", "delete")}
    found |= {f"read {name}": {"field": name} for name in FIELDS}
    found |= {f"write {name}": {"field": name, "mode": "write"} for name in ("income", "phone")}
    return {**found, **{move: {"process": "recruiting", "transition": move} for move in MOVES}}


@pytest.mark.parametrize("levels", [*combinations(LEVELS, 1), *combinations(LEVELS[:3], 2)], ids="+".join)
async def test_the_answer_is_what_the_door_to_data_does(office: Office, levels: tuple[str, ...]) -> None:
    leads = [await office.lead(owner, owner, income=10, calls=3) for owner in ("ann", "bob", "dan")]
    leads.append(await office.lead("bob", country="BE"))
    ann, root = await give(office, "ann", *levels), await office.actor("root", "leader")

    async def told(lead: str, records: Records) -> dict[str, bool | None]:
        return {
            name: (await explain(records, Question(office.ids["ann"], "lead", record=lead, **each))).allowed
            for name, each in questions().items()
        }

    for lead in leads:
        real = await office.read(ann, partial(truth, lead))
        found = await office.read(root, partial(told, lead))
        assert {name: allowed for name, allowed in found.items() if allowed} == {
            name: allowed for name, allowed in real.items() if allowed
        }


async def test_it_names_the_level_the_place_and_the_part_that_fails(office: Office) -> None:
    lead = await office.lead("bob", country="BE", calls=2)
    await give(office, "ann", "compatriots", "own", "nothing")
    found = await asked(office, member=office.ids["ann"], entity="lead", record=lead)
    assert (found.allowed, found.active) == (False, True)
    compatriots, nothing, own = found.levels
    assert [(reason.text, reason.holds) for reason in compatriots.reasons] == [
        ("read: record.country == actor.country", False)
    ]
    place = compatriots.reasons[0].place
    line = OFFICE["expressions.yaml"].splitlines()[place.line - 1]
    assert (place.file, line[place.column - 1 :]) == ("expressions.yaml", "record.country == actor.country")
    assert compatriots.reasons[0].pieces == (
        Piece("record.country == actor.country", False, (("record.country", "BE"), ("actor.country", "FR"))),
    )
    assert [(reason.about, reason.holds) for reason in nothing.reasons] == [("unsaid", False)]
    assert [(reason.text, reason.holds) for reason in own.reasons] == [("read: mine", False)]


async def test_a_closed_office_is_a_reason(office: Office) -> None:
    lead = await office.lead("root")
    await give(office, "ann", "leader")
    found = await asked(office, member=office.ids["ann"], entity="lead", record=lead, action="update")
    assert [(reason.about, reason.holds) for reason in found.levels[0].reasons] == [
        ("everything", True),
        ("closed", True),
    ]
    sql = 'INSERT INTO "_closed" ("member", "since") VALUES (?, ?)'
    await office.tenant.store.write(lambda tx: tx.run(sql, (office.ids["root"], "2026-03-02 11:00:00.000000+00:00")))
    found = await asked(office, member=office.ids["ann"], entity="lead", record=lead, action="update")
    assert [(reason.about, reason.holds) for reason in found.levels[0].reasons] == [
        ("everything", True),
        ("closed", False),
    ]


async def test_without_a_record_it_says_what_depends_on_it(office: Office) -> None:
    await give(office, "ann", "own")
    expected: list[tuple[dict[str, Any], bool | None]] = [
        ({"entity": "lead"}, None),
        ({"entity": "lead", "field": "income"}, False),
        ({"entity": "company"}, True),
        ({"entity": "company", "action": "create"}, False),
        ({"entity": "lead", "action": "create"}, None),
        ({"entity": "lead", "process": "recruiting", "transition": "revive"}, False),
    ]
    for question, allowed in expected:
        assert (await asked(office, member=office.ids["ann"], **question)).allowed is allowed


async def test_who_is_not_active_may_do_nothing(office: Office) -> None:
    await office.write(SYSTEM, lambda records: records.update("member", office.ids["bob"], None, {"active": False}))
    found = await asked(office, member=office.ids["bob"], entity="company")
    assert (found.allowed, found.active, found.levels) == (False, False, ())


async def test_nobody_else_is_told_and_nothing_of_what_is_not_there(office: Office) -> None:
    lead = await office.lead("dan")
    sql = 'INSERT INTO "_closed" ("member", "since") VALUES (?, ?)'
    await office.tenant.store.write(lambda tx: tx.run(sql, (office.ids["dan"], "2026-03-02 11:00:00.000000+00:00")))
    root, own = await office.actor("root", "leader"), await office.actor("ann", "own")
    ann = office.ids["ann"]
    ways: list[tuple[Actor, Question]] = [
        (own, Question(ann, "company")),
        (root, Question(ann, "lead", record=lead)),
        (root, Question(ann, "lead", record="nothing")),
        (root, Question("nothing", "lead")),
        (root, Question(ann, "nothing")),
        (root, Question(ann, "lead", field="nothing")),
        (root, Question(ann, "lead", process="recruiting", transition="nothing")),
        (root, Question(ann, "lead", process="nothing", transition="call")),
        (root, Question(ann, "company", process="recruiting", transition="call")),
    ]

    async def work(question: Question, records: Records) -> None:
        await explain(records, question)

    for actor, question in ways:
        with pytest.raises(NotFoundError):
            await office.read(actor, partial(work, question))
