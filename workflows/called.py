"""What a run knows of the call of another system that it began with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from workflows.sealing import opened, sealed
from workflows.stored import moment, must_moment
from workflows.unit import Unit

PURPOSE = "call"
"""For what the texts of calls are sealed."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call: of which hook, the message's id, when it came, and its JSON as text."""

    hook: str
    id: str
    at: datetime
    body: str

    @property
    def names(self) -> Mapping[str, Any]:
        """What expressions call them: `webhook` with `name`, `id` and `at`, and `payload`."""
        return {"webhook": {"name": self.hook, "id": self.id, "at": self.at}, "payload": read_json(self.body)}

    @property
    def kept(self) -> list[Any]:
        """What is kept of it with the run."""
        return [self.hook, self.id, moment(self.at), self.body]


def read_kept(kept: Sequence[Any] | None) -> Called | None:
    """Return the call that was kept with a run, None for none."""
    return None if kept is None else Called(kept[0], kept[1], must_moment(kept[2]), kept[3])


def seal(unit: Unit, call: Called | None) -> Called | None:
    """Return a call as a run keeps it: what it says may be of an encrypted field."""
    return None if call is None else replace(call, body=sealed(unit, call.body, PURPOSE))


def unseal(unit: Unit, call: Called) -> Called:
    """Return a call that a run keeps, as it came."""
    return replace(call, body=opened(unit, call.body, PURPOSE))


def read_json(body: str) -> Any:
    """Return the values of a JSON text, numbers with a point exactly; `ValueError` for what is no JSON."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON.")
