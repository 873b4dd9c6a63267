"""Steps that others must agree to, as cards: who asks for what, with which answers, and what the visitor can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from admin.parts.columns import field_column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, reference_id, write
from admin.visit import Visit
from definitions.spec.process import FormField
from models.uploads import FILES
from workflows import granting
from workflows.granting import Waiting
from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, in words; `href` is where a file is found."""

    label: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A request: `answers` are those of its form, `agreed` names who has agreed; `refused` says why the visitor does
    not decide.

    `href` is the record, `address` what decisions are sent to.
    """

    title: str
    href: str
    address: str
    step: str
    who: str
    when: str
    answers: tuple[Answer, ...]
    agreed: tuple[str, ...]
    quorum: int
    decides: bool
    refused: str
    mine: bool


async def cards(visit: Visit, unit: Unit, found: Iterable[Waiting]) -> list[Card]:
    """Return requests as cards."""
    reader = Reader(visit.network, visit.formats)
    return [await _card(visit, reader, unit, each) for each in found]


async def to_decide(visit: Visit, unit: Unit) -> list[Card]:
    """Return what waits for the visitor."""
    return await cards(visit, unit, await granting.to_decide(unit))


async def _card(visit: Visit, reader: Reader, unit: Unit, waiting: Waiting) -> Card:
    asked, record = waiting.asked, waiting.record
    process = visit.network.processes.get(asked.process)
    transition = process.transitions.get(asked.transition) if process else None
    address = visit.url("approvals", asked.id)
    return Card(
        title=record.title,
        href=visit.url("e", asked.entity, asked.record),
        address=address,
        step=reader.words(transition.label) if transition else asked.transition,
        who=waiting.member_name,
        when=visit.formats.datetime(waiting.at),
        answers=await _answers(reader, unit, waiting, transition.form if transition else {}, address),
        agreed=waiting.agreed,
        quorum=waiting.quorum,
        decides=waiting.refused is None,
        refused="" if waiting.refused is None else reader.words(waiting.refused),
        mine=waiting.mine,
    )


async def _answers(
    reader: Reader, unit: Unit, waiting: Waiting, form: Mapping[str, FormField], address: str
) -> tuple[Answer, ...]:
    """Return the answers that the visitor is told, in words; files are found below `address`."""
    told = granting.answers_of(unit, waiting.asked, waiting.record)
    titles = await _titles(unit, form, told)
    found = []
    for name, value in told.items():
        field = form[name].field
        text = write(field_column(reader, field), value, reader, titles)
        href = f"{address}/files/{name}" if field.type in FILES and waiting.opens else ""
        if text:
            found.append(Answer(reader.words(field.label), text, href))
    return tuple(found)


async def _titles(unit: Unit, form: Mapping[str, FormField], values: Mapping[str, object]) -> Titles:
    """Return the titles of what the answers name."""
    found: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        to = form[name].field.to
        if to is not None and value is not None:
            found.setdefault(to, {}).update(await unit.records.labels(to, [reference_id(value)]))
    return found
