from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from definitions.expr import INT, STRING, Expression, Member, RecordOf, Scope, compile_expression
from definitions.problems import NOWHERE
from models.actor import PUBLIC, SYSTEM
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from models.query import Filter, Query
from models.records import Records
from models.store import ConstraintError
from tests.models.office import Office, Recorded

pytestmark = pytest.mark.anyio


async def names(office: Office, actor: Any, query: Query) -> list[str]:
    page = await office.read(actor, lambda records: records.list("lead", query))
    return [record.title for record in page.records]


async def problems(office: Office, actor: Any, values: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidError) as refused:
        await office.write(actor, lambda records: records.create("lead", values))
    return {name: str(message) for name, message in refused.value.fields.items()}


async def test_what_was_created_is_read_back_with_its_types(office: Office) -> None:
    company = await office.company("Acme")
    given = {"first_name": "Léa", "phone": "06 12 34 56 78", "income": "1 200,50", "company": company, "calls": ""}
    lead = await office.lead("ann", **given)
    read = (await office.read(SYSTEM, lambda records: records.get("lead", lead))).values
    assert read["phone"] == "+33612345678"
    assert read["income"] == Decimal("1200.50")
    assert read["company"] == {"id": company}
    assert read["owner"] == {"id": office.ids["ann"]}
    assert (read["country"], read["calls"], read["recruiting"], read["version"]) == ("FR", None, "new", 1)


async def test_a_new_record_belongs_to_who_creates_it(office: Office) -> None:
    ann = await office.actor("ann", "own")
    created = await office.write(ann, lambda records: records.create("lead", {"first_name": "Léa"}))
    assert created["owner"] == {"id": office.ids["ann"]} == created["created_by"]
    assert created["last_activity_at"] == created["created_at"]


async def test_computed_fields_follow_each_change_in_order(office: Office) -> None:
    lead = await office.lead("ann", income="30")
    before = await office.read(SYSTEM, lambda records: records.get("lead", lead))
    assert (before["double"], before["rich"]) == (Decimal("60.00"), False)
    change = await office.write(SYSTEM, lambda records: records.update("lead", lead, 1, {"income": "60"}))
    assert (change.after["double"], change.after["rich"]) == (Decimal("120.00"), True)
    assert set(change.fields) == {"income", "double", "rich"}


async def test_a_computed_value_that_does_not_fit_is_none(office: Office) -> None:
    lead = await office.lead("ann", factor=3)
    assert (await office.read(SYSTEM, lambda records: records.get("lead", lead)))["product"] == 9
    too_big = {"factor": 2**62, "income": "9999999999999999"}
    change = await office.write(SYSTEM, lambda records: records.update("lead", lead, 1, too_big))
    assert change.after["product"] is change.after["double"] is None


async def test_a_member_with_records_is_not_deleted(office: Office) -> None:
    await office.lead("dan")
    for name, refused in (("dan", RefusedError), ("bob", RefusedError)):
        with pytest.raises(refused):
            await office.write(SYSTEM, partial(Records.delete, entity="member", record_id=office.ids[name]))
    gone = await office.write(SYSTEM, partial(Records.delete, entity="member", record_id=office.ids["cid"]))
    assert gone.title == "Cid Durand"


