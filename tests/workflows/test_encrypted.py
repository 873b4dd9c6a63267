"""Encrypted fields: sealed wherever they are kept, open to who may read them, and to nobody without the key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.problems import DefinitionError
from models.actor import SYSTEM, Actor
from models.errors import InvalidError, RefusedError
from models.query import Filter, Query
from models.record import Record
from models.secrets import CLOSED, Vault
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, inlets, jobs, overseeing
from workflows.timeline import timeline
from workflows.unit import read, write

pytestmark = pytest.mark.anyio

PACK = """
network: clinic
languages: [en]
timezone: Europe/Paris
---
entity: patient
title: "{{ record.name }}"
owner: true
fields:
  name:    {type: text, required: true}
  note:    {type: long_text, encrypted: true, max: 20}
  balance: {type: money, encrypted: true, min: 0}
  born:    {type: date, encrypted: true}
  tags:    {type: choices, options: {a: A, b: B}, encrypted: true}
  pause:   {type: duration, encrypted: true}
  hot:     {type: boolean, encrypted: true, default: true}
  double:  {type: money, encrypted: true, compute: "=record.balance * 2.0"}
---
process: care
entity: patient
states:
  open: {initial: true}
  done: {}
transitions:
  end:   {from: open, to: done, by: [doctor], guard: record.balance > 1, set: {note: "=record.note + '!'"}, undo: 10m}
  again: {from: done, to: open, by: [doctor]}
---
level: doctor
entities:
  patient: {read: all, create: true, update: all, delete: all}
---
level: clerk
entities:
  patient: {read: all, update: all, fields: {note: {read: none, write: none}}}
