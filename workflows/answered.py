"""Files that were answered to the form of a move: kept with the row of its history, open to who may read that."""

from __future__ import annotations

import json

from models.attachment import Attachment
from models.errors import NotFoundError
from models.uploads import FILES
from workflows.history import FORM
from workflows.stored import read_answers
from workflows.unit import Unit

_MOVE = """SELECT "process", "transition", "after" FROM "_history"
WHERE "id" = ? AND "entity" = ? AND "record" = ? AND "kind" = 'moved'"""


async def answered(unit: Unit, about: tuple[str, str], history: str, name: str) -> Attachment:
    """Return the file that a question of a move was answered with; `about` is the entity and the id of the record.

    `NotFoundError` when there is none, or none that the actor may see: neither the record nor the process may be
    hidden from it. The audit says who took it away.
    """
    record = await unit.records.find(*about)
    row = await unit.tx.row(_MOVE, [history, *about])
    process = None if row is None else unit.network.processes.get(row[0])
    transition = None if row is None or process is None else process.transitions.get(row[1])
    question = None if transition is None else transition.form.get(name)
    if (
        row is None
        or process is None
        or process.name in record.hidden
        or question is None
        or question.edits is not None
    ):
        raise NotFoundError
    kept = json.loads(row[2] or "{}").get(FORM + name)
    if question.field.type not in FILES or kept is None:
        raise NotFoundError
    found = read_answers({name: question.field}, {name: kept}, unit.published.tables.safe)[name]
    unit.records.took(record, f"{process.name}.{row[1]}.{name}")
    return Attachment(found)
