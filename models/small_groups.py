"""Small groups of statistics: those with few people whose values the reader may not see are merged with others.

The rule: where what a statistic reads is hidden from its reader for one to four people of a group, the group is not
shown by itself. All such groups become one, and the smallest group with five or more such people joins it when together
they still have fewer than five; where there is none, all groups become one. So each figure, the sum of any of them,
and what is left of the whole without them, speaks of no such person or of at least five; a group that is merged alone
could be computed from the whole. What is hidden is in no figure anyhow: it counts as empty (`models.visible`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from definitions.expr import Expression, SqlTemplate, all_of, any_of
from definitions.spec.entity import Entity
from models.ddl import quoted
from models.references import target
from models.rules import ALWAYS, Path
from models.rules_sql import condition_sql
from models.sight import Sight
from models.visible import ROOT, VisibleColumns

FEWEST = 5
"""So many people whose values are hidden stand together, or none."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in a group: records (stays, for time), the sum, how many were summed, and people hidden."""

    group: tuple[Any, ...]
    count: int
    total: int | Decimal | None
    filled: int
    hidden: int = 0
    merged: bool = False


def merge(tallies: Sequence[Tally], *, apart: bool) -> list[Tally]:
    """Return the groups as they may be shown; `apart`: nobody is in two of them."""
    few = [each for each in tallies if 0 < each.hidden < FEWEST]
    rest = [each for each in tallies if not 0 < each.hidden < FEWEST]
    if not few:
        return rest
    if _people(few, apart=apart) < FEWEST:
        enough = sorted((each for each in rest if each.hidden), key=lambda each: (each.count, rest.index(each)))[:1]
        joining = enough or rest
        few += joining
        rest = [each for each in rest if each not in joining]
    return [*rest, _together(few, _people(few, apart=apart))]


def _people(tallies: Iterable[Tally], *, apart: bool) -> int:
    """Return how many people are hidden in groups, at least: who is in several may be in all of them."""
    hidden = [each.hidden for each in tallies]
    return sum(hidden) if apart else max(hidden)


def _together(tallies: Sequence[Tally], hidden: int) -> Tally:
    totals = [each.total for each in tallies if each.total is not None]
    return Tally(
        group=(None,) * len(tallies[0].group),
        count=sum(each.count for each in tallies),
        total=sum(totals) if totals else None,
        filled=sum(each.filled for each in tallies),
        hidden=hidden,
        merged=True,
    )


def is_person(entity: Entity) -> bool:
    """Whether a record of the entity stands for a person; else who owns it is the person that it tells of."""
    return not entity.owner or any(field.personal for field in entity.fields.values())


def hidden_people(sight: Sight, expressions: Iterable[Expression | None]) -> tuple[SqlTemplate, SqlTemplate] | None:
    """Return in which rows the reader may not see what expressions read, and who is hidden there; None for in none."""
    paths = {path[1:] for each in expressions if each for path in each.reads if path[0] == "record" and path[1:]}
    seen = [part for path in sorted(paths) for part in _seen(sight.visible, sight.entity, ROOT, path)]
    if not seen:
        return None
    whole = all_of(seen)
    raw = sight.visible.columns
    name = sight.entity.name
    identity = raw.value(name, ROOT, "id").text
    person = identity if is_person(sight.entity) else f"COALESCE({raw.value(name, ROOT, 'owner').text}, {identity})"
    return SqlTemplate(f"NOT COALESCE({whole.text}, FALSE)", whole.bind), SqlTemplate(person)


def _seen(visible: VisibleColumns, entity: Entity, alias: str, path: Path) -> list[SqlTemplate]:
    """Return what must hold for the value at the end of a path to be seen; nothing where it always is."""
    rule = visible.rule(entity.name, path[0], known=alias == ROOT)
    found = [] if rule == ALWAYS else [condition_sql(rule, entity.name, alias, visible.dialect, visible.columns)]
    to = target(entity, path[0])
    if to is None or path[1:] in {(), ("id",)}:
        return found
    below = f"{alias}_{path[0]}"
    deeper = _seen(visible, visible.rights.network.entities[to], below, path[1:])
    if not deeper:
        return found
    reference = visible.columns.value(entity.name, alias, path[0]).text
    inner = all_of(deeper)
    text = (
        f"EXISTS (SELECT 1 FROM {visible.table(to)} AS {quoted(below)} "  # noqa: S608 (names only)
        f'WHERE {quoted(below)}."id" = {reference} AND {inner.text})'
    )
    return [*found, any_of((SqlTemplate(f"{reference} IS NULL"), SqlTemplate(text, inner.bind)))]
