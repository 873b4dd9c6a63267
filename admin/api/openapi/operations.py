"""Operations of the description: what each is given and what each may answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from admin.api.openapi.schemas import Schema, ref
from admin.api.problems import MEDIA, TITLES, Words
from admin.api.runs import FURTHEST
from definitions.text import Text
from models.message import Message, say
from workflows.runs import STATES

_TEXT: Schema = {"type": "string"}
_FROM: Schema = {"type": "integer", "minimum": 0, "maximum": FURTHEST}
_FLAG: Schema = {"type": "boolean", "default": False}
_QUERY: Mapping[str, tuple[Message, Schema]] = {
    "filter": (
        say("A condition over `record` in the language of the definitions, such as `record.version > 1`."),
        {"type": "string", "maxLength": 2000},
    ),
    "sort": (
        say("The field to sort by, with `-` before it for the other way round."),
        {"type": "string", "default": "-created_at"},
    ),
    "q": (say("Words that are each found somewhere in the searched fields."), _TEXT),
    "limit": (say("How many at most."), {"type": "integer", "minimum": 1, "maximum": 500}),
    "cursor": (say("What the page before gave as `next`."), _TEXT),
    "fields": (say("The fields to answer with, separated by commas."), _TEXT),
    "count": (say("Whether to count the whole list."), _FLAG),
    "before": (say("Only the versions before this one."), {"type": "integer", "minimum": 2}),
    "member": (say("The id of the member that it is about."), _TEXT),
    "entity": (say("The entity that it is about."), _TEXT),
    "record": (say("The id of a record; without it the answer is about any record."), _TEXT),
    "ask": (
        say("What: `read`, `create`, `update`, `delete`, `read:field`, `write:field` or `move:process.transition`."),
        {"type": "string", "default": "read"},
    ),
    "unread": (say("Only those that are not read."), _FLAG),
    "state": (say("Only the runs in this state."), {"type": "string", "enum": list(STATES)}),
    "automation": (say("Only the runs of this automation."), {"type": "string"}),
    "offset": (say("So many of the list are passed over: what the page before gave as `next`."), _FROM),
    "done": (say("The tasks that are done instead of the open ones."), _FLAG),
}


_NEEDED = frozenset({"member", "entity"})


@dataclass(frozen=True, slots=True)
class Parts:
    """Writes operations, with their sentences in one language."""

    words: Words

    def operation(  # noqa: PLR0913 - an operation has that many parts
        self,
        name: str,
        tag: str,
        summary: Message,
        answers: Mapping[int, Schema | None],
        *,
        query: Iterable[str] = (),
        body: Schema | None = None,
        optional: bool = False,
        match: str = "",
        path: Iterable[str] = (),
        writes: bool = False,
        publishes: bool = False,
        headers: Iterable[str] = (),
        **places: str | Text,
    ) -> dict[str, Any]:
        """Return an operation. `match` says whether `If-Match` is `needed` or `taken`; `path` names its parameters."""
        filled = {place: self.words(text) for place, text in places.items()}
        parameters = [{"$ref": f"#/components/parameters/{each}"} for each in path]
        parameters += [self.query(each) for each in query]
        parameters += [{"$ref": "#/components/parameters/IdempotencyKey"}] if writes else []
        parameters += (
            [{"$ref": f"#/components/parameters/{'IfMatch' if match == 'needed' else 'IfMatchTaken'}"}] if match else []
        )
        found: dict[str, Any] = {
            "operationId": name,
            "tags": [tag],
            "summary": self.words(Message(summary.text, filled)),
            "responses": {
                **{str(status): self._answer(status, schema, headers) for status, schema in answers.items()},
                **self._refusals(body=body is not None, match=match, publishes=publishes),
            },
        }
        if parameters:
            found["parameters"] = parameters
        if body is not None:
            content = {"application/json": {"schema": body}}
            found["requestBody"] = {"content": content, "required": not optional}
        return found

    def query(self, name: str) -> dict[str, Any]:
        """Return a parameter of the query."""
        said, schema = _QUERY[name]
        found = {"name": name, "in": "query", "description": self.words(said), "schema": schema}
        return {**found, "required": True} if name in _NEEDED else found

    def _answer(self, status: int, schema: Schema | None, headers: Iterable[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"description": self.words(_SAID[status])}
        if schema is not None:
            found["content"] = {"application/json": {"schema": schema}}
        named = {each: {"$ref": f"#/components/headers/{each}"} for each in headers}
        return {**found, "headers": named} if named else found

    def _refusals(self, *, body: bool, match: str, publishes: bool) -> dict[str, Any]:
        statuses = [400, 401, 403, 404, 406, 422, 429, 503]
        statuses += [413, 415] if body else []
        statuses += [412] if match else []
        statuses += [409] if publishes else []
        statuses += [428] if match == "needed" else []
        return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(statuses)}

    def components(self) -> dict[str, Any]:
        """Return the parameters, headers and refusals that operations refer to."""
        key = say(
            "A text of your own; the same request sent again under it is answered, not done again. Kept for a day."
        )
        version = say("The `ETag` of the version that you read.")
        quoted = say("The version of the record, quoted.")
        problem = {MEDIA: {"schema": ref("Problem")}}
        return {
            "parameters": {
                **{
                    name: self._path(name)
                    for name in ("id", "history", "task", "version", "notice", "run", "asked", "field", "job")
                },
                "IdempotencyKey": self._header("Idempotency-Key", key, {"type": "string", "maxLength": 255}),
                "IfMatch": {**self._header("If-Match", version, {"type": "string"}), "required": True},
                "IfMatchTaken": self._header("If-Match", version, {"type": "string"}),
            },
            "headers": {
                "ETag": {"schema": _TEXT, "description": self.words(quoted)},
                "Location": {"schema": _TEXT, "description": self.words(say("Where what was made is."))},
            },
            "responses": {
                f"Problem{status}": {"description": self.words(said), "content": problem}
                for status, said in TITLES.items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        }

    def _path(self, name: str) -> dict[str, Any]:
        return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

    def _header(self, name: str, said: Message, schema: Schema) -> dict[str, Any]:
        return {"name": name, "in": "header", "description": self.words(said), "schema": schema}


_MATCH = {"needed": "IfMatch", "taken": "IfMatchTaken"}
_SAID: Mapping[int, Message] = {
    200: say("Done."),
    201: say("Created."),
    202: say("Begun; ask at `Location` how far it is."),
    204: say("Done; there is nothing more to say."),
}
