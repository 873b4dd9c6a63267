"""The packs that the matrix runs over: those of the product, of its guide and tests, and two with nasty rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from definitions.pack import PACKS, read_folder
from tests.admin.office import FILES

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

DEEP = """
network: deep
languages: [en, fr]
countries: [FR, BE]
settings:
  goal: {type: integer, value: 100}
---
entity: member
fields:
  city: {type: text}
  buddy: {type: reference, to: member, on_delete: clear}
  pay: {type: money}
search: [first_name, last_name, email, city]
---
entity: firm
title: "{{ record.name }} {{ record.secret }}"
owner: true
fields:
  name: {type: text, required: true}
  secret: {type: text}
  size: {type: integer}
search: [name, secret]
---
entity: file
title: >-
  {{ record.name }} · {{ record.note }} · {{ record.firm.secret }} ·
  {{ record.link.owner.city }} {{ record.link.note }}
owner: true
fields:
  name: {type: text, required: true}
  note: {type: text}
  mail: {type: email, unique: owner}
  phone: {type: phone}
  country: {type: country, default: FR}
  income: {type: money}
  calls: {type: integer}
  double: {type: money, compute: "=record.income * 2.0"}
  rich: {type: boolean, compute: "=record.double > 100.0"}
  kind: {type: choice, options: {a: A, b: B, c: C}}
  firm: {type: reference, to: firm, on_delete: clear}
  link: {type: reference, to: file, on_delete: clear}
  done: {type: boolean}
  due: {type: datetime}
search: [name, note, mail, phone]
---
process: work
entity: file
states: {new: {initial: true}, half: {}, end: {final: true}}
transitions:
  start: {from: new, to: half, by: [mine_only, readers, spiral], undo: 60m, bulk: true}
  stop: {from: half, to: end, undo: 60m}
  again: {from: any, to: new, by: [leader, spiral], guard: has(record.phone)}
---
statistic: files_in_all
entity: file
measure: count()
---
statistic: incomes
entity: file
measure: sum(record.income)
---
statistic: by_kind
entity: file
measure: count()
by: record.kind
---
statistic: rich_ones
entity: file
measure: count()
by: record.rich
---
automation: tell
when: {created: file}
do:
  - email: {template: told, to: =record.owner}
  - email: {template: brief, to: {level: readers}}
---
template: told
channel: email
about: file
subject: "File {{ record.name }}"
body: |
  {{ record.note }} {{ record.phone }} {{ record.income }} of {{ member.pay }}
  {% if record.firm %}{{ record.firm.secret }}{% endif %}
---
template: brief
channel: email
about: file
subject: "File {{ record.name }}"
body: "{{ record.note }} {{ record.kind }} {% if record.firm %}{{ record.firm.name }}{% endif %}"
"""

NARROW = """
level: mine_only
functions: [consult, communicate, analyse]
entities:
  file:
    read: mine
    create: true
    update: mine
    delete: mine
    fields: {income: {read: none, write: none}, note: {write: none}}
  firm: {read: downline, update: mine, fields: {secret: {read: mine, write: mine}}}
  member: {read: downline, update: mine, fields: {pay: {read: none, write: none}, phone: {read: mine}}}
---
level: readers
functions: [consult, export]
entities:
  file:
    read: all
    create: record.country == "FR"
    update: downline
    transitions: [work.start]
    fields:
      phone: {read: none, write: none}
      firm: {read: mine}
      kind: {read: 'record.country == "FR"', write: mine}
      work: {read: downline}
  firm: {read: all, fields: {secret: {read: none}, size: {read: downline}}}
  member: {read: all, fields: {email: {read: mine}, pay: {read: mine}, city: {read: none}, buddy: {read: none}}}
---
level: spiral
entities:
  file: {read: mine, update: none}
---
level: makers
functions: [import]
entities:
  file: {create: true}
  firm: {create: mine, read: none}
---
level: public
entities:
  firm: {read: all}
"""

TANGLED = """
level: spiral
functions: [consult, communicate, export, import, analyse]
entities:
  file:
    read: record.owner.country == actor.country || record.firm.owner == actor
    create: true
    update: record.owner.sponsor == actor.sponsor
    delete: actor.is_upline_of(record.owner)
    fields:
      income: {read: record.calls > 2 && record.owner.country == "FR", write: 'record.kind == "a"'}
      mail: {read: record.link.owner == actor}
      note: {read: has(record.firm) && record.firm.size > 5}
      owner: {read: downline}
  firm:
    read: record.owner.buddy == actor || record.owner == actor.sponsor
    fields: {secret: {read: 'record.owner.country == "BE"'}}
  member: {read: actor.country == record.country, update: record.sponsor == actor, fields: {pay: {read: mine}}}
---
level: readers
functions: [consult, communicate]
entities:
  file:
    read: record.kind in ["a", "b"]
    update: record.done
    fields: {kind: {read: all, write: none}, done: {read: none}}
  firm: {read: record.size > 5, create: true, update: all, delete: all, fields: {size: {read: none}}}
---
level: mine_only
entities:
  file: {read: mine, update: all}
  member: {read: downline}
---
level: leader
functions: [consult, communicate, analyse]
entities:
  file:
    read: record.country == "FR" && record.done
    create: true
    update: record.calls > 2
    delete: none
    fields: {phone: {read: none, write: none}, income: {read: mine, write: none}, mail: {read: record.calls > 2}}
  member: {read: all, create: true, update: all, fields: {pay: {read: none, write: none}}}
"""

NESTED: Mapping[str, str] = {"deep.yaml": DEEP, "levels.yaml": NARROW}
TWISTED: Mapping[str, str] = {"deep.yaml": DEEP, "levels.yaml": TANGLED}
ALL: Mapping[str, Mapping[str, str]] = {
    "nested": NESTED,
    "twisted": TWISTED,
    "small": FILES,
    "suivi": read_folder(PACKS / "suivi"),
    "toolshed": read_folder(EXAMPLES / "toolshed"),
    "workshop": read_folder(EXAMPLES / "workshop"),
}
