"""Records together with their lines: written in one go, and followed by what they are lines of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity
from definitions.spec.network import Network
from models import changes, computed, drafts, removal
from models.changes import same
from models.clauses import Deed
from models.drafts import Draft
from models.entitling import entitled
from models.errors import InvalidError, RequestError
from models.message import Message, say
from models.record import Change, LineChange, Record
from models.references import IN_ORDER
from models.refusals import refusal
from models.shape import POSITION
from models.statement import Statement
from models.validation import NO_SUCH_RECORD, Measure
from models.visible import ROOT

if TYPE_CHECKING:
    from models.records import Records

MOST = 1000
"""So many lines of a kind are written at once."""

Given = Mapping[str, Sequence[Mapping[str, Any]]]
"""Lines by what the parent calls them."""


def split(network: Network, entity: str, raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], Given]:
    """Return what was given for a record itself, and for its lines. `InvalidError` where those are no lines."""
    names = [name for name in network.lines(entity) if name in raw]
    if not names:
        return raw, {}
    wrong = {name: problem for name in names if (problem := _no_lines(raw[name])) is not None}
    if wrong:
        raise InvalidError(wrong)
    return {name: value for name, value in raw.items() if name not in names}, {name: raw[name] for name in names}


def _no_lines(given: Any) -> Message | None:
    if not isinstance(given, list | tuple) or not all(isinstance(item, Mapping) for item in given):
        return say("A list of lines is expected.")
    return say("At most {count} lines.", count=MOST) if len(given) > MOST else None


async def create(records: Records, entity: str, raw: Mapping[str, Any]) -> Record:
    """Insert a record with its lines; see `Records.create`. What is wrong with a line is `lines.0.amount`."""
    own, given = split(records.network, entity, raw)
    unsettled = computed.of_lines(records.network, entity) if given else frozenset()
    try:
        record = await changes.create(records, entity, own, unsettled)
    except InvalidError as error:
        raise InvalidError({**error.fields, **_problems(records, entity, given)}) from error
    if not given:
        return record
    await _begin(records, entity, record.id, given)
    values = await _recompute(records, entity, record.full, unsettled)
    return await changes.see(records, records.sight(entity), values)


def _problems(records: Records, entity: str, given: Given) -> dict[str, Message]:
    """Return what is wrong with the values of lines whose parent could not be written."""
    found: dict[str, Message] = {}
    for name, items in given.items():
        lines = records.network.lines(entity)[name]
        declared = records.sight(lines.name).declared
        for index, item in enumerate(items):
            own, _ = split(records.network, lines.name, item)
            cleaned = declared.clean({key: own[key] for key in own if key != "id"}, {})
            filled = [field for field, shape in lines.fields.items() if shape.required or field in cleaned.values]
            own = {**dict.fromkeys(lines.fields), **cleaned.values}
            wrong = declared.check(own, filled, Measure({"record": own}, records.context))
            found |= _at(name, _at(index, {**wrong, **cleaned.problems}))
    return found


def _at(name: str | int, problems: Mapping[str, Any]) -> dict[str, Any]:
    """Return problems by where they are in the record that they are a part of."""
    return {f"{name}.{field}": problem for field, problem in problems.items()}


async def _begin(records: Records, entity: str, parent: str, given: Given) -> None:
    """Insert the lines of a record that was just inserted; what is wrong is told of all of them."""
    problems: dict[str, Any] = {}
    for name, items in given.items():
        lines = records.network.lines(entity)[name]
        _, wrong = await _insert(records, lines, parent, list(enumerate(items)), "begin")
        problems |= _at(name, wrong)
    if problems:
        raise InvalidError(problems)


async def _insert(
    records: Records, lines: Entity, parent: str, items: Sequence[tuple[int, Mapping[str, Any]]], deed: Deed
) -> tuple[list[Record], dict[str, Any]]:
    """Insert lines at their places; return them, and what is wrong with others, by place and field."""
    sight = records.sight(lines.name)
    pairs = [split(records.network, lines.name, item) for _, item in items]
    found = await changes.fit(records, sight, [{**own, "parent": {"id": parent}} for own, _ in pairs], deed)
    fit = {index: each for (index, _), each in zip(items, found, strict=True) if isinstance(each, Draft)}
    for index, draft in fit.items():
        draft.values[POSITION] = index
    await changes.insert(records, list(fit.values()))
    problems: dict[str, Any] = {}
    for (index, _), (_, deeper), each in zip(items, pairs, found, strict=True):
        try:
            if isinstance(each, RequestError):
                raise each
            if deeper:
                await _begin(records, lines.name, each.values["id"], deeper)
                unsettled = computed.of_lines(records.network, lines.name)
                each.values.update(await _recompute(records, lines.name, each.values, unsettled))
        except InvalidError as error:
            problems |= _at(index, error.fields)
    return await changes.see_all(records, sight, [draft.values for draft in fit.values()]), problems


async def _recompute(
    records: Records, entity: str, full: Mapping[str, Any], unsettled: frozenset[str]
) -> dict[str, Any]:
    """Return all values of a record whose lines were inserted along with it, computed again and written.

    `InvalidError` when what was `unsettled` without them makes values necessary that are missing.
    """
    sight = records.system.sight(entity)
    found = await computed.compute(records, sight.entity, full)
    differing = {name: value for name, value in found.items() if not same(value, full.get(name))}
    values = {**full, **differing}
    wrong = await drafts.wrong(records, Draft(records.sight(entity), values, frozenset()), unsettled)
    if wrong:
        raise InvalidError(wrong)
    if differing:
        await changes.overwrite(records, sight, values, tuple(differing), full["version"])
    return values


async def update(records: Records, entity: str, record_id: str, version: int | None, raw: Mapping[str, Any]) -> Change:
    """Change a record and its lines; see `Records.update`."""
    own, given = split(records.network, entity, raw)
    if not given:
        return await changes.update(records, entity, record_id, version, raw)
    return await _rewrite(records, await changes.changeable(records, entity, record_id, version), own, given)


async def _rewrite(records: Records, before: Record, own: Mapping[str, Any], given: Given) -> Change:
    problems: dict[str, Any] = {}
    written: list[LineChange] = []
    for name, items in given.items():
        lines = records.network.lines(before.entity)[name]
        done, wrong = await _replace(records, before, lines, items)
        written += done
        problems |= _at(name, wrong)
    records.loader.forget()
    try:
        change = await changes.rewrite(records, before, own, touched=bool(written))
    except InvalidError as error:
        raise InvalidError({**error.fields, **problems}) from error
    if problems:
        raise InvalidError(problems)
    return replace(change, lines=tuple(written))


async def _replace(
    records: Records, parent: Record, lines: Entity, items: Sequence[Mapping[str, Any]]
) -> tuple[list[LineChange], dict[str, Any]]:
    """Make the lines that the actor sees those that are given, in their order; return what was done, and what is wrong.

    One with the `id` of a line changes it, one without is new, and a line that is not given goes.
    """
    name = lines.lines_as or ""
    present = {line.id: line for line in await below(records, lines, parent.id)}
    known = {str(item["id"]) for item in items if item.get("id")}
    done = [await _remove(records, line) for line in present.values() if line.id not in known]
    stays = [id for id in present if id in known] == [id for item in items if (id := str(item.get("id"))) in present]
    problems: dict[str, Any] = {}
    for index, item in enumerate(items):
        line = present.pop(str(item.get("id") or ""), None)
        if line is None:
            problems |= _at(index, {"id": NO_SUCH_RECORD}) if item.get("id") else {}
            continue
        try:
            change = await _change(records, line, item, index, moved=not stays)
        except InvalidError as error:
            problems |= _at(index, error.fields)
            continue
        if change.fields or change.lines:
            done.append(LineChange(name, change.before, change.after, change.fields, change.lines))
    new = [
        (index, {key: item[key] for key in item if key != "id"})
        for index, item in enumerate(items)
        if not item.get("id")
    ]
    made, wrong = await _insert(records, lines, parent.id, new, "create")
    return [*done, *(LineChange(name, None, line) for line in made)], {**problems, **wrong}


async def _remove(records: Records, line: Record) -> LineChange:
    deeper = [part.removed() for part in await parts(records.system, line.entity, line.id)]
    gone = await removal.delete(records, line.entity, line.id, line.version)
    return LineChange(records.network.entities[line.entity].lines_as or "", gone, None, lines=tuple(deeper))


async def parts(records: Records, entity: str, record_id: str) -> tuple[LineChange, ...]:
    """Return all lines of a record that are to be seen, and theirs, as if they were new."""
    return tuple(
        [
            LineChange(name, None, line, lines=await parts(records, lines.name, line.id))
            for name, lines in records.network.lines(entity).items()
            for line in await below(records, lines, record_id)
        ]
    )


async def _change(records: Records, line: Record, item: Mapping[str, Any], position: int, *, moved: bool) -> Change:
    """Change what differs in a line: whoever sends all lines sends what it may not change, too.

    Unless lines were `moved`, one that only stands elsewhere because others came or went is not changed by that.
    """
    own, given = split(records.network, line.entity, {key: item[key] for key in item if key != "id"})
    cleaned = records.sight(line.entity).declared.clean(own, line.full)
    differing = {
        key: own[key] for key in own if key in cleaned.problems or not same(cleaned.values[key], line.full[key])
    }
    if "update" not in line.may:
        if differing or given or (moved and line.full[POSITION] != position):
            raise refusal(records.rights, line.entity, "update")
        await changes.overwrite(
            records, records.sight(line.entity), {**line.full, POSITION: position}, (POSITION,), line.version
        )
        return Change(line, line, ())
    if given:
        return await _rewrite(records, line, differing, given)
    return await changes.rewrite(records, line, differing, also={POSITION: position})


async def below(records: Records, lines: Entity, parent: str) -> list[Record]:
    """Return the lines of a record that the actor may read, in their order."""
    sight = records.sight(lines.name)
    selection = sight.select()
    statement = Statement(await records.rule_names(), records.context).add("SELECT ", selection.template)
    statement.add(f' FROM {sight.table.quoted} AS "{ROOT}" WHERE "{ROOT}"."parent" = ').value(parent)
    statement.add(" AND ", sight.read, f" ORDER BY {IN_ORDER}")
    rows = await records.tx.rows(statement.text, statement.values)
    return await entitled(records, sight.from_rows(rows, selection))


async def settle(records: Records, line: Record) -> Change:
    """Have what a line is a line of follow a change of it: computed again, one version on, active where a person is."""
    system, parent = records.system, records.network.entities[line.entity].parent or ""
    before = await system.find(parent, line.full["parent"]["id"])
    active = {} if records.actor.kind == "system" else {"last_activity_at": records.context.now}
    return await changes.rewrite(system, before, {}, also=active, touched=True)
