"""`maille serve`: run the server over a folder of networks."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from rich.console import Console

from admin.cli.errand import add_format, examples, write_json
from admin.control.answers import sentence
from admin.i18n import spoken
from admin.settings import from_environment
from models.connections import FileLock
from models.store import StoreError
from models.stores import Home, home_of, names_in

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "serve",
        help=spoken("run the server over a folder of networks"),
        description=spoken(
            "Run the server, with the workers of its networks, until it is interrupted. "
            "SMTP_URL, MAILLE_SECRET, MAILLE_PUBLIC_URL and DATABASE_URL are read from the environment; "
            "with DATABASE_URL several servers may run, and MAILLE_WORKERS=off leaves what is due to “maille worker”."
        ),
        **examples("maille serve --data var/data", "SMTP_URL=smtp://localhost:1025 maille serve --port 8080"),
    )
    command.add_argument("--data", type=Path, help=spoken("the folder of networks (MAILLE_DATA, else data)"))
    command.add_argument("--host", default="127.0.0.1", help=spoken("the address to listen on (%(default)s)"))
    command.add_argument("--port", type=int, default=8000, help=spoken("the port to listen on (%(default)s)"))
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Say where the networks are found, and serve them."""
    if arguments.data is not None:
        os.environ["MAILLE_DATA"] = str(arguments.data)
    base = f"http://{_host(arguments.host)}:{arguments.port}"
    os.environ.setdefault("MAILLE_PUBLIC_URL", base)  # for the links in mails
    settings = from_environment()
    out = Console(highlight=False, quiet=arguments.format == "json")
    obstacle, names = _taken(arguments.host, arguments.port), list[str]()
    try:
        names = asyncio.run(names_in(settings.homes))
    except StoreError as error:
        obstacle = obstacle or spoken(sentence(error))
    obstacle = obstacle or _busy([home_of(settings.homes, name) for name in names])
    if obstacle:
        Console(stderr=True, highlight=False).print(obstacle, markup=False, soft_wrap=True)
        return 1
    if arguments.format == "json":
        served = [{"name": name, "url": f"{base}/n/{name}/"} for name in names]
        write_json({"networks": served, "sends_mail": settings.smtp_url is not None})
    for name in names:
        out.print(f"{name}: {base}/n/{name}/")
    if not names:
        where = settings.data if settings.database_url is None else spoken("the database")
        out.print(spoken("There is no network in {where} yet: “maille demo” makes one.", where=where))
    if settings.smtp_url is None:
        out.print(spoken("Without SMTP_URL, e-mails wait in the outbox of each network."))
    uvicorn.run(
        "server:app", host=arguments.host, port=arguments.port, log_level="warning", timeout_graceful_shutdown=10
    )
    return 0


def _taken(host: str, port: int) -> str:
    """Return why the server can't listen there, "" when it can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with closing(socket.socket(family, kind)) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        hint = spoken("Choose another one: --port 8001, or make PORT=8001 run.")
        return spoken(
            "Nothing can be served at {host}, port {port}: {reason}. {hint}",
            host=host,
            port=port,
            reason=error.strerror,
            hint=hint,
        )
    return ""


def _busy(homes: list[Home]) -> str:
    """Return what keeps a network from being opened, "" when nothing does."""
    try:
        for path in homes:
            if isinstance(path, Path):
                FileLock(path).release()
    except StoreError as error:
        return spoken("{reason} A network is served by one process at a time.", reason=spoken(sentence(error)))
    return ""


def _host(host: str) -> str:
    """Return the host as a browser on this machine can reach it."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - only compared
        return "localhost"
    return f"[{host}]" if ":" in host else host
