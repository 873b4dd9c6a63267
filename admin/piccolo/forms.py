"""The back office's forms: take a member in, publish definitions, take the whole network home as a file."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from piccolo_admin.endpoints import FormConfig
from pydantic import BaseModel, Field, ValidationError, create_model
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from admin.formats import capital, locale_of
from admin.i18n import catalogue
from admin.piccolo.carrying import FormRefusedError, export, labelled, publish
from admin.visit import Visit, here
from definitions.spec.network import Network
from models import invitations
from models.errors import InvalidError, NotFoundError, RequestError
from models.message import Message, say
from workflows import membership

Answer = Response | str
Done = Callable[[Visit, Request, Mapping[str, Any]], Awaitable[Answer]]
Choices = Callable[[Network, str], Mapping[str, str]]
NAMED = ("email", "first_name", "last_name", "language")
"""What the form for members asks of the member's fields, as texts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a form. `shown` says how our script shows it: as a text, a choice, several ones, a text area, a file.

    `choices` returns what there is to choose from in a language, labels by value.
    """

    name: str
    label: Message
    type: type = str
    default: Any = ""
    shown: str = "text"
    choices: Choices | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its part of the address, what it is called, what it does, and what it asks."""

    slug: str
    title: Message
    about: Message
    asks: tuple[Asked, ...]
    done: Done


def _levels(network: Network, language: str) -> Mapping[str, str]:
    spoken = catalogue(language)
    found = [level for level in network.levels.values() if level.name != "public"]
    return {level.name: spoken.words(level.label, *network.languages) for level in found}


def _languages(network: Network, language: str) -> Mapping[str, str]:
    names = locale_of(language).languages
    return {code: capital(names.get(code, code)) for code in network.languages}


async def _invite(visit: Visit, request: Request, given: Mapping[str, Any]) -> Answer:
    """Take a member in as the command line does, with the visitor's rights, and show the link to choose a password."""
    values: dict[str, Any] = {name: text for name in NAMED if (text := given[name].strip())}
    if "email" not in values:
        raise InvalidError({"email": say("This is needed.")})
    values["levels"] = tuple(name.strip() for name in given["levels"].split(",") if name.strip())
    sponsor = given["sponsor"].strip() or None
    try:
        joined = await membership.join(visit.tenant, values, sponsor=sponsor, actor=visit.actor)
    except NotFoundError:
        said = say("No member has the e-mail address {email}.", email=sponsor)
        raise InvalidError({"sponsor": said}) from None
    link = f"{request.url.scheme}://{request.url.netloc}{visit.url('join', joined.token or '')}"
    said = say(
        "{email} is a member now. Send them this link, with which they choose a password; it is good once, for {count} "
        "days: {link}",
        email=values["email"],
        count=invitations.VALID.days,
        link=link,
    )
    return visit.words(said)


FORMS: tuple[Form, ...] = (
    Form(
        "invite",
        say("Invite a member"),
        say("The member is taken in at once and chooses a password with a link, which you are shown here."),
        (
            Asked("email", say("E-mail")),
            Asked("first_name", say("First name")),
            Asked("last_name", say("Last name")),
            Asked("levels", say("Levels"), shown="several", choices=_levels),
            Asked("sponsor", say("E-mail of the sponsor")),
            Asked("language", say("Language"), shown="choice", choices=_languages),
        ),
        _invite,
    ),
    Form(
        "publish",
        say("Publish definitions"),
        say(
            "Either a ZIP file with all the YAML files of the network, or one file to replace in the version that is "
            "published. What would lose data is refused unless you agree to it."
        ),
        (
            Asked("archive", say("ZIP file with all definitions"), shown="file"),
            Asked("file", say("Or the one file to replace, by its name")),
            Asked("text", say("The text of that file"), shown="area"),
            Asked("note", say("Note: what changes, and why")),
            Asked("allow_loss", say("Publish even if records or values are lost"), type=bool, default=False),
        ),
        publish,
    ),
    Form(
        "export",
        say("Export the network"),
        say("One ZIP file with the definitions, all records and the whole history. Keep it in a safe place."),
        (),
        export,
    ),
)


def configure(network: Network, language: str) -> list[FormConfig]:
    """Return the forms in a language, for piccolo-admin to show."""
    return [_config(form, network, language) for form in FORMS]


def _config(form: Form, network: Network, language: str) -> FormConfig:
    spoken = catalogue(language)
    fields: dict[str, Any] = {
        asked.name: (
            asked.type,
            Field(
                asked.default,
                title=spoken.words(asked.label),
                json_schema_extra={
                    "shown": asked.shown,
                    "choices": dict(asked.choices(network, language)) if asked.choices else {},
                },
            ),
        )
        for asked in form.asks
    }
    model: type[BaseModel] = create_model(form.slug, **fields)
    made = FormConfig(spoken.words(form.title), model, _unused, description=spoken.words(form.about))
    made.slug = form.slug
    return made


def _unused(_request: Request, _data: Any) -> None:
    """Stand where piccolo-admin wants a function; `submit` has the address before it."""


async def submit(models: Mapping[str, type[BaseModel]], request: Request) -> Response:
    """Do what a form asks; what is wrong comes back in the visitor's words (422)."""
    visit, slug = here(request), request.path_params["form_slug"]
    form = next((one for one in FORMS if one.slug == slug), None)
    if form is None:
        raise NotFoundError
    try:
        given = models[slug].model_validate(json.loads(await request.body()))
    except (ValidationError, ValueError):
        return _refused(visit.words(say("This form cannot be read; open it again.")))
    try:
        answer = await form.done(visit, request, given.model_dump())
    except FormRefusedError as error:
        return _refused(error.text)
    except InvalidError as error:
        return _refused("\n".join(_sentences(form, visit, error)))
    except RequestError as error:
        return _refused(visit.words(error.message))
    return JSONResponse({"custom_form_success": answer}) if isinstance(answer, str) else answer


def _refused(text: str) -> Response:
    return JSONResponse({"custom_form_error": text}, status_code=422)


def _sentences(form: Form, visit: Visit, error: InvalidError) -> list[str]:
    """Return what is wrong, a line a field, each under the label that it has on the form."""
    labels = {asked.name: visit.words(asked.label) for asked in form.asks}
    fields = visit.network.entities["member"].fields
    for name, defined in fields.items():
        labels.setdefault(name, visit.words(defined.label))
    return [
        labelled(visit, labels[name], visit.words(text)) if name in labels else visit.words(text)
        for name, text in error.fields.items()
    ]


def submitting(configs: list[FormConfig]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a form that is sent."""
    return partial(submit, {one.slug: one.pydantic_model for one in configs})
