"""What can be done next with a record: its moves as buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from admin.parts.steps import forward
from admin.parts.subject import Subject
from admin.unmet import Condition, conditions
from models.record import Record
from workflows.commands import Offer


@dataclass(frozen=True, slots=True)
class Step:
    """A move as a button; it `asks` in a dialog; refused, it gives the `reason` and its guard's `conditions`.

    `asked`: it waits for others to agree, of whom `agreed` have.
    """

    label: str
    href: str
    kind: Literal["p", "", "g d"]
    asks: bool
    allowed: bool
    reason: str
    conditions: tuple[Condition, ...] = ()
    asked: bool = False
    agreed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Next:
    """The moves of one process."""

    label: str
    steps: tuple[Step, ...]


def next_steps(about: Subject, record: Record, offers: Sequence[Offer]) -> tuple[Next, ...]:
    """Return the moves by process: those forward first, one of all primary; then the ways out; the refused last."""
    found = []
    primary = True
    for name in about.entity.processes:
        process = about.visit.network.processes[name]
        on_way = forward(process)
        mine = [offer for offer in offers if offer.process == name and not offer.transition.auto]
        mine.sort(key=lambda offer: (offer.asked is None and not offer.allowed, offer.transition.target not in on_way))
        made = []
        for offer in mine:
            on = offer.transition.target in on_way
            bad = not on and process.states[offer.transition.target].colour in ("grey", "red")
            kind: Literal["p", "", "g d"] = "p" if on and offer.allowed and primary else "g d" if bad else ""
            primary = primary and kind != "p"
            made.append(_step(about, record, offer, kind))
        if made:
            found.append(Next(about.reader.words(process.label), tuple(made)))
    return tuple(found)


def _step(about: Subject, record: Record, offer: Offer, kind: Literal["p", "", "g d"]) -> Step:
    return Step(
        label=about.reader.words(offer.transition.label),
        href=about.url(record.id, "move", offer.process, offer.transition.name),
        kind=kind,
        asks=bool(offer.form or offer.transition.confirm),
        allowed=offer.allowed,
        reason=about.reader.words(offer.reason) if offer.reason else "",
        conditions=conditions(about.reader, offer.transition, offer.parts),
        asked=offer.asked is not None,
        agreed=offer.asked.agreed if offer.asked else (),
    )
