"""`maille serve`: run the server over a folder of networks."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from rich.console import Console
from uvicorn.config import STARTUP_FAILURE

from admin import logs
from admin.cli.errand import add_format, examples, write_json
from admin.control.answers import sentence
from admin.i18n import spoken
from admin.operations import child, keeper
from admin.operations.serving import KEEP_ALIVE, LeavingServer, config_of, handed_over, listening
from admin.settings import Settings, from_environment
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
    command.add_argument(
        "--processes",
        type=int,
        help=spoken(
            "keep so many processes serving on one socket; SIGHUP replaces them one by one, without a failed request "
            "(on SQLite 1; without it this process serves itself)"
        ),
    )
    command.add_argument("--fd", type=int, help=spoken("listen on an open socket (systemd's is found by itself)"))
    command.add_argument(
        "--linger",
        type=float,
        help=spoken("seconds that a server which is to end still answers while /readyz says so"),
    )
    command.add_argument("--child", type=int, help=argparse.SUPPRESS)
    add_format(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Say where the networks are found, and serve them."""
    descriptor = handed_over() if arguments.fd is None else arguments.fd
    given = None if descriptor is None else socket.socket(fileno=descriptor)
    linger = arguments.linger
    if linger is None:  # alone on its own socket nobody comes after it
        linger = 0.0 if given is None and arguments.processes is None else KEEP_ALIVE
    if arguments.child is not None and given is not None:
        return child.serve(socket.socket(fileno=arguments.child), given, linger)
    return _begin(arguments, given, linger)


def _begin(arguments: argparse.Namespace, given: socket.socket | None, linger: float) -> int:
    """Say what is in the way, or where the networks are; then serve."""
    if arguments.data is not None:
        os.environ["MAILLE_DATA"] = str(arguments.data)
    base = f"http://{_host(arguments.host)}:{arguments.port}"
    os.environ.setdefault("MAILLE_PUBLIC_URL", base)  # for the links in mails
    settings = from_environment()
    obstacle, names = _called_wrongly(arguments, settings), list[str]()
    if given is None:
        obstacle = obstacle or _taken(arguments.host, arguments.port)
    try:
        names = asyncio.run(names_in(settings.homes))
    except StoreError as error:
        obstacle = obstacle or spoken(sentence(error))
    obstacle = obstacle or _busy([home_of(settings.homes, name) for name in names])
    if obstacle:
        Console(stderr=True, highlight=False).print(obstacle, markup=False, soft_wrap=True)
        return 1
    _announce(settings, names, base, as_json=arguments.format == "json")
    if arguments.processes is None:
        return _serve(config_of(arguments.host, arguments.port), given, linger)
    logs.configure(settings.log, settings.log_level)
    kept = given or listening(arguments.host, arguments.port)
    return keeper.keep(kept, arguments.processes, alone=settings.database_url is None, linger=linger)


def _serve(config: uvicorn.Config, given: socket.socket | None, linger: float) -> int:
    """Serve in this process."""
    server = LeavingServer(config, linger=linger)
    with suppress(KeyboardInterrupt):  # it was the signal to end
        server.run(sockets=None if given is None else [given])
    return 0 if server.started else STARTUP_FAILURE


def _announce(settings: Settings, names: list[str], base: str, *, as_json: bool) -> None:
    """Say where the networks are found."""
    out = Console(highlight=False, quiet=as_json)
    if as_json:
        served = [{"name": name, "url": f"{base}/n/{name}/"} for name in names]
        write_json({"networks": served, "sends_mail": settings.smtp_url is not None})
    for name in names:
        out.print(f"{name}: {base}/n/{name}/")
    if not names:
        where = settings.data if settings.database_url is None else spoken("the database")
        out.print(spoken("There is no network in {where} yet: “maille demo” makes one.", where=where))
    if settings.smtp_url is None:
        out.print(spoken("Without SMTP_URL, e-mails wait in the outbox of each network."))


def _called_wrongly(arguments: argparse.Namespace, settings: Settings) -> str:
    """Return what is wrong with the number of processes, "" when nothing is."""
    count = arguments.processes
    if count is not None and (count < 1 or (count > 1 and settings.database_url is None)):
        return spoken("On SQLite one process opens the networks: --processes is 1. Several need DATABASE_URL.")
    return ""


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
