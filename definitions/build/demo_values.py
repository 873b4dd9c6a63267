"""How the demo of a pack makes a value: by chance, from a list, as a pattern, as a time from now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from definitions.build.draft import Draft, entries, optional_word, scalars, word
from definitions.build.fields import note_field
from definitions.build.notes import Use
from definitions.build.values import UnfitError
from definitions.build.values import literal as fitting
from definitions.expr import Target
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence, data
from definitions.spec.demo import Chance, Constant, Existing, Maker, Number, Pattern, Pick, Shift, Source
from definitions.spec.entity import Field

MONTH = timedelta(days=30.4375)
PLACES = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?(?:\|slug)?\}")
MEMBER = "member"

Choices = tuple[tuple[Any, float], ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an entity; `shapes` is None where there is none of that name."""

    entity: str
    shapes: MappingType[str, Field] | None

    def get(self, name: str) -> Field | None:
        """Return a field, None where there is none of that name."""
        return (self.shapes or {}).get(name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a value is made for: the field, and the names that its text may have in braces.

    `within` is the beginning of those names' targets, `home` that of the field's options.
    """

    field: Field | None = None
    around: Iterable[str] = ()
    within: Target = ()
    home: Target = ()


NOTHING = Wanted()


class Values:
    """Builds what makes the values of one demo; what is wrong with it is reported to the draft."""

    def __init__(self, draft: Draft, node: Mapping) -> None:
        """Begin with the lists of the demo that `node` is."""
        self.draft = draft
        self.node = node
        self.lists: dict[str, Choices] = {name: _choices(value) for name, _, value in entries(node.get("lists"))}

    def fields(self, entity: str) -> Fields:
        """Return the fields of an entity."""
        return Fields(entity, self.draft.shapes.get(entity))

    def field(self, fields: Fields, key: Scalar, what: str) -> Field | None:
        """Return the field that a key names; `what` begins the sentence that there is none."""
        found = fields.get(key.text)
        if found is None and fields.shapes is not None:
            sentence = say("{what} has no field '{written}'.", what=what, written=key.text)
            self.draft.unfit("field.unknown", key.place, sentence, did_you_mean(key.text, fields.shapes))
        note_field(self.draft, fields.entity, key)
        return found

    def wanted(self, fields: Fields, field: Field) -> Wanted:
        """Return what a value of a field is made for."""
        home = ("option", fields.entity, field.name)
        return Wanted(field, fields.shapes or (), ("field", fields.entity), home)

    def literal(self, wanted: Wanted, node: Node) -> Any:
        """Return the value that is written; of what is no field, as it stands."""
        if wanted.field is None:
            return data(node)
        try:
            value = fitting(wanted.field, node)
        except UnfitError as error:
            self.draft.unfit("value.type", node.place, error.message, error.hint)
            return None
        if wanted.field.options:
            self.draft.notes.option(wanted.home, node)
        return value

    def values(self, node: Node | None, fields: Fields, what: str) -> dict[str, Maker]:
        """Return what makes the values of fields, by name."""
        makers: dict[str, Maker] = {}
        for name, key, value in entries(node):
            field = self.field(fields, key, what)
            maker = None if field is None else self.maker(value, self.wanted(fields, field))
            if maker is not None:
                makers[name] = maker
        return makers

    def maker(self, node: Node | None, wanted: Wanted) -> Maker | None:
        """Return what makes one value."""
        if isinstance(node, Scalar):
            return Maker(Constant(self.literal(wanted, node)), node.place)
        if not isinstance(node, Mapping):
            return None
        source = self._source(node, wanted)
        return None if source is None else Maker(source, node.place, number(node.get("empty"), 0.0))

    def _source(self, node: Mapping, wanted: Wanted) -> Source | None:
        kinds = [name for name in _KINDS if name in node.entries]
        if len(kinds) != 1:
            hint = say("Give one of: {kinds}.", kinds=", ".join(_KINDS))
            self.draft.unfit("demo.value", node.place, say("It is not clear how this value is made."), hint)
            return None
        kind = kinds[0]
        written = node.entries[kind].value
        if kind == "pick":
            return self._pick(written, wanted, node.get("many"))
        if kind == "text":
            return self._pattern(written, wanted)
        if kind in {"ago", "ahead"}:
            return self._shift(written, past=kind == "ago")
        if kind == "number":
            low, high = (number(item, 0) for item in scalars(written))
            return Number(low, high, number(node.get("step"), 1))
        if kind == "chance":
            return Chance(number(written, 0))
        return self._existing(written)

    def _pick(self, node: Node, wanted: Wanted, many: Node | None) -> Pick:
        field, count = wanted.field, int(number(many, 1)) if many is not None else None
        if isinstance(node, Scalar):
            return self._from_list(node, *node.text.partition(".")[::2], many=count)
        choices = _choices(node)
        for choice, _ in choices:
            if field is not None and field.options and choice not in field.options:
                sentence = say("'{choice}' is not an option of {name}.", choice=choice, name=field.name)
                self.draft.unfit("value.type", node.place, sentence, did_you_mean(str(choice), field.options))
        if field is not None and field.options:
            for option in (key for _, key, _ in entries(node)) if isinstance(node, Mapping) else scalars(node):
                self.draft.notes.option(wanted.home, option)
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

    def _pattern(self, node: Node, wanted: Wanted) -> Pattern:
        fields = set(wanted.around)
        picks: dict[str, Pick] = {}
        for found in PLACES.finditer(word(node)):
            name, key = found[1], found[2] or ""
            if name == "again" or not isinstance(node, Scalar):
                continue
            if not key and name in fields:
                self.draft.notes.uses.append(Use(node, found.start(1), len(name), (*wanted.within, name)))
            else:
                picks[f"{name}.{key}" if key else name] = self._from_list(node, name, key)
        return Pattern(word(node), picks)

    def _shift(self, node: Node, *, past: bool) -> Shift | None:
        pair = self.pair(node)
        if pair is None:
            return None
        least, most = sorted(pair)
        return Shift(-most, -least) if past else Shift(least, most)

    def _existing(self, node: Node) -> Existing | None:
        if not isinstance(node, Scalar) or not self.draft.known("entity", node, extra=[MEMBER]):
            return None
        return Existing(node.text)

    def pair(self, node: Node | None) -> tuple[timedelta, timedelta] | None:
        """Return two durations, None for anything else."""
        items = node.items if isinstance(node, Sequence) else ()
        if len(items) != 2:
            return None
        least, most = (self.span(item, timedelta(0)) for item in items)
        return least, most

    def span(self, node: Node | None, otherwise: timedelta) -> timedelta:
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
    return tuple((name, number(value, 1.0)) for name, _, value in entries(node))


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def number(node: Node | None, otherwise: float) -> float:
    """Return the number that a node is, `otherwise` where it is none."""
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    return otherwise
