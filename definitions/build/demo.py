"""The demo of a pack: made-up members and records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from datetime import timedelta
from typing import Any

from definitions.build.draft import Draft, entries, mapping, optional_word, scalars, word
from definitions.build.values import UnfitError, literal
from definitions.message import say
from definitions.problems import Place, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence, data
from definitions.spec.demo import (
    Chance,
    Constant,
    Demo,
    DemoMember,
    DemoNotes,
    DemoRecords,
    DemoTasks,
    Existing,
    Helper,
    Journey,
    Journeys,
    Maker,
    Number,
    Pattern,
    Pick,
    Shift,
    Source,
)
from definitions.spec.entity import Field

MONTH = timedelta(days=30.4375)
LONG_AGO = timedelta(days=180)
PACE = (timedelta(days=1), timedelta(days=6))
MEMBER = "member"
PLACES = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?(?:\|slug)?\}")

Choices = tuple[tuple[Any, float], ...]
Fields = MappingType[str, Field] | None


def build_demo(draft: Draft) -> Demo | None:
    """Return the pack's demo, None without one."""
    found = [source for source in draft.sources.get("demo", {}).values() if source.node is not None]
    for source in found[1:]:
        draft.report("demo.several", source.place, say("A pack has one demo."), say("Join the two."))
    if not found or found[0].node is None:
        return None
    draft.current = found[0]
    return _Builder(draft, found[0].node).demo(found[0].name, found[0].place)


