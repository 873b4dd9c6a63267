"""The expressions of the language's page give what stands beside them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from definitions.expr import Expression, Scope, compile_expression
from definitions.expr.functions import to_text
from definitions.expr.outcomes import settled_parts
from definitions.pack import load, read_folder
from definitions.problems import DefinitionError, Place
from models.actor import SYSTEM
from models.clock import SetClock
from models.members import create_member, load_actor
from models.records import Records
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from tests.networks import counting_ids

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "language" / "expressions.md").read_text(encoding="utf-8")
TOOLSHED = read_folder(DOCS / "examples" / "toolshed")
PLACE = Place("expressions.md", 1, 1)
pytestmark = pytest.mark.anyio


def lines(kind: str) -> list[tuple[str, str]]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)
    pairs = (re.split(r"\s+// ", line, maxsplit=1) for block in blocks for line in block.splitlines())
    return [(pair[0].strip(), pair[-1].strip()) for pair in pairs]


def scope() -> Scope:
    loaded = load(TOOLSHED)
    assert loaded.network is not None
    late = loaded.network.screens["loans"].views["late"].where
    assert late is not None
    return replace(late.typing.scope, records=loaded.notes.records)


def compiled(text: str, *, query: bool = False) -> Expression:
    return compile_expression(text, PLACE, scope(), query=query)


@pytest.fixture
async def toolshed(tmp_path: Path, clock: SetClock) -> AsyncIterator[Tenant]:
    made = await create_tenant(tmp_path / "t.sqlite", "toolshed", files=TOOLSHED, clock=clock, new_id=counting_ids())
    yield made
    await made.close()


async def value(tenant: Tenant, expression: Expression) -> Any:
    given = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)[0])
    state = given.pop("lending")

    async def work(tx: Tx) -> Any:
        records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
        names = {"first_name": "Karim", "last_name": "Sow", "email": "karim@toolshed.example", "levels": ["volunteer"]}
        karim = await create_member(records, names)
        actor = await load_actor(tenant.published, tx, karim)
        assert actor is not None
        tool = await records.create("tool", given["tool"])
        loan = await records.system.create("loan", {**given, "tool": tool.id, "owner": karim, "lending": state})
        names_in_scope = await records.env(loan, [expression], actor=actor.member)
        return expression.evaluate(names_in_scope, tenant.context())

    return await tenant.store.write(work)


@pytest.mark.parametrize(("text", "expected"), lines("cel"))
async def test_each_expression_gives_its_value(toolshed: Tenant, text: str, expected: str) -> None:
    found = await value(toolshed, compiled(text))
    if isinstance(found, Decimal):
        assert found == Decimal(expected)
    else:
        assert ("null" if found is None else to_text(None, found)) == expected


@pytest.mark.parametrize("text", [text for text, _ in lines("cel-query")])
def test_each_condition_of_the_query_subset_runs_in_the_database(text: str) -> None:
    assert compiled(text, query=True).text == text


@pytest.mark.parametrize("text", [text for text, _ in lines("cel-constant")])
def test_each_condition_that_nothing_changes_is_found(text: str) -> None:
    assert list(settled_parts(compiled(text)))


@pytest.mark.parametrize(("text", "hint"), lines("cel-refused"))
def test_each_refused_one_names_another_way(text: str, hint: str) -> None:
    assert compiled(text).text == text
    with pytest.raises(DefinitionError) as raised:
        compiled(text, query=True)
    assert [problem.hint for problem in raised.value.problems] == [hint]
