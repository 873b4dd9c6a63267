"""What a mail's link leads to, once, to choose a password: as a newcomer, or another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.entering import link_over
from admin.web import here, render
from models.errors import InvalidError, NotFoundError
from models.passwords import SHORTEST
from models.tenant import Tenant
from models.tx import Tx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PasswordLink(Generic[T]):
    """A page that links lead to; `find` and `accept` raise `NotFoundError` for one that is no longer good."""

    path: str
    template: str
    find: Callable[[Tx, str, datetime], Awaitable[T]]
    accept: Callable[[Tenant, str, str], Awaitable[T]]
    """Keeps the password and uses the link up; `InvalidError` leaves it as it is."""
    then: Callable[[Request, T, str], Awaitable[Response]]
    """Answers who has chosen a password."""
    invitation: bool = False

    @property
    def routes(self) -> list[BaseRoute]:
        """Return where the page is."""
        return [Route(self.path, self.shown, methods=["GET"]), Route(self.path, self.choose, methods=["POST"])]

    async def shown(self, request: Request) -> Response:
        """Ask for a password; looking at the page does not use the link up."""
        return await self._page(request)

    async def choose(self, request: Request) -> Response:
        """Keep the password."""
        visit, form = here(request), await request.form()
        given = form.get("password")
        password = given if isinstance(given, str) else ""
        try:
            found = await self.accept(visit.tenant, request.path_params["token"], password)
        except NotFoundError:
            return await link_over(request, invitation=self.invitation)
        except InvalidError as error:
            return await self._page(request, visit.words(error.fields["password"]))
        return await self.then(request, found, password)

    async def _page(self, request: Request, error: str = "") -> Response:
        visit, token = here(request), request.path_params["token"]
        now = visit.tenant.clock.now()
        try:
            found = await visit.tenant.store.read(lambda tx: self.find(tx, token, now))
        except NotFoundError:
            return await link_over(request, invitation=self.invitation)
        status = 422 if error else 200
        return await render(
            request, self.template, status=status, bare=True, found=found, error=error, shortest=SHORTEST
        )
