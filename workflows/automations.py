"""Running automations: step by step in one transaction, each step traced, until the end or a wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from definitions.likeness import alike
from definitions.spec.automation import Action, Automation, ForEach, Wait
from definitions.text import Text
from models.errors import InvalidError, NotFoundError, RequestError
from models.message import Message, say
from models.published import Published
from models.record import Record
from models.system import STEP
from workflows import outbox, runs, traces, turns
from workflows.actions import name_of, perform
from workflows.actions.wait import moved
from workflows.program import Program, program
from workflows.runs import Run
from workflows.scene import Awaits, Chosen, Done, Looped, Outcome, Paused, Scene, Skipped, StepError, Stopped, set_scene
from workflows.sealing import sealed
from workflows.stored import dump, dump_message, moment
from workflows.templates import RenderError
from workflows.unit import Unit

ENDED = say("The automation was changed; its runs end with a change.")
STEPS = 100
"""So many steps a transaction does at most; a run that has more to do goes on in the next one, behind other work."""
INSERTION = STEP.insert()
_RETRY = timedelta(minutes=1)
_LONGEST = timedelta(days=1)


async def advance(unit: Unit, version: Published, run: Run, record: Record | None = None) -> None:
    """Do the steps of the run that can be done now; ends the run, or leaves it waiting with a row in the outbox.

    `record`: see `set_scene`.
    """
    automation = _automation(unit, version, run)
    if isinstance(automation, Message):
        await runs.end(unit, run, "cancelled", automation)
        return
    try:
        scene = await set_scene(unit, version, run, record)
    except NotFoundError:
        await runs.end(unit, run, "cancelled", say("The record was deleted."))
        return
    await Journey(scene, program(version, run.followed)).go_on()


async def check(unit: Unit, version: Published, run: Run) -> None:
    """End a waiting run when the `cancel_if` of its wait holds; let it wait otherwise where the record says so now."""
    step = program(version, run.followed).steps.get(run.cursor.get("at", ""))
    if run.state != "waiting" or not isinstance(step, Wait):
        return
    try:
        scene = await set_scene(unit, version, run)
    except NotFoundError:
        await runs.end(unit, run, "cancelled", say("The record was deleted."))
        return
    if await _called_off(scene, step):
        await Journey(scene, program(version, run.followed)).call_off(step)
    elif run.cursor.get("follow"):
        await Journey(scene, program(version, run.followed)).wait_otherwise(step)


def _automation(unit: Unit, version: Published, run: Run) -> Automation | Message:
    """Return the automation that the run follows, or why it does not go on."""
    began = version.network.automations.get(run.followed)
    if began is None:
        return say("The automation is gone.")
    today = unit.network.automations.get(run.automation, began)
    if today.runs == "cancel" and not alike(began, today):
        return ENDED
    return began


async def _called_off(scene: Scene, step: Wait) -> bool:
    if step.cancel_if is None:
        return False
    names = await scene.names(step.cancel_if)
    return step.cancel_if.evaluate(names, scene.unit.context) is True


@dataclass(slots=True)
class Journey:
    """A run on its way through its program."""

    scene: Scene
    program: Program

    async def go_on(self) -> None:
        """Go on from where the run stands."""
        cursor = self.scene.run.cursor
        at: str | None = cursor.get("at", self.program.first)
        if at is not None:
            at = await self._begin(at)
        done = 0
        while at is not None and done < STEPS:
            done += 1
            at = await self._step(at)
        if at is not None:
            await self._rest(at)

    async def _begin(self, at: str) -> str | None:
        """Return the step to go on with: behind a wait that is over, and as somebody asked who looks after the run."""
        cursor = self.scene.run.cursor
        if cursor.get("waiting"):
            return await self._wake(at)
        step = self.program.steps.get(at)
        if step is None:
            return at
        if "again" in cursor:
            await self._trace(step, "retried", why=say("Tried again by {name}.", name=cursor["again"]))
        if "skip" in cursor:
            return await self._leave(step, say("Skipped by {name}.", name=cursor["skip"]))
        return at

    async def _leave(self, step: Action, why: Message) -> str | None:
        """Go on behind a step that is not done, and out of a loop that is not ended."""
        await self._trace(step, "skipped", why=why)
        if isinstance(step, ForEach) and turns.is_in(self.scene.run, step.path):
            self._run(await turns.leave(self.scene.unit.tx, self.scene.run))
        return await self._follow(step.path)

    async def _wake(self, at: str) -> str | None:
        """Go on behind a wait, unless it was called off meanwhile."""
        step = self.program.steps.get(at)
        if step is None:
            await self._end("failed", say("The step at which the run waited is gone."))
            return None
        if isinstance(step, Wait) and await _called_off(self.scene, step):
            await self.call_off(step)
            return None
        await self._trace(step, "done")
        return await self._follow(at)

    async def call_off(self, step: Wait) -> None:
        """End the run because the wait's condition says so."""
        why = say("The wait was called off: {condition}", condition=step.cancel_if.text if step.cancel_if else "")
        await self._trace(step, "cancelled", why=why)
        await self._end("cancelled", why)

    async def wait_otherwise(self, step: Wait) -> None:
        """Wait until the time that the record has now."""
        found = await moved(await self.scene.about(step), step, self.scene.run.cursor["follow"])
        if found is not None:
            await outbox.cancel(self.scene.unit.tx, f"run:{self.scene.run.id}:", self.scene.unit.now)
            await self._wait(step, found)

    async def _wait(self, step: Action, pause: Paused) -> None:
        await self._trace(step, "waiting", pause.inputs, {"until": pause.until})
        more = {"waiting": True, "cancel": pause.cancel, **({"follow": pause.follow} if pause.follow else {})}
        await self._pause(step.path, pause.until, more)

    async def _step(self, at: str) -> str | None:
        """Do one step, undoing it alone when it fails; return the next, None when the run stops here."""
        step = self.program.steps[at]
        if isinstance(step, ForEach) and turns.is_in(self.scene.run, at):
            return await self._turn(step)
        tx = self.scene.unit.tx
        await tx.run("SAVEPOINT step")
        try:
            outcome = await self._outcome(step)
            await tx.run("RELEASE SAVEPOINT step")
        except (RequestError, StepError, RenderError) as error:
            await tx.run("ROLLBACK TO SAVEPOINT step")
            self.scene.unit.records.loader.forget()
            await tx.run("RELEASE SAVEPOINT step")
            return await self._failed(step, _reason(error))
        return await self._took(step, outcome)

    async def _outcome(self, step: Action) -> Outcome:
        if step.condition is not None:
            names = await self.scene.names(step.condition)
            if step.condition.evaluate(names, self.scene.unit.context) is not True:
                return Skipped(say("The condition does not hold: {condition}", condition=step.condition.text))
        return await perform(await self.scene.about(step), step)

    async def _took(self, step: Action, outcome: Outcome) -> str | None:  # noqa: C901 - one line for each outcome
        match outcome:
            case Done():
                if not await self._did(step, outcome):
                    return None
            case Skipped(why, inputs):
                await self._trace(step, "skipped", inputs, why=why)
            case Chosen(path, inputs):
                await self._trace(step, "done", inputs, {"next": path})
                return path or await self._follow(step.path)
            case Looped(name, count, inputs):
                await self._trace(step, "done", inputs, {"items": count})
                self._run(turns.enter(self.scene.run, step, name, count))
                return step.path
            case Paused():
                await self._wait(step, outcome)
                return None
            case Awaits(what, inputs):
                await self._await(step, what, inputs)
                return None
            case Stopped():
                await self._trace(step, "done")
                await self._end("done")
                return None
            case _:
                assert_never(outcome)
        return await self._follow(step.path)

    async def _did(self, step: Action, done: Done) -> bool:
        """Keep what the step made; False when the run is over with it."""
        await self._trace(step, "done", done.inputs, done.result)
        self.scene = self.scene.with_made(done.made)
        if await runs.is_over(self.scene.unit, self.scene.run):
            return False  # what it did began another run in its place
        return not done.stale or await self._refresh()

    async def _turn(self, step: ForEach) -> str | None:
        """Begin the next turn of a loop, or go on behind it. A record that was deleted meanwhile is left out."""
        tx = self.scene.unit.tx
        run = await turns.next_turn(tx, self.scene.run, step)
        if run is None:
            self._run(await turns.leave(tx, self.scene.run))
            return await self._follow(step.path)
        if run.cursor["turns"] > turns.MOST:
            why = say("The loops of this run have taken more than {count} turns.", count=turns.MOST)
            await self._trace(step, "failed", why=why)
            await self._give_up(step, why)
            return None
        self._run(run)
        if await self.scene.item_is_gone():
            await self._trace(step, "skipped", why=say("The record was deleted."))
            return step.path
        return step.steps[0].path if step.steps else step.path

    def _run(self, run: Run) -> None:
        self.scene = replace(self.scene, run=run)

    async def _follow(self, at: str) -> str | None:
        following = self.program.after[at]
        if following is None:
            await self._end("done")
        return following

    async def _refresh(self) -> bool:
        """Read the record again after it was changed; a run whose record went is over."""
        try:
            self.scene = await set_scene(self.scene.unit, self.scene.version, self.scene.run)
        except NotFoundError:
            await self._end("done")
            return False
        return True

    async def _failed(self, step: Action, why: Message) -> str | None:
        cursor = self.scene.run.cursor
        tries = 1 + (int(cursor.get("tries", 0)) if cursor.get("at") == step.path else 0)
        await self._trace(step, "failed", why=why)
        if step.retry is not None and tries <= step.retry.times:
            first = step.retry.backoff.exact if step.retry.backoff else _RETRY
            pause = min(first * 2 ** min(tries - 1, 20), _LONGEST)
            await self._pause(step.path, self.scene.unit.now + pause, {"tries": tries})
            return None
        lenient = self.program.lenient(step.path)
        if lenient is None:
            await self._give_up(step, why)
            return None
        self._run(turns.back_to(self.scene.run, lenient.path))
        return lenient.path if turns.is_in(self.scene.run, lenient.path) else await self._follow(lenient.path)

    async def _give_up(self, step: Action, why: Message) -> None:
        """End the run at a step that failed for good; it is kept where that is."""
        await runs.mark(self.scene.unit, replace(self.scene.run, cursor=self._cursor(step.path, {})))
        await self._end("failed", why)

    async def _pause(self, at: str, until: datetime, more: Mapping[str, Any]) -> None:
        unit = self.scene.unit
        run = replace(self.scene.run, state="waiting", cursor=self._cursor(at, more))
        await runs.mark(unit, run, until)
        await runs.wake(unit, run, until)

    async def _await(self, step: Action, what: str, inputs: Mapping[str, Any]) -> None:
        """Leave the run waiting for who is to wake it; how often the step was tried is not forgotten over it."""
        cursor = self.scene.run.cursor
        if cursor.get("awaits") != what:
            await self._trace(step, "waiting", inputs)
        tries = {"tries": cursor["tries"]} if cursor.get("at") == step.path and "tries" in cursor else {}
        run = replace(self.scene.run, state="waiting", cursor=self._cursor(step.path, {"awaits": what, **tries}))
        await runs.mark(self.scene.unit, run, self.scene.unit.now)

    async def _rest(self, at: str) -> None:
        """Let other work have its turn, and go on at a step then."""
        run = replace(self.scene.run, state="running", cursor=self._cursor(at, {}))
        await runs.mark(self.scene.unit, run)
        await runs.wake(self.scene.unit, run)

    def _cursor(self, at: str, more: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in self.scene.run.cursor.items() if name in ("seq", "loops", "turns")}
        step = self.program.steps[at]
        return {"seq": 0, **kept, "at": at, "id": step.id, "action": name_of(step), **more}

    async def _end(self, state: runs.State, why: Message | None = None) -> None:
        await runs.end(self.scene.unit, self.scene.run, state, why)

    async def _trace(
        self,
        step: Action,
        outcome: str,
        inputs: Mapping[str, Any] | None = None,
        result: Mapping[str, Any] | None = None,
        *,
        why: Message | None = None,
    ) -> None:
        unit, run = self.scene.unit, self.scene.run
        seq = int(run.cursor.get("seq", 0)) + 1
        cursor = {name: value for name, value in run.cursor.items() if name not in runs.OF_PAUSES}
        self._run(replace(run, cursor={**cursor, "seq": seq}))
        row = [unit.new_id(), run.id, seq, step.path, name_of(step), moment(unit.now)]
        given = sealed(unit, dump(inputs or {}), traces.GIVEN)
        said = [given, dump(result or {}), outcome, dump_message(why)]
        await unit.tx.run(INSERTION, [*row, *said, turns.turn(run)])


def _reason(error: Exception) -> Message:
    match error:
        case InvalidError(fields=fields):
            said = "; ".join(f"{name}: {message}" for name, message in fields.items())
            return say("The values do not fit: {fields}", fields=said)
        case RequestError(message=Text() as text):
            return say("{reason}", reason=text.pick("en"))
        case RequestError(message=Message() as message) | StepError(message=message):
            return message
        case _:
            return say("{reason}", reason=error)
