"""The way around a network: made from its screens and from what the visitor may read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from admin import unread
from admin.formats import MOST
from admin.visit import Visit
from definitions.problems import NOWHERE
from definitions.spec.screen import Home, Screen, Tile
from workflows import notices, overseeing
from workflows.unit import Unit, read


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go; `count` is how much waits there, `new` where one is created (`one` of these).

    `live` is the address that tells how much waits now.
    """

    label: str
    icon: str
    address: str
    count: int | None = None
    one: str = ""
    new: str | None = None
    current: bool = False
    live: str | None = None


@dataclass(frozen=True, slots=True)
class Navigation:
    """The menu: the day's pages and the screens (`main`), then what is for leaders (`more`)."""

    main: tuple[Link, ...]
    more: tuple[Link, ...]
    member: str

    @property
    def adds(self) -> Link | None:
        """The first screen in which the visitor may create something: where the "+" leads."""
        return next((link for link in self.main if link.new), None)


def screens(visit: Visit) -> Iterator[Screen]:
    """Yield the screens that the visitor may open, those of the pack first."""
    access = visit.tenant.published.access
    found = visit.network.screens.values()
    for screen in sorted(found, key=lambda screen: screen.generated):
        if screen.generated and visit.network.entities[screen.entity].parent is not None:
            continue  # lines are reached through what they are lines of, unless the pack gives them a screen
        for_visitor = not screen.levels or visit.leads or set(screen.levels) & set(visit.actor.levels)
        if for_visitor and access.may(visit.actor, "read", screen.entity):
            yield screen


def home_of(visit: Visit) -> Home:
    """Return the home of the visitor's levels: the first that names one, else the first for all, else one made up."""
    homes = list(visit.network.homes.values())
    mine = next((home for home in homes if set(home.levels) & set(visit.actor.levels)), None)
    anyone = next((home for home in homes if not home.levels), None)
    led = homes[0] if homes and visit.leads else None
    if found := mine or anyone or led:
        return found
    first = next(screens(visit), None)
    lists = () if first is None else (Tile(NOWHERE, screen=first.name),)
    return Home("today", (Tile(NOWHERE, tasks="mine"), *lists), NOWHERE)


def entities(visit: Visit) -> list[str]:
    """Return the entities of the menu: first those that the home shows records of, then those it counts."""
    tiles = home_of(visit).tiles
    network = visit.network
    shown = [network.screens[tile.screen].entity for tile in tiles if tile.screen]
    counted = [network.statistics[tile.statistic].entity for tile in tiles if tile.statistic]
    readable = [screen.entity for screen in screens(visit)]
    return [name for name in dict.fromkeys((*shown, *counted, *readable)) if name in readable]


async def load(visit: Visit) -> Navigation:
    """Return the menu with its counts."""
    gettext = visit.catalogue.gettext
    shown = {screen.entity: screen for screen in reversed(list(screens(visit)))}
    order = entities(visit)

    async def counts(unit: Unit) -> tuple[dict[str, int], int, int, int]:
        by_entity = {name: await unit.records.count(name, most=MOST) for name in order}
        failed = await overseeing.failed(unit) if visit.leads else 0
        return by_entity, await unread.to_do(unit), await notices.unread(unit.tx, str(unit.actor.id)), failed

    by_entity, open_tasks, news, failed = await read(visit.tenant, visit.actor, counts)
    main = [_link(visit, gettext("Today"), "sun", "")]
    main += [_screen_link(visit, shown[name], by_entity[name]) for name in order]
    todo = _link(visit, gettext("Tasks"), "list-checks", "tasks", open_tasks)
    live = unread.address_of(visit, "tasks") if visit.office is None else None
    main.insert(min(len(main), 3), replace(todo, live=live))
    if visit.office is None:
        bell = _link(visit, gettext("Notifications"), "bell", "notices", news)
        main.append(replace(bell, live=unread.address_of(visit)))
    main.append(_link(visit, gettext("E-mails"), "mail", "outbox"))
    more: list[Link] = []
    if visit.tenant.published.access.may(visit.actor, "read", "member"):
        more.append(_link(visit, gettext("Sponsor tree"), "network", "tree"))
    if visit.leads:
        more.append(_link(visit, gettext("Members"), "users", "members"))
        more.append(_link(visit, gettext("Settings"), "settings-2", "settings"))
        more.append(_link(visit, gettext("Automations"), "workflow", "runs", failed))
        more.append(_link(visit, gettext("Definitions"), "file-code", "definitions"))
        more.append(_link(visit, gettext("Who may what"), "circle-help", "reasons"))
        more.append(_link(visit, gettext("Audit"), "shield-check", "audit"))
        more.append(_link(visit, gettext("Back office"), "database", "back-office", ""))
    member = visit.actor.member or {}
    return Navigation(tuple(main), tuple(more), str(member.get("name") or ""))


def _screen_link(visit: Visit, screen: Screen, count: int) -> Link:
    entity = visit.network.entities[screen.entity]
    base = visit.url("e", entity.name, "")
    creates = visit.tenant.published.access.may(visit.actor, "create", entity.name)
    return Link(
        label=visit.words(entity.many),
        one=visit.words(entity.label),
        icon=entity.icon,
        address=base,
        count=count,
        new=visit.url("e", entity.name, "new") if creates else None,
        current=visit.path.startswith(base),
    )


def _link(visit: Visit, label: str, icon: str, *parts: str | int) -> Link:
    count = next((part for part in parts if isinstance(part, int)), None)
    target = visit.url(*(part for part in parts if isinstance(part, str)))
    within = bool(parts[0]) and visit.path.startswith(f"{target}/")
    return Link(label, icon, target, count, current=visit.path == target or within)
