"""The sweep: each scene, with a death at each of its points, and what is there in the end against a life without."""

from __future__ import annotations

import random
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal

from models.clock import SetClock
from models.tenant import Tenant
from tests.homes import homes_of
from tests.prepared import prepare
from tests.workflows.kills.account import Account
from tests.workflows.kills.death import Death
from tests.workflows.kills.pack import files
from tests.workflows.kills.play import START, VAULT, Outside, Play
from tests.workflows.kills.scenes import SCENES, people
from workflows.mail_account import LINES

Way = Literal["before", "after", "twice"]
WAYS: tuple[Way, ...] = ("before", "after", "twice")
"""Each point three times: death before it, after it and before its answer, and after it with another one at a point
made up of the life that follows.
"""


@dataclass
class Swept:
    """What came of a scene: how many deaths there were, what they cost, and what was wrong."""

    scene: str
    points: int
    deaths: int = 0
    unknown: int = 0
    repeated: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """Where scenes are played: a database (None: files), a folder, and who is outside."""

    url: str | None
    folder: Path
    outside: Outside

    @asynccontextmanager
    async def play(self, name: str) -> AsyncIterator[Play]:
        """Return a scene as it begins, in a home of its own."""
        scene = SCENES[name]

        async def fill(tenant: Tenant) -> dict[str, str]:
            tenant.vault = VAULT
            known = await people(tenant)
            await scene.given(tenant, known)
            return known

        fill.__qualname__ = f"given.{name}"
        self.outside.forget()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            async with homes_of(Path(folder), self.url) as homes:
                pack = files(self.outside.calls.url)
                prepared = await prepare(homes("small"), "small", pack, SetClock(START), fill)
                yield Play(homes("small"), scene, self.outside, dict(prepared.made))

    async def alive(self, name: str) -> tuple[Account, list[str]]:
        """Play a scene without a death; return its account and its points."""
        death = Death()
        async with self.play(name) as play:
            assert await play.live(death)
            found = await play.account()
        assert not found.wrong, found.wrong
        return found, death.points

    async def dies(self, name: str, at: int, way: Way, whole: Account) -> tuple[Account | None, list[str]]:
        """Play a scene with a death; return its account and what is wrong, None when nobody died."""
        death = Death(at, "before" if way == "before" else "after")
        chance = random.Random(f"{name} {at}")  # noqa: S311 - it picks where one dies
        async with self.play(name) as play:
            if await play.live(death):
                return None, []
            if way == "twice":
                await play.live(Death(chance.randrange(30), "after"))
            found, wrong = await finish(play, whole)
        return found, [f"{name}, {way} point {at} ({death.points[at][:60]!r}): {each}" for each in wrong]


async def finish(play: Play, whole: Account) -> tuple[Account, list[str]]:
    """Let a scene in which somebody died come to its end; return its account, and what is not as without a death."""
    assert await play.live(Death())
    found = await play.account()
    wrong = found.against(whole)
    if found.unknown > play.course.deaths * LINES:
        wrong.append(f"{found.unknown} messages of unknown fate")
    return found, wrong


async def sweep(
    stage: Stage,
    name: str,
    points: Iterable[tuple[int, Way]] | None = None,
    *,
    ways: Sequence[Way] = WAYS,
    every: int = 1,
) -> Swept:
    """Play a scene once for each point and way; None: for all points (or each of so many), in these ways."""
    whole, all_points = await stage.alive(name)
    swept = Swept(name, len(all_points))
    for at, way in points if points is not None else product(range(0, len(all_points), every), ways):
        found, wrong = await stage.dies(name, at, way, whole)
        if found is not None:
            swept.deaths += 1 + (way == "twice")
            swept.unknown += found.unknown
            swept.repeated += found.repeated
            swept.wrong += wrong
    return swept
