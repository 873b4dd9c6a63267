"""Calls of other systems as rows: written with what causes them, held back, called off, sent again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from definitions.spec.automation import Retry
from models.errors import NotFoundError, RefusedError
from models.message import Message, say
from models.secrets import CLOSED, SealedError, Vault
from models.statement import Statement
from models.system import HOOK, SETTING
from models.tx import Row, Tx
from workflows import outbox
from workflows.registers import among
from workflows.sealing import SEALED
from workflows.stored import dump, moment, must_moment, read_message, read_moment
from workflows.unit import Unit

ATTEMPTS = 14
"""With the outbox's doubling pauses: about a day."""
SECRET = "_webhook_secret"  # noqa: S105 - the name of its row, which no setting of a pack can have
PREFIX = "whsec_"

_AGAIN = """UPDATE "_hook" SET "state" = 'waiting', "attempts" = 0, "error" = NULL WHERE "id" = ?"""
_LATEST = """SELECT "id", "at", "entity", "record", "url", "state", "attempts", "status", "error", "sent_at"
FROM "_hook" WHERE """


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be sent where, and which step of which run asks for it."""

    url: str
    body: str
    run: str
    step: str
    entity: str | None = None
    record: str | None = None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A call as leaders see it."""

    id: str
    at: datetime
    entity: str | None
    record: str | None
    url: str
    state: str
    attempts: int
    status: int | None
    error: Message | None
    sent_at: datetime | None


async def post(unit: Unit, call: Call) -> str:
    """Keep a call and ask for it to be made; return its id, which the receiver knows it by however often it comes."""
    hook = unit.new_id()
    row = [hook, moment(unit.now), call.entity, call.record, call.run, call.step, call.url, call.body]
    await unit.tx.run(HOOK.insert(), [*row, "waiting", 0, None, None, None])
    await secret(unit)
    hold = unit.hold()
    await _ask(unit, hook, call.run, hold if hold is not None and hold > unit.now else None, call.retry)
    return hook


async def _ask(unit: Unit, hook: str, run: str | None, at: datetime | None, retry: Retry | None = None) -> None:
    key = f"hook:{run}:{hook}:{unit.new_id()}"
    payload: dict[str, Any] = {"hook": hook}
    if retry is not None and retry.backoff is not None:
        payload["backoff"] = retry.backoff.exact.total_seconds()
    attempts = ATTEMPTS if retry is None else retry.times + 1
    await outbox.enqueue(unit, "hook", payload, at, key, attempts=attempts)


async def call_off(unit: Unit, run: str) -> None:
    """Keep the calls of a run that still wait from being made."""
    await unit.tx.run("""UPDATE "_hook" SET "state" = 'cancelled' WHERE "run" = ? AND "state" = 'waiting'""", [run])
    await outbox.cancel(unit.tx, f"hook:{run}:", unit.now)


async def latest(unit: Unit, limit: int = 50) -> list[Hook]:
    """Return the latest calls, for who administers the network: those about no record, or one that it may read."""
    _administers(unit)
    statement = (await _visible(unit, _LATEST)).add(' ORDER BY "at" DESC, "id" DESC LIMIT ').value(limit)
    return [_hook(row) for row in await unit.tx.rows(statement.text, statement.values)]


async def _visible(unit: Unit, select: str) -> Statement:
    statement = Statement(await unit.records.rule_names(), unit.context).add(select, '("entity" IS NULL')
    for entity in unit.network.entities:
        if unit.published.access.may(unit.actor, "read", entity):
            statement.add(' OR ("entity" = ').value(entity).add(" AND (")
            among(statement, unit.records.sight(entity), '"record"')
            statement.add("))")
    return statement.add(")")


def _hook(row: Row) -> Hook:
    hook, at, entity, record, url, state, attempts, status, error, sent_at = row
    told = read_message(error)
    return Hook(hook, must_moment(at), entity, record, url, state, attempts, status, told, read_moment(sent_at))


async def retry(unit: Unit, hook: str) -> None:
    """Make a call once more that failed."""
    _administers(unit)
    statement = (await _visible(unit, 'SELECT "state", "run" FROM "_hook" WHERE ')).add(' AND "id" = ').value(hook)
    row = await unit.tx.row(statement.text, statement.values)
    if row is None:
        raise NotFoundError
    if row[0] != "failed":
        raise RefusedError(say("Only a call that failed can be made again."))
    await unit.tx.run(_AGAIN, [hook])
    await _ask(unit, hook, row[1], None)


def _administers(unit: Unit) -> None:
    if not unit.published.access.administers(unit.actor):
        raise NotFoundError


async def secret(unit: Unit) -> str | None:
    """Return what this network's calls are signed with; drawn when it is first needed.

    None for one that no key of the installation opens: it stays, since receivers know it and the key may come back.
    One that stands in the open is sealed.
    """
    kept = await _kept(unit.tx)
    if kept is None:
        return await _keep(unit, _drawn())
    found = _opened(kept, unit.vault)
    if found == kept and unit.vault is not CLOSED:
        return await _keep(unit, found)
    return found


async def renew(unit: Unit) -> str:
    """Draw another secret, for who administers the network."""
    _administers(unit)
    return await _keep(unit, _drawn())


def _drawn() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


async def _keep(unit: Unit, drawn: str) -> str:
    held = drawn if unit.vault is CLOSED else SEALED + unit.vault.seal(drawn, SECRET)
    await unit.tx.run('DELETE FROM "_setting" WHERE "name" = ?', [SECRET])
    await unit.tx.run(SETTING.insert(), [SECRET, dump(held), moment(unit.now), unit.actor.id])
    return drawn


async def stored_secret(tx: Tx, vault: Vault) -> str | None:
    """Return the secret where there is one that opens."""
    kept = await _kept(tx)
    return None if kept is None else _opened(kept, vault)


async def has_secret(tx: Tx) -> bool:
    """Whether there is a secret, be it one that opens or not."""
    return await _kept(tx) is not None


async def _kept(tx: Tx) -> str | None:
    row = await tx.row('SELECT "value" FROM "_setting" WHERE "name" = ?', [SECRET])
    return None if row is None else str(json.loads(row[0]))


def _opened(kept: str, vault: Vault) -> str | None:
    if not kept.startswith(SEALED):
        return kept
    try:
        return vault.open(kept.removeprefix(SEALED), SECRET)
    except SealedError:
        return None


def signature(key: str, hook: str, timestamp: int, body: str | bytes) -> str:
    """Return the signature of a call, as Standard Webhooks has it: `v1,` and HMAC-SHA256 over `id.timestamp.body`."""
    raw = base64.b64decode(key.removeprefix(PREFIX))
    said = body.encode() if isinstance(body, str) else body
    digest = hmac.digest(raw, f"{hook}.{timestamp}.".encode() + said, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()
