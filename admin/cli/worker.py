"""`maille worker`: do what is due in the networks of a PostgreSQL database, in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from admin import logs
from admin.cli.errand import add_format, examples, write_json
from admin.i18n import spoken
from admin.networks import Networks
from admin.settings import Settings, from_environment
from models.clock import SystemClock
from models.store import StoreError
from models.stores import names_in
from models.tenant import uuid7

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "worker",
        help=spoken("do what is due in a process of its own (PostgreSQL)"),
        description=spoken(
            "Run automations and send mails of all networks of DATABASE_URL until it is interrupted; as many "
            "workers as you like share the work. Start servers with MAILLE_WORKERS=off then. SMTP_URL and "
            "MAILLE_PUBLIC_URL are read from the environment."
        ),
        **examples("DATABASE_URL=postgresql://localhost/maille maille worker"),
    )
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work until a signal says to stop; what is under way is finished."""
    settings = from_environment()
    if settings.database_url is None:
        sys.stderr.write(
            spoken(
                "On SQLite the workers of a network run inside the server: 'maille serve' is all it takes. "
                "For processes of their own, set DATABASE_URL to a PostgreSQL database."
            )
            + "\n"
        )
        return 1
    logs.configure(settings.log, settings.log_level)
    if arguments.format == "json":
        write_json({"networks": asyncio.run(names_in(settings.homes)), "sends_mail": settings.smtp_url is not None})
    try:
        asyncio.run(work(settings))
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def work(settings: Settings) -> None:
    """Do what is due in all networks, those that are made meanwhile included."""
    networks = Networks(settings, clock=SystemClock(), new_id=uuid7)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await networks.watch(stop)
    finally:
        await networks.close()
