"""Lines of a record, written all at once in the place where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.csrf import MOST_FIELDS
from admin.parts.asking import version_of
from admin.parts.lines import Editor, Lines, Row, blamed, editor, lines_of, merged, rows_from, rows_of, values_of
from admin.parts.subject import Subject, reading, subject
from admin.web import redirect, render, say_on
from definitions.text import Text
from models.errors import ConflictError, InvalidError, NotFoundError
from models.message import Message, say
from models.record import Record
from models.records import Records
from models.refusals import refusal
from workflows import commands


async def edit(request: Request) -> Response:
    """Answer with rows of inputs for the lines."""
    about, lines = _of(request)
    record, present = await _present(request, about, lines)
    return await _page(request, (about, lines), record, rows_of(lines, present))


async def save(request: Request) -> Response:
    """Write the lines; what is wrong comes back with the rows."""
    about, lines = _of(request)
    record, _ = await _present(request, about, lines)
    form = await request.form(max_fields=MOST_FIELDS)
    values, rows = values_of(lines, rows_from(form, lines))
    version = version_of(form) or record.version
    if any(row.wrong for row in rows):
        return await _page(request, (about, lines), record, rows, status=422, version=version)
    tenant, actor = about.visit.tenant, about.visit.actor
    try:
        await commands.update(tenant, actor, about.entity.name, record.id, version, {lines.name: values})
    except InvalidError as error:
        told = blamed(lines, rows, error.fields)
        stray = [said for name, said in error.fields.items() if not name.startswith(f"{lines.name}.")]
        return await _page(request, (about, lines), record, told, notices=stray, status=422, version=version)
    except ConflictError as error:
        now, present = await _present(request, about, lines)
        return await _page(
            request, (about, lines), now, merged(lines, rows, present), notices=[error.message], status=422
        )
    if about.visit.htmx:
        response = Response(status_code=204, headers={"HX-Redirect": about.url(record.id)})
    else:
        response = redirect(request, about.url(record.id))
    return say_on(request, response, say("Saved"))


def _of(request: Request) -> tuple[Subject, Lines]:
    about = subject(request)
    found = next((lines for lines in lines_of(about) if lines.name == request.path_params["field"]), None)
    if found is None:
        raise NotFoundError
    return about, found


async def _present(request: Request, about: Subject, lines: Lines) -> tuple[Record, Sequence[Record]]:
    async def work(records: Records) -> tuple[Record, Sequence[Record]]:
        record = await records.get(about.entity.name, request.path_params["id"])
        if "update" not in record.may:
            raise refusal(about.visit.tenant.published.access.rights(about.visit.actor), about.entity.name, "update")
        return record, (await records.lines(record))[lines.name]

    return await reading(about.visit, work)


async def _page(  # noqa: PLR0913 - what the page is made of
    request: Request,
    of: tuple[Subject, Lines],
    record: Record,
    rows: Sequence[Row],
    *,
    notices: Sequence[Message | Text] = (),
    status: int = 200,
    version: int | None = None,
) -> Response:
    about, lines = of

    async def work(records: Records) -> Editor:
        return await editor(lines, rows, records, (await records.lines(record))[lines.name])

    return await render(
        request,
        "record/lines.html",
        block="lines" if about.visit.htmx else None,
        status=status,
        headers={"HX-Retarget": f"#lines-{lines.name}", "HX-Reswap": "outerHTML"} if about.visit.htmx else None,
        about=about,
        record=record,
        version=version or record.version,
        notices=[about.reader.words(each) for each in notices],
        editor=await reading(about.visit, work),
    )


routes = [
    Route("/e/{entity}/{id}/lines/{field}", edit, methods=["GET"], name="lines"),
    Route("/e/{entity}/{id}/lines/{field}", save, methods=["POST"]),
]
