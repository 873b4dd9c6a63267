"""What a refusal tells: of the rule, and nothing of records that may not be read."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from models.actor import SYSTEM
from models.errors import InvalidError, RefusedError
from tests.models.attempts import deleted, updated
from tests.models.office import Office, Recorded

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("levels", "owner", "changing", "deleting"),
    [
        (("branch",), "bob", "lets you change your own records only", "None of your access levels lets you delete"),
        (
            ("all_rows",),
            "dan",
            "change your own records and those of your branch",
            "delete your own records and those of",
        ),
        (("compatriots",), "root", "may not change this record", "may not delete this record"),
    ],
)
async def test_a_refusal_says_what_of_the_rule_concerns_the_member(
    office: Office, levels: tuple[str, ...], owner: str, changing: str, deleting: str
) -> None:
    lead = await office.lead(owner)
    if owner == "root":
        await office.write(
            SYSTEM, lambda records: records.update("member", office.ids["root"], None, {"country": "BE"})
        )
    ann = await office.actor("ann", *levels)
    for work, told in ((updated, changing), (deleted, deleting)):
        with pytest.raises(RefusedError, match=told):
            await office.write(ann, partial(work, lead))


async def test_a_taken_value_is_taken_whosever_record_has_it(office: Office) -> None:
    """Same status, words and statements: a clash tells nothing of a record that may not be read."""
    await office.lead("ann", code="AA1")
    await office.lead("dan", code="DD1")
    own = await office.lead("ann")
    ann = await office.actor("ann", "own")

    async def clash(code: str) -> tuple[str, list[str]]:
        told: list[str] = []

        async def work(tx: Any) -> None:
            recorded = Recorded(tx)
            records = office.records(recorded, ann)
            for way in (partial(records.create, "lead"), partial(records.update, "lead", own, 1)):
                with pytest.raises(InvalidError) as refused:
                    await way({"first_name": "x", "code": code})
                told.append(str(dict(refused.value.fields)))
            raise _Back(recorded.statements)

        with pytest.raises(_Back) as back:
            await office.tenant.store.write(work)
        return str(told), back.value.statements

    assert await clash("AA1") == await clash("DD1")


class _Back(Exception):  # noqa: N818 (no error: the way out of the transaction)
    def __init__(self, statements: list[str]) -> None:
        self.statements = statements
        super().__init__()


async def test_a_foreign_record_that_refers_to_one_says_no_more_than_that_it_is_in_use(office: Office) -> None:
    used, foreign = await office.company("Used"), await office.company("Foreign")
    await office.lead("ann", company=used)
    await office.lead("dan", company=foreign)
    ann = await office.actor("ann", "keepers")
    assert await office.read(ann, lambda records: records.count("lead")) == 1
    said = []
    for company in (used, foreign):
        with pytest.raises(RefusedError) as refused:
            await office.write(ann, lambda records, company=company: records.delete("company", company))  # type: ignore[misc] # bound early
        said.append(str(refused.value))
    assert said == ["Other records refer to this one: it cannot be deleted."] * 2
