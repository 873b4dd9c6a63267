"""Turn what a form, an import or a program gives into the value of a field: one function a type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale
from email_validator import EmailNotValidError, validate_email

from definitions.duration import MOST_WORKING, Duration
from definitions.spec.entity import Field, FieldType
from models import phones
from models.attachment import Attachment
from models.message import Message, say

MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 18
MAX_TEXT = 100_000
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
"""Moments that have a day in every time zone: others could be kept, and never be shown."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_NOT_IN_URLS = re.compile(r"[\s\x00-\x20\x7f\ud800-\udfff]")
_PLAIN_LOCAL = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
"""What may stand before the `@` of an address whatever stands behind it."""
_SPACES = str.maketrans("", "", " \u00a0\u202f'")
_DURATION = re.compile(r"(\d{1,6}) ?(m|h|d|w|months?|years?|working hours?|working days?)")


class ValueRefusedError(Exception):
    """A value that its field cannot take; `message` says why."""

    def __init__(self, message: Message) -> None:
        """Keep the sentence."""
        self.message = message
        super().__init__(str(message))


@dataclass(frozen=True, slots=True)
class Locality:
    """What conversion takes from the network: its time zone, and the country whose phone numbers need no prefix."""

    timezone: ZoneInfo
    region: str | None = None


@cache
def iso_countries() -> frozenset[str]:
    """Return the two-letter codes of ISO 3166-1, from the time zone database."""
    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    return frozenset(line.split("\t")[0] for line in table.splitlines() if not line.startswith("#"))


@cache
def languages() -> frozenset[str]:
    """Return the codes of the languages that have a name in English."""
    return frozenset(str(code) for code in Locale("en").languages if len(str(code)) <= 3)


