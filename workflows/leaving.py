"""Going: a member ends its contract, who runs the network suspends one, and lets it in again."""

from __future__ import annotations

from dataclasses import replace

from definitions.text import Text
from models import accounts, standing
from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.members import load_actor
from models.message import say
from models.standing import TAKE_BACK, Standing, State
from models.tenant import Tenant
from workflows import auditing, changes, letters, tasks
from workflows.letters import Wording
from workflows.markdown import escape
from workflows.membership import LEADERS, leaders
from workflows.offices import itself
from workflows.unit import Unit, write

MEMBER = "member"
LONGEST = 400
"""Letters of a reason."""
GONE = Text({"fr": "{name} a mis fin à son contrat", "en": "{name} has ended the contract"})
TOLD = Text(
    {
        "fr": "{name} a mis fin à son contrat. Son accès est fermé\u202f; ses données restent le temps que le réseau a "
        "fixé. Vous pouvez reprendre ce membre pendant {days} jours, à la page des membres.",
        "en": "{name} has ended the contract and cannot sign in any more; the data stay for as long as the network has "
        "laid down. You can take this member back for {days} days, on the members' page.",
    }
)


async def terminate(tenant: Tenant, actor: Actor, password: str, reason: str = "") -> None:
    """End the actor's own contract: it is out at once, its data stay for the pack's retention, the leaders are told.

    `InvalidError` for a wrong password, `RefusedError` for the last one who runs the network.
    """
    member = itself(actor)
    _check(reason)
    await accounts.confirm(tenant, member, password)

    async def work(unit: Unit) -> None:
        await _out(unit, member, "terminated", reason)
        await _tell(unit, member)

    await write(tenant, replace(actor, kind="system"), work)


async def suspend(tenant: Tenant, actor: Actor, member: str, reason: str) -> None:
    """Let a member in no more, until `resume`; with a reason, that is kept. As who administers, with its rights."""
    leader = _leader(tenant, actor)
    if not reason.strip():
        raise InvalidError({"reason": say("This is needed.")})
    _check(reason)

    async def work(unit: Unit) -> None:
        await unit.records.get(MEMBER, member)
        if member == leader:
            raise RefusedError(say("Nobody suspends themselves."))
        await _out(unit, member, "suspended", reason.strip())

    await write(tenant, actor, work)


async def resume(tenant: Tenant, actor: Actor, member: str) -> None:
    """Let a member in again; `RefusedError` when it ended its contract too long ago."""
    _leader(tenant, actor)

    async def work(unit: Unit) -> None:
        await unit.records.get(MEMBER, member)
        found = await standing.of(unit.tx, member)
        if found is not None and not found.recallable(unit.now):
            raise RefusedError(say("This member left too long ago to be taken back: invite them anew."))
        await changes.update(unit, MEMBER, member, None, {"active": True})
        await auditing.note(unit, "resumed", member=member)
        await standing.forget(unit.tx, member)

    await write(tenant, actor, work)


def _leader(tenant: Tenant, actor: Actor) -> str:
    if actor.id is None or not tenant.published.access.administers(actor):
        raise NotFoundError
    return actor.id


def _check(reason: str) -> None:
    if len(reason) > LONGEST:
        raise InvalidError({"reason": say("At most {count} characters.", count=LONGEST)})


async def _out(unit: Unit, member: str, state: State, reason: str) -> None:
    await unit.tx.lock(LEADERS)
    if await leaders(unit) == [member]:
        raise RefusedError(say("Nobody else runs this network: give somebody else that level first."))
    await changes.update(unit, MEMBER, member, None, {"active": False})
    await auditing.note(unit, "suspended", state, member=member)
    await standing.shut_out(unit.tx, member, unit.now)
    until = unit.now + TAKE_BACK if state == "terminated" else None
    await standing.keep(unit.tx, member, Standing(state, reason, unit.now, unit.actor.id, until))


async def _tell(unit: Unit, member: str) -> None:
    """Give each leader a task and write to them, in their own language."""
    name = str((unit.actor.member or {}).get("name") or "")
    for each in await leaders(unit):
        leader = await load_actor(unit.published, unit.tx, each)
        if leader is None or leader.member is None:
            continue
        language, others = leader.language, unit.network.languages
        title = GONE.pick(language, *others).format(name=name)
        await tasks.insert(unit, title, (MEMBER, member), each, unit.now)
        told = TOLD.pick(language, *others).format(name=escape(name), days=TAKE_BACK.days)
        await letters.send(unit, each, str(leader.member["email"]), Wording(title, told, told, language), secret=False)
