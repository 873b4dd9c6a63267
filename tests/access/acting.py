"""What the API does beside the reference: steps, changes, gifts, new records, removals, notes and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from definitions.spec.entity import Field
from definitions.spec.process import FormField, Process, Transition
from tests.access.asking import ABSENT, absent, in_json
from tests.access.reference import Row
from tests.access.values import value_for
from tests.access.world import World
from workflows.chart import leaving


async def moves(world: World) -> None:
    """Every step of every process, alone and among many."""
    for process in world.network.processes.values():
        for row in world.rows(process.entity):
            for move in process.transitions.values():
                await _move(world, process, move, row)


async def _move(world: World, process: Process, move: Transition, row: Row) -> None:
    asked, me, entity = world.reference, world.person, process.entity
    values = {name: answered(world, question) for name, question in move.form.items()}
    form = in_json(values)
    leaves = move in leaving(process, row[process.name])
    granted = asked.granted(me, process, move, row)
    expected = leaves and granted and asked.guarded(me, entity, row, move, values)
    path = f"/entities/{entity}/{row['id']}/transitions/{process.name}/{move.name}"
    answer = await world.api("POST", path, form)
    where = ("move", entity, row["id"], move.name, answer.text[:300])
    if not asked.readable(me, entity, row):
        await absent(world, answer, row, form)
        return
    if answer.status_code != 422:  # a question of the form that none of the values suits
        world.same(answer.status_code == 200, expected, *where)
    elif leaves:
        world.same(granted, True, *where)
    if move.bulk:
        body = {"items": [{"id": row["id"]}], "form": form}
        many = await world.api("POST", f"/entities/{entity}/bulk/{process.name}/{move.name}", body)
        if many.status_code == 200:
            world.same(many.json()["results"][0]["status"], answer.status_code, "bulk", *where)
        else:
            world.same(many.status_code, answer.status_code, "bulk", *where)
        await _begin_job(world, f"/entities/{entity}/jobs/{process.name}/{move.name}", row, form, answer.status_code)


async def _begin_job(world: World, path: str, row: Row, form: Mapping[str, Any], status: int) -> None:
    """Take the step of one record as a job: it is done where a single step is."""
    job = await world.api("POST", path, {"ids": [row["id"]], "form": form})
    if job.status_code == 202:
        world.same(job.json()["done"] == 1, status == 200, "job", path, row["id"])
    else:
        world.same(job.status_code, status, "job", path, row["id"])


def answered(world: World, question: FormField) -> Any:
    """Return an answer to a question of a form: a day to come, since guards often ask for one."""
    if question.field.type == "datetime":
        return world.clock.now() + timedelta(days=300)
    return value_for(world.network, question.field, 90_001, 0)


async def changes(world: World) -> None:
    """Every field of a record of each sort is given another value: the rule holds before, and after."""
    asked, me = world.reference, world.person
    for entity, definition in world.network.entities.items():
        for row in world.sorts(entity):
            for name, declared in definition.fields.items():
                if declared.to is not None or name in {"levels", "email", "active"} or declared.compute is not None:
                    continue
                value = value_for(world.network, declared, 90_002, int(row["version"]) + 1)
                after = computed(world, entity, {**row, name: value})
                path = f"/entities/{entity}/{row['id']}"
                with world.knowing(entity, after):
                    answer = await world.api("PATCH", path, {name: in_json(value)}, if_match="*")
                able = asked.may(me, entity, row, "update") and asked.writable(me, entity, row, name)
                expected = able and (asked.may_update_to(me, entity, after) or value == row[name])
                world.same(answer.status_code == 200, expected, "PATCH", entity, row["id"], name, answer.text[:200])
                if not asked.readable(me, entity, row):
                    await absent(world, answer, row, {name: in_json(value)}, if_match="*")


def computed(world: World, entity: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with their computed fields, computed until nothing changes any more."""
    found = dict(values)
    for _ in world.network.entities[entity].fields:
        for name, declared in world.network.entities[entity].fields.items():
            if declared.compute is not None:
                found[name] = declared.compute.compute({"record": found}, world.reference.context)
    return found


async def gifts(world: World) -> None:
    """A record is given to somebody else: only by who may still change it then, and to whom it may see."""
    asked, me = world.reference, world.person
    for entity, definition in world.network.entities.items():
        for row in world.sorts(entity) if definition.owner else ():
            for member in world.rows("member"):
                if row["owner"] is not None and member["id"] == row["owner"]["id"]:
                    continue
                path = f"/entities/{entity}/{row['id']}"
                after = {**row, "owner": {"id": member["id"]}}
                with world.knowing(entity, after):
                    answer = await world.api("PATCH", path, {"owner": member["id"]}, if_match="*")
                able = asked.may(me, entity, row, "update") and asked.writable(me, entity, row, "owner")
                known = member["id"] == me.id or asked.readable(me, "member", member)
                expected = able and known and asked.may_update_to(me, entity, after)
                world.same(answer.status_code == 200, expected, "gift", entity, row["id"], answer.text[:200])


