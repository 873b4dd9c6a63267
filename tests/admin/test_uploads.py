"""Files and pictures: taken in, looked at, written anew, and sent to who may read the field."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from models import tokens
from models.attachment import Attachment
from models.clock import SetClock
from models.contents import Limits
from tests.admin.office import CAMILLE, DIANE, FILES, LEADER, Office, Visitor, office_of, token
from tests.homes import Homes
from tests.models.rows import records
from tests.networks import edited

pytestmark = pytest.mark.anyio

WITH_FILES = edited(
    FILES,
    (
        "  calls:        {type: integer",
        "  photo:        {type: image}\n  cv:           {type: file}\n  calls:        {type: integer",
    ),
    (
        "fields: {income_goal: {read: mine, write: none}}",
        "fields: {income_goal: {read: mine, write: none}, cv: {read: mine, write: mine}}",
    ),
    (
        "      comment: {type: long_text,",
        "      scan: {field: photo}\n      comment: {type: long_text,",
    ),
    (
        "fields: {phone: {read: none, write: none}}",
        "fields: {phone: {read: none, write: none}, cv: {read: none, write: none}}",
    ),
)
NEW = {"first_name": "Zoé", "last_name": "Marin", "country": "FR", "newsletter": "false", "calls": "0"}
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 20), *, secret: str = "") -> bytes:
    made, exif = Image.new("RGB", size, (200, 30, 30)), Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    exif[0x010E] = secret
    out = io.BytesIO()
    made.save(out, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return out.getvalue()


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<a/>")
    return out.getvalue()


@pytest.fixture
async def office(homes: Homes, clock: SetClock) -> AsyncIterator[Office]:
    async with office_of(homes, clock, WITH_FILES) as opened:
        yield opened


async def send(
    visitor: Visitor, files: dict[str, tuple[str, bytes]], path: str = "e/lead/new", **more: str
) -> httpx.Response:
    """Fill a form with files and send it."""
    page = await visitor.get(path.removesuffix("/delete"))
    data = {"_csrf": token(page.text), **more}
    return await visitor.http.post(f"/n/small/{path}", data=data, files=files)


async def added(visitor: Visitor, **files: tuple[str, bytes]) -> str:
    """Add a lead with files and return its address."""
    answer = await send(visitor, files, **NEW)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/n/small/")


async def program(office: Office, email: str) -> str:
    """A token of a member."""
    return (await tokens.create(office.tenant, office.members[email], name="test", days=1)).secret


async def lead(office: Office) -> dict[str, Attachment]:
    return (await records(office.tenant, "lead"))[0]


def folder(office: Office) -> Path:
    found = office.tenant.contents.folder
    assert found is not None
    return found


def kept(office: Office) -> list[str]:
    """The hashes of the contents on disk."""
    return sorted(sha for sha, _ in office.tenant.contents.shas())


async def test_a_file_goes_in_and_comes_out_as_it_was(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille, cv=("../../C:\\Mon CV “2026”.pdf", PDF))
        value = (await lead(office))["cv"]
        assert value == {
            "name": "Mon CV “2026”.pdf",
            "type": "application/pdf",
            "size": len(PDF),
            "sha": hashlib.sha256(PDF).hexdigest(),
        }
        page = await camille.get(at)
        assert f'href="/n/small/{at}/files/cv"' in page.text
        answer = await camille.get(f"{at}/files/cv")
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith('attachment; filename="Mon CV _2026_.pdf"; filename*=UTF-8')
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/pdf"


async def test_a_picture_loses_what_the_camera_wrote_and_stands_upright(office: Office) -> None:
    sent = picture(secret="48.8584 N 2.2945 E")
    assert b"48.8584" in sent
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille, photo=("moi.JPG", sent))
        page = await camille.get(at)
        assert f'<img class="picture" src="/n/small/{at}/files/photo/small" alt="moi.JPG"' in page.text
        whole = await camille.get(f"{at}/files/photo?shown=1")
        small = await camille.get(f"{at}/files/photo/small")
    assert whole.headers["content-disposition"].startswith("inline")
    assert b"48.8584" not in whole.content
    with Image.open(io.BytesIO(whole.content)) as found:
        assert (found.size, found.format, dict(found.getexif())) == ((20, 40), "JPEG", {})
    with Image.open(io.BytesIO(small.content)) as found:
        assert found.format == "WEBP"


REFUSED: list[tuple[str, str, bytes, str]] = [
    ("cv", "page.html", b"<html><script>alert(1)</script>", "Files of this kind are not taken."),
    ("cv", "logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Files of this kind are not taken."),
    ("cv", "run.exe", b"MZ\x90\x00" + bytes(100), "Files of this kind are not taken."),
    ("cv", "no end", PDF, "Files of this kind are not taken."),
    ("cv", "page.pdf", b"<html><script>alert(1)</script>", "is not what its name says"),
    ("cv", "run.txt", b"MZ\x90\x00" + bytes(100), "is not what its name says"),
    ("cv", "sheet.xlsx", zipped("word/document.xml"), "is not what its name says"),
    ("cv", "macro.docx", zipped("word/document.xml", "word/vbaProject.bin"), "is not what its name says"),
    ("cv", "cut.docx", zipped("word/document.xml")[:40], "is not what its name says"),
    ("cv", "nothing.txt", b"", "This file is empty."),
    ("cv", "large.txt", b"a" * 20_001, "This file is larger than"),
    ("photo", "cv.pdf", PDF, "This is no picture."),
    ("photo", "cut.png", picture("PNG")[:40], "This picture can&#39;t be read."),
    ("photo", "wide.png", picture("PNG", (2001, 1000)), "This picture has more than 2 million pixels."),
]


@pytest.mark.parametrize(("field", "name", "content", "said"), REFUSED, ids=[each[1] for each in REFUSED])
async def test_what_is_not_taken_is_refused_beside_its_field(
    office: Office, field: str, name: str, content: bytes, said: str
) -> None:
    object.__setattr__(office.networks.settings, "limits", Limits(size=20_000, pixels=2_000_000))
    async with office.signed_in(CAMILLE) as camille:
        answer = await send(camille, {field: (name, content)}, **NEW)
    assert answer.status_code == 422
    assert said in answer.text
    assert await records(office.tenant, "lead") == []
    assert not any((folder(office) / ".new").glob("*"))


async def test_a_form_that_is_too_large_is_refused_by_what_it_says_and_by_what_comes(office: Office) -> None:
    object.__setattr__(office.networks.settings, "limits", Limits(size=4096))
    most = Limits(size=4096).form

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="cv"; filename="a.txt"\r\n\r\n'
        for _ in range(most // 65536 + 2):
            yield b"a" * 65536
        pytest.fail("it was read to its end")

    async with office.signed_in(CAMILLE) as camille:
        found = {
            "x-csrf-token": token((await camille.get("e/lead/new")).text),
            "content-type": "multipart/form-data; boundary=b",
        }
        said = await camille.http.post(
            "/n/small/e/lead/new", content=b"", headers={**found, "content-length": str(2 * 1024**3)}
        )
        came = await camille.http.post("/n/small/e/lead/new", content=endless(), headers=found)
    assert (said.status_code, came.status_code) == (413, 413)


async def test_without_its_token_first_no_file_is_read(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        form = token((await camille.get("e/lead/new")).text)
        parts: list[tuple[str, tuple[str | None, bytes]]] = [("cv", ("a.pdf", PDF)), ("_csrf", (None, form.encode()))]
        parts += [(name, (None, text.encode())) for name, text in NEW.items()]
        late = await camille.http.post("/n/small/e/lead/new", files=parts)
        never = await camille.http.post("/n/small/e/lead/new", files=parts[:1])
    assert (late.status_code, never.status_code) == (403, 403)
    assert kept(office) == []


async def test_a_file_stays_goes_or_is_replaced(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille, cv=("a.pdf", PDF), photo=("a.png", picture("PNG")))
        form = (await camille.get(f"{at}/edit")).text
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
        base = hidden["base"].replace("&#34;", '"')
        same = {**NEW, "base": base, "version": hidden["version"], "cv": hidden["cv"], "photo": hidden["photo"]}
        answer = await send(camille, {"cv": ("", b"")}, f"{at}/edit", **{**same, "city": "Lyon"})
        assert answer.status_code == 303
        assert (await lead(office))["cv"]["name"] == "a.pdf"
        answer = await send(camille, {"cv": ("b.txt", b"Bonjour")}, f"{at}/field/cv", cv=hidden["cv"])
        assert answer.status_code == 303
        assert (await lead(office))["cv"]["name"] == "b.txt"
        answer = await send(camille, {}, f"{at}/field/photo", photo="none")
        assert answer.status_code in (303, 200)
        assert (await lead(office))["photo"] is None


async def test_what_was_uploaded_is_not_asked_for_again_when_something_else_is_wrong(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        answer = await send(camille, {"cv": ("a.pdf", PDF)}, **{**NEW, "last_name": ""})
        assert answer.status_code == 422
        upload = re.search(r'<input type="hidden" name="cv" value="([^"]+)/a.pdf">', answer.text)
        assert upload is not None
        again = await send(camille, {"cv": ("", b"")}, **NEW, cv=upload[1])
        assert again.status_code == 303
        assert (await lead(office))["cv"]["name"] == "a.pdf"


async def test_nobody_names_the_upload_or_the_hash_of_another(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille, office.signed_in(DIANE) as diane:
        answer = await send(camille, {"cv": ("a.pdf", PDF)}, **{**NEW, "last_name": ""})
        upload = re.search(r'name="cv" value="([^"]+)/a.pdf">', answer.text)
        assert upload is not None
        sha = hashlib.sha256(PDF).hexdigest()
        for named in (upload[1], sha, f"kept:{sha}/a.pdf"):
            answer = await send(diane, {}, **NEW, cv=named)
            assert answer.status_code == 422
            assert "This file was not uploaded" in answer.text


async def test_a_step_asks_for_files_of_the_record(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille)
        step = {"next_call_at": "2026-03-03T10:00", "comment": "", "_": ""}
        await send(camille, {}, f"{at}/field/phone", phone="+33612345678")
        answer = await send(camille, {"scan": ("s.png", picture("PNG"))}, f"{at}/move/recruiting/call", **step)
        assert answer.status_code == 303, answer.text
        assert (await lead(office))["photo"]["name"] == "s.png"


async def test_who_may_not_read_the_record_or_the_field_finds_no_file(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille, cv=("a.pdf", PDF), photo=("a.png", picture("PNG")))
        absent = await camille.get(f"{at}/files/city")
    async with office.signed_in(DIANE) as diane:
        foreign = await diane.get(f"{at}/files/cv")
        nothing = await diane.get("e/lead/00000000-0000-7000-8000-000000000000/files/cv")
    async with office.signed_in("alice@exemple.fr") as alice:
        hidden = await alice.get(f"{at}/files/cv")
        seen = await alice.get(f"{at}/files/photo")
    assert [each.status_code for each in (absent, foreign, nothing, hidden, seen)] == [404, 404, 404, 404, 200]
    assert foreign.text.replace(at, "e/lead/00000000-0000-7000-8000-000000000000") == nothing.text


async def test_a_file_that_is_taken_away_stands_in_the_audit_unless_it_is_ones_own(office: Office) -> None:
    async with office.signed_in(CAMILLE) as camille:
        at = await added(camille, cv=("a.pdf", PDF))
        assert (await camille.get(f"{at}/files/cv")).status_code == 200
    async with office.signed_in(LEADER) as claire:
        assert (await claire.get(f"{at}/files/cv")).status_code == 200
        assert (await claire.get(f"{at}/files/photo")).status_code == 404
    secret = await program(office, LEADER)
    async with office.visitor() as other:
        bearer = f"Bearer {secret}"
        answer = await other.get(f"api/v1/entities/{at.removeprefix('e/')}/files/cv", authorization=bearer)
        assert answer.status_code == 200
    await office.tenant.readings.flush()
    sql = 'SELECT "member", "record", "fields", "owners", "entry" FROM "_audit" WHERE "kind" = ? ORDER BY "entry"'
    rows = await office.tenant.store.read(lambda tx: tx.rows(sql, ["download"]))
    told = (office.members[LEADER], at.rpartition("/")[2], '["cv"]', f'["{office.members[CAMILLE]}"]')
    assert [row[:4] for row in rows] == [told, told]
    assert [row[4].partition(":")[0] for row in rows] == ["session", "token"]
    async with office.signed_in(CAMILLE) as camille:
        assert "Claire Alba · Downloaded a file" in (await camille.get("account/seen")).text


async def test_the_back_office_names_files_and_saves_what_stands_beside_them(office: Office) -> None:
    leads = "back-office/api/tables/Lead/"
    async with office.signed_in(CAMILLE) as camille:
        record = (await added(camille, cv=("a.pdf", PDF), photo=("a.png", picture("PNG")))).rpartition("/")[2]
    async with office.signed_in(LEADER) as claire:
        await claire.get("back-office/")
        claire.http.headers["x-csrftoken"] = claire.http.cookies["csrftoken"]
        form = (await claire.get(f"{leads}{record}/")).json()
        assert (form["cv"], form["photo"]) == ("a.pdf", "a.png")
        form = {name: value for name, value in form.items() if not name.endswith("_readable")}
        address = f"/n/small/{leads}{record}/"
        for other in ({"cv": "b.pdf"}, {"cv": None}, {"photo": "kept:a"}):
            refused = await claire.http.put(address, json={**form, **other})
            assert refused.status_code == 422
            assert "on the record's own screen" in refused.text
        saved = await claire.http.put(address, json={**form, "city": "Nice"})
        assert saved.status_code == 200, saved.text
        new = await claire.http.post(
            f"/n/small/{leads}", json={**NEW, "newsletter": False, "calls": 0, "cv": "", "photo": ""}
        )
        assert new.status_code == 201, new.text
    found = {row["id"]: row for row in await records(office.tenant, "lead")}
    assert (found[record]["city"], found[record]["cv"]["name"], found[record]["photo"]["name"]) == (
        "Nice",
        "a.pdf",
        "a.png",
    )


async def test_lists_show_the_small_form_of_pictures(office: Office) -> None:
    async with office.signed_in(LEADER) as claire:
        at = await added(claire, photo=("a.png", picture("PNG")))
        page = await claire.get("e/lead/?c=first_name&c=photo")
    assert f'src="/n/small/{at}/files/photo/small"' in page.text


async def test_programs_upload_first_and_name_the_upload_then(office: Office) -> None:
    secret = await program(office, CAMILLE)
    headers = {"authorization": f"Bearer {secret}"}
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://testserver/n/small/api/v1", headers=headers
    ) as api:
        upload = (await api.post("/uploads", files={"file": ("cv.pdf", PDF)})).json()
        sha = hashlib.sha256(PDF).hexdigest()
        assert upload.keys() == {"id", "name", "type", "size", "sha"}
        given = {"first_name": "Zoé", "last_name": "Marin", "country": "FR"}
        made = await api.post("/entities/lead", json={**given, "cv": upload["id"]})
        assert made.json()["cv"] == {"name": "cv.pdf", "type": "application/pdf", "size": len(PDF), "sha": sha}
        at = f"/entities/lead/{made.json()['id']}"
        answer = await api.get(f"{at}/files/cv")
        assert answer.content == PDF
        assert answer.headers["content-disposition"].startswith("attachment")
        again = await api.get(f"{at}/files/cv", headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        wrong = [
            await api.post("/entities/lead", json={**given, "cv": made.json()["cv"]}),
            await api.post("/entities/lead", json={**given, "cv": sha}),
            await api.post("/uploads", files={"file": ("cv.html", b"<html>")}),
            await api.post("/uploads", json={}),
            await api.post("/uploads", content=b"", headers={"content-length": str(2 * 1024**3)}),
            await api.get(f"{at}/files/photo"),
            await api.get(f"{at}/files/city"),
        ]
        assert [each.status_code for each in wrong] == [422, 422, 422, 415, 413, 404, 404]
        described = (await api.get("/openapi.json")).json()["paths"]
        assert {"/uploads", "/entities/lead/{id}/files/cv", "/entities/lead/{id}/files/photo"} <= described.keys()
        cleared = await api.patch(at, json={"cv": None}, headers={"if-match": made.headers["etag"]})
        assert cleared.json()["cv"] is None


async def test_who_may_fill_no_file_uploads_none(office: Office) -> None:
    secret = await program(office, "alice@exemple.fr")
    transport = httpx.ASGITransport(app=office.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver/n/small/api/v1") as api:
        answer = await api.post(
            "/uploads", files={"file": ("cv.pdf", PDF)}, headers={"authorization": f"Bearer {secret}"}
        )
    assert answer.status_code == 404
    assert kept(office) == []
