"""Hooks that other systems call: who may, what is taken, what it starts, and what leaders see of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from definitions.spec.automation import Called as ByCall
from definitions.spec.network import Network
from models.actor import SYSTEM
from models.errors import NotFoundError
from models.message import Message, say
from models.secrets import SealedError
from models.system import INBOUND, INLET
from models.tenant import Tenant
from models.tx import Row, Tx
from workflows.beginning import Beginning, begin
from workflows.called import Called, read_json
from workflows.hooks import PREFIX, signature
from workflows.stored import dump_message, moment, must_moment, read_message, read_moment
from workflows.subscriptions import subscriptions
from workflows.unit import Unit, open_unit

LARGEST = 256 * 1024
"""Bytes of a call's body at most."""
LATE = timedelta(minutes=5)
"""So far a signed call's time may be from ours: an older one is a repetition by somebody who listened."""
LONGEST_ID = 200
DEEPEST = 60
KEPT = timedelta(days=30)
"""So long a message is known: one with the same id that comes again starts nothing."""

_TAKE = INBOUND.insert() + " ON CONFLICT DO NOTHING"
_CALLS = """SELECT "inlet", "message", "at", "size", "runs" FROM "_inbound" ORDER BY "at" DESC, "id" DESC LIMIT ?"""
_STARTED = """SELECT "id" FROM "_run" WHERE "cause" = ? AND "state" <> 'not_fired' ORDER BY "id" """
_REFUSED = """UPDATE "_inlet" SET "refused" = "refused" + 1, "refused_at" = ?, "error" = ? WHERE "id" = ?
AND ("refused_at" IS NULL OR "refused_at" < ?)"""
_ACCEPTED = 'UPDATE "_inlet" SET "refused" = 0, "refused_at" = NULL, "error" = NULL WHERE "id" = ? AND "refused" > 0'

NOT_YOURS = say("This hook does not exist, or its secret is another one.")


class CallRefusedError(Exception):
    """A call that is not taken: the HTTP status, and the sentence that says why."""

    def __init__(self, status: int, message: Message) -> None:
        """Keep both."""
        self.status = status
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Request:
    """A call that came in: header names in lower case, the body as it is."""

    hook: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that was taken: the message's id, and the runs that it began. `again`: it had come before."""

    message: str
    runs: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Inlet:
    """A hook as leaders see it; `refused` counts calls since the last that was taken, one a second at most."""

    name: str
    labels: tuple[str, ...]
    since: datetime | None
    refused: int
    refused_at: datetime | None
    error: Message | None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A call that was taken, as leaders see it; `size` is in bytes, `runs` how many runs it began."""

    inlet: str
    message: str
    at: datetime
    size: int
    runs: int


def names_of(network: Network) -> tuple[str, ...]:
    """Return the hooks that automations wait for, sorted."""
    triggers = (trigger for automation in network.automations.values() for trigger in automation.triggers)
    return tuple(sorted({trigger.hook for trigger in triggers if isinstance(trigger, ByCall)}))


# Calls -----------------------------------------------------------------------------------------------------------


async def take(tenant: Tenant, request: Request, fits: Callable[[], None]) -> Taken:
    """Take a call and begin what waits for it, once a message; `CallRefusedError` says why not.

    `fits` is asked once it is known that the caller may: it raises when there were too many calls.
    """
    sealed = await tenant.store.read(lambda tx: _sealed(tx, request.hook))
    try:
        message = _known(tenant, request, sealed)
        fits()
        body = _read(request.body)
    except CallRefusedError as error:
        why = error.message
        if sealed is not None:
            await tenant.store.write(lambda tx: _note_refused(tx, request.hook, why, tenant.clock.now()))
        raise
    return await tenant.store.write(lambda tx: _begin(open_unit(tenant, tx, SYSTEM), request, message, body))


async def _sealed(tx: Tx, hook: str) -> str | None:
    row = await tx.row('SELECT "secret" FROM "_inlet" WHERE "id" = ?', [hook])
    return None if row is None else str(row[0])


def _known(tenant: Tenant, request: Request, sealed: str | None) -> str:
    """Return the message's id, "" for none, once the caller has shown that it knows the hook's secret."""
    refused = CallRefusedError(401, NOT_YOURS)
    if sealed is None or request.hook not in names_of(tenant.published.network):
        raise refused
    try:
        secret = tenant.vault.open(sealed, _purpose(request.hook))
    except SealedError:
        raise refused from None
    message = request.headers.get("webhook-id") or request.headers.get("idempotency-key") or ""
    if len(message) > LONGEST_ID or not message.isprintable():
        raise CallRefusedError(400, say("The message's id has at most {n} printable characters.", n=LONGEST_ID))
    if "webhook-signature" in request.headers:
        return _signed(request, message, secret, tenant.clock.now())
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), secret.encode()):
        raise refused
    return message


def _signed(request: Request, message: str, secret: str, now: datetime) -> str:
    """Return the message's id when one of the signatures is right and its time is not far from ours."""
    written = request.headers.get("webhook-timestamp", "")
    timestamp = int(written) if written.isascii() and written.isdigit() and len(written) < 15 else 0
    right = signature(secret, message, timestamp, request.body)
    given = request.headers["webhook-signature"].split()
    if not message or not any(hmac.compare_digest(each.encode(), right.encode()) for each in given):
        raise CallRefusedError(401, NOT_YOURS)
    if abs(now.timestamp() - timestamp) > LATE.total_seconds():
        raise CallRefusedError(401, say("The call's time is too far from the server's."))
    return message


