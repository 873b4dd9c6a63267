"""Mails: rendered by runs of an automation, then handed over to a mail server: `python -m benchmarks.mails`.

Raw is a loop that hands a message of the same size over, on one connection, with nothing around it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from email.message import EmailMessage
from pathlib import Path

from benchmarks import bulk, sink
from benchmarks.figure import Figure, Spent, spent
from benchmarks.world import NAME, OWNERS, PACK, furnish
from models.members import load_actor
from models.tenant import Tenant, open_tenant
from workflows.mail import SmtpTransport
from workflows.worker import Worker

TARGET = 600
COUNT = 2_000
LETTER = """
automation: write
label: {fr: Écrire}
when: {moved: recruiting.call}
do: [{email: {template: met, to: =record.email, from: owner}}]
---
template: met
channel: email
about: lead
subject: {fr: "{{ record.first_name }}, notre rendez-vous"}
body:
  fr: |
    Bonjour **{{ record.first_name }} {{ record.last_name }}**,

    Merci de cet échange. Voici ce dont nous avons parlé :

    - votre pays : {{ record.country }}
    - nos échanges : {{ record.calls }}
    {% if record.next_call_at %}- notre prochain appel : {{ record.next_call_at | date }}{% endif %}

    [Votre fiche]({{ links.record }})

    À bientôt,
    {{ member.name }}
"""
RENDERED = (
    "{count:,} runs, each of which renders a letter of its own (Markdown, layout, text, unsubscribing) and keeps it"
)
HANDED = "the same letters, marked, said over SMTP to a server on this machine, and kept as sent"
BOTH = "both after another, in one process"


async def prepared(folder: Path, count: int) -> Tenant:
    """Return a network in which so many mails are owed."""
    leads = PACK["lead.yaml"].replace(
        "when: {moved: recruiting.call}", "when: {deleted: lead}"
    )  # not beside the letters
    files = {**PACK, "lead.yaml": leads, "letter.yaml": LETTER}
    world = await furnish(folder / f"{NAME}.sqlite", count * OWNERS, files=files)
    tenant = await open_tenant(world.home, NAME)
    actor = await tenant.store.read(lambda tx: load_actor(tenant.published, tx, world.member))
    if actor is None:
        raise LookupError(world.member)
    own = 'SELECT "id" FROM "lead" WHERE "owner" = ? ORDER BY "id" LIMIT ?'
    ids = [row[0] for row in await tenant.store.read(lambda tx: tx.rows(own, [world.member, count]))]
    await bulk.job(tenant, actor, ids, "call")
    return tenant


async def raw(port: int, count: int) -> Spent:
    """Return what handing over takes that keeps nothing."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "maille@localhost", "paul@exemple.fr", "Notre rendez-vous"
    message.set_content("Bonjour, merci de cet échange. " * 20)
    message.add_alternative("<p>Bonjour, merci de cet échange.</p>" * 150, subtype="html")

    async def work() -> None:
        async with SmtpTransport(f"smtp://127.0.0.1:{port}").open() as session:
            for _ in range(count):
                await session.send(message)

    return await spent(work)


async def _sent(tenant: Tenant) -> int:
    row = await tenant.store.read(lambda tx: tx.row("""SELECT count(*) FROM "_mail" WHERE "state" = 'sent'"""))
    return 0 if row is None else int(row[0])


async def measure(count: int = COUNT) -> list[Figure]:
    """Return the figures: rendering, handing over, both."""
    with tempfile.TemporaryDirectory() as name:
        tenant = await prepared(Path(name), count)
        try:
            async with sink.running() as port:
                bare = await raw(port, count)
                before = Worker(tenant)  # without a transport mails wait
                rendering = await spent(before.run_due)
                worker = Worker(tenant, SmtpTransport(f"smtp://127.0.0.1:{port}"))
                handing = await _until_sent(worker, tenant, count)
        finally:
            await tenant.close()
    both = Spent(rendering.wall + handing.wall, rendering.cpu + handing.cpu)
    how = RENDERED.format(count=count)
    return [
        Figure("mails rendered", rendering.rate(count), "mails/s", TARGET, how, cpu=rendering.each(count)),
        Figure(
            "mails handed over",
            handing.rate(count),
            "mails/s",
            TARGET,
            HANDED,
            bare.rate(count),
            handing.each(count),
            bare.each(count),
        ),
        Figure("mails rendered and handed over", both.rate(count), "mails/s", TARGET, BOTH, cpu=both.each(count)),
    ]


async def _until_sent(worker: Worker, tenant: Tenant, count: int) -> Spent:
    """Return what sending all of them takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    while await worker.run_due():
        pass
    taken = Spent(time.perf_counter() - wall, time.process_time() - cpu)
    sent = await _sent(tenant)
    if sent != count:
        raise LookupError(f"{sent} of {count} mails were sent")
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mails", description=__doc__)
    parser.add_argument("--mails", type=int, default=COUNT)
    print(*asyncio.run(measure(parser.parse_args().mails)), sep="\n")


if __name__ == "__main__":
    main()
