"""The chain of the audit: each row's digest, sealed with what came before it, so that no row changes unseen.

A sealer gives rows their places behind the commit, so that commits do not wait for each other; only what is committed
is in its sight. A link is SHA-256 over the link before it and the row's digest. Beside it stands a mark, the link under
a key of the installation: who can write to the database alone cannot make one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.audit import PROVEN, SEALED, digest, ip_digest
from models.ddl import listed
from models.message import Message, say
from models.secrets import Vault
from models.store import Store
from models.system import SEAL
from models.tx import Row, Tx

FIRST = "0" * 64
"""What stands before the first link."""
BATCH = 500
PURPOSE = "audit"

Progress = Callable[[str, int, int], None]

_NEWEST = 'SELECT "seq", "link" FROM "_seal" ORDER BY "seq" DESC LIMIT 1'
_WAITING = f"""SELECT {listed(SEALED)} FROM "_audit" WHERE "seq" IS NULL
ORDER BY "at", "id" LIMIT ?"""  # noqa: S608 - columns of ours
_PLACE = 'UPDATE "_audit" SET "seq" = ? WHERE "id" = ?'
_READ = f"""SELECT s."seq", s."audit", s."at", s."scope", s."digest", s."link", s."mark", a."seq", a."ip", a."salt",
{listed(SEALED, "a")}, h."id" IS NOT NULL, {listed(PROVEN, "h")}, a."proof" IS NOT NULL AND h."id" IS NULL
AND EXISTS (SELECT 1 FROM "_audit" e WHERE e."record" = a."record" AND e."kind" = 'erased'
AND (e."seq" IS NULL OR e."seq" > s."seq")),
(SELECT max(e."detail") FROM "_audit" e WHERE e."record" = s."audit" AND e."kind" = 'erased' AND e."entity" = '_audit'
AND (e."seq" IS NULL OR e."seq" > s."seq")) FROM "_seal" s
LEFT JOIN "_audit" a ON a."id" = s."audit" LEFT JOIN "_history" h ON h."id" = a."id"
WHERE s."seq" > ? ORDER BY s."seq" LIMIT ?"""  # noqa: S608 - the same
"""What is erased while somebody checks is explained by a row that waits for its seal."""
_STRANGE = """SELECT a."id", a."seq" FROM "_audit" a LEFT JOIN "_seal" s ON s."audit" = a."id"
WHERE a."seq" IS NOT NULL AND s."seq" IS NULL ORDER BY a."seq" LIMIT 1"""
_PURGES = (
    """SELECT "entity", max("detail") FROM "_audit" WHERE "kind" = 'purged' AND "seq" IS NOT NULL GROUP BY "entity" """
)
_IMPORTED = """SELECT max("seq") FROM "_audit" WHERE "kind" = 'imported'"""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link: kept elsewhere, it shows that the chain still holds all that it held then."""

    seq: int
    link: str

    def __str__(self) -> str:
        """Return how it is written down: `1042:9f…`."""
        return f"{self.seq}:{self.link}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking the chain found: how many rows hold, or the first place where it is broken and why.

    `purged` rows are gone by the rules; of `erased` ones the record was erased later, which is a row of the chain
    itself; `elsewhere` were sealed by the installation that the network was taken from.
    """

    head: Head
    rows: int
    purged: int = 0
    erased: int = 0
    elsewhere: int = 0
    broken: int | None = None
    row: str | None = None
    why: Message | None = None


def read_head(text: str) -> Head:
    """Return the head that was written down; `ValueError` when it is none."""
    seq, colon, link = text.strip().partition(":")
    if not colon or not (seq.isascii() and seq.isdigit() and len(seq) < 16) or len(link) != len(FIRST):
        raise ValueError(text)
    return Head(int(seq), link)


async def seal(store: Store, vault: Vault) -> int:
    """Give all rows that wait their places in the chain; return how many that were."""
    sealed = 0
    while await store.read(_waits):
        sealed += await store.write(lambda tx: _seal(tx, vault), claim=True)
    return sealed


async def _waits(tx: Tx) -> bool:
    return await tx.row('SELECT 1 FROM "_audit" WHERE "seq" IS NULL LIMIT 1') is not None


async def _seal(tx: Tx, vault: Vault) -> int:
    await tx.lock("audit")
    head = await newest(tx)
    places: list[tuple[int, str]] = []
    seals: list[list[object]] = []
    for row in await tx.rows(_WAITING, [BATCH]):
        content = dict(zip(SEALED, row, strict=True))
        told = digest(SEALED, row)
        link = _link(head.link, head.seq + 1, content["id"], content["at"], content["scope"], told)
        head = Head(head.seq + 1, link)
        places.append((head.seq, content["id"]))
        mark = vault.mark(link, PURPOSE)
        seals.append([head.seq, content["id"], content["at"], content["scope"], told, link, mark])
    await tx.run_many(SEAL.insert(), seals)
    await tx.run_many(_PLACE, places)
    return len(places)


async def newest(tx: Tx) -> Head:
    """Return the newest link."""
    row = await tx.row(_NEWEST)
    return Head(0, FIRST) if row is None else Head(row[0], row[1])


def _link(before: str, seq: int, *told: str) -> str:
    return hashlib.sha256(json.dumps([before, seq, *told], separators=(",", ":")).encode()).hexdigest()


async def verify(store: Store, vault: Vault, kept: Head | None = None, progress: Progress | None = None) -> Verdict:
    """Check every link, every row behind it, and that the chain goes on from the head that was kept elsewhere."""
    end, purges, imported, strange = await store.read(_beginning)
    checker = _Checker(vault, purges, imported, kept)
    while checker.broken is None:
        rows = await store.read(lambda tx: tx.rows(_READ, [checker.head.seq, BATCH]))
        for row in rows:
            if checker.broken is None:
                checker.take(row)
        if progress is not None:
            progress("rows", checker.head.seq, end.seq)
        if len(rows) < BATCH:
            break
    if checker.broken is None and strange is not None:
        checker.blame(strange[1], strange[0], say("a row stands in the audit that the chain does not know"))
    if checker.broken is None and kept is not None and kept.seq > checker.head.seq:
        checker.blame(checker.head.seq + 1, None, say("the chain ends before the head that was kept"))
    return checker.verdict()


async def _beginning(tx: Tx) -> tuple[Head, Mapping[str, str], int, Row | None]:
    purges = {row[0]: row[1] for row in await tx.rows(_PURGES)}
    imported = await tx.row(_IMPORTED)
    return await newest(tx), purges, (imported[0] or 0) if imported else 0, await tx.row(_STRANGE)


class _Checker:
    """Goes along the chain, link by link, to its end or to the first place where it is broken."""

    def __init__(self, vault: Vault, purges: Mapping[str, str], imported: int, kept: Head | None) -> None:
        self.vault = vault
        self.purges = purges
        self.imported = imported
        self.kept = kept
        self.head = Head(0, FIRST)
        self.rows = self.purged = self.erased = self.elsewhere = 0
        self.broken: tuple[int, str | None, Message] | None = None

    def blame(self, seq: int, row: str | None, why: Message) -> None:
        """Note where the chain is broken."""
        self.broken = (seq, row, why)

    def verdict(self) -> Verdict:
        """Return what was found."""
        broken, row, why = self.broken or (None, None, None)
        return Verdict(self.head, self.rows, self.purged, self.erased, self.elsewhere, broken, row, why)

    def take(self, row: Row) -> None:
        """Check one link and the row behind it."""
        seq, identifier, at, scope, told, link, mark, *rest = row
        why = self._wrong_link(seq, (identifier, at, scope, told), link, mark) or self._wrong_row(row[:5], rest)
        if why is not None:
            self.blame(min(seq, self.head.seq + 1), identifier, why)
            return
        self.head = Head(seq, link)
        self.rows += 1

    def _wrong_link(self, seq: int, told: tuple[str, str, str, str], link: str, mark: str | None) -> Message | None:
        if seq != self.head.seq + 1:
            return say("a link is missing")
        if link != _link(self.head.link, seq, *told):
            return say("the link does not follow from the one before it")
        if self.kept is not None and self.kept.seq == seq and self.kept.link != link:
            return say("the link is not the head that was kept")
        if self.vault.marked(link, PURPOSE, mark):
            return None
        if seq < self.imported:
            self.elsewhere += 1
            return None
        return say("the link was not made by this installation")

    def _wrong_row(self, seal: Row, found: Sequence[object]) -> Message | None:
        """Return what is wrong with the row that a link is of; one that is gone may be so by the rules."""
        seq, _, at, scope, told = seal
        place, ip, salt = found[:3]
        content, history, erased = found[3 : 3 + len(SEALED)], found[3 + len(SEALED) : -2], found[-2]
        if content[0] is None:
            if at >= self.purges.get(scope, ""):
                return say("the row is gone")
            self.purged += 1
            return None
        values = dict(zip(SEALED, content, strict=True))
        left = told if found[-1] is None or values["detail"] is not None else json.loads(str(found[-1]))["digest"]
        if place != seq or digest(SEALED, content) not in {told, left}:
            return say("the row was changed")
        if ip is not None and ip_digest(str(salt), str(ip)) != values["ip_digest"]:
            return say("the row’s IP address was changed")
        if values["proof"] is None:
            return None
        if erased:
            self.erased += 1
            return None
        if not history[0]:
            return say("the history of the change is gone")
        return None if digest(PROVEN, history[1:]) == values["proof"] else say("the history of the change was changed")
