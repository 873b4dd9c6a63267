"""Making values up: what a demo's makers say, turned into the values of one record after the other."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, assert_never

from definitions.spec.demo import Chance, Constant, Existing, Maker, Number, Pattern, Pick, Shift, Source
from definitions.spec.entity import Field, FieldType
from models.calendar import OfficeCalendar

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)(\|slug)?\}")
_DAY = timedelta(days=1)
_QUARTER = 15
_SPELT = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "-"})


@dataclass(slots=True)
class World:
    """What the making of all records shares: the office's hours, and what there is already."""

    office: OfficeCalendar
    existing: dict[str, list[str]] = field(default_factory=dict)
    texts: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Making:
    """The making of one record's values at a moment. The same `rng` and world make the same values."""

    world: World
    rng: Random
    moment: datetime
    shared: dict[str, Any] = field(default_factory=dict)

    def values(self, makers: Mapping[str, Maker], fields: Mapping[str, Field]) -> dict[str, Any]:
        """Return a value for each maker, in their order; `fields` are those that they are for."""
        made: dict[str, Any] = {}
        for name, maker in makers.items():
            shape = fields.get(name)
            made[name] = self.value(maker, shape.type if shape else None, made)
        return made

    def value(self, maker: Maker, kind: FieldType | None = None, made: Mapping[str, Any] | None = None) -> Any:
        """Return a value for a field of type `kind` (None: for something else); `made` are those made before."""
        if maker.empty and self.rng.random() < maker.empty:
            return None
        return self._made(maker.source, kind, made or {})

    def _made(self, source: Source, kind: FieldType | None, made: Mapping[str, Any]) -> Any:
        match source:
            case Constant(value):
                return value
            case Pick():
                return self._pick(source)
            case Pattern():
                return self._text(source, made)
            case Shift(least, most):
                return self._moment(self.moment + least + (most - least) * self.rng.random(), kind)
            case Number():
                return self._number(source, kind)
            case Chance(share):
                return self.rng.random() < share
            case Existing(entity):
                known = self.world.existing.get(entity)
                return self.rng.choice(known) if known else None
            case never:
                assert_never(never)

    def _number(self, number: Number, kind: FieldType | None) -> int | Decimal:
        steps = self.rng.randint(0, int((number.high - number.low) / number.step))
        exact = Decimal(str(number.low)) + steps * Decimal(str(number.step))
        return int(exact) if kind == "integer" or exact == exact.to_integral_value() else exact

    def _pick(self, pick: Pick) -> Any:
        if pick.shared is not None and pick.key is not None:
            if pick.shared not in self.shared:
                self.shared[pick.shared] = self._weighted(pick.choices)
            return self.shared[pick.shared].get(pick.key)
        if pick.many is None:
            return self._weighted(pick.choices)
        count = self.rng.randint(1, pick.many)
        return list(dict.fromkeys(self._weighted(pick.choices) for _ in range(count)))

    def _weighted(self, choices: Sequence[tuple[Any, float]]) -> Any:
        return self.rng.choices([value for value, _ in choices], [weight for _, weight in choices])[0]

    def _text(self, pattern: Pattern, made: Mapping[str, Any]) -> str:
        def filled(found: re.Match[str]) -> str:
            name = found[1]
            if name == "again":
                return "{again}"
            text = str((self._pick(pattern.picks[name]) if name in pattern.picks else made.get(name)) or "")
            return slug(text) if found[2] else text

        text = _PLACE.sub(filled, re.sub("#", lambda _: str(self.rng.randrange(10)), pattern.text))
        if "{again}" not in text:
            return text
        self.world.texts[(pattern.text, text)] += 1
        count = self.world.texts[(pattern.text, text)]
        return text.replace("{again}", "" if count == 1 else f" {count}" if " " in text else str(count))

    def _moment(self, moment: datetime, kind: FieldType | None) -> Any:
        if kind == "date":
            return moment.astimezone(self.world.office.timezone).date()
        return in_office(moment, self.world.office, self.rng, minutes=_QUARTER)


def slug(text: str) -> str:
    """Return a text as it stands in addresses: small letters and digits, hyphens between."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_SPELT)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def in_office(moment: datetime, office: OfficeCalendar, rng: Random, *, days: int = 1, minutes: int = 1) -> datetime:
    """Return a moment in opening hours on the day of `moment`, else on a working day soon after it.

    `days` -1: soon before it. The time of day is a multiple of `minutes`.
    """
    calendar = office.calendar
    local = moment.astimezone(office.timezone)
    for _ in range(20):
        if office.works_on(local.date()):
            break
        local += rng.randint(1, 3) * days * _DAY
    minute = rng.randrange(calendar.opens, max(calendar.closes, calendar.opens + minutes)) // minutes * minutes
    return local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0).astimezone(UTC)


def apportion(count: int, shares: Sequence[float]) -> list[int]:
    """Return how many of `count` fall to each share: whole numbers that add up, by the largest remainder."""
    total = sum(shares)
    exact = [count * share / total for share in shares]
    whole = [int(number) for number in exact]
    by_remainder = sorted(range(len(shares)), key=lambda at: (whole[at] - exact[at], at))
    for at in by_remainder[: count - sum(whole)]:
        whole[at] += 1
    return whole


def counting_ids(seed: int, now: Callable[[], datetime]) -> Callable[[], str]:
    """Return a source of UUIDv7 that depend on the seed and the time alone; those of one moment are in order."""
    rng = Random(seed)  # noqa: S311 - made-up data, no secrets
    last = (0, 0)

    def new_id() -> str:
        nonlocal last
        milliseconds = int(now().timestamp() * 1000)
        last = (milliseconds, last[1] + 1 if last[0] == milliseconds else 0)
        value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (last[1] & (1 << 12) - 1) << 64
        digits = f"{value | 0b10 << 62 | rng.getrandbits(62):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return new_id
