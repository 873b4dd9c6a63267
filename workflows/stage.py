"""Playing the course of a demo on a network: each event by its own actor, at its own time, through the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Any, assert_never

from definitions.spec.demo import Demo, Journeys
from definitions.spec.entity import Field
from models.accounts import store_password
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.errors import InvalidError, RequestError
from models.members import load_actor
from models.message import say
from models.passwords import hash_password
from models.published import Published
from models.records import Records
from models.tenant import Tenant
from models.terms import accept, open_terms
from models.tx import Tx
from workflows import changes, moves, notes, tasks
from workflows.course import Created, Event, Moved, Noted, Story, Tasked
from workflows.made_up import Making, World
from workflows.stored import must_moment
from workflows.unit import Unit, Words
from workflows.worker import Worker

GROUP = 250
"""So many events share a transaction."""
STEP = timedelta(minutes=30)
"""How often the worker looks in while the last days pass."""
SENT = 0.9
"""The mails of so much of what happened in the last days are sent; those after wait, as on a network without SMTP."""
MEMBER = "member"
_GIVEN = """SELECT "id", "member", "entity", "created_at" FROM "_task"
WHERE "run" IS NOT NULL AND "done_at" IS NULL AND "member" IS NOT NULL ORDER BY "created_at", "id" """

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class DemoError(Exception):
    """The demo cannot be made as its description says; the sentence tells which record and why."""


class Shredder:
    """A transport that takes every letter and delivers none: what a demo sent in its past reaches nobody."""

    address = "demo@example.invalid"
    bounces = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Shredder]:
        """Return a session."""
        yield self

    async def send(self, message: EmailMessage) -> None:
        """Take the letter."""


class Stage:
    """A network on which a demo is played.

    What is older than the demo's `recent` is lived without automations, as if they had been switched on then: it leaves
    history and no mail. After that the worker runs as it would have.
    """

    def __init__(self, tenant: Tenant, demo: Demo, clock: SetClock, *, progress: Progress, words: Words) -> None:
        """Play `demo` on a fresh network whose clock is `clock`; `words` says sentences of the product."""
        self.tenant = tenant
        self.demo = demo
        self.clock = clock
        self.progress = progress
        self.words = words
        self.world = World(tenant.published.calendar)
        self.members: dict[str, str] = {}
        self.actors: dict[str, Actor] = {}
        self.quiet = without_automations(tenant.published)

    async def play(self, events: Sequence[Event], now: datetime) -> None:
        """Live through everything up to `now`."""
        await self._gather()
        since = now - self.demo.recent
        past = [event for event in events if event.at < since]
        for start in range(0, len(past), GROUP):
            self.progress("history", start, len(events))
            await self._do(past[start : start + GROUP], self.quiet)
        self.clock.moment = since
        await self._accept()
        await self._live(events[len(past) :], now, len(past))
        await self._complete(now)
        self.progress("history", len(events), len(events))

    async def _live(self, events: Sequence[Event], now: datetime, before: int) -> None:
        """Let the last days pass with the worker at work, which first adopts what is there; the last mails wait."""
        sending, waiting = (
            Worker(self.tenant, transport, rng=Random(self.demo.seed), words=self.words)  # noqa: S311 - made-up data, no secrets
            for transport in (Shredder(), None)
        )
        await sending.run_due()
        done = 0
        for end in _steps(self.clock.moment, now):
            due = [event for event in events[done:] if event.at < end]
            await self._do(due, self.tenant.published)
            done += len(due)
            self.clock.moment = end
            await (sending if done < len(events) * SENT else waiting).run_due()
            self.progress("history", before + done, before + len(events))

    async def _complete(self, now: datetime) -> None:
        """Let the members do their share of the tasks that automations gave them."""
        rng = Random(f"{self.demo.seed}/tasks")  # noqa: S311 - made-up data, no secrets
        actors = {actor.id: actor for actor in self.actors.values()}

        async def work(tx: Tx) -> None:
            for task, member, entity, created in await tx.rows(_GIVEN):
                wanted = self.demo.records[entity].tasks if entity in self.demo.records else None
                at = must_moment(created) + timedelta(minutes=rng.randint(20, 900))
                if wanted is not None and rng.random() < wanted.done and at < now:
                    self.clock.moment = at
                    await tasks.complete(self._unit(tx, actors[member], self.tenant.published), task)

        await self.tenant.store.write(work)
        self.clock.moment = now

    # Members ------------------------------------------------------------------------------------------------------

    async def _gather(self) -> None:
        """Make the members, who share the password that is printed."""
        self.progress("members", 0, 1)
        hashed = await hash_password(self.demo.password)

        async def work(tx: Tx) -> None:
            await self._make_members(tx)
            for member in self.members.values():
                await store_password(tx, member, hashed, self.clock.now())

        await self.tenant.store.write(work)

    async def _accept(self) -> None:
        """Let the members accept the terms, so that a visitor need not."""
        for actor in self.actors.values():
            for terms in await open_terms(self.tenant, actor):
                await accept(self.tenant, actor, terms.name, terms.version)

    async def _make_members(self, tx: Tx) -> None:
        unit = self._unit(tx, SYSTEM, self.quiet)
        for member in self.demo.members.values():
            sponsor = self.members[member.sponsor] if member.sponsor else None
            own = {"levels": member.levels, "sponsor": sponsor}
            values = {"joined_at": self.clock.now(), **member.values, **own}
            self.members[member.name] = (await changes.create(unit, MEMBER, values)).id
        for member in self.demo.members.values():
            known = {name: self.members[other] for name, other in member.references.items()}
            if known:
                await unit.records.update(MEMBER, self.members[member.name], None, known)
        for number, (name, found) in enumerate(self.members.items(), start=1):
            actor = await load_actor(self.quiet, tx, found, ip=f"203.0.113.{number}")
            if actor is None:
                raise DemoError(say("The member '{name}' is not active.", name=name))
            self.actors[name] = actor

    # Events -------------------------------------------------------------------------------------------------------

    async def _do(self, events: Sequence[Event], published: Published) -> None:
        if not events:
            return

        async def work(tx: Tx) -> None:
            for event in events:
                self.clock.moment = event.at
                try:
                    await self._happen(self._unit(tx, self._actor(event), published), event)
                except RequestError as error:
                    raise DemoError(_why(event, error)) from error

        await self.tenant.store.write(work)

    def _actor(self, event: Event) -> Actor:
        """Return who does it: the owner, now and then the owner's helper where its levels may."""
        story = event.story
        owner = self.actors[story.owner.name]
        if not isinstance(event, Moved) or event.journeys.helper is None:
            return owner
        journeys, helper = event.journeys, event.journeys.helper
        name = story.owner.references.get(helper.field)
        process = self.tenant.published.network.processes[journeys.process]
        by = process.transitions[event.transition].by or ()
        if name is None or not set(by) & set(self.actors[name].levels):
            return owner
        return self.actors[name] if story.rng.random() < helper.share else owner

    async def _happen(self, unit: Unit, event: Event) -> None:
        story = event.story
        match event:
            case Created():
                await self._create(unit, story)
            case Moved(_, _, journeys, transition):
                await self._move(unit, story, journeys, transition)
            case Noted(_, _, wanted):
                text = self._made(event).value(wanted.text)
                await notes.note(unit, story.records.entity, story.id, str(text))
            case Tasked():
                await self._task(unit, event)
            case never:
                assert_never(never)

    async def _create(self, unit: Unit, story: Story) -> None:
        entity = story.records.entity
        makers = {**story.records.values, **(story.way.values if story.way else {})}
        making = Making(self.world, story.rng, unit.now)
        values = making.values(makers, unit.network.entities[entity].fields)
        given = {name: value for name, value in values.items() if value is not None}
        story.id = (await changes.create(unit, entity, given)).id
        self.world.existing.setdefault(entity, []).append(story.id)

    async def _move(self, unit: Unit, story: Story, journeys: Journeys, transition: str) -> None:
        asked = unit.network.processes[journeys.process].transitions[transition].form
        fields: dict[str, Field] = {name: question.field for name, question in asked.items()}
        making = Making(self.world, story.rng, unit.now)
        form: Mapping[str, Any] = making.values(journeys.forms.get(transition, {}), fields)
        request = moves.Request(story.records.entity, story.id, transition, journeys.process, form)
        await moves.move(unit, request)

    async def _task(self, unit: Unit, event: Tasked) -> None:
        wanted = event.tasks
        making = self._made(event)
        about = (event.story.records.entity, event.story.id)
        title, due = making.value(wanted.title), making.value(wanted.due)
        task = await tasks.add(unit, str(title), about, None, due)
        if event.done_at is not None:
            self.clock.moment = event.done_at
            await tasks.complete(self._unit(unit.tx, unit.actor, unit.published), task)

    def _made(self, event: Event) -> Making:
        return Making(self.world, event.story.rng, event.at)

    def _unit(self, tx: Tx, actor: Actor, published: Published) -> Unit:
        context = published.context(self.clock.now())
        records = Records(published, tx, actor, context, new_id=self.tenant.new_id)
        return Unit(published, tx, actor, context, self.tenant.new_id, records)


def without_automations(published: Published) -> Published:
    """Return a version as it would be if nothing in it happened by itself."""
    return replace(published, network=replace(published.network, automations={}))


def _steps(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        start = min(start + STEP, end)
        yield start


def _why(event: Event, error: RequestError) -> str:
    story = event.story
    what = event.transition if isinstance(event, Moved) else type(event).__name__.lower()
    fields = (
        "; ".join(f"{name}: {says}" for name, says in error.fields.items()) if isinstance(error, InvalidError) else ""
    )
    return f"{story.records.entity} {story.number} ({what}, {story.owner.name}): {error} {fields}".strip()
