"""The tables that every network has beside those of its entities: versions, history, outbox, mails, runs, accounts.

Their columns are listed in docs/architecture.md; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piccolo.columns import Column, Text
from piccolo.engine.base import Engine
from piccolo.table import Table

from models.append_only import guard
from models.catalog import columns_of_tables
from models.ddl import quoted
from models.system_table import SystemTable, system_table
from models.tables import attribute, create_table
from models.tx import Tx

DEFINITION = system_table("_definition", "version at author hash files note renames", filled="at hash files")
HISTORY = system_table(
    "_history",
    "id at entity record kind process transition from_state to_state actor actor_kind ip before after text run "
    "undo_until undone_by through cause",
    filled="at entity record kind actor_kind",
    indexes=("entity record at", "at"),
)
TASK = system_table(
    "_task",
    "id title entity record member due_at done_at done_by created_at created_by run",
    filled="title created_at",
    indexes=("member done_at due_at", "entity record", "run"),
)
APPROVAL = system_table(
    "_approval",
    "id at entity record process transition member through actor_kind run form history state reason open_key ended_at "
    "ended_by",
    filled="at entity record process transition actor_kind form history state",
    indexes=("entity record state", "process transition state at"),
    unique=("open_key",),
)
GRANT = system_table(
    "_grant", "id approval member through at", filled="approval member at", unique=("approval member",)
)
OUTBOX = system_table(
    "_outbox",
    "id kind payload run_at priority attempts max_attempts state lease_until worker unique_key last_error created_at "
    "done_at",
    filled="kind payload run_at priority attempts max_attempts state created_at",
    indexes=("state priority run_at id", "state lease_until run_at"),
    unique=("unique_key",),
)
MAIL = system_table(
    "_mail",
    "id at entity record run template language sender recipient recipient_member cc reply_to subject html text state "
    "hold_until attempts error message_id sent_at channel attached unsubscribe",
    filled="at recipient state attempts",
    indexes=("state hold_until", "entity record at", "run", "at", "recipient", "recipient_member", "reply_to"),
    some=(("id", "\"cc\" <> '[]'"),),
)
NOTICE = system_table(
    "_notice",
    "id at entity record run template language member subject body read_at",
    filled="at template member subject body",
    indexes=("member read_at", "member id", "run", "at", "entity record"),
)
DOCUMENT = system_table(
    "_document",
    "id at entity record run template language subject body state file error",
    filled="at run template language subject body state",
    indexes=("run", "at", "entity record"),
)
QUOTA = system_table("_quota", "id at taken", filled="at taken", indexes=("at",))
BOUNCED = system_table("_bounced", "address at reason mail", filled="at reason", indexes=("mail",))
PREFERENCE = system_table("_preference", "id who what at", filled="who what at", unique=("who what",))
INLET = system_table(
    "_inlet", "id secret changed_at changed_by refused refused_at error", filled="secret changed_at refused"
)
INBOUND = system_table(
    "_inbound", "id inlet message at size runs", filled="inlet message at size runs", indexes=("inlet at",)
)
RUN = system_table(
    "_run",
    "id automation definition key entity record state cause actor hold_until cursor names started_at ended_at wake_at "
    "error",
    filled="automation definition state started_at",
    indexes=("automation key state", "entity record state", "state wake_at", "state ended_at", "cause"),
)
STEP = system_table(
    "_step",
    "id run seq path action at inputs result outcome error turn",
    filled="run seq path at",
    indexes=("run seq",),
)
ITEM = system_table("_item", "id entity value", filled="value")
ASSIGNED = system_table(
    "_assigned",
    "id automation step member seq",
    filled="automation step member seq",
    unique=("automation step member",),
)
SESSION = system_table(
    "_session",
    "id member csrf created_at seen_at ip agent acting",
    filled="csrf created_at seen_at",
    indexes=("member", "seen_at"),
)
CREDENTIAL = system_table("_credential", "member password changed_at", filled="password changed_at")
SIGN_IN = system_table(
    "_sign_in",
    "id at email member ip outcome agent device",
    filled="at outcome",
    indexes=("email at", "ip at", "member at", "at"),
)
DEVICE = system_table(
    "_device", "id member agent created_at seen_at", filled="member created_at seen_at", indexes=("member", "seen_at")
)
PENDING = system_table(
    "_pending",
    "id member kind payload tried created_at expires_at",
    filled="kind payload tried created_at expires_at",
    indexes=("member", "expires_at"),
)
SECOND_FACTOR = system_table(
    "_second_factor", "member secret last_step created_at confirmed_at", filled="secret last_step created_at"
)
RECOVERY = system_table("_recovery", "id member created_at used_at", filled="member created_at", indexes=("member",))
PASSKEY = system_table(
    "_passkey",
    "id member name public_key counter created_at last_used_at",
    filled="member name public_key counter created_at",
    indexes=("member",),
)
ACCEPTANCE = system_table(
    "_acceptance",
    "id member terms version at ip wording",
    filled="member terms version at",
    indexes=("member terms",),
)
INVITATION = system_table(
    "_invitation", "id member created_at expires_at", filled="member created_at expires_at", indexes=("member",)
)
SETTING = system_table("_setting", "name value changed_at changed_by", filled="changed_at")
TOKEN = system_table(
    "_token",
    "id hash member name levels entities access expires_at last_used_at last_ip created_at",
    filled="hash member name expires_at created_at",
    indexes=("member",),
    unique=("hash",),
)
ANSWER = system_table("_answer", "key request status headers body at", filled="request at", indexes=("at",))
HOOK = system_table(
    "_hook",
    "id at entity record run step url body state attempts status error sent_at",
    filled="at url state attempts",
    indexes=("run", "at", "entity record"),
)
JOB = system_table(
    "_job",
    "id entity member action asked state total done failed created_at ended_at acting",
    filled="entity action asked state total done failed created_at",
    indexes=("member created_at", "ended_at"),
)
JOB_ITEM = system_table(
    "_job_item",
    "id job record outcome reason history",
    filled="job record outcome",
    indexes=("job outcome id", "record"),
)
VIEW = system_table(
    "_view",
    "id entity member name query levels created_at changed_at",
    filled="entity member name query created_at changed_at",
    indexes=("entity member",),
)
CLOSED = system_table("_closed", "member since", filled="since")
FIRST_VIEW = system_table("_first_view", "id view", filled="view", indexes=("view",))
DELEGATION = system_table(
    "_delegation",
    "id member delegate kind levels begins_at ends_at revoked_at created_at",
    filled="member delegate kind levels begins_at ends_at created_at",
    indexes=("member created_at", "delegate ends_at"),
)
STANDING = system_table("_standing", "member state reason at by ends_at", filled="state at")
PROVIDER = system_table(
    "_provider",
    "id label issuer client_id secret local changed_at changed_by",
    filled="label issuer client_id changed_at",
)
IDENTITY = system_table(
    "_identity",
    "id member issuer subject created_at last_used_at",
    filled="member issuer subject created_at",
    unique=("issuer subject", "member issuer"),
)
WORDING = system_table("_wording", "id terms version label body", filled="terms version label body")

AUDIT = system_table(
    "_audit",
    "id at kind scope member actor_kind through entry run ip salt ip_digest entity record records total fields owners "
    "detail proof seq",
    filled="at kind scope actor_kind",
    indexes=("at", "seq", "member at", "record at", "kind at"),
)
AUDIT_OF = system_table("_audit_of", "id audit member at", filled="audit member at", indexes=("member at", "audit"))
SEAL = system_table(
    "_seal",
    "seq audit at scope digest link mark",
    filled="audit at scope digest link",
    unique=("audit",),
)
FILE = system_table("_file", "sha size created_at loose_at", filled="size created_at")
UPLOAD = system_table(
    "_upload",
    "id member name type size sha created_at",
    filled="member name type size sha created_at",
    indexes=("member created_at", "sha"),
)
RETENTION = system_table(
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
