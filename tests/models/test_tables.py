"""Piccolo tables made of definitions work whatever the fields are called, and leave nothing behind."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from piccolo.columns.reference import LAZY_COLUMN_REFERENCES
from piccolo.engine.exceptions import TransactionError
from piccolo.table import TABLE_REGISTRY, Table

from definitions.expr.types import DATE, DATETIME
from models.published import make_published
from models.shape import shapes
from models.tables import attribute
from models.tenant import Tenant
from models.tx import Tx
from tests.models.rows import insert
from tests.networks import SMALL, changed

pytestmark = pytest.mark.anyio

CLASHES = """
entity: order
label: {fr: Ordre, en: Order}
title: "{{ record.select }}"
fields:
  count: {type: integer}
  select: {type: text}
  objects: {type: text}
  save: {type: money}
  group: {type: text}
  json: {type: boolean}
  like: {type: date}
  user: {type: reference, to: user}
search: [select]
---
entity: user
label: {fr: Utilisateur, en: User}
title: "{{ record.from }}"
fields:
  from: {type: text}
  is_in: {type: text}
  order: {type: reference, to: order}
"""


async def test_fields_may_be_called_like_sql_and_piccolo_words(tenant: Tenant) -> None:
    await tenant.publish(changed(SMALL, clashes=CLASHES))
    user = await insert(tenant, "user", **{"from": "Lyon", "is_in": "x"})
    await insert(tenant, "order", count=3, select="x", save=Decimal("1.25"), json=True, user=user)
    order = tenant.published.tables["order"]
    key: Any = order.column("user")
    rows = await order.table.select(order.column("count"), order.column("save"), order.column("json"), key.Is_in)
    assert rows == [{"count": 3, "save": Decimal("1.25"), "json": True, "user.is_in": "x"}]
    assert await order.table.count() == 1
    assert (await order.table.objects())[0].to_dict()["Count"] == 3


async def test_piccolo_reads_the_values_that_we_write(tenant: Tenant) -> None:
    company = await insert(tenant, "company", name="Alba")
    moment = datetime(2026, 3, 9, 8, 30, tzinfo=UTC)
    await insert(
        tenant,
        "lead",
        first_name="Élodie",
        last_name="Roux",
        country="FR",
        company=company,
        next_call_at=moment,
        rating=Decimal("4.1250"),
        newsletter=False,
    )
    lead = tenant.published.tables["lead"]
    company_key: Any = lead.column("company")

    async def inside(tx: Tx) -> object:
        return await tx.query(lead.table.select().where(lead.column("next_call_at") == moment))

    (row,) = await lead.table.select(company_key.name, lead.column("rating")).where(
        lead.column("next_call_at") <= moment
    )
    assert row == {"company.name": "Alba", "rating": Decimal("4.1250")}
    assert await tenant.store.write(inside) == await lead.table.select()


async def test_a_piccolo_write_is_a_transaction_of_its_own(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba")
    company = tenant.published.tables["company"]
    await company.table.update({company.column("city"): "Lyon"}, force=True)
    assert await company.table.select(company.column("city")) == [{"city": "Lyon"}]


async def test_piccolo_transactions_are_refused_with_the_way_to_do_it(tenant: Tenant) -> None:
    engine = tenant.store.engine
    company = tenant.published.tables["company"].table
    for refused in (engine.transaction, engine.atomic):
        with pytest.raises(TransactionError, match=r"store\.write"):
            refused()
    with pytest.raises(TransactionError, match="page by page"):
        await company.select().batch()


async def test_piccolo_changes_tables_of_other_packages_through_the_engine(tenant: Tenant) -> None:
    class Extra(Table, db=tenant.store.engine):
        """A table that a library brings."""

    TABLE_REGISTRY.remove(Extra)
    await Extra.create_table()
    assert await Extra.select() == []


async def test_no_class_is_made_before_one_is_asked_for(tenant: Tenant) -> None:
    published = make_published(2, "", tenant.published.network, tenant.store.engine)
    before = set(Table.__subclasses__())
    asked = published.tables["lead"].table
    made = set(Table.__subclasses__()) - before
    assert asked in made
    assert len(made) == len(published.tables)
    assert published.tables["company"].table in made


async def test_attributes_never_meet() -> None:
    names = ["count", "_path", "path", "email", "_fold_email", "fold_email", "from", "user", "x_path"]
    assert len({attribute(name) for name in names}) == len(names)


async def test_versions_leave_nothing_in_piccolos_registries(tenant: Tenant) -> None:
    before = len(TABLE_REGISTRY), len(LAZY_COLUMN_REFERENCES.foreign_key_columns)
    published = make_published(9, "hash", tenant.published.network, tenant.store.engine)
    gone = weakref.ref(published.tables["lead"].table)
    del published
    gc.collect()
    assert gone() is None
    assert (len(TABLE_REGISTRY), len(LAZY_COLUMN_REFERENCES.foreign_key_columns)) == before


async def test_rows_are_decoded_as_a_whole_or_by_column(tenant: Tenant) -> None:
    lead = tenant.published.tables["lead"]
    assert lead.decode(["x", 1, None], ("company", "newsletter", "birth_date")) == {
        "company": {"id": "x"},
        "newsletter": True,
        "birth_date": None,
    }
    assert lead.encode("company", {"id": "x"}) == "x"
    assert lead.encode("company", None) is None


async def test_tables_answer_what_expressions_ask(tenant: Tenant) -> None:
    tables = tenant.published.tables
    assert tables.table("lead") == '"lead"'
    assert tables.value("lead", "record", "income_goal").scale == (2 if tables.dialect == "sqlite" else None)
    assert tables.value("lead", "record", "recruiting").text == '"record"."recruiting"'
    assert tables.encode(datetime(2026, 3, 2, tzinfo=UTC), DATETIME) == "2026-03-02 00:00:00.000000+00:00"
    assert tables.encode(datetime(2026, 3, 2, tzinfo=UTC).date(), DATE) == "2026-03-02"
    assert set(tables) == set(tenant.published.network.entities)
    assert len(tables) == 3


async def test_columns_and_indexes_follow_from_the_definitions(tenant: Tenant) -> None:
    shape = shapes(tenant.published.network)["lead"]
    indexes = {(index.columns, index.unique) for index in shape.indexes}
    assert {"owner", "recruiting", "_fold_first_name", "_fold_email"} <= set(shape.columns)
    assert {
        (("email", "owner"), True),
        (("next_call_at",), False),
        (("company",), False),
        (("owner", "created_at", "id"), False),
        (("recruiting", "created_at", "id"), False),
    } <= indexes
    assert "_path" in shapes(tenant.published.network)["member"].columns


async def test_members_are_found_by_e_mail_also_where_it_is_not_unique(tenant: Tenant) -> None:
    network = tenant.published.network
    member = network.entities["member"]
    for unique, expected in ((None, (("email",), False)), ((), (("email",), True))):
        fields = {**member.fields, "email": replace(member.fields["email"], unique=unique)}
        entities = {**network.entities, "member": replace(member, fields=fields)}
        indexes = shapes(replace(network, entities=entities))["member"].indexes
        assert [(each.columns, each.unique) for each in indexes if "email" in each.columns] == [expected]


async def test_texts_that_screens_sort_by_have_a_folded_column(tenant: Tenant) -> None:
    screen = """
screen: companies
entity: company
list: {columns: [name, city], sort: city}
views:
  newest: {label: {fr: Récentes, en: Newest}, where: has(record.city), sort: -created_at}
  all: {label: {fr: Toutes, en: All}, where: has(record.name)}
"""
    await tenant.publish(changed(SMALL, screens=screen))
    shape = shapes(tenant.published.network)["company"]
    assert "_fold_city" in shape.columns
    assert ("_fold_city", "id") in {index.columns for index in shape.indexes}
