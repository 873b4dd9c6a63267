"""`maille serve` says in one line why it can't begin."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from admin.cli.main import main
from models.connections import FileLock


def serve(data: Path, port: int) -> int:
    return main(["serve", "--data", str(data), "--port", str(port)])


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert serve(tmp_path, port) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Nothing can be served at 127.0.0.1, port {port}: ")
    assert "--port" in said
    assert said.count("\n") == 1


def test_a_network_that_another_process_serves_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = FileLock(tmp_path / "demo.sqlite")
    (tmp_path / "demo.sqlite").touch()
    assert serve(tmp_path, 0) == 1
    held.release()
    said = capsys.readouterr().err
    assert "demo.sqlite is already open by process" in said
    assert said.count("\n") == 1
