"""A network in which a change owes nearly everything that a change can owe."""

from __future__ import annotations

from tests.networks import SMALL, changed, edited

_SIGN = "  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}\n"
_AGREED = """  sign:
    from: contacted
    to: signed
    by: [distributor]
    label: {fr: Inscrire, en: Sign up}
    set: {calls: =record.calls + 10}
    approval: {by: [leader], quorum: 2, four_eyes: true}
"""
_KEPT = "retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}"
_SOON = "retention: {after: 10d, since: last_activity_at, warn: 4d, then: erase}"
_CALLS = "  calls:        {type: integer, default: 0}\n"
_LOSE = "label: {fr: Perdu, en: Lost}}\n  revive"

_AUTOMATIONS = """
automation: greet
label: {fr: Accueil, en: Greeting}
when: {created: lead}
if: record.source == "site"
do:
  - set: {calls: =record.calls + 1}
  - task: {title: {fr: Appeler, en: Call}, for: =record.owner, due: =now() + working_days(1)}
  - notify: {template: told, to: =record.owner}
  - email: {template: welcome, to: =record.email, from: owner}
  - sms: {template: called, to: =record.phone}
  - webhook: {url: 'WEBHOOK', body: {name: =record.first_name}}
  - assign: {pick: round_robin, among: '"distributor" in member.levels'}
  - for_each: {in: "=['a', 'b']"}
    do: [{create: {entity: company, values: {name: =record.first_name + item}}}]
  - create: {entity: company, values: {name: =record.last_name}, as: made}
  - run: later
---
automation: later
label: {fr: Plus tard, en: Later}
when: {deleted: lead}
do:
  - wait: {for: 10m}
  - choose:
      - if: record.calls > 0
        do: [{move: lose}]
---
automation: called
label: {fr: Appelé, en: Called}
when: {moved: recruiting.call}
do:
  - create: {entity: company, values: {name: =record.last_name}}
  - email: {template: welcome, to: =record.email, from: owner}
  - webhook: {url: 'WEBHOOK', body: {called: =record.first_name}}
---
automation: papers
label: {fr: Papiers, en: Papers}
when: {created: lead}
if: record.source == "direct"
do:
  - document: {template: contract, to_field: contract}
  - email: {template: welcome, to: =record.email, from: owner, attach: [contract]}
---
automation: patience
label: {fr: Patience, en: Patience}
runs: migrate
when: {stays: {state: recruiting.contacted, for: 3d}}
do:
  - notify: {template: told, to: =record.owner}
  - wait: {for: 1d}
    id: pause
  - task: {title: {fr: Relancer, en: Again}, for: =record.owner}
---
automation: reminder
label: {fr: Rappel, en: Reminder}
when: {due: {entity: lead, at: next_call_at, before: 1h}}
do:
  - task: {title: {fr: Rappeler, en: Call back}, for: =record.owner}
---
automation: daily
label: {fr: Chaque jour, en: Daily}
when: {every: {cron: "0 8 * * *", for_each: {entity: lead, where: 'record.city == "Lyon"'}, catch_up: all}}
do:
  - set: {calls: =record.calls + 1}
---
template: welcome
channel: email
about: lead
subject: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}
body: {fr: "Bonjour {{ record.first_name }}. {{ member.name }}", en: "Hello {{ record.first_name }}. {{ member.name }}"}
---
template: told
channel: notification
about: lead
subject: {fr: "{{ record.first_name }}", en: "{{ record.first_name }}"}
body: {fr: "Voir {{ record.last_name }}", en: "See {{ record.last_name }}"}
---
template: called
channel: sms
about: lead
body: {fr: "{{ record.first_name }}, à bientôt", en: "{{ record.first_name }}, see you"}
---
template: contract
channel: document
about: lead
subject: {fr: "Contrat de {{ record.first_name }}", en: "Contract of {{ record.first_name }}"}
body: {fr: "# Contrat\\n\\nPour {{ record.first_name }}", en: "# Contract\\n\\nFor {{ record.first_name }}"}
"""


def files(webhook: str) -> dict[str, str]:
    """Return the network, whose web hooks call the address given."""
    text = edited(
        SMALL,
        (_SIGN, _AGREED),
        (_KEPT, _SOON),
        (_CALLS, f"{_CALLS}  contract:     {{type: file}}\n"),
        ("    undo: 10m\n", "    undo: 10m\n    bulk: true\n"),
        (_LOSE, _LOSE.replace("}}\n", "}, bulk: true}\n")),
    )
    return changed(text, automations=_AUTOMATIONS.replace("WEBHOOK", webhook))


def renamed(before: dict[str, str]) -> dict[str, str]:
    """Return the version after it: names are others, and what waits moves along."""
    return edited(
        before,
        ("  rating:       {type: decimal, scale: 4}\n", "  stars:        {type: decimal, scale: 4, was: rating}\n"),
        ("  lost:      {label:", "  gone:      {was: lost, label:"),
        ("{from: any, to: lost", "{from: any, to: gone"),
        ("{from: lost,", "{from: gone,"),
        ("title: {fr: Relancer, en: Again}", "title: {fr: Insister, en: Insist}"),
    )
