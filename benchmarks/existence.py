"""Whether time tells that a record or an account exists: medians for both (`python -m benchmarks.existence`).

The doors are those of the application itself, without a network between: what a socket adds falls on both alike, and
would only hide a difference. Both kinds take turns, each once a turn, so that what else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx
from starlette.applications import Starlette

from admin.settings import Settings
from benchmarks.world import NAME, World, furnish
from models.clock import SetClock, SystemClock
from models.stores import home_of
from server import compose

TIMES = 1000
WITHIN = 0.05
LEADS = 10_000
ABSENT = "01900000-0000-7000-8000-999999999999"
API = "api/v1/entities/lead"
DOORS: Mapping[str, tuple[str, str]] = {
    "a record (API)": ("GET", f"{API}/{{id}}"),
    "its steps (API)": ("GET", f"{API}/{{id}}/transitions"),
    "its history (API)": ("GET", f"{API}/{{id}}/history"),
    "a change (API)": ("PATCH", f"{API}/{{id}}"),
    "a removal (API)": ("DELETE", f"{API}/{{id}}"),
    "a step (API)": ("POST", f"{API}/{{id}}/transitions/recruiting/call"),
    "a note (API)": ("POST", f"{API}/{{id}}/notes"),
    "a record (page)": ("GET", "e/lead/{id}"),
    "its form (page)": ("GET", "e/lead/{id}/edit"),
    "its step (page)": ("GET", "e/lead/{id}/move/recruiting/call"),
}
STRANGERS: Mapping[str, tuple[str, int]] = {
    "a wrong password": ("sign-in", 422),
    "a new password is asked for": ("sign-in/forgotten", 200),
}
"""What somebody can ask about an e-mail who has not signed in, and what is answered."""
KNOWN, NOBODY = "lea0@exemple.fr", "nobody@exemple.fr"
PAUSE = timedelta(hours=2)
"""Between two turns of tries: then no limit counts those before."""
BODIES = {"PATCH": {"first_name": "x"}, "POST": {"text": "x"}}


async def foreign(app: Starlette, world: World) -> str:
    """Return a lead of somebody else's."""
    tenant = await app.state.networks.get(NAME)
    sql = 'SELECT "id" FROM "lead" WHERE "owner" <> ? ORDER BY "id" LIMIT 1'
    [(found,)] = await tenant.store.read(lambda tx: tx.rows(sql, [world.member]))
    return str(found)


async def timed(client: httpx.AsyncClient, method: str, path: str) -> float:
    """Return how many seconds an answer took; it is 404."""
    body = BODIES.get(method)
    begun = perf_counter()
    answer = await client.request(method, f"/n/{NAME}/{path}", json=body, headers={"if-match": "*"})
    took = perf_counter() - begun
    if answer.status_code not in {404, 422}:
        raise LookupError(f"{method} {path} answers {answer.status_code}")
    return took


async def measure(client: httpx.AsyncClient, method: str, path: str, record: str) -> tuple[float, float]:
    """Return the medians for the foreign record and for an absent one, in seconds."""
    took: dict[str, list[float]] = {record: [], ABSENT: []}
    for turn in range(TIMES + 20):
        for each in (record, ABSENT) if turn % 2 else (ABSENT, record):
            seconds = await timed(client, method, path.format(id=each))
            if turn >= 20:
                took[each].append(seconds)
    return median(took[record]), median(took[ABSENT])


async def tried(client: httpx.AsyncClient, path: str, email: str, answered: int) -> float:
    """Return how many seconds a try with an e-mail took."""
    form = {"email": email, "password": "a wrong one, and long"}
    begun = perf_counter()
    answer = await client.post(f"/n/{NAME}/{path}", data=form)
    took = perf_counter() - begun
    if answer.status_code != answered:
        raise LookupError(f"{path} answers {answer.status_code}")
    return took


async def strange(client: httpx.AsyncClient, clock: SetClock, path: str, answered: int) -> tuple[float, float]:
    """Return the medians for an e-mail that has an account and for one that has none, in seconds."""
    took: dict[str, list[float]] = {KNOWN: [], NOBODY: []}
    for turn in range(TIMES + 20):
        clock.forward(PAUSE)
        client.cookies = httpx.Cookies()
        page = (await client.get(f"/n/{NAME}/{path}")).text
        client.headers["x-csrf-token"] = page.partition('<meta name="csrf" content="')[2].partition('"')[0]
        for each in (KNOWN, NOBODY) if turn % 2 else (NOBODY, KNOWN):
            seconds = await tried(client, path, each, answered)
            if turn >= 20:
                took[each].append(seconds)
    return median(took[KNOWN]), median(took[NOBODY])


def row(name: str, there: float, nowhere: float) -> bool:
    """Print a line of the table; return whether time tells."""
    difference = there / nowhere - 1
    print(f"| {name} | {there * 1000:.3f} | {nowhere * 1000:.3f} | {difference:+.1%} |", flush=True)
    return abs(difference) > WITHIN


async def main() -> int:
    """Print a table, and return 1 where a median differs by more than `WITHIN`."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(Path(folder), secret="of the benchmarks")  # noqa: S106 - it opens nothing that stays
        world = await furnish(home_of(settings.homes, NAME), LEADS)
        clock = SetClock(SystemClock().now())
        app = compose(settings, clock=clock, works=False)
        wrong = 0
        print("| door | there, ms | absent, ms | difference |\n|---|---:|---:|---:|")
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
        ):
            record = await foreign(app, world)
            for name, (method, path) in DOORS.items():
                http.headers["authorization"] = f"Bearer {world.bearer}" if path.startswith("api") else ""
                http.cookies = httpx.Cookies({} if path.startswith("api") else {"maille": world.cookie})
                wrong += row(name, *await measure(http, method, path, record))
            http.headers["authorization"] = ""
            for name, (path, answered) in STRANGERS.items():
                wrong += row(name, *await strange(http, clock, path, answered))
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
