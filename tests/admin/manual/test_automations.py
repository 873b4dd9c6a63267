"""Automations are told step by step: every kind of trigger and of step."""

from __future__ import annotations

from typing import get_args

import pytest

from admin.manual import acts
from admin.manual.automations import Line, story
from admin.manual.triggers import schedule
from definitions.spec.automation import Action, Choose, ForEach, Wait
from tests.admin.manual.reading import plain, telling, written

PACK = """
network: depot
languages: [en]
settings: {office: {type: email, value: office@depot.example, label: The office}}
---
entity: crate
owner: true
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
  email: {type: email}
  due_on: {type: date}
  weight: {type: integer}
  paper: {type: file}
---
process: moving
entity: crate
states: {here: {initial: true}, gone: {final: true}}
transitions:
  send: {from: here, to: gone, form: {why: {type: text, label: Why}}}
---
level: porter
entities: {crate: {read: all, create: true, update: all}}
---
template: letter
channel: email
about: crate
subject: Hello
body: Crate {{ record.name }}
---
template: text
channel: sms
about: crate
body: Crate
---
template: note
channel: notification
about: crate
subject: Hello
body: Crate
---
template: sheet
channel: document
about: crate
subject: Sheet
body: Crate
---
automation: all_steps
label: All steps
when:
  - {entered: moving.gone}
  - {left: moving.here}
  - {moved: moving.send}
  - {stays: {state: moving.here, for: 3 working days}}
  - {created: crate}
  - {deleted: crate}
  - {changed: {entity: crate, fields: [name, weight]}}
  - {changed: {entity: crate}}
  - {due: {entity: crate, at: due_on}}
  - {due: {entity: crate, at: due_on, before: 1d}}
  - {due: {entity: crate, at: due_on, after: 2w}}
  - {every: {cron: "30 8 * * 1-5", for_each: {entity: crate, where: record.weight > 5}}}
if: has(record.name)
mode: queued
do:
  - email: {template: letter, to: =record.email, cc: {level: porter}, from: owner, attach: [paper]}
    if: has(record.email)
    retry: {times: 3, backoff: 1m}
  - sms: {template: text, to: =record.owner}
    on_error: continue
  - notify: {template: note, to: [=record.owner, =record.owner.sponsor]}
  - document: {template: sheet, to_field: paper}
  - set: {weight: =record.weight + 1, name: Crate}
  - create: {entity: crate, as: other, values: {name: =record.name, weight: 7}}
  - move: {transition: send, form: {why: Late}}
  - task: {title: Look at it, for: =record.owner, due: =now() + days(1)}
  - assign: {to: =actor}
  - assign: {pick: round_robin, among: member.active}
  - webhook: {url: "https://erp.example/crates"}
  - wait: {for: 2 weeks, cancel_if: 'record.moving == "gone"'}
  - wait: {until: =record.due_on}
  - for_each: {in: {entity: crate, where: crate_there.weight == record.weight, limit: 20}, as: crate_there}
    do:
      - run: again
        record: =crate_there
  - choose:
      - if: record.weight > 5
        do: [{stop: true}]
      - if: record.weight > 2
        do: [{move: send}]
    else:
      - choose:
          - if: has(record.paper)
            do: [{stop: true}]
---
automation: again
label: Once more
when: {webhook: calls}
do: [{stop: true}]
---
automation: nightly
when: {every: {cron: "0 3 1 * *"}}
do: [{email: {template: plain, to: =settings.office}}]
---
template: plain
channel: email
subject: Night
body: Good night
"""
BEGINS = [
    "When *Crate* comes to *Gone* (Moving)",
    "When *Crate* is no longer in *Here* (Moving)",
    "When *Send* is done with *Crate*",
    "When *Crate* has been in *Here* for 3 working days (Moving)",
    "When *Crate* is created",
    "When *Crate* is deleted",
    "When *Name* or *Weight* of *Crate* changes",
    "When *Crate* changes",
    "When *Due on* of *Crate* comes",
    "1 day before *Due on* of *Crate*",
    "14 days after *Due on* of *Crate*",
    "On Monday to Friday at 8:30, for each *Crate* where *Weight* is more than 5",
]
STEPS = """
Send the e-mail Letter to *Email*, with a copy to every member of the level *Porter*, with *Paper* attached, in the name of who follows it
  (Only if *Email* is filled in.) (If this fails, it is tried 3 times more.)
Send the text message Text to who follows it
  (If this fails, it goes on with what follows.)
Tell who follows it and *Sponsor* of who follows it in the product: Note
Write the document Sheet into *Paper*
Change: *Weight*: *Weight* + 1 · *Name*: *Crate*
Create *Crate*: *Weight*: 7 · with the same *Name*
Take the step *Send*
Task for who follows it: *Look at it* (due: 1 day from now)
Have who caused it follow it
Have it followed in turn by the members for whom *Active* is “yes”
Call another system: "https://erp.example/crates"
Wait 14 days. If meanwhile *Moving* is *Gone*, it ends here.
Wait until *Due on*.
For each *Crate* where *Weight* is *Weight* of *Crate*:
  (20 at most)
  - Begin Once more (about *Crate*)
Depending on the case:
  - If *Weight* is more than 5:
    - End here
  - Else, if *Weight* is more than 2:
    - Take the step *Send*
  - Else:
    - If *Paper* is filled in:
      - End here
"""  # noqa: E501 - as it is told
DEPOT = written({"depot.yaml": PACK})
TIMES = {
    "0 8 * * *": "Every day at 8:00",
    "5 17 * * 1": "On Monday at 17:05",
    "0 9 * * mon-wed,sat": "On Monday to Wednesday and Saturday at 9:00",
    "0 9 * * 0,7": "On Sunday and Sunday at 9:00",
    "0 3 15 * *": "On day 15 of each month at 3:00",
    "*/5 * * * *": "At the times `*/5 * * * *` (cron)",
    "0 8 1 * 1": "At the times `0 8 1 * 1` (cron)",
    "0 8 * 6 *": "At the times `0 8 * 6 *` (cron)",
    "0 8 * * 1#2": "At the times `0 8 * * 1#2` (cron)",
}


