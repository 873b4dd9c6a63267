"""What the API tells beside the reference: lists, orders, filters, searches, records, figures, descriptions."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import httpx

from admin.api.values import dump
from models.connections import stored_datetime
from models.records import Records
from models.system import APPROVAL, NOTICE
from models.tx import Tx
from models.validation import all_fields
from tests.access.reference import Row
from tests.access.values import marks_of
from tests.access.world import World
from tests.answers import headers_of
from workflows.chart import leaving

Check = Callable[[World], Awaitable[None]]
Holds = Callable[[Row], bool]
MOST = 200
SAID = frozenset({"text", "long_text", "email", "phone", "url", "choice", "country", "language"})
"""Types of fields whose values a filter writes as a text."""
OURS = frozenset({"id", "version", "_title", "_may", "_hidden", "created_at", "updated_at", "created_by"})
ABSENT = "00000000-0000-7000-8000-999999999999"


async def caller(world: World) -> None:
    """Who calls: levels, functions, administration."""
    told = (await world.api("GET", "/me")).json()
    expected = (sorted(world.reference.functions(world.person)), world.reference.administers(world.person))
    world.same((told["functions"], told["administers"]), expected, "me")
    world.same(sorted(told["levels"]), sorted(world.person.levels), "me")


async def lists(world: World) -> None:
    """Every list and its count, record by record and field by field."""
    for entity in world.network.entities:
        answer = await world.api("GET", f"/entities/{entity}?limit={MOST}&count=true")
        shown = world.shown(entity)
        if not world.reference.ever(world.person, entity, "read"):
            creates = world.reference.ever(world.person, entity, "create")
            world.same(answer.status_code, 405 if creates else 404, "list", entity)
            continue
        told = answer.json()
        found = {item["id"]: item for item in told["items"]}
        world.same(set(found), {row["id"] for row in shown}, "list", entity)
        world.same(told["count"], len(shown), "count", entity)
        for row in shown:
            if row["id"] in found:
                compare(world, entity, row, found[row["id"]])


def compare(world: World, entity: str, row: Row, item: Mapping[str, Any]) -> None:
    """Compare a record as the API tells it with what the person sees of it."""
    asked, me = world.reference, world.person
    for name in world.fields(entity):
        where = ("record", entity, row["id"], name)
        visible = asked.visible(me, entity, row, name)
        told = item.get(name)
        if isinstance(told, Mapping) and "title" in told:
            _label(world, entity, name, row, told)
            told = {"id": told["id"]}
        expected = json.loads(dump({"v": row.get(name)}))["v"] if visible else None
        expected = {"id": expected["id"]} if isinstance(expected, dict) and "id" in expected else expected
        world.same(told, expected, *where)
        if name in item:
            world.same(name in item["_hidden"], not visible, *where, "hidden")
    rights = [each for each in ("delete", "read", "update") if each == "read" or asked.may(me, entity, row, each)]
    world.same(item["_may"], rights, "may", entity, row["id"])
    for field in set(item) - OURS - set(world.fields(entity)) - {"last_activity_at"}:
        world.differ("record", entity, "has", field)


def _label(world: World, entity: str, name: str, row: Row, told: Mapping[str, Any]) -> None:
    """Compare the title of what is referred to: there is none of what may not be read."""
    to = world.reference.target(entity, name)
    target = world.reference.rows[to or ""].get(told["id"]) if to else None
    readable = target is not None and world.reference.readable(world.person, str(to), target)
    world.same(told["title"] is not None, readable, "label", entity, row["id"], name)


async def orders(world: World) -> None:
    """Every order: what is hidden stands last, by nothing but its id, and what is seen comes before."""
    asked, me = world.reference, world.person
    for entity in world.network.entities:
        shown = world.shown(entity)
        for name in world.fields(entity) if len(shown) > 1 else ():
            for sign in ("", "-"):
                answer = await world.api("GET", f"/entities/{entity}?limit={MOST}&sort={sign}{name}&fields=id")
                seen = [row for row in shown if asked.value(me, entity, row, name) is not None]
                if answer.status_code == 422:
                    world.same(bool(seen), False, "sort", entity, name)
                    continue
                blank = sorted((r["id"] for r in shown if r not in seen), reverse=bool(sign))
                found = [item["id"] for item in answer.json()["items"]]
                world.same(found[len(seen) :], blank, "sort", entity, sign + name)
                world.same(set(found[: len(seen)]), {row["id"] for row in seen}, "sort", entity, sign + name)


async def filters(world: World) -> None:
    """Filters by every field, and through every reference: they find what is seen, not what there is."""
    for entity in world.network.entities:
        for name in world.fields(entity) if world.shown(entity) else ():
            await _filter(world, entity, f"has(record.{name})", partial(_seen, world, entity, name))
            for row in {_seen(world, entity, name, row): row for row in world.sorts(entity)}.values():
                literal = _literal(world, entity, name, row)
                if literal is not None:
                    is_value = partial(_is, world, entity, name, row[name])
                    await _filter(world, entity, f"record.{name} == {literal}", is_value)
            to = world.reference.target(entity, name)
            for far in world.fields(to) if to else ():
                await _filter(world, entity, f"has(record.{name}.{far})", partial(_through, world, entity, name, far))


def _seen(world: World, entity: str, name: str, row: Row) -> bool:
    return world.reference.value(world.person, entity, row, name) is not None


def _is(world: World, entity: str, name: str, value: Any, row: Row) -> bool:
    return _seen(world, entity, name, row) and bool(row[name] == value)


def _through(world: World, entity: str, name: str, far: str, row: Row) -> bool:
    to = world.reference.target(entity, name)
    if to is None or not _seen(world, entity, name, row):
        return False
    target = world.reference.rows[to].get(row[name]["id"])
    return target is not None and _seen(world, to, far, target)


def _literal(world: World, entity: str, name: str, row: Row) -> str | None:
    declared, value = all_fields(world.network.entities[entity]).get(name), row.get(name)
    if value is None:
        return None
    if declared is None or declared.type in SAID:
        return json.dumps(value)
    if declared.type == "boolean":
        return "true" if value else "false"
    return str(value) if declared.type in {"integer", "decimal", "money"} else None


async def _filter(world: World, entity: str, text: str, holds: Holds) -> None:
    params = f"limit={MOST}&count=true&fields=id&filter={_quoted(text)}"
    answer = await world.api("GET", f"/entities/{entity}?{params}")
    expected = {row["id"] for row in world.shown(entity) if holds(row)}
    if answer.status_code != 200:
        world.same(answer.status_code if not expected else "refused", 422, "filter", entity, text)
        return
    told = answer.json()
    world.same({item["id"] for item in told["items"]}, expected, "filter", entity, text)
    world.same(told["count"], len(expected), "filter", entity, text)


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("+", "%2B").replace("&", "%26").replace("#", "%23")


async def searches(world: World) -> None:
    """A search for what stands in a record finds it where the person sees that it stands there."""
    for entity, definition in world.network.entities.items():
        for name in definition.search if world.shown(entity) else ():
            for row in {_seen(world, entity, name, row): row for row in world.sorts(entity)}.values():
                for word in sorted(set(marks_of(row.get(name))))[:1]:
                    answer = await world.api("GET", f"/entities/{entity}?count=true&fields=id&q={word}")
                    world.same(_ids(answer.json()["items"]), _finds(world, entity, word), "search", entity, name, word)


def _ids(items: list[Mapping[str, Any]]) -> set[str]:
    return {item["id"] for item in items}


def _finds(world: World, entity: str, word: str) -> set[str]:
    names = world.network.entities[entity].search
    return {
        row["id"]
        for row in world.shown(entity)
        if any(word in str(world.reference.value(world.person, entity, row, name)).lower() for name in names)
    }


async def single(world: World) -> None:
    """Records one by one, with all that is read below them."""
    for entity in world.network.entities:
        for row in world.sorts(entity):
            readable = world.reference.readable(world.person, entity, row)
            for below in ("", "/transitions", "/history", "/tasks"):
                answer = await world.api("GET", f"/entities/{entity}/{row['id']}{below}")
                world.same(answer.status_code in {200}, readable, "GET", entity, row["id"], below)
                if not readable:
                    await absent(world, answer, row)
                elif answer.status_code == 200 and below == "":
                    compare(world, entity, row, answer.json())
                elif answer.status_code == 200 and below == "/transitions":
                    _offered(world, entity, row, answer.json()["items"])


async def absent(world: World, answer: httpx.Response, row: Row, body: Any = None, **headers: str) -> None:
    """Compare the answer about a foreign record with that about one which does not exist."""
    request = answer.request
    path = request.url.raw_path.decode().partition("/api/v1")[2]
    other = await world.api(request.method, path.replace(row["id"], ABSENT), _with(body, row), **headers)
    world.same(_outside(answer, row["id"]), _outside(other, ABSENT), "foreign or absent", request.method, path)
    world.same(200 <= answer.status_code < 300, False, "foreign", request.method, path)


def _with(body: Any, row: Row) -> Any:
    return body if body is None else json.loads(json.dumps(body).replace(row["id"], ABSENT))


def _outside(answer: httpx.Response, identity: str) -> tuple[int, str, list[tuple[str, str]]]:
    return answer.status_code, answer.text.replace(identity, ""), headers_of(answer)


def _offered(world: World, entity: str, row: Row, items: list[Mapping[str, Any]]) -> None:
    found = {(item["process"], item["transition"]): item["allowed"] for item in items}
    for name in world.network.entities[entity].processes:
        process = world.network.processes[name]
        for move in leaving(process, row[name]):
            asked, me = world.reference, world.person
            granted = asked.visible(me, entity, row, name) and asked.granted(me, process, move, row)
            allowed = granted and (move.guard_uses_form or asked.guarded(me, entity, row, move, {}))
            world.same(found.get((name, move.name), False), allowed, "offer", entity, row["id"], move.name)


def in_json(value: Any) -> Any:
    """Return a value of memory as JSON has it."""
    return json.loads(dump({"v": value}))["v"]


async def own_tasks(world: World) -> None:
    """The caller's own tasks: those about a record out of sight are not there, and cannot be marked."""
    asked, me = world.reference, world.person
    rows = await world.tenant.store.read(lambda tx: tx.rows('SELECT "id", "entity", "record", "member" FROM "_task"'))
    expected = {
        task
        for task, entity, record, member in rows
        if member == me.id and record in asked.rows[entity] and asked.readable(me, entity, asked.rows[entity][record])
    }
    told = (await world.api("GET", "/tasks")).json()["items"]
    world.same({item["id"] for item in told}, expected, "tasks")
    for task, *_ in rows[:3]:
        for end in ("done", "reopen"):
            await world.api("POST", f"/tasks/{task}/{end}")


