"""Entities: their fields, and what expressions see of their records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType
from dataclasses import replace
from typing import cast

from definitions.build.draft import (
    Around,
    Draft,
    Names,
    entries,
    flag,
    label_of,
    mapping,
    optional_word,
    scalars,
    word,
)
from definitions.build.fields import (
    check_lines_unread,
    field_names,
    member_of,
    needed,
    note_field,
    shape_of,
    with_values,
)
from definitions.build.jinja import check_template
from definitions.build.known import check_known
from definitions.build.lines import declare_lines, line_of, lines_name
from definitions.build.member import MEMBER, MEMBER_PURPOSE, MEMBER_TITLE, built_in_member
from definitions.build.values import computed, is_expression, value_of
from definitions.documents import Source
from definitions.expr import DATE, DATETIME, DYN, INT, STRING, ListOf, Member, RecordOf, Type
from definitions.message import say
from definitions.problems import NOWHERE, did_you_mean
from definitions.source import Mapping, Node, Scalar, Sequence
from definitions.spec.entity import SYSTEM_FIELDS, Basis, Entity, Field, Retention
from definitions.spec.value import Value
from definitions.text import Text, plain

RESERVED = {*SYSTEM_FIELDS, "owner", "parent", "lines", "true", "false", "null", "in"}

DATABASES_OWN = ("sqlite_", "pg_")
"""How names begin that databases keep for themselves."""
MOST_FIELDS = 400
"""Databases have an end to the columns of a table."""


def declare_entities(draft: Draft, level_labels: MappingType[str, Text]) -> None:
    """Read the fields of every entity, so that expressions can be typed against all of them."""
    declared = draft.index.declared
    declared.shapes[MEMBER] = built_in_member(level_labels)
    for name, shapes in draft.each("entity", _shapes).items():
        declared.shapes[name] = declared.shapes[name] | shapes if name == MEMBER else shapes
    for name in declared.shapes:
        declared.records[name] = {}  # first all names, so that references find each other
    declared.records |= {name: _members(draft, name) for name in declared.shapes}
    declare_lines(draft)


def _shapes(draft: Draft, source: Source, node: Mapping) -> dict[str, Field]:
    """Return the fields that a document adds to its entity."""
    return {
        name: shape_of(draft, name, key, value)
        for name, key, value in entries(node.get("fields"))
        if isinstance(value, Mapping) and _may_have(draft, source.name, key)
    }


def _may_have(draft: Draft, entity: str, key: Scalar) -> bool:
    if key.text in RESERVED:
        hint = say("Every record has it already.") if key.text in SYSTEM_FIELDS else say("Choose another name.")
        draft.unfit(
            "field.reserved", key.place, say("'{written}' can't be the name of a field.", written=key.text), hint
        )
        return False
    if entity == MEMBER and key.text in draft.shapes[MEMBER]:
        sentence = say("'{written}' is built into member.", written=key.text)
        draft.unfit("field.built_in", key.place, sentence, say("Leave it out: 'entity: member' only adds fields."))
        return False
    return True


def _members(draft: Draft, entity: str) -> dict[str, Member]:
    source = draft.source("entity", entity)
    if source is None or source.node is None:
        return _seen(draft, entity, source)
    return draft.make(_members_of, source, source.node)


def _members_of(draft: Draft, source: Source, node: Mapping) -> dict[str, Member]:
    del node
    return _seen(draft, source.name, source)


def _seen(draft: Draft, entity: str, source: Source | None) -> dict[str, Member]:
    """Return what expressions see of an entity's records; lines are not declared yet."""
    found = {name: member_of(draft, shape, ("field", entity)) for name, shape in draft.shapes[entity].items()}
    for name in source.named("fields") if source else ():
        found.setdefault(
            name, Member(DYN, target=("field", entity, name))
        )  # what is written wrongly is reported there, not at each use
    found |= {
        "id": Member(STRING, nullable=False, kind="system"),
        "created_at": Member(DATETIME, nullable=False, kind="system"),
        "updated_at": Member(DATETIME, nullable=False, kind="system"),
        "created_by": Member(RecordOf(MEMBER), kind="system"),
        "last_activity_at": Member(DATETIME, kind="system"),
        "version": Member(INT, nullable=False, kind="system"),
    }
    if source is not None and _has_owner(source):
        found["owner"] = Member(RecordOf(MEMBER), kind="system")
    for process in draft.index.processes_of(entity):
        state: Type = draft.index.states[process]
        held = ListOf(state) if draft.index.parallel(process) else state
        found[process] = Member(held, nullable=False, kind="state", target=("process", process))
    return found


def _has_owner(source: Source) -> bool:
    """Whether records have an owner; where `owner` is written wrongly, what follows is checked as if they had."""
    written = source.node.get("owner") if source.node else None
    raw = source.raw.get("owner") if source.raw else None
    return flag(written) or (written is None and raw is not None)


