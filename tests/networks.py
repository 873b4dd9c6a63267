"""Small networks that tests run on, as packs: files and their text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count

SMALL: Mapping[str, str] = {
    "network.yaml": """
network: small
label: {fr: Petit réseau, en: Small network}
languages: [fr, en]
timezone: Europe/Paris
currency: EUR
countries: [FR, BE]
calendar: {days: [mon, tue, wed, thu, fri], hours: 09:00-18:00, holidays: FR}
settings:
  lead_retention: {type: duration, value: 36 months, label: {fr: Durée de conservation, en: Retention}}
  support: {type: email, value: aide@exemple.fr, label: {fr: Aide, en: Support}}
""",
    "company.yaml": """
entity: company
label: {fr: Société, en: Company}
title: "{{ record.name }}"
fields:
  name: {type: text, required: true, max: 120}
  city: {type: text}
search: [name]
""",
    "lead.yaml": """
entity: lead
label: {fr: Prospect, en: Lead}
icon: user-plus
title: "{{ record.first_name }} {{ record.last_name }}"
owner: true
fields:
  first_name:   {type: text, required: true, max: 80, personal: identity}
  last_name:    {type: text, required: true, max: 80, personal: identity}
  email:        {type: email, personal: contact, unique: owner}
  phone:        {type: phone, personal: contact}
  city:         {type: text, personal: contact}
  country:      {type: country, required: true, default: FR}
  birth_date:   {type: date, personal: identity}
  source:       {type: choice, options: {site: {fr: Site, en: Web site}, direct: {fr: Direct, en: Direct}}}
  interests:    {type: choices, options: {home: {fr: Maison, en: Home}, beauty: {fr: Beauté, en: Beauty}}}
  income_goal:  {type: money, personal: economic}
  rating:       {type: decimal, scale: 4}
  newsletter:   {type: boolean, default: false}
  next_call_at: {type: datetime, index: true}
  pause:        {type: duration}
  calls:        {type: integer, default: 0}
  company:      {type: reference, to: company, on_delete: clear}
  hot:          {type: boolean, compute: "=record.calls > 2 && has(record.next_call_at)"}
search: [first_name, last_name, email]
privacy: {purpose: {fr: Prospection, en: Prospecting}, basis: consent}
retention: {after: =settings.lead_retention, since: last_activity_at, then: erase}
""",
    "recruiting.yaml": """
process: recruiting
entity: lead
label: {fr: Recrutement, en: Recruiting}
states:
  new:       {label: {fr: Nouveau, en: New}, initial: true, colour: blue}
  contacted: {label: {fr: Contacté, en: Contacted}, colour: amber}
  signed:    {label: {fr: Inscrit, en: Signed up}, final: true, colour: green}
  lost:      {label: {fr: Perdu, en: Lost}, colour: grey}
transitions:
  call:
    label: {fr: J'ai appelé, en: Called}
    from: [new, contacted]
    to: contacted
    by: [distributor]
    guard: has(record.phone)
    message: {fr: Il manque un téléphone., en: A phone number is missing.}
    form:
      comment: {type: long_text, label: {fr: Commentaire, en: Comment}}
      next_call_at: {field: next_call_at, required: true}
    set: {calls: =record.calls + 1}
    undo: 10m
  sign: {from: contacted, to: signed, by: [distributor], label: {fr: Inscrire, en: Sign up}}
  lose: {from: any, to: lost, by: [distributor], label: {fr: Perdu, en: Lost}}
  revive: {from: lost, to: contacted, by: [distributor], label: {fr: Reprendre, en: Revive}}
""",
    "levels.yaml": """
level: distributor
label: {fr: Distributeur, en: Distributor}
functions: [consult, communicate, analyse]
entities:
  company: {read: all, create: true, update: all, delete: none}
  member: {read: downline, create: false, update: mine, delete: none}
  lead:
    read: mine
    create: true
    update: mine
    delete: mine
    fields: {income_goal: {read: mine, write: none}}
---
level: assistant
label: {fr: Assistante, en: Assistant}
functions: [consult]
entities:
  lead:
    read: record.country == "FR"
    update: none
    delete: none
    fields: {phone: {read: none, write: none}}
""",
    "automations.yaml": """
automation: welcome
label: {fr: Message de bienvenue, en: Welcome message}
when: {entered: recruiting.contacted}
if: has(record.email)
do:
  - email: {template: welcome, to: =record.email, from: owner}
---
template: welcome
channel: email
about: lead
subject: {fr: "Bonjour {{ record.first_name }}", en: "Hello {{ record.first_name }}"}
body:
  fr: "Bonjour **{{ record.first_name }}**, à bientôt. {{ member.name }}"
  en: "Hello **{{ record.first_name }}**, see you soon. {{ member.name }}"
""",
}
"""A network with an owned entity of nearly every type of field, a process, two levels and an automation."""


def changed(files: Mapping[str, str], **documents: str) -> dict[str, str]:
    """Return the files with some replaced or added: `lead="entity: lead …"` is `lead.yaml`."""
    return {**files, **{f"{name}.yaml": text for name, text in documents.items()}}


def edited(files: Mapping[str, str], *edits: tuple[str, str]) -> dict[str, str]:
    """Return the files with texts replaced, each of which stands in exactly one place of the pack."""
    result = dict(files)
    for old, new in edits:
        holders = [name for name, text in result.items() for _ in range(text.count(old))]
        assert len(holders) == 1, f"{old!r} stands {len(holders)} times in the pack"
        result[holders[0]] = result[holders[0]].replace(old, new)
    return result


STRICTER = edited(
    SMALL, ("  lost:      {label", "  asleep:    {label: {fr: Endormi, en: Asleep}}\n  lost:      {label")
)
"""Every file is understood, and a rule of the whole network forbids it: nothing leads to a state."""


def counting_ids(prefix: str = "00000000-0000-7000-8000", *, after: int = 0) -> Callable[[], str]:
    """Return a source of ids that count from 1: `00000000-0000-7000-8000-000000000001`; `after` so many, from there."""
    numbers: Iterator[int] = count(after + 1)
    return lambda: f"{prefix}-{next(numbers):012d}"
