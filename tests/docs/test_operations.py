"""The commands of the operators' page are carried out, one after the other."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from admin.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    for line in block.splitlines()
    if line.startswith("$ ")
]


def test_the_page_can_be_followed_to_the_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAILLE_DATA", "data")
    assert len(COMMANDS) > 10
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program == "maille"
        if words[0] == "plan":  # a field more, so that there is something to publish and to go back from
            file = tmp_path / "my_network" / "contact.yaml"
            text = file.read_text("utf-8")
            file.write_text(text.replace("  notes: ", "  city: {type: text, personal: contact}\n  notes: "), "utf-8")
        assert main(words) == 0, f"{command}: {capsys.readouterr()}"
    assert [path.name for path in (tmp_path / "data").glob("*.sqlite")] == ["alba.sqlite"]
    capsys.readouterr()
    assert main(["history", "--format", "json"]) == 0
    versions = json.loads(capsys.readouterr().out)
    assert [one["version"] for one in versions] == [3, 2, 1]
