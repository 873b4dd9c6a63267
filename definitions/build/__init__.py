"""From documents to the frozen types of the network, every name and expression checked on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from definitions.build.access import build_levels, build_terms, level_labels
from definitions.build.automations import build_automations
from definitions.build.demo import build_demo
from definitions.build.draft import Draft
from definitions.build.entities import build_entities, declare_entities
from definitions.build.index import Index
from definitions.build.networks import build_network
from definitions.build.notes import Notes
from definitions.build.processes import build_processes, declare_states
from definitions.build.screens import build_homes, build_screens
from definitions.build.statistics import build_statistics
from definitions.build.templates import build_templates
from definitions.documents import Sources
from definitions.problems import Problem
from definitions.spec.network import Network


@dataclass(frozen=True, slots=True)
class Built:
    """A network as far as it could be built, and what was found on the way.

    `damaged` names the definitions (kind, name) with holes, `used` those that another one names.
    """

    network: Network | None
    problems: tuple[Problem, ...]
    damaged: frozenset[tuple[str, str]]
    used: frozenset[tuple[str, str]]
    notes: Notes


def build(sources: Sources) -> Built:
    """Build everything that the documents define; one that is broken is left out."""
    draft = Draft(Index(sources))
    network = build_network(draft)
    declare_states(draft)
    declare_entities(draft, level_labels(draft))
    entities = build_entities(draft)
    parts = {
        "entities": entities,
        "processes": build_processes(draft),
        "templates": build_templates(draft),
        "automations": build_automations(draft),
        "levels": build_levels(draft),
        "terms": build_terms(draft),
        "statistics": build_statistics(draft),
        "screens": build_screens(draft, entities),
        "homes": build_homes(draft),
        "demo": build_demo(draft),
    }
    whole = None if network is None else replace(network, **parts)  # type: ignore[arg-type] # one mapping a kind
    draft.notes.records = draft.index.declared.records
    damaged = {(s.kind, s.name) for each in sources.values() for s in each.values() if s.damaged}
    return Built(whole, tuple(draft.problems), frozenset(damaged), frozenset(draft.used), draft.notes)
