"""What can only be seen on the whole network: one file a theme, each a function from a `Checked` to problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from definitions.checks.automatic import check_automatic
from definitions.checks.checked import Checked
from definitions.checks.encrypted import check_encrypted
from definitions.checks.fields import check_fields
from definitions.checks.idle import check_idle
from definitions.checks.levels import check_levels
from definitions.checks.loops import check_loops, check_started
from definitions.checks.privacy import check_privacy
from definitions.checks.processes import check_processes
from definitions.checks.recipients import check_recipients
from definitions.checks.retention import check_retention
from definitions.checks.rights import check_rights
from definitions.checks.unused import check_unused
from definitions.documents import Sources
from definitions.problems import Problem
from definitions.spec.network import Network

Check = Callable[[Checked], Iterable[Problem]]

CHECKS: tuple[Check, ...] = (
    check_processes,
    check_automatic,
    check_rights,
    check_levels,
    check_privacy,
    check_retention,
    check_fields,
    check_encrypted,
    check_loops,
    check_started,
    check_recipients,
    check_unused,
    check_idle,
)


def check(
    network: Network,
    damaged: frozenset[tuple[str, str]],
    used: frozenset[tuple[str, str]],
    sources: Sources,
) -> list[Problem]:
    """Return what is wrong with a network as a whole; definitions with holes (`damaged`) are spared."""
    checked = Checked(network, damaged, used, sources)
    return [problem for each in CHECKS for problem in each(checked)]
