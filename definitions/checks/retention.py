"""How long records are kept: for a time that is one, announced before it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from definitions.checks.checked import Checked
from definitions.duration import Duration
from definitions.expr.periods import order
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.network import Network
from definitions.spec.value import Value

_MONTH = timedelta(days=30)
_HOUR = timedelta(hours=1)
_YEAR = timedelta(days=365)
_LONGEST = 1000
"""Years."""


def check_retention(checked: Checked) -> Iterator[Problem]:
    """Yield the times that are none, and warnings that would come before the record has any age."""
    for entity in checked.network.entities.values():
        said = entity.retention
        if said is None or not checked.whole("entity", entity.name):
            continue
        after, warn = _known(checked.network, said.after), _known(checked.network, said.warn)
        for key, value, span in (("after", said.after, after), ("warn", said.warn, warn)):
            if value is not None and span is not None and not _leads_forward(span):
                sentence = say("'{key}' is no time above zero: nothing of {name} would go.", key=key, name=entity.name)
                yield Problem("retention.span", value.place, sentence, say("Write a duration such as '3 years'."))
            elif value is not None and span is not None and span.months / 12 + span.exact / _YEAR > _LONGEST:
                sentence = say(
                    "'{key}' is longer than 1000 years: nothing of {name} would go.", key=key, name=entity.name
                )
                yield Problem("retention.span", value.place, sentence, say("Leave 'retention' out to keep for ever."))
        if said.warn is not None and after is not None and warn is not None and not _shorter(warn, after):
            sentence = say("Records of {name} would be announced before they exist.", name=entity.name)
            yield Problem("retention.warn", said.warn.place, sentence, say("Let 'warn' be shorter than 'after'."))


def _known(network: Network, value: Value | None) -> Duration | None:
    """Return a time as far as it is known without a running network: written, or where a setting starts."""
    if value is None:
        return None
    found = value.literal
    if value.expression is not None:
        scope, _, name = value.expression.text.strip().partition(".")
        setting = network.settings.get(name) if scope == "settings" else None
        found = None if setting is None else setting.value
    return found if isinstance(found, Duration) else None


def _leads_forward(span: Duration) -> bool:
    parts = (span.months, span.exact.total_seconds(), span.working_hours, span.working_days)
    return all(part >= 0 for part in parts) and any(part > 0 for part in parts)


def _shorter(warn: Duration, after: Duration) -> bool:
    """Whether the warning is shorter; where that depends on the month, by months of 30 days."""
    found = order(warn, after)
    return _rough(warn) < _rough(after) if found is None else found < 0


def _rough(span: Duration) -> timedelta:
    return span.months * _MONTH + span.exact + span.working_days * timedelta(days=1) + span.working_hours * _HOUR
