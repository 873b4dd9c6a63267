"""Messages: what a level is sent, it must be able to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from definitions.checks.checked import Checked
from definitions.checks.rights import reads, reads_field
from definitions.expr import ListOf, RecordOf
from definitions.message import say
from definitions.problems import Problem, Severity
from definitions.spec.access import Level
from definitions.spec.automation import Email, Notice, Step, every_step
from definitions.spec.network import Network
from definitions.spec.template import Template
from definitions.spec.value import Value


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
            if template is not None and any(_is_member(value) for value in step.to):
                yield from _hidden_from_all(network, step, template)


def notices(steps: Iterable[Step]) -> Iterator[Notice]:
    """Yield the messages among steps, those of branches and loops too."""
    for step in every_step(steps):
        if isinstance(step, Notice):
            yield step


def _is_member(value: Value) -> bool:
    kind = None if value.expression is None else value.expression.type
    return (kind.of if isinstance(kind, ListOf) else kind) == RecordOf("member")


def _hidden_from_all(network: Network, step: Notice, template: Template) -> Iterator[Problem]:
    """Yield what none of the levels may read that read such records; a leader who is not declared reads everything."""
    about = template.about or ""
    levels = [level for level in network.levels.values() if level.name != "public"]
    readers = [level for level in levels if not level.everything and reads(network, level, about)]
    hidden = [
        field for field in _shown(template) if not any(reads_field(network, each, about, field) for each in readers)
    ]
    if readers and hidden:
        sentence = say(
            "The template '{name}' shows what no level may read: {hidden}.",
            name=template.name,
            hidden=", ".join(hidden),
        )
        hint = say("Let a level read it, or use another template.")
        severity: Severity = "warning" if any(level.everything for level in levels) else "error"
        yield Problem("automation.unreadable", step.place, sentence, hint, severity)


def _shown(template: Template) -> list[str]:
    """Return the fields of its record that a template shows, sorted."""
    return sorted({path[1] for path in template.reads if path[0] == "record" and len(path) > 1})


def _hidden(network: Network, step: Notice, template: Template, level: Level) -> Iterator[Problem]:
    hidden = [
        field for field in _shown(template) if template.about and not reads_field(network, level, template.about, field)
    ]
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
