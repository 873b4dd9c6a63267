"""What the server writes of an event for people is one line, whatever somebody sent."""

from __future__ import annotations

import logging

import pytest
import structlog

from admin import logs

WHEN = {"timestamp": "2026-11-23T08:00:00Z", "level": "info"}


def line(**event: object) -> str:
    return logs.line(None, "info", {**WHEN, **event})


def test_an_event_is_a_line_with_what_is_known_in_the_order_of_the_names() -> None:
    told = line(event="request", status=200, ms=1.5, method="GET")
    assert told == f"2026-11-23T08:00:00Z [info     ] {'request':<30} method=GET ms=1.5 status=200"


@pytest.mark.parametrize("sent", ["two words", "a\nb", "a\rb", "a\u2028b", "a=b", 'say "x"', "\x1b[31m", ""])
def test_what_could_be_taken_for_something_else_is_quoted(sent: str) -> None:
    told = line(event="request", route=sent)
    assert told.endswith(f"route={sent!r}")
    assert len(told.splitlines()) == 1


def test_the_name_of_an_event_never_ends_the_line() -> None:
    assert len(line(event="a\nb").splitlines()) == 1


def test_an_error_follows_with_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    logs.configure()
    try:
        try:
            raise LookupError("nothing there")  # noqa: TRY301 - what is logged is raised somewhere
        except LookupError:
            structlog.get_logger().exception("failed", step=3)
        logging.getLogger("asyncio").warning("slow: %s", "a task")
    finally:
        structlog.configure(**before)
    told = capsys.readouterr().out.splitlines()
    assert "[error    ] failed" in told[0]
    assert told[0].endswith("step=3")
    assert told[1] == "Traceback (most recent call last):"
    assert told[-2].strip() == "LookupError: nothing there"
    assert "[warning  ] slow: a task" in told[-1]
