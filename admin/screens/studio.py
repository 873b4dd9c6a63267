"""The studio: the definitions in the browser, checked while one types, planned, tried out and published."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin import under_way
from admin.asked import text
from admin.csrf import MOST_FIELDS
from admin.parts import plans
from admin.under_way import Told
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from definitions.pack import load
from definitions.problems import DefinitionError, Problem
from models.archive import Progress, silent
from models.errors import InvalidError, NotFoundError, PublishedMeanwhileError, RequestError
from models.message import Message, say
from workflows import publishing
from workflows.proposal import Proposal, propose
from workflows.simulation import Simulation, Subject, simulate

FILE = "file:"
"""What stands before the path of a file in the form."""
LIBRARY = "@"
"""What the paths of files begin with that came with a pack which this one extends: they are not changed here."""
PATH = re.compile(r"[\w-]+(?:/[\w-]+)*\.ya?ml")
DAYS = 30


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to publish: the files, for version `base`, and how."""

    base: int
    files: Mapping[str, str]
    library: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    allow_loss: bool = False
    subject: str = ""
    days: int = DAYS
    changed: frozenset[str] = frozenset()
    """The files that are not as in the current version."""
    refusal: Message | None = None
    """What is wrong with the form itself."""

    @property
    def whole(self) -> dict[str, str]:
        """The files with those of the packs that they extend."""
        return {**self.library, **self.files}


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking at a draft: problems by file, and the plan or the simulation that was asked for."""

    problems: tuple[Problem, ...] = ()
    proposal: Proposal | None = None
    simulation: Simulation | None = None
    refusal: Message | str | None = None
    status: int = 200

    def of(self, path: str) -> list[Problem]:
        """Return the problems of a file."""
        return [problem for problem in self.problems if problem.place.file == path]

    def elsewhere(self, paths: Iterable[str]) -> list[Problem]:
        """Return the problems that are in none of these files."""
        known = set(paths)
        return [problem for problem in self.problems if problem.place.file not in known]


def _leader(request: Request) -> Visit:
    """Return the visit of somebody who runs the network; for everyone else there is no such page."""
    visit = here(request)
    if not visit.leads:
        raise NotFoundError
    return visit


async def edit(request: Request) -> Response:
    """Show the files of the current version, or of an earlier one (`from`), to be changed."""
    visit = _leader(request)
    current = visit.tenant.published.version
    asked = request.query_params.get("from", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else current
    files = await publishing.files_of(visit.tenant, number)
    draft = _draft(current, files)
    return await _page(request, draft, await _check(draft))


def _draft(base: int, files: Mapping[str, str]) -> Draft:
    own = {path: text for path, text in sorted(files.items()) if not path.startswith(LIBRARY)}
    return Draft(base, own, {path: text for path, text in files.items() if path not in own})


async def act(request: Request) -> Response:
    """Do with the draft what its button says; the page comes back with what was typed and what was found."""
    visit, form = _leader(request), await request.form(max_fields=MOST_FIELDS)
    draft = await _sent(visit, form)
    action = text(form, "do")
    if draft.refusal is not None:
        return await _page(request, draft, Found(refusal=draft.refusal, status=422))
    if action == "publish":
        return await _publish(request, visit, draft)
    if action == "simulate" and under_way.wanted(request):
        return under_way.streamed(lambda progress: _tried(request, visit, draft, progress))
    found = await _look(visit, draft, action)
    if visit.htmx:
        return await render(request, "definitions/found.html", bare=True, draft=draft, found=found)
    return await _page(request, draft, found)


async def _tried(request: Request, visit: Visit, draft: Draft, progress: Progress) -> Told:
    """Try a draft out, telling how far it is; return the part of the page that says what would have happened."""
    found = await _look(visit, draft, "simulate", progress)
    part = await render(
        request,
        "definitions/tried.html",
        bare=True,
        found=found,
        heads=plans.heads(visit),
        results=plans.results(visit),
    )
    return {"html": bytes(part.body).decode()}


async def _sent(visit: Visit, form: FormData) -> Draft:
    """Return the draft that a form carries."""
    gone = {path for path in form.getlist("gone") if isinstance(path, str)}
    files = {
        name.removeprefix(FILE): _lines(value)
        for name, value in form.multi_items()
        if name.startswith(FILE) and isinstance(value, str) and name.removeprefix(FILE) not in gone
    }
    new, base, days = text(form, "new_name"), text(form, "base"), text(form, "days")
    refusal = None
    if new and (not PATH.fullmatch(new) or new in files):
        refusal = say("'{name}' is no name for a new file: letters, digits, '-', '_', '/', ending in .yaml.", name=new)
    elif new:
        files[new] = _lines(str(form.get("new_text") or ""))
    known = await publishing.files_of(visit.tenant, visit.tenant.published.version)
    return replace(
        _draft(_number(base, 0), known),
        files=dict(sorted((path, value) for path, value in files.items() if not path.startswith(LIBRARY))),
        note=text(form, "note")[:500],
        allow_loss=bool(text(form, "allow_loss")),
        subject=text(form, "subject"),
        days=_number(days, DAYS),
        changed=frozenset(path for path, value in files.items() if known.get(path) != value),
        refusal=refusal,
    )


def _number(said: str, otherwise: int) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else otherwise


def _lines(value: str) -> str:
    """Return a text as files have it: browsers send other ends of lines."""
    return value.replace("\r\n", "\n").replace("\r", "\n")


async def _check(draft: Draft) -> Found:
    loaded = await asyncio.to_thread(load, draft.whole)
    return Found(problems=loaded.problems)


async def _look(visit: Visit, draft: Draft, action: str, progress: Progress = silent) -> Found:
    try:
        if action == "plan":
            found = await propose(visit.tenant, draft.whole, allow_loss=draft.allow_loss)
            return Found((*found.refused, *found.warnings), found)
        if action == "simulate":
            return replace(await _check(draft), simulation=await _simulate(visit, draft, progress))
    except DefinitionError as error:
        return Found(error.problems, refusal=say("These definitions have errors."))
    except InvalidError as error:
        return replace(await _check(draft), refusal=visit.words(next(iter(error.fields.values()))), status=422)
    except RequestError as error:
        return replace(await _check(draft), refusal=visit.words(error.message), status=422)
    return await _check(draft)


async def _simulate(visit: Visit, draft: Draft, progress: Progress) -> Simulation:
    kind, _, name = draft.subject.partition(":")
    automation = name if kind == "automation" else None
    process = name if kind == "process" else None
    subject = Subject(automation, process, draft.days)
    return await simulate(visit.tenant, draft.whole, subject, actor=visit.actor, progress=progress)


async def _publish(request: Request, visit: Visit, draft: Draft) -> Response:
    try:
        published = await publishing.publish(
            visit.tenant,
            draft.whole,
            visit.actor.id,
            note=draft.note,
            allow_loss=draft.allow_loss,
            base=draft.base,
        )
    except DefinitionError as error:
        refusal = say("This version cannot be published as it is.")
        return await _page(request, draft, Found(error.problems, refusal=refusal, status=422))
    except PublishedMeanwhileError as error:
        found = await _look(visit, draft, "plan")
        said = visit.words(error.message)
        late = replace(draft, base=visit.tenant.published.version)
        return await _page(request, late, replace(found, refusal=said, status=409))
    said = say("Version {version} is published.", version=published.version)
    return say_on(request, redirect(request, visit.url("definitions")), said)


async def _page(request: Request, draft: Draft, found: Found) -> Response:
    visit = here(request)
    network = visit.tenant.published.network
    return await render(
        request,
        "definitions/edit.html",
        status=found.status,
        draft=draft,
        found=found,
        changes=plans.changes(visit),
        heads=plans.heads(visit),
        results=plans.results(visit),
        out_of_band=False,
        subjects=[
            *((f"automation:{name}", f"automation: {name}") for name in network.automations),
            *((f"process:{name}", f"process: {name}") for name in network.processes),
        ],
    )


routes: list[BaseRoute] = [
    Route("/definitions/edit", edit, methods=["GET"]),
    Route("/definitions/edit", act, methods=["POST"]),
]
