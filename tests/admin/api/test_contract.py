"""The API keeps to its own description, whoever asks whatever."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.api.living import prepare, serving

pytestmark = pytest.mark.slow

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth"
)
EXAMPLES = {"small": "4", "alba": "2"}
"""How many made-up requests each operation gets, beside those that cover every part of its schemas."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """A server over the small network and `suivi`, with tokens."""
    folder = tmp_path_factory.mktemp("networks")
    tokens = prepare(folder)
    with serving(folder) as url:
        yield url, tokens


@pytest.mark.parametrize(
    ("network", "level", "phases"),
    [
        ("small", "leader", "fuzzing"),
        ("small", "distributor", "coverage,fuzzing"),
        ("alba", "leader", "coverage"),
        ("alba", "distributor", "fuzzing"),
    ],
)
def test_no_answer_is_a_failure_or_undocumented(
    live: tuple[str, dict[str, dict[str, str]]], tmp_path: Path, network: str, level: str, phases: str
) -> None:
    url, tokens = live
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/n/{network}/api/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {tokens[network][level]}", "--phases", phases, "--checks", CHECKS),
        *("--max-examples", EXAMPLES[network], "--seed", "1", "--no-shrink", "--continue-on-failure"),
        *("--request-timeout", "20", "--warnings", "off", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "No tests were run" not in done.stdout
