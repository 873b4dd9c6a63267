"""Let atheris look for ways through the parsers that no case has taken yet: `make guided` (Linux, Python 3.11 to 3.13).

It runs what `tests.fuzz` runs, on texts that grow out of those that reached new lines. It is no dependency of the
project: `requirements-fuzz.lock` has it.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["definitions"]):
    from tests import fuzz


def main() -> None:
    """Fuzz what the first argument names (`expressions` or `files`); the others are libFuzzer's own."""
    name, *options = sys.argv[1:]
    _, take = fuzz.ATTEMPTS[name]

    def one(data: bytes) -> None:
        take(data.decode("utf-8", "replace"))

    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(fuzz.seeds(name)):
            (Path(folder) / str(number)).write_text(text, "utf-8")
        atheris.Setup([sys.argv[0], f"-artifact_prefix={folder}/", *options, folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
