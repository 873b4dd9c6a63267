"""Files: uploaded first, then named by what creates or changes a record; read at their record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from admin import csrf
from admin.api.call import Answer, Call
from admin.api.entities import seen_of
from admin.api.horizon import Horizon
from admin.api.problems import ApiError
from definitions.spec.entity import Field
from definitions.spec.process import Transition
from models import uploads
from models.contents import CHUNK, Limits
from models.errors import InvalidError, NotFoundError
from models.message import say
from models.values import ValueRefusedError
from workflows.answered import answered
from workflows.unit import Unit

BESIDE = 1 << 16
"""Bytes of a request beside its file."""
FILE = "file"
"""What the part with the file is called."""


async def upload(call: Call) -> Answer:
    """Take a file in: its `id` is what a field is given. Who may fill no field with a file finds nothing here."""

    async def known(unit: Unit) -> Answer:
        if not takes_files(call.horizon(unit)):
            raise NotFoundError
        return Answer()

    await call.read(known)
    if call.actor is None:
        raise NotFoundError
    limits: Limits = call.request.app.state.networks.settings.limits
    request = _form(call.request, limits.size + BESIDE)
    try:
        async with request.form(max_files=1, max_fields=1) as form:
            given = form.get(FILE)
            if not isinstance(given, UploadFile) or not given.filename:
                raise InvalidError({FILE: say("This is needed.")})
            found = await uploads.take(call.tenant, call.actor, _parts(given), given.filename, limits)
    except ValueRefusedError as error:
        raise InvalidError({FILE: error.message}) from None
    except HTTPException as error:
        raise ApiError(413 if error.status_code == 413 else 400) from None
    return Answer({"id": found.id, **found.value}, 201)


def _form(request: Request, most: int) -> Request:
    """Return a request with a form of at most so many bytes."""
    if csrf.declared(request) > most:
        raise ApiError(413)
    if csrf.media(request) != csrf.MULTIPART:
        raise ApiError(415)
    return Request(request.scope, csrf.limited(request.receive, most))


def takes_files(horizon: Horizon) -> bool:
    """Whether the caller's levels may fill any field with a file."""
    return any(
        field.type in uploads.FILES
        for seen in horizon.entities.values()
        for fields in (seen.new, seen.writes, *(_asked(transition) for _, transition in seen.moves))
        for field in fields.values()
    )


def _asked(transition: Transition) -> Mapping[str, Field]:
    return {name: question.field for name, question in transition.form.items()}


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(CHUNK):
        yield part


async def answer(call: Call) -> Answer:
    """Answer with a file that the form of a step was answered with."""
    path = call.request.path_params

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        if not seen.reads:
            raise NotFoundError
        return Answer(file=await answered(unit, (seen.entity.name, path["id"]), path["history"], path["field"]))

    return await sent(call, await call.read(work))


async def download(call: Call) -> Answer:
    """Answer with a file of a record."""
    name = call.request.path_params["field"]

    async def work(unit: Unit) -> Answer:
        seen = seen_of(call, unit)
        if not seen.reads or name not in seen.fields:
            raise NotFoundError
        return Answer(file=await unit.records.download(seen.entity.name, call.request.path_params["id"], name))

    return await sent(call, await call.read(work))


async def sent(call: Call, answer: Answer) -> Answer:
    """Return an answer with a file; `NotFoundError` when its content is not there."""
    if answer.file is None or not await asyncio.to_thread(call.tenant.contents.path(answer.file.sha).is_file):
        raise NotFoundError
    return answer
