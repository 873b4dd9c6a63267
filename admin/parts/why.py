"""Why an automation did what it did, told: a line a step, and what began or ended it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from admin.parts.subject import Subject
from admin.unmet import in_words, of_automation
from models.message import Message, say
from workflows.timeline import RunTrace, StepTrace

RUN_STATES: dict[str, tuple[Message, str]] = {
    "running": (say("running"), "blue"),
    "waiting": (say("waiting"), "amber"),
    "done": (say("done"), "green"),
    "failed": (say("failed"), "red"),
    "cancelled": (say("cancelled"), "grey"),
    "not_fired": (say("did not start"), "grey"),
}
OUTCOMES: dict[str, tuple[Message, str]] = {
    "done": (say("Done"), "green"),
    "skipped": (say("Skipped"), "grey"),
    "failed": (say("Failed"), "red"),
    "waiting": (say("Waiting"), "amber"),
    "cancelled": (say("Cancelled"), "grey"),
    "retried": (say("Once more"), "blue"),
}
ACTIONS = {
    "email": say("E-mail"),
    "sms": say("Text message"),
    "notify": say("Notification"),
    "document": say("Document"),
    "set": say("Change of fields"),
    "task": say("Task"),
    "create": say("New record"),
    "move": say("Step of a process"),
    "wait": say("Pause"),
    "choose": say("Choice"),
    "for_each": say("Loop"),
    "assign": say("New owner"),
    "run": say("Other automation"),
    "webhook": say("Web hook"),
    "stop": say("End"),
}
NOT_TOLD = frozenset({"about", "for", "record", "timeout"})
"""Inputs of steps that hold ids."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of "Why?": a verdict and what it is about."""

    verdict: str
    colour: str
    text: str


def reasons(about: Subject, run: RunTrace) -> tuple[Reason, ...]:
    """Return the verdicts of a run: of its steps, of what kept it from beginning, of what it waits for."""
    words, formats = about.reader.words, about.reader.formats
    found = [_reason(about, step) for step in run.steps]
    if run.why is not None:
        verdict, colour = (say("No"), "red") if run.state == "not_fired" else (say("Ended"), "grey")
        asks = (Reason(each.verdict, each.colour, each.text) for each in of_automation(about.reader, run.asks))
        found[:0] = [Reason(words(verdict), colour, in_words(about.reader, run.why)), *asks]
    waits = any(step.outcome == "waiting" for step in run.steps)
    if run.wake_at is not None and run.ended_at is None and not waits:
        text = words(say("goes on {moment}", moment=formats.datetime(run.wake_at)))
        found.append(Reason(words(say("Waiting")), "amber", text))
    return tuple(found)


def _reason(about: Subject, step: StepTrace) -> Reason:
    words = about.reader.words
    verdict, colour = OUTCOMES.get(step.outcome, (say("Ended"), "grey"))
    action = words(ACTIONS.get(step.action, say("step")))
    detail = _detail(about, step)
    why = f" · {in_words(about.reader, step.why)}" if step.why else ""
    return Reason(words(verdict), colour, f"{action}{detail}{why}")


def _detail(about: Subject, step: StepTrace) -> str:
    """Return what a step was given, as far as it says something to people: texts, addresses, times."""
    given = [value for name, value in step.inputs.items() if name not in NOT_TOLD]
    said = [
        _say_input(about, value) for each in given for value in (each if isinstance(each, list | tuple) else [each])
    ]
    kept = [text for text in said if text]
    return f" · {', '.join(kept)}" if kept else ""


def _say_input(about: Subject, value: object) -> str:
    if not isinstance(value, str) or _is_id(value):
        return ""
    template = about.visit.network.templates.get(value)
    if template is not None:
        return about.reader.words(template.label)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return about.reader.formats.datetime(moment) if moment.tzinfo else value


def _is_id(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