"""
GIVEN = {"name": "Rose", "note": "Tired", "balance": "12.50", "born": "1990-05-17", "tags": ["b"], "pause": "3d"}
SEEN = {"note": "Tired", "balance": Decimal("12.50"), "double": Decimal("25.00"), "tags": ("b",), "hot": True}
NAMES = ("note", "balance", "born", "tags", "pause", "hot", "double")


class Keys:
    """The secrets of an installation, the first of which seals."""

    def __init__(self, *secrets: bytes) -> None:
        self.secrets = secrets

    def vault(self) -> Vault:
        return Vault(lambda: self.secrets)


KEYS = Keys(b"a secret that is long enough")
Open = Callable[..., Awaitable[Stage]]


@pytest.fixture
def clinic(make_stage: MakeStage) -> Open:
    """Return what opens a network with a pack, and gives it the keys."""

    async def make(pack: str = PACK) -> Stage:
        stage = await make_stage({"pack.yaml": pack})
        stage.tenant.vault = KEYS.vault()
        stage.people["doctor"] = await stage.person("Dora", "doctor")
        stage.people["clerk"] = await stage.person("Carl", "clerk")
        return stage

    return make


async def _made(stage: Stage, **values: Any) -> Record:
    return await commands.create(stage.tenant, stage.people["doctor"], "patient", {**GIVEN, **values})


async def _seen(stage: Stage, record: Record, who: Actor = SYSTEM) -> Record:
    return await read(stage.tenant, who, lambda unit: unit.records.get("patient", record.id))


async def _everything(stage: Stage) -> str:
    """Return all that the store holds of values, as text."""
    patients = await stage.tenant.store.read(lambda tx: tx.rows('SELECT * FROM "patient"'))
    history = await stage.rows("_history", "before", "after")
    return json.dumps([[list(map(str, row)) for row in rows] for rows in (patients, history)])


async def test_what_is_encrypted_is_nowhere_in_the_store_and_there_for_who_may_read_it(clinic: Open) -> None:
    stage = await clinic()
    made = await _made(stage)
    changed = await commands.update(stage.tenant, stage.people["doctor"], "patient", made.id, 1, {"note": "Well"})
    held = await _everything(stage)
    found = await _seen(stage, made)

    assert not [text for text in ("Tired", "Well", "12.5", "1250", "1990", "2500", '"b"') if text in held]
    assert "Rose" in held
    assert {name: made[name] for name in SEEN} == SEEN
    assert (changed.before["note"], changed.after["note"], found["note"]) == ("Tired", "Well", "Well")
    assert (await _seen(stage, made, stage.people["clerk"]))["note"] is None


async def test_history_guards_moves_and_undo_know_the_values(clinic: Open) -> None:
    stage = await clinic()
    made, doctor = await _made(stage), stage.people["doctor"]

    moved = await commands.move(stage.tenant, doctor, "patient", made.id, "end")
    after = await _seen(stage, made)
    events = await timeline(stage.tenant, doctor, "patient", made.id)
    hidden = await timeline(stage.tenant, stage.people["clerk"], "patient", made.id)
    await commands.undo(stage.tenant, doctor, moved.history)

    assert after["note"] == "Tired!"
    told = {change.field: (change.before, change.after) for change in events[0].changes}
    assert told["note"] == ("Tired", "Tired!")
    assert {change.field: change.after for change in events[1].changes}["born"] == after["born"]
    assert {change.field: (change.after, change.hidden) for change in hidden[0].changes}["note"] == (None, True)
    assert (await _seen(stage, made))["note"] == "Tired"


async def test_values_are_checked_as_before(clinic: Open) -> None:
    stage = await clinic()

    with pytest.raises(InvalidError) as caught:
        await _made(stage, note="x" * 21, balance="-1")

    assert set(caught.value.fields) == {"note", "balance"}


async def test_nothing_is_found_or_sorted_by_what_is_encrypted(clinic: Open) -> None:
    stage = await clinic()
    await _made(stage)

    async def listed(query: Query) -> None:
        await read(stage.tenant, stage.people["doctor"], lambda unit: unit.records.list("patient", query))

    for query in (Query(filters=(Filter("note", "equals", "Tired"),)), Query(sort="note"), Query(sort="-balance")):
        with pytest.raises(InvalidError):
            await listed(query)


async def test_a_value_opens_in_its_own_row_and_field_alone(clinic: Open) -> None:
    stage = await clinic()
    one, two = await _made(stage), await _made(stage, note="Fine")
    sealed = 'SELECT "note" FROM "patient" WHERE "id" = ?'

    async def exchange(unit: Any) -> None:
        row = await unit.tx.row(sealed, [one.id])
        await unit.tx.run('UPDATE "patient" SET "note" = ? WHERE "id" = ?', [row[0], two.id])
        await unit.tx.run('UPDATE "patient" SET "balance" = ? WHERE "id" = ?', [row[0], one.id])

    await write(stage.tenant, SYSTEM, exchange)

    assert (await _seen(stage, one))["note"] == "Tired"
    assert (await _seen(stage, two))["note"] is None
    assert (await _seen(stage, one))["balance"] is None


async def test_an_older_secret_opens_and_the_first_one_seals(clinic: Open) -> None:
    stage = await clinic()
    made, doctor = await _made(stage), stage.people["doctor"]

    stage.tenant.vault = Keys(b"another secret, newer than that", *KEYS.secrets).vault()
    await commands.update(stage.tenant, doctor, "patient", made.id, None, {"balance": "20"})
    both = await _seen(stage, made)
    stage.tenant.vault = Keys(b"another secret, newer than that").vault()
    newer = await _seen(stage, made)
    await commands.update(stage.tenant, doctor, "patient", made.id, None, {"name": "Iris"})
    stage.tenant.vault = Keys(*KEYS.secrets).vault()
    older = await _seen(stage, made)

    assert (both["note"], both["balance"]) == ("Tired", Decimal("20.00"))
    assert (newer["note"], newer["balance"]) == (None, Decimal("20.00"))
    assert (older["name"], older["note"], older["balance"]) == ("Iris", "Tired", None)


async def test_without_a_secret_nothing_is_kept_in_the_open(clinic: Open) -> None:
    stage = await clinic()
    stage.tenant.vault = CLOSED

    with pytest.raises(RefusedError):
        await _made(stage)


async def test_turning_encryption_on_and_off_rewrites_the_records(clinic: Open) -> None:
    plain = PACK.replace(", encrypted: true", "")
    stage = await clinic(plain)
    made = await _made(stage)
    before = (await _seen(stage, made)).full

    await stage.tenant.publish({"pack.yaml": PACK})
    sealed = await stage.tenant.store.read(lambda tx: tx.row(f'SELECT {", ".join(NAMES)} FROM "patient"'))  # noqa: S608 - names of the test
    on = (await _seen(stage, made)).full
    renamed = (
        PACK.replace("  note:    {", "  remark:  {was: note, ")
        .replace("note", "remark")
        .replace("was: remark", "was: note")
    )
    await stage.tenant.publish({"pack.yaml": renamed})
    moved = (await _seen(stage, made)).full
    await stage.tenant.publish({"pack.yaml": plain.replace("note", "remark")})
    off = (await _seen(stage, made)).full

    assert sealed is not None
    assert not {"Tired", "12.5", 1250} & set(sealed)
    assert {name: on[name] for name in NAMES} == {name: before[name] for name in NAMES}
    assert moved["remark"] == off["remark"] == "Tired"
    assert {name: off[name] for name in NAMES[1:]} == {name: before[name] for name in NAMES[1:]}


async def test_types_change_while_encrypted_and_what_does_not_fit_is_said_first(clinic: Open) -> None:
    stage = await clinic()
    made = await _made(stage)
    number = PACK.replace(
        "note:    {type: long_text, encrypted: true, max: 20}", "note:    {type: integer, encrypted: true}"
    )
    number = number.replace(""", set: {note: "=record.note + '!'"}""", "")

    with pytest.raises(DefinitionError) as caught:
        await stage.tenant.publish({"pack.yaml": number})
    await commands.update(stage.tenant, stage.people["doctor"], "patient", made.id, None, {"note": "12"})
    await stage.tenant.publish({"pack.yaml": number})

    assert [problem.code for problem in caught.value.problems] == ["plan.loses_values"]
    assert (await _seen(stage, made))["note"] == 12


async def test_new_fields_that_are_encrypted_are_filled_with_their_default(clinic: Open) -> None:
    stage = await clinic(PACK.replace("  hot:     {type: boolean, encrypted: true, default: true}\n", ""))
    made = await _made(stage)

    await stage.tenant.publish({"pack.yaml": PACK})

    assert (await _seen(stage, made))["hot"] is True


COPIES = """---
automation: copies
when: {moved: care.end}
do: [{set: {note: "=record.note + '?'"}}]
"""


async def test_what_a_step_is_given_is_sealed_and_told_to_who_may_know(clinic: Open) -> None:
    stage = await clinic(PACK + COPIES)
    rita = await stage.person("Rita", "leader")
    made = await _made(stage)
    await commands.move(stage.tenant, stage.people["doctor"], "patient", made.id, "end")
    await stage.worker.run_due()
    [(run, kept)] = await stage.rows("_step", "run", "inputs")
    assert "Tired" not in kept
    shown = await read(stage.tenant, rita, lambda unit: overseeing.one(unit, run))
    assert [step.inputs for step in shown.steps] == [{"note": "Tired!?"}]


async def _table(stage: Stage, name: str) -> str:
    """Return all that a table of the system holds, as text."""
    return str(await stage.tenant.store.read(lambda tx: tx.rows(f'SELECT * FROM "{name}"')))  # noqa: S608 - the tests' own


async def test_what_a_job_is_asked_with_is_sealed_and_done(clinic: Open) -> None:
    stage = await clinic(PACK.replace("undo: 10m}", "bulk: true, form: {word: {field: note}}, undo: 10m}"))
    rose = await _made(stage)
    asked = {"process": "care", "transition": "end", "form": {"word": "Secret"}}
    job = await jobs.begin(stage.tenant, stage.people["doctor"], "patient", "move", asked, [rose.id])
    assert "Secret" not in await _table(stage, "_job")
    found, failed = await jobs.seen(stage.tenant, stage.people["doctor"], job.id)
    assert (dict(found.asked), failed) == (asked, [])


LOOP = """
---
automation: spread
when: {created: patient}
mode: parallel
do:
  - for_each: {in: '=[record.note, record.note + "?"]', as: told}
    do: [{wait: {for: 1h}}, {set: {name: =told}}]
