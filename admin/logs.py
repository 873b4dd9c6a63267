"""What the server writes about itself: one line an event, and never the values of variables."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, cast, get_args

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Form = Literal["lines", "json"]
LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
OTHERS = "asyncio", "asyncpg", "uvicorn", "uvicorn.error"
"""Loggers of libraries whose warnings are written in the same form."""

_UNPLAIN = re.compile(r"[\s=\"'\x00-\x1f\x7f-\x9f]|^$")
"""What is not written in a line as it is."""

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class UnknownFormError(ValueError):
    """`MAILLE_LOG` is `lines` or `json`, and `MAILLE_LOG_LEVEL` one of `debug info warning error`."""


class _Output(logging.Handler):
    """Writes to standard output as it is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; nothing fails because it cannot be written."""
        with suppress(OSError, ValueError):  # nobody reads it any more
            sys.stdout.write(self.format(record) + "\n")


def configure(form: str = "lines", level: str = "info") -> None:
    """Write events with their time; errors with where they happened, but without what variables held.

    `json` is one object a line, for programs; `lines` is for people. What libraries warn of is written the same way.
    """
    if form not in get_args(Form) or level not in LEVELS:
        raise UnknownFormError(str(UnknownFormError.__doc__))
    ending = _ending(cast("Form", form))
    structlog.configure(
        processors=[*_SHARED, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(),  # a line is one write: processes share an output
    )
    _others(ending)


def _ending(form: Form) -> tuple[Processor, ...]:
    """Return what makes text of an event."""
    written = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else line
    return (structlog.processors.format_exc_info, written)


def line(_: WrappedLogger, __: str, event: EventDict) -> str:
    """Return an event as a line for people: when, how grave, what, then what is known of it by name.

    A text with spaces or anything that could end the line is quoted. An error follows on lines of its own.
    """
    when, level, what = event.pop("timestamp", ""), event.pop("level", ""), event.pop("event", "")
    behind = [str(event.pop(name)) for name in ("stack", "exception") if name in event]
    known = " ".join([f"{name}={_plain(event[name])}" for name in sorted(event)])
    head = f"{when} [{level:<9}] {' '.join(str(what).splitlines()):<30} {known}"
    return "\n".join([head.rstrip(), *behind])


def _plain(value: object) -> str:
    return value if isinstance(value, str) and not _UNPLAIN.search(value) else repr(value)


def _others(ending: tuple[Processor, ...]) -> None:
    """Have what libraries log written as our own events are."""
    handler = _Output()
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=[remove, *ending]))
    for name in OTHERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)
