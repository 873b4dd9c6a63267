"""The conditions of rights as SQL."""

from __future__ import annotations

from typing import assert_never

from definitions.expr import Columns, Context, Names, SqlTemplate, all_of, any_of, to_sql
from models.rules import Above, AllOf, Always, AnyOf, Condition, Granted, Holds, Never, Within
from models.tx import Dialect


def condition_sql(  # noqa: C901 - one line a kind
    condition: Condition, entity: str, alias: str, dialect: Dialect, columns: Columns
) -> SqlTemplate:
    """Return the condition over the row `alias` of an entity; it may be NULL where it does not hold."""
    match condition:
        case Always():
            return SqlTemplate("TRUE")
        case Never():
            return SqlTemplate("FALSE")
        case Granted(condition=inner):
            return condition_sql(inner, entity, alias, dialect, columns)
        case AnyOf(conditions=parts):
            return any_of(condition_sql(part, entity, alias, dialect, columns) for part in parts)
        case AllOf(conditions=parts):
            return all_of(condition_sql(part, entity, alias, dialect, columns) for part in parts)
        case Within():
            return _within(condition, entity, alias, columns)
        case Holds(expression=expression):
            return to_sql(expression, dialect, columns, alias)
        case Above():
            return _above(condition, entity, alias, dialect, columns)
        case _:
            assert_never(condition)


def _above(condition: Above, entity: str, alias: str, dialect: Dialect, columns: Columns) -> SqlTemplate:
    parent = f"{alias}_p"
    inner = condition_sql(condition.condition, condition.of, parent, dialect, columns)
    reference, identity = columns.value(entity, alias, "parent"), columns.value(condition.of, parent, "id")
    text = (
        f'EXISTS (SELECT 1 FROM {columns.table(condition.of)} AS "{parent}" '  # noqa: S608 (names only)
        f"WHERE {identity.text} = {reference.text} AND {inner.text})"
    )
    return SqlTemplate(text, inner.bind)


def _within(condition: Within, entity: str, alias: str, columns: Columns) -> SqlTemplate:
    value = columns.value(entity, alias, condition.through)
    if condition.reach == "mine":
        return SqlTemplate(f"{value.text} = ?", _bind_self)
    if condition.reach == "open":
        closed = f'SELECT 1 FROM "_closed" AS "{alias}_c" WHERE "{alias}_c"."member" = {value.text}'  # noqa: S608 (names only)
        return SqlTemplate(f"({value.text} = ? OR NOT EXISTS ({closed}))", _bind_self)
    if condition.through == "id":
        path = columns.value("member", alias, "_path").text
        return SqlTemplate(f"({path} >= ? AND {path} < ?)", _bind_branch)
    below = f"{alias}_m"
    path = columns.value("member", below, "_path").text
    identity = columns.value("member", below, "id").text
    text = (
        f'{value.text} IN (SELECT {identity} FROM {columns.table("member")} AS "{below}" '  # noqa: S608 (names only)
        f"WHERE {path} >= ? AND {path} < ?)"
    )
    return SqlTemplate(text, _bind_branch)


def _bind_self(names: Names, _: Context) -> tuple[object, ...]:
    actor = names["actor"]
    return (None if actor is None else actor["id"],)


def _bind_branch(names: Names, _: Context) -> tuple[object, ...]:
    """Bind the range of sponsor paths that begin with the actor's: `/` and what comes after it in the alphabet."""
    actor = names["actor"]
    path = None if actor is None else actor.get("_path")
    return (path, f"{path[:-1]}0") if path else (None, None)
