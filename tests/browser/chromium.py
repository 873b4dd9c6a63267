"""Where the machine's Chromium is; without one, the browser tests stay out and the last lines say so."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LEFT_OUT = "No Chromium on this machine: the tests in a browser did not run. All the others did."


def chromium() -> str | None:
    """Return the path of the browser: `MAILLE_CHROMIUM`, or what the machine has."""
    return os.environ.get("MAILLE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out on a machine without a browser."""
    if chromium() is not None:
        return
    out = [item for item in items if item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that they were left out."""
    if chromium() is None:
        terminalreporter.write_line(LEFT_OUT, yellow=True)
