"""`maille token`: make, list and revoke the tokens of a member."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from admin.settings import from_environment
from models import tokens
from models.clock import Clock, SystemClock
from models.errors import InvalidError, NotFoundError
from models.members import with_email
from models.store import StoreError
from models.tenant import Tenant
from models.tenants import Tenants
from models.tokens import Token

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

Answer = dict[str, Any] | list[dict[str, Any]]
EXAMPLES = """examples:
  maille token create camille@example.org --name import --days 30 --level distributor
  maille token list camille@example.org --format json
  maille token revoke camille@example.org 0192f6f0-7d3a-7c4e-9a7e-3f6c1b2a4d5e
"""


class NotDoneError(Exception):
    """What was asked for cannot be done; the sentence says why."""


def register(subparsers: Subparsers) -> None:
    """Add the command with the commands below it."""
    command = subparsers.add_parser(
        "token",
        help="make, list and revoke tokens of the API",
        description="Make, list and revoke tokens with which programs act for a member.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    below = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = below.add_parser("create", help="make a token, and print it this once")
    create.add_argument("--name", required=True, help="what it is for")
    create.add_argument("--days", type=int, default=90, help="how long it is valid (%(default)s)")
    create.add_argument("--level", action="append", default=[], help="a level it is narrowed to (several times)")
    listed = below.add_parser("list", help="list the tokens of a member")
    revoke = below.add_parser("revoke", help="end a token")
    for parser, work in ((create, make), (listed, show), (revoke, end)):
        parser.add_argument("email", help="the member's e-mail address")
        parser.add_argument("--network", help="the network's name (where there is only one: that)")
        parser.add_argument("--data", type=Path, help="the folder of networks (MAILLE_DATA, else data)")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="how the answer is written")
        parser.set_defaults(run=run, work=work)
    revoke.add_argument("token", help="the token's id, as `list` shows it")


def run(arguments: argparse.Namespace, clock: Clock | None = None) -> int:
    """Do it and print what came of it. 1: refused; 2: called wrongly."""
    folder = arguments.data or from_environment().data
    try:
        found = asyncio.run(_within(folder, arguments.network, arguments.work, arguments, clock or SystemClock()))
    except NotDoneError as error:
        Console(stderr=True, highlight=False).print(escape(str(error)), soft_wrap=True)
        return 1
    if arguments.format == "json":
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    else:
        _print(Console(highlight=False), found)
    return 0


Work = Callable[[Tenant, str, argparse.Namespace], Awaitable[Answer]]


async def _within(folder: Path, name: str | None, work: Work, arguments: argparse.Namespace, clock: Clock) -> Answer:
    """Open the network and do the work in it."""
    tenants = Tenants(folder, clock=clock)
    names = await tenants.names()
    wanted = name or (names[0] if len(names) == 1 else "")
    if wanted not in names:
        known = f" There are: {', '.join(names)}." if names else ""
        raise NotDoneError(f"There is no network '{wanted}' in {folder}.{known}" if wanted else f"Say which.{known}")
    try:
        tenant = await tenants.open(wanted)
        member = await tenant.store.read(lambda tx: with_email(tx, arguments.email))
        if member is None:
            raise NotDoneError(f"No member of {wanted} has the e-mail address {arguments.email}.")
        return await work(tenant, member, arguments)
    except StoreError as error:
        raise NotDoneError(f"{error} Make and revoke tokens on the page 'My tokens' while the server runs.") from None
    except InvalidError as error:
        said = "; ".join(f"{field}: {message}" for field, message in error.fields.items())
        raise NotDoneError(said) from None
    except NotFoundError:
        raise NotDoneError(f"{arguments.email} cannot sign in any more.") from None
    finally:
        await tenants.close()


async def make(tenant: Tenant, member: str, arguments: argparse.Namespace) -> Answer:
    """Make a token."""
    made = await tokens.create(
        tenant, member, name=arguments.name, days=arguments.days, levels=frozenset(arguments.level)
    )
    return {**_plain(made.token), "token": made.secret}


async def show(tenant: Tenant, member: str, _: argparse.Namespace) -> Answer:
    """List the tokens."""
    return [_plain(token) for token in await tokens.of_member(tenant, member)]


async def end(tenant: Tenant, member: str, arguments: argparse.Namespace) -> Answer:
    """End a token."""
    if not await tokens.revoke(tenant, member, arguments.token):
        raise NotDoneError(f"{arguments.email} has no token {arguments.token}.")
    return {"revoked": arguments.token}


def _plain(token: Token) -> dict[str, Any]:
    used = token.last_used_at
    return {
        "id": token.id,
        "name": token.name,
        "levels": None if token.levels is None else list(token.levels),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": None if used is None else used.isoformat(),
    }


def _print(out: Console, found: Answer) -> None:
    if isinstance(found, list):
        table = Table(Column("Id", no_wrap=True), "Name", "Levels", "Valid until", "Last used", box=None)
        for token in found:
            levels = ", ".join(token["levels"]) if token["levels"] else "all of the member"
            table.add_row(token["id"], escape(token["name"]), levels, *_days(token))
        out.print(table)
    elif "token" in found:
        out.print(found["token"], soft_wrap=True)
    else:
        out.print(f"The token {found['revoked']} is revoked.", soft_wrap=True)


def _days(token: dict[str, Any]) -> tuple[str, str]:
    return token["expires_at"][:10], (token["last_used_at"] or "never")[:10]