class _Builder:
    """Builds one demo."""

    def __init__(self, draft: Draft, node: Mapping) -> None:
        self.draft = draft
        self.node = node
        self.lists: dict[str, Choices] = {name: _choices(value) for name, _, value in entries(node.get("lists"))}
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
            recent=self._span(node.get("recent"), timedelta(days=3)),
        )

    # Members ------------------------------------------------------------------------------------------------------

    def _member(self, key: Scalar, node: Mapping | None) -> DemoMember:
        if node is None:
            return DemoMember(key.text, (), key.place)
        values: dict[str, Any] = {}
        references: dict[str, str] = {}
        fields = self._fields(MEMBER)
        for name, at, value in entries(node.get("values")):
            field = self._field(fields, at, say("A member"))
            if field is None:
                continue
            if field.type == "reference" and field.to == MEMBER and isinstance(value, Scalar):
                references[name] = self._known_member(value)
            else:
                values[name] = self._literal(field, value)
        return DemoMember(
            key.text,
            self.draft.names("level", node.get("levels"), extra=["leader", "public"]),
            key.place,
            sponsor=self._sponsor(key.text, node.get("sponsor")),
            weight=_number(node.get("weight"), 1.0),
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
        fields = self._fields(key.text)
        processes = list(entries(node.get("processes")))
        within = self._span(node.get("within"), LONG_AGO)
        each = self._each(node.get("each"), fields, within)
        return DemoRecords(
            key.text,
            max(int(_number(node.get("count"), 1)), len(each)),
            self._values(node.get("values"), fields, say("The entity {entity}", entity=key.text)),
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
                self._values(item.get("values"), fields, what),
                None if item.get("ago") is None else self._span(item.get("ago"), within),
            )
            for item in items
        )

    def _notes(self, node: Mapping | None) -> DemoNotes | None:
        text = None if node is None else self._maker(node.get("text"), None, ())
        return None if node is None or text is None else DemoNotes(_number(node.get("share"), 0), text)

    def _tasks(self, node: Mapping | None) -> DemoTasks | None:
        if node is None:
            return None
        title, due = (self._maker(node.get(name), None, ()) for name in ("title", "due"))
        if title is None or due is None:
            return None
        return DemoTasks(_number(node.get("share"), 0), title, due, _number(node.get("done"), 0))

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
                self._journey(way, fields, transitions)
                for way in (ways.items if isinstance(ways, Sequence) else ())
                if isinstance(way, Mapping)
            ),
            pace=self._pair(node.get("pace")) or PACE,
            forms={
                at.text: self._form(at, form, fields, transitions)
                for _, at, form in entries(node.get("forms"))
                if self._transition(at, transitions)
            },
            helper=self._helper(mapping(node.get("helper"))),
        )

    def _helper(self, node: Mapping | None) -> Helper | None:
        named = node.get("field") if node else None
        if node is None or not isinstance(named, Scalar):
            return None
        fields = self._fields(MEMBER)
        field = self._field(fields, named, say("A member"))
        if field is not None and field.to != MEMBER:
            known = [each.name for each in (fields or {}).values() if each.to == MEMBER]
            sentence = say("'{named}' does not refer to a member.", named=named.text)
            self.draft.unfit("demo.helper", named.place, sentence, did_you_mean(named.text, known))
        return Helper(named.text, _number(node.get("share"), 0.0))

    def _journey(self, node: Mapping, fields: Fields, transitions: MappingType[str, object]) -> Journey:
        moves = [item for item in scalars(node.get("moves")) if self._transition(item, transitions)]
        return Journey(
            _number(node.get("share"), 1),
            tuple(item.text for item in moves),
            self._span(node.get("within"), LONG_AGO),
            node.place,
            self._values(node.get("values"), fields, say("The entity")),
        )

    def _transition(self, node: Scalar, transitions: MappingType[str, object]) -> bool:
        if node.text in transitions:
            return True
        hint = did_you_mean(node.text, transitions)
        self.draft.unfit(
            "transition.unknown", node.place, say("There is no transition '{written}'.", written=node.text), hint
        )
        return False

    def _form(
        self, at: Scalar, node: Node, fields: Fields, transitions: MappingType[str, Mapping | None]
    ) -> MappingType[str, Maker]:
        transition = transitions[at.text]
        asked = mapping(transition.get("form")) if transition else None
        questions: dict[str, Field | None] = {}
        for name, _, question in entries(asked):
            edits = word(question.get("field")) if isinstance(question, Mapping) else ""
            questions[name] = (fields or {}).get(edits)
        makers: dict[str, Maker] = {}
        for name, key, value in entries(node):
            if name not in questions:
                sentence = say("The form of {at} does not ask for '{name}'.", at=at.text, name=name)
                self.draft.unfit("demo.form", key.place, sentence, did_you_mean(name, questions))
                continue
            maker = self._maker(value, questions[name], questions)
            if maker is not None:
                makers[name] = maker
        return makers

    # Values -------------------------------------------------------------------------------------------------------

    def _fields(self, entity: str) -> Fields:
        return self.draft.shapes.get(entity)

    def _field(self, fields: Fields, key: Scalar, what: str) -> Field | None:
        found = (fields or {}).get(key.text)
        if found is None and fields is not None:
            sentence = say("{what} has no field '{written}'.", what=what, written=key.text)
            self.draft.unfit("field.unknown", key.place, sentence, did_you_mean(key.text, fields))
        return found

    def _literal(self, field: Field | None, node: Node) -> Any:
        if field is None:
            return data(node)
        try:
            return literal(field, node)
        except UnfitError as error:
            self.draft.unfit("value.type", node.place, error.message, error.hint)
            return None

    def _values(self, node: Node | None, fields: Fields, what: str) -> dict[str, Maker]:
        makers: dict[str, Maker] = {}
        for name, key, value in entries(node):
            field = self._field(fields, key, what)
            maker = None if field is None else self._maker(value, field, fields or ())
            if maker is not None:
                makers[name] = maker
        return makers

    def _maker(self, node: Node | None, field: Field | None, around: Iterable[str]) -> Maker | None:
        if isinstance(node, Scalar):
            return Maker(Constant(self._literal(field, node)), node.place)
        if not isinstance(node, Mapping):
            return None
        source = self._source(node, field, around)
        return None if source is None else Maker(source, node.place, _number(node.get("empty"), 0.0))

    def _source(self, node: Mapping, field: Field | None, around: Iterable[str]) -> Source | None:
        kinds = [name for name in _KINDS if name in node.entries]
        if len(kinds) != 1:
            hint = say("Give one of: {kinds}.", kinds=", ".join(_KINDS))
            self.draft.unfit("demo.value", node.place, say("It is not clear how this value is made."), hint)
            return None
        kind = kinds[0]
        written = node.entries[kind].value
        if kind == "pick":
            return self._pick(written, field, node.get("many"))
        if kind == "text":
            return self._pattern(written, around)
        if kind in {"ago", "ahead"}:
            return self._shift(written, past=kind == "ago")
        if kind == "number":
            low, high = (_number(item, 0) for item in scalars(written))
            return Number(low, high, _number(node.get("step"), 1))
        if kind == "chance":
            return Chance(_number(written, 0))
        return self._existing(written)

    def _pick(self, node: Node, field: Field | None, many: Node | None) -> Pick:
        count = int(_number(many, 1)) if many is not None else None
        if isinstance(node, Scalar):
            return self._from_list(node, *node.text.partition(".")[::2], many=count)
        choices = _choices(node)
        for choice, _ in choices:
            if field is not None and field.options and choice not in field.options:
                sentence = say("'{choice}' is not an option of {name}.", choice=choice, name=field.name)
                self.draft.unfit("value.type", node.place, sentence, did_you_mean(str(choice), field.options))
        return Pick(choices, count)

    def _from_list(self, node: Scalar, name: str, key: str, *, many: int | None = None) -> Pick:
        choices = self.lists.get(name, ())
        if not choices:
            hint = did_you_mean(name, self.lists)
            self.draft.unfit("demo.list", node.place, say("The demo has no list '{name}'.", name=name), hint)
        keys = {each for item, _ in choices if isinstance(item, dict) for each in item}
        if keys and not key:
            sentence = say("The list '{name}' holds keys and values: say which one to take.", name=name)
            self.draft.unfit(
                "demo.list",
                node.place,
                sentence,
                say("Write '{name}.{key}', or put texts in quotes.", name=name, key=min(keys)),
            )
        if choices and key and key not in keys:
            sentence = say("Nothing in the list '{name}' has a '{key}'.", name=name, key=key)
            self.draft.unfit("demo.list", node.place, sentence, did_you_mean(key, keys))
        return Pick(choices, many, name if key else None, key or None)

    def _pattern(self, node: Node, around: Iterable[str]) -> Pattern:
        fields = set(around)
        picks: dict[str, Pick] = {}
        for found in PLACES.finditer(word(node)):
            name, key = found[1], found[2] or ""
            if name != "again" and (key or name not in fields) and isinstance(node, Scalar):
                picks[f"{name}.{key}" if key else name] = self._from_list(node, name, key)
        return Pattern(word(node), picks)

    def _shift(self, node: Node, *, past: bool) -> Shift | None:
        pair = self._pair(node)
        if pair is None:
            return None
        least, most = sorted(pair)
        return Shift(-most, -least) if past else Shift(least, most)

    def _existing(self, node: Node) -> Existing | None:
        if not isinstance(node, Scalar) or not self.draft.known("entity", node, extra=[MEMBER]):
            return None
        return Existing(node.text)

    def _pair(self, node: Node | None) -> tuple[timedelta, timedelta] | None:
        items = node.items if isinstance(node, Sequence) else ()
        if len(items) != 2:
            return None
        least, most = (self._span(item, timedelta(0)) for item in items)
        return least, most

    def _span(self, node: Node | None, otherwise: timedelta) -> timedelta:
        """Return the length of a duration; months are counted as 30.4375 days, which is near enough for chance."""
        found = self.draft.duration(node)
        if found is None:
            return otherwise
        if found.working_days or found.working_hours:
            self.draft.unfit(
                "demo.working_time", node.place if node else self.node.place, say("A demo counts in plain days.")
            )
        return found.months * MONTH + found.exact


_KINDS = ("pick", "text", "ago", "ahead", "number", "chance", "reference")


def _choices(node: Node) -> Choices:
    if isinstance(node, Sequence):
        return tuple((optional_word(item) if _is_text(item) else data(item), 1.0) for item in node.items)
    return tuple((name, _number(value, 1.0)) for name, _, value in entries(node))


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def _number(node: Node | None, otherwise: float) -> float:
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return otherwise
