"""`document`: write a PDF into a field of the record, once it is made."""

from __future__ import annotations

from definitions.spec.automation import Document
from models.message import say
from workflows import changes, printing
from workflows.actions.audience import NOBODY
from workflows.actions.wording import Wording
from workflows.scene import Awaits, Done, Scene, StepError


async def document(scene: Scene, step: Document) -> Done | Awaits:
    """Ask for the document and wait for it; then put it into the field, as the system.

    It says what the record holds when it is asked for; who may read its field reads all of it.
    """
    record, asked = scene.living, scene.run.cursor.get("awaits")
    if record is None:
        raise StepError(say("There is no record to change."))
    inputs = {"template": step.template, "to_field": step.to_field}
    if asked is None:
        return Awaits(await _ask(scene, step), inputs)
    made = await printing.made(scene.unit.tx, asked)
    if made.error is not None:
        raise StepError(made.error)
    if made.waiting:
        return Awaits(asked, inputs)
    if made.file is None:
        return Done(inputs, {"document": asked})
    change, history = await changes.update_traced(
        scene.unit, record.entity, record.id, None, scene.earlier.written(record.entity, {step.to_field: made.file})
    )
    await printing.taken(scene.unit.tx, asked)
    return Done(inputs, {"changed": list(change.fields), "history": history, "document": asked}, stale=True)


async def _ask(scene: Scene, step: Document) -> str:
    wording = Wording(scene, step.template)
    language = wording.language(NOBODY)
    names = await wording.names(NOBODY, language)
    filled = wording.templates.fill(step.template, language, names or {})
    asked = scene.unit.new_id()
    await printing.ask(scene.unit, asked, scene.run, step.template, language, filled)
    return asked
