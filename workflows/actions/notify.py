"""`notify`: tell members inside of the product, each in the own language, what they may read."""

from __future__ import annotations

from definitions.spec.automation import Notify
from models.message import say
from workflows import markdown, notices, preferences
from workflows.actions.audience import Recipient, as_written, recipients, wanted
from workflows.actions.wording import Wording, label_of
from workflows.notices import Told
from workflows.posting import Letter, post
from workflows.scene import Done, Scene, Skipped


async def notify(scene: Scene, step: Notify) -> Done | Skipped:
    """Keep a notification for each member, and a mail for who wants one too; who may not read the record has none."""
    found = await wanted(scene, step.to, step.to_level, await scene.names(*step.to))
    inputs = {"template": step.template, "to": found}
    people = await recipients(scene, found, "id", as_written)
    if not people:
        return Skipped(say("There is nobody to tell."), inputs)
    told = [(recipient, await _tell(scene, step, recipient)) for recipient in people]
    notes = [notice for _, notice in told if notice is not None]
    left_out = [recipient.address for recipient, notice in told if notice is None]
    if not notes:
        return Skipped(say("Nobody it would go to may read the record."), {**inputs, "left_out": left_out})
    return Done(inputs, {"notices": notes, "left_out": left_out})


async def _tell(scene: Scene, step: Notify, recipient: Recipient) -> str | None:
    unit, run, wording = scene.unit, scene.run, Wording(scene, step.template)
    language = wording.language(recipient)
    names = await wording.names(recipient, language)
    if names is None:
        return None
    filled = wording.templates.fill(step.template, language, names)
    notice = unit.new_id()
    told = Told(recipient.address, step.template, language, filled, *scene.topic, run.id)
    await notices.keep(unit, notice, told)
    await _copy(scene, step, recipient, told)
    return notice


async def _copy(scene: Scene, step: Notify, recipient: Recipient, told: Told) -> None:
    """Write the same as a mail to a member who wants that and has an address."""
    unit, member = scene.unit, recipient.actor.member if recipient.actor else None
    address = (member or {}).get("email")
    if not address or not await preferences.holds(unit.tx, recipient.address, "notices_by_mail"):
        return
    wording = Wording(scene, step.template)
    label = label_of(scene.version.network, told.language)
    letter = Letter(
        recipient=str(address),
        member=recipient.member,
        language=told.language,
        template=step.template,
        rendered=wording.templates.laid_out(told.filled, told.language, markdown.escape(label)),
        sender=label,
        entity=told.entity,
        record=told.record,
        run=told.run,
    )
    await post(unit, unit.new_id(), letter)
