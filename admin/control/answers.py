"""What an operation answers: a result, or a refusal with everything that is wrong. Both are plain JSON."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import structlog

from admin.i18n import spoken
from definitions.problems import DefinitionError, Place, Problem
from definitions.text import Text
from models.archive import ArchiveError
from models.errors import InvalidError, RequestError
from models.message import Message, say
from models.store import StoreBusyError, StoreError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an operation was not done: a sentence, and the problems of the definitions or of the values."""

    message: str
    problems: tuple[Problem, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    between: tuple[Mapping[str, Any], ...] = ()


class RefusedError(Exception):
    """An operation was refused; nothing was changed."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep why."""
        self.refusal = refusal
        super().__init__(refusal.message)


EXPECTED = (RefusedError, DefinitionError, RequestError, StoreError, ArchiveError, OSError, sqlite3.Error)
"""What an operation raises when it refuses; anything else is a mistake of ours."""
UNPUBLISHED = say("Nothing is published yet.")

log = structlog.get_logger(__name__)


def refusal(error: Exception) -> Refusal:
    """Return the refusal that an error is."""
    match error:
        case RefusedError(refusal=found):
            return found
        case DefinitionError(problems=problems):
            return Refusal(say("The definitions cannot be published: nothing was changed."), problems)
        case InvalidError(fields=wrong):
            return Refusal(say("Some values do not fit."), values={name: text(said) for name, said in wrong.items()})
        case RequestError(message=said):
            return Refusal(said if isinstance(said, Message) else text(said))
        case StoreBusyError():
            return Refusal(
                say("{reason} Is a server running over this folder that does not answer here?", reason=sentence(error))
            )
        case sqlite3.Error():
            return Refusal(say("The database cannot be used: {reason}.", reason=error))
        case _:
            return Refusal(sentence(error))


def sentence(error: Exception) -> str:
    """Return what an error says: one of our sentences, where it was raised with one."""
    said = error.args[0] if len(error.args) == 1 else ""
    return said if isinstance(said, Message) else str(error)


def why(error: Exception, network: str) -> str:
    """Return why something was not done with one network of several; what nobody expects is in the log too."""
    if isinstance(error, EXPECTED):
        return text(refusal(error).message)
    log.error("a network cannot be used", network=network, exc_info=error)
    return spoken(say("The server failed: {reason}", reason=f"{type(error).__name__}: {error}"))


def text(said: Message | Text | str) -> str:
    """Return a sentence in the language that is spoken at the terminal."""
    return spoken(said) if isinstance(said, Message | Text) else said


def plain(value: Any) -> Any:  # noqa: C901 - a case a kind of value
    """Return what an operation found as JSON has it."""
    match value:
        case Message() | Text():
            return text(value)
        case None | bool() | int() | float() | str():
            return value
        case Problem():
            return as_problem(value)
        case date() | datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): plain(one) for name, one in value.items()}
        case list() | tuple() | Set():
            return [plain(one) for one in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case Path():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not for an answer")


def as_problem(problem: Problem) -> dict[str, Any]:
    """Return a problem in the form that the language fixes."""
    place = problem.place
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "message": text(problem.message),
        "hint": text(problem.hint),
    }


def read_problem(said: Mapping[str, Any]) -> Problem:
    """Return the problem of that form."""
    place = Place(said["file"], said["line"], said["column"])
    return Problem(said["code"], place, said["message"], said["hint"], said["severity"])


def read_refusal(said: Mapping[str, Any]) -> Refusal:
    """Return the refusal that came over the door."""
    return Refusal(said["message"], tuple(map(read_problem, said["problems"])), said["values"], tuple(said["between"]))
