"""What piccolo-admin asks, answered by `models.records` and the engine: its own queries never reach the database.

The requests are those of piccolo-api's `PiccoloCRUD`. Each is one transaction as the visitor; what is refused is told
in a sentence, which its pages show as it is.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import Any

from piccolo.table import Table
from piccolo_api.crud.endpoints import PiccoloCRUD
from starlette.requests import Request
from starlette.responses import Response

from admin.api.horizon import Horizon, Seen, horizon_of
from admin.api.values import dump, titles_of
from admin.faults import STATUSES
from admin.parts.reader import Reader
from admin.piccolo.asked import Asked, asked, number
from admin.piccolo.descriptors import Descriptor
from admin.piccolo.rows import Rows
from admin.piccolo.schema import seen_schema
from admin.piccolo.writing import Form
from admin.visit import Visit, here
from models.errors import InvalidError, NotFoundError, RefusedError, RequestError
from models.message import say
from models.query import LIMIT, Query
from models.record import Record
from workflows import auditing, changes
from workflows.unit import Unit, read, write

PICKED = 50
"""How many records a reference picker offers."""
Work = Callable[[Unit], Awaitable[Any]]


class RecordsCRUD(PiccoloCRUD):
    """One entity for piccolo-admin, through the visitor's access rules."""

    descriptors: Mapping[str, Descriptor]

    def __init__(self, table: type[Table], **given: Any) -> None:
        """Take what piccolo-admin gives its own class; records can be written, whatever it says."""
        super().__init__(table, **{**given, "read_only": False})

    def describe(self, descriptors: Mapping[str, Descriptor]) -> None:
        """Take the descriptors of all entities: this table's own, and those that references point to."""
        self.descriptors = descriptors
        self.descriptor = next(one for one in descriptors.values() if one.table is self.table)
        self._schema = self.pydantic_model.model_json_schema()

    def shows(self, visit: Visit) -> bool:
        """Whether the visitor may read records of this table, or create them."""
        return self.descriptor.entity in _horizon(visit).entities

    async def get_schema(self, request: Request) -> Response:
        """Return the columns that the visitor may see, which of them refer to another table, and what may be done."""
        visit = here(request)
        try:
            seen = self._seen(visit)
        except NotFoundError as error:
            return refusal(visit, error, self.descriptor)
        readable = {name for name, other in _horizon(visit).entities.items() if other.reads}
        schema = seen_schema(deepcopy(self._schema), self.descriptor, self.descriptors, seen, readable)
        schema["extra"] |= {
            "exports": "export" in visit.tenant.published.access.functions(visit.actor),
            "screen": visit.url("e", self.descriptor.entity, ""),
        }
        return _json(schema)

    async def get_references(self, request: Request) -> Response:
        """Return the tables whose records refer to this one's, as far as the visitor may see that they do."""
        entities = _horizon(here(request)).entities
        found = [
            {"tableName": other.title, "columnName": described.name}
            for other in self.descriptors.values()
            for described in other.columns.values()
            if described.to == self.descriptor.entity
            and other.entity in entities
            and described.name in entities[other.entity].fields
        ]
        return _json({"references": found})

    async def get_ids(self, request: Request) -> Response:
        """Return titles by id, for reference pickers; `search` looks through the entity's searched fields."""
        params = request.query_params
        limit = max(1, min(number(params.get("limit"), PICKED), LIMIT))
        query = Query(q=params.get("search", ""), limit=limit, offset=number(params.get("offset"), 0))

        async def work(unit: Unit) -> dict[str, str]:
            page = await unit.records.list(self.descriptor.entity, query)
            return {record.id: record.title for record in page.records}

        return await self._answer(request, read, work)

    async def get_count(self, request: Request) -> Response:
        """Return how many records the list has."""

        async def work(unit: Unit) -> dict[str, int]:
            count = await unit.records.count(self.descriptor.entity, self._asked(request).query)
            return {"count": count, "page_size": self.page_size}

        return await self._answer(request, read, work)

    async def get_all(self, request: Request, params: dict[str, Any] | None = None) -> Response:
        """Return one page of records; more at once than a list shows is an export, which needs the function."""
        visit = here(request)

        async def work(unit: Unit) -> dict[str, Any]:
            wanted = self._asked(request)
            if wanted.exports and "export" not in unit.published.access.functions(unit.actor):
                raise RefusedError(say("Your access level may not export."))
            unit.records.exporting = wanted.exports
            records = await self._read(unit, wanted)
            rows = await self._rows(unit, visit, records, wanted.names)
            if not wanted.readable:
                return {"rows": rows.plain(records)}
            return {"rows": rows.sheet(records) if wanted.exports else rows.listed(records)}

        answer = await self._answer(request, read, work)
        if answer.status_code == 200 and (wanted := self._asked(request)).exports:
            await auditing.granted(visit.tenant, visit.actor, self.descriptor.entity, wanted.query.told)
        return answer

    async def get_new(self, request: Request) -> Response:
        """Return what stands in the form of a new record."""
        visit = here(request)

        async def work(unit: Unit) -> dict[str, Any]:
            form = self._form(visit)
            if not form.seen.creates:
                raise RefusedError(say("You may not create this."))
            blank = await form.blank(unit.records)
            people = {value["id"] for name, value in blank.items() if name == "owner"}
            titles = {"member": await unit.records.labels("member", people)} if people else {}
            names = tuple(name for name in form.seen.fields if name in self.descriptor.columns)
            return Rows(self.descriptor, _reader(visit), names, titles).form(blank)

        return await self._answer(request, read, work)

    async def root(self, request: Request) -> Response:
        """Return the list, or create a record."""
        return await (self.get_all(request) if request.method in {"GET", "HEAD"} else self._create(request))

    async def detail(self, request: Request) -> Response:
        """Return, change or delete one record."""
        match request.method:
            case "PUT" | "PATCH":
                return await self._update(request)
            case "DELETE":
                return await self._delete(request)
            case _:
                return await self._single(request)

    async def _single(self, request: Request) -> Response:
        visit = here(request)

        async def work(unit: Unit) -> dict[str, Any]:
            self._seen(visit)
            record = await unit.records.get(self.descriptor.entity, str(request.path_params["row_id"]))
            return await self._one(unit, visit, record)

        return await self._answer(request, read, work)

    async def _create(self, request: Request) -> Response:
        visit, sent = here(request), await request.body()

        async def work(unit: Unit) -> dict[str, Any]:
            form = self._form(visit)
            values = form.first(await form.blank(unit.records), _body(sent))
            record = await changes.create(unit, self.descriptor.entity, values)
            return await self._one(unit, visit, record)

        return await self._answer(request, write, work, status=201)

    async def _update(self, request: Request) -> Response:
        visit, sent = here(request), await request.body()

        async def work(unit: Unit) -> dict[str, Any]:
            form, name = self._form(visit), self.descriptor.entity
            record = await unit.records.get(name, str(request.path_params["row_id"]))
            changed = form.changes(record, _body(sent))
            change = await changes.update(unit, name, record.id, record.version, changed)
            return await self._one(unit, visit, change.after)

        return await self._answer(request, write, work)

    async def _delete(self, request: Request) -> Response:
        visit = here(request)

        async def work(unit: Unit) -> None:
            self._seen(visit)
            await changes.delete(unit, self.descriptor.entity, str(request.path_params["row_id"]), None)

        return await self._answer(request, write, work, status=204)

    async def _read(self, unit: Unit, wanted: Asked) -> list[Record]:
        found: list[Record] = []
        for part in wanted.parts():
            page = await unit.records.list(self.descriptor.entity, part)
            found += page.records
            if len(page.records) < part.limit:
                break
        return found

    async def _one(self, unit: Unit, visit: Visit, record: Record) -> dict[str, Any]:
        rows = await self._rows(unit, visit, [record], self._names(visit))
        return rows.form(record.values)

    async def _rows(self, unit: Unit, visit: Visit, records: list[Record], names: tuple[str, ...]) -> Rows:
        references = {name: to for name, to in self._seen(visit).references.items() if name in names}
        titles = await titles_of(unit.records, records, references)
        return Rows(self.descriptor, _reader(visit), names, titles)

    def _asked(self, request: Request) -> Asked:
        return asked(request.query_params, self._names(here(request)), self.page_size)

    def _seen(self, visit: Visit) -> Seen:
        return _horizon(visit).entity(self.descriptor.entity)

    def _names(self, visit: Visit) -> tuple[str, ...]:
        """Return the columns that the visitor may see in any record, in the order of the definition."""
        seen = self._seen(visit)
        return tuple(name for name in self.descriptor.columns if name in seen.fields)

    def _form(self, visit: Visit) -> Form:
        return Form(visit.network, self._seen(visit))

    async def _answer(
        self, request: Request, door: Callable[..., Awaitable[Any]], work: Work, status: int = 200
    ) -> Response:
        visit = here(request)
        try:
            found = await door(visit.tenant, visit.actor, work)
        except RequestError as error:
            return refusal(visit, error, self.descriptor)
        return Response(status_code=204) if status == 204 else _json(found, status)


