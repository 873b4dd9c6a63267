"""The page on watching and restarting a server: its units fit what the server takes."""

from __future__ import annotations

import os
import re
import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from admin.cli.main import main
from admin.operations.serving import handed_over

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "serving.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    """Return the page's block of a kind."""
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.M | re.S)
    return str(found)


def test_the_units_of_the_page_hand_over_a_socket(capsys: pytest.CaptureFixture[str]) -> None:
    units = ConfigParser()
    units.read_string(block("ini"))
    program, *words = shlex.split(units["Service"]["ExecStart"])
    assert Path(program).name == "maille"
    assert "--processes" in words, "a server alone ends when it is told to load itself again"
    assert units["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    assert "--processes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "descriptor"),
    [
        ({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, 3),
        ({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, None),
        ({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}, None),
        ({}, None),
    ],
)
def test_the_socket_of_systemd_is_the_one_for_this_process(given: dict[str, str], descriptor: int | None) -> None:
    assert handed_over(given) == descriptor
