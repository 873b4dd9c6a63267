"""A record's timeline, told: one entry an event, under the day on which it happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never

from admin.parts.columns import Column, column, field_column
from admin.parts.shown import Titles, reference_id, write
from admin.parts.subject import Subject
from admin.parts.why import RUN_STATES, Reason, reasons
from definitions.charts.process import leaves_of
from definitions.spec.entity import Entity
from models.message import Message, say
from models.uploads import FILES
from workflows.mails import State
from workflows.timeline import Event, FieldChange, LineEvent

DECIDED: dict[str, tuple[str, str, Message]] = {
    "asked": ("hourglass", "amber", say("asked for: {step}")),
    "granted": ("check", "green", say("agreed to: {step}")),
    "refused": ("x", "red", say("refused: {step}")),
    "withdrawn": ("undo-2", "grey", say("takes back the request: {step}")),
    "closed": ("circle-slash", "grey", say("The request is closed: {step}")),
}
"""How steps that others must agree to are told: icon, colour and what was done."""

SHOWS: dict[str, frozenset[str]] = {
    "all": frozenset(),
    "notes": frozenset({"note"}),
    "mails": frozenset({"mail"}),
    "changes": frozenset({"created", "updated", "moved", "undone", "deleted", *DECIDED}),
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A field before and after, in words; both "" for nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the form of a move was answered with: the question, the answer in words, and where a file is."""

    label: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class LineTold:
    """What became of a line: in words, where it is ("" where it went), and what changed of it."""

    text: str
    href: str
    changes: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: `bold` begins the sentence, `rest` ends it."""

    id: str
    icon: str
    colour: str
    bold: str
    rest: str
    time: str
    stamp: str
    changes: tuple[Changed, ...] = ()
    body: str = ""
    pill: tuple[str, str] | None = None
    reasons: tuple[Reason, ...] = ()
    undo: str = ""
    undone: bool = False
    href: str = ""
    lines: tuple[LineTold, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of one day, newest first."""

    label: str
    entries: tuple[Entry, ...]


def days(about: Subject, record_id: str, events: Iterable[Event], titles: Titles) -> tuple[Day, ...]:
    """Return the events as entries, by day."""
    formats = about.reader.formats
    grouped = groupby(events, key=lambda event: formats.day_of(event.at))
    return tuple(
        Day(formats.day(day), tuple(_entry(about, record_id, event, titles) for event in found))
        for day, found in grouped
    )


def references(about: Subject, events: Iterable[Event]) -> dict[str, set[str]]:
    """Return the records that changes name, by entity: their titles are wanted."""
    found: dict[str, set[str]] = {}
    for event in events:
        lines = ((about.visit.network.entities[line.entity], each) for line in event.lines for each in line.changes)
        for entity, change in (*((about.entity, each) for each in event.changes), *lines):
            of = column(about.reader, entity, change.field)
            if of is not None and of.kind == "reference" and of.to:
                values = (value for value in (change.before, change.after) if value)
                found.setdefault(of.to, set()).update(map(reference_id, values))
        for name, asked in _asked(about, event).items() if event.answers else ():
            if asked.kind == "reference" and asked.to and event.answers.get(name):
                found.setdefault(asked.to, set()).add(reference_id(event.answers[name]))
    return found


def _entry(about: Subject, record_id: str, event: Event, titles: Titles) -> Entry:
    icon, colour, bold, rest = _sentence(about, event)
    return Entry(
        id=event.id,
        icon=icon,
        colour=colour,
        bold=bold,
        rest=rest,
        time=about.reader.formats.time(event.at),
        stamp=event.at.isoformat(),
        changes=_changes(about, event, titles),
        body=_body(event) if event.reason is None else about.reader.words(event.reason),
        pill=_pill(about, event),
        reasons=reasons(about, event.run) if event.run else (),
        undo=about.url(record_id, "undo", event.id) if event.undo_until and not event.undone else "",
        undone=event.undone,
        href=_page(about, event),
        lines=tuple(_line(about, line, titles) for line in event.lines),
        answers=tuple(_answers(about, record_id, event, titles)),
    )


def _asked(about: Subject, event: Event) -> Mapping[str, Column]:
    """Return the questions of a move's form that are no fields of the record."""
    process = about.visit.network.processes.get(event.process or "")
    transition = process.transitions.get(event.transition or "") if process else None
    form = {} if transition is None else transition.form
    return {name: field_column(about.reader, each.field) for name, each in form.items() if each.edits is None}


def _answers(about: Subject, record_id: str, event: Event, titles: Titles) -> Iterator[Answer]:
    for name, asked in _asked(about, event).items():
        text = _written(about, asked, event.answers.get(name), titles)
        file = about.url(record_id, "history", event.id, "files", name) if asked.kind in FILES else ""
        if text:
            yield Answer(asked.label, text, file)


LINES: dict[str, Message] = {
    "created": say("Added: {title}"),
    "updated": say("Changed: {title}"),
    "moved": say("Changed: {title}"),
    "undone": say("Changed: {title}"),
    **dict.fromkeys(DECIDED, say("Changed: {title}")),
    "deleted": say("Deleted: {title}"),
}


def _line(about: Subject, line: LineEvent, titles: Titles) -> LineTold:
    said = LINES[line.kind]
    entity = about.visit.network.entities[line.entity]
    told = line.changes if line.kind not in {"created", "deleted"} else ()
    return LineTold(
        about.reader.words(Message(said.text, {"title": line.title})),
        "" if line.kind == "deleted" else about.visit.url("e", line.entity, line.record),
        tuple(_change(about, entity, each, titles) for each in told if not _untold(about, entity, each)),
    )


