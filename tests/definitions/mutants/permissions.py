"""Breaking levels, privacy, screens, and what is defined for nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.definitions.mutants.meaning import entity_of, fields_of
from tests.definitions.mutants.mutant import Edit, Mutant, add, around, drop, mutants, put
from tests.definitions.mutants.written import Document, Pack, Spot

CLOSED = "{read: none, write: none}"
"""The rule of a field that a level neither reads nor writes."""


def without_purpose(pack: Pack) -> Iterator[Mutant]:
    """Personal data without a purpose, or kept for ever."""
    for entity in pack.of("entity"):
        personal = [spot for spot in entity.at("fields/*") if spot.get("personal")]
        purpose = entity.root.get("privacy", "purpose")
        alone = [spot for spot in personal if not spot.get("purpose")]
        for spot in personal:
            own = spot.get("purpose")
            if own is not None and purpose is None:
                yield from mutants("personal without purpose", [drop(own)], *around(spot), codes=("privacy.",))
        if purpose is not None and alone and entity.name != "member":
            also = tuple((spot.file, spot.begin) for spot in alone)
            edits = [drop(purpose), drop(purpose.above) if purpose.above else None]
            yield from mutants("personal without purpose", edits, *also, codes=("privacy.no_purpose",))
        retention = entity.root.get("retention")
        if retention is not None and personal:
            codes = ("privacy.no_retention",)
            yield from mutants("personal without retention", [drop(retention)], *around(entity.root), codes=codes)


def newly_personal(pack: Pack) -> Iterator[Mutant]:
    """A field that becomes personal where nothing says why, or how long."""
    for entity in pack.of("entity"):
        if entity.root.get("privacy") or entity.root.get("retention") or entity.name == "member":
            continue
        for field in entity.at("fields/*"):
            if field.mapping:
                edits = [add(field, "personal: contact")]
                yield from mutants("personal without purpose", edits, *around(entity.root), codes=("privacy.",))


def hidden_columns(pack: Pack) -> Iterator[Mutant]:
    """A column of a screen that a level loses the right to."""
    for screen in pack.of("screen"):
        entity = entity_of(pack, screen)
        for column in screen.at("list/columns/*"):
            for access in _accesses(pack, entity, screen.root.get("for")):
                edit = _field_rule(access, column.text, CLOSED)
                if edit is not None:
                    also = ((column.file, column.start),)
                    yield Mutant("column that a level may not read", (edit,), also, ("screen.",))


def closed_questions(pack: Pack) -> Iterator[Mutant]:
    """A question of a form that a level which is asked it may not answer any more."""
    for process in pack.of("process"):
        for question in process.at("transitions/*/form/*/field"):
            transition = process.root.get("transitions", question.way[1])
            by = transition.get("by") if transition else None
            for access in _accesses(pack, entity_of(pack, process), by) if by else ():
                if _takes(access, process, question.way[1]):
                    edit = _field_rule(access, question.text, "{write: none}")
                    if edit is not None and question.above is not None:
                        codes = ("process.form_field",)
                        yield Mutant("question that a level may not answer", (edit,), around(question.above), codes)


def _accesses(pack: Pack, entity: str, levels: Spot | None) -> Iterator[Spot]:
    """Yield what levels may do with an entity, those that read it."""
    for document in pack.of("level"):
        if levels is not None and document.name not in {item.text for item in levels.items}:
            continue
        access = document.root.get("entities", entity)
        functions = document.root.get("functions")
        consults = functions is None or any(item.text == "consult" for item in functions.items)
        if access is not None and access.mapping and not access.anchored and consults:
            read = access.get("read")
            if read is not None and read.text != "none":
                yield access


def _takes(access: Spot, process: Document, transition: str) -> bool:
    named = access.get("transitions")
    both = {transition, f"{process.name}.{transition}"}
    return named is None or any(item.text in both for item in named.items)


def _field_rule(access: Spot, field: str, rule: str) -> Edit | None:
    """Return the change that gives a level a rule for a field, None where it says more of that field already."""
    fields = access.get("fields")
    if access.alias:
        return _written_out(access, f"fields: {{{field}: {rule}}}") if fields is None else None
    if fields is None:
        return add(access, f"fields: {{{field}: {rule}}}")
    known = fields.get(field)
    if fields.alias or (known is not None and known.alias):
        return None
    return add(fields, f"{field}: {rule}") if known is None else put(known, rule)


def _written_out(access: Spot, more: str) -> Edit | None:
    """Return the change that puts what an alias repeats in its place, with something more."""
    assert access.key is not None
    found = re.compile(r":\s*(\*\w+)").match(access.document.text, access.key.end_mark.index)
    body = re.sub(r"^&\w+\s*", "", access.raw)
    if found is None or not body.startswith("{"):
        return None
    return Edit(access.file, found.start(1), found.end(1), f"{{{more}, {body[1:]}")


def unreadable_entities(pack: Pack) -> Iterator[Mutant]:
    """An entity that no level may read; a leader who is not declared may, and is declared for this."""
    first = next(pack.of("level"), None)
    if first is None or pack.document("level", "leader"):
        return
    at = first.root.children[0].begin
    declared = Edit(first.file, at, at, "level: leader\nentities: {}\n---\n")
    for entity in pack.of("entity"):
        repeated = (spot.alias or spot.anchored for spot in pack.every("level", "entities", entity.name))
        if entity.root.get("parent") or any(repeated):
            continue
        reads = (access.get("read") for access in _accesses(pack, entity.name, None))
        edits = tuple(put(read, "none") for read in reads if read is not None)
        if edits:
            yield Mutant("entity that nobody reads", (declared, *edits), around(entity.root), ("entity.unreadable",))


def unreadable_messages(pack: Pack) -> Iterator[Mutant]:
    """A message to a level that shows what it may not read any more."""
    for to in pack.at("automation", "do/**/(email|sms|notify)/to/level"):
        step = to.above.above if to.above else None
        named = step.get("template") if step else None
        template = pack.document("template", named.text) if named else None
        about = template.root.get("about") if template else None
        if template is None or about is None or step is None:
            continue
        for field in fields_of(pack, about.text):
            for access in _accesses(pack, about.text, to) if _shows(template, field) else ():
                edit = _field_rule(access, field, CLOSED)
                if edit is not None:
                    also = (*around(step), *(around(step.above) if step.above else ()))
                    yield Mutant("message that its level may not read", (edit,), also, ("automation.unreadable",))


def unreadable_by_all(pack: Pack) -> Iterator[Mutant]:
    """A message to a member that shows what no level may read any more."""
    for to in pack.at("automation", "do/**/(email|sms|notify)/to"):
        named = to.above.get("template") if to.above else None
        template = pack.document("template", named.text) if named else None
        about = template.root.get("about") if template else None
        if template is None or about is None or to.text not in {"=record.owner", "=record.beneficiary"}:
            continue
        for field in fields_of(pack, about.text):
            if any(spot.alias or spot.anchored for spot in pack.every("level", "entities", about.text)):
                continue
            rules = [_field_rule(access, field, CLOSED) for access in _accesses(pack, about.text, None)]
            edits = tuple(rule for rule in rules if rule is not None)
            if len(edits) == len(rules) > 0 and _shows(template, field) and to.above and to.above.above:
                also = (*around(to.above), *around(to.above.above))
                yield Mutant("message that no member may read", edits, also, ("automation.unreadable",))


def _shows(template: Document, field: str) -> bool:
    spots = (spot for spot in template.spots if spot.scalar)
    return any(
        re.search(rf"\brecord\.{field}\b", code) for spot in spots for code in re.findall(r"\{[{%].*?[}%]\}", spot.text)
    )


def useless(pack: Pack) -> Iterator[Mutant]:
    """Definitions that nobody uses."""
    for document in pack.of("network"):
        settings = document.root.get("settings")
        if settings is not None and settings.children:
            edits = [add(settings, "unneeded: {type: integer, value: 1}")]
            yield from mutants("unused setting", edits, codes=("setting.unused",))
    entity = next((each.name for each in pack.of("entity") if each.name != "member"), "member")
    texts = {
        "template": "template: unneeded\nchannel: email\nsubject: Hello\nbody: Hello",
        "statistic": f"statistic: unneeded\nentity: {entity}\nmeasure: count()",
        "automation": f"automation: unneeded\nentity: {entity}\ndo: [{{stop: true}}]",
    }
    for kind, text in texts.items():
        for document in pack.of(kind):
            at = document.root.children[0].begin
            edits = [Edit(document.file, at, at, f"{text}\n---\n")]
            yield from mutants(f"unused {kind}", edits, codes=(f"{kind}.unused",))
