"""Taking a move back takes back what its automations started, however many hands it went through."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.actor import SYSTEM, Actor
from models.record import Record
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import commands, outbox
from workflows.moves import Moved
from workflows.timeline import timeline

pytestmark = pytest.mark.anyio

CHAINS = """
entity: file
label: {fr: Dossier, en: File}
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
  due: {type: datetime}
  mail: {type: email}
  rank: {type: integer, default: 0}
---
entity: sheet
label: {fr: Feuille, en: Sheet}
title: "{{ record.name }}"
parent: file
as: sheets
fields: {name: {type: text, required: true}}
---
entity: card
label: {fr: Carte, en: Card}
title: "{{ record.name }}"
fields: {name: {type: text, required: true}}
---
process: filing
entity: file
states: {fresh: {initial: true}, big: {}, old: {final: true}}
transitions:
  grow: {from: fresh, to: big, auto: true, guard: record.rank > 1}
  age: {from: big, to: old}
---
automation: open_file
label: {fr: Ouvrir, en: Open}
when: {entered: recruiting.contacted}
do:
  - create: {entity: file, as: made, values: {name: F, rank: 2, mail: =record.email, due: '=now() + duration("5m")'}}
  - set: {city: Lyon, file: =made}
---
automation: when_made
label: {fr: Créé, en: Made}
when: {created: file}
do: [{create: {entity: card, values: {name: made}}}]
---
automation: when_card
label: {fr: Carte, en: Card}
when: {created: card}
if: record.name == "made"
do: [{create: {entity: card, values: {name: next}}}, {task: {title: {fr: Carte, en: Card}, for: =actor}}]
---
automation: when_big
label: {fr: Grand, en: Big}
when: {entered: filing.big}
do: [{create: {entity: card, values: {name: big}}}]
---
automation: when_moved_in
label: {fr: Lyon, en: Lyon}
when: {changed: {entity: lead, fields: [city]}}
do: [{create: {entity: card, values: {name: lyon}}}]
---
automation: when_due
label: {fr: Dû, en: Due}
when: {due: {entity: file, at: due}}
do: [{create: {entity: card, values: {name: due}}}, {email: {template: told, to: =record.mail}}]
---
template: told
channel: email
about: file
subject: {fr: Dossier, en: File}
body: {fr: "{{ record.name }}", en: "{{ record.name }}"}
---
level: archivist
label: {fr: Archiviste, en: Archivist}
entities:
  file: {read: all, create: true, update: all, delete: all}
  card: {read: all, create: true, update: all, delete: all}
"""
SPREAD = edited(
    changed(SMALL, chains=CHAINS),
    (
        "  company:      {type: reference",
        "  file: {type: reference, to: file, on_delete: clear}\n  company:      {type: reference",
    ),
)
CARDS = ["big", "due", "lyon", "made", "next"]


async def begun(make_stage: MakeStage) -> tuple[Stage, Actor, Record, Moved]:
    """Let a lead be called, and everything that follows from it happen."""
    stage = await make_stage(SPREAD)
    lea = await stage.person("Lea", "distributor", "archivist")
    lead = await stage.lead(lea)
    moved = await stage.call(lea, lead)
    await stage.worker.run_due()
    stage.clock.forward(timedelta(minutes=6))
    await stage.worker.run_due()
    found = {name for (name,) in await stage.rows("card", "name")}
    assert found == set(CARDS)
    return stage, lea, lead, moved


async def test_everything_that_it_set_off_is_gone(make_stage: MakeStage) -> None:
    stage, lea, lead, moved = await begun(make_stage)
    undone = await commands.undo(stage.tenant, lea, moved.history)
    assert await stage.rows("card", "name") == []
    assert await stage.rows("file", "name") == []
    assert await stage.rows("_task", "title") == []
    assert {state for (state,) in await stage.rows("_mail", "state", where="state <> 'sent'")} == {"cancelled"}
    assert await stage.rows("_run", "id", where="state IN ('running', 'waiting')") == []
    assert undone.left == len(stage.mailbox.letters) == 1  # what the date of the file sent had no reason to wait
    told = next(each for each in await timeline(stage.tenant, lea, "lead", lead.id) if each.kind == "undone")
    assert told.reason == "One message of the automations that it started has already left."
    stage.clock.forward(timedelta(days=1))
    await stage.worker.run_due()
    assert len(stage.mailbox.letters) == 1


async def test_what_somebody_touched_stays_with_what_stands_on_its_own(make_stage: MakeStage) -> None:
    stage, lea, _, moved = await begun(make_stage)
    [(made,)] = await stage.rows("card", "id", where="name = 'made'")
    [(file,)] = await stage.rows("file", "id")
    await commands.create(stage.tenant, lea, "sheet", {"parent": file, "name": "Mine"})
    await commands.update(stage.tenant, lea, "card", made, None, {"name": "mine"})
    await commands.undo(stage.tenant, lea, moved.history)
    assert set(await stage.rows("card", "name")) == {("mine",), ("due",)}  # the file stays, so does what its date did
    assert await stage.rows("file", "name") == [("F",)]
    assert await stage.rows("sheet", "name") == [("Mine",)]


async def test_before_the_workers_came_there_is_nothing_to_take_back(make_stage: MakeStage) -> None:
    stage = await make_stage(SPREAD)
    lea = await stage.person("Lea", "distributor", "archivist")
    moved = await stage.call(lea, await stage.lead(lea))
    assert (await commands.undo(stage.tenant, lea, moved.history)).left == 0
    await stage.worker.run_due()
    assert await stage.rows("card", "name") == []


async def test_what_a_line_does_to_its_parent_is_held_back_with_it_and_taken_back(make_stage: MakeStage) -> None:
    stage = await make_stage(edited(SPREAD, *PAGES))
    lea = await stage.person("Lea", "distributor", "archivist")
    values = {"name": "F", "mail": "f@exemple.fr", "sheets": [{"name": "A"}]}
    await commands.create(stage.tenant, SYSTEM, "file", values)
    await stage.worker.run_due()
    await stage.tenant.store.write(lambda tx: tx.run('DELETE FROM "card"'))
    [(sheet,)] = await stage.rows("sheet", "id")
    moved = await commands.move(stage.tenant, lea, "sheet", sheet, "sign_it")
    await stage.worker.run_due()
    assert ("pages",) in await stage.rows("card", "name")
    letters = await stage.rows("_mail", "state", where="subject = 'Pages'")
    assert letters == [("waiting",)]
    assert (await commands.undo(stage.tenant, lea, moved.history)).left == 0
    assert await stage.rows("card", "name") == []
    assert await stage.rows("_mail", "state", where="subject = 'Pages'") == [("cancelled",)]


LINE = """fields: {name: {type: text, required: true}, pages: {type: integer, default: 1}}
---
process: signing
entity: sheet
states: {open: {initial: true}, signed: {final: true}}
transitions:
  sign_it: {from: open, to: signed, undo: 10m, set: {pages: =record.pages + 1}}
