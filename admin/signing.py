"""Small texts that leave for the browser and must come back unchanged: signed with the installation's secret."""

from __future__ import annotations

import base64
import hashlib
import hmac


def signature(key: bytes, *parts: str) -> str:
    """Return a signature of the parts, fit for a cookie or a form."""
    digest = hmac.digest(key, "\x1f".join(parts).encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:24]).decode()


def seal(key: bytes, purpose: str, text: str) -> str:
    """Return the text, encoded, with a signature that holds for this purpose only."""
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{signature(key, purpose, body)}"


def unseal(key: bytes, purpose: str, sealed: str) -> str | None:
    """Return the text that was sealed for this purpose; None when it was changed."""
    body, _, mark = sealed.partition(".")
    if not hmac.compare_digest(mark.encode(), signature(key, purpose, body).encode()):
        return None
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
