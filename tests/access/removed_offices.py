"""What is taken out of acting in somebody's office, one check at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models import delegations
from models.access import Rights
from models.actor import SYSTEM
from models.delegations import Delegation
from models.records import Records
from tests.access import visiting
from tests.access.removed import Patch, Removed, granted, nothing, patched, row_rule
from workflows import jobs
from workflows.unit import write


def _at_home(patch: Patch) -> None:
    patch.setattr(Rights, "visiting", property(lambda _: False, nothing), raising=False)


def _every_job(patch: Patch) -> None:
    async def unruled(tenant: Any, _: Any, work: Any) -> Any:
        return await write(tenant, SYSTEM, work)

    patch.setattr(jobs, "write", unruled)


def _running(given: Delegation, now: datetime) -> bool:
    return not given.over(now)


def _never_over(given: Delegation, _: datetime) -> bool:
    return given.revoked_at is not None


def _ends(given: Delegation, now: datetime) -> bool:
    return given.ends_at <= now


OFFICES: tuple[Removed, ...] = (
    Removed(
        "what is nobody's in an office",
        _at_home,
        "nested",
        "mine_only",
        visiting.rights,
    ),
    Removed(
        "which levels are lent",
        patched(delegations, "_levels", lambda *given: given[2].levels),
        "nested",
        "mine_only",
        visiting.rights,
    ),
    Removed("what is nobody's, to who assists", _at_home, "nested", "leader", visiting.assistance),
    Removed(
        "the right to a step in an office",
        patched(Records, "may_move", granted),
        "twisted",
        "readers",
        visiting.deeds,
    ),
    Removed("removals in an office", row_rule("delete"), "twisted", "spiral", visiting.deeds),
    Removed("new records in an office", row_rule("create"), "nested", "readers", visiting.deeds),
    Removed("jobs in an office", _every_job, "nested", "readers", visiting.deeds),
    Removed(
        "when an office opens", patched(Delegation, "holds", _running), "nested", "readers", visiting.before_its_day
    ),
    Removed(
        "when an office ends", patched(Delegation, "over", _never_over), "nested", "readers", visiting.after_its_end
    ),
    Removed(
        "that an office is taken back", patched(Delegation, "over", _ends), "nested", "readers", visiting.taken_back
    ),
)
