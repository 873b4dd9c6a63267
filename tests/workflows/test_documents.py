"""Documents: what a template says as a PDF in a field of the record, once, whatever stops in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from models.attachment import Attachment
from tests.networks import edited
from tests.workflows.conftest import RNG, MakeStage, Stage
from tests.workflows.test_automations import automation, staged
from workflows import commands, printing
from workflows.outbox import LEASE
from workflows.printing import Press, PressError, Printing, TypstPress
from workflows.typesetting import MOST_PAGES, Sheet, source_of
from workflows.worker import Worker

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
SHEET = Sheet("Contrat", "Petit réseau", "fr", "#00624f")
CONTRACT = """
template: contract
channel: document
about: lead
subject: {fr: "Contrat de {{ record.first_name }}", en: "Contract of {{ record.first_name }}"}
body: {fr: "# Contrat\\n\\nPour {{ record.first_name }}, {{ member.name }}", en: "{{ record.first_name }}"}
"""
FIELD = (
    "  calls:        {type: integer, default: 0}",
    "  calls: {type: integer, default: 0}\n  contract: {type: file}",
)


def writing(*steps: str, when: str = "{created: lead}") -> dict[str, str]:
    """Return a network whose automation writes a contract, and what comes behind it."""
    do = "\n".join(["  - document: {template: contract, to_field: contract}", *steps])
    return {**edited(automation(when, do), FIELD), "contract.yaml": CONTRACT}


class Counting(TypstPress):
    """The real press, which counts; `broken` says how it fails first."""

    def __init__(self, broken: list[Exception] | None = None) -> None:
        super().__init__()
        object.__setattr__(self, "sources", [])
        object.__setattr__(self, "broken", broken or [])

    sources: list[str]
    broken: list[Exception]

    async def set(self, source: str, at: datetime) -> bytes:
        self.sources.append(source)
        if self.broken:
            raise self.broken.pop(0)
        return await super().set(source, at)


def with_press(stage: Stage, press: Press) -> Stage:
    """Return the stage with a worker that has a press of its own."""
    stage.worker = Worker(stage.tenant, rng=RNG, url="https://reseau.example/n/small")
    stage.worker.printing = Printing(stage.tenant, RNG, press)
    return stage


async def test_a_document_is_a_file_of_the_record_that_tells_when_it_was_made(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing("  - set: {calls: =record.calls + 1}"))
    made = await stage.lead(lea)
    await stage.worker.run_due()
    file = await stage.value(made, "contract")
    assert isinstance(file, Attachment)
    assert (file.name, file.type) == ("Contrat de Paul.pdf", "application/pdf")
    content = stage.tenant.contents.path(file.sha).read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) == file["size"]
    assert await stage.value(made, "calls") == 1
    assert await stage.rows("_run", "state") == [("done",)]
    assert await stage.rows("_document", "state", "body") == [("done", "")]
    assert await stage.rows("_step", "action", "outcome") == [
        ("document", "waiting"),
        ("document", "done"),
        ("set", "done"),
    ]
    changed = [
        json.loads(after or "{}") for (after,) in await stage.rows("_history", "after", where="kind = 'updated'")
    ]
    assert [list(each) for each in changed] == [["contract"], ["calls"]]


async def test_a_record_that_went_meanwhile_gets_no_document(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing())
    press = Counting()
    with_press(stage, press)
    made = await stage.lead(lea)

    class Deleting(Counting):
        async def set(self, source: str, at: datetime) -> bytes:
            await commands.delete(stage.tenant, lea, "lead", made.id, None)
            return await super().set(source, at)

    with_press(stage, Deleting())
    await stage.worker.run_due()
    assert await stage.rows("_run", "state") == [("cancelled",)]
    assert await stage.rows("_document", "state") == [("made",)]


async def test_a_run_that_is_over_has_nothing_made(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing(when="{moved: recruiting.call}"))
    press = Counting()
    with_press(stage, press)
    moved = await stage.call(lea, await stage.lead(lea))
    stage.worker.kinds = ("version", "run")
    await stage.worker.run_due()
    await commands.undo(stage.tenant, lea, moved.history)
    stage.worker.kinds = ("document",)
    await stage.worker.run_due()
    assert press.sources == []
    assert await stage.rows("_run", "state") == [("cancelled",)]


async def test_a_press_that_breaks_is_tried_again_and_says_why_in_the_end(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing())
    reason = PressError(printing.STOPPED)
    press = Counting([reason])
    with_press(stage, press)
    made = await stage.lead(lea)
    await stage.worker.run_due()
    assert await stage.value(made, "contract") is None
    stage.clock.moment += timedelta(hours=1)
    await stage.worker.run_due()
    assert await stage.value(made, "contract") is not None
    press.broken.append(PressError(printing.STOPPED, permanent=True))
    other = await stage.lead(lea, email="ida@exemple.fr")
    await stage.worker.run_due()
    assert await stage.value(other, "contract") is None
    assert (await stage.rows("_run", "state"))[-1] == ("failed",)
    ((said,),) = await stage.rows("_step", "error", where="\"outcome\" = 'failed'")
    assert "again and again" in said


async def test_retries_of_the_step_end(make_stage: MakeStage) -> None:
    files = writing()
    files["it.yaml"] += "\n    retry: {times: 2, backoff: 1m}"
    stage, lea = await staged(make_stage, files)
    press = Counting([PressError(printing.STOPPED, permanent=True) for _ in range(9)])
    with_press(stage, press)
    await stage.lead(lea)
    for _ in range(9):
        await stage.worker.run_due()
        stage.clock.moment += timedelta(hours=2)
    assert len(press.sources) == 3
    assert await stage.rows("_run", "state") == [("failed",)]


async def test_two_workers_and_a_crash_make_one_document(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing())
    workers = [Worker(stage.tenant, rng=RNG, name=name) for name in ("one", "two")]
    made = await stage.lead(lea)
    await asyncio.gather(*(worker.run_due() for worker in workers))
    for worker in workers:
        await worker.run_due()
    assert await stage.value(made, "contract") is not None
    assert await stage.rows("_document", "state") == [("done",)]
    assert len(await stage.rows("_history", "id", where="kind = 'updated'")) == 1


async def test_a_worker_that_dies_in_the_middle_leaves_the_document_to_another(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, writing())
    made = await stage.lead(lea)

    class Dying(Counting):
        async def set(self, source: str, at: datetime) -> bytes:
            await super().set(source, at)
            raise asyncio.CancelledError

    with_press(stage, Dying())
    with pytest.raises(asyncio.CancelledError):
        await stage.worker.run_due()
    press = Counting()
    with_press(stage, press)
    await stage.worker.run_due()
    assert press.sources == []
    stage.clock.forward(2 * LEASE)
    await stage.worker.run_due()
    assert len(press.sources) == 1
    assert await stage.value(made, "contract") is not None
    assert await stage.rows("_run", "state") == [("done",)]


async def test_who_waits_for_the_press_holds_no_document_that_somebody_else_makes_meanwhile(
    make_stage: MakeStage,
) -> None:
    stage, lea = await staged(make_stage, writing())
    made = await stage.lead(lea)
    slow, other, asked = Counting(), Counting(), asyncio.Event()

    class Watched(asyncio.Semaphore):
        async def acquire(self) -> Literal[True]:
            asked.set()
            return await super().acquire()

    object.__setattr__(slow, "room", Watched(0))
    with_press(stage, slow)
    waiting = asyncio.create_task(stage.worker.run_due())
    await asked.wait()
    stage.clock.forward(2 * LEASE)
    second = Worker(stage.tenant, rng=RNG, name="second")
    second.printing = Printing(stage.tenant, RNG, other)
    await second.run_due()
    slow.room.release()
    await waiting
    assert (len(slow.sources), len(other.sources)) == (0, 1)
    assert await stage.value(made, "contract") is not None


async def test_the_pages_of_a_document_are_bounded() -> None:
    with pytest.raises(PressError, match="too many pages") as caught:
        await TypstPress().set(source_of("mot\n\n" * 6000, SHEET), NOON)
    assert caught.value.permanent


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(PressError, match="too long") as caught:
        await TypstPress(timeout=0).set(source_of("x", SHEET), NOON)
    assert caught.value.permanent


TEXTS: Mapping[str, str] = {
    "code": '#panic("x") #let x = 1 $a^2$ @ref <label> // c /* d */ \\u{0} `#x` "',
    "ends": '"] #panic("out") [',
    "breaks": "a\\\nb\nc",
    "lists": "1. un\n2. deux\n   - a\n   - b\n\n5. cinq",
    "table": "| a | b |\n|---|---|\n| 1 | #2 |\n",
    "marks": "# h1\n\n###### h6\n\n> q *e* **s** ~~d~~\n\n---\n\n```\n#x\n```\n",
    "links": "[a](https://exemple.fr/?a=1&b=%22) [b](javascript:x) [c](file:///etc/passwd) <https://x.fr>",
    "image": "![alt](https://exemple.fr/a.png)",
    "letters": "œ ﬁ 漢字 \u202f: \u200f א \x07 \U0001f600",
    "empty": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_no_text_is_taken_for_typst(text: str) -> None:
    sheet = Sheet(text, text.replace("\n", " "), "fr-BE", "#00624f")
    assert (await TypstPress().set(source_of(text, sheet), NOON)).startswith(b"%PDF-")


async def test_the_same_text_at_the_same_time_is_the_same_file() -> None:
    source = source_of("Bonjour **Paul**", SHEET)
    press = TypstPress()
    assert await press.set(source, NOON) == await press.set(source, NOON)


def test_there_is_a_most_of_pages() -> None:
    assert f"> {MOST_PAGES}" in source_of("", SHEET)