async def test_a_members_name_is_made_of_first_and_last_name(office: Office) -> None:
    member = await office.read(SYSTEM, lambda records: records.get("member", office.ids["ann"]))
    assert (member["name"], member.title) == ("Ann Durand", "Ann Durand")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"first_name": "This is needed."}),
        ({"first_name": "x" * 21}, {"first_name": "At most 20 characters."}),
        ({"first_name": "Léa", "note": "ab"}, {"note": "At least 3 characters."}),
        ({"first_name": "Léa", "owner": "x"}, {"owner": "This record does not exist, or you may not see it."}),
        ({"first_name": "Léa", "calls": 51}, {"calls": "At most 50."}),
        ({"first_name": "Léa", "income": "-1"}, {"income": "At least 0."}),
        ({"first_name": "Léa", "code": "abc"}, {"code": "This does not have the expected form."}),
        ({"first_name": "Léa", "code": "AB12x"}, {"code": "This does not have the expected form."}),
        ({"first_name": "Léa", "country": "DE"}, {"country": "The network is not open in this country: FR, BE."}),
        ({"first_name": "Léa", "company": "x"}, {"company": "This record does not exist, or you may not see it."}),
        ({"first_name": "Léa", "double": 3}, {"double": "This is computed, it cannot be set."}),
        ({"first_name": "Léa", "surname": 3}, {"surname": "There is no such field."}),
        ({"email": "x", "phone": "y"}, {"email": "This is not an e-mail address.", "first_name": "This is needed.",
                                        "phone": "This is not a phone number."}),
    ],
)  # fmt: skip
async def test_all_that_is_wrong_is_said_at_once_by_field(
    office: Office, values: dict[str, Any], expected: dict[str, str]
) -> None:
    assert await problems(office, SYSTEM, values) == expected


async def test_a_phone_number_is_of_the_records_country(office: Office) -> None:
    lead = await office.lead("ann", country="BE", phone="0470 12 34 56")
    read = await office.read(SYSTEM, lambda records: records.get("lead", lead))
    assert read["phone"] == "+32470123456"


async def test_a_value_that_is_taken_says_no_more(office: Office) -> None:
    await office.lead("dan", code="AB1", email="x@example.com")
    ann = await office.actor("ann", "own")
    assert await problems(office, ann, {"first_name": "Léa", "code": "AB1"}) == {"code": "This is taken already."}
    await office.write(ann, lambda records: records.create("lead", {"first_name": "A", "email": "x@example.com"}))
    assert await problems(office, ann, {"first_name": "Zoé", "email": "x@example.com"}) == {
        "email": "This is taken already."
    }


async def test_a_second_writer_with_the_same_version_is_refused(office: Office) -> None:
    lead = await office.lead("ann")
    await office.write(SYSTEM, lambda records: records.update("lead", lead, 1, {"first_name": "Zoé"}))
    with pytest.raises(ConflictError) as refused:
        await office.write(SYSTEM, lambda records: records.update("lead", lead, 1, {"first_name": "Max"}))
    assert refused.value.current == 2


async def test_an_old_version_is_not_deleted(office: Office) -> None:
    lead = await office.lead("ann")
    with pytest.raises(ConflictError):
        await office.write(SYSTEM, lambda records: records.delete("lead", lead, 7))


async def test_a_list_is_sorted_by_its_fields_alone(office: Office) -> None:
    for sort in ("secret", "-", "tags.x"):
        with pytest.raises(InvalidError):
            await office.read(SYSTEM, partial(Records.list, entity="lead", query=Query(sort=sort)))


async def test_an_update_without_difference_writes_nothing(office: Office) -> None:
    lead = await office.lead("ann", "Léa")
    change = await office.write(SYSTEM, lambda records: records.update("lead", lead, 1, {"first_name": " Léa "}))
    assert (change.fields, change.after.version) == ((), 1)


async def test_a_record_that_others_need_is_not_deleted(office: Office) -> None:
    company = await office.company("Acme")
    await office.lead("ann", company=company)
    with pytest.raises(RefusedError):
        await office.write(SYSTEM, lambda records: records.delete("company", company))


