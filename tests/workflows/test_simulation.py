"""What a simulation foretells is what would have happened; it leaves no trace."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from definitions.pack import read_folder
from definitions.problems import DefinitionError
from definitions.text import Text
from models.actor import Actor
from models.clock import SetClock
from models.errors import InvalidError, RefusedError
from models.sheets import sheets
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from tests.networks import SMALL, edited
from tests.workflows.conftest import MakeStage, Stage
from tests.workflows.test_automations import QUIET, automation, staged
from tests.workflows.test_documents import writing
from tests.workflows.test_notices import telling
from tests.workflows.test_texting import texting
from workflows import commands, settings
from workflows.simulation import Simulation, Subject, simulate

pytestmark = pytest.mark.anyio

MAIL = "  - email: {template: welcome, to: =record.email, from: owner}"


def told(found: Simulation, *kinds: str) -> list[tuple[str, str | None, int]]:
    """Return the lines of these kinds: what, result and count."""
    return [(line.what, line.result, line.count) for line in found.lines if line.kind in kinds]


async def lived(stage: Stage, lea: Actor) -> None:
    """Let a week pass: three leads, two of them called, one lost again, with the worker at work."""
    rosa = await stage.person("Rosa", "leader")
    await settings.change(stage.tenant, rosa, {"support": "autre@exemple.fr"})
    leads = [await stage.lead(lea, email=f"{name}@exemple.fr") for name in ("ana", "bea", "cleo")]
    await stage.worker.run_due()
    for lead in leads[:2]:
        stage.clock.forward(timedelta(days=1))
        await stage.worker.run_due()
        await stage.call(lea, lead, next_call_at=(stage.clock.now() + timedelta(days=1)).isoformat())
        await stage.worker.run_due()
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    await commands.move(stage.tenant, lea, "lead", leads[1].id, "lose")
    await commands.update(stage.tenant, lea, "lead", leads[2].id, None, {"city": "Lyon"})
    for _ in range(4):
        stage.clock.forward(timedelta(days=1))
        await stage.worker.run_due()


QUIET_FOR = 'age(record.last_activity_at) > duration("36h")'
DOES = [
    automation("{entered: recruiting.contacted}", MAIL),
    automation("{entered: recruiting.contacted}", MAIL, 'if: record.email == "ana@exemple.fr"'),
    automation("{created: lead}", "  - wait: {for: 2d, cancel_if: 'record.recruiting != \"new\"'}\n" + MAIL),
    automation("{stays: {state: recruiting.contacted, for: 2d}}", "  - task: {title: {fr: Relancer, en: Call again}}"),
    automation("{every: {cron: '0 8 * * *', for_each: {entity: lead, where: record.city == \"Lyon\"}}}", MAIL),
    automation(f"{{every: {{cron: '0 8 * * *', for_each: {{entity: lead, where: {QUIET_FOR}}}}}}}", MAIL),
    automation("{created: lead}", MAIL, "if: settings.support == 'autre@exemple.fr'"),
    automation("{due: {entity: lead, at: next_call_at, after: 1d}}", "  - task: {title: {fr: Relancer, en: Call}}"),
    automation("{created: lead}", "  - create: {entity: company, values: {name: =record.last_name}}"),
    automation("{created: lead}", "  - move: {transition: call, form: {comment: x, next_call_at: =now()}}"),
    automation("{moved: recruiting.call}", "  - set: {city: Paris}", "if: before.calls == 0"),
    automation("{deleted: lead}", "  - stop: true"),
    texting("=record.phone"),
    telling("=record.owner"),
    writing("  - set: {city: Paris}"),
]


@pytest.mark.parametrize("files", DOES, ids=lambda files: files["it.yaml"].splitlines()[2])
async def test_it_foretells_what_really_happens(make_stage: MakeStage, files: dict[str, str]) -> None:
    live, lea = await staged(make_stage, files)
    await lived(live, lea)
    quiet, lena = await staged(make_stage, QUIET)
    await lived(quiet, lena)
    found = await simulate(quiet.tenant, files, Subject(days=30))
    sql = 'SELECT "state", count(*) FROM "_run" GROUP BY 1 ORDER BY 1'
    runs = [tuple(row) for row in await live.tenant.store.read(lambda tx: tx.rows(sql))]
    foretold = sorted((line.result, line.count) for line in found.lines if line.kind == "run")
    assert foretold == runs


@pytest.mark.parametrize("files", [DOES[0], DOES[6], DOES[7], DOES[8]], ids=lambda files: files["it.yaml"][-30:])
async def test_what_the_automation_did_already_is_not_counted_twice(
    make_stage: MakeStage, files: dict[str, str]
) -> None:
    stage, lea = await staged(make_stage, files)
    await lived(stage, lea)
    found = await simulate(stage.tenant, files, Subject("it"))
    runs = await stage.rows("_run", "state")
    assert told(found, "run") == [("it", "done", len(runs))]
    assert found.replayed == len(await stage.rows("_history", "id", where='"run" IS NULL'))


async def test_records_are_as_long_without_anybody_as_they_were_then(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    lead = await stage.lead(lea)
    stage.clock.forward(timedelta(days=5))
    await commands.update(stage.tenant, lea, "lead", lead.id, None, {"city": "Lyon"})
    stage.clock.forward(timedelta(days=1))
    every = f"{{every: {{cron: '0 8 * * *', for_each: {{entity: lead, where: {QUIET_FOR}}}}}}}"
    found = await simulate(stage.tenant, automation(every, MAIL), Subject(days=3))
    assert told(found, "run") == [("it", "done", 2)]


async def test_what_was_taken_back_has_not_been(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    lead = await stage.lead(lea)
    stage.clock.forward(timedelta(hours=1))
    moved = await stage.call(lea, lead, next_call_at=(stage.clock.now() + timedelta(days=1)).isoformat())
    await commands.undo(stage.tenant, lea, moved.history)
    stage.clock.forward(timedelta(days=2))
    found = await simulate(stage.tenant, DOES[0], Subject())
    assert (told(found, "run"), dict(found.unfit), found.lost) == ([], {}, 0)
    later = await simulate(stage.tenant, DOES[0], Subject(days=1))
    assert (later.replayed, told(later, "run")) == (0, [])


async def test_it_says_who_would_be_written_to_and_what_would_be_made(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    await lived(stage, lea)
    task = "\n  - task: {title: {fr: Relancer, en: Call again}}\n  - set: {calls: =record.calls + 1}"
    files = automation("{entered: recruiting.contacted}", MAIL + task, 'if: record.email != "bea@exemple.fr"')
    found = await simulate(stage.tenant, files, Subject())
    assert told(found, "run") == [("it", "done", 1), ("it", "not_fired", 1)]
    assert told(found, "mail") == [("welcome", "ana@exemple.fr", 1)]
    assert told(found, "task") == [("Relancer", "Lea Roux", 1)]
    assert told(found, "record") == [("lead", "updated", 1)]
    assert [line[1:] for line in told(found, "step")] == [("done", 1)] * 3
    [why] = [str(line.reason) for line in found.lines if line.result == "not_fired"]
    assert why == 'The condition does not hold: record.email != "bea@exemple.fr"'


async def everything(tenant: Tenant) -> dict[str, list[object]]:
    """Return every row of a network."""

    async def work(tx: Tx) -> dict[str, list[object]]:
        return {
            sheet.name: [list(row) async for page in sheet.pages(tx) for row in page]
            for sheet in sheets(tenant.published)
        }

    return await tenant.store.read(work)


async def test_nothing_of_the_network_is_touched(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    await lived(stage, lea)
    before, now = await everything(stage.tenant), stage.clock.now()
    found = await simulate(stage.tenant, DOES[0], Subject())
    assert (found.replayed > 5, found.lost, dict(found.unfit)) == (True, 0, {})
    assert await everything(stage.tenant) == before
    assert (stage.clock.now(), stage.mailbox.letters, stage.tenant.published.version) == (now, [], 1)


async def test_it_keeps_no_writer_waiting(tmp_path: Path, clock: SetClock) -> None:
    tenant = await create_tenant(tmp_path / "small.sqlite", "small", files=SMALL, clock=clock)
    over, holds = threading.Event(), threading.Event()

    async def hold(tx: Tx) -> bool:
        await tx.run("""UPDATE "_definition" SET "note" = 'held'""")
        holds.set()
        return over.wait(60)

    holding = asyncio.ensure_future(tenant.store.write(hold))
    await asyncio.to_thread(holds.wait, 60)
    await simulate(tenant, SMALL, Subject())
    over.set()
    assert await holding
    await tenant.close()


async def test_its_past_follows_renames_types_options_and_states(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    await lived(stage, lea)
    files = edited(
        automation(
            "{entered: hiring.reached}",
            "  - task: {title: {fr: Relancer, en: Call again}}",
            'if: record.tries > 0.5 && record.town == null && before.hiring == "new"',
        ),
        ("process: recruiting\n", "process: hiring\nwas: recruiting\n"),
        ("  contacted: {label", "  reached: {was: contacted, label"),
        ("from: [new, contacted]\n    to: contacted", "from: [new, reached]\n    to: reached"),
        ("{from: contacted, to: signed", "{from: reached, to: signed"),
        ("{from: lost, to: contacted", "{from: lost, to: reached"),
        ("  city:         {type: text, personal: contact}\n", "  town: {type: text, was: city, personal: contact}\n"),
        ("  calls:        {type: integer, default: 0}\n", "  tries: {type: decimal, was: calls, default: 0}\n"),
        ("set: {calls: =record.calls + 1}", "set: {tries: =record.tries + 1}"),
        ('"=record.calls > 2', '"=record.tries > 2'),
    )
    for old, new in (
        ("entity: lead", "entity: prospect"),
        ("about: lead", "about: prospect"),
        ("  lead:", "  prospect:"),
    ):
        files = {name: text.replace(old, new) for name, text in files.items()}
    files = edited(
        files, ("entity: prospect\nlabel: {fr: Prospect", "entity: prospect\nwas: lead\nlabel: {fr: Prospect")
    )
    found = await simulate(stage.tenant, files, Subject(days=30))
    assert (told(found, "task"), dict(found.unfit), found.lost) == ([("Relancer", "Lea Roux", 2)], {}, 0)


PROCESS: list[tuple[str, list[tuple[str, str]], list[tuple[str, str | None, int]], list[str]]] = [
    (
        "as it is",
        [],
        [("recruiting.call", "taken", 2), ("recruiting.lose", "taken", 1)],
        [],
    ),
    (
        "a guard that did not hold",
        [("    guard: has(record.phone)\n", '    guard: record.email == "ana@exemple.fr"\n')],
        [("recruiting.call", "taken", 1), ("recruiting.lose", "taken", 1), ("recruiting.call", "guard", 1)],
        ["Il manque un téléphone."],
    ),
    (
        "a level less",
        [("{from: any, to: lost, by: [distributor]", "{from: any, to: lost, by: [assistant]")],
        [("recruiting.call", "taken", 2), ("recruiting.lose", "right", 1)],
        ["Who did it has no right to."],
    ),
    (
        "another way",
        [("{from: any, to: lost,", "{from: new, to: lost,")],
        [("recruiting.call", "taken", 2), ("recruiting.lose", "state", 1)],
        ["It was in the state contacted, which this does not leave from."],
    ),
    (
        "a transition that goes",
        [("  lose: {from: any,", "  drop: {from: any,")],
        [("recruiting.call", "taken", 2), ("recruiting.lose", "gone", 1)],
        ["There is no such transition any more."],
    ),
    (
        "a question more",
        [
            (
                "      comment: {type: long_text",
                "      place: {type: text, required: true}\n      comment: {type: long_text",
            )
        ],
        [("recruiting.lose", "taken", 1), ("recruiting.call", "form", 2)],
        ["The form lacks or refuses: place."],
    ),
]


@pytest.mark.parametrize(("says", "edits", "moves", "reasons"), PROCESS, ids=lambda case: str(case)[:30])
async def test_moves_that_happened_are_asked_for_again(
    stage: Stage, says: str, edits: list[tuple[str, str]], moves: list[object], reasons: list[str]
) -> None:
    lea = stage.people["lea"]
    await lived(stage, lea)
    found = await simulate(stage.tenant, edited(SMALL, *edits), Subject(process="recruiting"))
    assert (told(found, "move"), says) == (moves, says)
    refusals = [line.reason for line in found.lines if line.kind == "move" and line.reason is not None]
    assert [said.pick("fr") if isinstance(said, Text) else str(said) for said in refusals] == reasons


async def test_whom_mails_go_to_is_said_of_records_that_the_reader_may_read(make_stage: MakeStage) -> None:
    stage, lea = await staged(make_stage, QUIET)
    await lived(stage, lea)
    other = await stage.person("Bob", "distributor")
    found = await simulate(stage.tenant, DOES[0], Subject(), actor=other)
    assert told(found, "mail") == [("welcome", None, 2)]
    assert {line.about for line in found.lines if line.kind == "mail"} == {None}


@pytest.mark.parametrize(
    ("subject", "field"),
    [
        (Subject("nothing"), "automation"),
        (Subject(process="nothing"), "process"),
        (Subject(days=0), "days"),
        (Subject(days=367), "days"),
    ],
)
async def test_what_cannot_be_simulated_is_said(tenant: Tenant, subject: Subject, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await simulate(tenant, SMALL, subject)
    assert set(refused.value.fields) == {field}


async def test_without_a_subject_it_is_what_differs(make_stage: MakeStage) -> None:
    stage, _ = await staged(make_stage, DOES[0])
    more = {**DOES[0], "second.yaml": DOES[2]["it.yaml"].replace("automation: it", "automation: second")}
    assert (await simulate(stage.tenant, more, Subject())).automations == ("second",)
    assert (await simulate(stage.tenant, DOES[0], Subject())).automations == ("it",)


async def test_definitions_with_errors_are_not_tried_out(tenant: Tenant) -> None:
    with pytest.raises(DefinitionError):
        await simulate(tenant, edited(SMALL, ("    to: contacted", "    to: contacte")), Subject())


JOINED = ["joining.submit", "joining.send_papers", "joining.accept"]
AUTOMATIC = [
    ("record.paid_sum >= record.fee", {"joining.settle": 1, "joining.welcome": 1, "credit.grant": 1}),
    ("record.paid_sum >= record.fee * 2", {"joining.settle": 0, "joining.welcome": 0, "credit.grant": 0}),
]


@pytest.mark.parametrize(("guard", "happens"), AUTOMATIC)
async def test_moves_that_happen_by_themselves_happen_as_the_definitions_say(
    make_stage: MakeStage, guard: str, happens: dict[str, int]
) -> None:
    pack = read_folder(Path(__file__).parents[1] / "packs" / "joining")
    office = await make_stage(pack)
    lea = await office.person("Lea", "adviser")
    given = {"name": "Paul", "email": "paul@exemple.fr", "paid_sum": "50"}
    record = await commands.create(office.tenant, lea, "application", given)
    for move in JOINED:
        await commands.move(office.tenant, lea, "application", record.id, move.split(".")[1])
    files = edited(pack, ("to: paid, guard: record.paid_sum >= record.fee}", f"to: paid, guard: {guard}}}"))
    found = await simulate(office.tenant, files, Subject(process="joining"))
    assert {what: count for what, result, count in told(found, "move") if result == "auto"} == happens
    assert [what for what, result, _ in told(found, "move") if result == "taken"] == sorted(JOINED)
    assert {str(line.reason) for line in found.lines if line.what == "joining.settle"} == {"It was 1."}


async def test_one_is_tried_out_at_a_time(tenant: Tenant) -> None:
    first = asyncio.ensure_future(simulate(tenant, SMALL, Subject()))
    await asyncio.sleep(0)
    with pytest.raises(RefusedError, match="being tried out already"):
        await simulate(tenant, SMALL, Subject())
    assert (await first).lines == ()
    assert (await simulate(tenant, SMALL, Subject())).lines == ()


def folders(place: Path) -> list[Path]:
    """Return what rehearsals have there."""
    return list(place.glob("maille-*"))


async def test_what_a_killed_process_left_is_removed_and_nothing_stays(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "maille-rehearsal-left"
    left.mkdir()
    (left / "rehearsal.sqlite.lock").touch()
    (left / "rehearsal.sqlite").touch()
    await simulate(tenant, SMALL, Subject())
    assert folders(tmp_path) == []
    with pytest.raises(DefinitionError):
        await simulate(tenant, edited(SMALL, ("    to: contacted", "    to: contacte")), Subject())
    assert folders(tmp_path) == []
