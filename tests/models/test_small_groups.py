"""No figure, and no difference of figures, is about fewer than five people whose values its reader may not see."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.actor import SYSTEM, Actor
from models.records import Records
from models.small_groups import FEWEST, Tally, is_person, merge
from models.statistics import Row, compute
from tests.models.office import Office

NAMES = ("everything", "by_country", "by_month", "income", "average_income", "signed_share", "rich", "new_time")


@st.composite
def tallies(draw: st.DrawFn) -> list[Tally]:
    hidden = draw(st.lists(st.integers(0, 9), max_size=7))
    return [
        Tally((number,), each + draw(st.integers(0, 3)), draw(st.integers(-9, 9)), draw(st.integers(0, 9)), each)
        for number, each in enumerate(hidden)
    ]


@given(tallies())
def test_each_sum_of_shown_figures_is_about_no_hidden_person_or_enough(given_: list[Tally]) -> None:
    shown = merge(given_, apart=True)
    whole = sum(each.hidden for each in given_)
    for size in range(1, len(shown) + 1):
        for some in combinations(shown, size):
            people = sum(each.hidden for each in some)
            assert people == 0 or people >= FEWEST or len(shown) == 1
            assert whole - people == 0 or whole - people >= FEWEST or len(shown) == 1


@given(tallies(), st.booleans())
def test_merging_loses_nothing_and_names_no_group(given_: list[Tally], apart: bool) -> None:
    shown = merge(given_, apart=apart)
    for what in ("count", "total", "filled"):
        assert sum(getattr(each, what) for each in shown) == sum(getattr(each, what) for each in given_)
    kept = [each for each in shown if not each.merged]
    assert all(each in given_ for each in kept)
    assert [each.group for each in shown if each.merged] in ([], [(None,)])
    assert all(not 0 < each.hidden < FEWEST for each in kept)


def test_who_stands_in_several_groups_is_counted_once() -> None:
    few = [Tally((number,), 3, 3, 3, 3) for number in range(2)]
    large = Tally((9,), 20, 20, 20, 7)
    assert [each.count for each in merge([*few, large], apart=False)] == [26]
    assert [each.count for each in merge([*few, large], apart=True)] == [20, 6]


def test_the_smallest_group_with_enough_people_joins() -> None:
    groups = [
        Tally(("few",), 2, 2, 2, 2),
        Tally(("none",), 1, 1, 1),
        Tally(("b",), 9, 9, 9, 9),
        Tally(("a",), 6, 6, 6, 5),
    ]
    shown = merge(groups, apart=True)
    assert [(each.group, each.count) for each in shown] == [(("none",), 1), (("b",), 9), ((None,), 8)]


@pytest.mark.anyio
async def test_a_record_is_a_person_unless_a_member_owns_it_and_it_tells_of_nobody(office: Office) -> None:
    entities = office.tenant.published.network.entities
    assert [name for name, entity in sorted(entities.items()) if is_person(entity)] == ["company", "member"]


async def figures(office: Office, actor: Actor, name: str) -> tuple[Row, ...]:
    statistic = office.tenant.published.network.statistics[name]
    return (await office.read(actor, lambda records: compute(records, statistic))).rows  # type: ignore[no-any-return] # the office reads anything


@pytest.mark.anyio
async def test_groups_with_few_hidden_people_are_one(office: Office) -> None:
    for owner, income in (("ann", 10), ("ann", 99), ("bob", 10), ("cid", None)):
        await office.lead(owner, income=income)
    ann = await office.actor("ann", "branch")
    assert await figures(office, ann, "rich") == (Row((None,), 4, 4, merged=True),)
    own = await office.actor("bob", "own_and_read_all")
    assert await figures(office, own, "rich") == (Row((False,), 3, 3), Row((True,), 1, 1))
    assert await figures(office, ann, "by_country") == (Row(("FR",), 4, 4),)


async def _enrich(lead: str, records: Records) -> None:
    await records.update("lead", lead, None, {"income": Decimal(777)})


@pytest.mark.anyio
async def test_what_is_hidden_is_in_no_figure(office: Office) -> None:
    for number, owner in enumerate(("ann", "ann", "bob", "bob", "cid", "dan")):
        await office.lead(owner, income=number * 30, country="FR" if number % 2 else "BE")
    for name, *levels in (("ann", "own"), ("ann", "branch"), ("bob", "branch", "own")):
        reader = await office.actor(name, *levels)
        before = [await figures(office, reader, each) for each in NAMES]
        hidden = await office.read(reader, _hidden_from)
        assert hidden
        for lead in hidden:
            await office.write(SYSTEM, partial(_enrich, lead))
        assert [await figures(office, reader, each) for each in NAMES] == before


async def _hidden_from(records: Records) -> set[str]:
    """Return the leads whose income the reader does not see, those out of reach too."""
    seen = {record.id for record in (await records.list("lead")).records if "income" not in record.hidden}
    return {record.id for record in (await records.system.list("lead")).records} - seen