async def creations(world: World) -> None:
    """New records for everybody, alone and among many, with every field and without."""
    for entity, definition in world.network.entities.items():
        if entity == "member":
            continue
        for owner in (*world.rows("member"), None) if definition.owner else (None,):
            for turn, whole in ((0, False), (1, True), (2, True)):
                await _create(world, entity, owner, turn, whole=whole)


async def _create(world: World, entity: str, owner: Row | None, turn: int, *, whole: bool) -> None:
    asked, me = world.reference, world.person
    definition = world.network.entities[entity]
    given: dict[str, Any] = {}
    for name, declared in definition.fields.items():
        wanted = declared.required or (whole and declared.to is None)
        if wanted and declared.compute is None:
            given[name] = given_value(world, declared, turn)
    if definition.owner:
        given["owner"] = None if owner is None else {"id": owner["id"]}
    row = born(world, entity, given)
    known = owner is None or owner["id"] == me.id or asked.readable(me, "member", owner)
    known = known and all(knows(world, f, given[n]) for n, f in definition.fields.items() if f.to and given.get(n))
    filled = all(asked.fillable(me, entity, row, name) for name in given)
    expected = known and filled and asked.may_create(me, entity, row)
    answer = await world.api("POST", f"/entities/{entity}", in_json(given))
    where = ("create", entity, f"for {owner and owner['id']}", whole, answer.text[:200])
    world.same(answer.status_code == 201, expected, *where)
    many = await world.api("POST", f"/entities/{entity}/bulk", {"items": [in_json(given)]})
    imports = expected and "import" in asked.functions(me)
    done = many.status_code == 200 and many.json()["done"] == 1
    world.same(done, imports, "bulk", *where)


def given_value(world: World, declared: Field, turn: int) -> Any:
    if declared.to is None:
        return value_for(world.network, declared, 90_003 + turn, turn)
    rows = [row for row in world.rows(declared.to) if world.reference.readable(world.person, declared.to, row)]
    rows = rows or world.rows(declared.to)
    return {"id": rows[0]["id"]} if rows else None


def knows(world: World, declared: Field, value: Mapping[str, str]) -> bool:
    row = world.reference.rows[str(declared.to)].get(value["id"])
    return row is not None and world.reference.readable(world.person, str(declared.to), row)


def born(world: World, entity: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record that would be there: defaults, first states, computed fields."""
    definition, now = world.network.entities[entity], world.clock.now()
    row: dict[str, Any] = dict.fromkeys(world.fields(entity))
    row |= {"id": ABSENT, "version": 1, "created_at": now, "updated_at": now, "created_by": {"id": world.person.id}}
    row |= {name: world.network.processes[name].initial for name in definition.processes}
    for name, declared in definition.fields.items():
        if declared.default is not None:
            row[name] = declared.default.compute({"record": row}, world.reference.context)
    return computed(world, entity, {**row, **given})


async def removals(world: World) -> None:
    """Every record is deleted by who may, where nothing refers to it."""
    asked, me = world.reference, world.person
    for entity in world.network.entities:
        for row in world.sorts(entity):
            answer = await world.api("DELETE", f"/entities/{entity}/{row['id']}", if_match="*")
            expected = asked.may(me, entity, row, "delete") and not held(world, entity, row["id"])
            world.same(answer.status_code == 204, expected, "DELETE", entity, row["id"], answer.text[:200])
            if not asked.readable(me, entity, row):
                await absent(world, answer, row, if_match="*")


def held(world: World, entity: str, identity: str) -> bool:
    """Whether another record refers to this one and would be left without it."""
    for other, definition in world.network.entities.items():
        names = [n for n, f in definition.fields.items() if f.to == entity and f.on_delete == "restrict"]
        names += ["owner"] if definition.owner and entity == "member" else []
        for row in world.rows(other):
            if row["id"] != identity and any((row[name] or {}).get("id") == identity for name in names):
                return True
    return False


async def words(world: World) -> None:
    """Notes, tasks, and what is taken back."""
    asked, me = world.reference, world.person
    history = await world.tenant.store.read(
        lambda tx: tx.rows("""SELECT "id", "entity", "record" FROM "_history" WHERE "kind" = 'moved'""")
    )
    moved = {(entity, record): row for row, entity, record in history}
    for entity in world.network.entities:
        for row in world.sorts(entity):
            path = f"/entities/{entity}/{row['id']}"
            note = await world.api("POST", f"{path}/notes", {"text": "x"})
            world.same(note.status_code == 201, asked.may(me, entity, row, "update"), "note", entity, row["id"])
            about = {"title": "x", "about": {"entity": entity, "id": row["id"]}}
            task = await world.api("POST", "/tasks", about)
            readable = asked.readable(me, entity, row)
            world.same(task.status_code == 201, readable, "task", entity, row["id"])
            if not readable:
                await absent(world, note, row, {"text": "x"})
                await absent(world, task, row, about)
            for owner in ((entity, row["id"]), *list(moved)[:1]):
                if owner in moved:
                    undone = await world.api("POST", f"{path}/undo/{moved[owner]}", {})
                    same = owner == (entity, row["id"])
                    if not readable or not same:
                        await absent(world, undone, row, {})
                    elif not asked.administers(me):
                        world.same(undone.status_code, 403, "undo", entity, row["id"])