def _read(body: bytes) -> str:
    """Return the body, which is JSON that can be kept."""
    try:
        text = body.decode()
        value = read_json(text)
        json.dumps(value, ensure_ascii=False, default=str).encode()
        deep = _depth(value)
    except (ValueError, RecursionError):
        raise CallRefusedError(400, say("The body is no JSON.")) from None
    if deep > DEEPEST:
        raise CallRefusedError(400, say("The body is nested more than {n} deep.", n=DEEPEST))
    return text


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


async def _begin(unit: Unit, request: Request, message: str, body: str) -> Taken:
    """Keep the message and begin its runs; of one that is known already, return the runs of then."""
    shown = message or unit.new_id()
    inbound = hashlib.sha256(f"{request.hook}\n{shown}".encode()).hexdigest()
    cause = f"webhook:{inbound}"
    row = [inbound, request.hook, shown, moment(unit.now), len(request.body), 0]
    if await unit.tx.run(_TAKE, row) != 1:
        return Taken(shown, await _runs(unit.tx, cause), again=True)
    call = Called(request.hook, shown, unit.now, body)
    for automation in subscriptions(unit.published).of(("called", request.hook)):
        await begin(unit, automation, Beginning(cause, f"webhook {request.hook}", call=call))
    begun = await _runs(unit.tx, cause)
    await unit.tx.run('UPDATE "_inbound" SET "runs" = ? WHERE "id" = ?', [len(begun), inbound])
    await unit.tx.run(_ACCEPTED, [request.hook])
    return Taken(shown, begun)


async def _runs(tx: Tx, cause: str) -> tuple[str, ...]:
    return tuple([row[0] for row in await tx.rows(_STARTED, [cause])])


async def _note_refused(tx: Tx, hook: str, why: Message, now: datetime) -> None:
    await tx.run(_REFUSED, [moment(now), dump_message(why), hook, moment(now - timedelta(seconds=1))])


async def purge(tx: Tx, now: datetime) -> None:
    """Forget old messages."""
    await tx.run('DELETE FROM "_inbound" WHERE "at" < ?', [moment(now - KEPT)])


# Leaders ---------------------------------------------------------------------------------------------------------


async def known(unit: Unit) -> list[Inlet]:
    """Return the hooks of the network, for who administers it."""
    _administers(unit)
    sql = 'SELECT "id", "changed_at", "refused", "refused_at", "error" FROM "_inlet"'
    rows = {row[0]: row for row in await unit.tx.rows(sql)}
    return [_inlet(unit, name, rows.get(name)) for name in names_of(unit.network)]


def _inlet(unit: Unit, name: str, row: Row | None) -> Inlet:
    automations = subscriptions(unit.published).of(("called", name))
    labels = tuple(each.label.pick(unit.actor.language, *unit.network.languages) for each in automations)
    if row is None:
        return Inlet(name, labels, None, 0, None, None)
    return Inlet(name, labels, must_moment(row[1]), row[2], read_moment(row[3]), read_message(row[4]))


async def latest(unit: Unit, limit: int = 50) -> list[Inbound]:
    """Return the latest calls that were taken, for who administers the network."""
    _administers(unit)
    return [Inbound(row[0], row[1], must_moment(row[2]), row[3], row[4]) for row in await unit.tx.rows(_CALLS, [limit])]


async def draw(unit: Unit, name: str) -> str:
    """Return a new secret of a hook, which is told this once; the one before it opens nothing any more."""
    _administers(unit)
    if name not in names_of(unit.network):
        raise NotFoundError
    secret = PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()
    await unit.tx.run('DELETE FROM "_inlet" WHERE "id" = ?', [name])
    row = [name, unit.vault.seal(secret, _purpose(name)), moment(unit.now), unit.actor.id, 0, None, None]
    await unit.tx.run(INLET.insert(), row)
    return secret


def _purpose(name: str) -> str:
    return f"the hook {name}"


def _administers(unit: Unit) -> None:
    if not unit.published.access.administers(unit.actor):
        raise NotFoundError
