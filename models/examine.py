"""What in the data forbids a plan: looked for before anything is changed, all of it at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from definitions.message import both, say
from definitions.problems import Place, Problem
from definitions.spec.entity import Field
from models.columns import state_codec
from models.ddl import listed, quoted
from models.plan import AddTable, ChangeTable, DropTable, Plan
from models.recast import Recast
from models.sealed import Safe
from models.shape import ColumnShape, IndexShape
from models.tx import Dialect, SqlValue, Tx

HOLDS: Mapping[Dialect, str] = {
    "sqlite": "EXISTS (SELECT 1 FROM json_each({}) WHERE json_each.value = ?)",
    "postgres": "CAST({} AS jsonb) @> to_jsonb(CAST(? AS text))",
}
"""Whether a stored list has a value."""

ALLOW = say("Apply it with leave to lose data if that is meant.")


async def examine(tx: Tx, plan: Plan, *, allow_loss: bool = False, safe: Safe | None = None) -> list[Problem]:
    """Return what forbids the plan: data that would be lost (unless `allow_loss`), records that would fit nowhere."""
    found: list[Problem] = []
    for step in plan.steps:
        match step:
            case AddTable():
                continue
            case DropTable():
                found += [] if allow_loss else [problem async for problem in _dropped_table(tx, plan, step)]
            case ChangeTable():
                found += [problem async for problem in _misfits(tx, step)]
                found += [problem async for problem in _orphans(tx, plan, step)]
                found += [] if allow_loss else [problem async for problem in _losses(tx, plan, step, safe or Safe())]
                found += [] if allow_loss else [problem async for problem in _parted(tx, step)]
    return sorted(found, key=lambda problem: (problem.place, problem.code, problem.message))


async def _count(tx: Tx, table: str, condition: str = "TRUE", values: Sequence[SqlValue] = ()) -> int:
    sql = f"SELECT count(*) FROM {quoted(table)} WHERE {condition}"  # noqa: S608 - quoted names, values bound
    row = await tx.row(sql, values)
    return int(row[0]) if row is not None else 0


async def _dropped_table(tx: Tx, plan: Plan, step: DropTable) -> AsyncIterator[Problem]:
    count = await _count(tx, step.shape.name)
    if count:
        message = say("The entity '{name}' goes, and {count} with it.", name=step.shape.name, count=_many(count))
        yield Problem(
            "plan.loses_records", plan.new.place, message, say("A rename is said with 'was'. {allow}", allow=ALLOW)
        )


async def _losses(tx: Tx, plan: Plan, step: ChangeTable, safe: Safe) -> AsyncIterator[Problem]:
    table, place = step.old.name, step.new.entity.place
    for column in step.dropped:
        count = await _count(tx, table, f"{quoted(column.name)} IS NOT NULL")
        if count and _has_values_of_its_own(column, step):
            message = say(
                "'{table}.{name}' goes, and its value in {count} with it.",
                table=table,
                name=column.name,
                count=_many(count),
            )
            yield Problem("plan.loses_values", place, message, say("A rename is said with 'was'. {allow}", allow=ALLOW))
    for name, moves in step.options.items():
        for option, target in moves.items():
            count = 0 if target is not None else await _holding(tx, step, name, option)
            if count:
                message = say(
                    "The option '{option}' of '{table}.{name}' goes, and {count} have it.",
                    option=option,
                    table=table,
                    name=name,
                    count=_many(count),
                )
                hint = say(
                    "Say 'was: {option}' on the option that takes its place. {allow}", option=option, allow=ALLOW
                )
                yield Problem("plan.loses_option", step.new.entity.fields[name].place, message, hint)
    for name in sorted(step.retyped):
        count = await _uncastable(tx, step, name, ZoneInfo(plan.new.timezone), safe)
        now = step.new.entity.fields[name]
        if count:
            message = say(
                "'{table}.{name}' becomes {type}, and the values of {count} do not fit that.",
                table=table,
                name=name,
                type=now.type,
                count=_many(count),
            )
            yield Problem("plan.loses_values", now.place, message, ALLOW)


async def _parted(tx: Tx, step: ChangeTable) -> AsyncIterator[Problem]:
    """Yield the states that records are in side by side, and that do not go together any more."""
    for process, placed in step.states.items():
        column = quoted(step.sources[process])
        rows = await tx.rows(f"SELECT {column}, count(*) FROM {quoted(step.old.name)} GROUP BY 1")  # noqa: S608 - quoted names
        for stored, count in rows:
            lost = placed.loses(state_codec(placed.was).decoded(stored))
            if lost:
                message = say(
                    "Of the states of {count} in '{process}', {states} would be lost.",
                    count=_many(count),
                    process=process,
                    states=both(f"'{name}'" for name in lost),
                )
                yield Problem("plan.loses_states", placed.now.place, message, ALLOW)


def _has_values_of_its_own(column: ColumnShape, step: ChangeTable) -> bool:
    if column.kind == "field":
        return step.old.entity.fields[column.source].compute is None
    return column.kind in ("state", "owner", "parent")


async def _holding(tx: Tx, step: ChangeTable, name: str, option: str) -> int:
    """Count the records whose choice is, or whose choices have, an option."""
    column = quoted(step.sources[name])
    if step.old.entity.fields[step.sources[name]].type == "choices":
        condition = HOLDS[tx.dialect].format(column)
    else:
        condition = f"{column} = ?"
    return await _count(tx, step.old.name, condition, [option])


async def _uncastable(tx: Tx, step: ChangeTable, name: str, timezone: ZoneInfo, safe: Safe) -> int:
    source = step.sources[name]
    recast = Recast(step.old.entity.fields[source], step.new.entity.fields[name], timezone, tx.dialect)
    column = quoted(source)
    if recast.was.encrypted or recast.now.encrypted:
        rows = await tx.rows(f'SELECT "id", {column} FROM {quoted(step.old.name)} WHERE {column} IS NOT NULL')  # noqa: S608 - quoted names
        return sum(not recast.value_of(safe, *row)[1] for row in rows)
    sql = f"SELECT {column}, count(*) FROM {quoted(step.old.name)} WHERE {column} IS NOT NULL GROUP BY 1"  # noqa: S608 - quoted names
    return sum(count for stored, count in await tx.rows(sql) if not recast(stored)[1])


async def _orphans(tx: Tx, plan: Plan, step: ChangeTable) -> AsyncIterator[Problem]:
    """Yield a problem where records become lines, or lines of something else: nothing says of which records."""
    was, now = step.old.entity.parent, step.new.entity.parent
    if now is None or (was is not None and plan.entities.get(was, was) == now):
        return
    count = await _count(tx, step.old.name)
    if count:
        message = say(
            "'{table}' becomes lines of '{parent}', and {count} would be lines of nothing.",
            table=step.new.name,
            parent=now,
            count=_many(count),
        )
        hint = say("Define lines as an entity of their own, and create them where these records belong.")
        yield Problem("plan.parent", step.new.entity.place, message, hint)


async def _misfits(tx: Tx, step: ChangeTable) -> AsyncIterator[Problem]:
    for name, placed in step.states.items():
        for state in [state for state, target in placed.moves.items() if target is None]:
            count = await in_state(tx, step, name, state)
            if count:
                yield _homeless(step, name, state, count)
    for index in step.new.indexes:
        if index.unique and index not in step.old.indexes:
            async for problem in _duplicates(tx, step, index):
                yield problem
    async for problem in _missing(tx, step):
        yield problem


async def _missing(tx: Tx, step: ChangeTable) -> AsyncIterator[Problem]:
    for name, field in step.new.entity.fields.items():
        if field.required and field.compute is None and (field.default is None or field.follows):
            count = await _without_value(tx, step, name)
            if count:
                message = say(
                    "'{table}.{name}' becomes required, and {count} have no value in it.",
                    table=step.new.name,
                    name=name,
                    count=_many(count),
                )
                yield Problem("plan.required", field.place, message, say("Give it a default, or fill it in first."))


async def in_state(tx: Tx, step: ChangeTable, process: str, state: str) -> int:
    """Count the records that are in an innermost state of a process, by its new name."""
    column = quoted(step.sources[process])
    condition = HOLDS[tx.dialect].format(column) if step.states[process].was.parallel else f"{column} = ?"
    return await _count(tx, step.old.name, condition, [state])


def _homeless(step: ChangeTable, process: str, state: str, count: int) -> Problem:
    message = say(
        "The state '{state}' of '{process}' goes, and {count} are in it.",
        state=state,
        process=process,
        count=_many(count),
    )
    hint = say(
        "Say where they go: 'moved: {{{state}: …}}' on the process, or 'was: {state}' on the state that replaces it.",
        state=state,
    )
    return Problem("plan.state", step.new.entity.place, message, hint)


async def _without_value(tx: Tx, step: ChangeTable, name: str) -> int:
    source = step.sources.get(name)
    if source is None:
        return await _count(tx, step.old.name)
    if not step.old.columns[source].null:
        return 0
    return await _count(tx, step.old.name, f"{quoted(source)} IS NULL")


async def _duplicates(tx: Tx, step: ChangeTable, index: IndexShape) -> AsyncIterator[Problem]:
    sources = [step.sources.get(name) for name in index.columns]
    names = [source for source in sources if source is not None]
    if len(names) < len(sources) or step.retyped.intersection(index.columns):
        return  # a new column holds one value or none: `apply` finds out
    filled = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in names)
    groups = f"SELECT 1 FROM {quoted(step.old.name)} WHERE {filled} GROUP BY {listed(names)} HAVING count(*) > 1"  # noqa: S608 - quoted names
    row = await tx.row(f"SELECT count(*) FROM ({groups}) AS same")  # noqa: S608 - the same
    if row is not None and row[0]:
        yield duplicate(step.new.entity.fields[index.columns[0]], index)


def duplicate(field: Field, index: IndexShape) -> Problem:
    """Return the problem that values to be unique are not."""
    place: Place = field.place
    names = both(f"'{name}'" for name in index.columns)
    message = say("{names} of '{table}' become unique, and some records have the same.", names=names, table=index.table)
    return Problem("plan.unique", place, message, say("Make them different first."))


def _many(count: int) -> str:
    return say("1 record") if count == 1 else say("{count} records", count=f"{count:,}")
