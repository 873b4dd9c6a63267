"""The part of the description that is about one entity: its records, what is around them, its steps."""

from __future__ import annotations

from typing import Any

from admin.api.asked import LIST
from admin.api.horizon import Seen
from admin.api.openapi import answers, schemas
from admin.api.openapi.operations import Parts
from admin.api.openapi.schemas import Schema, ref
from models.message import say
from models.sniffing import KINDS
from models.uploads import FILES

Paths = dict[str, dict[str, Any]]


class EntityPaths:
    """Writes the operations of one entity: those that its levels may use at all."""

    def __init__(self, seen: Seen, parts: Parts) -> None:
        """Begin with what the levels see of the entity."""
        self.seen = seen
        self.make = parts.operation
        self.name = seen.entity.name
        self.tag = parts.words(seen.entity.many)
        self.base = f"/entities/{self.name}"
        self.words = parts.words

    def paths(self, *, imports: bool) -> Paths:
        """Return the operations by address; `imports`: the levels may create many at once."""
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
        return {"get": contents(found)}

    def _file(self, field: str) -> dict[str, Any]:
        found = self.make(
            f"{self.name}.files.{field}", self.tag, say("File of a record: {label}"), {200: {}}, path=["id"],
            headers=["ETag"], label=self.seen.fields[field].label,
        )  # fmt: skip
        return {"get": contents(found)}

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
                found[f"{self.base}/jobs/{step}"] = {
                    "post": self.make(
                        f"{name}.job", self.tag, say("Step of up to 10,000 as a job: {label}"), {202: ref("Job")},
                        body=answers.of_job(form), writes=True, headers=["Location"], label=transition.label,
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


def contents(found: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with what its answer is: a file of one of the kinds that are taken in."""
    content: dict[str, Any] = {kind: {"schema": {}} for kind in sorted({kind.type for kind in KINDS.values()})}
    found["responses"]["200"]["content"] = content
    return found
