"""The schemas of what is answered beside records: problems, tasks, events, offers, figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.api.openapi.schemas import ATTACHMENT, REFERENCE, Schema, nullable, open_object, ref
from admin.api.problems import Words
from models.message import say
from workflows.jobs import MOST
from workflows.runs import STATES
from workflows.simulation import LONGEST

_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "integer"}
_YES: Schema = {"type": "boolean"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
_TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
_ANY: Schema = {}
_OBJECT: Schema = {"type": "object"}
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_CONDITIONS: Schema = {
    "type": "array",
    "items": open_object(
        {
            "text": _TEXT,
            "holds": {"type": ["boolean", "null"]},
            "values": {"type": "array", "items": open_object({"text": _TEXT, "value": _TEXT})},
        }
    ),
}
_PLACED: Schema = {"type": "array", "items": ref("DefinitionProblem")}


_REFERENCE_SENT: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "title": {"type": ["string", "null"]}},
    "required": ["id"],
    "additionalProperties": False,
}
_DEFINITION_PROBLEM = open_object(
    {
        "code": _TEXT,
        "severity": _TEXT,
        "file": _TEXT,
        "line": _NUMBER,
        "column": _NUMBER,
        "message": _TEXT,
        "hint": _TEXT,
    }
)
_SETTING = open_object(
    {"name": _TEXT, "type": _TEXT, "label": _TEXTS, "value": _ANY, "default": _ANY, "changed_at": _MAYBE_MOMENT}
)


def schemas_of(words: Words) -> dict[str, Schema]:
    """Return the schemas that every network has."""
    return {
        "Problem": _problem(words),
        "DefinitionProblem": _DEFINITION_PROBLEM,
        "Reference": REFERENCE,
        "Attachment": ATTACHMENT,
        "ReferenceSent": _REFERENCE_SENT,
        "Created": open_object({"id": _TEXT}),
        "Me": _me(),
        "Definitions": open_object({"network": _TEXT, "version": _NUMBER, "entities": _OBJECT, "processes": _OBJECT}),
        "Task": _task(),
        "Task.new": _new_task(_REFERENCE_SENT),
        "Notice": _notice(),
        "Run": _run(),
        "Approval": _approval(),
        "Granted": open_object({"missing": _NUMBER, "moved": _YES, "closed": {"type": ["string", "null"]}}),
        "Refusal": _closed({"reason": {"type": "string"}}, []),
        "Note.new": _closed({"text": {"type": "string", "minLength": 1, "maxLength": 20_000}}, ["text"]),
        "Event": _event(),
        "Offer": _offer(),
        "StatisticSummary": open_object(_summary()),
        "Statistic": open_object({**_summary(), "rows": {"type": "array", "items": _row()}}),
        "Bulk": _bulk(),
        "Job": _job(),
        "Reasons": _reasons(),
        "Version": _version(),
        "Setting": _SETTING,
        "Published": open_object({"version": _NUMBER, "hash": _TEXT, "changed": _YES}),
        "Simulation": _simulation(),
        "Progress": _progress(),
        "Plan": open_object(
            {"base": _NUMBER, "hash": _TEXT, "unchanged": _YES, "refused": _PLACED, "warnings": _PLACED}
        ),
    }


_SENT: Mapping[str, Schema] = {
    "note": {"type": "string", "maxLength": 500},
    "allow_loss": {"type": "boolean"},
    "base": {"type": ["integer", "null"]},
}
_SUBJECT: Mapping[str, Schema] = {
    "automation": {"type": ["string", "null"]},
    "process": {"type": ["string", "null"]},
    "days": {"type": ["integer", "null"], "minimum": 1, "maximum": LONGEST},
}


def publication(*terms: str) -> Schema:
    """Return the schema of definitions that are sent: the files of a pack, and what is to be done with them."""
    files: Schema = {**_TEXTS, "minProperties": 1, "propertyNames": {"minLength": 1}}
    return _closed({"files": files, **{name: {**_SENT, **_SUBJECT}[name] for name in terms}}, ["files"])


TERMS: Schema = {"type": "object", "properties": dict(_SENT), "additionalProperties": False}
"""How an earlier version is to be published once more."""


def _simulation() -> Schema:
    said = {"kind": _TEXT, "what": _TEXT, "result": _MAYBE, "count": _NUMBER, "reason": _MAYBE, "about": _ANY}
    return open_object(
        {
            "since": _MOMENT,
            "until": _MOMENT,
            "automations": _NAMES,
            "processes": _NAMES,
            "replayed": _NUMBER,
            "unfit": {"type": "object", "additionalProperties": _NUMBER},
            "lost": _NUMBER,
            "lines": {"type": "array", "items": open_object(said)},
            "totals": {"type": "object", "additionalProperties": _NUMBER},
            "more": {"type": "object", "additionalProperties": _NUMBER},
        }
    )


def _version() -> Schema:
    found = open_object(
        {
            "version": _NUMBER,
            "at": _MOMENT,
            "author": _TEXT,
            "hash": _TEXT,
            "note": _TEXT,
            "files": _NAMES,
            "current": _YES,
        }
    )
    found["properties"]["contents"] = _TEXTS
    return found


def _closed(properties: dict[str, Schema], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _problem(words: Words) -> Schema:
    found = open_object({"type": _TEXT, "title": _TEXT, "status": _NUMBER})
    found["properties"] |= {
        "detail": _TEXT,
        "fields": {**_TEXTS, "description": words(say("What is wrong, by field or parameter."))},
        "version": {"type": "integer", "description": words(say("The version that the record has now."))},
        "problems": _PLACED,
        "conditions": {**_CONDITIONS, "description": words(say("What a guard asks for, and which of it holds."))},
        "changed": {**_NAMES, "description": words(say("The definitions that were changed meanwhile."))},
    }
    return found


def _me() -> Schema:
    return open_object(
        {
            "id": _TEXT,
            "name": _MAYBE,
            "email": _MAYBE,
            "language": _TEXT,
            "levels": _NAMES,
            "functions": _NAMES,
            "administers": _YES,
            "network": open_object({"name": _TEXT, "label": _TEXTS}),
            "token": nullable(open_object({"name": _TEXT, "expires_at": _MOMENT})),
        }
    )


def _task() -> Schema:
    about = open_object({"entity": _TEXT, "id": _TEXT, "title": _TEXT})
    return open_object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "about": nullable(about),
            "member": {"anyOf": [ref("Reference"), {"type": "null"}]},
            "due_at": _MAYBE_MOMENT,
            "done_at": _MAYBE_MOMENT,
            "created_at": _MOMENT,
        }
    )


def _new_task(reference: Schema) -> Schema:
    about = _closed({"entity": _TEXT, "id": _TEXT, "title": _TEXT}, ["entity", "id"])
    return _closed(
        {
            "title": {"type": "string", "minLength": 1, "maxLength": 300},
            "about": nullable(about),
            "member": {"anyOf": [{"type": "string"}, reference, {"type": "null"}]},
            "due_at": {"type": ["string", "null"], "format": "date-time"},
        },
        ["title"],
    )


def _event() -> Schema:
    change = open_object({"field": _TEXT, "before": _ANY, "after": _ANY, "hidden": _YES})
    line = {"entity": _TEXT, "id": _TEXT, "kind": _TEXT, "title": _TEXT, "process": _MAYBE, "transition": _MAYBE}
    lines = {"type": "array", "items": open_object({**line, "changes": {"type": "array", "items": change}})}
    mail = open_object({"id": _TEXT, "recipient": _TEXT, "subject": _TEXT, "state": _TEXT, "sent_at": _MAYBE_MOMENT})
    run = open_object(
        {
            "id": _TEXT,
            "automation": _TEXT,
            "state": _TEXT,
            "why": _MAYBE,
            "conditions": _CONDITIONS,
            "ended_at": _MAYBE_MOMENT,
        }
    )
    return open_object(
        {
            "id": _TEXT,
            "at": _MOMENT,
            "kind": _TEXT,
            "actor": open_object({"kind": _TEXT, "id": _MAYBE, "name": _TEXT}),
            "process": _MAYBE,
            "transition": _MAYBE,
            "from_state": _MAYBE,
            "to_state": _MAYBE,
            "changes": {"type": "array", "items": change},
            "lines": lines,
            "text": _TEXT,
            "answers": _OBJECT,
            "automation": _MAYBE,
            "undo_until": _MAYBE_MOMENT,
            "undone": _YES,
            "mail": nullable(mail),
            "task": {"anyOf": [ref("Task"), {"type": "null"}]},
            "run": nullable(run),
        }
    )


_GRANTS: dict[str, Schema] = {"granted": _NUMBER, "granted_by": {"type": "array", "items": _TEXT}, "quorum": _NUMBER}


def _approval() -> Schema:
    about = open_object({"entity": _TEXT, "id": _TEXT, "title": _TEXT})
    who = nullable(open_object({"id": _TEXT, "title": _TEXT}))
    asked: Schema = {"id": _TEXT, "at": _MOMENT, "about": about, "process": _TEXT, "transition": _TEXT, "asked_by": who}
    answers: Schema = {"type": "object", "additionalProperties": True}
    return open_object({**asked, **_GRANTS, "answers": answers})


def _notice() -> Schema:
    about = nullable(open_object({"entity": _TEXT, "id": _TEXT, "title": _TEXT}))
    return open_object(
        {"id": _TEXT, "at": _MOMENT, "title": _TEXT, "text": _TEXT, "about": about, "read_at": _MAYBE_MOMENT}
    )


def _run() -> Schema:
    about = nullable(open_object({"entity": _TEXT, "id": _TEXT, "title": _TEXT}))
    found = open_object(
        {
            **{"id": _TEXT, "automation": _TEXT, "state": {"type": "string", "enum": list(STATES)}},
            **{"definition": _NUMBER, "actor": _MAYBE, "about": about, "reason": _MAYBE},
            **{"started_at": _MOMENT, "wake_at": _MAYBE_MOMENT, "ended_at": _MAYBE_MOMENT},
        }
    )
    told: Schema = {"type": "object"}
    step = open_object(
        {
            **{"path": _TEXT, "turn": _MAYBE, "action": _TEXT, "at": _MOMENT, "outcome": _TEXT},
            **{"inputs": told, "result": told, "reason": _MAYBE},
        }
    )
    texts: Schema = {"type": "array", "items": _TEXT}
    found["properties"] |= {
        "step": _MAYBE,
        "may": texts,
        "conditions": _CONDITIONS,
        "steps": {"type": "array", "items": step},
    }
    return found


def _offer() -> Schema:
    question: dict[str, Any] = open_object(
        {"name": _TEXT, "type": _TEXT, "label": _TEXTS, "required": _YES, "field": _MAYBE}
    )
    question["properties"] |= {"options": {"type": "object", "additionalProperties": _TEXTS}, "to": _TEXT}
    return open_object(
        {
            "process": _TEXT,
            "transition": _TEXT,
            "label": _TEXTS,
            "to": _TEXT,
            "allowed": _YES,
            "reason": _MAYBE,
            "conditions": _CONDITIONS,
            "confirm": _YES,
            "form": {"type": "array", "items": question},
            "asked": nullable(open_object({"id": _TEXT, "at": _MOMENT, "by": _TEXT, **_GRANTS, "mine": _YES})),
        }
    )


def _summary() -> dict[str, Schema]:
    return {"name": _TEXT, "label": _TEXTS, "entity": _TEXT, "measure": _TEXT, "by": _NAMES}


def _progress() -> Schema:
    """Return the schema of a line that is told meanwhile: how far it is, or at the end what came of it."""
    properties: dict[str, Schema] = {"what": _TEXT, "done": _NUMBER, "total": _NUMBER}
    return {"type": "object", "properties": {**properties, "result": ref("Simulation"), "problem": ref("Problem")}}


def _row() -> Schema:
    value = {"type": ["integer", "string", "null"]}
    return open_object({"group": {"type": "array", "items": _ANY}, "value": value, "count": _NUMBER, "merged": _YES})


def _reasons() -> Schema:
    maybe: Schema = {"type": ["boolean", "null"]}
    value = open_object({"text": _TEXT, "value": _ANY})
    part = open_object({"text": _TEXT, "holds": maybe, "values": {"type": "array", "items": value}})
    clause = {"about": _TEXT, "text": _TEXT, "file": _TEXT, "line": _NUMBER, "holds": maybe}
    reason = open_object({**clause, "parts": {"type": "array", "items": part}})
    level = open_object({"level": _TEXT, "grants": maybe, "reasons": {"type": "array", "items": reason}})
    told = {"allowed": maybe, "active": _YES, "readable": maybe, "hindrance": _MAYBE, "conditions": _CONDITIONS}
    return open_object({**told, "levels": {"type": "array", "items": level}})


def _bulk() -> Schema:
    result = open_object({"status": _NUMBER})
    result["properties"] |= {
        "id": _TEXT,
        "version": _NUMBER,
        "history": _TEXT,
        "problem": ref("Problem"),
    }
    return open_object({"done": _NUMBER, "failed": _NUMBER, "results": {"type": "array", "items": result}})


def _job() -> Schema:
    """Return the schema of a job: how far it is, and a page of the records that it failed for."""
    failure = open_object({"id": _TEXT, "title": _TEXT, "field": _MAYBE, "reason": _TEXT})
    what = {"id": _TEXT, "entity": _TEXT, "action": _TEXT, "process": _MAYBE, "transition": _MAYBE, "state": _TEXT}
    counts = {"total": _NUMBER, "done": _NUMBER, "failed": _NUMBER}
    times = {"created_at": _MOMENT, "ended_at": _MAYBE_MOMENT, "undo_until": _MAYBE_MOMENT}
    further: Schema = {"type": ["integer", "null"]}
    return open_object({**what, **counts, **times, "failures": {"type": "array", "items": failure}, "next": further})


def of_job(form: Schema) -> Schema:
    """Return the schema of what begins a job: the records by their ids, or all that a list has."""
    ids: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST}
    listed: Mapping[str, Schema] = {"filter": {"type": "string", "maxLength": 2000}, "q": {"type": "string"}}
    found = _closed({"ids": ids, **listed, "form": form}, [])
    by_ids: Schema = {"required": ["ids"], "properties": {"filter": False, "q": False}}
    by_list: Schema = {"required": ["filter"], "properties": {"ids": False}}
    return {**found, "oneOf": [by_ids, by_list]}


def moved(record: Schema) -> Schema:
    """Return the schema of what a move did."""
    told = {"history": _TEXT, "undo_until": _MAYBE_MOMENT, "asked": _YES, "left": _NUMBER}
    return open_object({"record": {"anyOf": [record, {"type": "null"}]}, **told})


def moved_item(form: Schema) -> Schema:
    """Return the schema of one of many records to be moved."""
    return _closed({"id": {"type": "string"}, "version": {"type": ["integer", "null"]}, "form": form}, ["id"])
