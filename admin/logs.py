"""What the server writes about itself: one line an event, and never the values of variables."""

from __future__ import annotations

import structlog


def configure() -> None:
    """Write events with their time; errors with where they happened, but without what variables held."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
