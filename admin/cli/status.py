"""`maille status`: how well the installation serves, and what its networks owe."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from admin.cli.errand import Errand, examples, options, refusable
from admin.i18n import spoken
from definitions.message import Message, say

if TYPE_CHECKING:
    from admin.cli.main import Subparsers

SHARES: Mapping[str, Message] = {
    "half": say("Calls of the API answered within 0.5 s"),
    "second": say("Calls of the API answered within 1 s"),
    "available": say("Minutes in which it served"),
}
"""What the targets are about."""


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    command = subparsers.add_parser(
        "status",
        help=spoken("say how well the installation serves, and what its networks owe"),
        description=spoken(
            "Say how many calls of the API were answered within half a second and a second in the last 30 days, in how "
            "many minutes it served, and what each network owes: work that is due, work that failed for good, runs "
            "that failed, e-mails whose fate is unknown."
        ),
        **examples("maille status", "maille status --format json"),
    )
    options(command, network=False)
    command.set_defaults(run=refusable(run))


def run(on: Errand, _: argparse.Namespace) -> int:
    """Ask for it and tell it."""
    found = on.ask("status")
    on.show(found)
    if found["process"] is not None:
        on.tell(spoken("A server runs: process {number}.", number=found["process"]))
    if found["since"] is None:
        on.tell(spoken("Nothing is measured yet: a server writes down each minute that it serves."))
    else:
        on.tell(spoken("Since {since} UTC:", since=str(found["since"])[:16].replace("T", " ")))
        for name, what in SHARES.items():
            on.tell("  " + _share(spoken(what), found["shares"][name], found["targets"][name]))
        _tell_requests(on, found["requests"])
    for network in found["networks"]:
        on.tell(_owes(network))
    return 0


def _share(what: str, share: float | None, target: float) -> str:
    """Return a share beside its target."""
    if share is None:
        return f"{what}: –"
    shown, wanted = f"{share:.2%}", f"{target:.0%}"
    if share >= target:
        return spoken("{what}: {share} (target {target})", what=what, share=shown, target=wanted)
    return spoken("{what}: {share}, MISSED (target {target})", what=what, share=shown, target=wanted)


def _tell_requests(on: Errand, requests: Mapping[str, Mapping[str, int]]) -> None:
    for kind, counts in requests.items():
        given = {"answered": counts["answered"], "failed": counts["failed"]}
        if kind == "api":
            on.tell("  " + spoken("Calls of the API: {answered}, {failed} of them failed", **given))
        else:
            on.tell("  " + spoken("Pages: {answered}, {failed} of them failed", **given))


def _owes(network: Mapping[str, Any]) -> str:
    name, owes = network["name"], network["owes"]
    if owes is None:
        return spoken("{network}: cannot be opened: {reason}", network=name, reason=network["reason"])
    return spoken(
        "{network}: {due} due, the oldest for {oldest} s; {dead} failed for good; {runs} failed runs; {mails} e-mails "
        "of unknown fate",
        network=name,
        due=sum(owes["due"].values()),
        oldest=round(owes["oldest"]),
        dead=sum(owes["dead"].values()),
        runs=owes["runs"].get("failed", 0),
        mails=owes["mails"].get("unknown", 0),
    )
