"""Values that the leader changes on a screen: the definition's, and those kept in the store over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.spec.entity import Field
from definitions.spec.network import Network, Setting
from models.columns import Codec, codec
from models.connections import stored_datetime
from models.house_rules import rules_of
from models.system import SETTING
from models.tx import Tx

_SELECT = 'SELECT "name", "value", "changed_at", "changed_by" FROM "_setting"'
_NOTHING = object()
_TYPES: Mapping[str, type] = {
    "integer": int, "decimal": Decimal, "money": Decimal, "boolean": bool, "date": date, "datetime": datetime,
    "duration": Duration,
}  # fmt: skip
"""What values are in memory; those of other types are texts."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that stands over the definition's, with when it was kept and by which member (None: by a program)."""

    value: Any
    changed_at: datetime
    changed_by: str | None


def setting_field(setting: Setting) -> Field:
    """Return the field that a setting is like: its type, label and options; without a default it may stay empty."""
    shape: Mapping[str, Any] = {"name": setting.name, "type": setting.type, "label": setting.label}
    return Field(**shape, place=setting.place, options=setting.options, required=setting.value is not None)


def settings_of(network: Network) -> dict[str, Setting]:
    """Return all settings of a network: its definition's, then those that every network has."""
    return {**network.settings, **rules_of(network)}


async def load_settings(tx: Tx, network: Network) -> dict[str, Any]:
    """Return the value of every setting of the network's definition."""
    values = {name: setting.value for name, setting in network.settings.items()}
    if values:
        kept = await kept_settings(tx, network)
        values |= {name: each.value for name, each in kept.items() if name in values}
    return values


async def kept_settings(tx: Tx, network: Network) -> dict[str, Kept]:
    """Return what is kept over the definition's values; a value that no longer fits its setting's type is nothing."""
    found, known = {}, settings_of(network)
    for name, stored, changed_at, author in await tx.rows(_SELECT):
        setting = known.get(name)
        if setting is None:
            continue
        value = _read(setting, json.loads(stored))
        if value is not _NOTHING:
            found[name] = Kept(value, _moment(changed_at), author)
    return found


async def save_setting(
    tx: Tx, network: Network, name: str, value: Any, *, now: datetime, author: str | None = None
) -> None:
    """Keep another value for a setting (a value of memory); `KeyError` when there is no such setting."""
    stored = _codec(settings_of(network)[name]).encoded(value)
    await reset_setting(tx, name)
    await tx.run(SETTING.insert(), [name, json.dumps(stored), stored_datetime(now), author])


async def reset_setting(tx: Tx, name: str) -> None:
    """Let the definition's value hold again."""
    await tx.run('DELETE FROM "_setting" WHERE "name" = ?', [name])


def _read(setting: Setting, stored: Any) -> Any:
    """Return the value of a stored form, `_NOTHING` where it is of a type that the setting had in another version."""
    form = _codec(setting)
    try:
        value = form.decoded(stored)
        same = form.encoded(value) == stored
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return _NOTHING
    if value is not None and not (same and isinstance(value, _TYPES.get(setting.type, str))):
        return _NOTHING
    known = setting.type != "choice" or value is None or value in setting.options
    return value if known else _NOTHING


def _moment(stored: str | datetime) -> datetime:
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)


def _codec(setting: Setting) -> Codec:
    return codec(setting_field(setting))
