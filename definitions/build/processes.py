"""Processes: states, and the transitions between them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace
from typing import cast

from definitions.build.draft import (
    FORM,
    Around,
    Draft,
    Names,
    entries,
    flag,
    mapping,
    optional_word,
    scalars,
    word,
)
from definitions.build.fields import member_of, needed, note_field, shape_of, with_values
from definitions.build.lines import line_of
from definitions.build.member import MEMBER
from definitions.build.notes import Notes
from definitions.build.values import value_of
from definitions.documents import Source
from definitions.expr import Choice, Member, RecordOf
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Node, Scalar
from definitions.spec.entity import SYSTEM_FIELDS, Field
from definitions.spec.process import Approval, Colour, FormField, Process, State, Transition
from definitions.spec.value import Value
from definitions.text import plain

NO_FORM = {
    "form": say("This transition has no form."),
    "before": say("A guard sees the values before the move: use record."),
}


def declare_states(draft: Draft) -> None:
    """Read the names of the states of every process, so that conditions can be checked against them."""
    declared = draft.index.declared
    for name, source in draft.index.of("process").items():
        if source.raw is None:
            continue
        groups: dict[str, tuple[str, ...]] = {}
        leaves = _leaves(source.raw.get("states"), groups)
        declared.states[name] = Choice(name, leaves, groups, ("state", name))
        if _has_parallel(source.raw.get("states")):
            declared.parallel.add(name)


def _leaves(node: Node | None, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    found: list[str] = []
    for name, _, value in entries(node):
        inner = mapping(value)
        if inner is not None and isinstance(inner.get("states"), Mapping):
            groups[name] = _leaves(inner.get("states"), groups)
            found += groups[name]
        else:
            found.append(name)
    return tuple(found)


def _has_parallel(node: Node | None) -> bool:
    bodies = [body for _, _, value in entries(node) if (body := mapping(value)) is not None]
    return any(flag(body.get("parallel")) or _has_parallel(body.get("states")) for body in bodies)


def build_processes(draft: Draft) -> dict[str, Process]:
    """Return every process that can be built."""
    return draft.each("process", _process)


def _process(draft: Draft, source: Source, node: Mapping) -> Process | None:
    written = node.get("entity")
    if not isinstance(written, Scalar) or not draft.known("entity", written, extra=[MEMBER]):
        return None
    entity = written.text
    if source.name in draft.shapes.get(entity, {}):
        sentence = say(
            "The entity {entity} has a field of the same name as the process '{name}'.", entity=entity, name=source.name
        )
        draft.unfit("process.field_clash", source.place, sentence, say("Rename one of them."))
    if source.name in {*SYSTEM_FIELDS, "owner", "parent"}:
        draft.unfit(
            "process.reserved",
            source.place,
            say("'{name}' can't be the name of a process.", name=source.name),
            say("Choose another name."),
        )
    states: dict[str, State] = {}
    for state in _states(draft, node.get("states"), None):
        if state.name in states:
            sentence = say("The process {process} has two states '{name}'.", process=source.name, name=state.name)
            hint = say("States are named without their path: give one of them another name.")
            draft.unfit("process.state_twice", state.place, sentence, hint)
        else:
            states[state.name] = state
    build = _Transitions(draft, source.name, entity, states)
    return Process(
        source.name,
        entity,
        draft.text(node.get("label"), source.name),
        source.place,
        states,
        dict(build.each(node.get("transitions"))),
        moved=dict(_moved(draft, source.name, node.get("moved"), states)),
        was=optional_word(node.get("was")),
    )


def _states(draft: Draft, node: Node | None, parent: str | None) -> Iterator[State]:
    for name, key, value in entries(node):
        body = mapping(value) or Mapping(key.place)
        inner = mapping(body.get("states"))
        yield State(
            name,
            draft.text(body.get("label"), name),
            key.place,
            initial=flag(body.get("initial")),
            final=flag(body.get("final")),
            colour=cast("Colour", word(body.get("colour")) or "grey"),
            stale_after=draft.duration(body.get("stale_after")),
            parent=parent,
            children=tuple(inner.entries) if inner else (),
            parallel=flag(body.get("parallel")),
            was=optional_word(body.get("was")),
        )
        yield from _states(draft, inner, name)


def _moved(draft: Draft, process: str, node: Node | None, states: MappingType[str, State]) -> Iterator[tuple[str, str]]:
    for old, key, value in entries(node):
        if old in states:
            draft.report(
                "process.moved",
                key.place,
                say("The state '{old}' still exists.", old=old),
                say("Name states that are gone."),
            )
        elif isinstance(value, Scalar) and _known_state(draft, process, value, states):
            yield old, value.text


def _known_state(draft: Draft, process: str, node: Scalar, states: MappingType[str, object]) -> bool:
    if node.text in states:
        draft.notes.name(("state", process, node.text), node)
        return True
    sentence = say("The process {process} has no state '{written}'.", process=process, written=node.text)
    draft.unfit("process.unknown_state", node.place, sentence, did_you_mean(node.text, states))
    return False


@dataclass(frozen=True, slots=True)
class _Transitions:
    """Builds the transitions of one process."""

    draft: Draft
    process: str
    entity: str
    states: MappingType[str, State]

    def each(self, node: Node | None) -> Iterator[tuple[str, Transition]]:
        """Yield every transition whose states are known."""
        for name, key, value in entries(node):
            body = mapping(value)
            target = body.get("to") if body else None
            if body is None or not isinstance(target, Scalar):
                continue
            sources = self._sources(body.get("from"), target)
            if (
                _known_state(self.draft, self.process, target, self._written())
                and target.text in self.states
                and sources
            ):
                yield name, self._one(name, key, body, sources, target.text)

    def _written(self) -> MappingType[str, object]:
        known = self.draft.index.states.get(self.process)
        return dict.fromkeys((*known.options, *known.groups) if known else self.states)

    def _sources(self, node: Node | None, target: Scalar) -> tuple[str, ...]:
        if _is_any(node):
            return tuple(s.name for s in self.states.values() if not s.final and s.name != target.text)
        written = self._written()
        found = [item for item in scalars(node) if _known_state(self.draft, self.process, item, written)]
        for item in found:
            if item.text in self.states and self.states[item.text].final:
                sentence = say("'{written}' is final: nothing leads out of it.", written=item.text)
                self.draft.unfit(
                    "process.leaves_final",
                    item.place,
                    sentence,
                    say("Leave it out of 'from', or 'final' out of the state."),
                )
        return tuple(item.text for item in found if item.text in self.states)

    def _one(self, name: str, key: Scalar, body: Mapping, sources: tuple[str, ...], target: str) -> Transition:
        draft = self.draft
        form = dict(self.questions(body.get("form")))
        members: dict[str, dict[str, Member]] = {
            FORM: {each.name: _form_member(draft, each, (self.process, name)) for each in form.values()}
        }
        names: Names = draft.base(
            {"record": draft.record_type(self.entity), **({"form": RecordOf(FORM)} if form else {})}
        )
        around = Around(names, members, NO_FORM)
        guard = draft.condition(body.get("guard"), around)
        form = {each: self._needed(question, body.get("form"), around) for each, question in form.items()}
        return Transition(
            name,
            draft.text(body.get("label"), name),
            sources,
            target,
            key.place,
            by=self._by(body),
            guard=guard,
            message=draft.optional_text(body.get("message")),
            form=form,
            set=dict(set_values(draft, self.entity, body.get("set"), around)),
            undo=draft.duration(body.get("undo")),
            approval=self._approval(body.get("approval")),
            confirm=flag(body.get("confirm")),
            bulk=flag(body.get("bulk")),
            auto=flag(body.get("auto")),
            anywhere=_is_any(body.get("from")),
            was=optional_word(body.get("was")),
            guard_uses_form=guard is not None and any(path[0] == "form" for path in guard.reads),
        )

    def _by(self, body: Mapping) -> tuple[str, ...] | None:
        node = body.get("by")
        if node is None:
            return None
        if not scalars(node):
            sentence = say("Nobody may take this transition: 'by' is empty.")
            self.draft.report(
                "process.nobody", body.entries["by"].key.place, sentence, say("Name levels, or leave 'by' out.")
            )
        return self.draft.names("level", node, extra=IMPLIED_LEVELS)

    def _approval(self, node: Node | None) -> Approval | None:
        body = mapping(node)
        if body is None:
            return None
        quorum = body.get("quorum")
        count = quorum.value if isinstance(quorum, Scalar) and isinstance(quorum.value, int) else 1
        by = self.draft.names("level", body.get("by"), extra=IMPLIED_LEVELS)
        return Approval(by, body.place, count, flag(body.get("four_eyes")))

    def questions(self, node: Node | None) -> Iterator[tuple[str, FormField]]:
        """Yield the questions of a form."""
        shapes = self.draft.shapes.get(self.entity, {})
        for name, key, value in entries(node):
            body = mapping(value) or Mapping(key.place)
            edits = body.get("field")
            if not isinstance(edits, Scalar):
                if "type" not in body.entries:
                    sentence = say("The question '{name}' has neither 'type' nor 'field'.", name=name)
                    self.draft.unfit(
                        "schema.missing_key",
                        key.place,
                        sentence,
                        say("Add 'type:', or 'field:' for one of the record's."),
                    )
                    continue
                yield name, self._own(name, key, body)
            elif edits.text in shapes:
                note_field(self.draft, self.entity, edits)
                yield name, self._edited(name, key, body, shapes[edits.text], edits)
            elif edits.text not in self.draft.records.get(self.entity, {}):
                sentence = say("The entity {entity} has no field '{name}'.", entity=self.entity, name=edits.text)
                self.draft.unfit("field.unknown", edits.place, sentence, did_you_mean(edits.text, shapes))

    def _needed(self, question: FormField, form: Node | None, around: Around) -> FormField:
        """Return a question with the condition under which it must be answered, over the record and the answers."""
        body = mapping(form.get(question.name)) if isinstance(form, Mapping) else None
        found = None if body is None else needed(self.draft, body.get("required"), around)
        return replace(question, field=replace(question.field, required_if=found)) if found else question

    def _own(self, name: str, key: Scalar, body: Mapping) -> FormField:
        shape = shape_of(self.draft, name, key, body)
        names = self.draft.base({"record": self.draft.record_type(self.entity)})
        full = with_values(self.draft, shape, body, names)
        if shape.type == "reference":
            to = body.get("to")
            if isinstance(to, Scalar):
                self.draft.known("entity", to, extra=[MEMBER])
        return FormField(name, full, full.required, key.place)

    def _edited(self, name: str, key: Scalar, body: Mapping, shape: Field, edits: Scalar) -> FormField:
        entity = self.draft.source("entity", self.entity)
        if mapping(entity.raw.get("fields") if entity and entity.raw else None) and _is_computed(entity, edits.text):
            sentence = say("'{name}' is computed: nobody can fill it in.", name=edits.text)
            self.draft.report("field.computed", edits.place, sentence, say("Ask for what it is computed from."))
        if "label" in body.entries:
            shape = replace(shape, label=self.draft.text(body.get("label"), name))
        if "help" in body.entries:
            shape = replace(shape, help=self.draft.optional_text(body.get("help")))
        names = self.draft.base({"record": self.draft.record_type(self.entity)})
        bounded = replace(with_values(self.draft, shape, body, names), required_if=None)  # the record itself asks
        required = flag(body.get("required")) if "required" in body.entries else shape.required
        return FormField(name, bounded, required, key.place, edits=edits.text)


IMPLIED_LEVELS = ("leader", "public")


def _is_computed(entity: Source | None, name: str) -> bool:
    fields = mapping(entity.raw.get("fields")) if entity and entity.raw else None
    body = mapping(fields.get(name)) if fields else None
    return body is not None and "compute" in body.entries


def _is_any(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.text == "any"


def _form_member(draft: Draft, each: FormField, transition: tuple[str, str]) -> Member:
    member = member_of(draft, each.field, ("question", *transition))
    return replace(member, nullable=not each.required, stored=False, target=("question", *transition, each.name))


def set_values(
    draft: Draft,
    entity: str | None,
    node: Node | None,
    names: Names | Around,
    *,
    new: bool = False,
) -> Iterator[tuple[str, Value]]:
    """Yield the fields that are written and their values. Of a `new` line it is said whose it is, once and for all."""
    shapes = draft.shapes.get(entity or "", {})
    members = draft.records.get(entity or "", {})
    for name, key, value in entries(node):
        shape = shapes.get(name)
        note_field(draft, entity or "", key)
        if shape is None and name == "owner" and "owner" in members:
            shape = Field("owner", "reference", plain("Owner"), key.place, to=MEMBER)
        if shape is None and new and name == "parent" and (above := line_of(draft, entity or "")) is not None:
            shape = Field("parent", "reference", plain("Parent"), key.place, to=above)
        if shape is None:
            _refuse_target(draft, entity, key, members)
        elif _is_computed(draft.source("entity", entity or ""), name):
            draft.report("field.computed", key.place, say("'{name}' is computed: nothing can set it.", name=name))
        else:
            found = value_of(draft, value, shape, names, ("option", entity or "", name))
            if found is not None:
                yield name, found


def _refuse_target(draft: Draft, entity: str | None, key: Scalar, members: MappingType[str, Member]) -> None:
    member = members.get(key.text)
    if entity is None or entity not in draft.records:
        return
    if member is None:
        sentence = say("The entity {entity} has no field '{name}'.", entity=entity, name=key.text)
        draft.unfit("field.unknown", key.place, sentence, did_you_mean(key.text, draft.shapes[entity]))
    elif member.kind == "field":
        return  # written, but not readable: reported where it stands
    elif member.kind == "state":
        draft.report(
            "field.state",
            key.place,
            say("The state of '{written}' changes by transitions only.", written=key.text),
            say("Use 'move'."),
        )
    else:
        draft.report(
            "field.system", key.place, say("'{written}' is kept by the product and can't be set.", written=key.text)
        )


def form_shapes(draft: Draft, process: str, transition: str) -> dict[str, Field]:
    """Return the questions of a transition's form as fields, for those who fill it by definition."""
    source = draft.source("process", process)
    transitions = mapping(source.node.get("transitions")) if source and source.node else None
    body = mapping(transitions.get(transition)) if transitions else None
    if source is None or source.node is None or body is None:
        return {}
    quiet = replace(draft, problems=[], used=set(), current=None, notes=Notes())
    build = _Transitions(quiet, process, word(source.node.get("entity")), {})
    return {name: question.field for name, question in build.questions(body.get("form"))}