"""


async def test_what_a_loop_goes_through_is_sealed_while_it_waits(clinic: Open) -> None:
    stage = await clinic(PACK + LOOP)
    rose = await _made(stage)
    await stage.worker.run_due()
    for table in ("_item", "_run", "_step"):
        assert "Tired" not in await _table(stage, table), table
    for _ in range(2):
        stage.clock.forward(timedelta(hours=1))
        await stage.worker.run_due()
    assert (await _seen(stage, rose))["name"] == "Tired?"


CALLED = """
---
automation: heard
when: {webhook: labs}
mode: parallel
do: [{wait: {for: 1h}}, {create: {entity: patient, values: {name: Rose, note: =string(payload.note)}}}]
"""


async def test_what_a_call_says_is_sealed_as_long_as_its_run_is_kept(clinic: Open) -> None:
    stage = await clinic(PACK + CALLED)
    leader = await stage.person("Lena", "leader")
    secret = await write(stage.tenant, leader, lambda unit: inlets.draw(unit, "labs"))
    asked = inlets.Request("labs", {"authorization": f"Bearer {secret}"}, b'{"note": "Ferritin"}')
    await inlets.take(stage.tenant, asked, lambda: None)
    await stage.worker.run_due()
    assert "Ferritin" not in await _table(stage, "_run")
    stage.clock.forward(timedelta(hours=1))
    await stage.worker.run_due()
    page = await read(stage.tenant, SYSTEM, lambda unit: unit.records.list("patient", Query()))
    assert [record["note"] for record in page.records] == ["Ferritin"]
