"""A small office to build on, and how to build it."""

from __future__ import annotations

from definitions.pack import load
from definitions.problems import Problem
from definitions.spec.network import Network

OFFICE = """
network: office
languages: [en]
settings:
  keep: {type: duration, value: 6 months}
---
entity: company
fields:
  name: {type: text, required: true}
---
entity: lead
owner: true
title: "{{ record.name }}"
fields:
  name: {type: text, required: true}
  email: {type: email}
  calls: {type: integer, default: 0}
  budget: {type: money}
  source: {type: choice, options: {site: Site, direct: Direct contact}}
  tags: {type: choices, options: {warm: Warm, cold: Cold}}
  next_call_at: {type: datetime}
  company: {type: reference, to: company}
retention: {after: =settings.keep}
---
process: recruiting
entity: lead
states:
  new: {initial: true}
  contacted: {}
  signed: {final: true}
transitions:
  call:
    from: new
    to: contacted
    form:
      comment: {type: long_text}
      when: {field: next_call_at, required: true, label: When, help: The next call}
    set: {calls: =record.calls + 1}
  sign: {from: any, to: signed}
---
level: agent
entities:
  company: {read: all}
  lead: {read: mine, create: true, update: mine}
"""


def problems(text: str) -> list[Problem]:
    """Return what is wrong with the office and the documents in `text`; definitions that nothing uses aside."""
    found = load({"office.yaml": OFFICE, "more.yaml": text}).problems
    return [problem for problem in found if not problem.code.endswith(".unused")]


def codes(text: str) -> list[str]:
    """Return the codes of `problems`."""
    return [problem.code for problem in problems(text)]


def built(text: str = "") -> Network:
    """Return the office with the documents in `text`, which must be right."""
    assert problems(text) == []
    network = load({"office.yaml": OFFICE, "more.yaml": text}).network
    assert network is not None
    return network
