"""What every page has: the frame, headers, answers to what goes wrong, small files."""

from __future__ import annotations

import pytest

from admin.assets import static
from tests.admin.office import CAMILLE, LEADER, Office

pytestmark = pytest.mark.anyio


async def test_the_only_network_opens_at_once(office: Office) -> None:
    async with office.visitor() as visitor:
        assert (await visitor.get("/")).headers["location"] == "/n/small/"
        assert (await visitor.get("/n/small")).headers["location"] == "/n/small/"
        assert (await visitor.get("/healthz")).text == "ok"


async def test_several_networks_are_a_choice(office: Office) -> None:
    await office.networks.tenants.create("other", {"n.yaml": "network: other\nlabel: {fr: Autre, en: Other}\n"})
    async with office.visitor() as visitor:
        page = await visitor.get("/", accept_language="en")
        assert 'href="/n/small/"' in page.text
        assert "Other" in page.text


@pytest.mark.parametrize("path", ["/n/nowhere/", "/n/nowhere/e/lead/", "/n/../x/", "/n/Small/", "/nothing"])
async def test_a_network_that_is_not_there_is_a_page_that_is_not_there(office: Office, path: str) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.get(path)
        assert answer.status_code == 404
        assert "This page does not exist" in answer.text


async def test_a_session_of_one_network_says_nothing_to_another(office: Office) -> None:
    await office.networks.tenants.create("other", {"n.yaml": "network: other\nlabel: {fr: Autre, en: Other}\n"})
    async with office.signed_in(CAMILLE) as visitor:
        cookie = visitor.http.cookies["maille"]
        answer = await visitor.http.get("/n/other/", headers={"cookie": f"maille={cookie}"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/n/other/sign-in")


async def test_pages_forbid_scripts_and_styles_from_elsewhere(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        page = await visitor.get()
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy
        assert " style=" not in page.text
        assert "<script>" not in page.text
        assert page.headers["x-content-type-options"] == "nosniff"


async def test_assets_are_kept_for_ever_at_an_address_that_follows_their_content(office: Office) -> None:
    async with office.visitor() as visitor:
        for name in ("base.css", "app.js", "htmx.min.js"):
            answer = await visitor.get(static(name))
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
        old = await visitor.get("/static/000000000000/app.js")
        assert old.headers["cache-control"] == "no-cache"
        assert (await visitor.get("/static/000000000000/nothing.js")).status_code == 404


async def test_the_network_has_its_colour_and_its_picture(office: Office) -> None:
    async with office.visitor() as visitor:
        assert (await visitor.get("theme.css")).text == ":root { --hue: 172; }\n"
        assert (await visitor.get("icon.svg")).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [({}, "text/html"), ({"hx_request": "true"}, "text/plain"), ({"accept": "application/json"}, "application/json")],
)
async def test_a_refusal_comes_in_the_form_that_was_asked_for(
    office: Office, headers: dict[str, str], kind: str
) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.get("e/nothing/", **headers)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith(kind)
        assert ("maille:toast" in answer.headers.get("hx-trigger", "")) == ("hx_request" in headers)


async def test_the_menu_shows_what_the_member_may_read_and_leaders_the_back_office(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(LEADER) as leader:
        page = (await camille.get("menu")).text
        assert 'href="/n/small/e/lead/"' in page
        assert "back-office" not in page
        assert "back-office" in (await leader.get("menu")).text


async def test_the_theme_is_kept_by_the_browser(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        assert 'data-theme="auto"' in (await visitor.get()).text
        await visitor.post("theme", {"theme": "dark", "back": "/n/small/account"})
        assert 'data-theme="dark"' in (await visitor.get()).text
        await visitor.post("theme", {"theme": "pink"})
        assert 'data-theme="dark"' in (await visitor.get()).text
