"""A rule says the same of a row in the database and of a record in hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.problems import NOWHERE
from models.actor import Actor
from models.records import Records
from models.rules import (
    ALWAYS,
    NEVER,
    OPEN,
    AllOf,
    AnyOf,
    Condition,
    Granted,
    Holds,
    Within,
    all_of,
    any_of,
    bare,
    plain,
    reads,
)
from models.rules_sql import condition_sql
from models.statement import Statement
from models.system import CLOSED
from models.visible import ROOT
from tests.models.office import Office
from tests.running import tries

pytestmark = pytest.mark.anyio

NOW = "2026-03-02 11:00:00.000000+00:00"
MINE, BELOW = Within("mine", "owner"), Within("downline", "owner")


def leaves(office: Office) -> list[Condition]:
    levels = office.tenant.published.network.levels
    rules = [levels[name].entities["lead"] for name in ("compatriots", "sponsors")]
    expressions = [rule.expression for access in rules for rule in (access.read, access.update, access.delete)]
    held: list[Condition] = [Holds(expression) for expression in expressions if expression is not None]
    assert len(held) == 5
    return [ALWAYS, NEVER, MINE, BELOW, OPEN, *held]


def conditions(office: Office) -> st.SearchStrategy[Condition]:
    def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        parts = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            parts.map(any_of), parts.map(all_of), inner.map(lambda found: Granted("own", NOWHERE, found)),
            parts.map(lambda found: AnyOf(tuple(found))), parts.map(lambda found: AllOf(tuple(found))),
        )  # fmt: skip

    return st.recursive(st.sampled_from(leaves(office)), joined, max_leaves=5)


async def test_the_database_and_memory_agree_on_every_rule(office: Office) -> None:
    company = await office.company("Acme")
    await office.tenant.store.write(lambda tx: tx.run(CLOSED.insert(), (office.ids["bob"], NOW)))
    for owner in office.ids:
        await office.lead(owner, calls=3, company=company)
        await office.lead(owner, country="BE")
    actors = [await office.actor(name, "compatriots", "sponsors", "leader") for name in office.ids]

    async def everything(records: Records) -> None:
        leads = (await records.system.list("lead")).records
        for condition in samples:
            for actor in actors:
                asked = Records(records.published, records.tx, actor, records.context, new_id=records.new_id)
                in_memory = {lead.id for lead in leads if await asked.holds("lead", condition, lead.full)}
                assert await in_database(asked, condition) == in_memory, (condition, actor.id)

    samples: list[Condition] = []

    @settings(max_examples=tries(80), database=None)
    @given(condition=conditions(office))
    def collect(condition: Condition) -> None:
        samples.append(condition)

    collect()
    await office.read(actors[0], everything)


async def in_database(records: Records, condition: Condition) -> set[str]:
    rule = condition_sql(condition, "lead", ROOT, records.tx.dialect, records.published.tables)
    statement = Statement(await records.rule_names(), records.context).add(
        'SELECT "id" FROM "lead" AS "record" WHERE ', rule
    )
    return {row[0] for row in await records.tx.rows(statement.text, statement.values)}


async def test_rules_with_expressions_are_applied_by_every_way_in(office: Office) -> None:
    lead = await office.lead("bob", country="BE", calls=3, phone="0470123456")
    quiet = await office.lead("dan", country="FR", phone="0612345678")
    ann, dan = await office.actor("ann", "compatriots"), await office.actor("dan", "compatriots")

    async def seen(actor: Actor) -> Any:
        page = await office.read(actor, lambda records: records.list("lead"))
        return {record.id: (record["phone"], set(record.may)) for record in page.records}

    assert await seen(ann) == {quiet: (None, {"read"})}
    assert await seen(dan) == {lead: ("+32470123456", {"read", "update"})}
    top = await office.actor("root", "compatriots")
    assert await seen(top) == {quiet: (None, {"read", "delete"})}


async def test_a_change_is_judged_by_what_the_rule_reads_of_other_records(office: Office) -> None:
    lead = await office.lead("bob", country="FR")
    root = await office.actor("root", "compatriots", "own_and_read_all")
    assert await office.read(root, lambda records: records.get("lead", lead))
    company = await office.company("Acme")
    sponsor = await office.actor("ann", "sponsors")
    record = await office.read(sponsor, lambda records: records.get("lead", lead))
    assert record.may == {"read"}
    await office.write(root, lambda records: records.update("lead", lead, 1, {"country": "BE"}))
    await office.write(
        await office.actor("root", "leader"), lambda records: records.update("lead", lead, 2, {"company": company})
    )
    record = await office.read(sponsor, lambda records: records.get("lead", lead))
    assert record.may == {"read", "update"}


def test_conditions_are_as_short_as_can_be() -> None:
    granted = Granted("own", NOWHERE, ALWAYS)
    assert any_of([MINE, NEVER]) == MINE
    assert any_of([]) == NEVER
    assert any_of([MINE, granted]) == granted
    assert all_of([]) == ALWAYS
    assert all_of([granted]) == granted
    assert all_of([MINE, granted]) == MINE
    assert all_of([MINE, Granted("own", NOWHERE, NEVER)]) == Granted("own", NOWHERE, NEVER)
    assert all_of([MINE, MINE, BELOW]) == MINE
    assert any_of([MINE, Granted("own", NOWHERE, BELOW)]) == Granted("own", NOWHERE, BELOW)
    assert all_of([MINE, Within("downline", "id")]) == AllOf((MINE, Within("downline", "id")))
    assert any_of([AnyOf((MINE, Within("mine", "id"))), MINE]) == AnyOf((MINE, Within("mine", "id")))
    assert plain(Granted("own", NOWHERE, granted)) == ALWAYS
    both = AnyOf((Granted("a", NOWHERE, MINE), AllOf((Granted("b", NOWHERE, MINE), BELOW))))
    assert bare(both) == MINE
    assert set(reads(both)) == {("record", "owner", "id"), ("record", "owner", "_path")}