async def test_a_deleted_record_is_gone_and_what_may_forget_it_does(office: Office) -> None:
    lead = await office.lead("ann")
    other = await office.lead("ann", friend=lead)
    gone = await office.write(SYSTEM, lambda records: records.delete("lead", lead, 1))
    assert gone.id == lead
    assert (await office.read(SYSTEM, lambda records: records.get("lead", other)))["friend"] is None
    with pytest.raises(NotFoundError):
        await office.read(SYSTEM, lambda records: records.get("lead", lead))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(q="lea"), ["Léa"]),
        (Query(q="ÉA"), ["Léa"]),
        (Query(q="zo example"), ["Zoé"]),
        (Query(q="zo lea"), []),
        (Query(q="06 12 34"), ["Léa"]),
        (Query(q="%"), []),
        (Query(filters=(Filter("country", "equals", "BE"),)), ["Zoé"]),
        (Query(filters=(Filter("country", "differs", "BE"),)), ["Léa", "Max"]),
        (Query(filters=(Filter("income", "at_least", "100"),)), ["Max", "Zoé"]),
        (Query(filters=(Filter("income", "after", "100"),)), ["Zoé"]),
        (Query(filters=(Filter("income", "empty"),)), ["Léa"]),
        (Query(filters=(Filter("income", "filled"),)), ["Max", "Zoé"]),
        (Query(filters=(Filter("recruiting", "any_of", ["new", "lost"]),)), ["Léa", "Max", "Zoé"]),
        (Query(filters=(Filter("recruiting", "equals", "signed"),)), []),
        (Query(filters=(Filter("next_at", "equals", "2026-03-01"),)), ["Zoé"]),
        (Query(filters=(Filter("next_at", "at_most", "2026-02-28"),)), []),
        (Query(filters=(Filter("next_at", "before", "2026-03-01T23:31"),)), ["Zoé"]),
        (Query(filters=(Filter("company.city", "contains", "lyo"),)), ["Zoé"]),
        (Query(filters=(Filter("first_name", "contains", "a"), Filter("calls", "at_most", 0))), ["Léa", "Max"]),
        (Query(filters=(Filter("email", "any_of", []),)), []),
        (Query(filters=(Filter("rich", "equals", "true"),)), ["Max", "Zoé"]),
        (Query(filters=(Filter("note", "contains", "REPAS"),)), ["Léa"]),
        (Query(filters=(Filter("note", "contains", "100%"),)), ["Léa"]),
        (Query(filters=(Filter("note", "contains", "a_1"),)), []),
        (Query(filters=(Filter("tags", "contains", "home"),)), ["Max"]),
        (Query(filters=(Filter("tags", "any_of", ["homes", "work"]),)), ["Max", "Zoé"]),
        (Query(filters=(Filter("tags", "equals", None),)), ["Léa"]),
        (Query(filters=(Filter("next_at", "any_of", [date(2026, 3, 1), "2026-03-02"]),)), ["Zoé"]),
        (Query(filters=(Filter("next_at", "after", "2026-02-28"),)), ["Zoé"]),
        (Query(filters=(Filter("next_at", "after", "2026-03-01"),)), []),
        (Query(filters=(Filter("company", "filled"),)), ["Zoé"]),
    ],
)
async def test_a_list_is_searched_and_filtered_by_data(office: Office, query: Query, found: list[str]) -> None:
    company = await office.company("Acme", "Lyon")
    await office.lead("ann", "Léa", phone="0612345678", note="Un repas à 100%")
    await office.lead("ann", "Max", income=100, tags=["home", "work"])
    zoe = {"country": "BE", "income": 200, "email": "zo@example.com", "next_at": "2026-03-01T23:30", "tags": "homes"}
    await office.lead("bob", "Zoé", company=company, **zoe)
    assert sorted(await names(office, SYSTEM, query)) == found
    assert await office.read(SYSTEM, lambda records: records.count("lead", query)) == len(found)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter("secret", "empty"),
        Filter("company.secret", "empty"),
        Filter("calls", "equals", "many"),
        Filter("tags", "contains", "hom"),
        Filter("next_at", "before", "2026-13-01"),
        Filter("next_at", "equals", "2026-02-30"),
        Filter("calls", "at_least", ""),
        Filter("company", "before", "x"),
        Filter("income", "contains", "1"),
        Filter("country", "any_of", [f"{number}" for number in range(201)]),
    ],
)
async def test_a_filter_that_makes_no_sense_is_an_error_by_field(office: Office, wanted: Filter) -> None:
    with pytest.raises(InvalidError) as refused:
        await office.read(SYSTEM, lambda records: records.count("lead", Query(filters=(wanted,))))
    assert list(refused.value.fields) == [wanted.field]


