"""The example of the API does what it says, against a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.admin.api.living import LEADS, ROOT, prepare, serving

SCRIPT = ROOT / "docs" / "examples" / "import_leads.py"


def test_it_is_short() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.slow
def test_a_script_imports_moves_and_counts(tmp_path: Path) -> None:
    token = prepare(tmp_path)["alba"]["distributor"]
    with serving(tmp_path) as url:
        command = [sys.executable, str(SCRIPT), f"{url}/n/alba/api/v1", token]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603 - our own
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "10000 leads imported, 100 of them moved",
        "lost 100",
        f"new {10_000 + LEADS - 100}",
    ]
