"""Messages: what a level is sent, it must be able to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from definitions.checks.checked import Checked
from definitions.checks.rights import reads_field
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.access import Level
from definitions.spec.automation import Email, Notice, Step, every_step
from definitions.spec.network import Network
from definitions.spec.template import Template


def check_recipients(checked: Checked) -> Iterator[Problem]:
    """Yield the messages to all members of a level that show what the level may not read."""
    network = checked.network
    if not checked.all_whole("level"):
        return
    for automation in network.automations.values():
        for step in notices(automation.steps):
            template = network.templates.get(step.template)
            for name in (step.to_level, step.cc_level if isinstance(step, Email) else None):
                level = network.levels.get(name or "")
                if template is not None and level is not None:
                    yield from _hidden(network, step, template, level)


def notices(steps: Iterable[Step]) -> Iterator[Notice]:
    """Yield the messages among steps, those of branches and loops too."""
    for step in every_step(steps):
        if isinstance(step, Notice):
            yield step


def _hidden(network: Network, step: Notice, template: Template, level: Level) -> Iterator[Problem]:
    shown = sorted({path[1] for path in template.reads if path[0] == "record" and len(path) > 1})
    hidden = [field for field in shown if template.about and not reads_field(network, level, template.about, field)]
    if hidden:
        sentence = say(
            "The template '{name}' shows the level {level} what it may not read: {hidden}.",
            name=template.name,
            level=level.name,
            hidden=", ".join(hidden),
        )
        yield Problem(
            "automation.unreadable", step.place, sentence, say("Let the level read it, or use another template.")
        )
