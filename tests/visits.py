"""A pack of one process, `care` of a visit, whose states are what a test is about."""

from __future__ import annotations

from definitions.pack import load
from definitions.spec.process import Process

HEAD = """
network: office
languages: [en]
---
entity: visit
fields: {name: {type: text}}
search: [name]
---
level: guest
entities:
  visit: {read: all, create: true, update: all}
---
process: care
entity: visit
"""


def care(text: str) -> Process:
    """Return the process with these states and transitions, as YAML."""
    found = load({"pack.yaml": HEAD + text})
    assert found.network is not None, found.problems
    return found.network.processes["care"]
