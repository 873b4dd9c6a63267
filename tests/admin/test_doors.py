"""What stands around the pages: bodies of forms, settings, headers, signatures, workers of the server."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest

from admin.cli.main import main
from admin.csrf import BODY_LIMIT
from admin.settings import LIMITS, VARIABLES, Settings, from_environment
from admin.signing import seal, unseal
from admin.variables import SettingError, Variable
from models.clock import SetClock
from server import compose
from tests.admin.office import CAMILLE, FILES, LEADER, Office, token
from tests.networks import counting_ids

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n{}\r\n--x--\r\n',
            422,
        ),
        ("multipart/form-data", "{}", 400),
        ("application/json", '{{"_csrf": "{}"}}', 403),
        ("application/x-www-form-urlencoded", "_csrf={}", 422),
        ("application/x-www-form-urlencoded", "title=Call", 403),
        ("", "", 403),
    ],
)
async def test_the_token_is_found_in_forms_alone(office: Office, kind: str, body: str, status: int) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        sent = body.format(token((await visitor.get()).text))
        answer = await visitor.http.post("/n/small/tasks", content=sent, headers={"content-type": kind})
        assert answer.status_code == status


@pytest.mark.anyio
async def test_a_body_without_end_is_not_read_to_its_end(office: Office) -> None:
    async with office.signed_in(CAMILLE) as visitor:
        answer = await visitor.http.post("/n/small/tasks", content=b"x" * (BODY_LIMIT + 1))
        assert answer.status_code == 413


@pytest.mark.anyio
async def test_a_link_from_htmx_leads_the_whole_page_to_the_sign_in(office: Office) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.get("tasks", hx_request="true")
        assert answer.status_code == 204
        assert answer.headers["hx-redirect"] == "/n/small/sign-in"


@pytest.mark.anyio
async def test_over_https_cookies_are_secure_and_stay_so(office: Office) -> None:
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        answer = await client.get("/n/small/sign-in")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.anyio
async def test_a_server_without_networks_says_so(tmp_path: Path, clock: SetClock) -> None:
    app = compose(Settings(data=tmp_path, secret="x"), clock=clock, new_id=counting_ids(), works=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client:
        assert (await client.get("/")).status_code == 404


@pytest.mark.anyio
async def test_a_server_opens_its_networks_and_puts_workers_to_work(tmp_path: Path, clock: SetClock) -> None:
    settings = Settings(data=tmp_path, secret="x", smtp_url="smtp://127.0.0.1:1", public_url="https://example.org")
    first = compose(settings, clock=clock, new_id=counting_ids(), works=False)
    async with first.router.lifespan_context(first):
        await first.state.networks.tenants.create("small", FILES)
    app = compose(settings, clock=clock, new_id=counting_ids())
    async with app.router.lifespan_context(app):
        networks = app.state.networks
        tenant = await networks.get("small")
        assert await networks.names() == ["small"]
        assert networks.transport is not None
        assert networks.worker(tenant).house.url == "https://example.org/n/small"


def test_settings_come_from_the_environment() -> None:
    assert from_environment({}) == Settings(Path("data"))
    given = {
        "MAILLE_DATA": "d",
        "SMTP_URL": "smtp://x",
        "MAILLE_SECRET": "s",
        "MAILLE_PUBLIC_URL": "https://a.example/",
    }
    assert from_environment(given) == Settings(Path("d"), "smtp://x", "s", "https://a.example")
    texts = {"URL": "https://sms.example", "TOKEN": "t", "SECRET": "whsec_x", "FROM": "Maille"}
    found = from_environment({f"MAILLE_SMS_{name}": value for name, value in texts.items()})
    assert (found.sms_url, found.sms_token, found.sms_secret, found.sms_from) == tuple(texts.values())
    assert "whsec" not in repr(found)


@pytest.mark.parametrize("variable", [*VARIABLES, *LIMITS], ids=lambda variable: variable.name)
def test_each_variable_is_documented_and_refuses_what_it_does_not_understand(variable: Variable) -> None:
    pages = [DOCS / "operations.md", *(DOCS / "operations").glob("*.md")]
    assert any(f"`{variable.name}" in page.read_text(encoding="utf-8") for page in pages)
    if not variable.example:
        return
    assert from_environment({variable.name: variable.example})
    with pytest.raises(SettingError, match=f"{variable.name}.*'?lots'?.*{variable.name}={variable.example}"):
        from_environment({variable.name: "lots"})


def test_a_command_says_which_variable_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILLE_PROCESSES", "beaucoup")
    monkeypatch.setenv("MAILLE_LANGUAGE", "fr")
    assert main(["status"]) == 2
    said = capsys.readouterr().err
    assert "MAILLE_PROCESSES" in said
    assert "beaucoup" in said
    assert "Traceback" not in said


def test_a_secret_is_drawn_once_and_for_nobody_else(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "data")
    key = settings.signing_key()
    assert len(key) == 64
    assert settings.signing_key() == key
    assert stat.S_IMODE((tmp_path / "data" / ".secret").stat().st_mode) == 0o600
    assert Settings(tmp_path, secret="given").signing_key() == b"given"


@pytest.mark.parametrize("change", ["x", "", "."])
def test_a_sealed_text_comes_back_unchanged_or_not_at_all(change: str) -> None:
    sealed = seal(b"key", "toast", "Été ✓")
    assert unseal(b"key", "toast", sealed) == "Été ✓"
    assert unseal(b"key", "other", sealed) is None
    assert unseal(b"other", "toast", sealed) is None
    assert unseal(b"key", "toast", change + sealed[1:]) is None


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["runs/%00", "approvals/%00/grant", "hooks/%00", "unsubscribe/eHg.é"])
async def test_addresses_that_no_store_can_keep_are_refused(office: Office, path: str) -> None:
    async with office.signed_in(LEADER) as visitor:
        answers = [await visitor.http.request(each, f"/n/small/{path}", content=b"{}") for each in ("GET", "POST")]
        assert [answer for answer in answers if answer.status_code not in range(400, 500)] == []
