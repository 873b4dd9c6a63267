"""Lines: entities whose records are parts of another's."""

from __future__ import annotations

from definitions.build.draft import Draft, word
from definitions.build.member import MEMBER
from definitions.documents import Source
from definitions.expr import DYN, ListOf, Member, RecordOf
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Scalar
from definitions.spec.entity import SYSTEM_FIELDS

LINES = "lines"
"""What lines are called in their parent when nothing is said."""


def declare_lines(draft: Draft) -> None:
    """Let parents know their lines, and lines their parent; report those that can be none."""
    for source in draft.index.of("entity").values():
        if source.node is None:
            continue
        draft.current = source
        parent = source.node.get("parent")
        if isinstance(parent, Scalar):
            _declare(draft, source, source.node, parent)
        elif "as" in source.node.entries:
            place = source.node.entries["as"].key.place
            sentence = say("'as' names the lines of a parent, and '{name}' has no parent.", name=source.name)
            draft.unfit("entity.as_without_parent", place, sentence, say("Add 'parent: entity', or leave it out."))


def _declare(draft: Draft, source: Source, node: Mapping, parent: Scalar) -> None:
    _add(draft, source.name, "parent", Member(DYN, nullable=False, kind="system"))  # what is wrong is said here only
    if parent.text == source.name or source.name in _ancestors(draft, parent.text):
        sentence = say("Records of {name} would be lines of themselves.", name=source.name)
        draft.unfit("entity.parent_cycle", parent.place, sentence, say("Use a reference for what refers to its kind."))
    elif source.name == MEMBER:
        sentence = say("Members are no lines of other records.")
        draft.unfit("entity.member_parent", parent.place, sentence, say("Leave 'parent' out."))
    elif parent.text not in draft.records and draft.source("entity", parent.text) is not None:
        source.damaged = True  # the parent can't be read: reported there
    elif parent.text not in draft.records:
        others = [name for name in (*draft.index.of("entity"), MEMBER) if name != source.name]
        sentence = say("There is no {kind} '{written}'.", kind="entity", written=parent.text)
        draft.unfit("entity.unknown", parent.place, sentence, did_you_mean(parent.text, others))
    else:
        draft.used.add(("entity", parent.text))
        draft.notes.name(("entity", parent.text), parent)
        above = Member(RecordOf(parent.text), nullable=False, kind="system", target=("parent", source.name, "parent"))
        _add(draft, source.name, "parent", above)
        _name(draft, source, node, parent.text)


def _add(draft: Draft, entity: str, name: str, member: Member) -> None:
    records = draft.index.declared.records
    records[entity] = records[entity] | {name: member}  # what there was is remembered elsewhere


def _ancestors(draft: Draft, entity: str) -> set[str]:
    found: set[str] = set()
    above: str | None = entity
    while above is not None and above not in found:
        found.add(above)
        source = draft.source("entity", above)
        above = word(source.node.get("parent")) or None if source is not None and source.node is not None else None
    return found


def _name(draft: Draft, source: Source, node: Mapping, parent: str) -> None:
    """Give the lines their name in the parent, unless something else there has it."""
    written = node.get("as")
    name = lines_name(node)
    place = written.place if isinstance(written, Scalar) else source.place
    taken = {*draft.records[parent], *draft.index.processes_of(parent), *SYSTEM_FIELDS, "owner", "parent"}
    if name not in taken:
        kind = ListOf(RecordOf(source.name))
        lines = Member(kind, nullable=False, stored=False, kind="lines", target=("lines", parent, name))
        _add(draft, parent, name, lines)
        return
    sentence = say("{parent} has something called '{name}' already.", parent=parent, name=name)
    draft.unfit("entity.lines_taken", place, sentence, say("Give the lines another name: 'as: …'."))


def lines_name(node: Mapping) -> str:
    """Return what the lines are called in their parent."""
    return word(node.get("as")) or LINES


def line_of(draft: Draft, name: str) -> str | None:
    """Return the entity that the entity's records are lines of, where that was found fit."""
    parent = draft.records.get(name, {}).get("parent")
    return parent.type.entity if parent is not None and isinstance(parent.type, RecordOf) else None