def convert(field: Field, raw: Any, locality: Locality) -> Any:
    """Return the value of memory that `raw` stands for, None for nothing (an empty text, spaces only).

    Raises `ValueRefusedError` with the sentence to show.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    return _CONVERTERS[field.type](field, raw, locality)


def _text(field: Field, raw: Any, _: Locality) -> str:
    if not isinstance(raw, str):
        raise ValueRefusedError(say("This is not a text."))
    text = raw.replace("\r\n", "\n").strip()
    if _CONTROL.search(text) or len(text) > MAX_TEXT:
        raise ValueRefusedError(say("This text is too long or has characters that cannot be kept."))
    if field.type == "long_text":
        return text
    return " ".join(text.split())


def _integer(_: Field, raw: Any, __: Locality) -> int:
    if type(raw) is int and abs(raw) <= MAX_INTEGER:
        return raw
    problem = ValueRefusedError(say("This is not a whole number."))
    if isinstance(raw, bool):
        raise problem
    if isinstance(raw, float | Decimal):
        if raw != raw // 1:
            raise problem
        raw = int(raw)
    try:
        number = int(raw.translate(_SPACES) if isinstance(raw, str) else raw)
    except (ValueError, TypeError):
        raise problem from None
    if abs(number) > MAX_INTEGER:
        raise ValueRefusedError(say("This number is too big."))
    return number


def _decimal(field: Field, raw: Any, _: Locality) -> Decimal:
    try:
        if isinstance(raw, str):
            number = _written_decimal(field, raw)
        elif isinstance(raw, bool):
            raise ValueRefusedError(say("This is not a number."))
        else:
            number = Decimal(str(raw) if isinstance(raw, float) else raw)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueRefusedError(say("This is not a number.")) from None
    if not number.is_finite():
        raise ValueRefusedError(say("This is not a number."))
    if number.adjusted() >= MAX_DIGITS - field.scale:
        raise ValueRefusedError(say("This number is too big."))
    return number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)


def _written_decimal(field: Field, raw: str) -> Decimal:
    """Read a number as people write it: `1 234,50`, `1.234,50`, `1,234.50`.

    More decimals than the field keeps are refused, not rounded.
    """
    text = raw.strip().translate(_SPACES)
    mark = max(",.", key=text.rfind)
    if text.count(mark) == 1:  # the last mark begins the decimals, the other one keeps thousands apart
        text = text.replace("." if mark == "," else ",", "").replace(mark, ".")
    number = Decimal(text)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > field.scale:
        raise ValueRefusedError(say("This number has more than {count} decimals.", count=field.scale))
    return number


def _boolean(_: Field, raw: Any, __: Locality) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower()
    if word in {"true", "1", "on"}:
        return True
    if word in {"false", "0", "off"}:
        return False
    raise ValueRefusedError(say("This is neither yes nor no."))


def _date(_: Field, raw: Any, __: Locality) -> date:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    try:
        return date.fromisoformat(str(raw).strip())
    except ValueError:
        raise ValueRefusedError(say("This is not a date.")) from None


def _datetime(_: Field, raw: Any, locality: Locality) -> datetime:
    try:
        moment = _moment(raw)
        local = moment if moment.tzinfo else moment.replace(tzinfo=locality.timezone)
        found = local.astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValueRefusedError(say("This is not a date and time."))
    return found


def _moment(raw: Any) -> datetime:
    if isinstance(raw, datetime):
        return raw
    if isinstance(raw, date):
        return datetime.combine(raw, time())
    return datetime.fromisoformat(str(raw).strip())


def _duration(_: Field, raw: Any, __: Locality) -> Duration:
    found = _span(raw)
    if not found.is_countable:
        raise ValueRefusedError(say("At most {most} working hours or days.", most=MOST_WORKING))
    return found


def _span(raw: Any) -> Duration:
    if isinstance(raw, Duration):
        return raw
    if isinstance(raw, timedelta):
        return Duration(exact=raw)
    found = _DURATION.fullmatch(str(raw).strip())
    if found is None:
        raise ValueRefusedError(say("This is not a duration, like 3d or 6 months."))
    count = int(found[1])
    unit = found[2].removesuffix("s")
    spans: dict[str, Callable[[int], Duration]] = {
        "m": lambda n: Duration(exact=timedelta(minutes=n)),
        "h": lambda n: Duration(exact=timedelta(hours=n)),
        "d": lambda n: Duration(exact=timedelta(days=n)),
        "w": lambda n: Duration(exact=timedelta(weeks=n)),
        "month": lambda n: Duration(months=n),
        "year": lambda n: Duration(months=12 * n),
        "working hour": lambda n: Duration(working_hours=n),
        "working day": lambda n: Duration(working_days=n),
    }
    return spans[unit](count)


def _email(_: Field, raw: Any, __: Locality) -> str:
    text = str(raw).strip()
    local, _at, domain = text.partition("@")
    try:
        if _PLAIN_LOCAL.fullmatch(local) and len(local) <= 64 and len(text) <= 200 and text.isascii():
            return f"{local}@{_domain(domain)}"
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueRefusedError(say("This is not an e-mail address.")) from None


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """Return a domain as it is kept; many people share few of them."""
    return validate_email(f"a@{domain}", check_deliverability=False).domain


def _phone(_: Field, raw: Any, locality: Locality) -> str:
    found = phones.kept(str(raw), locality.region)
    if found is None:
        raise ValueRefusedError(say("This is not a phone number."))
    return found


def _url(_: Field, raw: Any, __: Locality) -> str:
    text = str(raw).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueRefusedError(say("This is not a web address.")) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(text) > 2000 or _NOT_IN_URLS.search(text):
        raise ValueRefusedError(say("This is not a web address."))
    return text


def _country(_: Field, raw: Any, __: Locality) -> str:
    code = str(raw).strip().upper()
    if code not in iso_countries():
        raise ValueRefusedError(say("This is not a country."))
    return code


def _language(_: Field, raw: Any, __: Locality) -> str:
    code = str(raw).strip().lower()
    if code not in languages():
        raise ValueRefusedError(say("This is not a language."))
    return code


def _choice(field: Field, raw: Any, _: Locality) -> str:
    if not isinstance(raw, str) or raw not in field.options:
        raise ValueRefusedError(say("This is not one of the options."))
    return raw


def _choices(field: Field, raw: Any, _: Locality) -> tuple[str, ...] | None:
    chosen = {raw} if isinstance(raw, str) else set(raw)
    if not chosen <= set(field.options):
        raise ValueRefusedError(say("This is not one of the options."))
    return tuple(name for name in field.options if name in chosen) or None


def _reference(_: Field, raw: Any, __: Locality) -> Mapping[str, str]:
    found = raw.get("id") if isinstance(raw, Mapping) else getattr(raw, "id", raw)
    if not isinstance(found, str) or not found or len(found) > 100:
        raise ValueRefusedError(say("This record does not exist, or you may not see it."))
    return {"id": found}


def _file(_: Field, raw: Any, __: Locality) -> Attachment | str:
    """Return what is kept already, or the id of an upload, which stands for what was uploaded."""
    if isinstance(raw, Attachment):
        return raw
    if not isinstance(raw, str) or len(raw) > 200 or _CONTROL.search(raw):
        raise ValueRefusedError(say("This is the id of an upload."))
    return raw


def _json(_: Field, raw: Any, __: Locality) -> Any:
    problem = ValueRefusedError(say("This is not JSON."))
    try:
        found = json.loads(raw if isinstance(raw, str) else json.dumps(raw), parse_constant=_no_number)
        written = json.dumps(found, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        raise problem from None
    if len(written) > MAX_TEXT or _CONTROL.search(written) or "\\u0000" in written:
        raise problem
    return found


def _no_number(name: str) -> None:
    """Refuse `NaN` and `Infinity`, which are Python's and not JSON's."""
    raise ValueError(name)


_CONVERTERS: Mapping[FieldType, Callable[[Field, Any, Locality], Any]] = {
    "text": _text,
    "long_text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "money": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "duration": _duration,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "country": _country,
    "language": _language,
    "choice": _choice,
    "choices": _choices,
    "reference": _reference,
    "file": _file,
    "image": _file,
    "json": _json,
}