async def own_notices(world: World) -> None:
    """The caller's own notifications: of a record out of sight they tell nothing, and nobody marks another's."""
    asked, me = world.reference, world.person
    seen = {
        row["id"]: asked.readable(me, entity, row) for entity in world.network.entities for row in world.rows(entity)
    }
    told = [
        (f"{me.id}:{row['id']}", me.id, entity, row["id"])
        for entity in world.network.entities
        for row in world.rows(entity)
    ]
    at = stored_datetime(world.clock.now())

    async def work(tx: Tx) -> None:
        await tx.run('DELETE FROM "_notice"')
        for notice, member, entity, record in (*told, (f"other:{me.id}", "nobody", "member", me.id)):
            row = [notice, at, entity, record, "run", "none", "fr", member, "x", "x", None]
            await tx.run(NOTICE.insert(), row)

    await type(world.tenant.store).write(world.tenant.store, work)
    found = (await world.api("GET", "/notices?limit=500")).json()["items"]
    shown = {item["id"]: item["about"] is not None for item in found}
    world.same(shown, {notice: seen[record] for notice, _, _, record in told}, "notices")
    answer = await world.api("POST", f"/notices/other:{me.id}/read")
    world.same(answer.status_code, 404, "another's notice")


async def requested(world: World) -> None:
    """Steps that somebody asked for: what is out of sight is not there, whatever is decided about it."""
    at = stored_datetime(world.clock.now())
    asked = {row["id"]: (entity, row) for entity in world.network.entities for row in world.rows(entity)}

    async def work(tx: Tx) -> None:
        await tx.run('DELETE FROM "_approval"')
        for id, (entity, _) in asked.items():
            given = {"id": id, "at": at, "entity": entity, "record": id, "process": "none", "transition": "none"}
            given |= {"actor_kind": "member", "form": "{}", "history": "none", "state": "open"}
            await tx.run(APPROVAL.insert(), [given.get(name) for name in APPROVAL.columns])

    await type(world.tenant.store).write(world.tenant.store, work)
    world.same((await world.api("GET", "/approvals")).json()["items"], [], "nothing of this needs anybody")
    for id, (entity, row) in asked.items():
        world.same((await world.api("GET", f"/approvals/{id}/files/why")).status_code, 404, "no file was given", entity)
        for deed in ("grant", "refuse", "withdraw"):
            answer = await world.api("POST", f"/approvals/{id}/{deed}", {})
            if not world.reference.readable(world.person, entity, row):
                world.same(answer.status_code, 404, deed, entity)


