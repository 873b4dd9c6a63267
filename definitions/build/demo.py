"""The demo of a pack: made-up members and records."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from datetime import timedelta
from typing import Any

from definitions.build.demo_values import MEMBER, NOTHING, Fields, Values, Wanted, number
from definitions.build.draft import Draft, entries, mapping, scalars, word
from definitions.documents import Source
from definitions.message import say
from definitions.problems import Place, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence
from definitions.spec.demo import (
    Demo,
    DemoMember,
    DemoNotes,
    DemoRecords,
    DemoTasks,
    Helper,
    Journey,
    Journeys,
    Maker,
)
from definitions.spec.entity import Field

LONG_AGO = timedelta(days=180)
PACE = (timedelta(days=1), timedelta(days=6))


def build_demo(draft: Draft) -> Demo | None:
    """Return the pack's demo, None without one."""
    found = [source for source in draft.index.of("demo").values() if source.node is not None]
    for source in found[1:]:
        draft.report("demo.several", source.place, say("A pack has one demo."), say("Join the two."))
    if not found or found[0].node is None:
        return None
    return draft.make(_demo, found[0], found[0].node)


def _demo(draft: Draft, source: Source, node: Mapping) -> Demo:
    return _Builder(draft, node).demo(source.name, source.place)


class _Builder:
    """Builds one demo."""

    def __init__(self, draft: Draft, node: Mapping) -> None:
        self.draft = draft
        self.node = node
        self.made = Values(draft, node)
        self.members = [name for name, _, _ in entries(node.get("members"))]

    def demo(self, name: str, place: Place) -> Demo:
        node = self.node
        seed = node.get("seed")
        return Demo(
            name,
            self.draft.text(node.get("label"), name),
            place,
            password=word(node.get("password")),
            members={key.text: self._member(key, mapping(value)) for _, key, value in entries(node.get("members"))},
            records={
                key.text: self._records(key, value)
                for _, key, value in entries(node.get("records"))
                if isinstance(value, Mapping) and self.draft.known("entity", key, extra=[MEMBER])
            },
            seed=seed.value if isinstance(seed, Scalar) and isinstance(seed.value, int) else 0,
            recent=self.made.span(node.get("recent"), timedelta(days=3)),
        )

    # Members ------------------------------------------------------------------------------------------------------

    def _member(self, key: Scalar, node: Mapping | None) -> DemoMember:
        if node is None:
            return DemoMember(key.text, (), key.place)
        values: dict[str, Any] = {}
        references: dict[str, str] = {}
        fields = self.made.fields(MEMBER)
        for name, at, value in entries(node.get("values")):
            field = self.made.field(fields, at, say("A member"))
            if field is None:
                continue
            if field.type == "reference" and field.to == MEMBER and isinstance(value, Scalar):
                references[name] = self._known_member(value)
            else:
                values[name] = self.made.literal(self.made.wanted(fields, field), value)
        return DemoMember(
            key.text,
            self.draft.names("level", node.get("levels"), extra=["leader", "public"]),
            key.place,
            sponsor=self._sponsor(key.text, node.get("sponsor")),
            weight=number(node.get("weight"), 1.0),
            values=values,
            references=references,
        )

    def _sponsor(self, name: str, node: Node | None) -> str | None:
        if not isinstance(node, Scalar):
            return None
        above = self.members[: self.members.index(name)]
        if node.text not in above:
            hint = did_you_mean(node.text, above) if node.text not in self.members else say("Write a sponsor above.")
            self.draft.unfit(
                "demo.sponsor",
                node.place,
                say("There is no member '{written}' above this one.", written=node.text),
                hint,
            )
            return None
        return node.text

    def _known_member(self, node: Scalar) -> str:
        if node.text not in self.members:
            hint = did_you_mean(node.text, self.members)
            self.draft.unfit(
                "demo.member", node.place, say("The demo has no member '{written}'.", written=node.text), hint
            )
        return node.text

    # Records ------------------------------------------------------------------------------------------------------

    def _records(self, key: Scalar, node: Mapping) -> DemoRecords:
        fields = self.made.fields(key.text)
        processes = list(entries(node.get("processes")))
        within = self.made.span(node.get("within"), LONG_AGO)
        each = self._each(node.get("each"), fields, within)
        return DemoRecords(
            key.text,
            max(int(number(node.get("count"), 1)), len(each)),
            self.made.values(node.get("values"), fields, say("The entity {entity}", entity=key.text)),
            key.place,
            within=within,
            owners=self.draft.names("level", node.get("owners"), extra=["leader"]),
            each=each,
            journeys=self._journeys(key.text, fields, *processes[0][1:]) if processes else None,
            notes=self._notes(mapping(node.get("notes"))),
            tasks=self._tasks(mapping(node.get("tasks"))),
        )

    def _each(self, node: Node | None, fields: Fields, within: timedelta) -> tuple[Journey, ...]:
        items = [item for item in (node.items if isinstance(node, Sequence) else ()) if isinstance(item, Mapping)]
        what = say("The entity")
        return tuple(
            Journey(
                1,
                (),
                within,
                item.place,
                self.made.values(item.get("values"), fields, what),
                None if item.get("ago") is None else self.made.span(item.get("ago"), within),
            )
            for item in items
        )

    def _notes(self, node: Mapping | None) -> DemoNotes | None:
        text = None if node is None else self.made.maker(node.get("text"), NOTHING)
        return None if node is None or text is None else DemoNotes(number(node.get("share"), 0), text)

    def _tasks(self, node: Mapping | None) -> DemoTasks | None:
        if node is None:
            return None
        title, due = (self.made.maker(node.get(name), NOTHING) for name in ("title", "due"))
        if title is None or due is None:
            return None
        return DemoTasks(number(node.get("share"), 0), title, due, number(node.get("done"), 0))

    def _journeys(self, entity: str, fields: Fields, key: Scalar, node: Node) -> Journeys | None:
        if not isinstance(node, Mapping) or not self.draft.known("process", key):
            return None
        source = self.draft.source("process", key.text)
        raw = source.raw if source else None
        if raw is not None and word(raw.get("entity")) != entity:
            sentence = say(
                "'{written}' is a process of {other}, not of {entity}.",
                written=key.text,
                other=word(raw.get("entity")),
                entity=entity,
            )
            self.draft.unfit("demo.process", key.place, sentence)
            return None
        transitions = {name: mapping(value) for name, _, value in entries(raw.get("transitions") if raw else None)}
        ways = node.get("journeys")
        return Journeys(
            key.text,
            tuple(
                self._journey(key.text, way, fields, transitions)
                for way in (ways.items if isinstance(ways, Sequence) else ())
                if isinstance(way, Mapping)
            ),
            pace=self.made.pair(node.get("pace")) or PACE,
            forms={
                at.text: self._form(at, form, fields, (key.text, transitions[at.text]))
                for _, at, form in entries(node.get("forms"))
                if self._transition(key.text, at, transitions)
            },
            helper=self._helper(mapping(node.get("helper"))),
        )

    def _helper(self, node: Mapping | None) -> Helper | None:
        named = node.get("field") if node else None
        if node is None or not isinstance(named, Scalar):
            return None
        fields = self.made.fields(MEMBER)
        field = self.made.field(fields, named, say("A member"))
        if field is not None and field.to != MEMBER:
            known = [each.name for each in (fields.shapes or {}).values() if each.to == MEMBER]
            sentence = say("'{named}' does not refer to a member.", named=named.text)
            self.draft.unfit("demo.helper", named.place, sentence, did_you_mean(named.text, known))
        return Helper(named.text, number(node.get("share"), 0.0))

    def _journey(self, process: str, node: Mapping, fields: Fields, transitions: MappingType[str, object]) -> Journey:
        moves = [item for item in scalars(node.get("moves")) if self._transition(process, item, transitions)]
        return Journey(
            number(node.get("share"), 1),
            tuple(item.text for item in moves),
            self.made.span(node.get("within"), LONG_AGO),
            node.place,
            self.made.values(node.get("values"), fields, say("The entity")),
        )

    def _transition(self, process: str, node: Scalar, transitions: MappingType[str, object]) -> bool:
        if node.text in transitions:
            self.draft.notes.name(("transition", process, node.text), node)
            return True
        hint = did_you_mean(node.text, transitions)
        self.draft.unfit(
            "transition.unknown", node.place, say("There is no transition '{written}'.", written=node.text), hint
        )
        return False

    def _form(
        self, at: Scalar, node: Node, fields: Fields, moved: tuple[str, Mapping | None]
    ) -> MappingType[str, Maker]:
        process, transition = moved
        within = ("question", process, at.text)
        asked = mapping(transition.get("form")) if transition else None
        questions: dict[str, Field | None] = {}
        for name, _, question in entries(asked):
            edits = word(question.get("field")) if isinstance(question, Mapping) else ""
            questions[name] = fields.get(edits)
        makers: dict[str, Maker] = {}
        for name, key, value in entries(node):
            if name not in questions:
                sentence = say("The form of {at} does not ask for '{name}'.", at=at.text, name=name)
                self.draft.unfit("demo.form", key.place, sentence, did_you_mean(name, questions))
                continue
            self.draft.notes.name((*within, name), key)
            field = questions[name]
            home = ("option", fields.entity, field.name) if field is not None else ()
            maker = self.made.maker(value, Wanted(field, questions, within, home))
            if maker is not None:
                makers[name] = maker
        return makers