def build_entities(draft: Draft) -> dict[str, Entity]:
    """Return every entity, the built-in member among them."""
    built = draft.each("entity", _entity)
    if MEMBER not in draft.index.of("entity"):
        built[MEMBER] = Entity(
            MEMBER,
            Text({"fr": "Membre", "en": "Member"}),
            NOWHERE,
            dict(draft.shapes[MEMBER]),
            icon="users",
            title=MEMBER_TITLE,
            search=("first_name", "last_name", "email"),
            purpose=MEMBER_PURPOSE,
            basis="contract",
            processes=draft.index.processes_of(MEMBER),
        )
    draft.index.declared.entities |= built
    return built


def _entity(draft: Draft, source: Source, node: Mapping) -> Entity:
    name = source.name
    shapes = draft.shapes[name]
    members = draft.records[name]
    privacy = mapping(node.get("privacy"))
    defaults = {"icon": "users", "title": MEMBER_TITLE} if name == MEMBER else {"icon": "file", "title": _title(shapes)}
    owner = flag(node.get("owner"))
    _refuse(draft, source, node)
    check_known(draft, "entity.icon", node.get("icon"))
    parent = line_of(draft, name)
    title = node.get("title")
    if isinstance(title, Scalar):
        _check_title(draft, title, name)
    return Entity(
        name,
        draft.text(node.get("label"), name),
        source.place,
        dict(_fields(draft, name, node)),
        icon=word(node.get("icon")) or defaults["icon"],
        title=word(title) or defaults["title"],
        owner=owner and name != MEMBER,
        parent=parent,
        lines_as=None if parent is None else lines_name(node),
        search=_search(draft, node, name),
        duplicates=_duplicates(draft, node.get("duplicates"), members, name),
        purpose=draft.optional_text(privacy.get("purpose") if privacy else None) or _purpose(name),
        basis=cast("Basis | None", optional_word(privacy.get("basis") if privacy else None)),
        retention=_retention(draft, name, node.get("retention")),
        was=optional_word(node.get("was")),
        processes=draft.index.processes_of(name),
        plural=draft.optional_text(node.get("plural")),
    )


def _refuse(draft: Draft, source: Source, node: Mapping) -> None:
    """Report what no entity may be."""
    name = source.name
    if name == MEMBER and flag(node.get("owner")):
        draft.report(
            "entity.member_owner",
            node.entries["owner"].key.place,
            say("A member belongs to nobody."),
            say("Leave 'owner' out."),
        )
    if name.startswith(DATABASES_OWN):
        draft.report(
            "entity.reserved",
            source.place,
            say("'{name}' can't be the name of an entity.", name=name),
            say("Choose another name."),
        )
    if len(draft.shapes[name]) > MOST_FIELDS:
        draft.report(
            "entity.too_many_fields",
            source.place,
            say(
                "{what} has more than {most} fields.",
                what=say("The entity {entity}", entity=name),
                most=MOST_FIELDS,
            ),
            say("Split it."),
        )


def _search(draft: Draft, node: Mapping, name: str) -> tuple[str, ...]:
    known = {each: member for each, member in draft.records[name].items() if member.kind == "field"}
    return field_names(draft, node.get("search"), known, name)


def _purpose(name: str) -> Text | None:
    return MEMBER_PURPOSE if name == MEMBER else None


def _check_title(draft: Draft, title: Scalar, name: str) -> None:
    """Report what a title can't show: lines, of which there may be many, and a whole record."""
    shown = check_template(draft, title, {"record": RecordOf(name)})
    for path, place in shown.items():
        members = _members_on(draft, name, path.split(".")[1:])
        field = path.rpartition(".")[2]
        if not members or any(member.kind == "lines" for member in members[:-1]):
            continue  # the lines themselves are blamed
        kind = members[-1].type
        if members[-1].kind == "lines":
            sentence = say("A title shows single values; '{field}' are lines.", field=field)
            hint = say("Put what the title says of them into a computed field.")
            draft.report("entity.title_lines", place, sentence, hint)
        elif isinstance(kind, RecordOf) and not re.search(rf"\b{field}\b\W{{0,3}}[.\[]", title.text):
            sentence = say("'{field}' is a whole record; a title shows its fields.", field=field)
            first = next((each for each, member in draft.records[kind.entity].items() if member.type == STRING), "id")
            written = f"{{{{ {path}.{first} }}}}"
            draft.report("entity.title_reference", place, sentence, say("Write: {text}", text=written))


def _members_on(draft: Draft, entity: str, path: Iterable[str]) -> list[Member]:
    """Return what a path goes through from the records of an entity."""
    found: list[Member] = []
    kind: Type = RecordOf(entity)
    for name in path:
        member = draft.records.get(kind.entity, {}).get(name) if isinstance(kind, RecordOf) else None
        if member is None:
            return []
        found.append(member)
        kind = member.type.of if isinstance(member.type, ListOf) else member.type
    return found


def _title(shapes: MappingType[str, Field]) -> str:
    """Return the title of an entity that says none: its first text, else its id."""
    first = next((shape.name for shape in shapes.values() if shape.type == "text"), "id")
    return "{{ record." + first + " }}"


def _fields(draft: Draft, entity: str, node: Mapping) -> Iterator[tuple[str, Field]]:
    written = mapping(node.get("fields"))
    for name, shape in draft.shapes[entity].items():
        field = mapping(written.get(name)) if written and not shape.built_in else None
        yield name, shape if field is None else _field(draft, entity, shape, field)


