"""What a file is: its content decides, and must be what its name says. What is not listed is not taken."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import puremagic

from models.message import say
from models.values import ValueRefusedError

HEAD = 4096
"""So many bytes at the beginning tell what a file is."""
LONGEST_NAME = 120
MOST_PARTS = 10_000
"""Of an office document, which is a ZIP."""
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
_MACROS = ("vbaproject.bin", "basic/")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its media type; what its content begins like (`text`: is text); a part that it has to have."""

    type: str
    like: str
    part: str = ""


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
KINDS: Mapping[str, Kind] = {
    "png": Kind("image/png", ".png"),
    "jpg": Kind("image/jpeg", ".jpg"),
    "jpeg": Kind("image/jpeg", ".jpg"),
    "webp": Kind("image/webp", ".webp"),
    "gif": Kind("image/gif", ".gif"),
    "pdf": Kind("application/pdf", ".pdf"),
    "docx": Kind(f"{_OFFICE}wordprocessingml.document", ".docx", "word/document.xml"),
    "xlsx": Kind(f"{_OFFICE}spreadsheetml.sheet", ".docx", "xl/workbook.xml"),
    "pptx": Kind(f"{_OFFICE}presentationml.presentation", ".docx", "ppt/presentation.xml"),
    "odt": Kind(f"{_OPEN}text", ".docx", "content.xml"),
    "ods": Kind(f"{_OPEN}spreadsheet", ".docx", "content.xml"),
    "odp": Kind(f"{_OPEN}presentation", ".docx", "content.xml"),
    "txt": Kind("text/plain", "text"),
    "csv": Kind("text/csv", "text"),
    "md": Kind("text/markdown", "text"),
    "ics": Kind("text/calendar", "text"),
    "vcf": Kind("text/vcard", "text"),
}
"""What is taken, by the end of its name. HTML, SVG, programs, archives and documents with macros are not."""


def plain_name(given: str) -> str:
    """Return a file's name as it is kept: no folders, nothing that a system or a header reads otherwise."""
    last = PurePosixPath(given.replace("\\", "/")).name
    name = " ".join(_NOT_IN_NAMES.sub(" ", unicodedata.normalize("NFC", last)).split()).strip(". ")
    bare = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")  # those that turn text around
    stem, dot, end = bare.rpartition(".")
    return f"{stem[: LONGEST_NAME - len(end) - 1]}.{end}" if dot and len(end) < 10 else bare[:LONGEST_NAME]


def kind_of(name: str, path: Path) -> Kind:
    """Return what the file at `path` is; `ValueRefusedError` when it is nothing listed, or not what its name says."""
    kind = KINDS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if kind is None:
        raise ValueRefusedError(say("Files of this kind are not taken. Possible: {kinds}.", kinds=", ".join(KINDS)))
    with path.open("rb") as file:
        head = file.read(HEAD)
    fits = _is_text(path) if kind.like == "text" else _begins_like(head, kind.like)
    if not fits or (kind.part and not _has_part(path, kind.part)):
        raise ValueRefusedError(say("The content of this file is not what its name says."))
    return kind


def _begins_like(head: bytes, like: str) -> bool:
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return False
    return any(match.extension == like for match in found)


def _is_text(path: Path) -> bool:
    """Whether nothing in the file is a control character; which letters it is in, who opens it finds out."""
    with path.open("rb") as file:
        while part := file.read(1 << 16):
            if _NOT_TEXT.search(part):
                return False
    return True


def _has_part(path: Path, part: str) -> bool:
    """Whether an office document is of the kind that has this part, and has no macros. Nothing of it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.lower() for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return len(names) <= MOST_PARTS and part in names and not any(mark in name for name in names for mark in _MACROS)
