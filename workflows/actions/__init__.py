"""The actions of automations, one file each; this is their register."""

from __future__ import annotations

from typing import assert_never

from definitions.spec.automation import (
    Action,
    Assign,
    Choose,
    Create,
    Document,
    Email,
    ForEach,
    Move,
    Notify,
    Run,
    SetFields,
    Sms,
    Stop,
    Task,
    Wait,
    Webhook,
)
from workflows.actions.assign import assign
from workflows.actions.choose import choose
from workflows.actions.create import create
from workflows.actions.document import document
from workflows.actions.email import email
from workflows.actions.for_each import for_each
from workflows.actions.move import move
from workflows.actions.notify import notify
from workflows.actions.run import run
from workflows.actions.set_fields import set_fields
from workflows.actions.sms import sms
from workflows.actions.task import task
from workflows.actions.wait import wait
from workflows.actions.webhook import webhook
from workflows.scene import Outcome, Scene, Stopped

NAMES: dict[type, str] = {
    Email: "email",
    Sms: "sms",
    Notify: "notify",
    Document: "document",
    SetFields: "set",
    Create: "create",
    Move: "move",
    Task: "task",
    Webhook: "webhook",
    Wait: "wait",
    Choose: "choose",
    ForEach: "for_each",
    Assign: "assign",
    Run: "run",
    Stop: "stop",
}
"""What each kind of step is called in the language."""


def name_of(step: Action) -> str:
    """Return what the step is called in the language."""
    return NAMES[type(step)]


async def perform(scene: Scene, step: Action) -> Outcome:  # noqa: C901, PLR0911, PLR0912 - one line for each kind of step
    """Do a step; raises what `models.errors` defines, `StepError` or `RenderError` when it can't be done."""
    match step:
        case Email():
            return await email(scene, step)
        case Sms():
            return await sms(scene, step)
        case Notify():
            return await notify(scene, step)
        case Document():
            return await document(scene, step)
        case SetFields():
            return await set_fields(scene, step)
        case Create():
            return await create(scene, step)
        case Move():
            return await move(scene, step)
        case Task():
            return await task(scene, step)
        case Webhook():
            return await webhook(scene, step)
        case Wait():
            return await wait(scene, step)
        case Choose():
            return await choose(scene, step)
        case ForEach():
            return await for_each(scene, step)
        case Assign():
            return await assign(scene, step)
        case Run():
            return await run(scene, step)
        case Stop():
            return Stopped()
        case _:
            assert_never(step)
