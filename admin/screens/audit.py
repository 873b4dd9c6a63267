"""The audit: all of it for who runs the network, as a list and as a file; for a member, who looked at its own data."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.parts.columns import Column, column
from admin.parts.export import MARK, TYPES, harmless
from admin.parts.inputs import Input, Question, build
from admin.parts.reader import Reader
from admin.parts.shown import write_option
from admin.visit import Visit
from admin.web import here, render
from definitions.spec.entity import Entity
from models.audit import Kind
from models.errors import NotFoundError
from models.message import Message, say
from workflows import auditing, trail
from workflows.trail import PAGE, Looked, Wanted

EXPORTED = 5000
"""So many rows a file holds: the newest of those that are asked for."""
KINDS: Mapping[Kind, Message] = {
    "read": say("Looked at a record"),
    "listed": say("Saw in a list"),
    "searched": say("Searched"),
    "exported": say("Exported (rows)"),
    "export": say("Exported a list"),
    "download": say("Downloaded a file"),
    "letters": say("Looked at e-mails"),
    "register": say("Looked at what is kept of sign-ins and the like"),
    "created": say("Created"),
    "updated": say("Changed"),
    "moved": say("Moved on"),
    "deleted": say("Deleted"),
    "note": say("Wrote a note"),
    "mail": say("E-mail"),
    "task": say("Task"),
    "undone": say("Took back"),
    "asked": say("Asked for a step"),
    "granted": say("Agreed to a step"),
    "refused": say("Refused a step"),
    "withdrawn": say("Took a request back"),
    "closed": say("A request was closed"),
    "published": say("Published definitions"),
    "rights": say("Changed rights"),
    "invited": say("Invited a member"),
    "suspended": say("Shut a member out"),
    "resumed": say("Let a member in again"),
    "factors": say("Forgot a member’s second factors"),
    "setting": say("Changed a setting"),
    "signed_in": say("Signed in"),
    "signed_out": say("Signed out"),
    "sign_in_failed": say("Sign-in failed"),
    "acting": say("Entered an office"),
    "archived": say("Took the whole network away"),
    "imported": say("Network imported"),
    "command": say("Command of the platform"),
    "purged": say("Old rows removed"),
    "erased": say("Record erased for good"),
}
"""What kinds of rows are called."""
_ABOUT = ("record", "entity")
"""What a link from a record says: which one, and of what kind."""
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Line:
    """A row as the page shows it."""

    what: str
    who: str
    when: str
    about: str
    href: str
    more: str
    ip: str


async def listed(request: Request) -> Response:
    """Show the audit to who runs the network, with filters."""
    visit = _leader(request)
    wanted, offset = _wanted(request, visit), _offset(request)
    rows = await trail.trail(visit.tenant, visit.actor, wanted, offset, PAGE + 1)
    entity = request.query_params.get("entity", "")[:64]
    known = await trail.known(visit.tenant, visit.actor, wanted, entity)
    given = {name: text for name, text in request.query_params.items() if name != "from" and text}
    return await render(
        request,
        "audit/page.html",
        lines=[_line(visit, row) for row in rows[:PAGE]],
        further=visit.url("audit", **given, **{"from": str(offset + PAGE)}) if len(rows) > PAGE else None,
        file=visit.url("audit", "export", **given),
        given={name: request.query_params.get(name, "") for name in ("kind", "since", "until")},
        who=_who_input(visit, wanted, known),
        wanted=wanted,
        entity=entity,
        record=known.record,
        any_record=visit.url("audit", **{name: text for name, text in given.items() if name not in _ABOUT}),
        kinds=[(kind, visit.words(label)) for kind, label in KINDS.items()],
        narrowed=bool(given),
    )


def _who_input(visit: Visit, wanted: Wanted, known: trail.Known) -> Input:
    column = Column("member", visit.words(say("Who")), "reference", to="member")
    raw = (wanted.member,) if wanted.member else ()
    reader = Reader(visit.network, visit.formats)
    question = Question("member", column, required=False)
    return build(question, raw, reader, {"member": known.people}, base=visit.url("e"))


async def export(request: Request) -> Response:
    """Send what the list shows as a file."""
    visit = _leader(request)
    wanted = _wanted(request, visit)
    await auditing.granted(visit.tenant, visit.actor, "_audit", str(request.query_params))
    rows = await trail.trail(visit.tenant, visit.actor, wanted, 0, EXPORTED)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if visit.language == "fr" else ",", lineterminator="\r\n")
    heads = (say("When"), say("Who"), say("What"), say("About"), say("Details"), say("IP address"))
    writer.writerow([visit.words(head) for head in heads])
    for row in rows:
        line = _line(visit, row)
        cells = (row.at.isoformat(), line.who, line.what, line.about, line.more, line.ip)
        writer.writerow([harmless(cell) for cell in cells])
    name = f"audit-{visit.formats.today.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response((MARK + text.getvalue()).encode("utf-8", "replace"), headers=headers, media_type=TYPES["csv"])


async def mine(request: Request) -> Response:
    """Show a member who looked at the own data."""
    visit, offset = here(request), _offset(request)
    rows = await trail.looked_at(visit.tenant, visit.actor, offset)
    further = visit.url("account", "seen", **{"from": str(offset + PAGE)}) if len(rows) > PAGE else None
    lines = [_line(visit, row) for row in rows[:PAGE]]
    return await render(request, "audit/mine.html", lines=lines, further=further)


def _leader(request: Request) -> Visit:
    visit = here(request)
    if not visit.leads:
        raise NotFoundError
    return visit


def _offset(request: Request) -> int:
    given = request.query_params.get("from", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 0


def _wanted(request: Request, visit: Visit) -> Wanted:
    given = request.query_params
    kind = given.get("kind", "")
    return Wanted(
        given.get("member", "")[:64],
        given.get("record", "")[:64],
        kind if kind in KINDS else "",
        _day(visit, given.get("since", "")),
        _day(visit, given.get("until", "")),
    )


def _day(visit: Visit, given: str) -> datetime | None:
    """Return the beginning of a day; what is none narrows nothing, nor do days at the ends of time."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        return None
    return found.replace(tzinfo=visit.formats.timezone) if 1970 <= found.year < 3000 else None