async def figures(world: World) -> None:
    """Statistics: sums and counts of what is seen, and groups by nothing else."""
    listed = await world.api("GET", "/statistics")
    names = {item["name"] for item in listed.json()["items"]}
    for name, statistic in world.network.statistics.items():
        entity = statistic.entity
        answer = await world.api("GET", f"/statistics/{name}")
        known = world.reference.ever(world.person, entity, "read")
        known = known and "analyse" in world.reference.functions(world.person)
        world.same((name in names, answer.status_code == 200), (known, known), "statistic", name)
        if not known or answer.status_code != 200:
            continue
        rows = answer.json()["rows"]
        shown = world.shown(entity)
        if statistic.measure == "count" and statistic.where is None:
            world.same(sum(row["value"] for row in rows), len(shown), "statistic", name)
        if statistic.measure == "sum" and statistic.of is not None and not statistic.by and statistic.where is None:
            fields = [path[1] for path in statistic.of.reads if path[0] == "record"]
            values = [world.reference.value(world.person, entity, row, fields[0]) for row in shown]
            expected = sum(each for each in values if each is not None)
            world.same(float(rows[0]["value"]), float(expected), "statistic", name)
        if len(statistic.by) == 1 and re.fullmatch(r"record\.\w+", statistic.by[0].text):
            field = statistic.by[0].text.partition(".")[2]
            groups = {row["group"][0] for row in rows} - {None}
            seen = {world.reference.value(world.person, entity, row, field) for row in shown}
            world.same(groups <= seen, True, "statistic", name, groups, seen)


