"""What the server writes about itself, for people or for programs, what libraries write included."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from admin import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logs.configure()


def fail() -> None:
    secret = "zq77" * 2
    raise ValueError(len(secret))


def test_programs_read_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    with structlog.contextvars.bound_contextvars(request_id="of-this-request"):
        structlog.get_logger().info("said", what="a\nforged line", who="Zoé")
        try:
            fail()
        except ValueError:
            structlog.get_logger().exception("failed")
            logging.getLogger("uvicorn.error").exception("Exception in %s", "ASGI")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["event"] for each in written] == ["said", "failed", "Exception in ASGI"]
    assert {each["request_id"] for each in written} == {"of-this-request"}
    assert [each["level"] for each in written] == ["info", "error", "error"]
    assert written[0]["what"] == "a\nforged line"
    assert all("in fail" in each["exception"] for each in written[1:])
    assert "zq77" not in str(written)


def test_people_read_a_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().info("said", what="a\nforged line")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert r"what='a\nforged line'" in said


def test_a_line_is_one_write_so_that_processes_may_share_an_output(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("sys.stdout.write", written.append)
    structlog.get_logger().info("said")
    logging.getLogger("asyncio").warning("said")
    assert [text.count("\n") for text in written] == [1, 1]


@pytest.mark.parametrize(("level", "written"), [("debug", 3), ("info", 2), ("warning", 1)])
def test_what_is_less_than_wanted_is_not_written(level: str, written: int, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", level)
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(capsys.readouterr().out.splitlines()) == written


@pytest.mark.parametrize("wrong", [("xml", "info"), ("json", "loud")])
def test_a_form_that_there_is_not_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(logs.UnknownFormError, match="MAILLE_LOG"):
        logs.configure(*wrong)
