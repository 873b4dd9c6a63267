"""Files that go along with mails: those that their reader may read, as large as mail servers take, as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from models.actor import Actor
from models.contents import Limits
from models.uploads import KEPT, collect, take
from tests.networks import edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands

pytestmark = pytest.mark.anyio

FIELDS = (
    "  calls:        {type: integer, default: 0}",
    "  calls: {type: integer, default: 0}\n  contract: {type: file}\n  scan: {type: file}",
)
HIDDEN = ("fields: {phone: {read: none, write: none}}", "fields: {scan: {read: none, write: none}}")


def attaching(to: str) -> dict[str, str]:
    step = f"  - email: {{template: welcome, to: {to}, attach: [contract, scan]}}"
    return edited(automation("{created: lead}", step), FIELDS, HIDDEN)


async def uploaded(stage: Stage, actor: Actor, name: str, content: bytes) -> str:
    """Upload a file and return what names it in a field."""

    async def parts() -> AsyncIterator[bytes]:
        yield content

    return (await take(stage.tenant, actor, parts(), name, Limits(size=40 * 1024**2))).id


async def lead(stage: Stage, actor: Actor, **files: bytes) -> str:
    given = {name: await uploaded(stage, actor, f"{name} é.txt", content) for name, content in files.items()}
    return (await stage.lead(actor, **given)).id


def attached(stage: Stage) -> dict[str, dict[str, bytes]]:
    """Return the files of each letter by its reader."""
    return {
        str(letter["To"]): {
            str(part.get_filename()): bytes(part.get_payload(decode=True) or b"") for part in letter.iter_attachments()
        }
        for letter in stage.mailbox.letters
    }


async def test_each_reader_gets_the_files_that_it_may_read(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("[=record.email, =record.owner]"))
    await lead(stage, lea, contract=b"Contrat", scan=b"Secret")
    await stage.worker.run_due()
    both = {"contract é.txt": b"Contrat", "scan é.txt": b"Secret"}
    assert attached(stage) == {"paul@exemple.fr": both, "lea@exemple.fr": both}


async def test_a_field_that_a_reader_may_not_read_does_not_go_along(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("{level: assistant}"))
    await stage.person("Noe", "assistant")
    await lead(stage, lea, contract=b"Contrat", scan=b"Secret")
    await stage.worker.run_due()
    assert attached(stage) == {"noe@exemple.fr": {"contract é.txt": b"Contrat"}}


async def test_a_mail_leaves_without_files_that_are_not_there(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("=record.email"))
    await lead(stage, lea)
    await stage.worker.run_due()
    assert attached(stage) == {"paul@exemple.fr": {}}


async def test_files_go_as_they_were_when_the_mail_was_written(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("=record.email"))
    stage.worker.kinds = ("version", "run")
    made = await lead(stage, lea, contract=b"Contrat")
    await stage.worker.run_due()
    await commands.update(stage.tenant, lea, "lead", made, None, {"contract": None})
    for _ in range(2):
        stage.clock.forward(KEPT * 2)
        await collect(stage.tenant)
    stage.worker.kinds = ("mail",)
    await stage.worker.run_due()
    assert attached(stage) == {"paul@exemple.fr": {"contract é.txt": b"Contrat"}}
    for _ in range(2):
        stage.clock.forward(KEPT * 2)
        await collect(stage.tenant)
    assert [*stage.tenant.contents.shas()] == []


async def test_a_file_that_is_gone_fails_the_mail_for_good(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("=record.email"))
    await lead(stage, lea, contract=b"Contrat")
    for sha, _ in list(stage.tenant.contents.shas()):
        stage.tenant.contents.path(sha).unlink()
    await stage.worker.run_due()
    assert await stage.rows("_mail", "state") == [("failed",)]
    assert stage.mailbox.letters == []


async def test_files_that_are_too_large_together_fail_the_step(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, attaching("=record.email"))
    half = b"x" * (15 * 1024**2 // 2)
    await lead(stage, lea, contract=half, scan=half + b"xx")
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("failed",)]
    assert await stage.rows("_mail", "id") == []