async def descriptions(world: World) -> None:
    """The API's description: no entity and no field that the levels never meet."""
    asked, me = world.reference, world.person
    told = (await world.api("GET", "/openapi.json")).text
    for entity, definition in world.network.entities.items():
        known = asked.ever(me, entity, "read") or asked.ever(me, entity, "create")
        world.same(f'"/entities/{entity}"' in told, known, "openapi", entity)
        for name in definition.fields:
            others = [e for e, d in world.network.entities.items() if e != entity and name in d.fields]
            if not others and asked.never(me, entity, name):
                world.same(f'"{name}"' in told, False, "openapi", entity, name)


async def ruling(world: World) -> None:
    """What only who runs the network is told and may do."""
    leads = world.reference.administers(world.person)
    for path in ("/definitions/versions", "/definitions/versions/1", "/settings", "/runs"):
        world.same((await world.api("GET", path)).status_code == 200, leads, path)
    changing = tuple(f"/definitions{path}" for path in ("", "/check", "/plan", "/simulate", "/versions/1/roll-back"))
    changing += tuple(f"/runs/none/{deed}" for deed in ("retry", "skip", "cancel"))
    tried = [(("GET", path)) for path in ("/definitions", "/reasons", "/runs/none")]
    tried += [("POST", path) for path in changing]
    for method, path in tried:
        answer = await world.api(method, path, None if method == "GET" else {})
        if not leads and path != "/definitions":
            world.same(answer.status_code in {403, 404, 405}, True, path, answer.status_code)


async def attached(world: World) -> None:
    """Files of foreign records are those of records that do not exist; what is sent has nobody else's marks."""
    for entity in world.network.entities:
        for row in world.sorts(entity):
            for name in world.fields(entity)[:2]:
                for path in (f"files/{name}", f"history/none/files/{name}"):
                    answer = await world.api("GET", f"/entities/{entity}/{row['id']}/{path}")
                    if not world.reference.readable(world.person, entity, row):
                        await absent(world, answer, row)
    await world.api("POST", "/uploads", {})


async def counts(world: World) -> None:
    """Counts by state, as boards have them, and titles of everything by id: of what is seen, and no more."""
    actor = await world.actor()
    await world.tenant.store.read(lambda tx: _counted(world, world.opened(tx, actor)))


async def _counted(world: World, records: Records) -> None:
    for entity, definition in world.network.entities.items():
        labels = await records.labels(entity, [row["id"] for row in world.rows(entity)])
        world.same(set(labels), {row["id"] for row in world.shown(entity)}, "labels", entity)
        for process in definition.processes:
            states = [world.reference.value(world.person, entity, row, process) for row in world.shown(entity)]
            expected = {state: states.count(state) for state in set(states) - {None}}
            world.same(dict(await records.group_count(entity, process)), expected, "by state", entity)
