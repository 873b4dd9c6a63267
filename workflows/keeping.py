"""What a plan changes in how long records are kept: how many are due at once, and what is announced anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from definitions.problems import DefinitionError, Problem
from definitions.spec.network import Network
from models.message import say
from models.plan import Plan
from models.renames import renames, reverse
from models.settings import load_settings
from workflows import announcing
from workflows.terms import Term, count, terms_of
from workflows.unit import Unit

Change = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class RetentionChange:
    """An entity whose records are kept for another time: how many of them are due by it already.

    `at_most`: it depends on what the tables have only afterwards which of these are kept all the same. `held`: they are
    announced first, and stay for the time of the warning.
    """

    entity: str
    change: Change
    due: int = 0
    at_most: bool = False
    held: bool = True


async def changes(unit: Unit, plan: Plan) -> list[RetentionChange]:
    """Return what a plan changes; asked before it is carried out, over the tables as they are (`unit`'s)."""
    found = []
    for name, was, now in await _differing(unit, plan):
        if now is None:
            found.append(RetentionChange(name, "removed"))
            continue
        counted, exact = await _due(unit, plan, now)
        change: Change = "added" if was is None else "changed"
        found.append(RetentionChange(name, change, counted, not exact, now.warn is not None))
    return found


def refused(found: Sequence[RetentionChange], network: Network) -> Iterator[Problem]:
    """Yield a problem for each entity of which records would be erased at once, without anybody being told before."""
    for one in found:
        if one.due and not one.held:
            sentence = say(
                "{n} records of {entity} would be erased at once, unannounced.", n=one.due, entity=one.entity
            )
            hint = say("Add 'warn: 14d' to its retention, or allow the loss.")
            yield Problem("plan.erases", network.entities[one.entity].place, sentence, hint)


async def settle(unit: Unit, plan: Plan, *, allow_loss: bool) -> None:
    """Have everything announced anew that is kept for another time from now on, in the transaction of a publication.

    `DefinitionError` where records would be erased unannounced, unless the loss is allowed.
    """
    found = []
    for name, _, now in await _differing(unit, plan):
        await _forget(unit, '"entity" = ?', [name])
        if now is not None and now.warn is None and not allow_loss:
            found.append(RetentionChange(name, "changed", await count(unit, now, unit.context), held=False))
    problems = tuple(refused(found, plan.new))
    if problems:
        raise DefinitionError(problems)
    names = list(plan.new.entities)
    await _forget(unit, f'"entity" NOT IN ({", ".join("?" * len(names))})', names)


async def _forget(unit: Unit, which: str, values: Sequence[str]) -> None:
    """Forget notes, and take back what was told of them."""
    of_these = f'FROM "_retention" WHERE {which}'
    found = await unit.tx.rows(f'SELECT DISTINCT "told" {of_these} AND "told" IS NOT NULL', values)
    await unit.tx.run(f"DELETE {of_these}", values)
    for (told,) in found:
        await announcing.call_off(unit, told)


async def _differing(unit: Unit, plan: Plan) -> list[tuple[str, Term | None, Term | None]]:
    """Return the entities of the new version whose terms are others than before, with both."""
    if plan.old is None:
        return []
    old, new = await _terms(unit, plan.old), await _terms(unit, plan.new)
    named = renames(plan)
    back, found = reverse(named.entities), []
    for name in plan.new.entities:
        origin = back.get(name, name)
        was, now = old.get(origin), new.get(name)
        if was is not None:
            was = replace(was, entity=name, since=named.field(origin, was.since))
        if not _same(was, now):
            found.append((name, was, now))
    return found


async def _terms(unit: Unit, network: Network) -> Mapping[str, Term]:
    names = await unit.records.system.names_for()
    return terms_of(network, {**names, "settings": await load_settings(unit.tx, network)}, unit.context)


def _same(was: Term | None, now: Term | None) -> bool:
    if was is None or now is None:
        return was is now
    return replace(was, unless=None) == replace(now, unless=None) and _kept_alike(was, now)


def _kept_alike(was: Term, now: Term) -> bool:
    if was.unless is None or now.unless is None:
        return was.unless is now.unless
    return was.unless.text == now.unless.text


async def _due(unit: Unit, plan: Plan, term: Term) -> tuple[int, bool]:
    """Return how many records are due by a new term, as far as the tables of before can tell, and whether exactly."""
    named = renames(plan)
    origin = reverse(named.entities).get(term.entity, term.entity)
    entity = unit.network.entities.get(origin)
    since = reverse(named.fields.get(origin, {})).get(term.since, term.since)
    if entity is None or (since not in entity.fields and since not in unit.published.tables[origin].columns):
        return 0, True  # there are none, or nothing says since when
    columns = unit.published.tables[origin].columns
    reads = frozenset() if term.unless is None else term.unless.reads
    exact = all(path[0] != "record" or (len(path) == 2 and path[1] in columns) for path in reads)
    was = replace(term, entity=origin, since=since, unless=term.unless if exact else None)
    return await count(unit, was, unit.context), exact
