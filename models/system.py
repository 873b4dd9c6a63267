"""The tables that every network has beside those of its entities: versions, history, outbox, mails, runs, accounts.

Their columns are listed in docs/architecture.md; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from piccolo.columns import Column, Text
from piccolo.engine.base import Engine
from piccolo.table import Table

from models.append_only import guard
from models.catalog import columns_of_tables
from models.columns import INTEGER, MOMENT, TEXT, Codec
from models.ddl import listed, quoted
from models.tables import attribute, create_table
from models.tx import Dialect, Tx

MOMENTS = frozenset(
    {"at", "due_at", "done_at", "created_at", "changed_at", "seen_at", "sent_at", "started_at", "ended_at", "wake_at"}
    | {"run_at", "lease_until", "hold_until", "undo_until", "expires_at", "last_used_at", "since"}
    | {"begins_at", "ends_at", "revoked_at", "confirmed_at", "used_at", "loose_at", "read_at", "refused_at"}
    | {"erase_at", "warned_at"}
)
NUMBERS = frozenset(
    {"version", "definition", "priority", "attempts", "max_attempts", "seq", "status", "total", "done", "failed"}
    | {"tried", "counter", "last_step", "size", "refused", "runs", "taken"}
)

OF_TERMS = frozenset({"_acceptance", "_wording"})
"""Where a version is that of terms, which is text."""


@dataclass(frozen=True)
class SystemTable:
    """A system table: its columns (the first is the key), those that are never null, and its indexes."""

    name: str
    columns: tuple[str, ...]
    filled: frozenset[str]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    some: tuple[tuple[str, str], ...] = ()
    """Columns that are indexed only where something holds, each with what."""

    def codec(self, column: str) -> Codec:
        """Return how a column is stored: what it is called says what it holds."""
        if column == "version" and self.name in OF_TERMS:
            return TEXT
        return MOMENT if column in MOMENTS else INTEGER if column in NUMBERS else TEXT

    @cached_property
    def statements(self) -> tuple[str, ...]:
        """The statements that make the table and its indexes on SQLite where they are missing."""
        return self.statements_on("sqlite")

    def statements_on(self, dialect: Dialect) -> tuple[str, ...]:
        """Return the statements that make the table and its indexes where they are missing."""
        columns = ", ".join(self._column(name, dialect) for name in self.columns)
        made = [f"CREATE TABLE IF NOT EXISTS {quoted(self.name)} ({columns})"]
        for names, kind in [(names, "INDEX") for names in self.indexes] + [
            (names, "UNIQUE INDEX") for names in self.unique
        ]:
            index = quoted("__".join((self.name, *names)))
            made.append(f"CREATE {kind} IF NOT EXISTS {index} ON {quoted(self.name)} ({listed(names)})")
        for name, condition in self.some:
            index = quoted(f"{self.name}__{name}__some")
            made.append(f"CREATE INDEX IF NOT EXISTS {index} ON {quoted(self.name)} ({quoted(name)}) WHERE {condition}")
        return tuple(made)

    def _column(self, name: str, dialect: Dialect) -> str:
        key = " PRIMARY KEY" if name == self.columns[0] else ""
        null = " NOT NULL" if name == self.columns[0] or name in self.filled else ""
        declared = self.codec(name).on(dialect).declared
        if key and self.codec(name) is INTEGER:
            declared = "INTEGER"  # SQLite's own key of a row
        return f"{quoted(name)} {declared}{key}{null}"

    def insert(self, *columns: str) -> str:
        """Return the statement that inserts a row with these columns (all of them by default)."""
        names = columns or self.columns
        places = ", ".join("?" * len(names))
        return f"INSERT INTO {quoted(self.name)} ({listed(names)}) VALUES ({places})"  # noqa: S608 - names of ours


def _table(
    name: str,
    columns: str,
    *,
    filled: str = "",
    indexes: tuple[str, ...] = (),
    unique: tuple[str, ...] = (),
    some: tuple[tuple[str, str], ...] = (),
) -> SystemTable:
    return SystemTable(
        name,
        tuple(columns.split()),
        frozenset(filled.split()),
        tuple(tuple(index.split()) for index in indexes),
        tuple(tuple(index.split()) for index in unique),
        some,
    )


DEFINITION = _table("_definition", "version at author hash files note renames", filled="at hash files")
HISTORY = _table(
    "_history",
    "id at entity record kind process transition from_state to_state actor actor_kind ip before after text run "
    "undo_until undone_by through cause",
    filled="at entity record kind actor_kind",
    indexes=("entity record at", "at"),
)
TASK = _table(
    "_task",
    "id title entity record member due_at done_at done_by created_at created_by run",
    filled="title created_at",
    indexes=("member done_at due_at", "entity record", "run"),
)
APPROVAL = _table(
    "_approval",
    "id at entity record process transition member through actor_kind run form history state reason open_key ended_at "
    "ended_by",
    filled="at entity record process transition actor_kind form history state",
    indexes=("entity record state", "process transition state at"),
    unique=("open_key",),
)
GRANT = _table("_grant", "id approval member through at", filled="approval member at", unique=("approval member",))
OUTBOX = _table(
    "_outbox",
    "id kind payload run_at priority attempts max_attempts state lease_until worker unique_key last_error created_at "
    "done_at",
    filled="kind payload run_at priority attempts max_attempts state created_at",
    indexes=("state priority run_at id", "state lease_until run_at"),
    unique=("unique_key",),
)
MAIL = _table(
    "_mail",
    "id at entity record run template language sender recipient recipient_member cc reply_to subject html text state "
    "hold_until attempts error message_id sent_at channel attached unsubscribe",
    filled="at recipient state attempts",
    indexes=("state hold_until", "entity record at", "run", "at", "recipient", "recipient_member", "reply_to"),
    some=(("id", "\"cc\" <> '[]'"),),
)
NOTICE = _table(
    "_notice",
    "id at entity record run template language member subject body read_at",
    filled="at template member subject body",
    indexes=("member read_at", "member id", "run", "at", "entity record"),
)
DOCUMENT = _table(
    "_document",
    "id at entity record run template language subject body state file error",
    filled="at run template language subject body state",
    indexes=("run", "at", "entity record"),
)
QUOTA = _table("_quota", "id at taken", filled="at taken", indexes=("at",))
BOUNCED = _table("_bounced", "address at reason mail", filled="at reason", indexes=("mail",))
PREFERENCE = _table("_preference", "id who what at", filled="who what at", unique=("who what",))
INLET = _table("_inlet", "id secret changed_at changed_by refused refused_at error", filled="secret changed_at refused")
INBOUND = _table(
    "_inbound", "id inlet message at size runs", filled="inlet message at size runs", indexes=("inlet at",)
)
RUN = _table(
    "_run",
    "id automation definition key entity record state cause actor hold_until cursor names started_at ended_at wake_at "
    "error",
    filled="automation definition state started_at",
    indexes=("automation key state", "entity record state", "state wake_at", "state ended_at", "cause"),
)
STEP = _table(
    "_step",
    "id run seq path action at inputs result outcome error turn",
    filled="run seq path at",
    indexes=("run seq",),
)
ITEM = _table("_item", "id entity value", filled="value")
ASSIGNED = _table(
    "_assigned",
    "id automation step member seq",
    filled="automation step member seq",
    unique=("automation step member",),
)
SESSION = _table(
    "_session",
    "id member csrf created_at seen_at ip agent acting",
    filled="csrf created_at seen_at",
    indexes=("member", "seen_at"),
)
CREDENTIAL = _table("_credential", "member password changed_at", filled="password changed_at")
SIGN_IN = _table(
    "_sign_in",
    "id at email member ip outcome agent device",
    filled="at outcome",
    indexes=("email at", "ip at", "member at", "at"),
)
DEVICE = _table(
    "_device", "id member agent created_at seen_at", filled="member created_at seen_at", indexes=("member", "seen_at")
)
PENDING = _table(
    "_pending",
    "id member kind payload tried created_at expires_at",
    filled="kind payload tried created_at expires_at",
    indexes=("member", "expires_at"),
)
SECOND_FACTOR = _table(
    "_second_factor", "member secret last_step created_at confirmed_at", filled="secret last_step created_at"
)
RECOVERY = _table("_recovery", "id member created_at used_at", filled="member created_at", indexes=("member",))
PASSKEY = _table(
    "_passkey",
    "id member name public_key counter created_at last_used_at",
    filled="member name public_key counter created_at",
    indexes=("member",),
)
ACCEPTANCE = _table(
    "_acceptance",
    "id member terms version at ip wording",
    filled="member terms version at",
    indexes=("member terms",),
)
INVITATION = _table(
    "_invitation", "id member created_at expires_at", filled="member created_at expires_at", indexes=("member",)
)
SETTING = _table("_setting", "name value changed_at changed_by", filled="changed_at")
TOKEN = _table(
    "_token",
    "id hash member name levels entities access expires_at last_used_at last_ip created_at",
    filled="hash member name expires_at created_at",
    indexes=("member",),
    unique=("hash",),
)
ANSWER = _table("_answer", "key request status headers body at", filled="request at", indexes=("at",))
HOOK = _table(
    "_hook",
    "id at entity record run step url body state attempts status error sent_at",
    filled="at url state attempts",
    indexes=("run", "at", "entity record"),
)
JOB = _table(
    "_job",
    "id entity member action asked state total done failed created_at ended_at acting",
    filled="entity action asked state total done failed created_at",
    indexes=("member created_at", "ended_at"),
)
JOB_ITEM = _table(
    "_job_item",
    "id job record outcome reason history",
    filled="job record outcome",
    indexes=("job outcome id", "record"),
)
VIEW = _table(
    "_view",
    "id entity member name query levels created_at changed_at",
    filled="entity member name query created_at changed_at",
    indexes=("entity member",),
)
CLOSED = _table("_closed", "member since", filled="since")
FIRST_VIEW = _table("_first_view", "id view", filled="view", indexes=("view",))
DELEGATION = _table(
    "_delegation",
    "id member delegate kind levels begins_at ends_at revoked_at created_at",
    filled="member delegate kind levels begins_at ends_at created_at",
    indexes=("member created_at", "delegate ends_at"),
)
STANDING = _table("_standing", "member state reason at by ends_at", filled="state at")
PROVIDER = _table(
    "_provider",
    "id label issuer client_id secret local changed_at changed_by",
    filled="label issuer client_id changed_at",
)
IDENTITY = _table(
    "_identity",
    "id member issuer subject created_at last_used_at",
    filled="member issuer subject created_at",
    unique=("issuer subject", "member issuer"),
)
WORDING = _table("_wording", "id terms version label body", filled="terms version label body")

AUDIT = _table(
    "_audit",
    "id at kind scope member actor_kind through entry run ip salt ip_digest entity record records total fields owners "
    "detail proof seq",
    filled="at kind scope actor_kind",
    indexes=("at", "seq", "member at", "record at", "kind at"),
)
AUDIT_OF = _table("_audit_of", "id audit member at", filled="audit member at", indexes=("member at", "audit"))
SEAL = _table(
    "_seal",
    "seq audit at scope digest link mark",
    filled="audit at scope digest link",
    unique=("audit",),
)
FILE = _table("_file", "sha size created_at loose_at", filled="size created_at")
UPLOAD = _table(
    "_upload",
    "id member name type size sha created_at",
    filled="member name type size sha created_at",
    indexes=("member created_at", "sha"),
)
RETENTION = _table(
    "_retention",
    "id entity record member since due_at erase_at warned_at told state reason",
    filled="entity record since due_at erase_at state",
    indexes=("entity erase_at", "warned_at member", "state erase_at"),
    unique=("entity record",),
)

SYSTEM_TABLES: Mapping[str, SystemTable] = {
    table.name: table
    for table in (
        DEFINITION,
        HISTORY,
        TASK,
        APPROVAL,
        GRANT,
        OUTBOX,
        MAIL,
        NOTICE,
        DOCUMENT,
        QUOTA,
        BOUNCED,
        PREFERENCE,
        INLET,
        INBOUND,
        RUN,
        STEP,
        ITEM,
        ASSIGNED,
        SESSION,
        CREDENTIAL,
        SIGN_IN,
        DEVICE,
        PENDING,
        SECOND_FACTOR,
        RECOVERY,
        PASSKEY,
        ACCEPTANCE,
        INVITATION,
        SETTING,
        TOKEN,
        ANSWER,
        HOOK,
        JOB,
        JOB_ITEM,
        VIEW,
        FIRST_VIEW,
        DELEGATION,
        STANDING,
        PROVIDER,
        IDENTITY,
        WORDING,
        CLOSED,
        FILE,
        UPLOAD,
        RETENTION,
        AUDIT,
        AUDIT_OF,
        SEAL,
    )
}


async def lacks_system_tables(tx: Tx) -> bool:
    """Whether a system table or one of its columns is missing."""
    present = await columns_of_tables(tx)
    return any(not present.get(table.name, set()) >= set(table.columns) for table in SYSTEM_TABLES.values())


async def ensure_system_tables(tx: Tx) -> None:
    """Make the system tables that are missing, and the columns that an older Maille did not know."""
    present = await columns_of_tables(tx)
    for table in SYSTEM_TABLES.values():
        make, *indexes = table.statements_on(tx.dialect)
        await tx.run(make)
        for column in table.columns:
            if column not in present.get(table.name, table.columns):
                declared = table.codec(column).on(tx.dialect).declared
                await tx.run(f"ALTER TABLE {quoted(table.name)} ADD COLUMN {quoted(column)} {declared}")
        for statement in indexes:
            await tx.run(statement)
    await guard(tx, AUDIT.columns)


async def release_leases(tx: Tx) -> None:
    """Let the work that is leased be claimed at once: for who opens a store alone, all those workers are dead."""
    await tx.run(
        """UPDATE "_outbox" SET "lease_until" = NULL, "worker" = NULL
        WHERE "state" = 'ready' AND "lease_until" IS NOT NULL"""
    )


def piccolo_tables(engine: Engine[Any]) -> dict[str, type[Table]]:
    """Return the system tables as Piccolo tables over `engine`, by name."""
    return {table.name: _piccolo(table, engine) for table in SYSTEM_TABLES.values()}


def _piccolo(table: SystemTable, engine: Engine[Any]) -> type[Table]:
    columns: dict[str, Column] = {}
    for name in table.columns:
        column = Text(primary_key=True) if name == table.columns[0] else table.codec(name).piccolo()
        column._meta.db_column_name = name  # noqa: SLF001 - Piccolo keeps what it knows of a column there
        columns[attribute(name)] = column
    return create_table(table.name, columns, engine)
