"""`maille serve`: run the server over a folder of networks."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from rich.console import Console

if TYPE_CHECKING:
    from admin.cli.main import Subparsers


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser("serve", help="run the server over a folder of networks")
    arguments(parser)
    parser.set_defaults(run=run)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--data", type=Path, default=None, help="folder of the networks (default: MAILLE_DATA)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")


def run(given: argparse.Namespace) -> int:
    """Serve until interrupted. The environment has the rest: `SMTP_URL`, `MAILLE_SECRET`, `MAILLE_PUBLIC_URL`."""
    if given.data is not None:
        os.environ["MAILLE_DATA"] = str(given.data)
    data = Path(os.environ.get("MAILLE_DATA", "data"))
    show = Console().print
    host = "localhost" if given.host in {"127.0.0.1", "0.0.0.0", "::"} else given.host  # noqa: S104 - only compared
    base = f"http://{host}:{given.port}"
    names = sorted(path.stem for path in data.glob("*.sqlite"))
    if not names:
        show(f"There is no network in {data}: make one with “maille demo”.")
    for name in names:
        show(f"{name}: {base}/n/{name}/")
    if not os.environ.get("SMTP_URL"):
        show("No SMTP_URL: e-mails wait in each network's outbox.")
    uvicorn.run("server:app", host=given.host, port=given.port, log_level="warning", timeout_graceful_shutdown=10)
    return 0
