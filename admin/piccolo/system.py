"""The system's registers in the back office: tables that can be looked through, and never written."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from piccolo.columns import BigInt, Text, Timestamptz, Varchar
from piccolo.columns.base import Column
from piccolo.engine.base import Engine
from piccolo_admin.endpoints import TableConfig
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from admin.formats import capital, locale_of
from admin.i18n import catalogue
from admin.parts.columns import column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, reference_id, write
from admin.piccolo.asked import Asked, asked
from admin.piccolo.carrying import labelled
from admin.piccolo.descriptors import Described, Descriptor, descriptor, options
from admin.piccolo.rows import harmless
from admin.piccolo.wording import CHOICES, LABELS, QUIET, TITLES
from admin.unmet import in_words
from admin.visit import Visit, here
from definitions.spec.network import Network
from definitions.text import Text as Wording
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from workflows import registers
from workflows.registers import MEMBER, Entry, Register
from workflows.registry import REGISTERS
from workflows.timeline import FieldChange
from workflows.unit import Unit, read

Words = Callable[[Message | Wording | str], str]
MEMBERS = frozenset({"member", "actor", "recipient_member"})
"""Columns that refer to a member."""
MADE: Mapping[str, tuple[str, ...]] = {
    "history": ("title", "changes"),
    **dict.fromkeys(("mail", "run", "step", "hook", "retention"), ("title",)),
}
"""Columns that are made of a row, by register."""
UNTOLD = frozenset({"before", "after"})
"""Columns that others are made of."""
LONG = frozenset({"text", "changes", "files", "error", "last_error"})


def describe_registers(
    network: Network, language: str, engine: Engine[Any], taken: Collection[str]
) -> tuple[Descriptor, ...]:
    """Return the descriptors of all registers; a title that is `taken` by an entity has its register's name behind."""
    words = _words(network, language)
    found = []
    for register in REGISTERS.values():
        title = words(TITLES[register.name])
        title = title if title not in taken else f"{title} ({register.name})"
        found.append(descriptor(register.name, title, _columns(register, network, language), engine))
    return tuple(found)


def _words(network: Network, language: str) -> Words:
    spoken = catalogue(language)
    return lambda text: spoken.words(text, *network.languages)


def _columns(register: Register, network: Network, language: str) -> Iterator[Described]:
    words = _words(network, language)
    made = [registers.Kept(name, asked=False) for name in MADE.get(register.name, ())]
    at = next((place for place, kept in enumerate(register.columns) if kept.name == "entity"), 0) + 1
    for kept in (*register.columns[:at], *made, *register.columns[at:]):
        if kept.name in UNTOLD:
            continue
        choices = _choices(register.name, kept.name, network, language)
        key = kept is register.key
        to = MEMBER if kept.name in MEMBERS else None
        yield Described(kept.name, words(LABELS[kept.name]), _column(kept, choices, key=key), to=to, choices=choices)


def _column(kept: registers.Kept, choices: Mapping[str, str], *, key: bool) -> Column:
    if key:
        return Varchar(length=64, primary_key=True, default="")
    if kept.type == "datetime":
        return Timestamptz(null=True, default=None)
    if kept.type == "integer":
        return BigInt(null=True, default=None)
    if kept.name in LONG:
        return Text(null=True, default=None)
    return Varchar(null=True, default=None, choices=options(choices))


def _choices(register: str, name: str, network: Network, language: str) -> Mapping[str, str]:
    """Return what a column can hold, by what is stored; nothing for texts."""
    words = _words(network, language)
    if (register, name) in CHOICES:
        return {value: capital(words(label)) for value, label in CHOICES[register, name].items()}
    if name == "language":
        names = locale_of(language).languages
        return {code: capital(names.get(code, code)) for code in network.languages}
    return _labels(NAMED[name](network), words) if name in NAMED else {}


def _transitions(network: Network) -> Iterator[Any]:
    return (one for process in network.processes.values() for one in process.transitions.values())


def _states(network: Network) -> Iterator[Any]:
    return (one for process in network.processes.values() for one in process.states.values())


