"""Triggers that keep the audit as it was written: no row is changed, none goes but those whose going is sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.ddl import quoted
from models.tx import Dialect, Tx

FORGOTTEN = ("ip", "salt")
"""What may be taken out of a row."""
PLACE = "seq"
"""What is set once, when the row is sealed."""
WORDS = "detail"
"""What may be taken out of a row once another row says so: it was searched for, and what was found was erased."""
_SAYS = "the audit is append-only"

_PURGED = """EXISTS (SELECT 1 FROM "_audit" AS "purge" WHERE "purge"."kind" = 'purged' AND "purge"."seq" IS NOT NULL
AND "purge"."entity" = OLD."scope" AND OLD."at" < {before}) AND OLD."kind" <> 'purged' AND OLD."seq" IS NOT NULL"""
_SILENCED = """EXISTS (SELECT 1 FROM "_audit" AS "erased" WHERE "erased"."record" = OLD."id"
AND "erased"."kind" = 'erased' AND "erased"."entity" = '_audit')"""
_GONE = """NOT EXISTS (SELECT 1 FROM "_audit" WHERE "id" = OLD."audit")"""


def _differs(dialect: Dialect, column: str) -> str:
    sign = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
    return f"NEW.{quoted(column)} {sign} OLD.{quoted(column)}"


def _changed(dialect: Dialect, columns: Sequence[str]) -> str:
    """Return the condition that an update of the audit does what none may."""
    content = [_differs(dialect, name) for name in columns if name not in {*FORGOTTEN, PLACE, WORDS}]
    content.append(f"({_differs(dialect, WORDS)} AND NOT (NEW.{quoted(WORDS)} IS NULL AND {_SILENCED}))")
    moved = f'(OLD."seq" IS NOT NULL AND {_differs(dialect, PLACE)})'
    other = [f"(NEW.{quoted(name)} IS NOT NULL AND {_differs(dialect, name)})" for name in FORGOTTEN]
    return " OR ".join([*content, moved, *other])


def _rules(dialect: Dialect, columns: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield table, kind of statement, and the condition under which a row may not be touched so."""
    before = '"purge"."detail"' if dialect == "sqlite" else 'CAST("purge"."detail" AS timestamptz)'
    yield "_audit", "UPDATE", _changed(dialect, columns)
    yield "_audit", "DELETE", f"NOT ({_PURGED.format(before=before)})"
    yield "_audit_of", "UPDATE", "1 = 1"
    yield "_audit_of", "DELETE", f"NOT ({_GONE})"
    yield "_seal", "UPDATE", "1 = 1"
    yield "_seal", "DELETE", "1 = 1"


async def guard(tx: Tx, columns: Sequence[str]) -> None:
    """Make the triggers, anew where they are there already; `columns` are those of the audit."""
    for table, statement, condition in _rules(tx.dialect, columns):
        name = quoted(f"{table}_{statement.lower()}")
        if tx.dialect == "sqlite":
            await tx.run(f"DROP TRIGGER IF EXISTS {name}")
            await tx.run(
                f"CREATE TRIGGER {name} BEFORE {statement} ON {quoted(table)} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
            )
            continue
        result = "OLD" if statement == "DELETE" else "NEW"
        await tx.run(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN RAISE EXCEPTION '{_SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            f"RETURN {result}; END $$"
        )
        await tx.run(f"DROP TRIGGER IF EXISTS {name} ON {quoted(table)}")
        await tx.run(
            f"CREATE TRIGGER {name} BEFORE {statement} ON {quoted(table)} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
