"""Moves of many records at once come to what moving one after the other comes to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from models.actor import Actor
from models.errors import InvalidError, RequestError
from models.gathering import Gathering
from models.system import HISTORY
from models.tx import SqlValue, Tx
from tests.networks import SMALL, changed, edited
from tests.workflows.conftest import MakeStage, Stage
from workflows import bulk, bulk_moves
from workflows.deeds import DEEDS
from workflows.unit import Unit, write

pytestmark = pytest.mark.anyio

FORM = {"comment": "Très bien", "next_call_at": "2026-03-05T10:00"}
ASKED: Mapping[str, Any] = {"process": "recruiting", "transition": "call", "form": FORM}
BULK = edited(SMALL, ("set: {calls: =record.calls + 1}\n", "set: {calls: =record.calls + 1}\n    bulk: true\n"))
AGAIN = "automation: again\nwhen: {moved: recruiting.call}\nkey: =record.country\ndo: [{stop: true}]\n"
WAITING = """
automation: patience
when: {created: lead}
do: [{wait: {for: 3d, cancel_if: record.calls > 0}}]
"""
DUE = "automation: soon\nwhen: {due: {entity: lead, at: next_call_at}}\ndo: [{stop: true}]\n"
STAYS = "automation: late\nwhen: {stays: {state: recruiting.contacted, for: 3d}}\ndo: [{stop: true}]\n"
TWICE = """
automation: both
when: [{left: recruiting.new}, {moved: recruiting.call}, {changed: {entity: lead}}]
do: [{stop: true}]
"""
ADDS = "set: {calls: =record.calls + 1}"
CALLS = "calls:        {type: integer, default: 0}"
NEXT = "{field: next_call_at, required: true}"
MODES = "---\n".join(
    AGAIN.replace("again", mode) + f"mode: {mode}\n" for mode in ("single", "queued", "restart", "parallel")
)
PACKS: Mapping[str, Mapping[str, str]] = {
    "automations of all modes, timers and waits": changed(BULK, more="---\n".join([MODES, WAITING, DUE, STAYS, TWICE])),
    "values that are limited, searched, left out and of others": edited(
        BULK,
        (CALLS, "calls: {type: integer, default: 0, max: 2}"),
        (ADDS, "set: {calls: =record.calls + 1, last_name: =record.first_name, company: =record.company}"),
        (NEXT, f"{NEXT}\n      said: {{type: text, default: =record.city}}"),
    ),
    "what many share": BULK,
}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
COLUMNS = {
    "lead": (
        *("id", "recruiting", "calls", "hot", "next_call_at", "updated_at", "version", "last_activity_at"),
        *("last_name", "_fold_last_name"),
    ),
    "_history": tuple(name for name in HISTORY.columns if name not in {"id", "undone_by"}),
    "_audit": ("kind", "scope", "member", "entity", "record", "ip"),
    "_run": ("automation", "key", "entity", "record", "state", "cause", "actor", "hold_until", "names", "error"),
    "_outbox": ("kind", "payload", "run_at", "state", "priority", "unique_key"),
}


async def leads(stage: Stage, lea: Actor) -> list[str]:
    """Return leads that can be called and others that cannot, each for a reason of its own."""
    zoe = await stage.person("Zoe", "distributor")
    given: Sequence[Mapping[str, Any]] = ({}, {"phone": None}, {"country": "BE"}, {"calls": 2}, {"email": None})
    made = [
        await stage.lead(lea, **{"email": f"p{at}@exemple.fr", "city": f"L{at}", **each})
        for at, each in enumerate(given)
    ]
    called, lost = await stage.lead(lea, email="called@exemple.fr"), await stage.lead(lea, email="lost@exemple.fr")
    await stage.call(lea, called)
    lose = {**ASKED, "transition": "lose", "form": {}}
    await write(stage.tenant, lea, lambda unit: DEEDS["move"].do(unit, "lead", lost.id, lose))
    foreign = await stage.lead(zoe)
    await stage.worker.run_due()
    return [*(each.id for each in (*made, called, lost, foreign)), "0" * 36]


async def at_once(unit: Unit, ids: Sequence[str]) -> Sequence[str | RequestError | None]:
    found = await bulk_moves.move_all(unit, bulk_moves.Asked("lead", "recruiting", "call", FORM), ids)
    assert found is not None
    return found


async def one_by_one(unit: Unit, ids: Sequence[str]) -> Sequence[str | RequestError | None]:
    return await bulk.each(unit, ids, lambda each: DEEDS["move"].do(unit, "lead", each, ASKED))


async def outcome(stage: Stage, way: Any) -> Any:
    """Return what became of each and all rows that were written; ids are told by what they are of."""
    lea = await stage.person("Lea", "distributor")
    ids = await leads(stage, lea)
    found = await write(stage.tenant, lea, lambda unit: way(unit, ids))
    known = {each: f"lead {number}" for number, each in enumerate(ids)} | {str(lea.id): "lea"}
    known |= {row: f"move of {number}" for number, row in enumerate(found) if isinstance(row, str)}

    def told(value: Any) -> Any:
        return ID.sub(lambda match: known.get(match[0], "#"), str(value))

    rows = {
        name: sorted(tuple(map(told, row)) for row in await stage.rows(name, *columns))
        for name, columns in COLUMNS.items()
    }
    came = [str(each) if isinstance(each, RequestError) else told(each) for each in found]
    return came, [each.fields if isinstance(each, InvalidError) else None for each in found], rows


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS.keys())
async def test_many_moves_at_once_are_what_they_are_one_by_one(make_stage: MakeStage, pack: Mapping[str, str]) -> None:
    many = await outcome(await make_stage(pack), at_once)
    single = await outcome(await make_stage(pack), one_by_one)
    assert many == single
    assert {"move of 0", "This cannot be done in the state “Perdu”."} < set(many[0])


LOOKS = ("guard: has(record.phone)", 'guard: record.company.city == "Lyon"')
RESTS = "  rest: {from: lost, to: signed, auto: true, guard: record.calls > 9, label: {fr: Repos, en: Rest}}\n"
PAPER = "      paper: {type: file, label: {fr: Papier, en: Paper}}\n"
ALONE: Mapping[str, Mapping[str, str]] = {
    "a guard looks at another record": edited(BULK, LOOKS),
    "moves follow by themselves": edited(BULK, ("  revive:", f"{RESTS}  revive:")),
    "a unique value is set": edited(BULK, (ADDS, 'set: {calls: =record.calls + 1, email: "a@exemple.fr"}')),
    "others must agree": edited(BULK, ("undo: 10m", "undo: 10m\n    approval: {by: [distributor]}")),
    "an automation asks another record": changed(BULK, more=AGAIN.replace("record.country", "record.company.name")),
    "a file is asked for": edited(BULK, ("      comment: {", f"{PAPER}      comment: {{")),
}


@pytest.mark.parametrize("pack", ALONE.values(), ids=ALONE.keys())
async def test_moves_that_could_decide_about_one_another_are_made_one_by_one(
    make_stage: MakeStage, pack: Mapping[str, str]
) -> None:
    stage = await make_stage(pack)
    assert not bulk_moves.together(stage.tenant.published, "recruiting", "call")


class CutError(BaseException):
    """The machine stopped."""


class CutTx(Gathering):
    """A transaction that is cut off behind so many writes, as by a crash."""

    def __init__(self, tx: Tx, writes: int) -> None:
        super().__init__(tx, ())
        self.left = writes

    async def run_many(self, sql: str, values: Iterable[Sequence[SqlValue]]) -> None:
        self.left -= 1
        if self.left < 0:
            raise CutError
        await super().run_many(sql, values)


async def test_a_crash_between_two_writes_leaves_nothing_of_a_batch(stage: Stage, lea: Actor) -> None:
    leads = [(await stage.lead(lea, email=f"p{number}@exemple.fr")).id for number in range(2)]
    before = [await stage.rows(name, "id") for name in COLUMNS]
    asked = bulk_moves.Asked("lead", "recruiting", "call", FORM)

    async def moved(unit: Unit, writes: int) -> bool:
        """Move until so many statements are written; whether that was all of it."""
        return await bulk_moves.move_all(replace(unit, tx=CutTx(unit.tx, writes)), asked, leads) is not None

    for writes in range(5):
        with pytest.raises(CutError):
            await write(stage.tenant, lea, lambda unit, writes=writes: moved(unit, writes))  # type: ignore[misc] # the default binds it
        assert [await stage.rows(name, "id") for name in COLUMNS] == before
        assert await stage.rows("lead", "recruiting") == [("new",)] * 2
    assert await write(stage.tenant, lea, lambda unit: moved(unit, 5))
    assert await stage.rows("lead", "recruiting") == [("contacted",)] * 2


async def test_a_record_that_is_named_twice_is_moved_by_the_first_name(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    asked = bulk_moves.Asked("lead", "recruiting", "call", FORM)
    assert await write(stage.tenant, lea, lambda unit: bulk_moves.move_all(unit, asked, [lead.id, lead.id])) is None


async def test_what_is_gathered_is_there_for_whoever_asks(stage: Stage, lea: Actor) -> None:
    lead = await stage.lead(lea)
    insertion = 'INSERT INTO "_closed" ("member", "since") VALUES (?, ?)'

    async def work(unit: Unit) -> tuple[int, int]:
        before = await unit.tx.row('SELECT count(*) FROM "_closed"')
        tx = Gathering(unit.tx, [insertion])
        await tx.run(insertion, [lead.id, (await unit.tx.rows('SELECT "created_at" FROM "lead"'))[0][0]])
        unseen = await unit.tx.row('SELECT count(*) FROM "_closed"')
        seen = await tx.row('SELECT count(*) FROM "_closed"')
        assert before is not None
        assert unseen is not None
        assert seen is not None
        return unseen[0] - before[0], seen[0] - before[0]

    assert await write(stage.tenant, lea, work) == (0, 1)


async def test_answers_that_a_record_has_of_its_own_go_into_no_other(make_stage: MakeStage) -> None:
    pack = edited(BULK, (NEXT, f"{NEXT}\n      city: {{field: city, default: =record.first_name}}"))
    stage = await make_stage(pack)
    lea = await stage.person("Lea", "distributor")
    names = [f"N{number}" for number in range(6)]
    ids = [(await stage.lead(lea, first_name=name, email=f"{name}@exemple.fr")).id for name in names]
    await write(stage.tenant, lea, lambda unit: at_once(unit, ids))
    assert sorted(await stage.rows("lead", "first_name", "city")) == [(name, name) for name in names]
