"""What handlers answer with: pages and parts of pages, redirects, and the note that appears on the next page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from admin import assets, icons, marks, navigation
from admin.formats import capital, own_name, within
from admin.signing import seal, unseal
from admin.visit import Visit, here
from definitions.text import Text
from models.message import Message

__all__ = ["Toast", "environment", "here", "redirect", "render", "say_on", "toast_header"]

TOAST_COOKIE = "maille_toast"
PLAIN = ":/%#?=@[]!$&'()*+,;"
"""What stays as it is in an address that goes into a header."""
UI = "macros/ui.html"
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(icon=icons.icon, static=assets.static, own_name=own_name, marks=marks)
    made.filters.update(capital=capital, within=within, initials=initials, device=device, own_pair=own_pair)
    return made


def initials(name: str) -> str:
    """Return one or two letters for a name: `ÉM` for Élodie Marchand."""
    words = [word for word in name.split() if word[:1].isalpha()]
    picked = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in picked).upper() or "·"


def own_pair(language: str) -> tuple[str, str]:
    """Return a language and what it calls itself, for a list to choose from."""
    return language, own_name(language)


def device(agent: str) -> str:
    """Return which browser on which system a `User-Agent` names, as far as that can be told."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part) or agent[:40] or "–"


environment = _environment()


@dataclass(frozen=True, slots=True)
class Toast:
    """A short note at the page's edge; `undo` is an address of this network to post to, `kind` `done` or `refused`."""

    text: str
    undo: str | None = None
    kind: str = "done"


def context(request: Request, **values: Any) -> dict[str, Any]:
    """Return what every template of a network can use."""
    visit = here(request)
    spoken = visit.catalogue
    return {
        "request": request,
        "visit": visit,
        "network": visit.network,
        "actor": visit.actor,
        "language": visit.language,
        "theme": visit.theme,
        "csrf": visit.csrf,
        "fmt": visit.formats,
        "url": visit.url,
        "words": visit.words,
        "_": spoken.gettext,
        "_n": spoken.ngettext,
        "keep": _keeper(visit),
        "toasts": (),
        "nav": None,
        **values,
    }


def _keeper(visit: Visit) -> Callable[..., Markup]:
    """Return what templates `{% call keep(…) %}`: the block is rendered once for all visitors of the same kind.

    The arguments name the block; with `when=false` it is rendered anew. See `admin.kept` for what it must not show.
    """

    def keep(*name: str, caller: Callable[[], Markup], when: bool = True) -> Markup:
        return visit.kept.once((keep.__qualname__, *name), caller) if when else caller()

    return keep


async def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    block: str | None = None,
    bare: bool = False,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """Return a page (`bare`: without the menu); with `block` only that block of its template, for htmx.

    Templates find the macros of `macros/ui.html` as `ui`, also in a block.
    """
    visit = here(request)
    found = environment.get_template(template)
    names = context(request, **values)
    kept = None
    if block is None:
        names["nav"] = None if bare or visit.session is None else await navigation.load(visit)
        kept = _kept_toast(request, visit)
        names["toasts"] = () if kept is None else (kept,)
    response = HTMLResponse(_text(found, names, block), status_code=status, headers=headers)
    response.headers["Vary"] = "HX-Request, Cookie"
    if kept is not None:
        response.delete_cookie(TOAST_COOKIE, path=visit.url())
    return response


def _text(template: Template, names: dict[str, Any], block: str | None) -> str:
    names["ui"] = environment.get_template(UI).make_module(names)
    if block is None:
        return template.render(names)
    return "".join(template.blocks[block](template.new_context(names)))


def redirect(request: Request, target: str) -> Response:
    """Send the browser to another page (after a post too); an htmx request leaves its page as a whole."""
    if here(request).htmx:
        return Response(status_code=204, headers={"HX-Redirect": quote(target, safe=PLAIN)})
    return RedirectResponse(target, status_code=303)


def say_on(request: Request, response: Response, text: Message | Text | str, *, undo: str | None = None) -> Response:
    """Show a note: at once when htmx asked for the response, else on the next page."""
    toast = Toast(here(request).words(text), undo)
    if here(request).htmx and "HX-Redirect" not in response.headers:
        response.headers["HX-Trigger"] = toast_header(toast)
    else:
        _keep(request, response, toast)
    return response


def toast_header(toast: Toast) -> str:
    """Return the `HX-Trigger` header that shows a note now."""
    return json.dumps({"maille:toast": asdict(toast)})


def _keep(request: Request, response: Response, toast: Toast) -> None:
    visit = here(request)
    sealed = seal(visit.key, "toast", json.dumps(asdict(toast)))
    secure = request.url.scheme == "https"
    response.set_cookie(
        TOAST_COOKIE, sealed, max_age=60, path=visit.url(), httponly=True, samesite="lax", secure=secure
    )


def _kept_toast(request: Request, visit: Visit) -> Toast | None:
    sealed = request.cookies.get(TOAST_COOKIE)
    text = None if sealed is None else unseal(visit.key, "toast", sealed)
    return None if text is None else Toast(**json.loads(text))
