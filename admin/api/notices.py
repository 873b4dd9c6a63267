"""The caller's own notifications."""

from __future__ import annotations

from typing import Any

from admin.api.asked import flag, whole
from admin.api.call import Answer, Call
from admin.api.values import moment
from workflows import notices
from workflows.notices import Notice
from workflows.unit import Unit

MOST = 500


async def listing(call: Call) -> Answer:
    """List the caller's notifications, newest first."""

    async def work(unit: Unit) -> Answer:
        limit = whole(call.given, "limit", notices.AT_ONCE, MOST)
        page = await notices.page(unit, unread=flag(call.given, "unread"), before=call.given.get("cursor"), limit=limit)
        return Answer({"items": [_notice(each) for each in page.notices], "next": page.next})

    return await call.read(work, "unread", "limit", "cursor")


def _notice(notice: Notice) -> dict[str, Any]:
    about = {"entity": notice.entity, "id": notice.record, "title": notice.title}
    return {
        "id": notice.id,
        "at": moment(notice.at),
        "title": notice.subject,
        "text": notice.text,
        "about": about if notice.record else None,
        "read_at": None if notice.read_at is None else moment(notice.read_at),
    }


async def mark(call: Call) -> Answer:
    """Mark a notification as read."""
    return await _mark(call, call.request.path_params["notice"])


async def mark_all(call: Call) -> Answer:
    """Mark all of them as read."""
    return await _mark(call, None)


async def _mark(call: Call, notice: str | None) -> Answer:
    async def work(unit: Unit) -> Answer:
        await notices.mark(unit, notice)
        return Answer(status=204)

    return await call.write(work)
