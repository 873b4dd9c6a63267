"""Statistics."""

from __future__ import annotations

import re
from typing import cast

from definitions.build.draft import Draft, scalars, word
from definitions.build.member import MEMBER
from definitions.build.references import process_part
from definitions.documents import Source
from definitions.expr import BOOL, DECIMAL, DOUBLE, DURATION, INT, Expression, Type
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Scalar
from definitions.spec.screen import Chart, Measure, Statistic

_MEASURE = re.compile(r"\s*([a-z_]+)\s*\(\s*(.*?)\s*\)\s*", re.DOTALL)
_MEASURES = ("count", "sum", "average", "share", "time_in")
_OF: dict[str, tuple[Type, ...]] = {
    "sum": (INT, DECIMAL, DOUBLE, DURATION),
    "average": (INT, DECIMAL, DOUBLE, DURATION),
    "share": (BOOL,),
}


def build_statistics(draft: Draft) -> dict[str, Statistic]:
    """Return every statistic that can be built."""
    return draft.each("statistic", _statistic)


def _statistic(draft: Draft, source: Source, node: Mapping) -> Statistic | None:
    about, written = node.get("entity"), node.get("measure")
    if not isinstance(about, Scalar) or not draft.known("entity", about, extra=[MEMBER]):
        return None
    if not isinstance(written, Scalar):
        return None
    entity = about.text
    names = draft.base({"record": draft.record_type(entity)})
    measure, argument, offset = _measure(draft, written)
    of: Expression | None = None
    time_in: tuple[str, str] | None = None
    if measure == "time_in":
        place = Scalar(written.at(offset), argument, argument, raw=argument)
        found = process_part(draft, place, "states", entity)
        time_in = None if found is None else found[:2]
    elif measure in _OF:
        of = draft.expression(written, names, offset=offset, length=len(argument), expect=_OF[measure], query=True)
        if of is not None and of.type == BOOL:
            draft.settled(written, of, offset)
    by = (draft.expression(item, names, query=True) for item in scalars(node.get("by")))
    return Statistic(
        source.name,
        draft.text(node.get("label"), source.name),
        entity,
        cast("Measure", measure),
        source.place,
        of=of,
        time_in=time_in,
        where=draft.condition(node.get("where"), names, query=True),
        by=tuple(each for each in by if each is not None),
        chart=cast("Chart", word(node.get("chart")) or ("bar" if node.get("by") else "number")),
    )


def _measure(draft: Draft, node: Scalar) -> tuple[str, str, int]:
    """Return the measure's name, its argument and where that begins."""
    found = _MEASURE.fullmatch(node.text)
    name = found[1] if found else node.text
    hint = did_you_mean(name, _MEASURES)
    if found is None or name not in _MEASURES:
        draft.unfit(
            "statistic.measure",
            node.place,
            say("'{written}' is not a measure.", written=node.text),
            hint or say("count(), sum(record.x), …"),
        )
        return "count", "", 0
    if (name == "count") != (found[2] == ""):
        sentence = (
            say("count() counts records; it takes nothing.")
            if name == "count"
            else say("{name}(…) needs something in its brackets.", name=name)
        )
        draft.unfit(
            "statistic.measure",
            node.at(found.start(2)),
            sentence,
            say("share(condition) and 'where' count some of them."),
        )
        return "count", "", 0
    return name, found[2], found.start(2)
