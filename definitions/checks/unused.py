"""What is defined and never used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Place, Problem

_NOTED = {
    "template": say("No automation sends it."),
    "statistic": say("No home shows it."),
    "setting": say("No expression or template reads it."),
    "automation": say("No step runs it, and nothing else starts it."),
}


def check_unused(checked: Checked) -> Iterator[Problem]:
    """Yield a warning for each definition of the pack itself that nothing uses; none while the pack has holes."""
    if checked.damaged:
        return
    for kind, name, place in _defined(checked):
        if (kind, name) not in checked.used and not place.file.startswith("@"):
            sentence = say("The {kind} '{name}' is never used.", kind=kind, name=name)
            yield Problem(f"{kind}.unused", place, sentence, _NOTED[kind], "warning")


def _defined(checked: Checked) -> Iterable[tuple[str, str, Place]]:
    network = checked.network
    yield from (("template", each.name, each.place) for each in network.templates.values())
    yield from (("statistic", each.name, each.place) for each in network.statistics.values())
    yield from (("automation", each.name, each.place) for each in network.automations.values() if not each.triggers)
    yield from (("setting", each.name, each.place) for each in network.settings.values())