def _field(draft: Draft, entity: str, shape: Field, node: Mapping) -> Field:
    _check_reference(draft, node)
    record: Names = {"record": RecordOf(entity)}
    full = with_values(draft, shape, node, draft.base(record), ("option", entity, shape.name))
    required = needed(draft, node.get("required"), draft.base(record))
    for value in (full.default, full.min, full.max, required):
        check_lines_unread(draft, entity, value)
    unique = _unique(draft, entity, shape, node.get("unique"))
    return replace(full, unique=unique, required_if=required, compute=_compute(draft, entity, shape, node))


def _check_reference(draft: Draft, node: Mapping) -> None:
    to = node.get("to")
    if isinstance(to, Scalar):
        draft.known("entity", to, extra=[MEMBER])


def _compute(draft: Draft, entity: str, shape: Field, node: Mapping) -> Value | None:
    found = node.get("compute")
    if found is None:
        return None
    for key in ("default", "required"):
        if key in node.entries:
            sentence = say("A computed field has no '{key}'.", key=key)
            draft.report("field.computed", node.entries[key].key.place, sentence, say("Leave '{key}' out.", key=key))
    if not is_expression(found):
        return value_of(draft, found, shape, {})
    reason = say("A computed field reads its own record only.")
    hints = dict.fromkeys(("actor", "network", "settings", "before", "form"), reason)
    around = Around({"record": RecordOf(entity)}, hints=hints)
    value = computed(draft, found, around, _expected(draft, entity, shape))
    if value is not None and value.expression is not None:
        _check_reads(draft, found, entity, shape, value)
    return value


def _expected(draft: Draft, entity: str, shape: Field) -> Type:
    return draft.records[entity][shape.name].type


def _check_reads(draft: Draft, node: Node, entity: str, shape: Field, value: Value) -> None:
    """Report what a computed field may not read: itself, other records."""
    reads = value.expression.reads if value.expression else frozenset()
    for path in sorted(reads):
        if len(path) > 1 and path[1] == shape.name:
            draft.report("field.compute_cycle", node.place, say("'{name}' is computed from itself.", name=shape.name))
        elif _leaves(draft, entity, path[1:]):
            sentence = say("A computed field reads its own record only, not {path}.", path=".".join(path))
            draft.report(
                "field.compute_reads", node.place, sentence, say("Read the reference where it is shown instead.")
            )


def _leaves(draft: Draft, entity: str, path: tuple[str, ...]) -> bool:
    """Whether a path leads from the record and its lines to another record."""
    member = draft.records[entity].get(path[0]) if len(path) > 1 else None
    kind = None if member is None else member.type
    if isinstance(kind, ListOf) and isinstance(kind.of, RecordOf):
        return _leaves(draft, kind.of.entity, path[1:])
    return isinstance(kind, RecordOf)


def _unique(draft: Draft, entity: str, shape: Field, node: Node | None) -> tuple[str, ...] | None:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return () if node.value else None
    others = draft.shapes[entity].keys() | ({"owner", "parent"} & draft.records[entity].keys())
    found = []
    for item in scalars(node):
        if item.text in others:
            found.append(item.text)
            note_field(draft, entity, item)
        else:
            message = say(
                "{name} can't be unique together with '{written}': there is no such field.",
                name=shape.name,
                written=item.text,
            )
            hint = say("Say 'owner: true' in the entity.") if item.text == "owner" else did_you_mean(item.text, others)
            draft.unfit("field.unknown", item.place, message, hint)
    return tuple(found) if node is not None else None


def _duplicates(draft: Draft, node: Node | None, members: Iterable[str], entity: str) -> tuple[tuple[str, ...], ...]:
    known = dict.fromkeys(members)
    groups = node.items if isinstance(node, Sequence) else ()
    return tuple(field_names(draft, group, known, entity) for group in groups)


def _retention(draft: Draft, entity: str, node: Node | None) -> Retention | None:
    if not isinstance(node, Mapping):
        return None
    names = draft.base({"record": RecordOf(entity)}, without=["actor"])
    span = Field("retention", "duration", plain(label_of("retention")), node.place)
    after = value_of(draft, node.get("after"), span, {k: v for k, v in names.items() if k != "record"})
    since = node.get("since")
    dates = {name for name, member in draft.records[entity].items() if member.type in (DATE, DATETIME)}
    if isinstance(since, Scalar) and since.text not in dates:
        sentence = say("The entity {entity} has no date '{name}'.", entity=entity, name=since.text)
        draft.unfit("retention.since", since.place, sentence, did_you_mean(since.text, sorted(dates)))
    elif isinstance(since, Scalar):
        note_field(draft, entity, since)
    unless = draft.condition(node.get("unless"), names, query=True)
    return Retention(
        after or Value(node.place),
        word(since) or "last_activity_at",
        node.place,
        unless=None if unless is None else Value(unless.place, expression=unless),
        warn=value_of(draft, node.get("warn"), span, {"settings": names["settings"]}),
        then=word(node.get("then")) or "erase",
    )
