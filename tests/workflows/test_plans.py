"""What a plan says of each kind of change of tables, on a network without records and on one with a record."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from models.tenant import Tenant
from tests.models.changing import Case, lead, packed
from tests.models.rows import insert
from tests.models.test_apply import CHANGES
from tests.models.test_apply_refused import REFUSED, Refusal
from workflows.proposal import propose

pytestmark = pytest.mark.anyio

AGAIN = "Computed again: hot."
SAID: Mapping[str, tuple[str, ...]] = {
    "a field is added": ("job is new.",),
    "a field with a default is added": ("score is new.",),
    "a required field with a computed default is added": ("known_on is new.",),
    "an empty field is dropped": ("city goes.",),
    "a field is renamed": ("city is called town.",),
    "two fields exchange their names": ("city is called pause.", "pause is called city."),
    "a renamed field keeps its folded column": ("last_name is called surname.",),
    "a number becomes a text": ("rating becomes text.", AGAIN),
    "a text becomes a number": ("city becomes integer.", AGAIN),
    "an integer becomes a decimal": ("calls becomes decimal.", AGAIN),
    "a decimal keeps what it can with fewer places": ("rating becomes decimal.", AGAIN),
    "a date becomes a time in the network's zone": ("birth_date becomes datetime.", AGAIN),
    "a choice becomes several": ("source becomes choices.", AGAIN),
    "a text becomes a long text": (),
    "a filled field becomes required": ("city becomes required.", AGAIN),
    "a field becomes required and has a default": ("city becomes required.", AGAIN),
    "a required field is so no more": ("last_name may be left empty.",),
    "a default changes for new records only": (),
    "a field becomes unique": ("From now on unique: city.",),
    "a field is unique no more": ("Unique no more: email, owner.",),
    "an index comes": ("An index comes: city.",),
    "an index goes": ("An index goes: next_call_at.",),
    "the rule of a reference changes": ("company follows 'restrict' when what it refers to is deleted.",),
    "an empty reference points elsewhere": ("company refers to member.", AGAIN),
    "a formula changes": (AGAIN,),
    "a computed field is added": ("many is new.", "Computed again: many, hot."),
    "a field is computed from now on": ("Computed again: newsletter, hot.",),
    "what is computed follows the values that it reads": (
        "quadruple is new.",
        "double is new.",
        "calls becomes required.",
        "Computed again: double, hot, quadruple.",
    ),
    "an option is renamed": ("The option site of source becomes web.", AGAIN),
    "an option of several is renamed": ("The option home of interests becomes house.", AGAIN),
    "an unused option goes": ("The option direct of source goes.", AGAIN),
    "a state goes and says where to": (AGAIN,),
    "a state is renamed": (AGAIN,),
    "a process is renamed": ("recruiting is called hiring.",),
    "a process is added": ("follow_up is new.",),
    "more is searched": (),
    "less is searched": (),
}
"""What the plan says of the table of leads, case by case; nothing where only what is made of it changes."""


@pytest.mark.parametrize("case", CHANGES, ids=str)
async def test_a_plan_says_in_words_what_becomes_of_a_table(tenant: Tenant, case: Case) -> None:
    for records in (0, 1):
        found = await propose(tenant, packed(case))
        assert tuple(str(said) for table in found.tables for said in table.details) == SAID[case.says]
        assert {(table.entity, table.change, table.records) for table in found.tables} <= {("lead", "changed", records)}
        assert (found.refused, bool(found.definitions)) == ((), True)
        await lead(tenant, **case.before)


@pytest.mark.parametrize("case", REFUSED, ids=str)
async def test_a_plan_refuses_what_applying_it_would_and_nothing_without_records(tenant: Tenant, case: Refusal) -> None:
    assert (await propose(tenant, packed(case))).refused == ()
    before = dict(case.before)
    if before.get("company"):
        before["company"] = await insert(tenant, "company", name="Alba")
    await lead(tenant, **before)
    assert {problem.code for problem in (await propose(tenant, packed(case))).refused} == {case.code}
    allowed = await propose(tenant, packed(case), allow_loss=True)
    assert {problem.code for problem in allowed.refused} == (set() if case.left else {case.code})
