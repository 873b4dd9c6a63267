"""What piccolo-admin's pages ask of a list, read from their addresses.

They write `<field>=…` (or `<field>[]=…` several times) with `<field>__operator` and `<field>__match`, `__order`,
`__page`, `__page_size`, `__readable` and `__visible_fields`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from starlette.datastructures import QueryParams

from models.errors import InvalidError
from models.message import say
from models.query import LIMIT, Filter, Operator, Query

OPERATORS: Mapping[str, Operator] = {
    "e": "equals",
    "ne": "differs",
    "gt": "after",
    "gte": "at_least",
    "lt": "before",
    "lte": "at_most",
    "is_null": "empty",
    "not_null": "filled",
}
MATCHES: Mapping[str, Operator] = {"contains": "contains", "exact": "equals"}
LISTED = 100
"""How many records a page of a list holds at most; what asks for more at once is an export."""
EXPORTED = 1000
"""How many records a page of an export holds: piccolo-admin counts on as many."""
TRUE = frozenset({"t", "true", "True", "1"})
FIRST_ORDER = "-created_at"


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as it was asked for: `size` records after `begin` of `query`, with the fields `names`."""

    query: Query
    names: tuple[str, ...]
    size: int
    begin: int
    readable: bool

    @property
    def exports(self) -> bool:
        """Whether this is more than a list shows."""
        return self.size > LISTED

    def parts(self) -> tuple[Query, ...]:
        """Return the queries that together read these records."""
        begins = range(0, self.size, LIMIT)
        return tuple(
            replace(self.query, offset=self.begin + each, limit=min(LIMIT, self.size - each)) for each in begins
        )


def asked(params: QueryParams, known: Collection[str], size: int) -> Asked:
    """Return what an address asks; `InvalidError` for a name that is not `known`, an operator or match that is none.

    `size` is how many records a page has when the address does not say.
    """
    size = max(1, min(number(params.get("__page_size"), size), EXPORTED))
    page = max(1, number(params.get("__page"), 1))
    names = dict.fromkeys(key.split("__", 1)[0].removesuffix("[]") for key in params if not key.startswith("__"))
    unknown = {name[:100]: say("There is no such field.") for name in names if name not in known}
    if unknown:
        raise InvalidError(unknown)
    filters = tuple(found for name in names if (found := _filter(params, name)) is not None)
    order = params.get("__order", "").split(",")[0]
    sort = order if order.removeprefix("-") in known else FIRST_ORDER
    readable = params.get("__readable", "") in TRUE
    return Asked(Query(filters=filters, sort=sort), _fields(params, known), size, (page - 1) * size, readable)


def _fields(params: QueryParams, known: Collection[str]) -> tuple[str, ...]:
    wanted = [name for text in params.getlist("__visible_fields") for name in text.split(",") if name]
    unknown = {name[:100]: say("There is no such field.") for name in wanted if name not in known}
    if unknown:
        raise InvalidError(unknown)
    return tuple(dict.fromkeys(wanted)) or tuple(known)


def _filter(params: QueryParams, name: str) -> Filter | None:
    operator = params.get(f"{name}__operator", "e")
    match = params.get(f"{name}__match")
    if operator not in OPERATORS or (match is not None and match not in MATCHES):
        raise InvalidError({name: say("This field cannot be filtered in this way.")})
    if operator in {"is_null", "not_null"}:
        return Filter(name, OPERATORS[operator])
    values = [value for key in (name, f"{name}[]") for value in params.getlist(key) if value]
    match values:
        case []:
            return None
        case ["null"]:
            return Filter(name, "empty")
        case [value]:
            return Filter(name, OPERATORS[operator] if match is None else MATCHES[match], value)
        case _:
            return Filter(name, "any_of", values)


def number(text: str | None, default: int) -> int:
    """Return a number of the address; one that no list is long enough for is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else default
