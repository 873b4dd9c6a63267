"""Who runs the network asks why somebody may see or do something or not."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.admin.office import ALICE, CAMILLE, DIANE, LEADER, Office
from tests.admin.screens.leads import lead, link, text_of

pytestmark = pytest.mark.anyio


async def test_the_answer_names_rule_place_and_the_part_that_fails(office: Office) -> None:
    made = await lead(office, DIANE, "Zulma", country="BE")
    async with office.signed_in(LEADER) as claire:
        page = (await claire.get(f"e/lead/{made.id}")).text
        form = (await claire.get(link(page, "Who may what with it").removeprefix("/n/small/"))).text
        assert "Zulma" in form
        assert 'id="answered"' not in form
        asking = f"reasons?entity=lead&record={made.id}&member={office.members[ALICE]}"
        words = text_of((await claire.get(asking)).text)
        assert 'Assistant No read: record.country == "FR"' in words
        assert re.search(r'levels.yaml:\d+ No record.country == "FR" record.country = BE', words)
        refused = text_of((await claire.get(f"{asking}&ask=write:phone")).text)
        assert "This member may not see the record, so nothing can be done with it." in refused
        own = f"reasons?entity=lead&record={made.id}&member={office.members[DIANE]}&ask="
        assert "Distributor Yes read: mine" in text_of((await claire.get(own)).text)
        assert "income_goal: {write: none}" in text_of((await claire.get(f"{own}write:income_goal")).text)
        step = text_of((await claire.get(f"{own}move:recruiting.call")).text)
        assert "A phone number is missing." in step
        assert "by: [distributor]" in step
        later = text_of((await claire.get(f"{own}move:recruiting.sign")).text)
        assert "The record is in a state that this step does not start from." in later


async def test_a_question_about_any_record_and_about_a_level_that_says_nothing(office: Office) -> None:
    async with office.signed_in(LEADER) as claire:
        about = f"member={office.members[ALICE]}&entity="
        assert "says nothing about Company" in text_of((await claire.get(f"reasons?{about}company")).text)
        assert "Depends on the record" in text_of((await claire.get(f"reasons?{about}lead")).text)
        boss = f"reasons?member={office.members[LEADER]}&entity=lead&ask=delete"
        words = text_of((await claire.get(boss)).text)
        assert "This level may do everything." in words
        assert "Only where members have not closed their own data" in words


async def test_what_is_not_there_is_not_found_and_others_find_no_page(office: Office) -> None:
    made = await lead(office, CAMILLE, "Paul")
    async with office.signed_in(LEADER) as claire:
        assert (await claire.get("reasons?member=none")).status_code == 404
        assert (await claire.get(f"reasons?member={office.members[ALICE]}&entity=lead&record=none")).status_code == 404
        assert (await claire.get("reasons?entity=nothing&ask=nothing")).status_code == 200
    async with office.signed_in(CAMILLE) as camille:
        assert (await camille.get("reasons")).status_code == 404
        assert "reasons?" not in (await camille.get(f"e/lead/{made.id}")).text


async def test_another_kind_of_record_reloads_what_can_be_asked_with_the_member_and_without_the_record(
    office: Office,
) -> None:
    async with office.signed_in(LEADER) as claire:
        page = (await claire.get("reasons?entity=lead")).text
        chooser = re.search(r'<select[^>]*name="entity"[^>]*>', page)
        assert chooser is not None
        said = dict(re.findall(r'(hx-[a-z-]+)="([^"]*)"', chooser[0]))
        assert said["hx-target"] == said["hx-select"] == "#asking"
        sent = {"member": office.members[ALICE], "entity": "company"}
        assert set(said["hx-params"].split(",")) == sent.keys()
        answer = await claire.get(f"{said['hx-get']}?{urlencode(sent)}")
    part = answer.text.partition('id="asking"')[2]
    assert '<option value="company" selected>' in part
    assert 'data-picker="/n/small/e/company/options"' in part
    assert "move:recruiting.call" not in part
    assert "says nothing about Company" in text_of(part)
