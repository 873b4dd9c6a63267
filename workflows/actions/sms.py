"""`sms`: write to telephones, to each in its reader's language, what the reader may read."""

from __future__ import annotations

from definitions.spec.automation import Sms
from models.message import say
from workflows import markdown
from workflows.actions.audience import Recipient, recipients, region_of, telephone, wanted
from workflows.actions.wording import Wording, label_of
from workflows.posting import Letter, post
from workflows.scene import Done, Scene, Skipped, StepError
from workflows.templates import Rendered
from workflows.texting import MOST_PARTS, parts_of


async def sms(scene: Scene, step: Sms) -> Done | Skipped:
    """Keep a text message for each recipient that has a telephone number; who may not read the record is left out."""
    found = await wanted(scene, step.to, step.to_level, await scene.names(*step.to))
    inputs = {"template": step.template, "to": found}
    people = await recipients(scene, found, "phone", telephone(region_of(scene.unit.network)))
    if not people:
        return Skipped(say("There is nobody to write to."), inputs)
    written = [(recipient, await _write(scene, step, recipient)) for recipient in people]
    messages = [message for _, message in written if message is not None]
    left_out = [who.member or who.address for who, message in written if message is None]
    if not messages:
        return Skipped(say("Nobody it would go to may read the record."), {**inputs, "left_out": left_out})
    return Done(inputs, {"messages": messages, "left_out": left_out})


async def _write(scene: Scene, step: Sms, recipient: Recipient) -> str | None:
    """Keep the message and return its id; None for who may not read the record."""
    unit, run, wording = scene.unit, scene.run, Wording(scene, step.template)
    language = wording.language(recipient)
    names = await wording.names(recipient, language)
    if names is None:
        return None
    text = markdown.to_text(wording.templates.fill(step.template, language, names).body).strip()
    parts = parts_of(text).parts
    if parts > MOST_PARTS:
        raise StepError(say("The text would be {n} messages; {most} is the most.", n=parts, most=MOST_PARTS))
    letter = Letter(
        recipient=recipient.address,
        member=recipient.member,
        language=language,
        template=step.template,
        rendered=Rendered("", "", text),
        sender=label_of(scene.version.network, language),
        entity=scene.topic[0],
        record=scene.topic[1],
        run=run.id,
        channel="sms",
    )
    backoff = step.retry.backoff if step.retry else None
    message = unit.new_id()
    await post(unit, message, letter, backoff=backoff.exact if backoff else None)
    return message
