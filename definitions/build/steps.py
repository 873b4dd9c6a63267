"""The steps of an automation."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, cast

from definitions.build import messages
from definitions.build.bodies import body_of
from definitions.build.draft import Around, Draft, entries, mapping, number, optional_word, word
from definitions.build.giving import assign, run
from definitions.build.lines import line_of
from definitions.build.loops import for_each
from definitions.build.member import MEMBER
from definitions.build.processes import form_shapes, set_values
from definitions.build.references import process_part
from definitions.build.subjects import subject
from definitions.build.values import computed, is_expression, value_of
from definitions.duration import Duration
from definitions.expr import DATE, DATETIME, DURATION, Expression, RecordOf, Type
from definitions.message import say
from definitions.problems import Place, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence
from definitions.spec.automation import (
    Action,
    Body,
    Branch,
    Choose,
    Create,
    Move,
    Retry,
    SetFields,
    Step,
    Stop,
    Task,
    Wait,
    Webhook,
)
from definitions.spec.entity import Field
from definitions.spec.value import Value
from definitions.text import plain

BESIDE = frozenset({"id", "if", "on_error", "retry", "record", "else", "as", "do"})
"""Keys of a step that are not its action."""
GOES_WITH: MappingType[str, str] = {"else": "choose", "as": "for_each", "do": "for_each"}
"""Keys that belong to one action, beside it."""

_ADDRESS_OF_WEB = Field("url", "url", plain(""), Place("", 1, 1))
_SPAN = Field("for", "duration", plain(""), Place("", 1, 1))


class Shared(TypedDict):
    """What every step has."""

    path: str
    place: Place
    id: str | None
    condition: Expression | None
    on_error: Literal["stop", "continue"]
    retry: Retry | None
    subject: Value | None


@dataclass(frozen=True, slots=True)
class Steps:
    """Builds steps; names that a step makes are in scope in the ones after it.

    `entity` is what the steps are about by themselves, `items` the names of records that loops around go through, with
    their entities.
    """

    draft: Draft
    entity: str | None
    hints: MappingType[str, str]
    items: tuple[tuple[str, str], ...] = ()

    def each(self, node: Node | None, names: MappingType[str, Type], path: str) -> tuple[Step, ...]:
        """Return the steps of a list."""
        known = dict(names)
        found: list[Step] = []
        for position, item in enumerate(node.items if isinstance(node, Sequence) else ()):
            body = mapping(item)
            step = None if body is None else self._step(body, known, f"{path}/{position}")
            if step is not None:
                found.append(step)
                if isinstance(step, Create) and step.as_name is not None:
                    known[step.as_name] = self.draft.record_type(step.entity)
        return tuple(found)

    def _step(self, body: Mapping, names: dict[str, Type], path: str) -> Action | None:
        actions = [name for name in body.entries if name not in BESIDE]
        if not actions and self.damaged():
            return None
        if len(actions) != 1:
            what = say("no action") if not actions else say("several actions: {actions}", actions=", ".join(actions))
            self.draft.unfit(
                "automation.action",
                body.place,
                say("This step has {what}.", what=what),
                say("A step is exactly one action."),
            )
            return None
        name = actions[0]
        self._beside(body, name)
        build = ACTIONS.get(name)
        if build is None:
            return None
        entity, of = subject(self, body, name, names)
        return build(replace(self, entity=entity), body, names, {**self._shared(body, names, path), "subject": of})

    def _beside(self, body: Mapping, action: str) -> None:
        for key, other in GOES_WITH.items():
            if key in body.entries and action != other:
                sentence = say("'{key}' goes with '{action}' only.", key=key, action=other)
                hint = say("Put it beside '{action}'.", action=other)
                self.draft.report(f"automation.{key}", body.entries[key].key.place, sentence, hint)

    def damaged(self) -> bool:
        """Whether something of the automation was left out, so that what seems to be missing may be there."""
        return self.draft.current is not None and self.draft.current.damaged

    def _shared(self, body: Mapping, names: dict[str, Type], path: str) -> Shared:
        retry = mapping(body.get("retry"))
        return {
            "path": path,
            "place": body.place,
            "id": optional_word(body.get("id")),
            "condition": self.condition(body.get("if"), names),
            "on_error": cast("Literal['stop', 'continue']", word(body.get("on_error")) or "stop"),
            "retry": None if retry is None else Retry(number(retry.get("times"), 5), self._backoff(retry)),
            "subject": None,
        }

    def _backoff(self, retry: Mapping) -> Duration | None:
        return self.draft.duration(retry.get("backoff"))

    def around(self, names: MappingType[str, Type]) -> Around:
        """Return what is in scope of an expression here."""
        return Around(names, hints=self.hints)

    def condition(self, node: Node | None, names: MappingType[str, Type]) -> Expression | None:
        """Return a condition over what is in scope here."""
        return self.draft.condition(node, self.around(names))

    def set(self, body: Mapping, names: dict[str, Type], shared: Shared) -> SetFields | None:
        """Build `set`."""
        if self.needs_record(body, "set"):
            return SetFields(**shared, values=dict(set_values(self.draft, self.entity, body.get("set"), names)))
        return None

    def needs_record(self, body: Mapping, action: str) -> bool:
        """Whether the automation has a record; reports it when not."""
        if self.entity is None and not self.damaged():
            place = body.entries[action].key.place
            sentence = say("There is no record that '{action}' could be about.", action=action)
            self.draft.unfit("automation.no_record", place, sentence, say("Use 'every' with 'for_each'."))
        return self.entity is not None

    def create(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Create | None:
        """Build `create`."""
        inner = mapping(body.get("create"))
        entity = inner.get("entity") if inner else None
        if inner is None or not isinstance(entity, Scalar) or not self.draft.known("entity", entity, extra=[MEMBER]):
            return None
        name = inner.get("as")
        if isinstance(name, Scalar) and name.text in names:
            sentence = say("'{name}' has a meaning here already.", name=name.text)
            self.draft.unfit("automation.name_taken", name.place, sentence, say("Choose another name."))
        values = dict(set_values(self.draft, entity.text, inner.get("values"), names, new=True))
        self._required(inner, entity, values)
        return Create(**shared, entity=entity.text, values=values, as_name=optional_word(name))

    def _required(self, inner: Mapping, entity: Scalar, values: MappingType[str, Value]) -> None:
        """Report the required fields of a new record that get no value."""
        written = {name for name, _, _ in entries(inner.get("values"))} | set(values)
        source = self.draft.source("entity", entity.text)
        fields = mapping(source.raw.get("fields")) if source and source.raw else None
        needed = [] if line_of(self.draft, entity.text) is None else ["parent"]
        for name, shape in self.draft.shapes.get(entity.text, {}).items():
            body = mapping(fields.get(name)) if fields else None
            default = shape.default is not None or (body is not None and "default" in body.entries)
            if shape.required and not default:
                needed.append(name)
        for name in needed:
            if name not in written:
                sentence = say("A new {entity} needs a value for '{name}'.", entity=entity.text, name=name)
                place = inner.entries["values"].key.place
                self.draft.report("automation.required_field", place, sentence, say("Add '{name}: …'.", name=name))

    def move(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Move | None:
        """Build `move`."""
        node = body.get("move")
        inner = mapping(node)
        transition = node if inner is None else inner.get("transition")
        if not isinstance(transition, Scalar):
            return None
        found = process_part(self.draft, transition, "transitions", entity=None if inner else self.entity)
        if found is None:
            return None
        process, name, entity = found
        record = inner.get("record") if inner else None
        self._about(transition, entity, record)
        of = self._computed(record, names, self.draft.record_type(entity))
        form = dict(self._form(inner, process, name, names))
        return Move(**shared, process=process, transition=name, record=of, form=form)

    def _about(self, node: Scalar, entity: str, record: Node | None) -> None:
        if record is None and entity != self.entity and not self.damaged():
            what = say("the record is a {entity}", entity=self.entity) if self.entity else say("there is no record")
            sentence = say("'{written}' moves a {entity}, but {what}.", written=node.text, entity=entity, what=what)
            self.draft.unfit(
                "automation.move_entity", node.place, sentence, say("Say which: {record: =…, transition: …}.")
            )

    def _form(
        self, inner: Mapping | None, process: str, transition: str, names: dict[str, Type],
    ) -> list[tuple[str, Value]]:  # fmt: skip
        shapes = form_shapes(self.draft, process, transition)
        found = []
        for name, key, value in entries(inner.get("form") if inner else None):
            shape = shapes.get(name)
            self.draft.notes.name(("question", process, transition, name), key)
            if shape is None:
                sentence = say("The form of {transition} has no question '{name}'.", transition=transition, name=name)
                self.draft.unfit("automation.form_field", key.place, sentence, did_you_mean(name, shapes))
                continue
            each = value_of(self.draft, value, shape, names)
            if each is not None:
                found.append((name, each))
        return found

    def task(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Task | None:
        """Build `task`."""
        inner = mapping(body.get("task"))
        if inner is None:
            return None
        return Task(
            **shared,
            title=self.draft.text(inner.get("title")),
            for_member=self._computed(inner.get("for"), names, RecordOf(MEMBER)),
            due=self._moment(inner.get("due"), names),
            about=self._computed(inner.get("about"), names, None),
        )

    def _computed(self, node: Node | None, names: dict[str, Type], expect: Type | None) -> Value | None:
        if node is None:
            return None
        if is_expression(node):
            return computed(self.draft, node, self.around(names), expect)
        hint = say("Write: ={node}.", node=word(node)) if isinstance(node, Scalar) else ""
        self.draft.report("value.type", node.place, say("Here stands an expression."), hint)
        return None

    def _moment(self, node: Node | None, names: dict[str, Type]) -> Value | None:
        if node is None:
            return None
        if is_expression(node):
            return computed(self.draft, node, self.around(names), (DATETIME, DATE))
        moment = Field("until", "datetime", plain(""), node.place)
        return value_of(self.draft, node, moment, names)

    def webhook(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Webhook | None:
        """Build `webhook`."""
        inner = mapping(body.get("webhook"))
        url = value_of(self.draft, inner.get("url"), _ADDRESS_OF_WEB, self.around(names)) if inner else None
        if inner is None or url is None:
            return None
        return Webhook(**shared, url=url, body=self._body(inner.get("body"), self.around(names)))

    def _body(self, node: Node | None, around: Around) -> MappingType[str, Body] | None:
        written = mapping(node)
        if written is None:
            return None
        parts = ((name, body_of(self.draft, value, around)) for name, _, value in entries(written))
        return {name: part for name, part in parts if part is not None}

    def wait(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Wait | None:
        """Build `wait`."""
        inner = mapping(body.get("wait"))
        if inner is None:
            return None
        if ("for" in inner.entries) == ("until" in inner.entries):
            place = body.entries["wait"].key.place
            sentence = say("'wait' says either how long ('for') or until when ('until').")
            self.draft.unfit(
                "automation.wait", place, sentence, say("Write {for: 3d} or {until: =record.next_call_at}.")
            )
        span = inner.get("for")
        duration = (
            computed(self.draft, span, self.around(names), DURATION)
            if span is not None and is_expression(span)
            else value_of(self.draft, span, _SPAN, names)
        )
        return Wait(
            **shared,
            duration=duration,
            until=self._moment(inner.get("until"), names),
            cancel_if=self.condition(inner.get("cancel_if"), names),
            timeout=self.draft.duration(inner.get("timeout")),
        )

    def choose(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Choose:
        """Build `choose`, with `else` beside it."""
        node = body.get("choose")
        path = shared["path"]
        branches = []
        for position, item in enumerate(node.items if isinstance(node, Sequence) else ()):
            inner = mapping(item)
            if inner is None:
                continue
            condition = self.condition(inner.get("if"), names)
            steps = self.each(inner.get("do"), names, f"{path}/choose/{position}/do")
            if condition is not None:
                branches.append(Branch(condition, steps, inner.place))
        otherwise = self.each(body.get("else"), names, f"{path}/else")
        return Choose(**shared, branches=tuple(branches), otherwise=otherwise)

    def stop(self, body: Mapping, names: dict[str, Type], shared: Shared) -> Stop:
        """Build `stop`."""
        del body, names
        return Stop(**shared)


_Build = Callable[[Steps, Mapping, dict[str, Type], Shared], Action | None]
ACTIONS: dict[str, _Build] = {
    "email": messages.email,
    "sms": messages.sms,
    "notify": messages.notify,
    "document": messages.document,
    "set": Steps.set,
    "create": Steps.create,
    "move": Steps.move,
    "task": Steps.task,
    "webhook": Steps.webhook,
    "wait": Steps.wait,
    "choose": Steps.choose,
    "for_each": for_each,
    "assign": assign,
    "run": run,
    "stop": Steps.stop,
}
