"""Networks with tokens in a folder, and a server process over it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from definitions.pack import PACKS, read_folder
from models import terms, tokens
from models.actor import SYSTEM, Actor
from models.clock import SetClock
from models.members import create_member, load_actor
from models.records import Records
from models.tenant import Tenant, create_tenant
from models.tx import Tx
from tests.admin.office import FILES
from tests.networks import edited
from workflows import commands

ROOT = Path(__file__).parents[3]
IMPORTING = edited(
    FILES,
    ("functions: [consult, communicate, analyse]", "functions: [consult, communicate, analyse, import]"),
    ("label: {fr: Perdu, en: Lost}}\n  revive", "label: {fr: Perdu, en: Lost}, bulk: true}\n  revive"),
)
"""The small network, whose distributors may import and give up many leads at once."""
PEOPLE = {"leader": None, "distributor": "leader", "assistant": "leader"}
LEADS = 3


def prepare(folder: Path) -> dict[str, dict[str, str]]:
    """Make the small network and `suivi` in a folder, and return a token of each level: `[network][level]`."""
    return asyncio.run(_prepare(folder))


async def _prepare(folder: Path) -> dict[str, dict[str, str]]:
    return {
        "small": await _network(folder, "small", IMPORTING, {"phone": "06 39 98 00 01"}),
        "alba": await _network(folder, "alba", read_folder(PACKS / "suivi"), {"mobile": "06 39 98 00 01"}),
    }


async def _network(folder: Path, name: str, files: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    clock = SetClock(datetime.now(UTC))
    tenant = await create_tenant(folder / f"{name}.sqlite", name, files=files, clock=clock)
    try:
        members = await tenant.store.write(lambda tx: _people(tenant, tx))
        found = {}
        for level, member in members.items():
            actor = await _actor(tenant, member)
            for each in await terms.open_terms(tenant, actor):
                await terms.accept(tenant, actor, each.name, each.version)
            for number in range(LEADS if level != "assistant" else 0):
                lead = {"first_name": f"Prénom {number}", "last_name": "Marchand", "country": "FR", **more}
                await commands.create(tenant, actor, "lead", lead)
            found[level] = (await tokens.create(tenant, member, name="test", days=1)).secret
        return found
    finally:
        await tenant.close()


async def _people(tenant: Tenant, tx: Tx) -> dict[str, str]:
    records = Records(tenant.published, tx, SYSTEM, tenant.context(), new_id=tenant.new_id)
    made: dict[str, str] = {}
    for level, sponsor in PEOPLE.items():
        person = {"first_name": level.title(), "last_name": "Roux", "email": f"{level}@exemple.fr", "levels": [level]}
        made[level] = await create_member(records, {**person, "country": "FR", "sponsor": made.get(sponsor or "")})
    return made


async def _actor(tenant: Tenant, member: str) -> Actor:
    found = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, member))
    assert found is not None
    return found


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run `maille serve` over the folder and give its address; what it wrote stands in the assertion that fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "admin.cli.main", "serve", "--data", str(folder), "--port", str(port)]
    written = (folder / "server.log").open("w+", encoding="utf-8")
    unhindered = {**os.environ, "MAILLE_RATES": "off"}
    with written, subprocess.Popen(command, cwd=ROOT, stdout=written, stderr=written, env=unhindered) as process:  # noqa: S603 - our own
        try:
            _wait(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the server stopped"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not answer")
