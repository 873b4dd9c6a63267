"""Steps that others must agree to, as cards: who asks for what, with which answers, and what the visitor can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from admin.parts.columns import field_column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, reference_id, write
from admin.visit import Visit
from definitions.spec.process import FormField
from workflows import granting
from workflows.granting import Waiting
from workflows.stored import read_answers
from workflows.unit import Unit


@dataclass(frozen=True, slots=True)
class Card:
    """A request: `answers` are those of its form, in words; `refused` says why the visitor does not decide.

    `href` is the record, `address` what decisions are sent to.
    """

    title: str
    href: str
    address: str
    step: str
    who: str
    when: str
    answers: tuple[tuple[str, str], ...]
    granted: int
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
    form = transition.form if transition else {}
    values = read_answers({name: question.field for name, question in form.items()}, asked.form, visit.tenant.safe)
    told = {
        name: value
        for name, value in values.items()
        if form[name].edits is None or form[name].edits not in record.hidden
    }
    titles = await _titles(unit, form, told)
    written = (
        (name, write(field_column(reader, form[name].field), value, reader, titles)) for name, value in told.items()
    )
    return Card(
        title=record.title,
        href=visit.url("e", asked.entity, asked.record),
        address=visit.url("approvals", asked.id),
        step=reader.words(transition.label) if transition else asked.transition,
        who=waiting.member_name,
        when=visit.formats.datetime(waiting.at),
        answers=tuple((reader.words(form[name].field.label), text) for name, text in written if text),
        granted=waiting.granted,
        quorum=waiting.quorum,
        decides=waiting.refused is None,
        refused="" if waiting.refused is None else reader.words(waiting.refused),
        mine=waiting.mine,
    )


async def _titles(unit: Unit, form: Mapping[str, FormField], values: Mapping[str, object]) -> Titles:
    """Return the titles of what the answers name."""
    found: dict[str, dict[str, str]] = {}
    for name, value in values.items():
        to = form[name].field.to
        if to is not None and value is not None:
            found.setdefault(to, {}).update(await unit.records.labels(to, [reference_id(value)]))
    return found
