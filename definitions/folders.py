"""Packs as folders of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str]
PACKS = Path(__file__).parent / "packs"

SUFFIXES = {".yaml", ".yml"}


def read_folder(path: Path) -> Files:
    """Return the YAML files below a folder by their relative path; hidden ones aside."""
    found = {}
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        if file.suffix in SUFFIXES and file.is_file() and not any(part.startswith(".") for part in relative.parts):
            found[relative.as_posix()] = file.read_text("utf-8", errors="surrogateescape")
    return found