def _line(visit: Visit, row: Looked) -> Line:
    entity = visit.network.entities.get(row.entity or "")
    label = "" if entity is None else visit.words(entity.label if row.record else entity.many)
    about = " · ".join(part for part in (label, row.title or _count(visit, row)) if part)
    fields = () if entity is None else (entity.fields.get(name) for name in row.fields)
    names = ", ".join(visit.words(field.label) for field in fields if field is not None)
    opens = row.title and entity is not None
    return Line(
        what=visit.words(KINDS[row.kind]),
        who=_who(visit, row),
        when=visit.formats.datetime(row.at),
        about=about,
        href=visit.url("e", row.entity or "", row.record or "") if opens else "",
        more=" · ".join(part for part in (names, _narrowed(visit, row)) if part),
        ip=row.ip or "",
    )


def _narrowed(visit: Visit, row: Looked) -> str:
    """Return what a list was searched and filtered by, in the reader's words; other details as they are."""
    entity = visit.network.entities.get(row.entity or "")
    if row.kind not in ("listed", "searched") or entity is None:
        return row.detail
    return " · ".join(_filter(visit, entity, part) for part in row.detail.split("; "))


def _filter(visit: Visit, entity: Entity, told: str) -> str:
    name, operator, value = (*told.split(" ", 2), "", "")[:3]
    about = column(Reader(visit.network, visit.formats), entity, name)
    if about is None or operator not in ("equals", "any_of"):
        return told
    values = _QUOTED.findall(value) if operator == "any_of" else [value]
    text = ", ".join(write_option(about, each) for each in values)
    return visit.words(say("{label}: {text}", label=about.label, text=text))


def _count(visit: Visit, row: Looked) -> str:
    if row.record or row.total is None:
        return ""
    return visit.catalogue.ngettext("{n} record", "{n} records", row.total)


def _who(visit: Visit, row: Looked) -> str:
    if row.platform:
        return visit.words(say("Platform"))
    if row.automatic:
        return visit.words(say("Automation"))
    if row.through:
        return visit.words(say("{name}, acting for {member}", name=row.through, member=row.who or "–"))
    return row.who or visit.words(say("Somebody"))


routes: list[BaseRoute] = [
    Route("/audit", listed, methods=["GET"]),
    Route("/audit/export", export, methods=["GET"]),
    Route("/account/seen", mine, methods=["GET"]),
]
