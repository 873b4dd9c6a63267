"""The guides are lived through: each is a network in which what the page promises happens, on both databases."""

from __future__ import annotations

import json
import re
import shlex
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from admin.cli.main import main
from models.actor import SYSTEM, Actor
from models.attachment import Attachment
from models.errors import NotFoundError, RefusedError
from models.query import Query
from models.record import Record
from models.secrets import Vault
from tests.workflows.conftest import MakeStage, Stage, mailbox, make_stage
from workflows import commands, inlets, preferences, publishing
from workflows.unit import read, write

__all__ = ["mailbox", "make_stage"]
pytestmark = pytest.mark.anyio

PAGE = (Path(__file__).parents[2] / "docs" / "language" / "guides.md").read_text("utf-8")
GUIDES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
COMMANDS = [
    line[2:] for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S) for line in block.splitlines()
]
VAULT = Vault(lambda: (b"a secret of this installation",))
FOLLOW_UP, RENAMED, BILLING, TREE, SHOP, LETTERS = ({"network.yaml": text} for text in GUIDES)


async def staged(make_stage: MakeStage, files: dict[str, str]) -> Stage:
    stage = await make_stage(files)
    stage.tenant.vault = VAULT
    return stage


async def person(stage: Stage, name: str, *levels: str, sponsor: Actor | None = None, **values: str | None) -> Actor:
    above = {} if sponsor is None else {"sponsor": sponsor.id}
    return await stage.person(name, *levels, language="en", **above, **values)


async def later(stage: Stage, **span: float) -> None:
    stage.clock.forward(timedelta(**span))
    await stage.worker.run_due()


async def tasks(stage: Stage) -> list[str]:
    return [title for (title,) in await stage.rows("_task", "title")]


def subjects(stage: Stage) -> list[str]:
    return [str(letter["Subject"]) for letter in stage.mailbox.letters]


async def seen(stage: Stage, actor: Actor, entity: str) -> list[Record]:
    page = await read(stage.tenant, actor, lambda unit: unit.records.list(entity, Query(sort="created_at")))
    return list(page.records)


async def called(stage: Stage, seller: Actor, name: str) -> Record:
    """Let a lead come and be called, with the next call in a week."""
    lead = await commands.create(stage.tenant, seller, "lead", {"name": name, "email": "anna@exemple.fr"})
    at = (stage.clock.now() + timedelta(days=7)).isoformat()
    await commands.move(stage.tenant, seller, "lead", lead.id, "call", form={"next_call_at": at})
    return lead


async def test_a_lead_that_nobody_calls_becomes_a_task_and_one_that_is_called_gets_a_mail(
    make_stage: MakeStage,
) -> None:
    stage = await staged(make_stage, FOLLOW_UP)
    karim = await person(stage, "Karim", "seller")
    await commands.create(stage.tenant, karim, "lead", {"name": "Tom"})
    await called(stage, karim, "Anna")
    await later(stage, minutes=9)
    assert subjects(stage) == [], "for ten minutes the call can be taken back"
    await later(stage, minutes=2)
    assert subjects(stage) == ["Anna, thank you for your time"]
    await later(stage, days=3)
    assert await tasks(stage) == ["Call this lead"]
    await later(stage, days=5)
    assert await tasks(stage) == ["Call this lead", "Call as agreed"]
    await later(stage, days=7)
    assert await tasks(stage) == ["Call this lead", "Call as agreed", "Call or give up"]


async def test_a_lead_that_is_won_meanwhile_is_left_in_peace(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, FOLLOW_UP)
    karim = await person(stage, "Karim", "seller")
    lead = await called(stage, karim, "Anna")
    await later(stage, days=8)
    await commands.move(stage.tenant, karim, "lead", lead.id, "win")
    await later(stage, days=14)
    assert await tasks(stage) == ["Call as agreed"]


async def test_what_is_called_differently_keeps_values_states_and_timers(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, FOLLOW_UP)
    karim = await person(stage, "Karim", "seller")
    lead = await called(stage, karim, "Anna")
    at = await stage.value(lead, "next_call_at")
    await publishing.publish(stage.tenant, RENAMED)
    assert (await stage.value(lead, "phone_on"), await stage.value(lead, "calling")) == (at, "interested")
    await later(stage, days=8)
    assert await tasks(stage) == ["Call as agreed"]


def test_a_change_is_tried_out_and_published_by_the_commands_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATA": "data", "PUBLIC_URL": "https://sales.example", "SECRET": "of the tests"}.items():
        monkeypatch.setenv(f"MAILLE_{name}", value)
    folder = tmp_path / "follow_up"
    folder.mkdir()
    (folder / "network.yaml").write_text(FOLLOW_UP["network.yaml"], "utf-8")
    for command in COMMANDS:
        program, *words = shlex.split(command)
        assert program == "maille"
        if words[0] == "simulate":  # something to publish
            (folder / "network.yaml").write_text(FOLLOW_UP["network.yaml"].replace("3 working", "4 working"), "utf-8")
        assert main(words) == 0, (command, capsys.readouterr())
    capsys.readouterr()
    assert main(["history", "--network", "sales", "--format", "json"]) == 0
    assert [each["version"] for each in json.loads(capsys.readouterr().out)] == [2, 1]


