"""Made-up requests against the API's own description: `python -m tests.admin.api.contract [requests]` makes many."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.admin.api.living import PEOPLE, prepare, serving

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth"
)
REFUSED = (400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429)
"""How nonsense is refused; 412 too, since preconditions are looked at before the body (RFC 9110, 13.2.1)."""
SETTINGS = f"[checks.negative_data_rejection]\nexpected-statuses = {[str(status) for status in REFUSED]}\n"
LEVELS = tuple((network, level) for network in ("small", "alba") for level in PEOPLE)
_MADE = re.compile(r"(\d[\d,]*) generated")


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run: whether every answer was documented and no failure, how many requests, what was said."""

    fine: bool
    requests: int
    said: str


def run(url: str, network: str, token: str, phases: str, *, examples: int, seed: int = 1) -> Run:
    """Send made-up requests of one member to one network; `examples` for each operation and phase."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/n/{network}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--phases", phases, "--checks", CHECKS),
        *("--max-examples", str(examples), "--seed", str(seed), "--no-shrink", "--continue-on-failure"),
        *("--request-timeout", "20", "--warnings", "off", "--no-color"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "schemathesis.toml").write_text(SETTINGS, encoding="utf-8")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603 - our own
    made = _MADE.search(done.stdout)
    requests = int(made[1].replace(",", "")) if made else 0
    said = done.stdout[-20_000:] + done.stderr[-2_000:]
    return Run(done.returncode == 0 and requests > 0, requests, said)


def runs(folder: Path, wanted: int) -> Iterator[tuple[str, Run]]:
    """Yield runs of every level in every network, with new seeds, until there were as many requests as wanted.

    Each has networks of its own: a leader may remove the members that the others are.
    """
    made = 0
    for seed in count(1):
        for network, level in LEVELS:
            own = folder / f"{network}-{level}-{seed}"
            own.mkdir()
            tokens = prepare(own)
            with serving(own) as url:
                found = run(url, network, tokens[network][level], "coverage,fuzzing", examples=20, seed=seed)
            made += found.requests
            yield f"{network}, {level}, seed {seed}", found
            if made >= wanted:
                return


def main() -> int:
    """Make the requests, say what came of each run, and return 1 when one was not fine."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    made, fine = 0, True
    with tempfile.TemporaryDirectory() as folder:
        for name, found in runs(Path(folder), wanted):
            made, fine = made + found.requests, fine and found.fine
            sys.stdout.write(f"{name}: {found.requests} requests, {'fine' if found.fine else 'not fine'}\n")
            sys.stdout.write("" if found.fine else found.said)
            sys.stdout.flush()
    sys.stdout.write(f"{made} requests in all\n")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
