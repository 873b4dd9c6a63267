"""What is taken out of the product, one check at a time, and the smallest part of the matrix that must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from admin.api import call, horizon
from admin.visit import Visit
from definitions.expr import to_sql
from definitions.spec.access import FUNCTIONS
from models import clauses, drafts, entitling, lists, statistics
from models.access import Rights
from models.clauses import Clauses
from models.filters import Finder
from models.records import Records
from models.rules import ALWAYS, Granted
from models.sight import Sight
from models.statement import Statement
from models.visible import ROOT, VisibleColumns
from tests.access import acting, asking, pages
from tests.access.asking import Check
from workflows import discretion, field_changes, mails, tasks, timeline, undo
from workflows.actions import wording
from workflows.reading import Reader

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Removed:
    """A check that is taken out, and who notices where."""

    name: str
    remove: Callable[[Patch], None]
    pack: str
    level: str
    noticed: Check


def _always(*_: Any, **__: Any) -> Any:
    return ALWAYS


def _true(*_: Any, **__: Any) -> bool:
    return True


def nothing(*_: Any, **__: Any) -> None:
    return None


def row_rule(action: str) -> Callable[[Patch], None]:
    """Let every level do something with every record of what it is defined for."""

    def remove(patch: Patch) -> None:
        of_row = clauses.of_row

        def unruled(network: Any, level: Any, name: str, asked: Any) -> Clauses:
            found = of_row(network, level, name, asked)
            return (Granted(level.name, level.place, ALWAYS),) if asked == action else found

        patch.setattr(clauses, "of_row", unruled)

    return remove


def _own_field(mode: str) -> Callable[[Patch], None]:
    """Forget the rules of fields for reading, or for writing."""

    def remove(patch: Patch) -> None:
        own = clauses._own_field

        def unruled(network: Any, level: Any, name: str, field: str, asked: Any) -> Clauses:
            return () if asked == mode else own(network, level, name, field, asked)

        patch.setattr(clauses, "_own_field", unruled)

    return remove


def _inherited(patch: Patch) -> None:
    def of_field(network: Any, level: Any, name: str, field: str, mode: Any, seen: Any = frozenset()) -> Clauses:
        action = "read" if mode == "read" else "update"
        found = clauses.of_row(network, level, name, action)  # type: ignore[arg-type] # one of its actions
        return (*found, *clauses._own_field(network, level, name, field, mode))

    patch.setattr(clauses, "of_field", of_field)


def _condition(reach: str) -> Callable[[Patch], None]:
    """Let `mine` or `downline` mean everybody."""

    def remove(patch: Patch) -> None:
        condition = clauses._condition
        patch.setattr(
            clauses,
            "_condition",
            lambda network, level, rule, of: ALWAYS if rule.reach == reach else condition(network, level, rule, of),
        )

    return remove


def _rule_of_lists(*names: str) -> Callable[[Patch], None]:
    """Ask for all rows in some of: pages of lists, counts, counts by state."""

    def remove(patch: Patch) -> None:
        for name in names:
            patch.setattr(lists, name, _unruled(getattr(lists, name)))

    return remove


def _unruled(function: Any) -> Any:
    async def asked(found: Records, *given: Any, **named: Any) -> Any:
        begin = lists._from

        def everything(statement: Any, records_: Records, sight: Sight, query: Any) -> None:
            read, sight.read = sight.read, replace(sight.read, text="TRUE", bind=lambda *_: ())
            try:
                begin(statement, records_, sight, query)
            finally:
                sight.read = read

        lists._from = everything  # type: ignore[assignment] # for one call, with names of its own
        try:
            return await function(found, *given, **named)
        finally:
            lists._from = begin

    return asked


def _raw_order(patch: Patch) -> None:
    order = lists._order

    def raw(found: Records, sight: Sight, sort: str) -> Any:
        made = order(found, sight, sort)
        return replace(made, value=sight.visible.columns.value(sight.entity.name, ROOT, made.name), nullable=True)

    patch.setattr(lists, "_order", raw)


def _raw_values(which: Callable[[str, str], bool]) -> Callable[[Patch], None]:
    """Let conditions see some columns as they are; `which` is asked with alias and field."""

    def remove(patch: Patch) -> None:
        value = VisibleColumns._value

        def raw(columns: VisibleColumns, entity: str, alias: str, field: str) -> Any:
            if which(alias, field):
                return columns.columns.value(entity, alias, field)
            return value(columns, entity, alias, field)

        patch.setattr(VisibleColumns, "_value", raw)

    return remove


def _raw_finder(patch: Patch) -> None:
    made = Finder.__init__

    def init(finder: Finder, network: Any, tables: Any, visible: VisibleColumns) -> None:
        made(finder, network, tables, visible)
        finder.visible = VisibleColumns(visible.columns, Rights(network, (), unlimited=True), visible.dialect)

    patch.setattr(Finder, "__init__", init)


def _raw_statistics(patch: Patch) -> None:
    def raw(found: Records, statistic: Any, expression: Any) -> Any:
        return to_sql(expression, found.tx.dialect, found.published.tables, ROOT)

    patch.setattr(statistics, "_sql", raw)


def _unruled_statistics(patch: Patch) -> None:
    begin = statistics._from

    async def everything(statement: Any, found: Records, statistic: Any, join: str = "", *values: Any) -> None:
        await begin(statement, found.system, statistic, join, *values)

    patch.setattr(statistics, "_from", everything)


def _as_system(owner: Any, name: str) -> Callable[[Patch], None]:
    """Let a function of records ask as the system."""

    def remove(patch: Patch) -> None:
        function = getattr(owner, name)
        patch.setattr(owner, name, lambda found, *given: function(found.system, *given))

    return remove


def _record(**changed: Callable[[Sight, Any], Any]) -> Callable[[Patch], None]:
    """Make records with something that their rights do not let them have."""

    def remove(patch: Patch) -> None:
        made = Sight._record

        def more(sight: Sight, full: Any, outcome: Any) -> Any:
            found = made(sight, full, outcome)
            return replace(found, **{name: change(sight, full) for name, change in changed.items()})

        patch.setattr(Sight, "_record", more)

    return remove


def _holds(patch: Patch) -> None:
    async def every(*_: Any) -> bool:
        return True

    patch.setattr(Records, "holds", every)


def patched(owner: Any, name: str, instead: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(owner, name, instead)


def _unruled_reader(patch: Patch) -> None:
    patch.setattr(wording, "Reader", lambda unit, _: Reader(unit, None))


async def _no_problem(*_: Any) -> dict[str, Any]:
    return {}


async def granted(*_: Any) -> bool:
    return True


async def _untold(*_: Any, **__: Any) -> bool:
    return False


def _every_mail(patch: Patch) -> None:
    async def visible(unit: Any, select: str) -> Any:
        return Statement(await unit.records.rule_names(), unit.context).add(f"{select}(1 = 1)")

    patch.setattr(mails, "_visible", visible)


def _every_task(patch: Patch) -> None:
    async def labels(found: Records, entity: str, ids: Any) -> Any:
        return {record.id: record.title for record in await entitling.titled(found.system, entity, ids)}

    shown = tasks._shown

    async def all_shown(unit: Any, rows: Any) -> Any:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Records, "labels", labels)
            return await shown(unit, rows)

    patch.setattr(tasks, "_shown", all_shown)


def _whole_history(patch: Patch) -> None:
    told = field_changes.changes_of
    patch.setattr(timeline, "changes_of", lambda unit, entity, _, before, after: told(unit, entity, (), before, after))


def _open_to_the_leader(patch: Patch) -> None:
    patch.setattr(clauses, "_closed", lambda *_: ())


def _leads(patch: Patch) -> None:
    patch.setattr(Visit, "leads", property(_true))


REMOVED: tuple[Removed, ...] = (
    Removed("row rule of reading", row_rule("read"), "nested", "mine_only", asking.lists),
    Removed("row rule of creating", row_rule("create"), "nested", "readers", acting.creations),
    Removed("row rule of updating", row_rule("update"), "nested", "readers", acting.changes),
    Removed("row rule of deleting", row_rule("delete"), "twisted", "spiral", acting.removals),
    Removed("field rules of reading", _own_field("read"), "nested", "readers", asking.lists),
    Removed("field rules of writing", _own_field("write"), "nested", "mine_only", acting.changes),
    Removed("computed fields inherit", _inherited, "nested", "mine_only", asking.lists),
    Removed("reach of mine", _condition("mine"), "nested", "mine_only", asking.lists),
    Removed("reach of downline", _condition("downline"), "nested", "mine_only", asking.lists),
    Removed("data closed to the leader", _open_to_the_leader, "small", "leader", asking.lists),
    Removed(
        "levels of a step",
        patched(clauses, "_granted", lambda level, place, about, **_: Granted(level.name, place, ALWAYS, about)),
        "nested",
        "readers",
        asking.single,
    ),
    Removed("row rule of lists", _rule_of_lists("page"), "nested", "mine_only", asking.lists),
    Removed("row rule of counts", _rule_of_lists("count"), "nested", "mine_only", asking.lists),
    Removed("row rule of counts by state", _rule_of_lists("group_count"), "nested", "mine_only", asking.counts),
    Removed(
        "hiding in searches",
        _raw_values(lambda _, field: field.startswith("_fold_")),
        "nested",
        "readers",
        asking.searches,
    ),
    Removed("hiding in orders", _raw_order, "twisted", "spiral", asking.orders),
    Removed("hiding in filters", _raw_values(lambda alias, _: alias == ROOT), "twisted", "spiral", asking.filters),
    Removed(
        "hiding behind references", _raw_values(lambda alias, _: alias != ROOT), "nested", "mine_only", asking.filters
    ),
    Removed("hiding in the filters of pages", _raw_finder, "nested", "readers", pages.pages),
    Removed("labels of references", _as_system(entitling, "titled"), "nested", "mine_only", asking.lists),
    Removed("records behind titles", _as_system(entitling, "behind"), "nested", "mine_only", asking.lists),
    Removed("row rule of single records", _as_system(Records, "get"), "nested", "mine_only", asking.single),
    Removed("steps asked for of what is in sight", _as_system(Records, "get"), "nested", "mine_only", asking.requested),
    Removed(
        "hiding in titles", _record(title=lambda sight, full: sight.title(full)), "nested", "readers", asking.lists
    ),
    Removed("hiding of values", _record(values=lambda _, full: full), "nested", "readers", asking.lists),
    Removed(
        "what may be done with a record",
        _record(may=lambda *_: frozenset({"read", "update", "delete"})),
        "twisted",
        "spiral",
        acting.removals,
    ),
    Removed(
        "which fields may be written",
        _record(writable=lambda sight, _: frozenset(sight.fields)),
        "nested",
        "readers",
        acting.changes,
    ),
    Removed("the right to a step", patched(Records, "may_move", granted), "twisted", "readers", acting.moves),
    Removed("who takes a step back", patched(undo, "may_undo", _true), "nested", "mine_only", acting.words),
    Removed("hiding in the past", _whole_history, "nested", "readers", asking.single),
    Removed("the rule after a change", _holds, "nested", "readers", acting.gifts),
    Removed(
        "references to what is seen", patched(drafts, "_dangling", _no_problem), "twisted", "mine_only", acting.gifts
    ),
    Removed("what the levels ever see", patched(horizon, "_ever", _true), "nested", "makers", asking.descriptions),
    Removed(
        "methods that are granted", patched(call.Call, "_refuse_ungranted", nothing), "nested", "makers", asking.lists
    ),
    Removed("administration", patched(Rights, "administers", property(_true)), "nested", "readers", asking.caller),
    Removed(
        "functions",
        patched(Rights, "functions", property(lambda _: frozenset(FUNCTIONS))),
        "nested",
        "mine_only",
        pages.pages,
    ),
    Removed("row rule of statistics", _unruled_statistics, "nested", "mine_only", asking.figures),
    Removed("hiding in statistics", _raw_statistics, "nested", "mine_only", asking.figures),
    Removed("tasks of records in sight", _every_task, "nested", "mine_only", asking.own_tasks),
    Removed("mails of records in sight", _every_mail, "nested", "makers", pages.letters),
    Removed("texts of mails", patched(discretion, "tells", _untold), "nested", "readers", pages.letters),
    Removed("what a recipient may read", _unruled_reader, "nested", "makers", pages.letters),
    Removed("what is sent to oneself", _unruled_reader, "nested", "makers", pages.own_letters),
    Removed("the door of the back office", _leads, "nested", "readers", pages.back_office),
    Removed("records of the back office", _as_system(Records, "list"), "twisted", "leader", pages.back_office),
    Removed("values of the back office", _record(values=lambda _, full: full), "twisted", "leader", pages.back_office),
)
"""At least one for each place where the product decides, and one for each use of what it decided."""
