"""Packs as big as one likes, of the usual mix: areas that know their neighbours, written in `area`, and `whole`."""

from __future__ import annotations

from pathlib import Path
from string import Template

HERE = Path(__file__).parent
AREA, WHOLE = 25, 5
"""How many definitions (documents) an area has, and what is there once."""


def grown(definitions: int) -> dict[str, str]:
    """Return the files of a pack of about so many definitions, one a file; it is free of problems."""
    areas = max(2, round((definitions - WHOLE) / AREA))
    parts = {path.stem: Template(path.read_text("utf-8")) for path in sorted((HERE / "area").iterdir())}
    files = {path.name: path.read_text("utf-8") for path in sorted((HERE / "whole").iterdir())}
    for number in range(1, areas + 1):
        names = {"n": f"{number:03}", "before": f"{(number - 2) % areas + 1:03}"}
        for part, template in parts.items():
            for count, document in enumerate(template.substitute(names).split("---\n"), 1):
                files[f"area_{number:03}/{part}_{count}.yaml"] = document
    return files