def drawn(lines: tuple[Line, ...], depth: int = 0) -> list[str]:
    found = []
    for line in lines:
        found.append(f"{'  ' * (depth - 1)}{'  - ' if depth else ''}{plain(line.says)}")
        if line.notes:
            found.append("  " * (depth + 1) + " ".join(f"({plain(note)})" for note in line.notes))
        found += drawn(line.inside, depth + 1)
    return found


def test_every_kind_of_trigger_is_told() -> None:
    told = story(telling(DEPOT), DEPOT.automations["all_steps"])
    assert [plain(each) for each in told.begins] == BEGINS
    assert [plain(each) for each in story(telling(DEPOT), DEPOT.automations["again"]).begins] == [
        "When another system calls `calls`"
    ]


def test_every_kind_of_step_is_told() -> None:
    told = story(telling(DEPOT), DEPOT.automations["all_steps"])
    assert told.only_if is not None
    assert plain(told.only_if) == "Only if *Name* is filled in."
    assert [plain(note) for note in told.notes] == ["What happens again meanwhile waits until it is over."]
    assert drawn(told.lines) == STEPS.strip("\n").splitlines()


def test_the_language_has_no_step_without_words() -> None:
    told = {kind for kind in acts._act.registry if kind is not object} | {Choose, ForEach, Wait}
    assert told == {*get_args(Action)}


@pytest.mark.parametrize(("cron", "said"), TIMES.items())
def test_a_schedule_is_told_or_shown_as_it_is_written(cron: str, said: str) -> None:
    assert plain(schedule(telling(DEPOT), cron)) == said
