"""What can be done with many records at once: each deed does it to one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from definitions.spec.process import Transition
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.message import say
from models.refusals import refusal
from workflows import approvals, bulk_moves, changes, moves, tasks
from workflows.stored import read_moment
from workflows.undo import undo
from workflows.unit import Unit

Action = Literal["move", "assign", "delete", "task", "undo"]


Outcomes = Sequence[str | RequestError | None]
"""Of each record the history row that can be taken back, if there is one, or what it was refused with."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action. `refuse` (entity, what was asked) raises where no record can be meant; `do` (entity, id, what was
    asked) does it to one and returns the history row that can be taken back, if it can. `do_all` does it to many with
    few statements; it returns None where that is not possible.
    """

    refuse: Callable[[Unit, str, Mapping[str, Any]], None]
    do: Callable[[Unit, str, str, Mapping[str, Any]], Awaitable[str | None]]
    do_all: Callable[[Unit, str, Sequence[str], Mapping[str, Any]], Awaitable[Outcomes | None]] | None = None


def bulk_transition(unit: Unit, entity: str, process: str, name: str) -> Transition:
    """Return a transition that is meant for many records; `NotFoundError`, `RefusedError`."""
    processes = unit.network.entities[entity].processes
    found = unit.network.processes[process].transitions.get(name) if process in processes else None
    if found is None:
        raise NotFoundError
    if not found.bulk:
        raise RefusedError(say("This step is not meant for many records at once."))
    return found


def check(unit: Unit, entity: str, action: Action, asked: Mapping[str, Any]) -> None:
    """Refuse what cannot be done to any record."""
    if entity not in unit.network.entities or not unit.published.access.may(unit.actor, "read", entity):
        raise NotFoundError
    DEEDS[action].refuse(unit, entity, asked)


def _refuse_move(unit: Unit, entity: str, asked: Mapping[str, Any]) -> None:
    bulk_transition(unit, entity, asked["process"], asked["transition"])


async def _move(unit: Unit, entity: str, record: str, asked: Mapping[str, Any]) -> str | None:
    process, name = asked["process"], asked["transition"]
    if await approvals.is_open(unit, entity, record, process, name):
        held = await unit.records.get(entity, record)
        if process not in held.hidden and await unit.records.may_move(held, process, name):
            return None  # it stays asked for
    request = moves.Request(entity, record, asked["transition"], asked["process"], asked["form"])
    return (await moves.move(unit, request)).history


async def _move_all(unit: Unit, entity: str, ids: Sequence[str], asked: Mapping[str, Any]) -> Outcomes | None:
    return await bulk_moves.move_all(
        unit, bulk_moves.Asked(entity, asked["process"], asked["transition"], asked["form"]), ids
    )


def _refuse_assign(unit: Unit, entity: str, _: Mapping[str, Any]) -> None:
    if not unit.published.access.may_field(unit.actor, entity, "owner", "write"):
        raise RefusedError(say("You may not change this."))


async def _assign(unit: Unit, entity: str, record: str, asked: Mapping[str, Any]) -> None:
    await changes.update(unit, entity, record, None, {"owner": asked["owner"]})


def _refuse_delete(unit: Unit, entity: str, _: Mapping[str, Any]) -> None:
    if not unit.published.access.may(unit.actor, "delete", entity):
        raise refusal(unit.records.rights, entity, "delete")


async def _delete(unit: Unit, entity: str, record: str, _: Mapping[str, Any]) -> None:
    await changes.delete(unit, entity, record, None)


def _refuse_task(_: Unit, __: str, asked: Mapping[str, Any]) -> None:
    if not str(asked.get("title", "")).strip():
        raise InvalidError({"title": say("This is needed.")})


async def _task(unit: Unit, entity: str, record: str, asked: Mapping[str, Any]) -> None:
    await tasks.add(unit, asked["title"], (entity, record), None, read_moment(asked.get("due")))


def _refuse_nothing(_: Unit, __: str, ___: Mapping[str, Any]) -> None:
    """Let every record decide for itself."""


async def _undo(unit: Unit, entity: str, record: str, asked: Mapping[str, Any]) -> None:
    await undo(unit, asked["history"], (entity, record))


DEEDS: Mapping[Action, Deed] = {
    "move": Deed(_refuse_move, _move, _move_all),
    "assign": Deed(_refuse_assign, _assign),
    "delete": Deed(_refuse_delete, _delete),
    "task": Deed(_refuse_task, _task),
    "undo": Deed(_refuse_nothing, _undo),
}
