"""The audit is append-only, and whatever somebody does to it behind our back is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from models import audit, chain
from models.actor import SYSTEM, Actor
from models.audit import Event
from models.chain import Head, Verdict
from models.clock import SetClock
from models.secrets import CLOSED, Vault
from models.store import ConstraintError
from models.tenant import Tenant
from models.tx import Tx
from tests.conftest import NOON
from workflows import auditing, commands

pytestmark = pytest.mark.anyio

VAULT = Vault(lambda: (b"a secret of this installation",))
OTHER = Vault(lambda: (b"a secret of somebody else's",))
CAMILLE = Actor("member", {"id": "camille"}, ip="203.0.113.7", entry="session:abc")
ROWS = 6


@pytest.fixture
async def kept(tenant: Tenant) -> Tenant:
    """A network whose audit has a few rows in the chain, the change of a record among them."""
    tenant.vault = VAULT
    for number in range(ROWS - 1):
        event = Event("read", NOON, CAMILLE, "lead", f"lead-{number}", fields=("email",), owners=("diane",))
        await auditing.note_apart(tenant, event)
    await commands.create(tenant, SYSTEM, "company", {"name": "Alba"})
    assert await auditing.seal(tenant) == ROWS
    return tenant


async def checked(tenant: Tenant, head: Head | None = None, vault: Vault = VAULT) -> Verdict:
    return await chain.verify(tenant.store, vault, head)


async def newest(tenant: Tenant) -> Head:
    return await tenant.store.read(chain.newest)


async def tamper(tenant: Tenant, *statements: str) -> None:
    """Do what somebody can who may write to the database as its owner: first the triggers go."""

    async def work(tx: Tx) -> None:
        for table in ("_audit", "_seal"):
            if tx.dialect == "postgres":
                await tx.run(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
                continue
            for kind in ("update", "delete"):
                await tx.run(f'DROP TRIGGER "{table}_{kind}"')
        for statement in statements:
            await tx.run(statement)

    await tenant.store.write(work, schema=True)


async def test_a_chain_that_nobody_touched_holds(kept: Tenant) -> None:
    found = await checked(kept, await newest(kept))
    assert (found.rows, found.broken, found.why) == (ROWS, None, None)
    assert str(found.head) == str(await newest(kept))
    assert chain.read_head(str(found.head)) == found.head


async def test_it_goes_on_where_it_ended(kept: Tenant) -> None:
    head = await newest(kept)
    await auditing.note_apart(kept, Event("command", NOON, audit.OPERATOR, detail="members"))
    assert await auditing.seal(kept) == 1
    found = await checked(kept, head)
    assert (found.rows, found.broken) == (ROWS + 1, None)


@dataclass(frozen=True)
class Deed:
    """What somebody does to the tables, where the chain is broken then, and what is said."""

    name: str
    statements: Sequence[str]
    broken: int
    why: str
    with_head: bool = False


DEEDS = (
    Deed("a row was edited", ['UPDATE "_audit" SET "record" = \'other\' WHERE "seq" = 3'], 3, "the row was changed"),
    Deed("who it was", ['UPDATE "_audit" SET "member" = \'diane\' WHERE "seq" = 3'], 3, "the row was changed"),
    Deed(
        "from where",
        ['UPDATE "_audit" SET "ip" = \'192.0.2.1\' WHERE "seq" = 3'],
        3,
        "the row’s IP address was changed",
    ),
    Deed("a row was deleted", ['DELETE FROM "_audit" WHERE "seq" = 3'], 3, "the row is gone"),
    Deed(
        "with its link",
        ['DELETE FROM "_audit" WHERE "seq" = 3', 'DELETE FROM "_seal" WHERE "seq" = 3'],
        3,
        "a link is missing",
    ),
    Deed(
        "the numbers were closed up behind it",
        [
            'DELETE FROM "_seal" WHERE "seq" = 3',
            'UPDATE "_seal" SET "seq" = 3 WHERE "seq" = 4',
            'DELETE FROM "_audit" WHERE "seq" = 3',
            'UPDATE "_audit" SET "seq" = 3 WHERE "seq" = 4',
        ],
        3,
        "the link does not follow from the one before it",
    ),
    Deed(
        "two rows changed places",
        [
            'UPDATE "_audit" SET "seq" = 99 WHERE "seq" = 2',
            'UPDATE "_audit" SET "seq" = 2 WHERE "seq" = 4',
            'UPDATE "_audit" SET "seq" = 4 WHERE "seq" = 99',
        ],
        2,
        "the row was changed",
    ),
    Deed(
        "so did their links",
        [
            'UPDATE "_seal" SET "seq" = 99 WHERE "seq" = 2',
            'UPDATE "_seal" SET "seq" = 2 WHERE "seq" = 4',
            'UPDATE "_seal" SET "seq" = 4 WHERE "seq" = 99',
        ],
        2,
        "the link does not follow from the one before it",
    ),
    Deed(
        "a row was inserted",
        [
            'INSERT INTO "_audit" ("id", "at", "kind", "scope", "actor_kind", "seq") '
            'SELECT \'new\', "at", "kind", "scope", "actor_kind", 4 FROM "_audit" WHERE "seq" = 4'
        ],
        4,
        "a row stands in the audit that the chain does not know",
    ),
    Deed(
        "the end was cut off",
        ['DELETE FROM "_audit" WHERE "seq" > 4', 'DELETE FROM "_seal" WHERE "seq" > 4'],
        ROWS - 1,
        "the chain ends before the head that was kept",
        with_head=True,
    ),
    Deed(
        "the history of a change was edited",
        ['UPDATE "_history" SET "after" = \'{}\''],
        ROWS,
        "the history of the change was changed",
    ),
    Deed("it was deleted", ['DELETE FROM "_history"'], ROWS, "the history of the change is gone"),
)


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
async def test_what_is_done_to_it_is_found(kept: Tenant, deed: Deed) -> None:
    head = await newest(kept)
    await tamper(kept, *deed.statements)
    found = await checked(kept, head if deed.with_head else None)
    assert (found.broken, found.why) == (deed.broken, deed.why)


async def test_a_chain_that_was_made_anew_is_found_without_a_kept_head(kept: Tenant) -> None:
    head = await newest(kept)
    await tamper(kept, 'DELETE FROM "_seal"', 'UPDATE "_audit" SET "seq" = NULL, "member" = \'diane\'')
    await chain.seal(kept.store, OTHER)
    assert (await checked(kept)).why == "the link was not made by this installation"
    assert (await checked(kept, head, OTHER)).why == "the link is not the head that was kept"


async def test_what_came_from_another_installation_is_told_apart(kept: Tenant) -> None:
    kept.vault = OTHER
    await auditing.note_apart(kept, Event("imported", NOON, audit.OPERATOR))
    await auditing.seal(kept)
    found = await checked(kept, vault=OTHER)
    assert (found.broken, found.rows, found.elsewhere) == (None, ROWS + 1, ROWS)


async def test_without_the_installations_secret_nothing_is_sealed(tenant: Tenant) -> None:
    assert tenant.vault is CLOSED
    await auditing.note_apart(tenant, Event("command", NOON, audit.OPERATOR))
    assert await auditing.seal(tenant) == 0


FORBIDDEN = (
    'UPDATE "_audit" SET "member" = \'diane\'',
    'UPDATE "_audit" SET "ip" = \'192.0.2.1\'',
    'UPDATE "_audit" SET "seq" = "seq" + 1',
    'UPDATE "_audit" SET "seq" = NULL',
    'DELETE FROM "_audit"',
    'UPDATE "_seal" SET "link" = "digest"',
    'DELETE FROM "_seal"',
    'DELETE FROM "_audit_of"',
    'UPDATE "_audit_of" SET "member" = \'camille\'',
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_database_itself_refuses_to_change_it(kept: Tenant, statement: str) -> None:
    with pytest.raises(ConstraintError):
        await kept.store.write(lambda tx: tx.run(statement))
    assert (await checked(kept)).rows == ROWS


async def test_a_row_that_is_not_sealed_yet_does_not_change_either(tenant: Tenant) -> None:
    await auditing.note_apart(tenant, Event("command", NOON, audit.OPERATOR))
    for statement in ('UPDATE "_audit" SET "detail" = \'nothing\'', 'DELETE FROM "_audit"'):
        with pytest.raises(ConstraintError):
            await tenant.store.write(lambda tx, sql=statement: tx.run(sql))  # type: ignore[misc] # the default binds it


async def count(tenant: Tenant, table: str, where: str = "1 = 1") -> int:
    row = await tenant.store.read(lambda tx: tx.row(f'SELECT count(*) FROM "{table}" WHERE {where}'))  # noqa: S608 - of ours
    assert row is not None
    return int(row[0])


async def test_addresses_go_after_a_year_and_the_chain_holds(kept: Tenant, clock: SetClock) -> None:
    clock.forward(timedelta(days=364))
    await auditing.purge(kept)
    assert await count(kept, "_audit", '"ip" IS NOT NULL AND "salt" IS NOT NULL') == ROWS - 1
    clock.forward(timedelta(days=2))
    await auditing.purge(kept)
    assert await count(kept, "_audit", '"ip" IS NOT NULL OR "salt" IS NOT NULL') == 0
    assert (await checked(kept)).broken is None


async def test_reads_go_after_a_year_changes_after_five_and_the_rest_verifies(kept: Tenant, clock: SetClock) -> None:
    clock.forward(timedelta(days=366))
    assert await auditing.purge(kept) == ROWS - 1
    found = await checked(kept)
    assert (found.broken, found.rows, found.purged) == (None, ROWS + 1, ROWS - 1)
    assert await count(kept, "_audit_of") == 0
    clock.forward(timedelta(days=4 * 366))
    assert await auditing.purge(kept) == 1
    found = await checked(kept)
    assert (found.broken, found.purged) == (None, ROWS)


async def test_that_rows_may_go_does_not_let_younger_ones_go(kept: Tenant, clock: SetClock) -> None:
    clock.forward(timedelta(days=366))
    later = replace(Event("read", kept.clock.now(), CAMILLE, "lead", "lead-9"), owners=("diane",))
    await auditing.note_apart(kept, later)
    await auditing.purge(kept)
    with pytest.raises(ConstraintError):
        await kept.store.write(lambda tx: tx.run('DELETE FROM "_audit" WHERE "record" = \'lead-9\''))
    await tamper(kept, 'DELETE FROM "_audit" WHERE "record" = \'lead-9\'')
    assert (await checked(kept)).why == "the row is gone"