---
automation: when_pages
label: {fr: Pages, en: Pages}
when: {changed: {entity: file, fields: [pages]}}
do: [{create: {entity: card, values: {name: pages}}}, {email: {template: pages, to: =record.mail}}]
---
template: pages
channel: email
about: file
subject: {fr: Pages, en: Pages}
body: {fr: "{{ record.name }}", en: "{{ record.name }}"}
---
entity: card"""
PAGES = (
    ("fields: {name: {type: text, required: true}}\n---\nentity: card", LINE),
    (
        "  mail: {type: email}\n",
        '  mail: {type: email}\n  pages: {type: integer, compute: "=sum(record.sheets, s, s.pages)"}\n',
    ),
)


REFERS = changed(
    SPREAD,
    more="""
entity: remark
label: {fr: Remarque, en: Remark}
title: "{{ record.name }}"
fields: {name: {type: text}, file: {type: reference, to: file, on_delete: restrict}}
---
level: remarker
label: {fr: Annotateur, en: Remarker}
entities:
  remark: {read: all, create: true, update: all, delete: all}
""",
)


async def test_a_record_that_stays_since_something_refers_to_it_keeps_what_it_started(make_stage: MakeStage) -> None:
    stage = await make_stage(REFERS)
    lea = await stage.person("Lea", "distributor", "archivist", "remarker")
    moved = await stage.call(lea, await stage.lead(lea))
    await stage.worker.run_due()
    stage.clock.forward(timedelta(minutes=6))
    await stage.worker.run_due()
    [(file,)] = await stage.rows("file", "id")
    await commands.create(stage.tenant, lea, "remark", {"name": "Mine", "file": file})
    undone = await commands.undo(stage.tenant, lea, moved.history)
    assert await stage.rows("file", "name") == [("F",)]
    assert ("due",) in await stage.rows("card", "name")  # as of a file that somebody touched
    assert undone.left == 0  # the mail of its date is the file's, which stays


DATED = "{email: {template: told, to: =record.mail}}]"
CALLED = edited(SPREAD, (DATED, "{webhook: {url: 'https://example.org/in'}}]"))


async def test_a_call_that_is_under_way_has_left(make_stage: MakeStage) -> None:
    stage = await make_stage(CALLED)
    lea = await stage.person("Lea", "distributor", "archivist")
    moved = await stage.call(lea, await stage.lead(lea))
    inside = [each for each in outbox.KINDS if each not in outbox.LANES]
    await stage.worker._drain(inside, None)
    stage.clock.forward(timedelta(minutes=6))
    await stage.worker._drain(inside, None)
    now, steps = stage.clock.now(), outbox.steps_of(["hook"])
    rows = await stage.tenant.store.write(
        lambda tx: outbox.claim(tx, worker="caller", now=now, limit=8, steps=steps), claim=True
    )
    left = (await commands.undo(stage.tenant, lea, moved.history)).left
    assert ([row.kind for row in rows], left) == (["hook"], 1)
