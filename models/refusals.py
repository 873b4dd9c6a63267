"""What a member is told that may see a record and may not change it: as much of the rule as concerns the member."""

from __future__ import annotations

from typing import Literal

from models.access import Rights
from models.errors import RefusedError
from models.message import Message, say
from models.rules import NEVER, Condition, Within, bare

_SENTENCES: dict[tuple[str, str], Message] = {
    ("update", "none"): say("None of your access levels lets you change records of this kind."),
    ("update", "mine"): say("Your access level lets you change your own records only."),
    ("update", "downline"): say("Your access level lets you change your own records and those of your branch only."),
    ("update", "other"): say("You may not change this record."),
    ("delete", "none"): say("None of your access levels lets you delete records of this kind."),
    ("delete", "mine"): say("Your access level lets you delete your own records only."),
    ("delete", "downline"): say("Your access level lets you delete your own records and those of your branch only."),
    ("delete", "other"): say("You may not delete this record."),
}


def refusal(rights: Rights, entity: str, action: Literal["update", "delete"]) -> RefusedError:
    """Return why a record that is seen may not be changed; a condition of the pack is not told, only that it fails."""
    return RefusedError(_SENTENCES[action, _reach(bare(rights.row(entity, action)))])


def _reach(rule: Condition) -> str:
    if rule == NEVER:
        return "none"
    return rule.reach if isinstance(rule, Within) and rule.reach != "open" else "other"
