"""`for_each`: what a loop goes through, and what its item is called."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import replace
from typing import TYPE_CHECKING

from definitions.build.draft import Around, mapping, number, optional_word
from definitions.build.member import MEMBER
from definitions.build.screens import sort_of
from definitions.build.values import computed, is_expression
from definitions.expr import DYN, ListOf, RecordOf, Type, named
from definitions.message import say
from definitions.source import Mapping, Node, Scalar
from definitions.spec.automation import ForEach, Selection
from definitions.spec.value import Value

if TYPE_CHECKING:
    from definitions.build.steps import Shared, Steps

ITEM = "item"
"""What an item is called that nobody gave a name."""


def for_each(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> ForEach | None:
    """Build `for_each`; `as` and `do` stand inside of it or beside."""
    inner = mapping(body.get("for_each"))
    name = _name(steps, body, inner, names)
    items = None if inner is None else _items(steps, inner.get("in"), name, names)
    do = _once(steps, body, inner, "do")
    if do is None and not steps.damaged():
        place = body.entries["for_each"].key.place
        steps.draft.unfit("automation.for_each", place, say("This loop does nothing."), say("Write its steps: do: […]"))
    if items is None or do is None:
        return None
    source, kind = items
    entity = kind.entity if isinstance(kind, RecordOf) else None
    within = replace(steps, items=steps.items if entity is None else (*steps.items, (name, entity)))
    done = within.each(do, {**names, name: kind}, f"{shared['path']}/do")
    return ForEach(**shared, items=source, name=name, steps=done, entity=entity)


def _once(steps: Steps, body: Mapping, inner: Mapping | None, key: str) -> Node | None:
    """Return what stands under a key, in the loop or beside it; reports both."""
    within = inner.get(key) if inner else None
    beside = body.get(key)
    if within is not None and beside is not None:
        place = body.entries[key].key.place
        steps.draft.report(
            "automation.for_each", place, say("'{key}' stands here twice.", key=key), say("Leave one of them out.")
        )
    return beside if within is None else within


def _name(steps: Steps, body: Mapping, inner: Mapping | None, names: MappingType[str, Type]) -> str:
    node = _once(steps, body, inner, "as")
    if isinstance(node, Scalar) and node.text in names:
        sentence = say("'{name}' has a meaning here already.", name=node.text)
        steps.draft.unfit("automation.name_taken", node.place, sentence, say("Choose another name."))
    return optional_word(node) or ITEM


def _items(
    steps: Steps, node: Node | None, name: str, names: MappingType[str, Type]
) -> tuple[Value | Selection, Type] | None:
    wanted = mapping(node)
    if wanted is not None:
        return _selection(steps, wanted, name, names)
    if node is None or not is_expression(node):
        if isinstance(node, Scalar):
            sentence = say("A loop goes through a list, or the records of a query.")
            hint = say("Write in: =record.… or in: {entity: …, where: …}.")
            steps.draft.unfit("automation.for_each_in", node.place, sentence, hint)
        return None
    value = computed(steps.draft, node, steps.around(names), None)
    if value is None or value.expression is None:
        return None
    kind = value.expression.type
    if isinstance(kind, ListOf):
        return value, kind.of
    if kind != DYN:
        sentence = say("A loop goes through a list; this is: {type}.", type=kind)
        hint = say("Take a field with several values, or a query: in: {entity: …, where: …}.")
        steps.draft.unfit("automation.for_each_in", node.place, sentence, hint)
        return None
    return value, DYN


def _selection(steps: Steps, node: Mapping, name: str, names: MappingType[str, Type]) -> tuple[Selection, Type] | None:
    draft, entity = steps.draft, node.get("entity")
    if not isinstance(entity, Scalar) or not draft.known("entity", entity, extra=[MEMBER]):
        return None
    kind = draft.record_type(entity.text)
    if kind == DYN:
        return None  # the entity can't be read: reported there
    where = node.get("where")
    row = name if name in set(_named(where)) else "record"
    around = Around({**names, name: kind, row: kind}, hints=steps.hints, row=row)
    condition = draft.condition(where, around, query=True)
    limit = node.get("limit")
    sort = sort_of(draft, node.get("sort"), entity.text) or "created_at"
    return Selection(entity.text, condition, sort, None if limit is None else number(limit, 1)), kind


def _named(node: Node | None) -> Iterator[str]:
    """Yield the names that a condition names: one that names the item by its name calls it so, and not `record`."""
    if isinstance(node, Scalar):
        yield from named(node.text)
