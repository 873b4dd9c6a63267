"""Tables follow the definitions, values and all, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from definitions.problems import DefinitionError
from models.catalog import columns_of_tables
from models.plan import plan
from models.tenant import Tenant, create_tenant
from models.tx import Dialect, Row, Tx
from tests.homes import Homes
from tests.models.changing import (
    BIRTH,
    CALLS,
    CITY,
    COMPANY,
    DOUBLE,
    HOT,
    NEWSLETTER,
    PAUSE,
    RATING,
    SOURCE,
    Case,
    lead,
    packed,
)
from tests.models.rows import column, execute, insert, records, schema, select
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio

NOON = "2026-03-02 11:00:00.000000+00:00"

CHANGES = [
    Case("a field is added", ((CITY, CITY + "  job: {type: text, personal: professional}\n"),), after={"job": None}),
    Case(
        "a field with a default is added",
        ((CITY, CITY + "  score: {type: integer, default: 5}\n"),),
        after={"score": 5},
    ),
    Case(
        "a required field with a computed default is added",
        ((CITY, CITY + "  known_on: {type: date, required: true, default: =today()}\n"),),
        after={"known_on": date(2026, 3, 2)},
    ),
    Case("an empty field is dropped", ((CITY, ""),), gone=("city",)),
    Case(
        "a field is renamed",
        ((CITY, "  town: {type: text, personal: contact, was: city}\n"),),
        {"city": "Lyon"},
        {"town": "Lyon"},
        ("city",),
    ),
    Case(
        "two fields exchange their names",
        ((CITY, "  pause: {type: text, was: city}\n"), (PAUSE, "  city: {type: duration, was: pause}\n")),
        {"city": "Lyon"},
        {"pause": "Lyon", "city": None},
    ),
    Case(
        "a renamed field keeps its folded column",
        (
            ("  last_name:    {type: text,", "  surname: {was: last_name, type: text,"),
            ("{{ record.last_name }}", "{{ record.surname }}"),
            ("[first_name, last_name, email]", "[first_name, surname, email]"),
        ),
        {"last_name": "Élan"},
        {"surname": "Élan", "_fold_surname": "elan"},
        ("last_name", "_fold_last_name"),
    ),
    Case(
        "a number becomes a text",
        ((RATING, "  rating: {type: text}\n"),),
        {"rating": Decimal("4.1250")},
        {"rating": "4.1250"},
    ),
    Case(
        "a text becomes a number",
        ((CITY, "  city: {type: integer}\n"),),
        {"city": "69"},
        {"city": 69},
    ),
    Case(
        "an integer becomes a decimal",
        ((CALLS, "  calls: {type: decimal, scale: 1, default: 0}\n"),),
        {"calls": 3},
        {"calls": Decimal("3.0")},
    ),
    Case(
        "a decimal keeps what it can with fewer places",
        ((RATING, "  rating: {type: decimal, scale: 2}\n"),),
        {"rating": Decimal("4.2500")},
        {"rating": Decimal("4.25")},
    ),
    Case(
        "a date becomes a time in the network's zone",
        ((BIRTH, "  birth_date: {type: datetime, personal: identity}\n"),),
        {"birth_date": date(1990, 7, 14)},
        {"birth_date": datetime(1990, 7, 13, 22, tzinfo=UTC)},
    ),
    Case(
        "a choice becomes several",
        ((SOURCE, SOURCE.replace("type: choice,", "type: choices,")),),
        {"source": "site"},
        {"source": ("site",)},
    ),
    Case(
        "a text becomes a long text",
        ((CITY, "  city: {type: long_text, personal: contact}\n"),),
        {"city": "Lyon"},
        {"city": "Lyon"},
    ),
    Case(
        "a filled field becomes required",
        ((CITY, "  city: {type: text, personal: contact, required: true}\n"),),
        {"city": "Lyon"},
        {"city": "Lyon"},
    ),
    Case(
        "a field becomes required and has a default",
        ((CITY, "  city: {type: text, personal: contact, required: true, default: Paris}\n"),),
        {"city": None},
        {"city": "Paris"},
    ),
    Case(
        "a required field is so no more", (("last_name:    {type: text, required: true,", "last_name: {type: text,"),)
    ),
    Case(
        "a default changes for new records only",
        ((CALLS, "  calls: {type: integer, default: 7}\n"),),
        {"calls": 1},
        {"calls": 1},
    ),
    Case("a field becomes unique", ((CITY, "  city: {type: text, personal: contact, unique: true}\n"),)),
    Case("a field is unique no more", (("{type: email, personal: contact, unique: owner}", "{type: email}"),)),
    Case("an index comes", ((CITY, "  city: {type: text, personal: contact, index: true}\n"),)),
    Case("an index goes", (("{type: datetime, index: true}", "{type: datetime}"),)),
    Case("the rule of a reference changes", ((COMPANY, COMPANY.replace("clear", "restrict")),)),
    Case(
        "an empty reference points elsewhere",
        ((COMPANY, "  company: {type: reference, to: member, on_delete: clear}\n"),),
    ),
    Case(
        "a formula changes",
        ((HOT, '"=record.calls > 5"'),),
        {"calls": 6, "hot": False},
        {"hot": True},
    ),
    Case(
        "a computed field is added",
        ((CALLS, CALLS + '  many: {type: integer, compute: "=record.calls * 10"}\n'),),
        {"calls": 6},
        {"many": 60},
    ),
    Case(
        "a field is computed from now on",
        ((NEWSLETTER, '  newsletter: {type: boolean, compute: "=has(record.email)"}\n'),),
        {"email": "a@b.fr", "newsletter": False},
        {"newsletter": True},
    ),
    Case(
        "what is computed follows the values that it reads",
        ((CALLS, "  calls: {type: integer, required: true, default: 3}\n" + DOUBLE),),
        {"calls": None, "next_call_at": datetime(2026, 3, 9, tzinfo=UTC), "hot": False},
        {"hot": True, "double": 6, "quadruple": 12},
    ),
    Case(
        "an option is renamed",
        ((SOURCE, SOURCE.replace("site: {fr: Site, en: Web site}", "web: {fr: Site, en: Web site, was: site}")),),
        {"source": "site"},
        {"source": "web"},
    ),
    Case(
        "an option of several is renamed",
        (("home: {fr: Maison, en: Home}", "house: {fr: Maison, en: Home, was: home}"),),
        {"interests": ("home", "beauty")},
        {"interests": ("house", "beauty")},
    ),
    Case("an unused option goes", ((SOURCE, SOURCE.replace(", direct: {fr: Direct, en: Direct}", "")),)),
    Case(
        "a state goes and says where to",
        (
            ("entity: lead\nlabel: {fr: Recrutement", "entity: lead\nmoved: {contacted: new}\nlabel: {fr: Recrutement"),
            ("  contacted: {label: {fr: Contacté, en: Contacted}, colour: amber}\n", ""),
            ("from: [new, contacted]\n    to: contacted", "from: new\n    to: signed"),
            ("{from: contacted, to: signed", "{from: new, to: signed"),
            ("{from: lost, to: contacted", "{from: lost, to: new"),
            ("recruiting.contacted", "recruiting.signed"),
        ),
        {"recruiting": "contacted"},
        {"recruiting": "new"},
    ),
    Case(
        "a state is renamed",
        (
            ("  lost:      {label:", "  gone: {was: lost, label:"),
            ("{from: any, to: lost", "{from: any, to: gone"),
            ("{from: lost,", "{from: gone,"),
        ),
        {"recruiting": "lost"},
        {"recruiting": "gone"},
    ),
    Case(
        "a process is renamed",
        (
            ("process: recruiting\n", "process: hiring\nwas: recruiting\n"),
            ("recruiting.contacted", "hiring.contacted"),
        ),
        {"recruiting": "contacted"},
        {"hiring": "contacted"},
        ("recruiting",),
    ),
    Case(
        "a process is added",
        (("{from: lost, to: contacted", "{from: lost, to: contacted"),),
        after={"follow_up": "idle"},
    ),
    Case(
        "more is searched",
        (("search: [first_name, last_name, email]", "search: [first_name, last_name, email, city]"),),
        {"city": "Évreux"},
        {"_fold_city": "evreux"},
    ),
    Case(
        "less is searched",
        (("search: [first_name, last_name, email]", "search: [last_name]"),),
        gone=("_fold_first_name", "_fold_email"),
    ),
]


@pytest.mark.parametrize("case", CHANGES, ids=str)
async def test_tables_follow_the_definitions(tenant: Tenant, homes: Homes, case: Case) -> None:
    await lead(tenant, **case.before)
    old = tenant.published
    published = await tenant.publish(packed(case))
    (record,) = await records(tenant, "lead")
    assert {name: record[name] for name in case.after} == dict(case.after)
    assert not set(case.gone) & set(record)
    assert await tenant.store.read(structure) == await fresh(homes, packed(case))
    if homes.dialect == "sqlite":
        assert await select(tenant, "PRAGMA integrity_check") == [("ok",)]
    assert plan(published.network, published.network).steps == ()
    assert old.version == 1


@pytest.mark.parametrize("case", CHANGES, ids=str)
async def test_and_back_again(tenant: Tenant, case: Case) -> None:
    before = await tenant.store.read(structure)
    await lead(tenant, **case.before)
    await tenant.publish(packed(case))
    await execute(tenant, "DELETE FROM lead")
    await tenant.publish(SMALL, allow_loss=True)
    assert await tenant.store.read(structure) == before


STRUCTURE: Mapping[Dialect, tuple[str, str, str]] = {
    "sqlite": (
        'SELECT name, type, "notnull", pk FROM pragma_table_info(?)',
        'SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list(?)',
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?",
    ),
    "postgres": (
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation::text "
        "FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(?)) AND attnum > 0 AND NOT attisdropped",
        "SELECT f.relname, a.attname, k.confdeltype::text, k.convalidated FROM pg_constraint k "
        "JOIN pg_class f ON f.oid = k.confrelid "
        "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
        "WHERE k.contype = 'f' AND k.conrelid = to_regclass(quote_ident(?))",
        "SELECT indexname, split_part(indexdef, ' USING ', 2), indexdef LIKE '%UNIQUE%' FROM pg_indexes "
        "WHERE schemaname = current_schema() AND tablename = ? AND indexname NOT LIKE '%_pkey'",
    ),
}


async def structure(tx: Tx) -> dict[str, tuple[set[Row], ...]]:
    """Return what the database knows of each table: its columns, foreign keys and indexes."""
    tables = [name for name in await columns_of_tables(tx) if not name.startswith("_")]
    return {name: tuple([set(await tx.rows(sql, [name])) for sql in STRUCTURE[tx.dialect]]) for name in tables}


async def fresh(homes: Homes, files: Mapping[str, str]) -> dict[str, tuple[set[Row], ...]]:
    """Return the structure of a database that never was another."""
    made = await create_tenant(homes("fresh"), "small", files=files)
    found = await made.store.read(structure)
    await made.close()
    return found


async def test_an_entity_is_renamed_and_everything_about_it_follows(tenant: Tenant) -> None:
    company = await insert(tenant, "company", name="Alba", city="Lyon")
    await lead(tenant, company=company)
    await execute(
        tenant,
        "INSERT INTO _history (id, at, entity, record, kind, actor_kind) VALUES ('h', ?, 'company', ?, 'created', '')",
        [NOON, company],
    )
    renamed = edited(
        SMALL,
        ("entity: company\nlabel", "entity: firm\nwas: company\nlabel"),
        ("to: company,", "to: firm,"),
        ("  company: {read: all,", "  firm: {read: all,"),
    )
    await tenant.publish(renamed)
    assert await column(tenant, "firm", "name") == ["Alba"]
    assert await column(tenant, "lead", "company") == [{"id": company}]
    assert await select(tenant, "SELECT entity FROM _history") == [("firm",)]
    await execute(tenant, "DELETE FROM firm")
    assert await column(tenant, "lead", "company") == [None]


async def test_an_entity_comes_and_goes(tenant: Tenant) -> None:
    note = {"note.yaml": "entity: note\nlabel: Note\ntitle: '{{ record.text }}'\nfields:\n  text: {type: text}\n"}
    await tenant.publish({**SMALL, **note})
    await insert(tenant, "note", text="x")
    with pytest.raises(DefinitionError, match="The entity 'note' goes, and 1 record with it"):
        await tenant.publish(SMALL)
    await execute(tenant, "DELETE FROM note")
    await tenant.publish(SMALL)
    assert "note" not in await schema(tenant)


async def test_an_automation_is_renamed_and_its_runs_follow(tenant: Tenant) -> None:
    await execute(
        tenant,
        "INSERT INTO _run (id, automation, definition, state, started_at) VALUES ('r', 'welcome', 1, 'done', ?)",
        [NOON],
    )
    await tenant.publish(edited(SMALL, ("automation: welcome\n", "automation: greeting\nwas: welcome\n")))
    assert await select(tenant, "SELECT automation FROM _run") == [("greeting",)]


async def test_a_searched_field_that_is_converted_is_folded_again(tenant: Tenant) -> None:
    searched = edited(SMALL, ("search: [name]", "search: [name, city]"))
    await tenant.publish(searched)
    await insert(tenant, "company", name="Alba", city="true")
    await tenant.publish(edited(searched, ("  city: {type: text}\n", "  city: {type: long_text}\n")))
    await tenant.publish(edited(searched, ("  city: {type: text}\n", "  city: {type: phone}\n")), allow_loss=True)
    assert await column(tenant, "company", "_fold_city") == [None]


async def test_an_owner_comes_from_who_created_the_record(tenant: Tenant) -> None:
    member = await insert(tenant, "member", first_name="Ana", last_name="Roux", email="a@b.fr")
    await insert(tenant, "company", name="Alba", created_by=member)
    await tenant.publish(edited(SMALL, ("entity: company\nlabel", "entity: company\nowner: true\nlabel")))
    assert await column(tenant, "company", "owner") == [{"id": member}]
    with pytest.raises(DefinitionError, match=r"'company\.owner' goes"):
        await tenant.publish(SMALL)
    await tenant.publish(SMALL, allow_loss=True)
    assert "owner" not in (await schema(tenant))["company"]


async def test_foreign_keys_hold_after_a_rebuild(tenant: Tenant) -> None:
    company = await insert(tenant, "company", name="Alba")
    await lead(tenant, company=company)
    await tenant.publish(edited(SMALL, ("  city: {type: text}\n", ""), (COMPANY, COMPANY.replace("clear", "delete"))))
    await execute(tenant, "DELETE FROM company")
    assert await records(tenant, "lead") == []


async def test_a_name_is_taken_over_from_what_is_called_differently_itself(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba", city="Lyon")
    name = "  name: {type: text, required: true, max: 120}\n"
    renamed = edited(SMALL, ("  city: {type: text}\n", "  place: {type: text, was: city}\n"))
    await tenant.publish(renamed)
    again = edited(renamed, (name, name + "  city: {type: text}\n"))
    await tenant.publish(again)
    assert [(row["place"], row["city"]) for row in await records(tenant, "company")] == [("Lyon", None)]
    again = edited(again, ("{type: text, was: city}", "{type: text}"))
    await tenant.publish(again)
    moved = edited(
        again,
        ("  place: {type: text}\n", "  town: {type: text, was: place}\n"),
        ("  city: {type: text}\n", "  place: {type: text, was: city}\n"),
    )
    await execute(tenant, "UPDATE company SET city = 'Paris'")
    await tenant.publish(moved)
    assert [(row["town"], row["place"]) for row in await records(tenant, "company")] == [("Lyon", "Paris")]
