"""What a server does before it lets anybody in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from admin.settings import Settings
from models.rehearsal import FILE, FOLDER
from server import compose
from tests.networks import counting_ids

pytestmark = pytest.mark.anyio


async def test_what_a_killed_trial_left_goes_when_a_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{FOLDER}left"
    left.mkdir()
    (left / f"{FILE}.lock").write_text("1")
    (left / FILE).write_text("somebody's data")
    app = compose(Settings(data=tmp_path / "data", secret="x"), new_id=counting_ids(), works=False)
    async with app.router.lifespan_context(app):
        assert not left.exists()
