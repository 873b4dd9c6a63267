"""Definitions carried into a network, and the whole network carried out of it, through the back office's forms."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from admin.visit import Visit
from definitions.problems import DefinitionError, Problem
from models import archive
from models.message import Message, say
from workflows import auditing, publishing
from workflows.proposal import Proposal, propose
from workflows.unit import Unit, read

LARGEST = 7 * 1024 * 1024
"""So many bytes may a ZIP file have, and so many all of its files together."""
MOST_FILES = 1000
SUFFIXES = frozenset({".yaml", ".yml"})
UNREADABLE = (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading base64, a ZIP file and UTF-8 comes to when they are none."""
LINES = 20
"""So many problems and changes are told; a page with thousands helps nobody."""
CHANGES: Mapping[str, Message] = {
    "added": say("Added: {name}"),
    "changed": say("Changed: {name}"),
    "removed": say("Removed: {name}"),
    "renamed": say("Renamed: {name}"),
}


class FormRefusedError(Exception):
    """What a form asks for is refused; `text` says why in the visitor's language, a line a reason."""

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self.text = text
        super().__init__(text)


async def publish(visit: Visit, _request: Request, given: Mapping[str, Any]) -> str:
    """Publish definitions as the command line does, and tell what changed."""
    base = visit.version
    files = await _definitions(visit, given)
    loss = bool(given["allow_loss"])
    try:
        proposal = await propose(visit.tenant, files, allow_loss=loss)
        if proposal.unchanged:
            return visit.words(say("Nothing changes: this is what version {version} says.", version=base))
        if proposal.refused:
            raise FormRefusedError("\n".join(_problems(visit, proposal.refused)))
        published = await publishing.publish(
            visit.tenant, files, visit.actor.id, note=given["note"].strip()[:500], allow_loss=loss, base=base
        )
    except DefinitionError as error:
        raise FormRefusedError("\n".join(_problems(visit, error.problems))) from error
    done = visit.words(say("Version {version} is published.", version=published.version))
    return "\n".join([done, *_changes(visit, proposal)])


async def _definitions(visit: Visit, given: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the files to publish: those of the ZIP file, or the present ones with one of them replaced."""
    if given["archive"]:
        return await asyncio.to_thread(_unpacked, visit, given["archive"])
    name = given["file"].strip()
    if not name or not given["text"].strip():
        raise _refused(visit, say("Choose a ZIP file, or name one file and give its text."))
    if PurePosixPath(name).suffix not in SUFFIXES or name.startswith(("@", "/", ".")):
        raise _refused(visit, say("A file of definitions ends with .yaml; {name} does not.", name=name))
    present = await publishing.files_of(visit.tenant, visit.version)
    return {**present, name: given["text"]}


def _unpacked(visit: Visit, sent: str) -> Mapping[str, str]:
    """Return the YAML files of a ZIP file that was sent as a data URL or in base64."""
    try:
        raw = base64.b64decode(sent.rpartition(",")[2], validate=True)
        if len(raw) > LARGEST:
            raise _refused(visit, say("This file is too large."))
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            members = [one for one in packed.infolist() if _counts(one)]
            if len(members) > MOST_FILES or sum(one.file_size for one in members) > LARGEST:
                raise _refused(visit, say("This file is too large."))
            found = {one.filename: packed.read(one).decode("utf-8") for one in members}
    except UNREADABLE as error:
        raise _refused(visit, say("This is no ZIP file of definitions.")) from error
    if not found:
        raise _refused(visit, say("There is no YAML file in this ZIP file."))
    return _without_folder(found)


def _counts(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(member.filename)
    hidden = any(part.startswith(".") for part in path.parts) or path.parts[:1] == ("__MACOSX",)
    return not member.is_dir() and path.suffix in SUFFIXES and not hidden


def _without_folder(files: Mapping[str, str]) -> Mapping[str, str]:
    """Return the files without the one folder that all of them stand in: most people pack folders."""
    folders = {name.partition("/")[0] for name in files}
    alone = len(folders) == 1 and all("/" in name for name in files)
    return {name.partition("/")[2]: text for name, text in files.items()} if alone else files


def _refused(visit: Visit, message: Message) -> FormRefusedError:
    return FormRefusedError(visit.words(message))


def _problems(visit: Visit, problems: Iterable[Problem]) -> Iterator[str]:
    told = list(problems)
    for problem in told[:LINES]:
        hint = f" ({visit.words(problem.hint)})" if problem.hint else ""
        yield labelled(visit, str(problem.place), f"{visit.words(problem.message)}{hint}")
    if len(told) > LINES:
        yield visit.words(say("And {count} more.", count=len(told) - LINES))


def labelled(visit: Visit, label: str, text: str) -> str:
    """Return a text behind what it is about, with the colon of the visitor's language."""
    return visit.words(say("{label}: {text}", label=label, text=text))


def _changes(visit: Visit, proposal: Proposal) -> list[str]:
    """Return the definitions that are others, and what happens to the tables, a line each."""
    told = proposal.definitions[:LINES]
    lines = [visit.words(Message(CHANGES[one.change].text, {"name": f"{one.kind} {one.name}"})) for one in told]
    details = [(table.entity, detail) for table in proposal.tables for detail in table.details]
    return [*lines, *(labelled(visit, entity, visit.words(detail)) for entity, detail in details[:LINES])]


async def export(visit: Visit, _request: Request, _given: Mapping[str, Any]) -> Response:
    """Return the archive of the network, written beside the event loop and removed once it is sent."""
    if not await read(visit.tenant, visit.actor, _reads_everything):
        raise _refused(visit, say("The file holds everything: only who may read all records can have it."))
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="maille-export-"))
    try:
        name = f"{visit.tenant.name}-{visit.formats.today.isoformat()}.zip"
        await auditing.archived(visit.tenant, visit.actor)
        await archive.dump(visit.tenant, folder / name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        folder / name,
        filename=name,
        media_type="application/zip",
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


async def _reads_everything(unit: Unit) -> bool:
    exports = "export" in unit.published.access.functions(unit.actor)
    return exports and await unit.records.reads_everything()
