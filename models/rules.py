"""Conditions that rights are made of, and whether they hold for a record in hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from definitions.expr.expression import Context, Expression, Names
from definitions.problems import Place

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Always:
    """Every record."""


@dataclass(frozen=True, slots=True)
class Never:
    """No record."""


@dataclass(frozen=True, slots=True)
class Within:
    """Records of the actor (`mine`), of the actor and everybody below (`downline`), or of all who are `open`.

    `open` are the records of the actor, of nobody, and of every member that did not close the own data to the leader;
    to decide it in memory, `names["closed"]` has the ids of owners that did. `through` is `owner` for records that have
    one, `id` for members themselves.
    """

    reach: Literal["mine", "downline", "open"]
    through: Literal["owner", "id"]


@dataclass(frozen=True, slots=True)
class Holds:
    """Records for which an expression of the definitions is true."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Above:
    """Lines of records (of the entity `of`) for which the condition holds."""

    of: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Records that meet one of the conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Records that meet every condition."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """A condition and where it comes from: which level, the place in the pack, what it is about (for explanations)."""

    level: str
    place: Place
    condition: Condition
    about: str = ""


Condition = Always | Never | Within | Holds | Above | AnyOf | AllOf | Granted

ALWAYS = Always()
NEVER = Never()
OPEN = Within("open", "owner")
CLOSED: Path = ("closed",)
"""The name that `OPEN` asks for, as a path."""


def plain(condition: Condition) -> Condition:
    """Return the condition without its origins."""
    return plain(condition.condition) if isinstance(condition, Granted) else condition


def bare(condition: Condition) -> Condition:
    """Return the condition without any origin inside either: two that ask the same are equal."""
    match condition:
        case Granted(condition=inner):
            return bare(inner)
        case Above(of=of, condition=inner):
            return above(of, bare(inner))
        case AnyOf(conditions=parts):
            return any_of(dict.fromkeys(map(bare, parts)))
        case AllOf(conditions=parts):
            return all_of(dict.fromkeys(map(bare, parts)))
        case _:
            return condition


def above(parent: str, condition: Condition) -> Condition:
    """Return what holds for the lines of those records of `parent` for which the condition holds."""
    match condition:
        case Always() | Never():
            return condition
        case Granted(level=level, place=place, condition=inner, about=about):
            return Granted(level, place, above(parent, inner), about)
        case _:
            return Above(parent, condition)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Return what holds when one of them does, as short as can be."""
    given = tuple(_flat(conditions, AnyOf))
    for condition in given:
        if plain(condition) == ALWAYS:
            return condition
    kept = _without(given, {NEVER, *(_narrower(part) for part in given)})
    if not kept:
        return NEVER
    return kept[0] if len(kept) == 1 else AnyOf(kept)


def all_of(conditions: Iterable[Condition]) -> Condition:
    """Return what holds when all of them do, as short as can be."""
    given = tuple(_flat(conditions, AllOf))
    for condition in given:
        if plain(condition) == NEVER:
            return condition
    kept = _without(given, {ALWAYS, *(_wider(part) for part in given)})
    if not kept:
        return given[0] if given else ALWAYS
    return kept[0] if len(kept) == 1 else AllOf(kept)


def _flat(conditions: Iterable[Condition], kind: type[AnyOf | AllOf]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, kind):
            yield from condition.conditions
        else:
            yield condition


def _without(conditions: Iterable[Condition], dropped: Collection[Condition | None]) -> tuple[Condition, ...]:
    return tuple(dict.fromkeys(condition for condition in conditions if plain(condition) not in dropped))


def _narrower(condition: Condition) -> Condition | None:
    """Return what goes without saying beside the condition in an `AnyOf`: own records are in the own downline."""
    found = plain(condition)
    return Within("mine", found.through) if isinstance(found, Within) and found.reach == "downline" else None


def _wider(condition: Condition) -> Condition | None:
    """Return what goes without saying beside the condition in an `AllOf`."""
    found = plain(condition)
    return Within("downline", found.through) if isinstance(found, Within) and found.reach == "mine" else None


def holds(condition: Condition, names: Names, context: Context) -> bool:  # noqa: C901 - one line a kind
    """Whether the condition holds for `names["record"]` and `names["actor"]`.

    The references that `reads` names must have been loaded into the record.
    """
    match condition:
        case Always():
            return True
        case Never():
            return False
        case Granted(condition=inner):
            return holds(inner, names, context)
        case AnyOf(conditions=parts):
            return any(holds(part, names, context) for part in parts)
        case AllOf(conditions=parts):
            return all(holds(part, names, context) for part in parts)
        case Within():
            return _within(condition, names)
        case Holds(expression=expression):
            return expression.evaluate(names, context) is True
        case Above(condition=inner):
            parent = names["record"].get("parent")
            return parent is not None and holds(inner, {**names, "record": parent}, context)
        case _:
            assert_never(condition)


def _within(condition: Within, names: Names) -> bool:
    record, actor = names["record"], names["actor"]
    member = record.get("owner") if condition.through == "owner" else record
    if member is None or actor is None:
        return condition.reach == "open"
    if condition.reach != "downline":
        return bool(member["id"] == actor["id"]) or (condition.reach == "open" and member["id"] not in names["closed"])
    above, path = actor.get("_path"), member.get("_path")
    return bool(above) and path is not None and str(path).startswith(str(above))


def reads(condition: Condition, prefix: Path = ("record",)) -> Iterator[Path]:  # noqa: C901 - one line a kind
    """Yield the paths that `holds` follows from the names in scope."""
    match condition:
        case Always() | Never():
            return
        case Granted(condition=inner):
            yield from reads(inner, prefix)
        case AnyOf(conditions=parts) | AllOf(conditions=parts):
            for part in parts:
                yield from reads(part, prefix)
        case Above(condition=inner):
            yield from reads(inner, (*prefix, "parent"))
        case Within(reach=reach, through=through):
            way = (*prefix, "owner") if through == "owner" else prefix
            yield (*way, "_path" if reach == "downline" else "id")
            yield from (CLOSED,) if reach == "open" else ()
        case Holds(expression=expression):
            for path in expression.reads:
                yield (*prefix, *path[1:]) if path[0] == "record" else path
        case _:
            assert_never(condition)