def _page(about: Subject, event: Event) -> str:
    """Return the page of what happened, where it has one that its reader may see."""
    if event.mail is not None:
        return about.visit.url("outbox", event.mail.id)
    return about.visit.url("runs", event.run.id) if event.run is not None and about.visit.leads else ""


def _sentence(about: Subject, event: Event) -> tuple[str, str, str, str]:  # noqa: C901, PLR0911, PLR0912 - one way out a kind
    """Return icon, colour, the bold beginning and the rest."""
    words, who = about.reader.words, _who(about, event)
    match event.kind:
        case "created":
            return "circle-plus", "green", who, words(say("added this record"))
        case "updated":
            return "pencil", "grey", who, words(say("changed something"))
        case "moved":
            return "arrow-right", _target_colour(about, event), who, f"{_move(about, event)}"
        case "asked" | "granted" | "refused" | "withdrawn" | "closed":
            return _decision(about, event, who)
        case "undone":
            return "undo-2", "grey", who, words(say("took back: {step}", step=_move(about, event)))
        case "deleted":
            return "trash-2", "red", who, words(say("deleted this record"))
        case "note":
            return "sticky-note", "amber", words(say("Note by {name}", name=who)), ""
        case "mail":
            subject = event.mail.subject if event.mail else ""
            hidden = say("An e-mail that shows what you may not see")
            return "mail", "blue", subject or words(hidden), _mail_to(about, event)
        case "task":
            return "list-checks", "violet", event.task.title if event.task else event.text, words(say("Task"))
        case "run":
            return "workflow", "grey", _automation(about, event), words(say("Automation"))
        case _:
            assert_never(event.kind)


def _decision(about: Subject, event: Event, who: str) -> tuple[str, str, str, str]:
    icon, colour, said = DECIDED[event.kind]
    told = about.reader.words(Message(said.text, {"step": _move(about, event)}))
    return (icon, colour, told, "") if event.kind == "closed" else (icon, colour, who, told)


def _who(about: Subject, event: Event) -> str:
    really = event.through_name or about.reader.words(say("Somebody"))
    if event.automation:
        label = _automation(about, event)
        begun = say("{automation}, begun by {name}", automation=label, name=really)
        return label if event.through is None else about.reader.words(begun)
    if event.actor_kind == "member" and event.actor_name:
        if event.through is None:
            return event.actor_name
        return about.reader.words(say("{name} for {member}", name=really, member=event.actor_name))
    return about.reader.words(say("The network") if event.actor_kind == "system" else say("Somebody"))


def _automation(about: Subject, event: Event) -> str:
    name = event.run.automation if event.run else event.automation or ""
    automation = about.visit.network.automations.get(name)
    return about.reader.words(automation.label) if automation else name


def _move(about: Subject, event: Event) -> str:
    process = about.visit.network.processes.get(event.process or "")
    transition = process.transitions.get(event.transition or "") if process else None
    return about.reader.words(transition.label) if transition else event.transition or ""


def _target_colour(about: Subject, event: Event) -> str:
    process = about.visit.network.processes.get(event.process or "")
    names = (event.to_state or "").split()
    states = [process.states[name] for name in names if name in process.states] if process else []
    return states[0].colour if states else "grey"


def _mail_to(about: Subject, event: Event) -> str:
    if event.mail is None or not event.mail.recipient:
        return ""
    return about.reader.words(say("to {recipient}", recipient=event.mail.recipient))


def _body(event: Event) -> str:
    if event.mail is not None:
        return event.mail.text
    return event.text if event.kind in {"note", "moved", *DECIDED} else ""


def _pill(about: Subject, event: Event) -> tuple[str, str] | None:
    words = about.reader.words
    if event.mail is not None:
        said, colour = MAIL_STATES[event.mail.state]
        return words(said), colour
    if event.run is not None:
        said, colour = RUN_STATES.get(event.run.state, (say("ended"), "grey"))
        return words(said), colour
    if event.undone:
        return words(say("taken back")), "grey"
    if event.task is not None and event.task.done_at:
        return words(say("done")), "green"
    return None


MAIL_STATES: dict[State, tuple[Message, str]] = {
    "waiting": (say("waiting"), "amber"),
    "sending": (say("being sent"), "blue"),
    "sent": (say("sent"), "green"),
    "failed": (say("failed"), "red"),
    "unknown": (say("perhaps sent"), "amber"),
    "cancelled": (say("cancelled"), "grey"),
}


def _changes(about: Subject, event: Event, titles: Titles) -> tuple[Changed, ...]:
    """Return what changed, but not what a new record began with: the page shows that."""
    if event.kind == "created":
        return ()
    entity = about.entity
    return tuple(_change(about, entity, each, titles) for each in event.changes if not _untold(about, entity, each))


def _untold(about: Subject, entity: Entity, change: FieldChange) -> bool:
    """Whether the visitor may not see the change, or the definitions know its field no more."""
    return change.hidden or column(about.reader, entity, change.field) is None


def _change(about: Subject, entity: Entity, change: FieldChange, titles: Titles) -> Changed:
    of = column(about.reader, entity, change.field)
    if of is None:
        return Changed(change.field, str(change.before or ""), str(change.after or ""))
    before, after = _apart(change) if of.kind == "state" else (change.before, change.after)
    return Changed(of.label, _written(about, of, before, titles), _written(about, of, after, titles))


def _apart(change: FieldChange) -> tuple[object, object]:
    """Return the states that a change left and entered, without those side by side with them."""
    before, after = leaves_of(change.before), leaves_of(change.after)
    return tuple(name for name in before if name not in after), tuple(name for name in after if name not in before)


def _written(about: Subject, of: Column, value: object, titles: Titles) -> str:
    return write(of, value, about.reader, titles)
