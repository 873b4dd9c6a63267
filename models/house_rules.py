"""Settings that every network has, whatever its definitions say: how long sessions last, who needs a second factor."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from definitions.problems import NOWHERE
from definitions.spec.network import Network, Setting
from definitions.text import Text
from models.actor import Actor
from models.tx import Tx

IDLE = "_idle_minutes"
LONGEST = "_session_hours"
KEPT_READS = "_audit_reads_months"
KEPT_CHANGES = "_audit_changes_months"
KEPT_RUNS = "_runs_months"
REMINDED = "_reminded_days"
MAILS_MINUTE = "_mails_minute"
MAILS_HOUR = "_mails_hour"
MAIL_LINES = "_mail_lines"
FACTOR = "_second_factor_"
"""Before a level's name: whether its members need a second factor."""
BOUNDS: Mapping[str, tuple[int, int]] = {
    IDLE: (1, 24 * 60),
    LONGEST: (1, 30 * 24),
    KEPT_READS: (6, 120),
    KEPT_CHANGES: (12, 240),
    KEPT_RUNS: (1, 120),
    REMINDED: (0, 60),
    MAILS_MINUTE: (0, 1_000_000),
    MAILS_HOUR: (0, 10_000_000),
    MAIL_LINES: (1, 20),
}
"""The least and the most that a number may be."""
_STARTS: Mapping[str, int] = {
    **{IDLE: 20, LONGEST: 12, KEPT_READS: 12, KEPT_CHANGES: 60, KEPT_RUNS: 12, REMINDED: 2},
    **{MAILS_MINUTE: 0, MAILS_HOUR: 0, MAIL_LINES: 4},
}
_LABELS: Mapping[str, Text] = {
    IDLE: Text(
        {"en": "Minutes without use after which one is signed out", "fr": "Minutes d’inactivité avant déconnexion"}
    ),
    LONGEST: Text({"en": "Hours after which one signs in again", "fr": "Heures après lesquelles on se reconnecte"}),
    KEPT_READS: Text(
        {"en": "Months that the audit keeps who read what", "fr": "Mois de conservation des consultations dans l’audit"}
    ),
    KEPT_CHANGES: Text(
        {
            "en": "Months that the audit keeps who changed or exported what",
            "fr": "Mois de conservation des modifications et des exports dans l’audit",
        }
    ),
    KEPT_RUNS: Text(
        {
            "en": "Months that is kept what automations did, once they are over",
            "fr": "Mois de conservation de ce que les automatisations ont fait, une fois terminées",
        }
    ),
    REMINDED: Text(
        {
            "en": "Working days between two reminders of who must agree to a step (0: none)",
            "fr": "Jours ouvrés entre deux rappels à qui doit donner son accord à une étape (0\u202f: aucun)",
        }
    ),
    MAILS_MINUTE: Text(
        {"en": "E-mails a minute at most (0: no limit)", "fr": "E-mails par minute au plus (0\u202f: sans limite)"}
    ),
    MAILS_HOUR: Text(
        {"en": "E-mails an hour at most (0: no limit)", "fr": "E-mails par heure au plus (0\u202f: sans limite)"}
    ),
    MAIL_LINES: Text(
        {"en": "Connections to the mail server at once", "fr": "Connexions simultanées au serveur de messagerie"}
    ),
}
_FACTOR_LABEL: Mapping[str, str] = {
    "en": "Second factor needed: {level}",
    "fr": "Deuxième facteur exigé\u202f: {level}",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without being used, and at most."""

    idle: timedelta
    longest: timedelta


def rules_of(network: Network) -> dict[str, Setting]:
    """Return these settings of a network; their names begin with `_`, so that no definition has them."""
    found = {name: Setting(name, "integer", _STARTS[name], label, NOWHERE) for name, label in _LABELS.items()}
    for level in network.levels.values():
        if level.name != "public":
            label = Text(
                {
                    tongue: text.format(level=level.label.pick(tongue, *network.languages))
                    for tongue, text in _FACTOR_LABEL.items()
                }
            )
            found[FACTOR + level.name] = Setting(FACTOR + level.name, "boolean", False, label, NOWHERE)  # noqa: FBT003 - its value
    return found


def limits_from(idle: str | None, longest: str | None) -> Limits:
    """Return the limits of what is stored for the two settings (None: nothing)."""
    return Limits(timedelta(minutes=_number(IDLE, idle)), timedelta(hours=_number(LONGEST, longest)))


def _number(name: str, stored: str | None) -> int:
    value: Any = None if stored is None else json.loads(stored)
    least, most = BOUNDS[name]
    return _STARTS[name] if not isinstance(value, int) else min(max(value, least), most)


async def needs_factor(tx: Tx, actor: Actor) -> bool:
    """Whether one of the actor's levels needs a second factor."""
    rows = await tx.rows('SELECT "name", "value" FROM "_setting"')
    return bool(_needing(rows) & set(actor.levels))


def _needing(rows: Collection[Any]) -> set[str]:
    return {name.removeprefix(FACTOR) for name, value in rows if name.startswith(FACTOR) and json.loads(value)}


async def months_kept(tx: Tx) -> dict[str, int]:
    """Return for how many months the audit keeps reads and changes, and how long runs stay that are over."""
    rows = {row[0]: row[1] for row in await tx.rows('SELECT "name", "value" FROM "_setting"')}
    return {name: _number(name, rows.get(name)) for name in (KEPT_READS, KEPT_CHANGES, KEPT_RUNS)}


async def mail_limits(tx: Tx) -> tuple[int, int, int]:
    """Return how many mails may leave in a minute and in an hour (0: any number), and over how many connections."""
    names = (MAILS_MINUTE, MAILS_HOUR, MAIL_LINES)
    found = await tx.rows('SELECT "name", "value" FROM "_setting" WHERE "name" IN (?, ?, ?)', names)
    kept: dict[str, str | None] = {row[0]: row[1] for row in found}
    minute, hour, lines = (_number(name, kept.get(name)) for name in names)
    return minute, hour, lines


async def reminded_after(tx: Tx) -> int:
    """Return how many working days lie between two reminders of who must agree to a step; 0: nobody is reminded."""
    row = await tx.row('SELECT "value" FROM "_setting" WHERE "name" = ?', [REMINDED])
    return _number(REMINDED, None if row is None else row[0])