NAMED: Mapping[str, Callable[[Network], Iterable[Any]]] = {
    "entity": lambda network: network.entities.values(),
    "process": lambda network: network.processes.values(),
    "automation": lambda network: network.automations.values(),
    "template": lambda network: network.templates.values(),
    "terms": lambda network: network.terms.values(),
    "transition": _transitions,
    "from_state": _states,
    "to_state": _states,
}
"""Columns that name something of the definitions."""


def _labels(named: Iterable[Any], words: Words) -> dict[str, str]:
    """Return labels by name; a name that several have carries all their labels."""
    found: dict[str, dict[str, None]] = {}
    for one in named:
        found.setdefault(one.name, {})[words(one.label)] = None
    return {name: " / ".join(labels) for name, labels in found.items()}


def configure(of: Descriptor, group: str) -> TableConfig:
    """Return how piccolo-admin lists a register: the newest first."""
    register = REGISTERS[of.entity]
    columns = {each._meta.name: each for each in of.table._meta.columns}  # noqa: SLF001 # Piccolo's own API
    shown = [each for name, each in columns.items() if name not in QUIET and name not in _long(register)]
    asked_for = [each for name, each in columns.items() if register.column(name) is not None]
    first = columns[_first(register)]
    link = next((each for each in shown if not of.columns[each._meta.name].choices), first)  # noqa: SLF001 # the same
    return TableConfig(
        of.table,
        visible_columns=shown,
        visible_filters=asked_for,
        link_column=link,
        order_by=[OrderBy(first, ascending=False)],
        menu_group=group,
    )


def _long(register: Register) -> frozenset[str]:
    return frozenset(kept.name for kept in register.columns if kept.long)


def _first(register: Register) -> str:
    """Return the column that the register is sorted by when nobody says otherwise."""
    return next(kept.name for kept in register.columns if kept.source == register.order)


class RegisterCRUD(PiccoloCRUD):
    """What piccolo-admin asks of a register, answered by `workflows.registers`: there is no way to write."""

    def describe(self, of: Descriptor, members: Descriptor | None) -> None:
        """Take the register's own descriptor, and that of members, whom columns refer to."""
        self.register = REGISTERS[of.entity]
        self.descriptor = of
        self.members = members

    async def get_schema(self, request: Request) -> Response:
        """Return the columns with their labels, and which of them refer to members."""
        schema = self.pydantic_model.model_json_schema()
        for name, described in self.descriptor.columns.items():
            found = schema["properties"].get(name)
            if found is None:
                continue
            found["title"] = described.label
            if described.to is not None and self.members is not None:
                found["extra"]["foreign_key"] = {"to": self.members.title, "target_column": "id"}
        schema["extra"]["exports"] = _exports(here(request))
        return JSONResponse(schema)

    async def get_references(self, request: Request) -> Response:
        """Return nothing: nothing refers to a register."""
        return JSONResponse({"references": []})

    async def get_ids(self, request: Request) -> Response:
        """Return nothing: nothing is picked out of a register."""
        return JSONResponse({})

    async def get_new(self, request: Request) -> Response:
        """Refuse: registers are written by the system."""
        return Response(status_code=405)

    async def get_count(self, request: Request) -> Response:
        """Return how many rows the list has."""

        async def work(unit: Unit) -> Any:
            wanted = self._asked(request)
            return {"count": await registers.count(unit, self.register, wanted.query), "page_size": self.page_size}

        return await _answer(request, work)

    async def root(self, request: Request) -> Response:
        """Answer lists; everything else is refused."""
        return await self.get_all(request) if request.method == "GET" else Response(status_code=405)

    async def get_all(self, request: Request, params: dict[str, Any] | None = None) -> Response:
        """Return one page of the register; a page of an export is written out under the columns' labels."""
        visit = here(request)

        async def work(unit: Unit) -> Any:
            wanted = self._asked(request)
            if wanted.exports and not _exports(visit):
                raise RefusedError(say("Your access level may not export."))
            query = replace(wanted.query, limit=wanted.size, offset=wanted.begin)
            entries = await registers.page(unit, self.register, query)
            titles = await _titles(unit, entries)
            rows = [self._listed(entry, visit, titles) for entry in entries]
            return {"rows": [self._sheet(row, wanted) for row in rows] if wanted.exports else rows}

        return await _answer(request, work)

    async def detail(self, request: Request) -> Response:
        """Return one row with its long texts."""
        if request.method != "GET":
            return Response(status_code=405)
        visit, key = here(request), str(request.path_params["row_id"])

        async def work(unit: Unit) -> Any:
            entry = await registers.entry(unit, self.register, key)
            titles = await _titles(unit, [entry])
            moments = {name: value.isoformat() for name, value in entry.items() if isinstance(value, datetime)}
            return {**self._listed(entry, visit, titles), **moments}

        return await _answer(request, work)

    def _asked(self, request: Request) -> Asked:
        return asked(request.query_params, self.descriptor.columns, self.page_size)

    def _listed(self, entry: Entry, visit: Visit, titles: Titles) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, described in self.descriptor.columns.items():
            value = entry.get(name)
            if name == "levels":
                row[name] = ", ".join(_level(visit.network, each, visit.words) for each in value or ())
            elif name == "changes":
                row[name] = "\n".join(_told(visit, entry["entity"], each, titles) for each in value or ())
            else:
                row[name] = _written(value, visit)
            if described.to is not None:
                row[name], row[f"{name}_readable"] = value, titles.get(described.to, {}).get(value or "", "")
        return row

    def _sheet(self, row: Mapping[str, Any], wanted: Asked) -> dict[str, str]:
        """Return a row as people read it, below the labels of its columns."""
        sheet = {}
        for name in wanted.names:
            described = self.descriptor.columns[name]
            value = row[f"{name}_readable"] if described.to is not None else row[name]
            text = "" if value is None else str(value)
            sheet[f"{described.label}"] = harmless(described.choices.get(text, text))
        return sheet


