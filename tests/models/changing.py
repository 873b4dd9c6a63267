"""Changes of a pack over records that are there: what tests of them are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.tenant import Tenant
from tests.models.rows import insert
from tests.networks import SMALL, edited

Edit = tuple[str, str]

RATING = "  rating:       {type: decimal, scale: 4}\n"
CITY = "  city:         {type: text, personal: contact}\n"
BIRTH = "  birth_date:   {type: date, personal: identity}\n"
SOURCE = "  source:       {type: choice, options: {site: {fr: Site, en: Web site}, direct: {fr: Direct, en: Direct}}}\n"
INTERESTS = "{home: {fr: Maison, en: Home}, beauty: {fr: Beauté, en: Beauty}}"
NEWSLETTER = "  newsletter:   {type: boolean, default: false}\n"
CALLS = "  calls:        {type: integer, default: 0}\n"
COMPANY = "  company:      {type: reference, to: company, on_delete: clear}\n"
PAUSE = "  pause:        {type: duration}\n"
DOUBLE = """  quadruple: {type: integer, compute: "=record.double * 2"}
  double: {type: integer, compute: "=record.calls * 2"}
"""
HOT = '"=record.calls > 2 && has(record.next_call_at)"'
LEAD = "label: {fr: Prospect, en: Lead}\nicon: user-plus\n"
FOLLOW_UP = """
process: follow_up
entity: lead
label: {fr: Suivi, en: Follow-up}
states:
  idle:   {label: {fr: Rien, en: Idle}, initial: true}
  active: {label: {fr: En cours, en: Active}}
transitions:
  start: {from: idle, to: active, by: [distributor], label: {fr: Lancer, en: Start}}
  stop:  {from: active, to: idle, by: [distributor], label: {fr: Arrêter, en: Stop}}
"""


@dataclass(frozen=True)
class Case:
    """An edit of the pack, records from before (a lead with these values), and what a lead's values are after it."""

    says: str
    edits: tuple[Edit, ...]
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.says.replace(" ", "-")


def packed(case: Case) -> dict[str, str]:
    files = edited(SMALL, *case.edits)
    if case.says == "a process is added":
        files["follow_up.yaml"] = FOLLOW_UP
    return files


async def lead(tenant: Tenant, **values: Any) -> str:
    defaults = {"first_name": "Camille", "last_name": "Roux", "country": "FR", "calls": 0, "newsletter": False}
    return await insert(tenant, "lead", **{**defaults, **values})
