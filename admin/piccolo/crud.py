"""What piccolo-admin asks, answered by `models.records`: its own queries never reach the database.

The requests are those of piccolo-api's `PiccoloCRUD`: `<field>=…` with `<field>__operator` and `<field>__match`,
`__order`, `__page`, `__page_size`, `__readable`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from piccolo_api.crud.endpoints import PiccoloCRUD
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from admin.piccolo.descriptors import Descriptor
from admin.visit import Visit, here
from models.errors import InvalidError, NotFoundError
from models.query import LIMIT, Filter, Operator, Query
from models.record import Record
from models.records import Records
from models.tx import Tx

OPERATORS: Mapping[str, Operator] = {
    "e": "equals",
    "gt": "after",
    "gte": "at_least",
    "lt": "before",
    "lte": "at_most",
    "is_null": "empty",
    "not_null": "filled",
}
PICKED = 50
"""How many records a reference picker offers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as piccolo-admin asks for it."""

    query: Query
    size: int
    readable: bool


class RecordsCRUD(PiccoloCRUD):
    """The read side of one entity for piccolo-admin, through the visitor's access rules."""

    descriptors: Mapping[str, Descriptor]

    def describe(self, descriptors: Mapping[str, Descriptor]) -> None:
        """Take the descriptors of all entities: this table's own, and those that references point to."""
        self.descriptors = descriptors
        self.descriptor = next(one for one in descriptors.values() if one.table is self.table)

    async def get_schema(self, request: Request) -> Response:
        """Return the columns with the labels of the definitions, and which of them refer to another table."""
        schema = self.pydantic_model.model_json_schema()
        for name, described in self.descriptor.columns.items():
            column = schema["properties"].get(name)
            if column is None:
                continue
            column["title"] = described.label
            if described.to is not None:
                title = self.descriptors[described.to].title
                column["extra"]["foreign_key"] = {"to": title, "target_column": "id"}
        return JSONResponse(schema)

    async def get_references(self, request: Request) -> Response:
        """Return the tables whose records refer to this one's."""
        found = [
            {"tableName": other.title, "columnName": described.name}
            for other in self.descriptors.values()
            for described in other.columns.values()
            if described.to == self.descriptor.entity
        ]
        return JSONResponse({"references": found})

    async def get_ids(self, request: Request) -> Response:
        """Return titles by id, for reference pickers; `search` looks through the entity's searched fields."""
        limit = _number(request.query_params.get("limit"), PICKED)
        query = Query(q=request.query_params.get("search", ""), limit=max(1, min(limit, LIMIT)))

        async def work(records: Records) -> dict[str, str]:
            page = await records.list(self.descriptor.entity, query)
            return {record.id: record.title for record in page.records}

        return await self._answer(request, work)

    async def get_count(self, request: Request) -> Response:
        """Return how many records the list has."""
        asked = self._asked(request)

        async def work(records: Records) -> dict[str, int]:
            return {
                "count": await records.count(self.descriptor.entity, asked.query),
                "page_size": self.page_size,
            }

        return await self._answer(request, work)

    async def get_all(self, request: Request, params: dict[str, Any] | None = None) -> Response:
        """Return one page of records."""
        asked, visit = self._asked(request), here(request)

        async def work(records: Records) -> dict[str, Any]:
            page = await records.list(self.descriptor.entity, asked.query)
            labels = await records.reference_labels(page.records) if asked.readable else {}
            rows = [self._row(record, labels, readable=asked.readable) for record in page.records]
            return {"rows": [_written(row, visit) for row in rows] if asked.readable else rows}

        return await self._answer(request, work)

    async def detail(self, request: Request) -> Response:
        """Return one record; writes come later, through the engine."""
        if request.method != "GET":
            return Response(status_code=405)
        record_id = str(request.path_params["row_id"])
        readable = request.query_params.get("__readable", "") in {"t", "true", "True", "1"}

        async def work(records: Records) -> dict[str, Any]:
            record = await records.get(self.descriptor.entity, record_id)
            labels = await records.reference_labels([record]) if readable else {}
            return self._row(record, labels, readable=readable)

        return await self._answer(request, work)

    async def root(self, request: Request) -> Response:
        """Answer lists; everything else is refused while the back office only reads."""
        return await self.get_all(request) if request.method == "GET" else Response(status_code=405)

    async def get_new(self, request: Request) -> Response:
        """Refuse: records are created on their own screens."""
        return Response(status_code=405)

    def _asked(self, request: Request) -> Asked:
        params = request.query_params
        size = max(1, min(_number(params.get("__page_size"), self.page_size), LIMIT))
        page = max(1, _number(params.get("__page"), 1))
        names = {key.split("__", 1)[0].removesuffix("[]") for key in params if not key.startswith("__")}
        filters = tuple(
            one for name in sorted(names) if name in self.descriptor.columns for one in _filters(params, name)
        )
        order = params.get("__order", "").split(",")[0]
        sort = order if order.removeprefix("-") in self.descriptor.columns else "-created_at"
        query = Query(filters=filters, sort=sort, limit=size, offset=(page - 1) * size)
        return Asked(query, size, params.get("__readable", "") in {"t", "true", "True", "1"})

    def _row(self, record: Record, labels: Mapping[str, Mapping[str, str]], *, readable: bool) -> dict[str, Any]:
        """Return the values as they are; `_written` and `_plain` make them fit for lists and for JSON."""
        row: dict[str, Any] = {}
        for name, described in self.descriptor.columns.items():
            value = record.values.get(name)
            if described.to is None:
                row[name] = value
                continue
            target = None if value is None else str(value["id"])
            row[name] = target
            if readable:
                row[f"{name}_readable"] = labels.get(described.to, {}).get(target or "", "")
        return row

    async def _answer(self, request: Request, work: Callable[[Records], Any]) -> Response:
        visit = here(request)
        try:
            return Response(json.dumps(await read(visit, work), default=_plain), media_type="application/json")
        except NotFoundError as error:
            return Response(visit.words(error.message), status_code=404)
        except InvalidError as error:
            return Response(visit.words(error.message), status_code=400)


async def read(visit: Visit, work: Callable[[Records], Any]) -> Any:
    """Run `work` over the visitor's records, on one snapshot."""
    tenant = visit.tenant
    published, context = tenant.published, tenant.context()

    async def inside(tx: Tx) -> Any:
        return await work(Records(published, tx, visit.actor, context, new_id=tenant.new_id))

    return await tenant.store.read(inside)


def _filters(params: Mapping[str, str], name: str) -> list[Filter]:
    operator = params.get(f"{name}__operator", "e")
    if operator in {"is_null", "not_null"}:
        return [Filter(name, OPERATORS[operator])]
    value = params.get(name) or params.get(f"{name}[]")
    if value in {None, ""}:
        return []
    if params.get(f"{name}__match") in {"contains", "starts", "ends"}:
        return [Filter(name, "contains", value)]
    return [Filter(name, OPERATORS.get(operator, "equals"), value)]


def _written(row: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a row of a list as its reader writes dates and numbers; nothing where there is nothing."""
    formats = visit.formats

    def write(value: Any) -> Any:
        match value:
            case None:
                return ""
            case datetime():
                return formats.datetime(value)
            case date():
                return formats.date(value)
            case Decimal():
                return formats.number(value)
            case _:
                return value

    return {name: write(value) for name, value in row.items()}


def _plain(value: Any) -> str:
    """Return as JSON text what JSON has no type for."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return ", ".join(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def _number(text: str | None, default: int) -> int:
    """Return a number of the address; one that no list is long enough for is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default