def _exports(visit: Visit) -> bool:
    return "export" in visit.tenant.published.access.functions(visit.actor)


async def _answer(request: Request, work: Callable[[Unit], Awaitable[Any]]) -> Response:
    visit = here(request)
    try:
        found = await read(visit.tenant, visit.actor, work)
    except NotFoundError as error:
        return Response(visit.words(error.message), status_code=404)
    except RefusedError as error:
        return Response(visit.words(error.message), status_code=403)
    except InvalidError as error:
        return Response(visit.words(error.message), status_code=400)
    return Response(json.dumps(found), media_type="application/json")


async def _titles(unit: Unit, entries: Iterable[Entry]) -> Titles:
    """Return the titles of all records that rows name, of those that the reader may see."""
    wanted: dict[str, set[str]] = {}
    for entry in entries:
        wanted.setdefault(MEMBER, set()).update(entry[name] for name in MEMBERS if entry.get(name))
        for change in entry.get("changes", ()):
            to = _target(unit.network, entry["entity"], change.field)
            if to is not None:
                values = (value for value in (change.before, change.after) if value)
                wanted.setdefault(to, set()).update(map(reference_id, values))
    return {entity: await unit.records.labels(entity, ids) for entity, ids in wanted.items()}


def _target(network: Network, entity: str, name: str) -> str | None:
    found = network.entities[entity].fields.get(name)
    if found is None:
        return MEMBER if name == "owner" else None
    return found.to if found.type == "reference" else None


def _told(visit: Visit, entity: str, change: FieldChange, titles: Titles) -> str:
    """Return a change in words: `City: Lyon → Nice`; of a hidden one only that there was one."""
    reader = Reader(visit.network, visit.formats)
    of = column(reader, visit.network.entities[entity], change.field)
    if of is None or change.hidden:
        return labelled(visit, of.label if of else change.field, "…")
    before, after = (write(of, value, reader, titles) for value in (change.before, change.after))
    return labelled(visit, of.label, f"{before} → {after}" if before else after)


def _level(network: Network, name: str, words: Words) -> str:
    return words(network.levels[name].label) if name in network.levels else name


def _written(value: Any, visit: Visit) -> Any:
    match value:
        case None:
            return ""
        case datetime():
            return visit.formats.datetime(value)
        case Message():
            return in_words(Reader(visit.network, visit.formats), value)
        case _:
            return value
