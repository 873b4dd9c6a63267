"""What was found in packs, kept on disk: the same files, checked by the same code, are not checked again.

Only problems are kept, as JSON, so that no file of the cache can do more than say something wrong; and only what is in
a folder that nobody else may write to is believed. See docs/decisions/checking.md.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from definitions.folders import Files
from definitions.message import Message
from definitions.problems import Place, Problem

KEPT = 200
"""How many packs are kept; those that were asked for longest ago go."""

_MADE_WITH = ("babel", "cronsim", "holidays", "jinja2", "jsonschema", "lucide", "re2", "referencing", "tzdata", "yaml")
_HERE = Path(__file__).parent


class Verdicts:
    """The cache in a folder. Where it can't be read or written, nothing is known, and nothing is said of it."""

    def __init__(self, folder: Path) -> None:
        """Keep what is found below the folder, which is made when it is needed."""
        self._folder = folder

    def recall(self, files: Files) -> tuple[Problem, ...] | None:
        """Return what was found in the files before, None where that is not known."""
        try:
            if not _is_ours(self._folder):
                return None
            path = self._folder / key_of(files)
            digest, _, body = path.read_text("utf-8").partition("\n")
            if digest != _digest(body):
                return None
            path.touch()
            return tuple(_problem(each) for each in json.loads(body))
        except (OSError, ValueError):
            return None

    def keep(self, files: Files, problems: tuple[Problem, ...]) -> None:
        """Remember what was found in the files."""
        body = json.dumps([_plain(problem) for problem in problems], ensure_ascii=True)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_ours(self._folder):
                _write(self._folder / key_of(files), f"{_digest(body)}\n{body}")
                _thin(self._folder)
        except OSError:
            return


def usual_folder(environment: Mapping[str, str]) -> Path | None:
    """Return where programs keep what they can make again, None where that is nowhere (or `MAILLE_CACHE` is `off`)."""
    if environment.get("MAILLE_CACHE") == "off":
        return None
    said, home = environment.get("XDG_CACHE_HOME", ""), environment.get("HOME", "")
    base = Path(said) if Path(said).is_absolute() else Path(home) / ".cache" if home else None
    return None if base is None else base / "maille" / "check"


def key_of(files: Files) -> str:
    """Return what stands for files and for everything that the checker makes of them."""
    found = sha256(_code().encode())
    for name in sorted(files):
        for part in (name, files[name]):
            written = part.encode("utf-8", "surrogatepass")
            found.update(len(written).to_bytes(8, "big") + written)
    return found.hexdigest()


def _code() -> str:
    """Return what stands for the checker: its own files, those of the packs that come with it, and its libraries."""
    specs = (find_spec(name) for name in _MADE_WITH)
    libraries = [Path(spec.origin) for spec in specs if spec is not None and spec.origin is not None]
    own = [Path(folder, name) for folder, _, names in os.walk(_HERE) for name in names if not name.endswith(".pyc")]
    zones = [Path(path) for path in zoneinfo.TZPATH]
    return "\n".join([sys.version, *_states([*own, *libraries, *zones])])


def _states(paths: list[Path]) -> Iterator[str]:
    for path in sorted(paths):
        if path.exists():
            state = path.stat()
            yield f"{path} {state.st_size} {state.st_mtime_ns}"


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can have put something into a folder."""
    state = folder.stat()
    return state.st_uid == os.geteuid() and not state.st_mode & 0o022


def _write(path: Path, text: str) -> None:
    """Write a file that is there as a whole or not at all, whoever else writes it."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def _thin(folder: Path) -> None:
    paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in paths[KEPT:]:
        path.unlink(missing_ok=True)


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()


def _plain(problem: Problem) -> list[Any]:
    place = [problem.place.file, problem.place.line, problem.place.column]
    return [problem.code, place, _said(problem.message), _said(problem.hint), problem.severity]


def _said(message: str) -> Any:
    """Return a sentence with what it was made of, so that it can be said in another language."""
    if isinstance(message, Message):
        return [message.text, {name: _said(value) for name, value in message.values.items()}]
    return message


def _problem(plain: list[Any]) -> Problem:
    code, place, message, hint, severity = plain
    return Problem(code, Place(*place), _sentence(message), _sentence(hint), severity)


def _sentence(said: Any) -> str:
    if isinstance(said, str):
        return said
    text, values = said
    return Message(text, {name: _sentence(value) for name, value in values.items()})
