"""Records that refer to a record, as short lists."""

from __future__ import annotations

from dataclasses import dataclass

from admin.formats import MOST
from admin.parts.subject import Subject, subject_of
from definitions.spec.entity import Entity
from models.query import Filter, Query
from models.record import Record
from models.records import Records

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Related:
    """Records of another kind that refer to this one."""

    label: str
    one: str
    icon: str
    count: int
    records: tuple[tuple[str, str], ...]
    more: str
    add: str


async def related(about: Subject, records: Records, record: Record) -> tuple[Related, ...]:
    """Return the lists of records that refer to this one and that the visitor may see."""
    found = []
    for entity, name in _referring(about):
        query = Query(filters=(Filter(name, "equals", record.id),), sort="-last_activity_at", limit=SHOWN)
        listed = await records.list(entity.name, query)
        there = subject_of(about.visit, entity)
        creates = there.may("create") and about.visit.tenant.published.access.may_new_field(
            about.visit.actor, entity.name, name
        )
        if not listed.records and not creates:
            continue
        found.append(
            Related(
                there.plural,
                there.label,
                entity.icon,
                await records.count(entity.name, query, most=MOST),
                tuple((each.title, there.url(each.id)) for each in listed.records),
                there.url("", **{f"f.{name}": record.id}) if listed.next else "",
                there.url("new", **{f"f.{name}": record.id}) if creates else "",
            )
        )
    return tuple(found)


def _referring(about: Subject) -> list[tuple[Entity, str]]:
    access, actor = about.visit.tenant.published.access, about.visit.actor
    found = []
    for entity in about.visit.network.entities.values():
        if not access.may(actor, "read", entity.name):
            continue
        names = [field.name for field in entity.fields.values() if field.to == about.entity.name]
        if entity.owner and about.entity.name == "member":
            names.append("owner")
        found += [(entity, name) for name in names if access.may_field(actor, entity.name, name, "read")]
    return found
