"""`maille bounce`: what a mail server gives a mail that came back to."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from admin.cli.errand import errand, examples, options
from admin.control.answers import RefusedError
from admin.i18n import SOURCE_LANGUAGE, speaking, spoken, spoken_language
from workflows.bounce_reports import read_reports

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

LATER = 75
"""The exit code after which a mail server tries once more (EX_TEMPFAIL)."""
LARGEST = 10 * 1024 * 1024
"""So many bytes of a mail are read."""


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "bounce",
        help=spoken("take a mail that came back from the mail server's pipe"),
        description=spoken(
            "Read a mail from standard input. A report that one of our mails could not be delivered, or that its "
            "reader complains, is kept with the mail; nothing is sent any more to an address that there is not. All "
            "else is left alone. Mails come back to the address in SMTP_URL (…&bounces=bounces@example.org), with + "
            "and a mark of their own. The exit code is 75 while it cannot be done: the mail server tries again."
        ),
        **examples(
            '"|maille bounce --data /var/lib/maille"',
            "maille bounce --to bounces+4f0c…@example.org < report.eml",
        ),
    )
    command.add_argument("--to", help=spoken("where it was delivered to (what its headers say)"))
    options(command, network=False)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read the mail and have it kept."""
    on = errand(arguments)
    with speaking(SOURCE_LANGUAGE if on.json else spoken_language()):
        reports = read_reports(sys.stdin.buffer.read(LARGEST))
        if not reports:
            on.show({"network": None, "mail": None})
            on.tell(spoken("This is no report of a mail that came back."))
            return 0
        to = [arguments.to] if arguments.to else list(reports[0].to)
        said = [{"kind": each.kind, "reason": each.reason, "address": each.address} for each in reports]
        try:
            answer = on.ask("take_bounce", reports=said, to=to)
        except RefusedError as error:
            on.err.print(spoken(error.refusal.message), markup=False, soft_wrap=True)
            return LATER
        except Exception as error:  # noqa: BLE001 - whatever it is: a mail server gives up on every other exit code
            on.err.print(repr(error), markup=False, soft_wrap=True)
            return LATER
    on.show(answer)
    if answer["mail"] is None:
        on.tell(spoken("It is about no mail of ours."))
    else:
        on.tell(spoken("Kept with the mail {mail} of {network}.", mail=answer["mail"], network=answer["network"]))
    return 0
