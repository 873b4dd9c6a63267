"""The whole description, put together and kept for each version, set of levels and language."""

from __future__ import annotations

import json
from typing import Any

from admin.api.asked import LIST
from admin.api.call import Answer, Call
from admin.api.files import FILE, takes_files
from admin.api.horizon import Horizon, Seen
from admin.api.openapi import answers, schemas
from admin.api.openapi.operations import Parts
from admin.api.openapi.schemas import Schema, ref
from admin.api.problems import Words
from models.message import say
from models.settings import setting_field, settings_of
from models.sniffing import KINDS
from models.uploads import FILES
from workflows.unit import Unit

Paths = dict[str, dict[str, Any]]


async def openapi(call: Call) -> Answer:
    """Return the description of what the caller's levels may see and do."""

    async def work(unit: Unit) -> Answer:
        return Answer(text=described(call.horizon(unit), call.tenant.name, call.catalogue.language, call.words))

    return await call.read(work)


def described(horizon: Horizon, network: str, language: str, words: Words) -> str:
    """Return the description as JSON text; made once."""
    found = horizon.documents.get(language)
    if found is None:
        found = horizon.documents[language] = json.dumps(document(horizon, network, words), ensure_ascii=False)
    return found


def document(horizon: Horizon, network: str, words: Words) -> dict[str, Any]:
    """Return the description of one network for the levels of `horizon`."""
    parts = Parts(words)
    paths = _general(horizon, parts)
    if horizon.administers:
        publish = parts.operation(
            "definitions.publish", parts.words(say("The network")), say("Publish definitions"),
            {200: ref("Published")}, body=answers.publication("note", "allow_loss", "base"), publishes=True,
        )  # fmt: skip
        paths["/definitions"]["post"] = publish
        paths |= _publishing(parts)
        paths["/settings"] = _settings(horizon, parts)
        paths |= _runs(parts)
    if takes_files(horizon):
        paths["/uploads"] = {"post": _upload(parts)}
    found: dict[str, Schema] = answers.schemas_of(words)
    for seen in horizon.entities.values():
        paths |= _Entity(seen, parts).paths(imports=horizon.imports)
        name = seen.entity.name
        found[name] = schemas.record(seen, words)
        if seen.creates:
            found[f"{name}.new"] = schemas.new(seen, words)
        if seen.updates and seen.reads:
            found[f"{name}.change"] = schemas.change(seen, words)
    if not horizon.changes:
        paths = {path: {"get": methods["get"]} for path, methods in paths.items() if "get" in methods}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": words(horizon.network.label),
            "version": str(horizon.published.version),
            "description": words(
                say("What your access levels see and do of this network. Decimals are texts, moments are in UTC.")
            ),
        },
        "servers": [{"url": f"/n/{network}/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {**parts.components(), "schemas": found},
    }


def _upload(parts: Parts) -> dict[str, Any]:
    """Return the operation that takes a file in."""
    made = {"type": "object", "properties": {"id": {"type": "string"}, **schemas.ATTACHMENT["properties"]}}
    found = parts.operation(
        "uploads.add", parts.words(say("Files")), say("Upload a file; its id is what a field is given, for a day"),
        {201: {**made, "required": list(made["properties"])}}, body={},
    )  # fmt: skip
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {"type": "object", "properties": {FILE: file}, "required": [FILE]}
    found["requestBody"] = {"content": {"multipart/form-data": {"schema": form}}, "required": True}
    return found


def _publishing(parts: Parts) -> Paths:
    """Return the operations of who runs the network, beside reading the definitions."""
    make, tag = parts.operation, parts.words(say("The network"))
    done, terms = {200: ref("Published")}, answers.TERMS
    listed = {200: schemas.items(ref("Version"))}
    one = "/definitions/versions/{version}"
    return {
        "/definitions/plan": {
            "post": make(
                "definitions.plan", tag, say("Say what publishing would change"), {200: ref("Plan")},
                body=answers.publication("allow_loss"),
            ),
        },
        "/definitions/check": {
            "post": make(
                "definitions.check", tag, say("Say what is wrong with definitions"),
                {200: schemas.items(ref("DefinitionProblem"))}, body=answers.publication(),
            ),
        },
        "/definitions/simulate": {
            "post": make(
                "definitions.simulate", tag, say("Say what definitions would have done in the last days"),
                {200: ref("Simulation")}, body=answers.publication("automation", "process", "days"),
            ),
        },
        "/definitions/versions": {
            "get": make(
                "definitions.versions", tag, say("The versions of the definitions"), listed, query=["before"]
            ),
        },
        one: {
            "get": make(
                "definitions.version", tag, say("A version of the definitions with its files"),
                {200: ref("Version")}, path=["version"],
            ),
        },
        "/reasons": {
            "get": make(
                "reasons", tag, say("Why a member may do something or not"), {200: ref("Reasons")},
                query=["member", "entity", "record", "ask"],
            ),
        },
        f"{one}/roll-back": {
            "post": make(
                "definitions.roll_back", tag, say("Publish an earlier version once more"), done,
                path=["version"], body=terms, optional=True, publishes=True,
            ),
        },
    }  # fmt: skip


def _settings(horizon: Horizon, parts: Parts) -> dict[str, Any]:
    """Return what is done with the settings: each is sent by its name, null for the definition's value."""
    tag, listed = parts.words(say("The network")), {200: schemas.items(ref("Setting"))}
    known = {name: setting_field(setting) for name, setting in settings_of(horizon.network).items()}
    body: Schema = {
        "type": "object",
        "properties": {
            name: schemas.told(schemas.nullable(schemas.sent(field)), field, parts.words)
            for name, field in known.items()
        },
        "additionalProperties": False,
    }
    return {
        "get": parts.operation("settings.list", tag, say("The settings of the network"), listed),
        "patch": parts.operation(
            "settings.change", tag, say("Change settings of the network"), listed, body=body, writes=True
        ),
    }


def _runs(parts: Parts) -> Paths:
    """Return what is seen of runs and decided about them."""
    make, tag = parts.operation, parts.words(say("Automations"))
    page = schemas.items(ref("Run"), next={"type": ["integer", "null"]}, counts={"type": "object"})
    found: Paths = {
        "/runs": {"get": make("runs.list", tag, say("Runs of automations"), {200: page}, query=["state", "offset"])},
        "/runs/{run}": {"get": make("runs.read", tag, say("A run with its steps"), {200: ref("Run")}, path=["run"])},
    }
    for name, said in (
        ("retry", say("Try the step again at which a run failed")),
        ("skip", say("Let a run go on behind its step")),
        ("cancel", say("End a run, or put one aside that failed")),
    ):
        operation = make(f"runs.{name}", tag, said, {200: ref("Run")}, path=["run"], writes=True)
        found[f"/runs/{{run}}/{name}"] = {"post": operation}
    return found


def _general(horizon: Horizon, parts: Parts) -> Paths:
    """Return the operations that are about no entity."""
    me, work, figures = (parts.words(each) for each in (say("The network"), say("Tasks"), say("Statistics")))
    make = parts.operation
    paths: Paths = {
        "/me": {"get": make("me", me, say("Who the token acts for"), {200: ref("Me")})},
        "/definitions": {"get": make("definitions", me, say("The network's definitions"), {200: ref("Definitions")})},
        "/openapi.json": {"get": make("openapi", me, say("This description"), {200: {"type": "object"}})},
        "/tasks": {
            "get": make("tasks.list", work, say("My tasks"), {200: schemas.items(ref("Task"))}, query=["done"]),
            "post": make(
                "tasks.add", work, say("Add a task"), {201: ref("Created")}, body=ref("Task.new"), writes=True
            ),
        },
    }
    for name, said in (("done", say("Mark a task as done")), ("reopen", say("Reopen a task"))):
        operation = make(f"tasks.{name}", work, said, {204: None}, path=["task"], writes=True)
        paths[f"/tasks/{{task}}/{name}"] = {"post": operation}
    paths |= _notices(parts)
    paths |= _approvals(parts)
    listed = {200: schemas.items(ref("StatisticSummary"))}
    paths["/statistics"] = {"get": make("statistics.list", figures, say("The statistics"), listed)}
    for name, statistic in horizon.statistics.items():
        said = say("Statistic: {label}")
        operation = make(f"statistics.{name}", figures, said, {200: ref("Statistic")}, label=statistic.label)
        paths[f"/statistics/{name}"] = {"get": operation}
    return paths


def _notices(parts: Parts) -> Paths:
    """Return the operations of the caller's own notifications."""
    make, tag = parts.operation, parts.words(say("Notifications"))
    page = schemas.items(ref("Notice"), next={"type": ["string", "null"]})
    listed = make("notices.list", tag, say("My notifications"), {200: page}, query=["unread", "limit", "cursor"])
    one = make("notices.read", tag, say("Mark a notification as read"), {204: None}, path=["notice"], writes=True)
    every = make("notices.read_all", tag, say("Mark all notifications as read"), {204: None}, writes=True)
    return {
        "/notices": {"get": listed},
        "/notices/read": {"post": every},
        "/notices/{notice}/read": {"post": one},
    }


def _approvals(parts: Parts) -> Paths:
    """Return the operations of steps that others must agree to."""
    make, tag = parts.operation, parts.words(say("Approvals"))
    waiting, body = schemas.items(ref("Approval")), ref("Refusal")
    path, base = ["asked"], "/approvals/{asked}"
    listed = make("approvals.list", tag, say("What waits for my agreement"), {200: waiting})
    grant = make("approvals.grant", tag, say("Agree to a step"), {200: ref("Granted")}, path=path, writes=True)
    refuse = make("approvals.refuse", tag, say("Refuse a step"), {204: None}, path=path, body=body, writes=True)
    withdraw = make("approvals.withdraw", tag, say("Take my request back"), {204: None}, path=path, writes=True)
    return {
        "/approvals": {"get": listed},
        f"{base}/grant": {"post": grant},
        f"{base}/refuse": {"post": refuse},
        f"{base}/withdraw": {"post": withdraw},
    }


class _Entity:
    """Writes the operations of one entity: those that its levels may use at all."""

    def __init__(self, seen: Seen, parts: Parts) -> None:
        self.seen = seen
        self.make = parts.operation
        self.name = seen.entity.name
        self.tag = parts.words(seen.entity.many)
        self.base = f"/entities/{self.name}"
        self.words = parts.words

    def paths(self, *, imports: bool) -> Paths:
        found: Paths = {self.base: self._list()}
        if self.seen.creates and imports:
            found[f"{self.base}/bulk"] = {"post": self._bulk_create()}
        if self.seen.reads:
            found[f"{self.base}/{{id}}"] = self._record()
            found |= self._around()
            found |= self._moves()
        return found

    def _list(self) -> dict[str, Any]:
        many, one = self.seen.entity.many, self.seen.entity.label
        page = schemas.items(ref(self.name), next={"type": ["string", "null"]})
        page["properties"]["count"] = {"type": "integer"}
        found: dict[str, Any] = {}
        if self.seen.reads:
            found["get"] = self.make(
                f"{self.name}.list", self.tag, say("List: {what}"), {200: page}, query=LIST, what=many
            )
        if self.seen.creates:
            found["post"] = self.make(
                f"{self.name}.create", self.tag, say("Create: {what}"), {201: ref(self.name)},
                body=ref(f"{self.name}.new"), writes=True, headers=["ETag", "Location"], what=one,
            )  # fmt: skip
        return found

    def _bulk_create(self) -> dict[str, Any]:
        body = _bulk(ref(f"{self.name}.new"), {})
        return self.make(
            f"{self.name}.bulk", self.tag, say("Create up to 1,000 at once: {what}"), {200: ref("Bulk")},
            body=body, writes=True, what=self.seen.entity.many,
        )  # fmt: skip

    def _record(self) -> dict[str, Any]:
        label = self.seen.entity.label
        one = {200: ref(self.name)}
        found = {
            "get": self.make(
                f"{self.name}.read", self.tag, say("Read one: {what}"), one,
                path=["id"], query=["fields"], headers=["ETag"], what=label,
            ),
        }  # fmt: skip
        if self.seen.updates:
            found["patch"] = self.make(
                f"{self.name}.update", self.tag, say("Change: {what}"), one, path=["id"],
                body=ref(f"{self.name}.change"), match="needed", writes=True, headers=["ETag"], what=label,
            )  # fmt: skip
        if self.seen.deletes:
            found["delete"] = self.make(
                f"{self.name}.delete", self.tag, say("Delete: {what}"), {204: None}, path=["id"],
                match="needed", writes=True, what=label,
            )  # fmt: skip
        return found

    def _around(self) -> Paths:
        base, name, tag = f"{self.base}/{{id}}", self.name, self.tag
        history = self.make(
            f"{name}.history", tag, say("What happened to a record"), {200: schemas.items(ref("Event"))},
            path=["id"], query=["limit"],
        )  # fmt: skip
        note = self.make(
            f"{name}.note", tag, say("Write a note"), {201: ref("Created")},
            path=["id"], body=ref("Note.new"), writes=True,
        )  # fmt: skip
        tasks = self.make(
            f"{name}.tasks", tag, say("The tasks about a record"), {200: schemas.items(ref("Task"))}, path=["id"]
        )
        return {
            **{f"{base}/files/{each}": self._file(each) for each in self.seen.fields if self._holds_file(each)},
            **{f"{base}/history/{{history}}/files/{each}": self._answer(each) for each in self._asked_files()},
            f"{base}/history": {"get": history},
            f"{base}/notes": {"post": note},
            f"{base}/tasks": {"get": tasks},
        }

    def _holds_file(self, field: str) -> bool:
        return self.seen.fields[field].type in FILES

    def _asked_files(self) -> dict[str, None]:
        forms = (transition.form.values() for _, transition in self.seen.moves)
        asked = (each for form in forms for each in form if each.edits is None and each.field.type in FILES)
        return dict.fromkeys(each.name for each in asked)

    def _answer(self, name: str) -> dict[str, Any]:
        found = self.make(
            f"{self.name}.history.files.{name}", self.tag, say("File that a step's form was answered with"), {200: {}},
            path=["id", "history"], headers=["ETag"],
        )  # fmt: skip
        return {"get": self._contents(found)}

    def _file(self, field: str) -> dict[str, Any]:
        found = self.make(
            f"{self.name}.files.{field}", self.tag, say("File of a record: {label}"), {200: {}}, path=["id"],
            headers=["ETag"], label=self.seen.fields[field].label,
        )  # fmt: skip
        return {"get": self._contents(found)}

    def _contents(self, found: dict[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {kind: {"schema": {}} for kind in sorted({kind.type for kind in KINDS.values()})}
        found["responses"]["200"]["content"] = content
        return found

    def _moves(self) -> Paths:
        if not self.seen.moves:
            return {}
        base = f"{self.base}/{{id}}"
        offers = schemas.items(ref("Offer"), version={"type": "integer"})
        moved = answers.moved(ref(self.name))
        found: Paths = {
            f"{base}/transitions": {
                "get": self.make(
                    f"{self.name}.transitions", self.tag, say("The steps out of a record's states"), {200: offers},
                    path=["id"], headers=["ETag"],
                ),
            },
            f"{base}/undo/{{history}}": {
                "post": self.make(
                    f"{self.name}.undo", self.tag, say("Take a step back"), {200: moved},
                    path=["id", "history"], match="taken", writes=True,
                ),
            },
        }  # fmt: skip
        for process, transition in self.seen.moves:
            step = f"{process.name}/{transition.name}"
            name = f"{self.name}.{process.name}.{transition.name}"
            form = schemas.form(transition, self.words)
            found[f"{base}/transitions/{step}"] = {
                "post": self.make(
                    name, self.tag, say("Step: {label}"), {200: moved}, path=["id"], body=form, optional=True,
                    match="taken", writes=True, label=transition.label,
                ),
            }  # fmt: skip
            if transition.bulk:
                item = answers.moved_item(form)
                found[f"{self.base}/bulk/{step}"] = {
                    "post": self.make(
                        f"{name}.bulk", self.tag, say("Step of up to 1,000 at once: {label}"), {200: ref("Bulk")},
                        body=_bulk(item, {"form": _any(form)}), writes=True, label=transition.label,
                    ),
                }  # fmt: skip
        return found


def _any(form: Schema) -> Schema:
    return {"anyOf": [form, {"type": "object"}]}


def _bulk(item: Schema, beside: Schema) -> Schema:
    # What is wrong with an item or its form stands among the results: the whole is fine with any objects.
    items = {"type": "array", "items": _any(item), "minItems": 1, "maxItems": 1000}
    return {
        "type": "object",
        "properties": {"items": items, **beside},
        "required": ["items"],
        "additionalProperties": False,
    }
