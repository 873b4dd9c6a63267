"""Values that the leader changes on a screen: the definition's, and those kept in the store over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from definitions.problems import NOWHERE
from definitions.spec.entity import Field
from definitions.spec.network import Network, Setting
from models.columns import Codec, codec
from models.connections import stored_datetime
from models.system import SETTING
from models.tx import Tx


async def load_settings(tx: Tx, network: Network) -> dict[str, Any]:
    """Return the value of every setting of the network."""
    values = {name: setting.value for name, setting in network.settings.items()}
    if not values:
        return values
    for name, stored in await tx.rows('SELECT "name", "value" FROM "_setting"'):
        if name in values:
            values[name] = _decode(network.settings[name], stored)
    return values


async def save_setting(
    tx: Tx, network: Network, name: str, value: Any, *, now: datetime, author: str | None = None
) -> None:
    """Keep another value for a setting (a value of memory); `KeyError` when there is no such setting."""
    encode = _codec(network.settings[name]).encode
    stored = value if value is None or encode is None else encode(value)
    await tx.run('DELETE FROM "_setting" WHERE "name" = ?', [name])
    await tx.run(SETTING.insert(), [name, json.dumps(stored), stored_datetime(now), author])


def _decode(setting: Setting, stored: str) -> Any:
    value = json.loads(stored)
    decode = _codec(setting).decode
    return value if value is None or decode is None else decode(value)


def _codec(setting: Setting) -> Codec:
    field: Mapping[str, Any] = {"name": setting.name, "type": setting.type, "label": setting.label, "place": NOWHERE}
    return codec(Field(**field))
