"""Who acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Narrow:
    """What a token leaves of its member's rights: these entities (None: all), and to read only if `reads_only`."""

    entities: frozenset[str] | None = None
    reads_only: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in member, the public, or the system (no rules apply to it).

    `member` is the member's record as expressions see it (`id`, `name`, `country`, `levels`, `_path`, …). A system
    actor that acts because of somebody carries that somebody as `member`; `run` is the automation's run it acts in.
    `through` is the id of the member who really acts, when it acts in the office of `member`, and `acting` the
    delegation that lets it (`models.delegations`). `entry` is what it came in with, as the audit names it:
    `session:<begin of its id>`, `token:<id>`, or `operator` at the command line. `narrow` is what a token leaves of
    its rights.
    """

    kind: Literal["member", "public", "system"]
    member: Mapping[str, Any] | None = None
    levels: tuple[str, ...] = ("public",)
    ip: str | None = None
    language: str = "fr"
    run: str | None = None
    through: str | None = None
    acting: str | None = None
    narrow: Narrow | None = None
    entry: str | None = None

    @property
    def id(self) -> str | None:
        """The member's id, None for the public and for the system on its own."""
        return None if self.member is None else str(self.member["id"])


SYSTEM = Actor("system", levels=())
PUBLIC = Actor("public")
