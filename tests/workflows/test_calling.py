from __future__ import annotations

import asyncio

import pytest

from tests.workflows.receiver import receiving
from workflows.calling import CallError, HttpCaller, Target, is_public, target_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "ff02::1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "255.255.255.255"),
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://exemple.fr", Target(True, "exemple.fr", 443, "/")),
        ("http://Exemple.fr:8080/a b?c=d é", Target(False, "exemple.fr", 8080, "/a%20b?c=d%20%C3%A9")),
        ("https://écoles.exemple.fr/x", Target(True, "xn--coles-9ra.exemple.fr", 443, "/x")),
        ("https://[2606::1]:444/x", Target(True, "2606::1", 444, "/x")),
    ],
)
def test_an_address_is_taken_apart(url: str, target: Target) -> None:
    assert target_of(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "exemple.fr",
        "ftp://exemple.fr",
        "file:///etc/passwd",
        "https://",
        "https://a:b@exemple.fr",
        "https://x:99999",
        "https://" + "x" * 300 + ".fr",
        "https://exemple.fr/" + "x" * 2000,
        "https://[::1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(CallError) as refused:
        target_of(url)
    assert refused.value.permanent


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], []])
async def test_a_name_that_leads_inside_is_not_called(addresses: list[str]) -> None:
    async def find(_: str, __: int) -> list[str]:
        return addresses

    with pytest.raises(CallError) as refused:
        await HttpCaller(find=find).call("https://exemple.fr", {}, b"{}")
    assert refused.value.permanent


async def test_this_machine_is_never_called() -> None:
    async with receiving() as receiver:
        for host in ("127.0.0.1", "localhost", "[::1]"):
            with pytest.raises(CallError):
                await HttpCaller().call(f"http://{host}:{receiver.port}/", {}, b"{}")
        assert receiver.calls == []


async def test_a_call_says_where_it_goes_and_what_it_brings() -> None:
    async with receiving() as receiver:
        assert await receiver.caller().call(receiver.url, {"webhook-id": "1"}, b'{"a": 1}') == 204
        (call,) = receiver.calls
        assert call.line == "POST /in?from=maille HTTP/1.1"
        assert call.headers["host"] == f"crm.exemple.fr:{receiver.port}"
        assert call.headers["content-type"] == "application/json"
        assert call.headers["webhook-id"] == "1"
        assert call.json == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "status", "permanent"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", 302, False),
        (b"HTTP/1.1 410 Gone\r\n\r\n", 410, True),
        (b"HTTP/1.1 500 No\r\n\r\n", 500, False),
        (b"hello\r\n", None, False),
        (b"HTTP/1.1 20 OK\r\n", None, False),
        (b"", None, False),
        (b"x" * 100_000, None, False),
    ],
)
async def test_what_is_not_taken_says_why(answer: bytes, status: int | None, *, permanent: bool) -> None:
    async with receiving() as receiver:
        receiver.answers.append(answer)
        with pytest.raises(CallError) as refused:
            await receiver.caller().call(receiver.url, {}, b"{}")
        assert (refused.value.status, refused.value.permanent) == (status, permanent)
        assert len(receiver.calls) == 1


async def test_an_answer_may_be_announced() -> None:
    async with receiving() as receiver:
        receiver.answers.append(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
        assert await receiver.caller().call(receiver.url, {}, b"{}") == 200


async def test_nobody_waits_for_ever() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(CallError):
        await HttpCaller(permitted=lambda _: True, timeout=0.05).call(f"http://127.0.0.1:{port}/", {}, b"{}")
    server.close()
    await server.wait_closed()
    with pytest.raises(CallError):
        await HttpCaller(permitted=lambda _: True).call(f"http://127.0.0.1:{port}/", {}, b"{}")
