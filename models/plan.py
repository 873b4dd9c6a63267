"""What has to change in a store so that it holds what new definitions describe."""

from __future__ import annotations

from dataclasses import dataclass

from definitions.problems import Problem
from definitions.spec.network import Network
from models.shape import TableShape, shapes


@dataclass(frozen=True, slots=True)
class AddTable:
    """A new entity."""

    shape: TableShape


Step = AddTable


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from old definitions to new ones, and what forbids them."""

    new: Network
    steps: tuple[Step, ...]
    refusals: tuple[Problem, ...] = ()


def plan(old: Network | None, new: Network) -> Plan:
    """Return the steps that make the tables of `old` (None: there are none) those of `new`."""
    before = shapes(old) if old is not None else {}
    after = shapes(new)
    return Plan(new, tuple(AddTable(shape) for name, shape in after.items() if name not in before))
