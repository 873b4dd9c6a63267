"""The whole description, put together and kept for each version, set of levels and language."""

from __future__ import annotations

import json
from typing import Any

from admin.api.call import Answer, Call
from admin.api.files import FILE, takes_files
from admin.api.horizon import Horizon
from admin.api.openapi import answers, schemas
from admin.api.openapi.entities import EntityPaths, Paths, contents
from admin.api.openapi.operations import Parts
from admin.api.openapi.schemas import Schema, ref
from admin.api.problems import Words
from admin.under_way import TYPE
from models.message import say
from models.settings import setting_field, settings_of
from workflows.unit import Unit


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
        paths |= EntityPaths(seen, parts).paths(imports=horizon.imports)
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
        "/definitions/simulate": {"post": _told(make(
            "definitions.simulate", tag, say("Say what definitions would have done in the last days"),
            {200: ref("Simulation")}, body=answers.publication("automation", "process", "days"),
        ))},
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
    page = schemas.items(
        ref("Run"), next={"type": ["integer", "null"]}, counts={"type": "object"}, lost={"type": "integer"}
    )
    asked = ["state", "offset", "automation"]
    found: Paths = {
        "/runs": {"get": make("runs.list", tag, say("Runs of automations"), {200: page}, query=asked)},
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
    if any(transition.bulk for seen in horizon.entities.values() for _, transition in seen.moves):
        paths |= _jobs(parts)
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
    file = make(
        "approvals.files", tag, say("File that was given with a request"), {200: {}}, path=[*path, "field"],
        headers=["ETag"],
    )  # fmt: skip
    return {
        "/approvals": {"get": listed},
        f"{base}/files/{{field}}": {"get": contents(file)},
        f"{base}/grant": {"post": grant},
        f"{base}/refuse": {"post": refuse},
        f"{base}/withdraw": {"post": withdraw},
    }


def _jobs(parts: Parts) -> Paths:
    """Return the operations of what is done to many records in the background."""
    make, tag = parts.operation, parts.words(say("Jobs"))
    path, base = ["job"], "/jobs/{job}"
    seen = make("jobs.read", tag, say("How far a job is"), {200: ref("Job")}, path=path, query=["offset"])
    cancel = make("jobs.cancel", tag, say("Leave the rest of a job"), {200: ref("Job")}, path=path, writes=True)
    undo = make(
        "jobs.undo", tag, say("Take back what a job did"), {202: ref("Job")}, path=path, writes=True,
        headers=["Location"],
    )  # fmt: skip
    return {base: {"get": seen}, f"{base}/cancel": {"post": cancel}, f"{base}/undo": {"post": undo}}


def _told(found: dict[str, Any]) -> dict[str, Any]:
    """Return an operation that tells how far it is to who wants lines of JSON."""
    found["responses"]["200"]["content"][TYPE] = {"schema": ref("Progress")}
    return found
