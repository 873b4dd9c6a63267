"""The ASGI application: settings, networks with their workers, and all routes put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware

from admin import logs
from admin.control.door import ControlDoor
from admin.cookies import HostCookies
from admin.door import Door
from admin.faults import HANDLERS
from admin.headers import SecurityHeaders
from admin.hosts import KnownHosts
from admin.networks import Networks
from admin.operations.daily import backing_up
from admin.operations.drain import STATE, Drain
from admin.operations.figures import Figures
from admin.operations.probes import Probes
from admin.operations.tally import Tally
from admin.operations.watch import Watched, counting
from admin.refusals import Refusals
from admin.routes import routes
from admin.settings import Settings, from_environment
from models import rehearsal
from models.clock import Clock, SystemClock
from models.hours import Hours, hours_of
from models.limits import Limiter, rates_of
from models.tenant import uuid7
from workflows.mail import Transport
from workflows.relying import Relying


def compose(  # noqa: PLR0913 - what tests decide, by name
    settings: Settings,
    *,
    clock: Clock | None = None,
    new_id: Callable[[], str] = uuid7,
    transport: Transport | None = None,
    works: bool | None = None,
    limiter: Limiter | None = None,
    hours: Hours | None = None,
) -> Starlette:
    """Return the application over the networks of `settings.homes`. `works` False: it does not do the outbox.

    `limiter` counts requests; without one nothing is limited. `hours` is where it is written down how well requests are
    answered; without it, it is not.
    """
    does = settings.works if works is None else works
    counted = limiter or Limiter({})
    time = clock or SystemClock()
    networks = Networks(settings, clock=time, new_id=new_id, transport=transport, works=does)
    drain, figures = Drain(), Figures()
    drain.then(networks.rest)
    tally = None if hours is None else Tally(hours, time)

    made = Watched(
        figures,
        drain,
        tally,
        routes=routes(networks, Probes(networks, figures, drain)),
        middleware=_middleware(networks, settings, counted),
        exception_handlers=HANDLERS,
        lifespan=lambda _: _running(networks, tally, figures, drain),
    )
    made.state.networks = networks
    made.state.limiter = counted
    made.state.hours = hours
    made.state.drain = drain
    made.state.figures = figures
    made.state.relying = Relying(inside=settings.inside)
    return made


def _middleware(networks: Networks, settings: Settings, limiter: Limiter) -> list[Middleware]:
    """Return what every request goes through, the outermost first."""
    return [
        Middleware(Refusals),
        Middleware(SecurityHeaders),
        Middleware(KnownHosts, hosts=settings.known_hosts),
        Middleware(HostCookies),
        Middleware(Door, networks=networks, settings=settings, limiter=limiter),
    ]


@asynccontextmanager
async def _running(
    networks: Networks, tally: Tally | None, figures: Figures, drain: Drain
) -> AsyncIterator[dict[str, Drain]]:
    """Have the networks and all that goes on beside requests, between the first request and the last."""
    await asyncio.to_thread(rehearsal.sweep)
    await networks.start()
    control = ControlDoor(networks)
    await control.open()
    try:
        async with counting(tally, figures, networks), backing_up(networks):
            yield {STATE: drain}
    finally:
        await control.close()
        await networks.close()


def served(settings: Settings) -> Starlette:
    """Return the application as an installation runs it, with its limits."""
    limiter = Limiter(rates_of(settings.rates, settings.processes))
    return compose(settings, limiter=limiter, hours=hours_of(settings.homes))


_settings = from_environment()
logs.configure(_settings.log, _settings.log_level)
app = served(_settings)
