"""What would lose data, or what data forbids, is refused before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from definitions.problems import DefinitionError
from models.tenant import Tenant
from tests.models.changing import BIRTH, CITY, COMPANY, FOLLOW_UP, INTERESTS, RATING, SOURCE, Case, lead, packed
from tests.models.rows import column, execute, insert, records, schema
from tests.networks import SMALL, edited

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Refusal(Case):
    """A change that data forbids: the code, and what is left when losing data is allowed (None: refused even so)."""

    code: str = ""
    left: Mapping[str, Any] | None = None


REFUSED = [
    Refusal(
        "a field with values is dropped",
        ((CITY, ""),),
        {"city": "Lyon"},
        code="plan.loses_values",
        left={"first_name": "Camille"},
    ),
    Refusal(
        "a text that is no number becomes one",
        ((CITY, "  city: {type: integer}\n"),),
        {"city": "Lyon"},
        code="plan.loses_values",
        left={"city": None},
    ),
    Refusal(
        "a decimal loses places",
        ((RATING, "  rating: {type: decimal, scale: 2}\n"),),
        {"rating": Decimal("4.1250")},
        code="plan.loses_values",
        left={"rating": Decimal("4.13")},
    ),
    Refusal(
        "a reference points elsewhere",
        ((COMPANY, "  company: {type: reference, to: member, on_delete: clear}\n"),),
        {"company": "the company"},
        code="plan.loses_values",
        left={"company": None},
    ),
    Refusal(
        "a used option goes",
        ((SOURCE, SOURCE.replace(", direct: {fr: Direct, en: Direct}", "")),),
        {"source": "direct"},
        code="plan.loses_option",
        left={"source": None},
    ),
    Refusal(
        "a used option of several goes",
        ((INTERESTS, "{home: {fr: Maison, en: Home}}"),),
        {"interests": ("home", "beauty")},
        code="plan.loses_option",
        left={"interests": ("home",)},
    ),
    Refusal(
        "an empty field becomes required",
        ((CITY, "  city: {type: text, personal: contact, required: true}\n"),),
        {"city": None},
        code="plan.required",
    ),
    Refusal(
        "a required field without default is added",
        ((CITY, CITY + "  job: {type: text, required: true, personal: professional}\n"),),
        code="plan.required",
    ),
    Refusal(
        "a state with records goes",
        (
            ("  lost:      {label: {fr: Perdu, en: Lost}, colour: grey}\n", ""),
            ("  lose: {from: any, to: lost, by: [distributor], label: {fr: Perdu, en: Lost}}\n", ""),
            ("  revive: {from: lost, to: contacted, by: [distributor], label: {fr: Reprendre, en: Revive}}\n", ""),
        ),
        {"recruiting": "lost"},
        code="plan.state",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=str)
async def test_what_would_lose_data_is_refused(tenant: Tenant, case: Refusal) -> None:
    before = dict(case.before)
    if before.get("company"):
        before["company"] = await insert(tenant, "company", name="Alba")
    await lead(tenant, **before)
    kept = await records(tenant, "lead")
    with pytest.raises(DefinitionError) as refused:
        await tenant.publish(packed(case))
    assert {problem.code for problem in refused.value.problems} == {case.code}
    assert all(problem.hint and problem.place.file for problem in refused.value.problems)
    assert await records(tenant, "lead") == kept
    if case.left is None:
        with pytest.raises(DefinitionError):
            await tenant.publish(packed(case), allow_loss=True)
        return
    await tenant.publish(packed(case), allow_loss=True)
    (record,) = await records(tenant, "lead")
    assert {name: record[name] for name in case.left} == dict(case.left)


UNIQUE = [
    "  city:         {type: text, personal: contact, unique: true}\n",
    "  city:         {type: text, personal: contact, unique: [last_name]}\n",
    "  town: {type: text, personal: contact, default: Lyon, unique: true}\n" + CITY,
]


@pytest.mark.parametrize("line", UNIQUE)
async def test_doubles_refuse_uniqueness(tenant: Tenant, line: str) -> None:
    for _ in range(2):
        await lead(tenant, city="Lyon")
    with pytest.raises(DefinitionError, match=r"plan\.unique"):
        await tenant.publish(edited(SMALL, (CITY, line)), allow_loss=True)
    assert len(await column(tenant, "lead", "city")) == 2


async def test_nulls_are_distinct(tenant: Tenant) -> None:
    for _ in range(2):
        await lead(tenant)
    await tenant.publish(edited(SMALL, (CITY, UNIQUE[0])))
    assert await column(tenant, "lead", "city") == [None, None]


async def test_a_process_with_records_is_not_lost(tenant: Tenant) -> None:
    await tenant.publish({**SMALL, "follow_up.yaml": FOLLOW_UP})
    await lead(tenant)
    with pytest.raises(DefinitionError, match=r"'lead\.follow_up' goes"):
        await tenant.publish(SMALL)
    await tenant.publish(SMALL, allow_loss=True)
    assert "follow_up" not in (await schema(tenant))["lead"]


async def test_all_refusals_are_told_at_once(tenant: Tenant) -> None:
    await lead(tenant, city="Lyon", birth_date=date(1990, 7, 14))
    with pytest.raises(DefinitionError) as refused:
        await tenant.publish(edited(SMALL, (CITY, ""), (BIRTH, "")))
    assert len(refused.value.problems) == 2


async def test_a_thousand_records_are_counted_with_a_comma(tenant: Tenant) -> None:
    await insert(tenant, "company", name="Alba", city="Lyon")
    await execute(
        tenant,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) "
        "INSERT INTO company (id, created_at, updated_at, version, name, city) "
        "SELECT 'c' || i, created_at, updated_at, 1, name, city FROM company, n",
    )
    with pytest.raises(DefinitionError, match="its value in 1,501 records"):
        await tenant.publish(edited(SMALL, ("  city: {type: text}\n", "")))
