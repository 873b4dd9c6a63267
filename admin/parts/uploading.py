"""Files that come with a form: taken in first, then named in its answers like anything that was typed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from admin.csrf import MOST_FIELDS
from admin.parts.inputs import NAMED, Question
from admin.web import here
from models import uploads
from models.contents import CHUNK, Limits
from models.message import Message
from models.values import ValueRefusedError


async def received(request: Request, asked: Iterable[Question]) -> tuple[FormData, dict[str, Message]]:
    """Return the form with the names of uploads in the place of its files, and a sentence for each that is refused.

    Files for which there is no question are not looked at.
    """
    questions = {question.name for question in asked if question.column.kind in uploads.FILES}
    pairs: list[tuple[str, str | UploadFile]] = []
    refused: dict[str, Message] = {}
    async with request.form(max_fields=MOST_FIELDS) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                pairs.append((name, value))
            elif name in questions and value.filename:
                try:
                    pairs.append((name, await _taken(request, value)))
                except ValueRefusedError as error:
                    refused[name] = error.message
    return FormData(pairs), refused


async def _taken(request: Request, file: UploadFile) -> str:
    visit = here(request)
    found = await uploads.take(visit.tenant, visit.actor, parts(file), file.filename or "", limits_of(request))
    return f"{found.id}{NAMED}{found.value.name}"


async def parts(file: UploadFile) -> AsyncIterator[bytes]:
    """Yield a file part by part."""
    while part := await file.read(CHUNK):
        yield part


def limits_of(request: Request) -> Limits:
    """Return how large files may be on this installation."""
    found = request.app.state.networks.settings.limits
    if not isinstance(found, Limits):
        raise TypeError("an installation has limits")
    return found