def refusal(visit: Visit, error: RequestError, descriptor: Descriptor) -> Response:
    """Return a refusal in the visitor's language: piccolo-admin shows a text as it is, one line a field."""
    lines = [visit.words(error.message)]
    if isinstance(error, InvalidError):
        seen = _horizon(visit).entities.get(descriptor.entity)
        known = {*seen.fields, *seen.writes} if seen is not None else set()  # a hidden field has no label either
        labels = {name: described.label for name, described in descriptor.columns.items() if name in known}
        lines = [
            visit.words(say("{label}: {problem}", label=labels.get(name, name), problem=visit.words(problem)))
            if name
            else visit.words(problem)
            for name, problem in error.fields.items()
        ] or lines
    return Response("\n".join(lines), STATUSES.get(type(error), 400), media_type="text/plain")


def _body(sent: bytes) -> dict[str, Any]:
    try:
        found = json.loads(sent)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidError({"": say("The browser sent something that cannot be read.")})
    return found


def _horizon(visit: Visit) -> Horizon:
    return horizon_of(visit.tenant.published, visit.actor)


def _reader(visit: Visit) -> Reader:
    return Reader(visit.network, visit.formats)


def _json(found: Any, status: int = 200) -> Response:
    return Response(dump(found), status, media_type="application/json")