@pytest.mark.parametrize("sort", ["first_name", "-first_name", "income", "-income", "created_at", "-created_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_pages_follow_one_another_without_gap_or_double(office: Office, sort: str, limit: int) -> None:
    incomes = [None, 5, None, 7, 5, 1, None]
    for number, income in enumerate(incomes):
        await office.lead("ann", f"Léa {number % 3}", income=income)

    async def all_pages(records: Records) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await records.list("lead", Query(sort=sort, limit=limit, cursor=cursor))
            found += [record.id for record in page.records]
            cursor = page.next
            if cursor is None:
                return found

    paged = await office.read(SYSTEM, all_pages)
    whole = await office.read(SYSTEM, lambda records: records.list("lead", Query(sort=sort)))
    assert paged == [record.id for record in whole.records]
    assert len(set(paged)) == len(incomes)
    key = sort.removeprefix("-")
    values = [record[key] for record in whole.records]
    filled = [value for value in values if value is not None]
    assert values == sorted(filled, reverse=sort.startswith("-")) + [None] * values.count(None)


@pytest.mark.parametrize("cursor", ["x", "e30", "WzFd", "[]"])
async def test_a_cursor_that_is_none_is_refused(office: Office, cursor: str) -> None:
    with pytest.raises(InvalidError):
        await office.read(SYSTEM, lambda records: records.list("lead", Query(cursor=cursor)))


async def test_a_list_can_be_entered_at_an_offset(office: Office) -> None:
    for name in ("A", "B", "C"):
        await office.lead("ann", name)
    assert await names(office, SYSTEM, Query(sort="first_name", offset=1, limit=1)) == ["B"]


async def test_only_the_wanted_columns_are_read(office: Office) -> None:
    await office.lead("ann", "Léa", phone="0612345678")
    page = await office.read(SYSTEM, lambda records: records.list("lead", Query(columns=("country",))))
    assert page.records[0]["country"] == "FR"
    assert "phone" not in page.records[0].values


async def test_states_are_counted_for_a_board(office: Office) -> None:
    await office.lead("ann")
    await office.lead("ann", recruiting="lost")
    await office.lead("bob", recruiting="lost")
    ann = await office.actor("ann", "own")
    counts = await office.read(ann, lambda records: records.group_count("lead", "recruiting"))
    assert counts == {"new": 1, "lost": 1}


async def test_a_list_is_one_statement_and_its_labels_one_an_entity(office: Office) -> None:
    company = await office.company("Acme")
    for _ in range(5):
        await office.lead("ann", company=company)
    ann = await office.actor("ann", "own")

    async def work(tx: Any) -> tuple[int, int]:
        recorded = Recorded(tx)
        records = office.records(recorded, ann)
        page = await records.list("lead")
        listed = len(recorded.statements)
        labels = await records.reference_labels(page.records)
        assert labels["company"] == {company: "Acme"}
        assert labels["member"] == {office.ids["ann"]: "Ann Durand"}
        return listed, len(recorded.statements) - listed

    assert await office.tenant.store.read(work) == (1, 2)


async def test_only_the_system_writes_states_and_times(office: Office) -> None:
    ann = await office.actor("ann", "own")
    refused = {"recruiting": "You may not change this.", "created_at": "You may not change this."}
    given = {"first_name": "Léa", "recruiting": "lost", "created_at": "2026-01-01"}
    assert await problems(office, ann, given) == refused
    assert await problems(office, SYSTEM, {"first_name": "Léa", "recruiting": "gone"}) == {
        "recruiting": "This is not one of the options."
    }


async def test_the_activity_of_people_is_noted_and_the_systems_is_not(office: Office) -> None:
    lead = await office.lead("ann")
    read = await office.read(SYSTEM, lambda records: records.get("lead", lead))
    assert read["last_activity_at"] is None
    ann = await office.actor("ann", "own")
    change = await office.write(ann, lambda records: records.update("lead", lead, 1, {"first_name": "Zoé"}))
    assert change.after["last_activity_at"] == office.tenant.clock.now()


async def test_an_entity_that_does_not_exist_is_not_found(office: Office) -> None:
    for work in (lambda records: records.get("x", "1"), lambda records: records.list("x")):
        with pytest.raises(NotFoundError):
            await office.read(PUBLIC, work)


async def test_references_are_followed_as_far_as_they_are_read(office: Office) -> None:
    company = await office.company("Acme", "Lyon")
    lead = await office.lead("bob", company=company)

    async def work(records: Records) -> Any:
        record = await records.get("lead", lead)
        return await records.loader.follow(
            "lead", record.full, {("company", "city"), ("owner", "sponsor", "first_name")}
        )

    found = await office.read(SYSTEM, work)
    assert found["company"]["city"] == "Lyon"
    assert found["owner"]["sponsor"]["first_name"] == "Ann"


async def test_the_database_keeps_what_validation_would_let_through(office: Office) -> None:
    lead = await office.lead("ann", code="AB1")

    async def work(tx: Any) -> None:
        await tx.run('UPDATE "lead" SET "company" = ? WHERE "id" = ?', ("nowhere", lead))

    with pytest.raises(ConstraintError):
        await office.tenant.store.write(work)


def condition(office: Office, text: str) -> Expression:
    """Return a condition over `record`, `before` and everything that is in scope everywhere."""
    columns = {"city": Member(STRING), "first_name": Member(STRING), "country": Member(STRING)}
    lead = {"company": Member(RecordOf("company")), "owner": Member(RecordOf("member")), "calls": Member(INT)}
    member = {**columns, "sponsor": Member(RecordOf("member"))}
    records = {"lead": {**columns, **lead}, "company": columns, "member": member, "settings": {"goal": Member(INT)}}
    records |= {"network": {"currency": Member(STRING)}}
    entities = {"record": "lead", "before": "lead", "actor": "member", "settings": "settings", "network": "network"}
    scope = Scope({name: RecordOf(entity) for name, entity in entities.items()}, records)
    return compile_expression(text, NOWHERE, scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('record.company.city == "Lyon"', True),
        ('before.company.city == "Lyon"', True),
        ("record.owner == actor", True),
        ("record.owner.sponsor.country == actor.sponsor.country", True),
        ("settings.goal", 100),
        ("network.currency", "EUR"),
        ("record.first_name", "Léa"),
    ],
)
async def test_the_names_of_expressions_bring_what_they_read(office: Office, text: str, value: Any) -> None:
    company = await office.company("Acme", "Lyon")
    lead = await office.lead("ann", "Léa", company=company)
    ann = await office.actor("ann", "own")
    expression = condition(office, text)

    async def work(records: Records) -> Any:
        record = await records.get("lead", lead)
        names = await records.env(record, [expression], before=record.full, other=record)
        return expression.evaluate(names, records.context)

    assert await office.read(ann, work) == value


async def test_a_condition_of_a_view_sees_what_its_reader_sees(office: Office) -> None:
    await office.lead("ann", "Léa", calls=3, company=await office.company("Acme", "Lyon"))
    query = Query(where=condition(office, 'record.calls > 2 && record.company.city == "Lyon" && settings.goal == 100'))
    own, branch = await office.actor("ann", "own"), await office.actor("ann", "branch")
    assert await office.read(own, lambda records: records.count("lead", query)) == 1
    assert await office.read(branch, lambda records: records.count("lead", query)) == 0