async def test_an_invoice_adds_up_its_lines_and_leaves_as_a_pdf(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, BILLING)
    nora = await person(stage, "Nora", "clerk")
    given = {"customer": "Anna", "email": "anna@exemple.fr"}
    empty = await commands.create(stage.tenant, nora, "invoice", given)
    with pytest.raises(RefusedError, match="nothing to pay"):
        await commands.move(stage.tenant, nora, "invoice", empty.id, "send")
    lines = [{"what": "Saw", "quantity": 2, "price": Decimal(30)}, {"what": "Oil", "price": Decimal("4.50")}]
    invoice = await commands.create(stage.tenant, nora, "invoice", {**given, "lines": lines})
    assert await stage.value(invoice, "total") == Decimal("64.50")
    await commands.move(stage.tenant, nora, "invoice", invoice.id, "send")
    await stage.worker.run_due()
    file = await stage.value(invoice, "pdf")
    assert isinstance(file, Attachment)
    assert file.name == "Invoice Anna.pdf"
    [letter] = stage.mailbox.letters
    assert letter["Subject"] == "Your invoice of €64.50"
    assert [part.get_filename() for part in letter.iter_attachments()] == ["Invoice Anna.pdf"]
    with pytest.raises(RefusedError):
        await commands.update(stage.tenant, nora, "invoice", invoice.id, None, {"customer": "Tom"})


async def test_everybody_sees_their_own_people_and_a_guide_no_amounts(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, TREE)
    rosa = await person(stage, "Rosa", "team_leader")
    ines = await person(stage, "Ines", "guide")
    karim = await person(stage, "Karim", "seller", sponsor=rosa, guide=ines.id)
    other = await person(stage, "Other", "seller")
    for actor in (karim, other):
        await commands.create(stage.tenant, actor, "sale", {"what": "A saw", "amount": Decimal(10)})
    found = {name: await seen(stage, who, "sale") for name, who in {
        "rosa": rosa, "karim": karim, "other": other, "ines": ines,
    }.items()}  # fmt: skip
    assert [len(sales) for sales in found.values()] == [1, 1, 1, 1]
    ids = {name: sales[0].id for name, sales in found.items()}
    assert ids["rosa"] == ids["karim"] == ids["ines"] != ids["other"]
    assert (found["rosa"][0].values["amount"], found["ines"][0].values["amount"]) == (10, None)


async def test_an_order_of_the_shop_is_taken_once(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, SHOP)
    rita = await person(stage, "Rita", "leader")
    secret = await write(stage.tenant, rita, lambda unit: inlets.draw(unit, "orders"))
    order = {"kind": "paid", "number": "A1", "total": 12.5, "buyer": {"name": "Anna"}}
    headers = {"authorization": f"Bearer {secret}", "webhook-id": "m1", "content-type": "application/json"}
    for body in (order, order, {"kind": "refund"}):
        request = inlets.Request("orders", headers, json.dumps(body).encode())
        await inlets.take(stage.tenant, request, lambda: None)
        await stage.worker.run_due()
    [made] = await seen(stage, SYSTEM, "purchase")
    assert [made.full[name] for name in ("number", "buyer", "amount")] == ["A1", "Anna", Decimal("12.50")]


async def test_who_said_no_gets_no_letter_and_who_is_left_alone_is_erased(make_stage: MakeStage) -> None:
    stage = await staged(make_stage, LETTERS)
    nora = await person(stage, "Nora", "editor")
    values = {name: {"name": name, "email": f"{name}@exemple.fr"} for name in ("anna", "tom", "zoe")}
    people = {name: await commands.create(stage.tenant, nora, "reader", each) for name, each in values.items()}
    await commands.update(stage.tenant, nora, "reader", people["zoe"].id, None, {"member_of_club": True})
    await write(stage.tenant, SYSTEM, lambda unit: preferences.unsubscribe(unit, "tom@exemple.fr"))
    await stage.worker.run_due()
    await later(stage, days=31)
    letters = [letter for letter in stage.mailbox.letters if letter["Subject"] == "Our letter"]
    assert sorted(str(letter["To"]) for letter in letters) == ["anna@exemple.fr", "zoe@exemple.fr"]
    assert all("List-Unsubscribe" in letter for letter in letters)
    await later(stage, days=325)
    told = [
        each
        for each, to in zip(stage.mailbox.letters, stage.mailbox.recipients, strict=True)
        if to == ["nora@exemple.fr"]
    ]
    assert told, "who owns them is told before"
    await later(stage, days=20)
    assert [record.full["name"] for record in await seen(stage, SYSTEM, "reader")] == ["zoe"]
    with pytest.raises(NotFoundError):
        await stage.get(people["anna"])
